"""Files opened before it is their turn: where there are many small ones, an answer's way from S3 is what takes time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeAlias, TypeVar

from kaidan.integrations.storage import Readable, Storage
from kaidan.values import JSON

OPEN_MAX = 16
"""How many files are open or being opened at a time."""

Opening: TypeAlias = Future[Readable]

Place = TypeVar("Place")


def opened(storage: Storage, files: Iterable[tuple[JSON, Place]]) -> Iterator[tuple[JSON, Place, Opening]]:
    """Files in their order, given as what GetObject takes and a place that comes along, each being opened."""
    waiting: deque[tuple[JSON, Place, Opening]] = deque()
    coming = iter(files)
    pool = ThreadPoolExecutor(OPEN_MAX, thread_name_prefix="kaidan-open")
    try:
        while True:
            for parameters, place in islice(coming, OPEN_MAX - len(waiting)):
                waiting.append((parameters, place, pool.submit(storage.open, parameters)))
            if not waiting:
                return
            yield waiting.popleft()
    finally:
        for _, _, opening in waiting:
            opening.add_done_callback(_close)
        pool.shutdown(wait=False, cancel_futures=True)


def _close(opening: Opening) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
