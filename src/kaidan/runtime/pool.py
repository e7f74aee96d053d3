"""Blocking work off the engine's thread, with bounded concurrency: what is cancelled does not keep its thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from kaidan.errors import StateError
from kaidan.integrations.calls import Call
from kaidan.integrations.contract import Reply
from kaidan.runtime.engine import Engine
from kaidan.values import JSON

T = TypeVar("T")


class Pool:
    """Threads for calls that block. The engine counts what is under way, so that time does not jump past it."""

    def __init__(self, engine: Engine, size: int = 32) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="kaidan-task")
        self._calls: set[Call] = set()

    def run(self, work: Callable[[], JSON], reply: Reply) -> None:
        """Do `work` and answer with what it returns or with the StateError it raises."""
        self._engine.busy += 1
        call = Call()
        self._calls.add(call)
        forget = reply.on_cancel(call.give_up)

        def done() -> None:
            self._engine.busy -= 1
            self._calls.discard(call)
            forget()

        def task() -> None:
            try:
                reply.succeeded(call.do(work))
            except StateError as error:
                reply.failed(error.error, error.cause)
            except Exception as error:
                reply.failed("States.TaskFailed", f"{type(error).__name__}: {error}")
            finally:
                self._engine.wake(done)

        self._threads.submit(task)

    def close(self) -> None:
        """Let go of the threads; what they wait for is given up."""
        for call in list(self._calls):
            call.give_up()
        self._threads.shutdown(wait=False, cancel_futures=True)
