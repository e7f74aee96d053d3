"""Status changes as EventBridge events: when there is one, and what it says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kaidan.observe.status import DATA_BYTES_MAX, StatusChange, StatusChanges, weight
from tests.service.support import ARN, PASS, WAIT, Service

FAIL: dict[str, Any] = {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "Broken", "Cause": "so"}}}
SLOW: dict[str, Any] = WAIT | {"TimeoutSeconds": 1}


@pytest.fixture
def changes(service: Service) -> list[StatusChange]:
    found: list[StatusChange] = []
    StatusChanges(service.api.service.engine, [found.extend])
    return found


def running(name: str, **more: Any) -> dict[str, Any]:
    return {
        "executionArn": f"{ARN}execution:orders:{name}",
        "stateMachineArn": f"{ARN}stateMachine:orders",
        "name": name,
        "status": "RUNNING",
        "startDate": 1_700_000_000_000,
        "stopDate": None,
        "input": "{}",
        "inputDetails": {"included": True},
        "output": None,
        "outputDetails": None,
        "stateMachineVersionArn": None,
        "stateMachineAliasArn": None,
        "redriveCount": 0,
        "redriveDate": None,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": "Execution is RUNNING and cannot be redriven",
        "error": None,
        "cause": None,
    } | more


def ended(name: str, status: str, stop_ms: int, *, redrivable: bool, **more: Any) -> dict[str, Any]:
    return running(
        name,
        status=status,
        stopDate=stop_ms,
        redriveStatus="REDRIVABLE" if redrivable else "NOT_REDRIVABLE",
        redriveStatusReason=f"Execution is {status} and {'is redrivable' if redrivable else 'cannot be redriven'}",
        **more,
    )


def details(changes: list[StatusChange]) -> list[dict[str, Any]]:
    return [change["detail"] for change in changes]


def test_an_event_around_its_detail(service: Service, changes: list[StatusChange]) -> None:
    service.run(service.machine("orders", PASS), name="a")
    first = changes[0]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first["id"])
    assert first["id"] != changes[1]["id"]
    assert first | {"id": "", "detail": {}} == {
        "version": "0",
        "id": "",
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": "123456789012",
        "time": "2023-11-14T22:13:20Z",
        "region": "us-east-1",
        "resources": [f"{ARN}execution:orders:a"],
        "detail": {},
    }
    assert weight(first) < 3_000


def test_success(service: Service, changes: list[StatusChange]) -> None:
    service.run(service.machine("orders", PASS), name="a", input='{"n": 1}')
    given = {"input": '{"n": 1}'}
    output = {"output": '{"n":1}', "outputDetails": {"included": True}}
    assert details(changes) == [
        running("a", **given),
        ended("a", "SUCCEEDED", 1_700_000_000_000, redrivable=False, **given, **output),
    ]


def test_failure_and_redrive(service: Service, changes: list[StatusChange]) -> None:
    arn = service.run(service.machine("orders", FAIL), name="a")
    service.pass_time(2_000)
    service("RedriveExecution", executionArn=arn)
    service.settle()
    error = {"error": "Broken", "cause": "so"}
    again = {"redriveCount": 1, "redriveDate": "2023-11-14T22:13:22Z"}
    assert details(changes) == [
        running("a"),
        ended("a", "FAILED", 1_700_000_000_000, redrivable=True, **error),
        running("a", **again),
        ended("a", "FAILED", 1_700_000_002_000, redrivable=True, **error, **again),
    ]


def test_time_out_and_abort(service: Service, changes: list[StatusChange]) -> None:
    service.run(service.machine("orders", SLOW), name="a")
    service.settle(2)
    assert details(changes)[1] == ended("a", "TIMED_OUT", 1_700_000_001_000, redrivable=True)
    arn = service.run(f"{ARN}stateMachine:orders", name="b")
    service("StopExecution", executionArn=arn, error="Enough", cause="of it")
    service.settle()
    stopped = details(changes)[-1]
    assert (stopped["status"], stopped["redriveStatus"], stopped["error"], stopped["cause"]) == (
        "ABORTED", "NOT_REDRIVABLE", "Enough", "of it",
    )  # fmt: skip


def test_versions_and_aliases(service: Service, changes: list[StatusChange]) -> None:
    machine = service.machine("orders", PASS, publish=True)
    routes = [{"stateMachineVersionArn": f"{machine}:1", "weight": 100}]
    service("CreateStateMachineAlias", name="live", routingConfiguration=routes)
    service.run(f"{machine}:live")
    found = changes[0]["detail"]
    assert (found["stateMachineVersionArn"], found["stateMachineAliasArn"]) == (f"{machine}:1", f"{machine}:live")


def test_express_executions_send_none(service: Service, changes: list[StatusChange]) -> None:
    service.run(service.machine("orders", PASS, type="EXPRESS"))
    assert changes == []


HALF = '"' + "a" * (DATA_BYTES_MAX // 2) + '"'


@pytest.mark.parametrize(
    ("input", "with_input", "with_output"),
    [
        ('"' + "a" * (DATA_BYTES_MAX // 2 - 4) + '"', True, True),
        (HALF, False, True),
        ('"' + "\\n" * 86_000 + '"', False, False),
        ('"' + "a" * (DATA_BYTES_MAX - 3) + '"', False, False),
    ],
    ids=["both just fit", "the output alone fits", "escapes count", "neither fits"],
)
def test_large_data_is_left_out(
    service: Service, changes: list[StatusChange], input: str, with_input: bool, with_output: bool
) -> None:
    service.run(service.machine("orders", PASS), input=input)
    detail = changes[-1]["detail"]
    assert detail["input"] == (input if with_input else None)
    assert detail["output"] == (input if with_output else None)
    assert (detail["inputDetails"], detail["outputDetails"]) == ({"included": with_input}, {"included": with_output})


def test_nothing_is_told_before_it_is_saved(service: Service, changes: list[StatusChange]) -> None:
    service("StartExecution", stateMachineArn=service.machine("orders", PASS))
    engine = service.api.service.engine
    assert engine.step()
    assert changes == []
    engine.save()
    assert [detail["status"] for detail in details(changes)] == ["RUNNING", "SUCCEEDED"]
