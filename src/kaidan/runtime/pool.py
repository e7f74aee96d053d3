"""Blocking work off the engine's thread, with bounded concurrency: whoever waits for it gets an answer, and what is
cancelled does not keep its thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from kaidan.errors import StateError
from kaidan.integrations.calls import Call
from kaidan.integrations.contract import Reply
from kaidan.values import JSON

if TYPE_CHECKING:
    from kaidan.runtime.engine import Engine

log = logging.getLogger(__name__)

THREADS_MAX = 64
"""Calls at a time; further ones wait. An inline Map alone runs 40 iterations side by side."""

T = TypeVar("T")

Failed: TypeAlias = Callable[[BaseException], None]


class Pool:
    """Threads for calls that block. The engine counts what is under way, so that time does not jump past it."""

    def __init__(self, engine: Engine, size: int = THREADS_MAX, name: str = "kaidan-task") -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._calls: set[Call] = set()

    def do(self, work: Callable[[], T], done: Callable[[T], None], failed: Failed) -> None:
        """Do `work` in a thread; then, on the engine's thread, `done` with its result, or `failed` with what either has
        raised. Called on the engine's thread."""
        self._begin(work, done, failed)

    def _begin(self, work: Callable[[], T], done: Callable[[T], None], failed: Failed) -> Call:
        call = Call()

        def task() -> None:
            try:
                result = call.do(work)
            except BaseException as problem:  # SystemExit too: somebody else's code may have raised it
                self._finish(call, lambda problem=problem: failed(problem))  # type: ignore[misc]
            else:
                self._finish(call, lambda: _hand_over(result, done, failed))

        self._threads.submit(task)
        self._engine.busy += 1
        self._calls.add(call)
        return call

    def _finish(self, call: Call, answer: Callable[[], None]) -> None:
        def finish() -> None:
            self._engine.busy -= 1
            self._calls.discard(call)
            answer()

        self._engine.wake(finish)

    def run(self, work: Callable[[], JSON], reply: Reply) -> None:
        """Do `work` and answer with what it returns or with the StateError it raises; it is given up when nobody waits
        for the answer any more. The task has started when a thread takes it up: until then its time-out rests."""

        def begin() -> JSON:
            reply.started()
            return work()

        def succeeded(result: JSON) -> None:
            forget()
            reply.succeeded(result)

        def failed(problem: BaseException) -> None:
            forget()
            if isinstance(problem, StateError):
                reply.failed(problem.error, problem.cause)
            else:
                reply.failed("States.TaskFailed", f"{type(problem).__name__}: {problem}")

        forget = reply.on_cancel(self._begin(begin, succeeded, failed).give_up)

    def close(self, *, wait: bool = False) -> None:
        """Let go of the threads; what they wait for is given up, unless that is to `wait`."""
        for call in () if wait else list(self._calls):
            call.give_up()
        self._threads.shutdown(wait=wait, cancel_futures=True)


def _hand_over(result: T, done: Callable[[T], None], failed: Failed) -> None:
    try:
        done(result)
    except Exception as problem:
        log.exception("a fault in Kaidan: what follows from a call fails")
        failed(problem)
