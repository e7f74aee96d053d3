"""Tasks as the service schedules them: parameters checked and marked, the execution known to their handlers."""

from __future__ import annotations

import json
from typing import Any

from kaidan.protocol.effects import RunTask
from kaidan.service.api import Api

ROLE = "arn:aws:iam::123456789012:role/r"


class Recorder:
    """A handler that answers at once and keeps whose task it was."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, RunTask]] = []

    def __call__(self, task: RunTask, reply: Any) -> None:
        self.seen.append((reply.execution_arn, task))
        reply.succeeded({})

    def resume(self, task: RunTask, job: Any, reply: Any) -> None:
        raise AssertionError


def run(resource: str, parameters: dict[str, Any]) -> tuple[Recorder, list[dict[str, Any]], str]:
    api = Api()
    recorder = Recorder()
    api.service.engine.handler = recorder
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters, "End": True}
    definition = json.dumps({"StartAt": "S", "States": {"S": state}})
    machine = api.call("CreateStateMachine", {"name": "m", "definition": definition, "roleArn": ROLE})
    started = api.call("StartExecution", {"stateMachineArn": machine["stateMachineArn"]})
    api.settle(lambda: False, 1)
    history = api.call("GetExecutionHistory", {"executionArn": started["executionArn"]})["events"]
    api.close()
    return recorder, history, started["executionArn"]


def test_who_carries_a_task_out_knows_its_execution() -> None:
    recorder, _, arn = run("sqs:sendMessage", {"QueueUrl": "q", "MessageBody": "b"})
    assert [seen for seen, _ in recorder.seen] == [arn]


def test_parameters_that_do_not_fit_are_refused_before_the_task_is_scheduled() -> None:
    """Recorded: services/test_apigetway_task_service, singleStringHeader."""
    parameters = {"ApiEndpoint": "a.b", "Method": "GET", "Headers": {"h": "text"}}
    recorder, history, _ = run("apigateway:invoke", parameters)
    assert recorder.seen == []
    assert [event["type"] for event in history] == ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]
    cause = history[-1]["executionFailedEventDetails"]["cause"]
    assert cause.endswith(
        "could not be used to start the Task: [The value of the field 'Headers' has an invalid format]"
    )


def test_sdk_parameters_are_refused_in_the_same_words() -> None:
    recorder, history, _ = run("aws-sdk:sqs:sendMessage", {"QueueUrl": "q", "MessageBody": "b", "DelaySeconds": "x"})
    assert recorder.seen == []
    cause = history[-1]["executionFailedEventDetails"]["cause"]
    assert cause.endswith("start the Task: [The value of the field 'DelaySeconds' has an invalid format]")


def test_what_is_added_to_parameters_is_in_the_history() -> None:
    """Recorded: services/test_ecs_task_service."""
    recorder, history, _ = run("ecs:runTask.sync", {"Cluster": "c", "TaskDefinition": "t"})
    scheduled = json.loads(history[2]["taskScheduledEventDetails"]["parameters"])
    assert scheduled["StartedBy"] == "AWS Step Functions"
    assert recorder.seen[0][1].parameters.value == scheduled
