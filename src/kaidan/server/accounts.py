"""Which account a request is for, and in which region: each has state machines and executions of its own.

A client signs for a region, and gets what is there, as on AWS. Without credentials there is one account, and whoever
reaches the server may call: it listens to this machine only. With credentials, every request must be signed by one of
them, and goes to that one's account.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from aiohttp import web

from kaidan.server.account import Account
from kaidan.server.protocol import Request
from kaidan.server.settings import is_loopback
from kaidan.service.errors import ApiError

if TYPE_CHECKING:
    from kaidan.server.signature import Verifier


Find: TypeAlias = Callable[[str, str | None], Account]
"""An account by its id and a region, None for a request that names none. Raises ApiError."""


class Open:
    """One account for all."""

    def __init__(self, find: Find, account: str) -> None:
        self._find = find
        self._account = account

    def __call__(self, request: web.BaseRequest, body: bytes) -> Account:
        _check_origin(request.headers.get("Origin"))
        return self._find(self._account, region_of(request))


_SCOPE = re.compile(r"Credential=[^/\s,]+/\d{8}/([a-z0-9-]{1,32})/")


def region_of(request: web.BaseRequest) -> str | None:
    """The region that a request is signed for: `Credential=AKIA…/20261124/us-east-1/states/aws4_request`."""
    found = _SCOPE.search(request.headers.get("Authorization", ""))
    return found[1] if found else None


def _check_origin(origin: str | None) -> None:
    """Browsers say which site a request comes from; other people's sites have no business here.

    Without this a page could reach a server on its visitor's machine under a name of its own (DNS rebinding).
    """
    if origin is not None and not is_loopback(_host(origin)):
        raise ApiError("AccessDeniedException", "Requests from other web sites are not taken", 403)


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


class Signed:
    """Accounts by id; the signature says which."""

    def __init__(self, find: Find, verifier: Verifier) -> None:
        self._find = find
        self._verifier = verifier

    def __call__(self, request: web.BaseRequest, body: bytes) -> Account:
        named = {name.lower() for name in request.headers}
        headers = {name: ",".join(request.headers.getall(name)) for name in named}
        signed = Request(request.method, request.raw_path, headers, body)
        account = self._verifier.account_of(signed, datetime.datetime.now(datetime.UTC))
        return self._find(account, region_of(request))
