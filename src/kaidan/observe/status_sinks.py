"""Where status changes go: a sink is anything that takes a list of events; it may block, a Delivery feeds it.

sink([{"detail-type": "Step Functions Execution Status Change", …}, …])
"""

from __future__ import annotations

import datetime
import urllib.request
from collections.abc import Callable, Iterable
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any, TextIO, TypeAlias
from urllib.error import HTTPError

from kaidan import __version__
from kaidan.integrations.clients import ClientFactory
from kaidan.observe.files import RotatedFile
from kaidan.observe.status import SOURCE, StatusChange
from kaidan.values import dumps

RETRIES_S = (0.5, 2, 8)
"""How long is waited before each further attempt."""

POST_S_MAX = 10
"""How long a web hook may take to answer."""

ENTRIES_MAX = 10
"""EventBridge API reference, PutEvents."""

OWN_SOURCE = "kaidan.states"
"""AWS keeps sources that begin with `aws.` for itself: on a real event bus the events have this one."""

Pause: TypeAlias = Callable[[float], bool]
"""Waits; False when there is no time for a further attempt. `Delivery.pause`."""


class Undelivered(Exception):
    """The message says what the receiver answered."""


class FileEvents:
    """Writes a line for each event to a file that is rotated."""

    def __init__(self, path: Path) -> None:
        self._file = RotatedFile(path)

    def __call__(self, changes: Iterable[StatusChange]) -> None:
        self._file.write(dumps(change) for change in changes)


class StreamEvents:
    """Writes a line for each event: to standard output, say."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, changes: Iterable[StatusChange]) -> None:
        self._stream.write("".join(dumps(change) + "\n" for change in changes))
        self._stream.flush()


# --- a web hook -------------------------------------------------------------------------------------------


class Webhook:
    """POSTs each event as JSON. Tried again when nobody answers, or with 429 or 5xx; redirects are not followed."""

    def __init__(self, url: str, pause: Pause) -> None:
        self._url = url
        self._pause = pause
        self._opener = urllib.request.build_opener(_NoRedirects)

    def __call__(self, changes: Iterable[StatusChange]) -> None:
        """Raises Undelivered, when all have been tried."""
        problems = [problem for change in changes if (problem := self._deliver(dumps(change).encode())) is not None]
        if problems:
            raise Undelivered(f"{len(problems)} events: {problems[0]}")

    def _deliver(self, body: bytes) -> str | None:
        """The problem of the last attempt; None when it was taken."""
        problem, again = self._post(body)
        for wait_s in RETRIES_S:
            if not again or not self._pause(wait_s):
                break
            problem, again = self._post(body)
        return problem

    def _post(self, body: bytes) -> tuple[str | None, bool]:
        """What went wrong, and whether a further attempt may help."""
        headers = {"Content-Type": "application/json", "User-Agent": f"kaidan/{__version__}"}
        request = urllib.request.Request(self._url, body, headers, method="POST")
        try:
            with self._opener.open(request, timeout=POST_S_MAX):
                return None, False
        except HTTPError as answer:
            answer.close()
            return f"HTTP {answer.code} {answer.reason}", answer.code == 429 or answer.code >= 500
        except (OSError, HTTPException) as problem:
            return f"{type(problem).__name__}: {problem}", True


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive as a GET without the event."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None


# --- an event bus -----------------------------------------------------------------------------------------


class EventBus:
    """Puts events on an EventBridge bus of their region; entries that are refused for the moment are put again."""

    def __init__(self, clients: ClientFactory, bus: str, pause: Pause, source: str = OWN_SOURCE) -> None:
        self._clients = clients
        self._bus = bus
        self._pause = pause
        self._source = source

    def __call__(self, changes: Iterable[StatusChange]) -> None:
        """Raises botocore's exceptions and Undelivered."""
        entries: dict[str, list[dict[str, Any]]] = {}
        for change in changes:
            entries.setdefault(change["region"], []).append(self._entry(change))
        problems = [
            self._put(region, some[first : first + ENTRIES_MAX])
            for region, some in entries.items()
            for first in range(0, len(some), ENTRIES_MAX)
        ]
        if any(problems):
            raise Undelivered(next(filter(None, problems)))

    def _entry(self, change: StatusChange) -> dict[str, Any]:
        return {
            "Time": datetime.datetime.fromisoformat(change["time"]),
            "Source": self._source,
            "Resources": change["resources"],
            "DetailType": change["detail-type"],
            "Detail": dumps(change["detail"]),
            "EventBusName": self._bus,
        }

    def _put(self, region: str, entries: list[dict[str, Any]]) -> str | None:
        refused = self._refused(region, entries)
        for wait_s in RETRIES_S:
            if not refused or not self._pause(wait_s):
                break
            refused = self._refused(region, [entry for entry, _ in refused])
        return f"{len(refused)} events: {refused[0][1]}" if refused else None

    def _refused(self, region: str, entries: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
        """The entries that the bus has not taken, each with its reason. Large ones go alone."""
        answers: list[dict[str, Any]] = []
        for some in _requests(entries):
            answers += self._clients.in_region(region).client("events").put_events(Entries=some)["Entries"]
        return [
            (entry, f"{answer['ErrorCode']}: {answer.get('ErrorMessage', '')}")
            for entry, answer in zip(entries, answers, strict=True)
            if "ErrorCode" in answer
        ]


REQUEST_BYTES_MAX = 256 * 1024
"""EventBridge API reference, PutEvents: the entries of one request."""


def _requests(entries: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Entries in their order, no more in one request than it takes."""
    requests: list[list[dict[str, Any]]] = []
    room = 0
    for entry in entries:
        size = 1_000 + len(entry["Detail"].encode())
        if size > room:
            requests.append([])
            room = REQUEST_BYTES_MAX
        requests[-1].append(entry)
        room -= size
    return requests


def default_source(endpoint_url: str | None) -> str:
    """What events say they come from: AWS's own name where that is allowed, at an emulated AWS."""
    return SOURCE if endpoint_url is not None else OWN_SOURCE
