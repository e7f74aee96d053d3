"""RedriveExecution, statement by statement: what goes on, what begins anew, and what history shows of it, as the AWS
guide says ("Restarting state machine executions with redrive")."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from kaidan.limits import AWS
from kaidan.values import JSON
from tests.service.redriven import (
    BAD,
    CHILD,
    EXPRESS,
    NAMED,
    SIDE,
    Fields,
    World,
    inline,
    parallel,
    scope,
    task,
)
from tests.service.support import text

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


def test_an_item_that_fails_again_and_again(world: World) -> None:
    """Each redrive asks anew which children did not succeed: there may have been no room to come to the end of them."""
    world.run(scope(("Each", inline(CHILD, MaxConcurrency=1))), '["a", "b"]')
    for _ in range(3):
        world.fail("a")
        assert world.described["error"] == "States.ExceedToleratedFailureThreshold"
        world.redrive()
        assert world.done == ["a"]
    world.answer("a", "A")
    world.answer("b", "B")
    assert world.described["output"] == '["A","B"]'


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
