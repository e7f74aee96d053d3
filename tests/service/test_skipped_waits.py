"""Waits that take no time, on a clock that stands still: nothing may depend on a moment that has yet to come."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kaidan.arns import task_resource
from kaidan.protocol.effects import RunTask
from kaidan.runtime.reply import TaskReply
from kaidan.values import Payload
from tests.service.support import ARN, ROLE, Service

DAY_S = 86_400
AGAIN = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 3_600, "MaxAttempts": 3, "BackoffRate": 10}]
WAITS: dict[str, dict[str, Any]] = {
    "seconds": {"Seconds": DAY_S},
    "a moment": {"Timestamp": "2024-06-01T00:00:00Z"},
    "longer than the time-out": {"Seconds": 2 * DAY_S},
}


@pytest.fixture
def service() -> Service:
    return Service(skip_waits=True)


def wait(**fields: Any) -> dict[str, Any]:
    return {"StartAt": "Hold", "TimeoutSeconds": DAY_S + 1, "States": {"Hold": {"Type": "Wait", "End": True, **fields}}}


@pytest.mark.parametrize("fields", WAITS.values(), ids=WAITS)
def test_a_wait_is_over_at_once(service: Service, fields: dict[str, Any]) -> None:
    arn = service.run(service.machine("orders", wait(**fields)))
    execution = service("DescribeExecution", executionArn=arn)
    assert (execution["status"], execution["startDate"]) == ("SUCCEEDED", execution["stopDate"])


def test_so_is_an_interval_between_retries(service: Service) -> None:
    refused = {"StateMachineArn": f"{ARN}stateMachine:none"}
    resource = "arn:aws:states:::aws-sdk:sfn:describeStateMachine"
    ask = {"Type": "Task", "Resource": resource, "Parameters": refused, "Retry": AGAIN, "End": True}
    arn = service.run(service.machine("orders", {"StartAt": "Ask", "States": {"Ask": ask}}))
    execution = service("DescribeExecution", executionArn=arn)
    assert (execution["status"], execution["startDate"]) == ("FAILED", execution["stopDate"])
    types = [event["type"] for event in service("GetExecutionHistory", executionArn=arn)["events"]]
    assert types.count("TaskFailed") == 4


def test_time_outs_are_as_long_as_ever(service: Service) -> None:
    activity = service("CreateActivity", name="approve")["activityArn"]
    ask = {"Type": "Task", "Resource": activity, "TimeoutSeconds": 60, "End": True}
    first, second = (
        service.run(service.machine(name, {"StartAt": "Ask", "States": {"Ask": ask}})) for name in ("first", "second")
    )
    task, _ = (service("GetActivityTask", activityArn=activity) for _ in range(2))
    service.settle()
    service.pass_time(59_000)
    service("SendTaskSuccess", taskToken=task["taskToken"], output="{}")
    service.pass_time(1_000)
    service.settle()
    statuses = [service("DescribeExecution", executionArn=arn)["status"] for arn in (first, second)]
    assert statuses == ["SUCCEEDED", "FAILED"]


def test_a_job_is_looked_at_often_and_work_takes_its_time(service: Service) -> None:
    engine, done = service.api.service.engine, list[str]()
    activity = task_resource(f"{ARN}activity:any")
    reply = TaskReply(engine, "", RunTask(1, "Ask", activity, Payload({}), "", 0))
    reply.later(60, lambda: done.append("looked"), idle=True)
    reply.later(60, lambda: done.append("worked"))
    service.settle(1)
    assert done == ["looked"]
    service.settle(60)
    assert done == ["looked", "worked"]


def test_a_state_that_is_tested_waits_no_longer(service: Service) -> None:
    state = json.dumps({"Type": "Wait", "Seconds": DAY_S, "End": True})
    assert service("TestState", definition=state, roleArn=ROLE)["status"] == "SUCCEEDED"


def test_otherwise_waits_are_waited_for() -> None:
    service = Service()
    arn = service.run(service.machine("orders", wait(Seconds=DAY_S)))
    assert service("DescribeExecution", executionArn=arn)["status"] == "RUNNING"
