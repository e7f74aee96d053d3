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
    """A `.sync` or `.waitForTaskToken` task was handed to its service, which answered `output`.

    `job`: by what the task is picked up again after a restart, for the runtime to keep.
    """

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


class TokenAnswered(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody has sent a task's token back, with its output (success), or without (failure)."""

    request_id: int
    output: Payload | None = None
    error: str | None = None
    cause: str | None = None


class Heartbeat(msgspec.Struct, frozen=True):
    """A worker says that it is still at work."""

    request_id: int


class TimerFired(msgspec.Struct, frozen=True):
    request_id: int


class Item(msgspec.Struct, frozen=True, gc=False):
    """One item of an ItemReader. `position`: where reading goes on after it. `source`: where it is from, `s3://b/k`.

    `key` and `value` are what a member of a JSON object is called and has; otherwise `key` is None.
    """

    value: JSON
    position: JSON
    source: str
    key: str | None = None


class ItemsFetched(msgspec.Struct, frozen=True):
    """A page of items, in their order. `last`: there are no more behind them."""

    request_id: int
    items: list[Item]
    last: bool


class FailuresFetched(msgspec.Struct, frozen=True):
    """Children that did not succeed: (mark that others come after, number, items that it has). `last`: no more."""

    request_id: int
    children: list[tuple[int, int, int]]
    last: bool


class ResultsOpened(msgspec.Struct, frozen=True):
    """The results of a Map Run can be written."""

    request_id: int


class MapRunClosed(msgspec.Struct, frozen=True):
    """The results of a Map Run are written; `output` says where to, and becomes the state's result."""

    request_id: int
    output: Payload


class MapRunBroken(msgspec.Struct, frozen=True):
    """Items could not be read, or results not be written."""

    request_id: int
    error: str
    cause: str


class MapRunContinued(msgspec.Struct, frozen=True):
    """Go on starting children."""

    map_run_arn: str


class MapRunResumed(msgspec.Struct, frozen=True):
    """After a restart: what a Map Run asked for and has no answer to is to be asked for again."""

    map_run_arn: str


class ChildClosed(msgspec.Struct, frozen=True):
    """A child execution of a Distributed Map ended. `status` is SUCCEEDED, FAILED, TIMED_OUT or ABORTED.

    `items`: how many items it had. `result`: what it adds to the state's output; None when that is written elsewhere.
    """

    request_id: int
    status: str
    items: int = 1
    result: Payload | None = None


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


MapRunEvent: TypeAlias = (
    ChildClosed
    | ItemsFetched
    | FailuresFetched
    | ResultsOpened
    | MapRunClosed
    | MapRunBroken
    | MapRunUpdated
    | MapRunContinued
    | MapRunResumed
)
"""What concerns a Map Run."""

Event: TypeAlias = (
    Started
    | Resumed
    | TaskStarted
    | TaskSubmitted
    | TaskSucceeded
    | TaskFailed
    | TokenAnswered
    | Heartbeat
    | TimerFired
    | StopRequested
    | Redriven
    | MapRunEvent
)

__all__ = [
    "ChildClosed",
    "Event",
    "FailuresFetched",
    "Heartbeat",
    "Item",
    "ItemsFetched",
    "MapRunBroken",
    "MapRunClosed",
    "MapRunContinued",
    "MapRunEvent",
    "MapRunResumed",
    "MapRunUpdated",
    "Redriven",
    "ResultsOpened",
    "Resumed",
    "Started",
    "StopRequested",
    "TaskFailed",
    "TaskStarted",
    "TaskSubmitted",
    "TaskSucceeded",
    "TimerFired",
    "TokenAnswered",
]
