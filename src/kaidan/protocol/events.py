"""What the world tells the machine. Frozen data, no behaviour.

Every answer echoes the `request_id` of the effect that asked for it; an answer that nobody awaits is dropped.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from kaidan.values import JSON, Payload


class Started(msgspec.Struct, frozen=True):
    """The execution begins. Its input is in the Execution already."""


class Resumed(msgspec.Struct, frozen=True):
    """Go on after a Yield."""


class TaskStarted(msgspec.Struct, frozen=True):
    """Work on a task began. `worker`: an activity worker's name."""

    request_id: int
    worker: str | None = None


class TaskSubmitted(msgspec.Struct, frozen=True):
    """A `.sync` or `.waitForTaskToken` task was handed to its service, which answered `output`."""

    request_id: int
    output: Payload
    job: JSON = None


class TaskSucceeded(msgspec.Struct, frozen=True):
    request_id: int
    output: Payload


class TaskFailed(msgspec.Struct, frozen=True):
    request_id: int
    error: str | None
    cause: str | None = None


class Heartbeat(msgspec.Struct, frozen=True):
    """A worker says that it is still at work."""

    request_id: int


class TimerFired(msgspec.Struct, frozen=True):
    request_id: int


class ChildClosed(msgspec.Struct, frozen=True):
    """A child execution of a Distributed Map ended. `status` is SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""

    request_id: int
    status: str
    output: Payload | None = None
    error: str | None = None
    cause: str | None = None


class Redriven(msgspec.Struct, frozen=True):
    """An execution that did not succeed is to go on from where it failed."""


class MapRunUpdated(msgspec.Struct, frozen=True):
    """Somebody changed how a running Map Run is to go on: for children still to be started, and failures to come."""

    map_run_arn: str
    max_concurrency: int
    tolerated_failure_count: int
    tolerated_failure_percentage: float


class StopRequested(msgspec.Struct, frozen=True):
    error: str | None = None
    cause: str | None = None


Event: TypeAlias = (
    Started
    | Resumed
    | TaskStarted
    | TaskSubmitted
    | TaskSucceeded
    | TaskFailed
    | Heartbeat
    | TimerFired
    | ChildClosed
    | StopRequested
    | Redriven
    | MapRunUpdated
)

__all__ = [
    "ChildClosed",
    "Event",
    "Heartbeat",
    "MapRunUpdated",
    "Redriven",
    "Resumed",
    "Started",
    "StopRequested",
    "TaskFailed",
    "TaskStarted",
    "TaskSubmitted",
    "TaskSucceeded",
    "TimerFired",
]
