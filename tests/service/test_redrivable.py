"""Who can be redriven, and what is said of those that cannot."""

from __future__ import annotations

import json

import pytest

from kaidan.asl.machine.execution import Execution
from kaidan.runtime.redrivable import refusal
from kaidan.values import Payload
from tests.service.redriven import CHILD, Fields, World, inline, scope

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
