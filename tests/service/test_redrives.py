"""RedriveExecution, statement by statement: what goes on, what begins anew, and what history shows of it, as the AWS
guide says ("Restarting state machine executions with redrive")."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kaidan.asl.machine.execution import Execution
from kaidan.integrations.contract import Reply
from kaidan.limits import AWS
from kaidan.protocol.effects import RunTask
from kaidan.runtime.redrivable import refusal
from kaidan.runtime.sources import SimulatedClock
from kaidan.store.sqlite import SqliteStore
from kaidan.values import JSON, Payload
from tests.service.support import ARN, Service, text

Fields = dict[str, Any]

BAD: Fields = {"Type": "Fail", "Error": "Bad"}


def task(name: str, **more: Any) -> Fields:
    """A Task whose name the worker is told."""
    resource = "arn:aws:states:::aws-sdk:ec2:describeImages"
    fields: Fields = {"Type": "Task", "Resource": resource, "Parameters": {"NextToken": name}} | more
    return fields if "Next" in more else fields | {"End": True}


def scope(*states: tuple[str, Fields], **more: Any) -> Fields:
    return {"StartAt": states[0][0], "States": dict(states)} | more


def parallel(*branches: Fields, **more: Any) -> Fields:
    return {"Type": "Parallel", "Branches": list(branches), **({} if "Next" in more else {"End": True}), **more}


def inline(processor: Fields, **more: Any) -> Fields:
    return {"Type": "Map", "ItemProcessor": processor, "End": True, **more}


NAMED = scope(("Work", task("", Parameters={"NextToken.$": "$"})))
"""An iteration whose item is its task's name."""

SIDE = ARN + "activity:side"


class World:
    """A service on a simulated clock and a file, and a worker whose tasks are answered by their names."""

    def __init__(self, path: Path) -> None:
        self.store = SqliteStore(path)
        self.service = Service(clock=SimulatedClock(), store=self.store)
        self.tasks: dict[str, Reply] = {}
        """Those that wait for an answer, by name."""
        self.done: list[str] = []
        """Names of the tasks that were begun since the latest redrive."""
        self.arn = ""
        self.service.api.service.engine.handler.dispatcher.by_service["aws-sdk:ec2"] = self._take  # type: ignore[attr-defined]

    def _take(self, task: RunTask, reply: Reply) -> None:
        name = task.parameters.value["NextToken"]
        self.done.append(name)
        self.tasks[name] = reply
        reply.on_cancel(lambda: self.tasks.__delitem__(name))
        reply.started()

    def close(self) -> None:
        self.service.api.close()
        self.store.close()

    def run(self, definition: Fields, input: str = "{}") -> None:
        machine = self.service.machine(definition=definition)
        self.arn = self.service("StartExecution", stateMachineArn=machine, input=input)["executionArn"]
        self.settle()

    def settle(self) -> None:
        """All that happens without time passing."""
        engine = self.service.api.service.engine
        engine.run_until(lambda: False, horizon_ms=engine.clock.now_ms())

    def answer(self, name: str, output: JSON) -> None:
        self.tasks.pop(name).succeeded(output)
        self.settle()

    def fail(self, name: str) -> None:
        self.tasks.pop(name).failed("Bad", None)
        self.settle()

    def pass_time(self, seconds: int) -> None:
        self.service.pass_time(1000 * seconds)
        self.settle()

    def stop(self) -> None:
        self.service("StopExecution", executionArn=self.arn)
        self.settle()

    def worker(self) -> str:
        """The token of the next task for a worker outside."""
        token: str = self.service("GetActivityTask", activityArn=SIDE)["taskToken"]
        self.settle()
        return token

    def end(self, status: str) -> None:
        """By the failure of what runs beside, by StopExecution, or by the machine's time-out after 100 s."""
        match status:
            case "FAILED":
                self.service("SendTaskFailure", taskToken=self.worker(), error="Aside")
                self.settle()
            case "ABORTED":
                self.stop()
            case _:
                self.pass_time(100 - self.elapsed_s)
        assert self.status == status

    @property
    def elapsed_s(self) -> int:
        seconds: float = (self.service.api.now() - self.described["startDate"]).total_seconds()
        return int(seconds)

    def redrive(self, token: str | None = None) -> None:
        self.done.clear()
        self.service("RedriveExecution", executionArn=self.arn, **({"clientToken": token} if token else {}))
        self.settle()

    @property
    def described(self) -> Fields:
        return self.service("DescribeExecution", executionArn=self.arn)

    @property
    def status(self) -> str:
        status: str = self.described["status"]
        return status

    @property
    def events(self) -> list[Fields]:
        events: list[Fields] = self.service("GetExecutionHistory", executionArn=self.arn)["events"]
        assert [event["id"] for event in events] == list(range(1, len(events) + 1))
        return events

    def since_redrive(self) -> list[tuple[str, int]]:
        """The latest redrive's event and those since: each type, and what it points to, counted from the first."""
        events = self.events
        first = max(event["id"] for event in events if event["type"] == "ExecutionRedriven")
        return [(event["type"], event["previousEventId"] - first) for event in events[first - 1 :]]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "kaidan.db")
    yield made
    made.close()


# --- what was under way -----------------------------------------------------------------------------------

COUNTED = {"NextToken.$": "States.Format('{}{}', $, $$.State.RetryCount)"}
"""A task's name, and how often it was retried."""


Step = Callable[[World], object]


def _in_turn(*steps: Step) -> Step:
    def take(world: World) -> None:
        for step in steps:
            step(world)

    return take


_nothing = _in_turn()


def _answer(*names: str) -> Step:
    """Each with its name in capitals."""
    return _answer_with(**{name: name.upper() for name in names})


def _answer_with(**outputs: JSON) -> Step:
    return _in_turn(*(partial(World.answer, name=name, output=output) for name, output in outputs.items()))


def _fail(*names: str) -> Step:
    return _in_turn(*(partial(World.fail, name=name) for name in names))


def _wait(seconds: int) -> Step:
    return partial(World.pass_time, seconds=seconds)


def _leave_a_wait_after(seconds: int) -> Step:
    def still_wait(world: World) -> None:
        assert "WaitStateExited" not in [type for type, _ in world.since_redrive()]

    return _in_turn(_wait(seconds - 1), still_wait, _wait(1))


class Branch(NamedTuple):
    """A branch that is under way when the execution ends, how far it comes before, what a redrive makes of it 200 s
    after the start (events, tasks begun), and how it comes to an end then."""

    says: str
    scope: Fields
    input: JSON
    before: Step
    events: list[str]
    begun: list[str]
    after: Step
    output: JSON


RETRY = {"Retry": [{"ErrorEquals": ["Bad"], "MaxAttempts": 1, "IntervalSeconds": 5}]}
AGAIN = ["TaskScheduled", "TaskStarted"]
HOLD = {"Type": "Wait", "Seconds": 40, "Next": "Work"}
LATER = {"Type": "Wait", "TimestampPath": "$", "End": True}
AFTER_110_S, AFTER_250_S = "2023-11-14T22:15:10Z", "2023-11-14T22:17:30Z"
CHILD = NAMED | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
EXPRESS = NAMED | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}}


BRANCHES = [
    Branch("A Task is scheduled and started again", NAMED, "a", _nothing, AGAIN, ["a"], _answer("a"), "A"),
    Branch(
        "A Task that waits for its retry, too",
        scope(("Work", task("", Parameters=COUNTED, **RETRY))),
        "a",
        _fail("a0"),
        AGAIN,
        ["a0"],
        _in_turn(_fail("a0"), _wait(5), _answer_with(a1="A")),
        "A",
    ),
    Branch(
        "Its TimeoutSeconds begin anew",
        scope(("Hold", HOLD), ("Work", task("a", TimeoutSeconds=90))),
        0,
        _wait(70),
        AGAIN,
        ["a"],
        _in_turn(_wait(89), _answer("a")),
        "A",
    ),
    Branch(
        "Its HeartbeatSeconds, too",
        scope(("Hold", HOLD), ("Work", task("a", TimeoutSeconds=95, HeartbeatSeconds=90))),
        0,
        _wait(70),
        AGAIN,
        ["a"],
        _in_turn(_wait(89), _answer("a")),
        "A",
    ),
    Branch(
        "A Pass that was done is not executed again",
        scope(("First", {"Type": "Pass", "Result": "a", "Next": "Work"}), *NAMED["States"].items()),
        0,
        _nothing,
        AGAIN,
        ["a"],
        _answer("a"),
        "A",
    ),
    Branch(
        "A Choice that was made is not made again; variables stay",
        scope(
            ("First", {"Type": "Pass", "Assign": {"name.$": "$"}, "Next": "Which"}),
            ("Which", {"Type": "Choice", "Choices": [{"Variable": "$", "IsString": True, "Next": "Work"}]}),
            ("Work", task("", Parameters={"NextToken.$": "$name"})),
        ),
        "a",
        _nothing,
        AGAIN,
        ["a"],
        _answer("a"),
        "A",
    ),
    Branch(
        "A Wait until a moment that is past is left",
        scope(("Hold", LATER)),
        AFTER_110_S,
        _nothing,
        ["WaitStateExited"],
        [],
        _nothing,
        AFTER_110_S,
    ),
    Branch(
        "A Wait until a moment to come goes on",
        scope(("Hold", LATER)),
        AFTER_250_S,
        _wait(10),
        [],
        [],
        _leave_a_wait_after(50),
        AFTER_250_S,
    ),
    Branch(
        "A Wait of so many seconds begins anew",
        scope(("Hold", HOLD), ("Work", {"Type": "Wait", "Seconds": 90, "End": True})),
        1,
        _wait(70),
        [],
        [],
        _leave_a_wait_after(90),
        1,
    ),
    Branch(
        "Of a Parallel state, only branches that did not succeed",
        scope(("Both", parallel(scope(("A", task("a"))), scope(("B", task("b")))))),
        0,
        _answer("a"),
        AGAIN,
        ["b"],
        _answer("b"),
        ["A", "B"],
    ),
    Branch(
        "Of an inline Map, only iterations that did not succeed, and those that had not begun",
        scope(("Each", inline(NAMED, MaxConcurrency=2))),
        ["a", "b", "c"],
        _answer("b"),
        AGAIN[:1] * 2 + AGAIN[1:] * 2,
        ["a", "c"],
        _answer("c", "a"),
        ["A", "B", "C"],
    ),
    Branch(
        "A Parallel state's retries begin anew",
        scope(("Both", parallel(NAMED, **RETRY))),
        "a",
        _in_turn(_fail("a"), _wait(5)),
        AGAIN,
        ["a"],
        _in_turn(_fail("a"), _wait(5), _answer("a")),
        ["A"],
    ),
    Branch(
        "An inline Map's, too",
        scope(("Each", inline(NAMED, **RETRY))),
        ["a"],
        _in_turn(_fail("a"), _wait(5)),
        AGAIN,
        ["a"],
        _in_turn(_fail("a"), _wait(5), _answer("a")),
        ["A"],
    ),
    Branch(
        "Of a Distributed Map, only children that did not succeed, and those that had not begun",
        scope(("Each", inline(CHILD, MaxConcurrency=2))),
        ["a", "b", "c"],
        _answer("b"),
        ["MapRunRedriven"],
        ["a", "c"],
        _answer("c", "a"),
        ["A", "B", "C"],
    ),
    Branch(
        "Express children are not stopped: those that go on are waited for",
        scope(("Each", inline(EXPRESS, MaxConcurrency=1))),
        ["a", "b"],
        _nothing,
        ["MapRunRedriven"],
        [],
        _answer("a", "b"),
        ["A", "B"],
    ),
]


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
@pytest.mark.parametrize("branch", BRANCHES, ids=lambda branch: branch.says)
def test_what_was_under_way(world: World, branch: Branch, status: str) -> None:
    world.service("CreateActivity", name="side")
    side = scope(("Side", {"Type": "Task", "Resource": SIDE, "End": True}))
    world.run(scope(("All", parallel(branch.scope, side)), TimeoutSeconds=100), json.dumps(branch.input))
    branch.before(world)
    world.end(status)
    world.pass_time(200 - world.elapsed_s)
    world.redrive()
    events = [type for type, _ in world.since_redrive() if not type.startswith("Activity")]
    assert events == ["ExecutionRedriven", *branch.events]
    assert sorted(world.done) == branch.begun
    branch.after(world)
    world.service("SendTaskSuccess", taskToken=world.worker(), output="0")
    world.settle()
    described = world.described
    assert (described["status"], described.get("output")) == (
        "SUCCEEDED",
        json.dumps([branch.output, 0], separators=(",", ":")),
    )


# --- states -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["failed", "stopped", "timed out"])
def test_a_task_is_scheduled_again(world: World, end: str) -> None:
    """Without being entered again; with its input, its time-out and its retries from the beginning."""
    retry = [{"ErrorEquals": ["Bad"], "MaxAttempts": 1, "IntervalSeconds": 5}]
    first = {"Type": "Pass", "Result": 7, "Next": "Work"}
    world.run(scope(("First", first), ("Work", task("a", TimeoutSeconds=60, Retry=retry))), '{"x": 1}')
    world.fail("a")
    world.pass_time(5)
    match end:
        case "failed":
            world.fail("a")
        case "stopped":
            world.stop()
        case "timed out":
            world.pass_time(60)
    ended = world.described
    assert ended["status"] == ("ABORTED" if end == "stopped" else "FAILED")
    assert (ended["redriveStatus"], ended["redriveCount"]) == ("REDRIVABLE", 0)
    assert "redriveDate" not in ended
    world.service.pass_time(30_000)
    world.redrive()
    going = world.described
    assert (going["status"], going["redriveCount"], going["redriveStatus"]) == ("RUNNING", 1, "NOT_REDRIVABLE")
    assert going["redriveStatusReason"] == "Execution is RUNNING and cannot be redriven"
    assert (going["input"], going["startDate"]) == ('{"x": 1}', ended["startDate"])
    assert not {"stopDate", "error", "cause", "output"} & going.keys()
    assert (going["redriveDate"] - ended["stopDate"]).total_seconds() == 30
    assert world.since_redrive() == [("ExecutionRedriven", -1), ("TaskScheduled", 0), ("TaskStarted", 1)]
    world.pass_time(59)
    assert world.status == "RUNNING"
    world.fail("a")  # the one retry is there again
    assert world.status == "RUNNING"
    world.pass_time(5)
    world.answer("a", {"y": 2})
    assert world.described["output"] == '{"y":2}'


def test_the_machines_time_begins_anew(world: World) -> None:
    world.run(scope(("Work", task("a")), TimeoutSeconds=100))
    world.pass_time(100)
    assert world.status == "TIMED_OUT"
    world.redrive()
    world.pass_time(99)
    assert world.status == "RUNNING"
    world.pass_time(1)
    assert world.status == "TIMED_OUT"
    world.redrive()
    world.answer("a", {})
    assert (world.status, world.described["redriveCount"]) == ("SUCCEEDED", 2)


def test_the_definition_of_the_first_attempt(world: World) -> None:
    world.run(scope(("Work", task("a"))))
    world.fail("a")
    machine = world.described["stateMachineArn"]
    world.service("UpdateStateMachine", stateMachineArn=machine, definition=text(scope(("Work", task("b")))))
    world.redrive()
    assert world.done == ["a"]


# --- what failed of itself --------------------------------------------------------------------------------


class Failure(NamedTuple):
    """A machine, what is done until it fails, and what a redrive makes of it: events, tasks begun."""

    says: str
    scope: Fields
    input: JSON
    before: Step
    events: list[str]
    begun: list[str]


MUCH = "x" * 200_000
TWO = parallel(scope(("A", task("a"))), scope(("B", task("b"))))
NO_CHOICE = {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsNull": True, "Next": "Bad"}]}
UNMADE = {"OutputPath": "$.missing"}

FAILURES = [
    Failure("A Fail state is entered, and fails, again", scope(("Bad", BAD)), 0, _nothing, ["FailStateEntered"], []),
    Failure("A Choice's rules are looked at again", scope(("Which", NO_CHOICE), ("Bad", BAD)), {}, _nothing, [], []),
    Failure("So is a Pass", scope(("Only", {"Type": "Pass", "End": True, "InputPath": "$.x"})), {}, _nothing, [], []),
    Failure("So is a Succeed", scope(("Only", {"Type": "Succeed", "InputPath": "$.x"})), {}, _nothing, [], []),
    Failure(
        "A Task whose result is of no use is scheduled again",
        scope(("Work", task("a", **UNMADE))),
        0,
        _answer("a"),
        AGAIN,
        ["a"],
    ),
    Failure(
        "A Parallel state whose output cannot be made has its results",
        scope(("Both", TWO | UNMADE)),
        0,
        _answer("a", "b"),
        ["ParallelStateSucceeded"],
        [],
    ),
    Failure(
        "So has one in another",
        scope(("All", parallel(scope(("Both", TWO | UNMADE)), scope(("C", task("c")))))),
        0,
        _answer("a", "b"),
        ["ParallelStateSucceeded", "ParallelStateAborted", "TaskStateAborted"],
        [],
    ),
    Failure(
        "So has an inline Map",
        scope(("Each", inline(NAMED, **UNMADE))),
        ["a", "b"],
        _answer("b", "a"),
        ["MapStateSucceeded"],
        [],
    ),
    Failure(
        "A Parallel state that failed of too much data is rerun, successes and all",
        scope(("Both", TWO)),
        0,
        _answer_with(a=1, b=2 * MUCH),
        ["ParallelStateStarted", *2 * ["TaskStateEntered", "TaskScheduled"], *2 * ["TaskStarted"]],
        ["a", "b"],
    ),
    Failure(
        "Also when its own output was too much",
        scope(("Both", TWO)),
        0,
        _answer_with(a=MUCH, b=MUCH),
        ["ParallelStateStarted", *2 * ["TaskStateEntered", "TaskScheduled"], *2 * ["TaskStarted"]],
        ["a", "b"],
    ),
    Failure(
        "So is an inline Map",
        scope(("Each", inline(NAMED, MaxConcurrency=1))),
        ["a", "b"],
        _answer_with(a=1, b=2 * MUCH),
        ["MapStateStarted", "MapIterationStarted", "TaskStateEntered", *AGAIN],
        ["a"],
    ),
    Failure(
        "A Distributed Map that failed of too much data is rerun with another Map Run",
        scope(("Each", inline(CHILD))),
        ["a", "b"],
        _answer_with(a=MUCH, b=MUCH),
        ["MapStateStarted", "MapRunStarted"],
        ["a", "b"],
    ),
    Failure(
        "So is one whose output cannot be made",
        scope(("Each", inline(CHILD, **UNMADE))),
        ["a"],
        _answer("a"),
        ["MapStateStarted", "MapRunStarted"],
        ["a"],
    ),
    Failure(
        "Of a Map Run that failed, only the children that did not succeed",
        scope(("Each", inline(CHILD, ToleratedFailureCount=1))),
        ["a", "b", "c"],
        _in_turn(_answer("b"), _fail("a", "c")),
        ["MapRunRedriven"],
        ["a", "c"],
    ),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.says)
def test_what_failed_of_itself(world: World, failure: Failure) -> None:
    world.run(failure.scope, json.dumps(failure.input))
    failure.before(world)
    assert world.status == "FAILED"
    error = world.described["error"]
    world.redrive()
    events = [type for type, _ in world.since_redrive()]
    assert events == ["ExecutionRedriven", *failure.events, *([] if failure.begun else ["ExecutionFailed"])]
    assert sorted(world.done) == failure.begun
    assert failure.begun or world.described["error"] == error


# --- Parallel and Map -------------------------------------------------------------------------------------


def test_only_branches_that_failed_or_were_aborted(world: World) -> None:
    branches = [scope((name.upper(), task(name))) for name in "abc"]
    world.run(scope(("Both", parallel(*branches, Next="Last")), ("Last", task("d"))))
    world.answer("a", 1)
    world.fail("b")
    assert world.status == "FAILED"
    world.redrive()
    assert sorted(world.done) == ["b", "c"]
    assert world.since_redrive()[:3] == [("ExecutionRedriven", -1), ("TaskScheduled", 0), ("TaskScheduled", 0)]
    world.answer("c", 3)
    world.answer("b", 2)
    exited = next(event for event in world.events if event["type"] == "ParallelStateExited")
    assert exited["stateExitedEventDetails"]["output"] == "[1,2,3]"
    world.fail("d")
    world.redrive()
    assert world.done == ["d"]


def test_nested_containers(world: World) -> None:
    inner = scope(("Each", inline(NAMED)))
    world.run(scope(("Both", parallel(inner, scope(("Other", task("o")))))), '["a", "b"]')
    world.answer("a", 1)
    world.fail("o")
    world.redrive()
    assert sorted(world.done) == ["b", "o"]
    world.fail("b")
    world.redrive()
    assert sorted(world.done) == ["b", "o"]
    world.answer("o", 3)
    world.answer("b", 2)
    assert world.described["output"] == "[[1,2],3]"


def test_an_item_that_could_not_be_selected(world: World) -> None:
    """What began beside it is aborted; a redrive tries the item again, and comes to the same end."""
    processor = scope(("Work", task("", Parameters={"NextToken.$": "$.name"})))
    selector = {"name.$": "$$.Map.Item.Value.name"}
    world.run(scope(("Each", inline(processor, ItemSelector=selector))), '[{"name": "a"}, {}]')
    assert world.described["error"] == "States.Runtime"
    world.redrive()
    assert (world.status, world.tasks) == ("FAILED", {})
    assert world.described["redriveCount"] == 1


def test_an_end_before_all_have_gone_on(world: World) -> None:
    """A branch whose item cannot be selected ends the redrive before a Map Run in another has begun again."""
    each = inline(scope(("Never", task("n"))), ItemSelector={"name.$": "$.missing"})
    child = scope(("Work", task("w")), ProcessorConfig={"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"})
    first = scope(("Hold", task("h", Next="Each")), ("Each", each))
    world.run(scope(("Both", parallel(first, scope(("Run", inline(child)))))), "[1]")
    world.answer("h", [1])
    assert world.described["error"] == "States.Runtime"
    world.redrive()
    assert world.since_redrive()[-1][0] == "ExecutionFailed"
    (map_run,) = world.service("ListMapRuns", executionArn=world.arn)["mapRuns"]
    described = world.service("DescribeMapRun", mapRunArn=map_run["mapRunArn"])
    assert (described["status"], described["redriveCount"]) == ("ABORTED", 0)
    assert world.tasks == {}


def test_a_map_run_can_be_redriven_so_often(world: World) -> None:
    """1,000 times; then there is States.Runtime, and the Map Run stays as it is."""
    world.run(scope(("Each", inline(CHILD))), '["a"]')
    world.fail("a")
    engine = world.service.api.service.engine
    engine.runs[world.arn].machine.limits = replace(AWS, map_run_redrives_max=1)
    world.redrive()
    world.fail("a")
    assert world.described["error"] == "States.ExceedToleratedFailureThreshold"
    for _ in range(2):
        world.redrive()
        assert [type for type, _ in world.since_redrive()] == ["ExecutionRedriven", "MapStateFailed", "ExecutionFailed"]
        assert (world.described["error"], world.done) == ("States.Runtime", [])
    (listed,) = world.service("ListMapRuns", executionArn=world.arn)["mapRuns"]
    map_run = world.service("DescribeMapRun", mapRunArn=listed["mapRunArn"])
    assert (map_run["status"], map_run["redriveCount"]) == ("FAILED", 1)


# --- who can be redriven ----------------------------------------------------------------------------------

DAY_MS = 86_400_000

REFUSALS: list[tuple[Fields, str | None]] = [
    ({}, None),
    ({"status": "ABORTED"}, None),
    ({"status": "TIMED_OUT"}, None),
    ({"status": "RUNNING"}, "Execution is RUNNING and cannot be redriven"),
    ({"status": "SUCCEEDED"}, "Execution is SUCCEEDED and cannot be redriven"),
    ({"status": "SUCCEEDED", "express": True}, "Execution is SUCCEEDED and cannot be redriven"),
    ({"next_event_id": 24_998 + 1}, None),
    ({"next_event_id": 24_999 + 1}, "Execution history event limit exceeded"),
    ({"stop_ms": 400 * DAY_MS - 14 * DAY_MS}, None),
    ({"stop_ms": 400 * DAY_MS - 14 * DAY_MS - 1}, "Execution redrivable period exceeded"),
    ({"start_ms": 400 * DAY_MS - 365 * DAY_MS - 1}, "Execution has exceeded the max execution time"),
    ({"next_event_id": 30_000, "stop_ms": 1, "express": True}, None),
]


@pytest.mark.parametrize(("fields", "reason"), REFUSALS)
def test_who_can_be_redriven(fields: Fields, reason: str | None) -> None:
    """400 days after the beginning of time."""
    known: Fields = dict.fromkeys(("arn", "name", "machine_arn", "machine_name", "role_arn"), "")
    known |= {"input": Payload({}), "status": "FAILED", "start_ms": 390 * DAY_MS, "stop_ms": 399 * DAY_MS}
    assert refusal(Execution(**(known | fields)), 400 * DAY_MS) == reason


def test_a_child_that_ended_too_long_ago(world: World) -> None:
    """It is not attempted again, and counts as failed, though its parent goes on."""
    writer = {"ResultWriter": {"WriterConfig": {"Transformation": "NONE", "OutputType": "JSON"}}}
    world.run(scope(("Each", inline(CHILD, ToleratedFailureCount=1, **writer))), '["a", "b"]')
    world.fail("a")
    world.pass_time(10 * 86_400)
    world.fail("b")
    world.pass_time(5 * 86_400)
    (listed,) = world.service("ListMapRuns", executionArn=world.arn)["mapRuns"]
    children = world.service("ListExecutions", mapRunArn=listed["mapRunArn"])["executions"][::-1]
    described = [world.service("DescribeExecution", executionArn=child["executionArn"]) for child in children]
    assert [child["redriveStatus"] for child in described] == ["NOT_REDRIVABLE", "REDRIVABLE_BY_MAP_RUN"]
    world.redrive()
    assert world.done == ["b"]
    counts = world.service("DescribeMapRun", mapRunArn=listed["mapRunArn"])["executionCounts"]
    assert (counts["failuresNotRedrivable"], counts["running"], counts["failed"]) == (1, 1, 1)
    world.answer("b", 2)
    first, second = json.loads(world.described["output"])
    assert (first["Status"], first["RedriveStatus"]) == ("FAILED", "NOT_REDRIVABLE")
    assert first["RedriveStatusReason"] == described[0]["redriveStatusReason"] == "Execution redrivable period exceeded"
    assert second["Status"] == "SUCCEEDED"


def test_of_a_machine_that_is_being_deleted(world: World) -> None:
    """Neither its executions, nor the children of their Map Runs."""
    world.run(scope(("Each", inline(CHILD))), '["a"]')
    failed = world.arn
    world.fail("a")
    machine = world.described["stateMachineArn"]
    world.service("StartExecution", stateMachineArn=machine, input='["b"]')
    world.settle()
    world.service("DeleteStateMachine", stateMachineArn=machine)
    (listed,) = world.service("ListMapRuns", executionArn=failed)["mapRuns"]
    (child,) = world.service("ListExecutions", mapRunArn=listed["mapRunArn"])["executions"]
    for arn in (failed, child["executionArn"]):
        described = world.service("DescribeExecution", executionArn=arn)
        assert described["redriveStatusReason"] == "State machine is in DELETING status"


@pytest.mark.parametrize("config", [CHILD, EXPRESS], ids=["STANDARD", "EXPRESS"])
def test_the_context_says_when(world: World, config: Fields) -> None:
    """AWS guide, "Context object": RedriveTime is there after a redrive, but not in Express children."""
    show = task("", Parameters={"NextToken.$": "States.JsonToString($$.Execution)"})
    world.run(scope(("Each", inline(config | scope(("Work", show))))), "[1]")
    (before,) = world.done
    world.fail(before)
    world.redrive()
    first, second = json.loads(before), json.loads(world.done[0])
    assert (first["RedriveCount"], "RedriveTime" in first) == (0, False)
    assert (second["RedriveCount"], "RedriveTime" in second) == (1, config is CHILD)


def test_after_a_restart(tmp_path: Path) -> None:
    first = World(tmp_path / "kaidan.db")
    first.run(scope(("Both", parallel(*(scope((name.upper(), task(name))) for name in "ab")))))
    first.answer("a", 1)
    first.fail("b")
    first.close()
    second = World(tmp_path / "kaidan.db")
    second.arn = first.arn
    second.redrive("token")
    assert second.done == ["b"]
    second.fail("b")
    second.close()
    second = World(tmp_path / "kaidan.db")
    second.arn = first.arn
    second.redrive("token")
    assert (second.status, second.done) == ("FAILED", [])  # that was one redrive, whatever became of the server
    second.redrive()
    second.answer("b", 2)
    assert second.described["output"] == "[1,2]"
    second.close()
