"""Whoever has a task's token may be faster than the call that gave it to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kaidan.integrations.contract import Reply
from kaidan.protocol.effects import RunTask
from kaidan.runtime.sources import SimulatedClock
from kaidan.service.api import Api
from kaidan.service.errors import ApiError
from kaidan.store.sqlite import SqliteStore
from tests.service.support import ROLE, text

ASK: dict[str, Any] = {
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": "https://sqs/1/q", "MessageBody.$": "$$.Task.Token"},
            "End": True,
        }
    },
}


class Calls:
    """A handler whose calls stay under way until the test says how they went."""

    def __init__(self) -> None:
        self.made: list[tuple[RunTask, Reply]] = []

    def __call__(self, task: RunTask, reply: Reply) -> None:
        reply.started()
        self.made.append((task, reply))

    def resume(self, task: RunTask, job: Any, reply: Reply) -> None:
        self(task, reply)


class World:
    def __init__(self, path: Path) -> None:
        self.clock = SimulatedClock()
        self._path = path
        self.open()

    def open(self) -> None:
        self.store = SqliteStore(self._path)
        self.api = Api(clock=self.clock, store=self.store)
        self.calls = Calls()
        self.api.service.engine.handler = self.calls

    def close(self) -> None:
        self.api.close()
        self.store.close()

    def settle(self) -> None:
        self.api.service.engine.once_saved(lambda: None)
        self.api.settle(lambda: False, 0)

    def begin(self) -> str:
        """An execution whose call is under way."""
        params = {"name": "ask", "definition": text(ASK), "roleArn": ROLE}
        arn = self.api.call("CreateStateMachine", params)["stateMachineArn"]
        execution: str = self.api.call("StartExecution", {"stateMachineArn": arn})["executionArn"]
        self.settle()
        return execution

    def told(self, execution: str) -> list[str]:
        self.settle()
        return [each["type"] for each in self.api.call("GetExecutionHistory", {"executionArn": execution})["events"]]

    def send(self, operation: str, **params: Any) -> None:
        self.api.call(operation, {"taskToken": self.calls.made[-1][0].token, **params})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "kaidan.db")
    yield made
    made.close()


BEGUN = ["ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted"]


def test_success_waits_for_the_submission(world: World) -> None:
    execution = world.begin()
    world.send("SendTaskSuccess", output="1")
    assert world.told(execution) == BEGUN
    with pytest.raises(ApiError, match="TaskTimedOut"):
        world.send("SendTaskSuccess", output="2")
    world.calls.made[0][1].submitted({"MessageId": "m"})
    assert world.told(execution) == [*BEGUN, "TaskSubmitted", "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded"]
    assert world.api.call("DescribeExecution", {"executionArn": execution})["output"] == "1"
    assert list(world.store.tasks()) == []


def test_failure_waits_for_the_submission(world: World) -> None:
    execution = world.begin()
    world.send("SendTaskFailure", error="Broken")
    world.calls.made[0][1].submitted({"MessageId": "m"})
    assert world.told(execution) == [*BEGUN, "TaskSubmitted", "TaskFailed", "ExecutionFailed"]


def test_the_call_fails_all_the_same(world: World) -> None:
    execution = world.begin()
    world.send("SendTaskSuccess", output="1")
    world.calls.made[0][1].failed("Sqs.Down", "why")
    assert world.told(execution) == [*BEGUN, "TaskFailed", "ExecutionFailed"]


def test_two_answers_at_once(world: World) -> None:
    """Only one of them counts, and the other one is told so."""
    execution = world.begin()
    world.calls.made[0][1].submitted({"MessageId": "m"})
    world.settle()
    world.send("SendTaskSuccess", output="1")
    with pytest.raises(ApiError, match="TaskTimedOut"):
        world.send("SendTaskFailure", error="Late")
    assert world.told(execution)[-1] == "ExecutionSucceeded"


def test_an_answer_that_waits_survives_a_kill(world: World) -> None:
    execution = world.begin()
    world.send("SendTaskSuccess", output="1")
    world.settle()
    world.store.close()
    world.open()
    world.settle()
    assert len(world.calls.made) == 1
    world.calls.made[0][1].submitted({"MessageId": "again"})
    assert world.told(execution) == [*BEGUN, "TaskSubmitted", "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded"]
