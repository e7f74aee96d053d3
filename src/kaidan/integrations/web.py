"""HTTP, for the tasks that call an address of the user's: API Gateway, HTTP tasks, the Kubernetes API.

What is sent and what comes back, as data, and the parts that requests are made of; web_client.py sends. Knows no task.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from kaidan.values import JSON, dumps, json_or_text

TOO_LARGE = "The state/task '{}' returned a result with a size exceeding the maximum number of bytes service limit."
"""Recorded, for tasks of other services."""

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")


class WebError(Exception):
    """There was no answer. `kind` is what Java calls it: SocketTimeoutException, UnknownHostException, …"""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


class TooLarge(Exception):
    """The answer has more bytes than may be read."""


@dataclass(frozen=True, slots=True)
class Request:
    """`address`: `https://host:port` to connect to instead of the URL's own; the Host header stays the URL's."""

    method: str
    url: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def text(self) -> str:
        """Raises UnicodeDecodeError for what is no text."""
        return self.body.decode()

    def parsed(self) -> JSON:
        """The body: JSON where it says or shows that it is, else text."""
        text = self.text
        is_json = "json" in self.header("content-type") or text.lstrip()[:1] in ("{", "[")
        return json_or_text(text) if is_json else text

    def header_lists(self) -> dict[str, list[str]]:
        """`{"Content-Type": ["application/json"]}` in alphabetical order, whatever the capitals (recorded)."""
        names = {name.lower(): name for name, _ in reversed(self.headers)}
        return {names[low]: [value for name, value in self.headers if name.lower() == low] for low in sorted(names)}


@dataclass(frozen=True, slots=True)
class WebSettings:
    """`metadata_allowed`: link-local addresses may be called. `ca_data`: certificates to trust, as PEM text."""

    metadata_allowed: bool = False
    ca_data: str | None = None


def send(request: Request, *, timeout_s: float, bytes_max: int, settings: WebSettings | None = None) -> Response:
    """One exchange. Raises WebError when there is no answer, TooLarge when there is too much of it."""
    from kaidan.integrations.web_client import exchange  # urllib3 takes its time to import

    return exchange(request, timeout_s, bytes_max, settings or WebSettings())


# --- parts of requests ------------------------------------------------------------------------------------


def query(parameters: Mapping[str, JSON]) -> str:
    """`?a=1&a=2&b=x%20y`, or nothing. Lists repeat their name, objects are JSON text."""
    pairs = [
        f"{quote(name, safe='')}={quote(text(item), safe='')}"
        for name, value in parameters.items()
        if value is not None
        for item in (value if isinstance(value, list) else [value])
    ]
    return "?" + "&".join(pairs) if pairs else ""


def with_query(url: str, parameters: Mapping[str, JSON]) -> str:
    """A URL with more parameters."""
    more = query(parameters)
    return url + ("&" + more[1:] if more and "?" in url else more)


def header_pairs(headers: Mapping[str, JSON]) -> list[tuple[str, str]]:
    return [
        (name, text(item))
        for name, value in headers.items()
        if value is not None
        for item in (value if isinstance(value, list) else [value])
    ]


def text(value: JSON) -> str:
    return value if isinstance(value, str) else dumps(value)


def without_nulls(value: JSON) -> JSON:
    """Without the members that are null, at any depth; items of lists stay."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def json_bytes(value: JSON) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
