"""Where time and chance come from. The core never asks for them; the runtime hands them in."""

from __future__ import annotations

import random
import time
import uuid
from typing import Protocol


class Clock(Protocol):
    """The engine's idea of time. `skips`: it can jump ahead instead of waiting."""

    skips: bool

    def now_ms(self) -> int:
        """Unix milliseconds."""

    def skip_to(self, moment_ms: int) -> None:
        """Jump ahead. Only where `skips`."""


class RealClock:
    skips = False

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def skip_to(self, moment_ms: int) -> None:
        raise AssertionError("real time does not jump")


class SkippingClock:
    """Real time, plus all that was skipped: waits, time-outs and retry delays pass at once, in their order."""

    skips = True

    def __init__(self) -> None:
        self._skipped_ms = 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self._skipped_ms

    def skip_to(self, moment_ms: int) -> None:
        self._skipped_ms += max(0, moment_ms - self.now_ms())


class SimulatedClock:
    """Time that stands still unless it is moved: for simulations that must be repeatable."""

    skips = True

    def __init__(self, start_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = start_ms

    def now_ms(self) -> int:
        return self._now_ms

    def skip_to(self, moment_ms: int) -> None:
        self._now_ms = max(self._now_ms, moment_ms)


class SystemSource:
    """Chance from the operating system."""

    def uuid4(self) -> str:
        return str(uuid.uuid4())

    def random(self) -> float:
        return random.random()


class SeededSource:
    """Repeatable chance."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def uuid4(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def random(self) -> float:
        return self._random.random()
