"""The contract of a store, and the rows that go in and out. One `save` is one transaction: all of it or nothing.

What an execution changed since the last save is a `Change`; the engine collects the changes of many executions
and saves them together. Only what changed is written: frames that were touched, new events, new results of a
Map's items. A store knows nothing of states or programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from kaidan.protocol.effects import RunTask
from kaidan.protocol.history import HistoryEvent
from kaidan.values import JSON


class StoreError(Exception):
    """What is kept cannot be read or written: the message says where and why."""


class Row(msgspec.Struct, kw_only=True):
    """What is known of an execution without loading it. Times are Unix milliseconds; `stop_ms` 0 while it runs.

    `number` counts executions in the order of their start. `head` is the execution's own data, without its frames,
    as the runtime encodes it. `pending`: it can go on at once. Of a Map Run's child: `parent_request` is what its
    parent asked with, 0 when nobody waits; `undelivered`: it has ended and its parent does not know yet.
    """

    number: int = 0
    arn: str
    machine_arn: str
    name: str
    status: str
    start_ms: int
    stop_ms: int = 0
    version_arn: str | None = None
    alias_arn: str | None = None
    map_run_arn: str | None = None
    parent_request: int = 0
    undelivered: bool = False
    pending: bool = False
    redriven: bool = False
    moment_ms: int = 0
    """When it ended, or, while it runs, when it was started or redriven last."""
    head: bytes = b""


class TaskRow(msgspec.Struct, kw_only=True):
    """A task under way. `started`: its TaskStarted is in the history; `job`: what a `.sync` task waits for."""

    task: RunTask
    started: bool = False
    job: JSON = None


class Change(msgspec.Struct, kw_only=True):
    """What one execution changed. `frames` maps frame id to its encoded data; `items` are new rows of containers.

    `closed`: nothing but row and history is kept from now on.
    """

    row: Row
    events: list[HistoryEvent] = []
    frames: dict[int, bytes] = {}
    gone_frames: list[int] = []
    items: list[tuple[int, int, str]] = []
    """(frame id, index, JSON text); index -1 holds the array of all items."""
    timers: dict[int, int] = {}
    """Request id → due, Unix milliseconds."""
    gone_timers: list[int] = []
    tasks: dict[int, bytes] = {}
    gone_tasks: list[int] = []
    closed: bool = False
    new: bool = False
    """Nothing of the execution has been saved before."""


class Stored(msgspec.Struct, kw_only=True):
    """An execution as it was saved last."""

    row: Row
    frames: dict[int, bytes] = {}
    items: dict[int, dict[int, str]] = {}
    """Frame id → index → JSON text."""


class Query(msgspec.Struct, kw_only=True):
    """Which executions to list: those of a machine by their moments, others by their numbers, the last first (API
    reference, ListExecutions). `after`: the place of the last one seen."""

    machine_arn: str | None = None
    version_arn: str | None = None
    alias_arn: str | None = None
    map_run_arn: str | None = None
    status: str | None = None
    redriven: bool | None = None
    since: int = 0
    """Only those with greater numbers."""
    after: tuple[int, int] | None = None
    limit: int = 100

    def place(self, row: Row) -> tuple[int, int]:
        """Where a row stands in the list."""
        return (0 if self.machine_arn is None else row.moment_ms), row.number


class Store(Protocol):
    """Keeps what the engine gives it. Called from the engine's thread only."""

    durable: bool
    """Whether what was saved survives the process, so that it need not be held in memory."""

    def save(self, changes: Iterable[Change]) -> None:
        """Write changes, and documents that were put or dropped. Raises StoreError when nothing of it could be
        written; documents wait for the next save."""

    def load(self, arn: str) -> Stored | None:
        """An execution, open or closed."""

    def row(self, arn: str) -> Row | None:
        """An execution's row alone."""

    def history(self, arn: str, first_id: int, count: int) -> list[HistoryEvent]:
        """Events from `first_id` on, `count` at most, in their order."""

    def event_count(self, arn: str) -> int:
        """How many events an execution has."""

    def children(self, map_run_arn: str, succeeded: bool, after: int, limit: int) -> list[Row]:
        """A Map Run's children that have ended, well or not, with greater numbers than `after`, in their order."""

    def list(self, query: Query) -> list[Row]:
        """Rows without `head`."""

    def last_number(self) -> int:
        """The number of the execution that was started last, 0 when there is none."""

    def count(self, query: Query) -> int:
        """How many executions match, whatever `after` and `limit` say."""

    def timers(self) -> Iterator[tuple[str, int, int]]:
        """Every open timer: (arn, request id, due in Unix milliseconds)."""

    def tasks(self) -> Iterator[tuple[str, int, bytes]]:
        """Every task under way: (arn, request id, encoded TaskRow)."""

    def pending(self) -> Iterator[Row]:
        """Executions that can go on at once."""

    def undelivered(self) -> Iterator[Row]:
        """Executions that have ended and whose parents do not know."""

    def put(self, kind: str, key: str, data: bytes) -> None:
        """Keep a document of the service; saved with the next `save`."""

    def drop(self, kind: str, key: str) -> None:
        """Forget a document; saved with the next `save`."""

    def documents(self, kind: str) -> Iterator[tuple[str, bytes]]:
        """All documents of a kind."""

    def get(self, kind: str, key: str) -> bytes | None:
        """One document."""

    def forget_closed(self, before_ms: int, limit: int, kept: Iterable[str] = ()) -> int:
        """Remove executions that ended before a moment, `limit` at most; how many were removed. The children of the
        Map Runs `kept` stay. Raises StoreError when none could be removed."""

    def close(self) -> None:
        """Let go of files."""
