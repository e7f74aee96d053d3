"""The engine on an asyncio loop: its thread is the loop's thread, its turns are callbacks of bounded length.

The loop's other work (a web server's, say) goes on between turns. Operations of the service are called from
coroutines directly; `saved()` waits until what they did is in the store.

When a save fails (a full disk, say), those who wait for it are told so, and it is tried again, ever more seldom; until
it has succeeded nothing else goes on. After `SAVING_S_MAX` the driver gives up: a restart goes on from what was saved.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from kaidan.runtime.engine import Engine
from kaidan.store.contract import StoreError

log = logging.getLogger(__name__)

TURN_S = 0.005
"""How long the engine may hold the loop in one go."""

TURNS_BEFORE_SAVING_MAX = 8
"""How many turns a save is put off while callers keep coming: those who are there together share it."""

SAVING_S_MAX = 60.0
"""How long a save that fails is tried again."""

PAUSE_S, PAUSE_S_MAX = 0.1, 5.0
"""How long to wait before it is tried again: at first, and at most; twice as long each time."""


class Driver:
    """Drives an engine for as long as its loop runs. To be made on the loop's thread; real time only."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._scheduled = False
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self.failure: Exception | None = None
        """Why the engine cannot go on."""
        self._stuck_since: float | None = None
        self._pause_s = PAUSE_S
        self._promises: list[asyncio.Future[None]] = []
        """To those who wait for the next save."""
        self._came = False
        """Whether somebody has begun to wait for it since the last turn."""
        self._put_off = 0
        self.on_failure: Callable[[Exception], None] | None = None
        """Told when the engine cannot go on: nothing is saved from then on, so that nothing is shown either."""
        engine.on_wake = self._wake
        self.kick()

    def _wake(self) -> None:
        if not self._closed:
            self._loop.call_soon_threadsafe(self.kick)

    def kick(self) -> None:
        """There is something to do. Called after every operation that may have put something in."""
        if not self._scheduled and not self._closed and self._stuck_since is None:
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        engine, until, may_save = self._engine, time.monotonic() + TURN_S, not self._put_off_saving()
        try:
            while engine.step(may_save=may_save):
                self._recover()
                if time.monotonic() >= until:
                    return self.kick()
        except StoreError as problem:
            return self._back_off(problem)
        except Exception as problem:
            return self._fail(problem)
        return self._sleep() if may_save else self.kick()

    def _put_off_saving(self) -> bool:
        self._put_off = self._put_off + 1 if self._came and self._put_off < TURNS_BEFORE_SAVING_MAX else 0
        self._came = False
        return self._put_off > 0

    def _back_off(self, problem: StoreError) -> None:
        """A save has failed. It is tried again, but not for ever."""
        now = time.monotonic()
        if self._stuck_since is None:
            log.error("cannot save, nothing goes on until it is possible again: %s", problem)
            self._stuck_since, self._pause_s = now, PAUSE_S
        if now - self._stuck_since >= SAVING_S_MAX:
            return self._fail(problem)
        self._break_promises(problem)
        self._loop.call_later(self._pause_s, self._turn)
        self._pause_s = min(2 * self._pause_s, PAUSE_S_MAX)
        return None

    def _recover(self) -> None:
        if self._stuck_since is not None:
            log.error("saved after %.1f s: going on", time.monotonic() - self._stuck_since)
            self._stuck_since = None

    def _fail(self, problem: Exception) -> None:
        if self.on_failure is None or self._closed:
            raise problem
        self._closed, self.failure = True, problem
        self._break_promises(problem)
        self.on_failure(problem)

    def _break_promises(self, problem: Exception) -> None:
        for promise in self._waiting():
            promise.set_exception(problem)

    def _sleep(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        next_ms = self._engine.next_ms()
        if next_ms is not None:
            delay_s = max(0.0, (next_ms - self._engine.clock.now_ms()) / 1000)
            self._timer = self._loop.call_later(delay_s, self.kick)

    def saved(self) -> asyncio.Future[None]:
        """Done when all that has happened so far is saved; fails when that cannot be."""
        promise: asyncio.Future[None] = self._loop.create_future()
        problem = self.failure or self._engine.stuck
        if problem is not None:
            promise.set_exception(problem)
            return promise
        if not self._promises:
            self._engine.once_saved(self._keep)
        self._promises.append(promise)
        self._came = True
        self.kick()
        return promise

    def _keep(self) -> None:
        for promise in self._waiting():
            promise.set_result(None)

    def _waiting(self) -> list[asyncio.Future[None]]:
        """The promises to those who still wait; from then on there are none."""
        promises, self._promises = self._promises, []
        return [promise for promise in promises if not promise.done()]

    def close(self) -> None:
        """Save what is left, if it can be saved, and stop."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._engine.on_wake = lambda: None
        if self.failure is None:
            try:
                self._engine.save()
            except StoreError as problem:
                log.error("what happened last is not saved: %s", problem)
