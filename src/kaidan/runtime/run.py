"""What the engine knows of an execution besides its own data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from kaidan.asl.machine.advance import Machine
from kaidan.asl.machine.execution import Execution
from kaidan.protocol.effects import StartMapRun
from kaidan.protocol.history import HistoryEvent
from kaidan.store.contract import TaskRow
from kaidan.values import JSON


@dataclass(slots=True)
class Unsaved:
    """What an execution changed since it was saved last, apart from its frames."""

    timers: dict[int, int] = field(default_factory=dict)
    gone_timers: list[int] = field(default_factory=list)
    tasks: dict[int, TaskRow] = field(default_factory=dict)
    gone_tasks: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Run:
    """An execution that the engine drives, with its machine.

    `history` holds all of its events in memory, and with a durable store those that are not saved yet; of a brief one
    the latest, for whoever observes it, until it has ended.
    """

    machine: Machine
    execution: Execution
    history: list[HistoryEvent] = field(default_factory=list)
    map_run_arn: str | None = None
    parent_request: int = 0
    """Of a Map Run's child: what its parent asked with; 0 when nobody waits for its end."""
    unsaved: Unsaved = field(default_factory=Unsaved)
    saved_frames: set[int] = field(default_factory=set)
    saved: bool = False
    """The store knows of it."""
    undelivered: bool = False
    """It has ended, and its parent does not know yet."""

    @property
    def is_brief(self) -> bool:
        """Its history is not kept: no operation reads that of an Express execution, and there may be millions."""
        return self.execution.express


Counts: TypeAlias = dict[str, list[int]]
"""By status of the child: how many executions, and how many items they have."""


@dataclass(slots=True)
class MapRun:
    """What is known of a Map Run. `status` is RUNNING, SUCCEEDED, FAILED or ABORTED; times in Unix milliseconds.

    `counts` are of the children that were started; `queued` of those, by the status they had, that a redrive has still
    to start again.
    """

    arn: str
    execution_arn: str
    effect: StartMapRun
    start_ms: int
    status: str = "RUNNING"
    stop_ms: int = 0
    item_count: int = 0
    counts: Counts = field(default_factory=dict)
    queued: Counts = field(default_factory=dict)
    not_redrivable: list[int] = field(default_factory=lambda: [0, 0])
    redrive_count: int = 0
    redrive_ms: int = 0
    abandoned: bool = False
    """Its execution was stopped, and its results are still to be written."""
    written: bool = False
    """Its results are where they belong."""
    exported: int = 0
    """Of how many attempts (the first, redrives) the successes are in files."""
    files: list[dict[str, JSON]] = field(default_factory=list)
    """Those: `{"Key": "jobs/…/SUCCEEDED_0.json", "Size": 2161}`."""

    def running(self) -> int:
        """How many children are running."""
        return self.counts.get("RUNNING", [0])[0]

    def unstarted_items(self) -> int:
        """How many of the items that are known no child has got."""
        return self.item_count - self._sum(1)

    def unstarted_children(self) -> int:
        """How many children those will make: with batches, as many as there would be of the size that most have."""
        children, items = self._sum(0), self._sum(1)
        return self.unstarted_items() if children == items else -(-self.unstarted_items() * children // items)

    def _sum(self, which: int) -> int:
        return sum(count[which] for counts in (self.counts, self.queued) for count in counts.values())

    def started(self, items: int) -> None:
        _add(self.counts, "RUNNING", 1, items)

    def ended(self, status: str, items: int) -> None:
        _add(self.counts, "RUNNING", -1, -items)
        _add(self.counts, status, 1, items)

    def queue(self) -> None:
        """All that did not succeed are to be started again."""
        for status in _UNSUCCESSFUL & self.counts.keys():
            _add(self.queued, status, *self.counts.pop(status))
        self.not_redrivable = [0, 0]

    def started_again(self, status: str, items: int) -> None:
        _add(self.queued, status, -1, -items)
        self.started(items)

    def refused(self, status: str, items: int) -> None:
        """One cannot be started again: it stays as it was."""
        _add(self.queued, status, -1, -items)
        _add(self.counts, status, 1, items)
        self.not_redrivable = [self.not_redrivable[0] + 1, self.not_redrivable[1] + items]

    def unqueue(self) -> None:
        """What was not started again stays as it was."""
        for status, (executions, items) in self.queued.items():
            _add(self.counts, status, executions, items)
        self.queued = {}


_UNSUCCESSFUL = {"FAILED", "TIMED_OUT", "ABORTED"}


def _add(counts: Counts, status: str, executions: int, items: int) -> None:
    count = counts.get(status)
    if count is None:
        counts[status] = [executions, items]
    else:
        count[0] += executions
        count[1] += items
