"""The server as a process: put together from its settings, started, and stopped when it is told to.

    await Server.start(settings)  →  .url, .files  →  await server.stop()

Stopping: no more connections, workers that wait for a task are sent away, requests under way are answered within
`STOP_S`, and what is left is saved. Executions go on when the server is started again.
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
from kaidan.integrations.world import World, WorldError, WorldFiles, read_world
from kaidan.server.account import Account
from kaidan.server.accounts import Open, Signed
from kaidan.server.app import App, Identify
from kaidan.server.settings import Settings
from kaidan.store.sqlite import SqliteStore, StoreError

log = logging.getLogger(__name__)

STOP_S = 10
"""How long requests under way may take when the server is stopped."""

BACKLOG = 1_024
"""Connections that wait to be accepted."""

_SYNCHRONOUS = {"process": "NORMAL", "power": "FULL"}


class StartError(Exception):
    """The server cannot start: the message says why."""


class Server:
    """A running server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._accounts: dict[str, Account] = {}
        self._app: App | None = None
        self._world = World()
        self._runner: web.ServerRunner | None = None
        self._failure: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self.files: list[Path] = []
        """What is kept, a file for each account."""

    @classmethod
    async def start(cls, settings: Settings) -> Server:
        """Open the files, go on with what was going on, and listen. Raises StartError."""
        server = cls(settings)
        try:
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

    def _open(self) -> Identify:
        settings = self._settings
        self._world = _world(settings)
        if settings.credentials is None:
            return Open(self._account(settings.account))
        from kaidan.server import signature  # botocore signs, and takes its time to be imported

        try:
            credentials = signature.read_credentials(settings.credentials, settings.account)
        except signature.CredentialsError as problem:
            raise StartError(str(problem)) from None
        accounts = {id: self._account(id) for id in sorted({each.account for each in credentials})}
        return Signed(accounts, signature.Verifier(credentials))

    def _account(self, id: str) -> Account:
        settings = self._settings
        clients = ClientFactory(
            AwsSettings(profile=settings.profile, region=settings.region, endpoint_url=settings.endpoint_url)
        )
        store = None if settings.in_memory else self._store(id)
        folders = [settings.files] if settings.files is not None else []
        account = Account(id, clients.region, clients, store, settings.retention_days, folders, self._world)
        account.driver.on_failure = self._fail
        self._accounts[id] = account
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

    def _store(self, id: str) -> SqliteStore:
        path = self._settings.data / f"{id}.db"
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
        self._app = App(identify)
        self._runner = web.ServerRunner(self._app.server(), shutdown_timeout=STOP_S)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, settings.host, settings.port, backlog=BACKLOG).start()
        except OSError as problem:
            raise StartError(_why_not(problem, settings)) from None

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


def _world(settings: Settings) -> World:
    files = WorldFiles(
        settings.mocks, settings.faults, settings.functions, settings.connections, settings.allow_link_local
    )
    try:
        return read_world(files)
    except WorldError as problem:
        raise StartError(str(problem)) from None


def _why_not(problem: OSError, settings: Settings) -> str:
    where = f"{settings.host}, port {settings.port}"
    if problem.errno == errno.EADDRINUSE:
        return f"{where}: another process listens there; choose another --port"
    if problem.errno == errno.EACCES:
        return f"{where}: this user may not listen there; choose a --port above 1023"
    return f"{where}: cannot listen there: {os.strerror(problem.errno) if problem.errno else problem}"
