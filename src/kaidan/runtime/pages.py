"""The items of one Map Run, page by page, read in a thread and one page ahead. Called on the engine's thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from kaidan.integrations.items import Reading
from kaidan.protocol.events import Item
from kaidan.runtime.pool import Failed, Pool
from kaidan.values import JSON

PAGE_ITEMS = 1_000
PAGE_BYTES = 4 << 20
"""What one page has at most, but for one item: a page is held in memory while its children are started."""


class Page(NamedTuple):
    """Items behind a position."""

    position: JSON
    items: list[Item]
    last: bool


class Pages:
    """`fetch(position, take, failed)` answers with the page behind a position, at once if it was read ahead; or with
    why it cannot be read."""

    def __init__(self, read: Callable[[JSON], Reading], pool: Pool) -> None:
        self._read = read
        self._pool = pool
        self._ready: Page | None = None
        self._reading = False
        self._asker: tuple[Callable[[Page], None], Failed] | None = None
        self._wanted: JSON = None
        self._source: _Source | None = None

    def fetch(self, position: JSON, take: Callable[[Page], None], failed: Failed) -> None:
        self._wanted, self._asker = position, (take, failed)
        if not self._reading:
            self._serve()

    def _serve(self) -> None:
        """Hand over what is wanted, or read it; then read on."""
        if self._asker is None:
            return
        ready, (take, _) = self._ready, self._asker
        if ready is not None and ready.position == self._wanted:
            take(ready)
            self._ready = self._asker = None
            if not ready.last:
                self._read_on()
        else:
            if self._source is None or self._source.position != self._wanted:
                self._source = _Source(self._read, self._wanted)
            self._ready = None
            self._read_on()

    def _read_on(self) -> None:
        source = self._source
        assert source is not None
        self._reading = True
        self._pool.do(source.page, self._have, self._have_not)

    def _have(self, page: Page) -> None:
        self._reading, self._ready = False, page
        self._serve()

    def _have_not(self, problem: BaseException) -> None:
        """If nobody waits for that page yet, whoever will asks for it anew."""
        self._reading, self._ready, self._source = False, None, None
        asker, self._asker = self._asker, None
        if asker is not None:
            _, failed = asker
            failed(problem)


class _Source:
    """Items from a position on, cut into pages."""

    def __init__(self, read: Callable[[JSON], Reading], position: JSON) -> None:
        self.position = position
        self._read = read
        self._reading: Reading | None = None
        self._items: Iterator[Item] = iter(())

    def page(self) -> Page:
        """The next page. Blocks."""
        position, items = self.position, list[Item]()
        last = self._fill(items)
        if items:
            self.position = items[-1].position
        return Page(position, items, last)

    def _fill(self, items: list[Item]) -> bool:
        if self._reading is None:
            self._reading = self._read(self.position)
            self._items = self._reading.items
        before = self._reading.bytes
        for item in self._items:
            items.append(item)
            if len(items) >= PAGE_ITEMS or self._reading.bytes - before > PAGE_BYTES:
                return False
        return True
