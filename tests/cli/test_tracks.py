"""Which branch or iteration an event belongs to: by cases, and by what the engine itself says of its frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaidan.asl.language import compile_definition
from kaidan.asl.machine.advance import Machine
from kaidan.asl.machine.execution import Execution, Frame
from kaidan.cli.progress import Progress, waits
from kaidan.cli.tracks import Track, Tracks, short_resource
from kaidan.protocol.history import HistoryEvent
from kaidan.runtime.engine import Engine, Run
from kaidan.runtime.simulated import World, _Tasks
from kaidan.runtime.sources import SeededSource, SimulatedClock
from kaidan.values import Payload
from tests.laws.machines import INPUT, answer, machines

Definition = dict[str, Any]
Event = tuple[int, str, dict[str, Any] | None]
"""What an event follows, its type and its details."""
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:m"


class Watched:
    """An execution in a simulated world, with the listener under test."""

    def __init__(self, definition: Definition, seed: int = 0) -> None:
        self.engine = Engine(SimulatedClock())
        self.engine.handler = _Tasks(self.engine, World(seed=seed, answer=answer), SeededSource(seed + 1))
        self.progress = Progress()
        self.engine.listen(self.listen)
        self.execution = Execution(
            arn=f"{MACHINE.replace('stateMachine', 'execution')}:e",
            name="e",
            machine_arn=MACHINE,
            machine_name="m",
            role_arn="arn:aws:iam::123456789012:role/r",
            input=Payload(INPUT),
            start_ms=self.engine.clock.now_ms(),
        )
        self.run = Run(Machine(compile_definition(definition), SeededSource(seed)), self.execution)
        self.engine.start(self.run)

    def listen(self, run: Run, event: HistoryEvent) -> None:
        self.progress.take(run, event)

    def frames(self) -> set[tuple[str, str]]:
        """Where the engine is: place and state of every frame that is inside one."""
        frames = self.execution.frames
        return {(place(frame, frames), frame.state) for frame in frames.values() if frame.waiting}

    def timers(self) -> Iterator[str]:
        """What frames wait for time to pass for, those of child executions too."""
        for run in self.engine.runs.values():
            for frame in run.execution.frames.values():
                pending = self.engine.due_ms(run.execution.arn, frame.request_id) is not None
                if pending and frame.waiting in ("timer", "retry"):
                    yield frame.waiting

    def tracks(self) -> set[tuple[str, str]]:
        return set(self.open_in(self.progress.root))

    def open_in(self, track: Track) -> Iterator[tuple[str, str]]:
        """Every open state. Below a Map or Parallel only while it has frames: not before a retry, which no event
        announces, and not for a Distributed Map, whose items are executions."""
        if track.open is None or track.ended:
            return
        yield track.label, track.open.name
        frames = self.execution.frames
        container = next(
            (f.container for f in frames.values() if (place(f, frames), f.state) == (track.label, track.open.name)),
            None,
        )
        if container is not None and container.run is None:
            for child in track.open.children.values():
                yield from self.open_in(child)


def place(frame: Frame, frames: dict[int, Frame]) -> str:
    return "" if not frame.parent_id else f"{place(frames[frame.parent_id], frames)}[{frame.index}]"


@settings(max_examples=120, deadline=None, derandomize=True)
@given(machines(), st.integers(0, 1000))
def test_open_states_are_those_of_the_engine(definition: Definition, seed: int) -> None:
    world = Watched(unique(definition), seed)

    def check() -> bool:
        if not world.execution.ready:
            assert world.frames() == world.tracks()
        assert sorted(kind for kind, _ in waits(world.engine, world.progress).values()) == sorted(world.timers())
        return world.execution.status != "RUNNING"

    world.engine.run_until(check)
    assert world.progress.root.ended == world.execution.status


def unique(definition: Definition, prefix: str = "") -> Definition:
    """The same machine with state names that are unique in the whole of it, as AWS asks for."""

    def named(state: Definition, name: str) -> Definition:
        state = dict(state)
        for field in ("Next", "Default"):
            if field in state:
                state[field] = prefix + state[field]
        for field in ("Choices", "Catch"):
            if field in state:
                state[field] = [rule | {"Next": prefix + rule["Next"]} for rule in state[field]]
        if "Branches" in state:
            state["Branches"] = [unique(b, f"{prefix}{name}.{i}.") for i, b in enumerate(state["Branches"])]
        if "ItemProcessor" in state:
            state["ItemProcessor"] = unique(state["ItemProcessor"], f"{prefix}{name}.")
        return state

    states = {prefix + name: named(state, name) for name, state in definition["States"].items()}
    return definition | {"StartAt": prefix + definition["StartAt"], "States": states}


def events(*rows: Event) -> list[HistoryEvent]:
    return [
        HistoryEvent(number, before, type, number * 1000, details)
        for number, (before, type, details) in enumerate(rows, 1)
    ]


def named(name: str) -> dict[str, Any]:
    return {"name": name}


def item(index: int, name: str = "Each") -> dict[str, Any]:
    return {"name": name, "index": index}


MAP = events(
    (0, "ExecutionStarted", {}),
    (0, "MapStateEntered", named("Each")),
    (2, "MapStateStarted", {"length": 2}),
    (3, "MapIterationStarted", item(0)),
    (4, "TaskStateEntered", named("Call")),
    (5, "TaskScheduled", {"resourceType": "aws-sdk:ec2", "resource": "describeImages"}),
    (6, "TaskFailed", {"error": "E", "cause": "C"}),
    (7, "TaskStateExited", named("Call")),
    (8, "MapIterationSucceeded", item(0)),
    (8, "MapIterationStarted", item(1)),  # it takes the place of the first one, and follows its last state event
    (10, "TaskStateEntered", named("Call")),
    (11, "TaskScheduled", {"resourceType": "aws-sdk:ec2", "resource": "describeImages"}),
    (12, "TaskFailed", {"error": "E2"}),
    (13, "MapIterationFailed", item(1)),
    (13, "MapStateFailed", None),
    (15, "ExecutionFailed", {"error": "E2"}),
)


def test_map() -> None:
    tracks = Tracks()
    labels = [tracks.take(event)[0].label for event in MAP]
    assert labels == ["", "", "", *["[0]"] * 6, *["[1]"] * 5, "", ""]
    each = tracks.root.visits["Each"]
    assert (each.total, each.done, each.failed, each.failures) == (2, 2, 1, 1)
    assert [child.ended for child in each.children.values()] == ["SUCCEEDED", "FAILED"]
    first, second = (child.visits["Call"] for child in each.children.values())
    assert (first.caught, first.error, first.cause, first.resource) == (True, "E", "C", "ec2:describeImages")
    assert (second.caught, second.exited_ms, second.failures) == (False, None, 1)
    assert tracks.root.ended == "FAILED"


def test_an_item_that_was_aborted_is_not_done() -> None:
    tracks = Tracks()
    for event in MAP[:6]:
        tracks.take(event)
    tracks.take(HistoryEvent(7, 6, "TaskStateAborted", 0))
    tracks.take(HistoryEvent(8, 7, "MapIterationAborted", 0, item(0)))
    each = tracks.root.visits["Each"]
    assert (each.done, each.failed, each.children[0].ended, each.lanes) == (0, 0, "ABORTED", {"Call": 0})


PARALLEL = events(
    (0, "ExecutionStarted", {}),
    (0, "ParallelStateEntered", named("Both")),
    (2, "ParallelStateStarted", None),
    (3, "WaitStateEntered", named("Rest")),
    (3, "ParallelStateEntered", named("Inner")),
    (5, "ParallelStateStarted", None),
    (6, "TaskStateEntered", named("Call")),
    (7, "TaskScheduled", {"resource": "arn:aws:lambda:us-east-1:123456789012:function:f"}),
    (8, "TaskTimedOut", {"error": "States.Timeout"}),
    (9, "ParallelStateFailed", None),  # of Inner
    (4, "WaitStateAborted", None),
    (9, "ParallelStateFailed", None),  # of Both
    (12, "ParallelStateExited", named("Both")),
    (13, "PassStateEntered", named("Next")),
)


def test_parallel_inside_parallel() -> None:
    tracks = Tracks()
    seen = [(track.label, visit.name if visit else "") for track, visit in map(tracks.take, PARALLEL)]
    assert seen == [
        ("", ""), ("", "Both"), ("", "Both"), ("[0]", "Rest"), ("[1]", "Inner"), ("[1]", "Inner"), ("[1][0]", "Call"),
        ("[1][0]", "Call"), ("[1][0]", "Call"), ("[1]", "Inner"), ("[0]", "Rest"), ("", "Both"), ("", "Both"),
        ("", "Next"),
    ]  # fmt: skip
    assert tracks.root.visits["Both"].caught


def test_a_large_map_keeps_numbers_only() -> None:
    count = 100
    rows: list[Event] = [
        (0, "ExecutionStarted", {}),
        (0, "MapStateEntered", named("Each")),
        (2, "MapStateStarted", {"length": count}),
    ]
    rows += [(3, "MapIterationStarted", item(index)) for index in range(count)]
    rows += [(4 + index, "WaitStateEntered", named("Rest")) for index in range(count)]
    for index in range(count - 1):
        rows.append((4 + count + index, "WaitStateExited", named("Rest")))
        rows.append((len(rows), "MapIterationSucceeded", item(index)))
    tracks = Tracks()
    for event in events(*rows):
        tracks.take(event)
    each = tracks.root.visits["Each"]
    assert (each.total, each.done, each.lanes) == (count, count - 1, {"Rest": 1})
    assert list(each.children) == [count - 1]


def test_a_second_visit_forgets_the_first() -> None:
    tracks = Tracks()
    rows: tuple[Event, ...] = (
        (0, "ExecutionStarted", {}),
        (0, "TaskStateEntered", named("Call")),
        (2, "TaskScheduled", {"resourceType": "sqs", "resource": "sendMessage"}),
        (3, "TaskFailed", {"error": "E"}),
        (4, "TaskStateExited", named("Call")),
        (5, "TaskStateEntered", named("Call")),
    )
    for event in events(*rows):
        tracks.take(event)
    visit = tracks.root.visits["Call"]
    assert (visit.count, visit.failures, visit.error, visit.caught, visit.exited_ms) == (2, 0, None, False, None)


def test_a_history_without_its_beginning() -> None:
    """The last page of GetExecutionHistory by itself: what cannot be known belongs to the execution."""
    tracks = Tracks()
    for event in MAP[7:]:
        tracks.take(event)
    assert tracks.root.ended == "FAILED"


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"resourceType": "aws-sdk:ec2", "resource": "createImage"}, "ec2:createImage"),
        ({"resourceType": "states", "resource": "startExecution.sync:2"}, "states:startExecution.sync:2"),
        ({"resource": "arn:aws:lambda:us-east-1:123456789012:function:resize:3"}, "lambda:resize:3"),
        ({"resource": "arn:aws:states:us-east-1:123456789012:activity:approve"}, "activity:approve"),
        ({}, ""),
    ],
)
def test_short_resource(details: dict[str, Any], expected: str) -> None:
    assert short_resource(details) == expected
