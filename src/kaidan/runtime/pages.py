"""The items of one Map Run, page by page, read in a thread and one page ahead. Called on the engine's thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from kaidan.integrations.items import Reading, Unreadable
from kaidan.protocol.events import Item
from kaidan.values import JSON

PAGE_ITEMS = 1_000
PAGE_BYTES = 4 << 20
"""What one page has at most, but for one item: a page is held in memory while its children are started."""


class Page(NamedTuple):
    """Items behind a position. `problem`: why there are not more, if it is not their end."""

    position: JSON
    items: list[Item]
    last: bool
    problem: str | None = None


class InThread(Protocol):
    """Does blocking work in a thread, then calls back on the engine's thread with its result."""

    def __call__(self, work: Callable[[], Page], done: Callable[[Page], None]) -> None: ...


class Pages:
    """`fetch(position, take)` answers with the page behind a position, at once if it was read ahead."""

    def __init__(self, read: Callable[[JSON], Reading], in_thread: InThread) -> None:
        self._read = read
        self._in_thread = in_thread
        self._ready: Page | None = None
        self._reading = False
        self._take: Callable[[Page], None] | None = None
        self._wanted: JSON = None
        self._source: _Source | None = None

    def fetch(self, position: JSON, take: Callable[[Page], None]) -> None:
        self._wanted, self._take = position, take
        if not self._reading:
            self._serve()

    def _serve(self) -> None:
        """Hand over what is wanted, or read it; then read on."""
        ready, take = self._ready, self._take
        if take is not None and ready is not None and ready.position == self._wanted:
            self._ready = self._take = None
            take(ready)
            if not ready.last and ready.problem is None:
                self._read_on()
        elif take is not None:
            if self._source is None or self._source.position != self._wanted:
                self._source = _Source(self._read, self._wanted)
            self._ready = None
            self._read_on()

    def _read_on(self) -> None:
        source = self._source
        assert source is not None
        self._reading = True
        self._in_thread(source.page, self._have)

    def _have(self, page: Page) -> None:
        self._reading, self._ready = False, page
        if page.problem is not None:
            self._source = None
        self._serve()


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
        try:
            last = self._fill(items)
        except Unreadable as problem:
            return Page(position, [], False, str(problem))
        except Exception as problem:
            return Page(position, [], False, f"{type(problem).__name__}: {problem}")
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
