"""One heap for everything that is due some day. Cancelling is cheap; what was cancelled is swept out in bulk."""

from __future__ import annotations

import heapq
import itertools
from typing import Generic, TypeVar

K = TypeVar("K")


class Timers(Generic[K]):
    """Keys with the moment (Unix milliseconds) at which they are due. Equal moments come in the order of adding."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, K]] = []
        self._live: dict[K, tuple[int, int]] = {}
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._live)

    def add(self, key: K, due_ms: int) -> None:
        moment = (due_ms, next(self._numbers))
        self._live[key] = moment
        heapq.heappush(self._heap, (*moment, key))

    def cancel(self, key: K) -> None:
        if self._live.pop(key, None) is not None and len(self._heap) > 2 * len(self._live) + 64:
            self._heap = [entry for entry in self._heap if self._live.get(entry[2]) == entry[:2]]
            heapq.heapify(self._heap)

    def due_ms(self, key: K) -> int | None:
        """When a key is due."""
        moment = self._live.get(key)
        return moment[0] if moment is not None else None

    def next_ms(self) -> int | None:
        """When the next key is due."""
        heap, live = self._heap, self._live
        while heap and live.get(heap[0][2]) != heap[0][:2]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def pop(self) -> K:
        """Take the next key; `next_ms` has said that there is one."""
        key = heapq.heappop(self._heap)[2]
        del self._live[key]
        return key
