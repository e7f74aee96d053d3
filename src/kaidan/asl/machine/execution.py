"""An execution as plain data: a tree of frames. It can be stored, loaded on another machine and continued.

    root frame ─ branch frames of a Parallel state
               └ iteration frames of a Map state

Nothing here is an object with a life: no tasks, no locks, no references into the compiled program.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

import msgspec

from kaidan.asl.states.distributed import Terms
from kaidan.protocol.events import Item, TokenAnswered
from kaidan.values import JSON, Payload

FrameKind = Literal["root", "branch", "iteration"]

Waiting = Literal["", "task", "timer", "children", "retry", "redrive"]
"""What a frame waits for; "" means that it is ready to enter its state, "redrive" to do its state's work again."""


Asked = Literal["", "results", "failures", "items", "close"]
"""What a Map Run waits for beside its children."""


class Dispatch(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a Distributed Map knows of its Map Run. Items that were read and not started are on the Shelf.

    `map_event_id`: its MapStateStarted; `run_event_id`: its MapRunStarted or MapRunRedriven, the latest.
    """

    arn: str
    terms: Terms
    tolerated: tuple[int, float]
    """As the terms say, or as UpdateMapRun did since: a number and a percentage."""
    map_event_id: int
    run_event_id: int
    position: JSON = None
    """Where reading goes on after the last item that was taken."""
    known: int = 0
    """Items that are known, taken or not."""
    exhausted: bool = False
    """There are no more than those."""
    taken: int = 0
    """Items that children have got, or that wait in `batch` for the rest of theirs."""
    batch: list[JSON] = []
    batch_bytes: int = 0
    failed: int = 0
    """Items of children that did not succeed."""
    result_bytes: int = 0
    """Size of the results on the Shelf, as text."""
    keyed: bool = False
    """The items are an object's members."""
    redrives: int = 0
    redriving: int | None = None
    """The mark of the last child that was started again; None when there is none to be."""
    asked: Asked = ""
    request_id: int = 0
    ending: str = ""
    """SUCCEEDED or FAILED: no child is started any more."""
    error: str | None = None
    cause: str | None = None
    """Why it is FAILED."""


class Container(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a Parallel or Map frame knows of its children; what it holds per item is on its Shelf.

    `running` maps child frame id (inline) or request id (child execution) to the child's index. `total` counts
    branches or items; a Map Run's children are as many as its items, or its batches.
    """

    input: Payload
    scopes: tuple[str, ...]
    total: int
    concurrency: int = 0
    launched: int = 0
    done: int = 0
    running: dict[int, int] = {}
    run: Dispatch | None = None
    too_large: bool = False
    """The state has failed of States.DataLimitExceeded: a redrive begins it anew."""


class Shelf(msgspec.Struct, kw_only=True):
    """A container's items and results, by index. Kept apart from its frame, so that an item costs its own row.

    `unsaved`: results that have come since the execution was saved last; `new`: so have the items. `page` holds
    items that were read ahead; it is never saved: they are read again.
    """

    items: list[JSON] | None = None
    results: dict[int, Payload] = {}
    unsaved: list[int] = []
    new: bool = True
    page: deque[Item] = msgspec.field(default_factory=deque)
    failures: deque[tuple[int, int, int]] = msgspec.field(default_factory=deque)
    """The same of children that are to be started again: as in FailuresFetched."""
    last_failures: bool = False
    last: bool = False
    """There are no items behind the page."""
    continues: bool = False
    """The Map Run goes on starting children in its next turn."""


class Frame(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One thread of control: where it is, what it holds, what it waits for.

    `last_event_id` is what the frame's next history event points back to; `before_entry_event_id` what
    StateEntered pointed to. `request_id` is the one answer the frame awaits, `timers` its time-outs by purpose.
    """

    id: int
    kind: FrameKind
    scope: str
    state: str
    input: Payload
    parent_id: int = 0
    index: int = 0
    item: JSON = None
    waiting: Waiting = ""
    request_id: int = 0
    timeout_timer: int = 0
    heartbeat_timer: int = 0
    timeout_s: int = 0
    heartbeat_s: int = 0
    resource: str = ""
    token: str = ""
    inside: bool = False
    """It has entered its state and not left it."""
    entered_ms: int = 0
    entered_event_id: int = 0
    before_entry_event_id: int = 0
    last_event_id: int = 0
    retry_count: int = 0
    task_started: bool = False
    task_submitted: bool = False
    early: TokenAnswered | None = None
    """The answer to a task that has not been recorded as handed over yet."""
    retries: dict[int, int] = {}
    variables: dict[str, JSON] = {}
    variable_bytes: dict[str, int] = {}
    container: Container | None = None


class Execution(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One execution. Times are Unix milliseconds; ids count from 1."""

    arn: str
    name: str
    machine_arn: str
    machine_name: str
    role_arn: str
    input: Payload
    start_ms: int
    region: str = "us-east-1"
    definition: str = ""
    """Which definition it runs: the service's key of it."""
    version_arn: str | None = None
    alias_arn: str | None = None
    trace_header: str | None = None
    sent: str | None = None
    """The input's text as it was sent, where it is not that of `input`."""
    express: bool = False
    case: str | None = None
    """The test case that it runs, whose answers its tasks get."""
    invocations: dict[str, int] = {}
    """In a test case: state → how often it was answered by a mock, here and in the children of Distributed Maps."""
    scope: str = ""
    map_item: JSON = None
    """The `$$.Map.Item` of states that are visited outside of any Map (TestState)."""
    child_index: int = 0
    child_items: int = 1
    """Of a Distributed Map's child: its number, and how many items it has."""
    attempt: int = 0
    """Of a Distributed Map's child: how often its Map Run had been redriven when it was started last."""
    status: str = "RUNNING"
    stop_ms: int = 0
    output: Payload | None = None
    error: str | None = None
    cause: str | None = None
    variables_bytes: int = 0
    """Size of all variables in all scopes."""
    redrive_count: int = 0
    redrive_ms: int = 0
    next_event_id: int = 1
    next_request_id: int = 1
    timeout_timer: int = 0
    frames: dict[int, Frame] = {}
    requests: dict[int, int] = {}
    """Awaited request id → frame id."""
    shelves: dict[int, Shelf] = {}
    """Frame id of a container → what it holds per item."""
    touched: set[int] = set()
    """Frames that may have changed since the execution was saved last."""
    ready: deque[int] = msgspec.field(default_factory=deque)
    """Frames that can go on at once, in turn."""
    redrive_tokens: list[tuple[str, int]] = []
    """Client tokens of its last redrives, and their times."""

    def begin_again(self, now_ms: int) -> None:
        """A redrive from the very beginning: of an Express execution, which has left nothing to go on from."""
        self.redrive_count += 1
        self.status, self.start_ms, self.stop_ms = "RUNNING", now_ms, 0
        self.output = self.error = self.cause = None
        self.variables_bytes = 0
        self.next_event_id = self.next_request_id = 1
