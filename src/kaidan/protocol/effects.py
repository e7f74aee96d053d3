"""What the machine asks of the world. Frozen data, no behaviour.

The world answers each request with an event that carries the same `request_id`.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from kaidan.arns import TaskResource
from kaidan.protocol.history import HistoryEvent
from kaidan.values import JSON, Payload


class Role(msgspec.Struct, frozen=True):
    """A role that is to be assumed. `external_id`: the ARN of the state machine that asks for it, by which the role's
    trust policy can tell (AWS guide, "Accessing resources in other AWS accounts")."""

    arn: str
    external_id: str | None = None


class RunTask(msgspec.Struct, frozen=True):
    """Carry out a task and answer TaskStarted, (TaskSubmitted,) and TaskSucceeded or TaskFailed.

    `token` is the task token of `.waitForTaskToken` and activity tasks; `attempt` counts from 0. `case`: the test case
    that the execution runs, and `invocation`: how often the state was answered by a mock before, once that is known.
    """

    request_id: int
    state: str
    resource: TaskResource
    parameters: Payload
    token: str
    attempt: int
    timeout_s: int | None = None
    heartbeat_s: int | None = None
    role: Role | None = None
    case: str | None = None
    invocation: int | None = None


class CancelTask(msgspec.Struct, frozen=True):
    """Nobody waits for this task any more: stop it if that is possible."""

    request_id: int


class StartTimer(msgspec.Struct, frozen=True):
    """Answer TimerFired at `due_ms` (Unix milliseconds) or as soon after as possible.

    `idle`: a Wait state, or an interval between retries, and no time-out: nothing happens until then.
    """

    request_id: int
    due_ms: int
    idle: bool = False


class CancelTimer(msgspec.Struct, frozen=True):
    request_id: int


class StartMapRun(msgspec.Struct, frozen=True):
    """A Distributed Map begins: its run is to be known under this ARN, with these settings.

    `item_count`: items known so far. `writer`: where results go, None when they become the state's output:

        {"Parameters": {"Bucket": "results", "Prefix": "jobs"}, "Transformation": "NONE", "OutputType": "JSON"}
    """

    map_run_arn: str
    state: str
    scope: str
    """Path of the item processor in the parent's program."""
    express: bool
    item_count: int
    max_concurrency: int
    tolerated_failure_count: int
    tolerated_failure_percentage: float
    writer: JSON = None
    transformation: str = "COMPACT"
    """How children's outcomes are to look: NONE, COMPACT or FLATTEN."""


class RedriveMapRun(msgspec.Struct, frozen=True):
    """A Map Run that did not succeed goes on: its failed children are to be started again."""

    map_run_arn: str


class MapRunItems(msgspec.Struct, frozen=True):
    """So many items of a Map Run are known by now."""

    map_run_arn: str
    item_count: int


class OpenResults(msgspec.Struct, frozen=True):
    """See whether the results of a Map Run can be written; answer ResultsOpened or MapRunBroken."""

    request_id: int
    map_run_arn: str


class FetchItems(msgspec.Struct, frozen=True):
    """Read a page of items from `position` on; answer ItemsFetched or MapRunBroken.

    `position` is what came with the last item that was taken, None at the beginning. `reader` is an ItemReader
    whose fields have been evaluated:

        {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": …, "Key": …},
         "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "MaxItems": 10}}
    """

    request_id: int
    map_run_arn: str
    reader: JSON
    position: JSON


class FetchFailures(msgspec.Struct, frozen=True):
    """Name children of a Map Run that did not succeed before it was redriven, those behind the mark `after` (0: all);
    answer FailuresFetched."""

    request_id: int
    map_run_arn: str
    after: int


class StartChild(msgspec.Struct, frozen=True):
    """Run one child execution of a Distributed Map and answer ChildClosed.

    `index` counts the run's children from 0, `items` the items that this one gets. `input` None: a child that did
    not succeed is to go on (Standard), or to begin anew under the same name (Express).
    """

    request_id: int
    map_run_arn: str
    index: int
    items: int
    input: Payload | None


class ContinueMapRun(msgspec.Struct, frozen=True):
    """There are more children to be started: answer MapRunContinued, others first."""

    map_run_arn: str


class CancelChild(msgspec.Struct, frozen=True):
    """Nobody waits for this child any more: stop it, unless it is Express."""

    map_run_arn: str
    index: int


class CloseMapRun(msgspec.Struct, frozen=True):
    """A Map Run is over. `pending`: inputs of children that were never started, with their numbers of items.

    With a `request_id`: write the results first, then answer MapRunClosed or MapRunBroken.
    """

    map_run_arn: str
    status: str
    request_id: int = 0
    pending: list[tuple[Payload, int]] = []


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
    | RedriveMapRun
    | MapRunItems
    | OpenResults
    | FetchItems
    | FetchFailures
    | StartChild
    | ContinueMapRun
    | CancelChild
    | CloseMapRun
    | Finish
    | Yield
)
