"""Work that blocks a thread, and how it is given up: the thread stops waiting at once, whatever it waits for.

    call = Call()
    call.do(work)        # in a thread of the pool; what waits says how it is ended: `call.waits(abort)`
    call.give_up()       # from another thread: the socket is shut, or the process killed, that the thread waits for

A connection made by pools of `abortable` says so by itself. Safe in any thread; knows neither tasks nor clients.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import Any, TypeAlias, TypeVar

Action: TypeAlias = Callable[[], None]

T = TypeVar("T")


class GivenUp(Exception):
    """Nobody waits for this work any more."""


class Call:
    """One piece of work in a thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._abort: Action | None = None
        self._given_up = False

    def do(self, work: Callable[[], T]) -> T:
        """Raises GivenUp instead of beginning what was given up while it waited for a thread."""
        self.check()
        _thread.call = self
        try:
            return work()
        finally:
            _thread.call = None
            self.waits(None)

    def check(self) -> None:
        """Raises GivenUp."""
        if self._given_up:
            raise GivenUp

    def waits(self, abort: Action | None) -> None:
        """The thread is about to wait, until `abort` at the latest; None: it does not wait any more."""
        with self._lock:
            self._abort = abort
            if self._given_up and abort is not None:
                abort()

    def give_up(self) -> None:
        """Under the lock: what the thread has let go of may serve another one by now."""
        with self._lock:
            self._given_up = True
            if self._abort is not None:
                self._abort()


_thread = threading.local()


def here() -> Call | None:
    """The work that this thread does."""
    found: Call | None = getattr(_thread, "call", None)
    return found


def check() -> None:
    """Raises GivenUp when nobody waits for what this thread does."""
    call = here()
    if call is not None:
        call.check()


@contextmanager
def ended_by(abort: Action) -> Iterator[None]:
    """What is inside ends when `abort` is called."""
    call = here()
    if call is not None:
        call.waits(abort)
    try:
        yield
    finally:
        if call is not None:
            call.waits(None)


# --- connections ------------------------------------------------------------------------------------------


def abortable(pools: Mapping[str, type]) -> dict[str, type]:
    """urllib3's classes of connection pools by scheme, with connections that can be given up."""
    return {scheme: _abortable_pool(pool) for scheme, pool in pools.items()}


@cache
def _abortable_pool(pool: Any) -> type:
    connection = type(f"Abortable{pool.ConnectionCls.__name__}", (_Connection, pool.ConnectionCls), {})
    return type(f"Abortable{pool.__name__}", (_Pool, pool), {"ConnectionCls": connection})


class _Connection:
    """Serves the call of the thread that uses it, from connecting or the next request on."""

    sock: socket.socket | None

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        _wait_on(self.sock)

    def request(self, *arguments: Any, **named: Any) -> Any:
        _wait_on(self.sock)
        return super().request(*arguments, **named)  # type: ignore[misc]


class _Pool:
    """Gets a connection back when its answer has been read."""

    def _put_conn(self, connection: Any) -> None:
        call = here()
        if call is not None:
            call.waits(None)
        super()._put_conn(connection)  # type: ignore[misc]


def _wait_on(sock: socket.socket | None) -> None:
    call = here()
    if call is not None and sock is not None:
        call.waits(partial(_shut, sock))


def _shut(sock: socket.socket) -> None:
    """Wakes the thread that reads from it. Past TLS, which would say goodbye first."""
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
