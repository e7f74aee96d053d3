"""The server as a process: put together from its settings, started, and stopped when it is told to.

    await Server.start(settings)  →  .url, .files  →  await server.stop()

Stopping: no more connections, workers that wait for a task are sent away, requests under way are answered within
`STOP_S`, what is left is saved, and what was observed is delivered within `CLOSE_S`. Executions go on when the server
is started again.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from pathlib import Path
from typing import Any

from aiohttp import web

from kaidan.integrations.clients import AwsSettings, ClientFactory
from kaidan.integrations.files import FileError
from kaidan.integrations.world import World, read_world
from kaidan.observe.observer import CLOSE_S, Observer
from kaidan.observe.traces import TracesUnavailable
from kaidan.server.account import Account
from kaidan.server.accounts import Open, Signed
from kaidan.server.app import App, Identify
from kaidan.server.settings import Settings, is_region
from kaidan.service.errors import ApiError, unavailable
from kaidan.store.sqlite import SqliteStore, StoreError

log = logging.getLogger(__name__)

STOP_S = 10
"""How long requests under way may take when the server is stopped."""

ACCOUNTS_MAX = 256
"""Accounts and regions that may be open: each has a file and threads."""

BACKLOG = 1_024
"""Connections that wait to be accepted."""

_SYNCHRONOUS = {"process": "NORMAL", "power": "FULL"}


class StartError(Exception):
    """The server cannot start: the message says why."""


class Server:
    """A running server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clients = ClientFactory(
            AwsSettings(profile=settings.profile, region=settings.region, endpoint_url=settings.endpoint_url)
        )
        self._accounts: dict[tuple[str, str], Account] = {}
        """By id and region."""
        self._app: App | None = None
        self._observer: Observer | None = None
        self._world = World()
        self._runner: web.ServerRunner | None = None
        self._failure: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self.files: list[Path] = []
        """What is kept, a file for each account and region."""

    @classmethod
    async def start(cls, settings: Settings) -> Server:
        """Open the files, go on with what was going on, and listen. Raises StartError."""
        server = cls(settings)
        try:
            server._observe()
            await server._listen(server._open())
        except BaseException:
            await server.stop()
            raise
        return server

    @property
    def url(self) -> str:
        """Where it listens, with the port that it got."""
        assert self._runner is not None
        port: int = self._runner.addresses[0][1]
        return self._settings.url.rpartition(":")[0] + f":{port}"

    # --- starting -----------------------------------------------------------------------------------------

    def _observe(self) -> None:
        settings = self._settings
        try:
            self._observer = Observer(
                self._clients, logs=settings.log_to, events=settings.events_to, traces=settings.traces
            )
        except (ValueError, TracesUnavailable) as problem:
            raise StartError(str(problem)) from None

    def _open(self) -> Identify:
        settings = self._settings
        _check_places(settings)
        self._world = _world(settings)
        if settings.credentials is None:
            self._open_all(settings.account)
            return Open(self._find, settings.account)
        from kaidan.server import signature  # botocore signs, and takes its time to be imported

        try:
            credentials = signature.read_credentials(settings.credentials, settings.account)
        except signature.CredentialsError as problem:
            raise StartError(str(problem)) from None
        for id in sorted({each.account for each in credentials}):
            self._open_all(id)
        return Signed(self._find, signature.Verifier(credentials))

    def _open_all(self, id: str) -> None:
        """Open an account where it has something that may have to go on, and where most requests will be for."""
        regions = {self._clients.region}
        if self._settings.region is None and not self._settings.in_memory:
            kept = (path.name.split(".")[1] for path in self._settings.data.glob(f"{id}.*.db"))
            regions.update(filter(is_region, kept))
        for region in sorted(regions):
            self._account(id, region)

    def _find(self, id: str, region: str | None) -> Account:
        """An account where a request is for; a region is opened with its first request. Raises ApiError."""
        region = self._settings.region or region or self._clients.region
        known = self._accounts.get((id, region))
        if known is not None:
            return known
        if not is_region(region) or len(self._accounts) >= ACCOUNTS_MAX:
            raise ApiError("InvalidSignatureException", "Credential should be scoped to a valid region.")
        try:
            return self._account(id, region)
        except StartError as problem:
            log.error("%s", problem)
            raise unavailable() from None

    def _account(self, id: str, region: str) -> Account:
        settings = self._settings
        store = None if settings.in_memory else self._store(id, region)
        folders = [settings.files] if settings.files is not None else []
        clients = self._clients.in_region(region)
        account = Account(
            id, region, clients, store, settings.retention_days, folders, self._world, skip_waits=settings.skip_waits
        )
        account.driver.on_failure = self._fail
        assert self._observer is not None
        account.observe(self._observer)
        self._accounts[id, region] = account
        return account

    def _fail(self, problem: Exception) -> None:
        log.critical("the engine cannot go on", exc_info=problem)
        if not self._failure.done():
            self._failure.set_result(problem)

    async def failure_or(self, stopped: asyncio.Future[None]) -> Exception | None:
        """Wait until it is to stop, or until an engine cannot go on: what kept it from that."""
        either: list[asyncio.Future[Any]] = [self._failure, stopped]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return self._failure.result() if self._failure.done() else None

    def _store(self, id: str, region: str) -> SqliteStore:
        path = self._settings.data / f"{id}.{region}.db"
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            store = SqliteStore(path, synchronous=_SYNCHRONOUS[self._settings.durability])
        except StoreError as problem:
            if "locked" in str(problem):
                raise StartError(f"{path}: another process uses it; a second server needs --data of its own") from None
            raise StartError(str(problem)) from None
        except OSError as problem:
            raise StartError(f"{path.parent}: cannot be made: {problem.strerror}") from None
        self.files.append(path)
        return store

    async def _listen(self, identify: Identify) -> None:
        settings = self._settings
        assert self._observer is not None
        self._app = App(identify, self._observer.metrics, metrics_for_all=settings.metrics == "all")
        self._runner = web.ServerRunner(self._app.server(), shutdown_timeout=STOP_S)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, settings.host, settings.port, backlog=BACKLOG).start()
        except OSError as problem:
            raise StartError(_why_not(problem, settings)) from None
        except UnicodeError:  # of a name that no host can have: `a..b`
            raise StartError(f"{settings.host}: is no address") from None

    # --- stopping -----------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """Answer what is under way, save, and let go of everything."""
        if self._app is not None:
            self._app.ready = False
        for account in self._accounts.values():
            account.stop_waiting()
        if self._runner is not None:
            await self._runner.cleanup()
        for account in self._accounts.values():
            account.close()
        if self._observer is not None:
            await asyncio.to_thread(self._observer.close, CLOSE_S)


def _check_places(settings: Settings) -> None:
    """What tasks would find out one after the other."""
    if settings.files is not None and not settings.files.is_dir():
        raise StartError(f"{settings.files}: is no folder")
    if settings.profile is not None:
        from botocore.session import Session  # takes its time to be imported

        known = Session().available_profiles
        if settings.profile not in known:
            found = ", ".join(sorted(known)) or "none"
            raise StartError(f"the AWS profile {settings.profile} could not be found; profiles there are: {found}")


def _world(settings: Settings) -> World:
    try:
        return read_world(settings)
    except FileError as problem:
        raise StartError(str(problem)) from None


def _why_not(problem: OSError, settings: Settings) -> str:
    where = f"{settings.host}, port {settings.port}"
    if problem.errno == errno.EADDRINUSE:
        return f"{where}: another process listens there; choose another --port"
    if problem.errno == errno.EACCES:
        return f"{where}: this user may not listen there; choose a --port above 1023"
    said = os.strerror(problem.errno) if problem.errno and problem.errno > 0 else problem.strerror or problem
    return f"{where}: cannot listen there: {said}"
