"""Blocking work off the engine's thread, with bounded concurrency."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from kaidan.errors import StateError
from kaidan.integrations.contract import Reply
from kaidan.runtime.engine import Engine
from kaidan.values import JSON

T = TypeVar("T")


class Pool:
    """Threads for calls that block. The engine counts what is under way, so that time does not jump past it."""

    def __init__(self, engine: Engine, size: int = 32) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="kaidan-task")

    def run(self, work: Callable[[], JSON], reply: Reply) -> None:
        """Do `work` and answer with what it returns or with the StateError it raises."""
        self._engine.busy += 1

        def task() -> None:
            try:
                reply.succeeded(work())
            except StateError as error:
                reply.failed(error.error, error.cause)
            except Exception as error:
                reply.failed("States.TaskFailed", f"{type(error).__name__}: {error}")
            finally:
                self._engine.wake(self._done)

        self._threads.submit(task)

    def _done(self) -> None:
        self._engine.busy -= 1

    def close(self) -> None:
        """Let go of the threads without waiting for calls that hang."""
        self._threads.shutdown(wait=False, cancel_futures=True)
