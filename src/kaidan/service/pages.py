"""Long lists in pages: a token says behind which item the next page begins.

    page(service, "ListActivities", params, activities, key=lambda activity: [activity.name])
    → ([…100 activities…], "WyJMaXN…")

A token is opaque, holds for the same question only and for 24 hours (API reference, every List operation).
It names an item, not a position: what is added or removed meanwhile neither repeats nor hides others.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, TypeAlias, TypeVar

from kaidan.service.errors import ApiError
from kaidan.service.state import Service
from kaidan.store.contract import Query, Row
from kaidan.values import InvalidJson, dumps, loads

T = TypeVar("T")
Key: TypeAlias = list[int | str]
"""What items are sorted by; no two have the same. JSON, so that a token can hold it."""

PAGE_ITEMS = 100
"""Items of a page when nobody asks for a number, or for 0 (API reference, `maxResults`)."""

TOKEN_MS = 24 * 3_600_000


def page(
    service: Service, question: str, params: dict[str, Any], items: Sequence[T], key: Callable[[T], Key]
) -> tuple[Sequence[T], str | None]:
    """The page that `params` ask for, of items sorted by `key`, and the token of the next.

    `question` identifies the list. Raises InvalidToken.
    """
    token = params.get("nextToken")
    first = bisect_right(items, _read(service, question, token), key=key) if token else 0
    last = first + (params.get("maxResults") or PAGE_ITEMS)
    found = items[first:last]
    return found, _write(service, question, key(found[-1])) if last < len(items) else None


ROWS = 1_000
"""How many rows are read at once when some of them are left out."""


def page_of_rows(
    service: Service, question: str, params: dict[str, Any], query: Query, wanted: Callable[[Row], bool] | None
) -> tuple[list[Row], str | None]:
    """As `page`, of executions: read from the engine as far as needed, in the order of `Query`. `wanted` None: all."""
    token = params.get("nextToken")
    most = params.get("maxResults") or PAGE_ITEMS
    query.after = _place(_read(service, question, token)) if token else None
    query.limit = most + 1 if wanted is None else max(most + 1, ROWS)
    found: list[Row] = []
    while len(found) <= most:
        rows = service.engine.list(query)
        found += rows if wanted is None else filter(wanted, rows)
        if len(rows) < query.limit:
            break
        query.after = query.place(rows[-1])
    token = _write(service, question, [*query.place(found[most - 1])]) if len(found) > most else None
    return found[:most], token


def _place(key: Key) -> tuple[int, int]:
    moment_ms, number = key
    return int(moment_ms), int(number)


def answer(name: str, members: Sequence[Any], token: str | None) -> dict[str, Any]:
    """`{"activities": […], "nextToken": "…"}`."""
    return {name: members} if token is None else {name: members, "nextToken": token}


def _write(service: Service, question: str, key: Key) -> str:
    text = dumps([service.engine.clock.now_ms(), key])
    return base64.urlsafe_b64encode(f"{_seal(service, question, text)} {text}".encode()).decode()


def _read(service: Service, question: str, token: str) -> Key:
    try:
        seal, _, text = base64.b64decode(token, b"-_", validate=True).decode().partition(" ")
        issued_ms, key = loads(text)
    except (binascii.Error, ValueError, InvalidJson):
        raise _invalid_token() from None
    if seal != _seal(service, question, text) or service.engine.clock.now_ms() - issued_ms > TOKEN_MS:
        raise _invalid_token()
    sort_key: Key = key
    return sort_key


def _seal(service: Service, question: str, text: str) -> str:
    return blake2b(f"{service.arn(question)} {text}".encode(), digest_size=12).hexdigest()


def _invalid_token() -> ApiError:
    return ApiError("InvalidToken", "Invalid Token: 'Invalid token'")
