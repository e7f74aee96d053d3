"""Whose account a request is for.

Without credentials there is one account, and whoever reaches the server may call: it listens to this machine only.
With credentials, every request must be signed by one of them, and goes to that one's account.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from kaidan.server.account import Account
from kaidan.server.protocol import Request
from kaidan.server.settings import is_loopback
from kaidan.service.errors import ApiError

if TYPE_CHECKING:
    from kaidan.server.signature import Verifier


class Open:
    """One account for all."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def __call__(self, request: web.BaseRequest, body: bytes) -> Account:
        _check_origin(request.headers.get("Origin"))
        return self._account


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

    def __init__(self, accounts: Mapping[str, Account], verifier: Verifier) -> None:
        self._accounts = accounts
        self._verifier = verifier

    def __call__(self, request: web.BaseRequest, body: bytes) -> Account:
        named = {name.lower() for name in request.headers}
        headers = {name: ",".join(request.headers.getall(name)) for name in named}
        signed = Request(request.method, request.raw_path, headers, body)
        return self._accounts[self._verifier.account_of(signed, datetime.datetime.now(datetime.UTC))]
