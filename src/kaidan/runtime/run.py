"""What the engine knows of an execution besides its own data."""

from __future__ import annotations

from dataclasses import dataclass, field

from kaidan.asl.machine.advance import Machine
from kaidan.asl.machine.execution import Execution
from kaidan.protocol.effects import StartMapRun
from kaidan.protocol.history import HistoryEvent
from kaidan.store.contract import TaskRow


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

    `history` holds all of its events in memory, and with a durable store those that are not saved yet.
    """

    machine: Machine
    execution: Execution
    history: list[HistoryEvent] = field(default_factory=list)
    parent: tuple[str, int] | None = None
    """Of a Distributed Map's child: the parent execution's ARN and the request it answers."""
    map_run_arn: str | None = None
    unsaved: Unsaved = field(default_factory=Unsaved)
    saved_frames: set[int] = field(default_factory=set)
    saved: bool = False
    """The store knows of it."""
    undelivered: bool = False
    """It has ended, and its parent does not know yet."""


@dataclass(slots=True)
class MapRun:
    """What is known of a Map Run. `status` is RUNNING, SUCCEEDED, FAILED or ABORTED; times in Unix milliseconds."""

    arn: str
    execution_arn: str
    effect: StartMapRun
    start_ms: int
    status: str = "RUNNING"
    stop_ms: int = 0
