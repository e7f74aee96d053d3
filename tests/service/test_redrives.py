"""RedriveExecution, statement by statement: what goes on, what begins anew, and what history shows of it, as the AWS
guide says ("Restarting state machine executions with redrive")."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kaidan.integrations.contract import Reply
from kaidan.protocol.effects import RunTask
from kaidan.runtime.sources import SimulatedClock
from kaidan.store.sqlite import SqliteStore
from kaidan.values import JSON
from tests.service.support import Service, text

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

    def redrive(self) -> None:
        self.done.clear()
        self.service("RedriveExecution", executionArn=self.arn)
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
        """Each event since the latest redrive: its type, and what it points to, counted from the redrive's event."""
        events = self.events
        first = max(event["id"] for event in events if event["type"] == "ExecutionRedriven")
        return [(event["type"], event["previousEventId"] - first) for event in events[first - 1 :]]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "kaidan.db")
    yield made
    made.close()


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


def test_a_fail_state_fails_again(world: World) -> None:
    world.run(scope(("Work", BAD)))
    world.redrive()
    assert world.since_redrive() == [("ExecutionRedriven", -1), ("FailStateEntered", 0), ("ExecutionFailed", 1)]


def test_a_choice_is_made_again(world: World) -> None:
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsNull": True, "Next": "Bad"}]}
    world.run(scope(("Decide", choice), ("Bad", BAD)))
    error = world.described["error"]
    world.redrive()
    assert world.since_redrive() == [("ExecutionRedriven", -1), ("ExecutionFailed", 0)]
    assert world.described["error"] == error


def test_a_wait_whose_time_has_come_is_left(world: World) -> None:
    wait = {"Type": "Wait", "TimestampPath": "$.until", "Next": "Work"}
    world.run(scope(("Hold", wait), ("Work", task("a"))), '{"until": "2023-11-14T22:13:30Z"}')
    world.stop()
    world.pass_time(10)
    world.redrive()
    types = [type for type, _ in world.since_redrive()]
    assert types[:3] == ["ExecutionRedriven", "WaitStateExited", "TaskStateEntered"]


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


def test_only_iterations_that_failed_or_were_aborted(world: World) -> None:
    """And those that had not begun."""
    world.run(scope(("Each", inline(NAMED, MaxConcurrency=2))), '["a", "b", "c", "d"]')
    world.answer("a", 1)
    world.fail("b")
    assert world.status == "FAILED"
    world.redrive()
    assert sorted(world.done) == ["b", "c"]
    for name, number in (("c", 3), ("b", 2), ("d", 4)):
        world.answer(name, number)
    assert world.described["output"] == "[1,2,3,4]"


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


@pytest.mark.parametrize("kind", ["Parallel", "Map"])
def test_after_too_much_data_all_of_them(world: World, kind: str) -> None:
    """A state that failed of States.DataLimitExceeded is rerun, with what was successful in it."""
    both = parallel(scope(("A", task("a"))), scope(("B", task("b"))))
    world.run(scope(("All", parallel(scope(("Inner", inline(NAMED) if kind == "Map" else both))))), '["a", "b"]')
    world.answer("a", 1)
    world.answer("b", "x" * 300_000)
    assert world.described["error"] == "States.DataLimitExceeded"
    world.redrive()
    assert sorted(world.done) == ["a", "b"]
    assert world.since_redrive()[:2] == [("ExecutionRedriven", -1), ("ParallelStateStarted", 0)]
    world.answer("a", 1)
    world.answer("b", 2)
    assert world.described["output"] == "[[1,2]]"


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


def test_after_a_restart(tmp_path: Path) -> None:
    first = World(tmp_path / "kaidan.db")
    first.run(scope(("Both", parallel(*(scope((name.upper(), task(name))) for name in "ab")))))
    first.answer("a", 1)
    first.fail("b")
    first.close()
    second = World(tmp_path / "kaidan.db")
    second.arn = first.arn
    second.redrive()
    assert second.done == ["b"]
    second.answer("b", 2)
    assert second.described["output"] == "[1,2]"
    second.close()
