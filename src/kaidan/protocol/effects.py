"""What the machine asks of the world. Frozen data, no behaviour.

The world answers each request with an event that carries the same `request_id`.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from kaidan.arns import TaskResource
from kaidan.protocol.history import HistoryEvent
from kaidan.values import JSON, Payload


class RunTask(msgspec.Struct, frozen=True):
    """Carry out a task and answer TaskStarted, (TaskSubmitted,) and TaskSucceeded or TaskFailed.

    `token` is the task token of `.waitForTaskToken` and activity tasks; `attempt` counts from 0.
    """

    request_id: int
    state: str
    resource: TaskResource
    parameters: Payload
    token: str
    attempt: int
    timeout_s: int | None = None
    heartbeat_s: int | None = None
    role_arn: str | None = None


class CancelTask(msgspec.Struct, frozen=True):
    """Nobody waits for this task any more: stop it if that is possible."""

    request_id: int


class StartTimer(msgspec.Struct, frozen=True):
    """Answer TimerFired at `due_ms` (Unix milliseconds) or as soon after as possible."""

    request_id: int
    due_ms: int


class CancelTimer(msgspec.Struct, frozen=True):
    request_id: int


class StartMapRun(msgspec.Struct, frozen=True):
    """A Distributed Map begins: its run is to be known under this ARN."""

    map_run_arn: str
    state: str
    item_count: int
    max_concurrency: int
    tolerated_failure_count: int
    tolerated_failure_percentage: float


class StartChild(msgspec.Struct, frozen=True):
    """Run one child execution of a Distributed Map and answer ChildClosed.

    `scope` is the path of the item processor in the parent's program.
    """

    request_id: int
    map_run_arn: str
    scope: str
    name: str
    label: str
    input: Payload
    express: bool
    index: int
    map_item: JSON


class CancelChild(msgspec.Struct, frozen=True):
    request_id: int


class CloseMapRun(msgspec.Struct, frozen=True):
    map_run_arn: str
    status: str


class Finish(msgspec.Struct, frozen=True):
    """The execution is over. `status` is SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""

    status: str
    output: Payload | None = None
    error: str | None = None
    cause: str | None = None


class Yield(msgspec.Struct, frozen=True):
    """The slice is used up and there is more to do: call `advance` again with Resumed, others first."""


Effect: TypeAlias = (
    HistoryEvent
    | RunTask
    | CancelTask
    | StartTimer
    | CancelTimer
    | StartMapRun
    | StartChild
    | CancelChild
    | CloseMapRun
    | Finish
    | Yield
)
