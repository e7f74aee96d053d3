"""Ctrl-C and SIGTERM: the first stops the execution, the second ends the process at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from kaidan.cli.exits import Exit
from kaidan.runtime.engine import Engine

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SHOW_CURSOR = "\033[?25h"


@contextmanager
def stopping(engine: Engine, stop: Callable[[str], None]) -> Iterator[None]:
    """While this lasts, a signal has `stop` called on the engine's thread, with what is to be said of it."""
    received: list[int] = []

    def act(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            _quit()
        cause = f"Stopped by {'Ctrl-C' if number == signal.SIGINT else signal.Signals(number).name}"
        engine.wake(lambda: stop(cause))

    before = {number: signal.signal(number, act) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _quit() -> None:
    """Nothing is waited for, nothing kept: it was asked for twice."""
    if sys.stdout.isatty():
        os.write(sys.stdout.fileno(), SHOW_CURSOR.encode())
    os._exit(Exit.INTERRUPTED)
