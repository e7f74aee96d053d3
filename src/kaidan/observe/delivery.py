"""Handing things to a receiver that takes its time: in batches, on a thread of its own, from a bounded queue.

Whoever puts something in never waits. A receiver that cannot keep up loses the oldest: observing is best effort, as
on AWS (guide, "Log delivery guarantees"), and slows no execution down.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)

QUEUE_BYTES_MAX = 64 * 1024 * 1024
"""What may wait for one receiver, by the weights of what waits."""

BATCH_MAX = 500
"""Items that are handed over at once."""

WARN_EVERY_S = 60
"""The problems of a receiver are told once in so many seconds."""


class Delivery(Generic[T]):
    """`receive(items)` on a thread of its own; it may block, and what it raises is reported and costs that batch."""

    def __init__(
        self,
        name: str,
        receive: Callable[[list[T]], object],
        weigh: Callable[[T], int],
        queue_bytes_max: int = QUEUE_BYTES_MAX,
    ) -> None:
        self.name = name
        self.lost = 0
        """Items that were dropped, or that the receiver failed at."""
        self._receive = receive
        self._weigh = weigh
        self._queue_bytes_max = queue_bytes_max
        self._queue: deque[tuple[int, T]] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = self._closing = False
        self._warned = -float(WARN_EVERY_S)

    def __call__(self, items: Iterable[T]) -> None:
        """Put items in. From any thread, at once."""
        with self._changed:
            for item in items:
                weight = self._weigh(item)
                self._queue.append((weight, item))
                self._bytes += weight
            self._drop_oldest()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"kaidan-{self.name}", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _drop_oldest(self) -> None:
        while self._bytes > self._queue_bytes_max:
            self._bytes -= self._queue.popleft()[0]
            self.lost += 1

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything is handed over; False when that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._busy, timeout_s)

    def close(self, timeout_s: float) -> None:
        """Hand over what is left, if that takes no longer; then no more is taken."""
        self.flush(timeout_s)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(1)

    def pause(self, seconds: float) -> bool:
        """For the receiver, between two attempts: wait. False when there is no time for a further attempt."""
        with self._changed:
            return not self._changed.wait_for(lambda: self._closing, seconds)

    # --- the thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        while batch := self._next():
            try:
                self._receive(batch)
            except Exception as problem:
                self._failed(batch, problem)
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _next(self) -> list[T]:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            if self._closing:
                return []
            taken = [self._queue.popleft() for _ in range(min(BATCH_MAX, len(self._queue)))]
            self._bytes -= sum(weight for weight, _ in taken)
            self._busy = True
            return [item for _, item in taken]

    def _failed(self, batch: list[T], problem: Exception) -> None:
        self.lost += len(batch)
        now = time.monotonic()
        if now - self._warned >= WARN_EVERY_S:
            self._warned = now
            log.warning("%s: %d not delivered, %d in all: %s", self.name, len(batch), self.lost, problem)
