"""Executions: started, described, listed, stopped, and their histories in pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kaidan.limits import AWS
from kaidan.service import activities, lookup, machines
from tests.service.support import ARN, PASS, ROLE, WAIT, Service, text

ORDERS = ARN + "stateMachine:orders"
FAIL: dict[str, Any] = {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "Bad", "Cause": "luck"}}}
JACKSON_VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


# starting


def test_a_name_is_made_where_there_is_none(service: Service) -> None:
    arn = service.machine()
    started = service("StartExecution", stateMachineArn=arn)
    described = service("DescribeExecution", executionArn=started["executionArn"])
    assert started["executionArn"] == f"{ARN}execution:orders:{described['name']}"
    assert (len(described["name"]), described["input"]) == (36, "{}")
    assert started["startDate"] == described["startDate"] == service.api.now()


def test_the_same_name_again(service: Service) -> None:
    arn = service.machine(definition=WAIT)
    params = {"stateMachineArn": arn, "name": "one", "input": '{"a": 1, "b": 2}'}
    started = service("StartExecution", **params)
    service.pass_time(1000)
    assert service("StartExecution", **params) == started
    assert service("StartExecution", **params | {"input": '{"b":2,"a":1}'}) == started
    exists = ("ExecutionAlreadyExists", f"Execution Already Exists: '{started['executionArn']}'")
    assert service.refuses("StartExecution", **params | {"input": '{"a": true, "b": 2}'}) == exists
    service.settle(3600)
    assert service.refuses("StartExecution", **params) == exists
    assert len(service("ListExecutions", stateMachineArn=arn)["executions"]) == 1


def test_express_names_can_be_used_again(service: Service) -> None:
    arn = service.machine(type="EXPRESS")
    first, second = (service("StartExecution", stateMachineArn=arn, name="one")["executionArn"] for _ in range(2))
    assert first != second
    assert first.startswith(ARN + "express:orders:one:")


INPUTS: list[tuple[str, str]] = [
    ("", "Invalid execution input."),
    (" \n", "Invalid execution input."),
    ("text", f"Unrecognized token 'text': was expecting {JACKSON_VALUES}"),
    ("{'a': 1}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name"),
    ('{"a" 1}', "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value"),
    ('{"a": 1 "b"}', "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries"),
    ('{"a": }', "Unexpected character ('}' (code 125)): expected a value"),
]


@pytest.mark.parametrize(("input", "problem"), INPUTS)
def test_inputs_that_are_no_json(service: Service, input: str, problem: str) -> None:
    arn = service.machine()
    refusal = service.refuses("StartExecution", stateMachineArn=arn, input=input)
    assert refusal == ("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{problem}'")


@pytest.mark.parametrize("input", ["2", '"text"', "null", "[ 1, 2 ]", '{"a": 1}'])
def test_any_json_is_an_input_and_described_as_sent(service: Service, input: str) -> None:
    execution = service.run(service.machine(), input=input)
    described = service("DescribeExecution", executionArn=execution)
    assert (described["input"], described["inputDetails"]) == (input, {"included": True})
    assert described["output"] == input.replace(" ", "").replace(",", ",")


def test_the_machine_comes_before_the_name_and_the_name_before_the_input(service: Service) -> None:
    params = {"stateMachineArn": ORDERS, "name": "a b", "input": "{"}
    assert service.refuses("StartExecution", **params)[0] == "StateMachineDoesNotExist"
    service.machine()
    assert service.refuses("StartExecution", **params) == ("InvalidName", "Invalid Name: 'a b'")
    assert service.refuses("StartExecution", **params | {"name": "ab"})[0] == "InvalidExecutionInput"


# describing


def test_members_of_every_outcome(service: Service) -> None:
    running = service.run(service.machine("waits", WAIT), traceHeader="Root=1")
    failed = service.run(service.machine("fails", FAIL))
    done = service.run(service.machine())
    described = service("DescribeExecution", executionArn=running)
    assert described["traceHeader"] == "Root=1"
    assert not described.keys() & {"stopDate", "output", "outputDetails", "error", "cause", "mapRunArn"}
    assert described["redriveStatusReason"] == "Execution is RUNNING and cannot be redriven"
    described = service("DescribeExecution", executionArn=failed)
    assert (described["error"], described["cause"], described["redriveStatus"]) == ("Bad", "luck", "REDRIVABLE")
    assert "redriveStatusReason" not in described
    described = service("DescribeExecution", executionArn=done)
    assert (described["output"], described["outputDetails"]) == ("{}", {"included": True})
    assert described["redriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven"
    assert [service("DescribeExecution", executionArn=arn)["redriveCount"] for arn in (running, failed, done)] == [
        0
    ] * 3


def test_a_fortnight_later_nothing_can_be_redriven(service: Service) -> None:
    failed = service.run(service.machine("fails", FAIL))
    service.pass_time(14 * 24 * 3_600_000)
    assert service("DescribeExecution", executionArn=failed)["redriveStatus"] == "REDRIVABLE"
    service.pass_time(1)
    described = service("DescribeExecution", executionArn=failed)
    assert described["redriveStatusReason"] == "Execution redrivable period exceeded"


def test_metadata_only(service: Service) -> None:
    arn = service.machine()
    described = service("DescribeExecution", executionArn=service.run(arn), includedData="METADATA_ONLY")
    assert not described.keys() & {"input", "output"}
    assert described["inputDetails"] == described["outputDetails"] == {"included": False}


def test_what_is_not_there(service: Service) -> None:
    missing = ARN + "execution:orders:missing"
    refusal = ("ExecutionDoesNotExist", f"Execution Does Not Exist: '{missing}'")
    for operation in (
        "DescribeExecution",
        "DescribeStateMachineForExecution",
        "GetExecutionHistory",
        "StopExecution",
        "ListMapRuns",
    ):
        assert service.refuses(operation, executionArn=missing) == refusal


def test_the_machine_of_an_execution(service: Service) -> None:
    arn = service.machine()
    execution = service.run(arn)
    described = service("DescribeStateMachineForExecution", executionArn=execution)
    machine = service("DescribeStateMachine", stateMachineArn=arn)
    alike = {key: value for key, value in machine.items() if key not in ("creationDate", "status", "type")}
    assert described == alike | {"updateDate": machine["creationDate"]}


# stopping


def test_stopping(service: Service) -> None:
    execution = service.run(service.machine(definition=WAIT))
    service.pass_time(1000)
    stopped = service("StopExecution", executionArn=execution, error="Enough", cause="said so")
    assert stopped == {"stopDate": service.api.now()}
    service.pass_time(1000)
    assert service("StopExecution", executionArn=execution, error="Later") == stopped
    described = service("DescribeExecution", executionArn=execution)
    assert (described["status"], described["error"], described["cause"]) == ("ABORTED", "Enough", "said so")


def test_stopping_what_has_not_begun(service: Service) -> None:
    arn = service.machine()
    execution = service("StartExecution", stateMachineArn=arn)["executionArn"]
    service("StopExecution", executionArn=execution)
    service.settle()
    assert service("DescribeExecution", executionArn=execution)["status"] == "ABORTED"


def test_a_client_token_redrives_once(service: Service) -> None:
    """API reference, RedriveExecution: for 15 minutes after its first use, the last ten of an execution."""
    failed = service.run(service.machine(definition=FAIL))

    def redrive(token: str) -> Any:
        redriven = service("RedriveExecution", executionArn=failed, clientToken=token)["redriveDate"]
        service.settle()
        return redriven

    def count() -> int:
        times: int = service("DescribeExecution", executionArn=failed)["redriveCount"]
        return times

    first = redrive("a")
    service.pass_time(15 * 60_000)
    assert (redrive("a"), count()) == (first, 1)
    service.pass_time(1)
    assert (redrive("a") > first, count()) == (True, 2)
    for number in range(10):
        redrive(f"b{number}")
    assert count() == 12
    redrive("b0")
    assert count() == 12
    redrive("a")
    assert count() == 13


def test_client_tokens_are_forgotten_when_their_time_is_over(service: Service) -> None:
    execution = service.run(service.machine(definition=FAIL))
    for pause_ms in (0, 1, 15 * 60_000):
        service.pass_time(pause_ms)
        service("RedriveExecution", executionArn=execution, clientToken=f"after-{pause_ms:036}")
        service.settle()
    run = service.api.service.engine.find(execution)
    assert run is not None
    assert [token for token, _ in run.execution.redrive_tokens] == [f"after-{1:036}", f"after-{15 * 60_000:036}"]


def test_there_are_limits(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    few = replace(AWS, open_executions_max=2, state_machines_max=1, activities_max=1)
    for module in (activities, lookup, machines):
        monkeypatch.setattr(module, "AWS", few)
    arn = service.machine(definition=WAIT)
    assert service.machine(definition=WAIT) == arn
    refusal = service.refuses("CreateStateMachine", name="more", definition=text(PASS), roleArn=ROLE)
    assert refusal[0] == "StateMachineLimitExceeded"
    service("CreateActivity", name="one")
    assert service.refuses("CreateActivity", name="two")[0] == "ActivityLimitExceeded"
    first = service.run(arn)
    service.run(arn)
    assert service.refuses("StartExecution", stateMachineArn=arn)[0] == "ExecutionLimitExceeded"
    service("StopExecution", executionArn=first)
    service.settle()
    service.run(arn)
    assert service.refuses("RedriveExecution", executionArn=first)[0] == "ExecutionLimitExceeded"


# Express


def test_express_executions_are_not_looked_at(service: Service) -> None:
    arn = service.machine(type="EXPRESS")
    execution = service.run(arn)
    refusal = ("InvalidArn", "Invalid Arn: 'Resource type not valid in this context: express'")
    operations = ("DescribeExecution", "GetExecutionHistory", "StopExecution", "DescribeStateMachineForExecution")
    for operation in (*operations, "RedriveExecution", "ListMapRuns"):
        assert service.refuses(operation, executionArn=execution) == refusal
    unsupported = ("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")
    assert service.refuses("ListExecutions", stateMachineArn=arn) == unsupported
    service("DeleteStateMachine", stateMachineArn=arn)
    standard = service.machine("standard")
    assert service.refuses("StartSyncExecution", stateMachineArn=standard) == unsupported


def test_waiting_for_an_express_execution(service: Service) -> None:
    arn = service.machine(type="EXPRESS", publish=True)
    answer = service("StartSyncExecution", stateMachineArn=arn + ":1", name="n", input="[1]", traceHeader="Root=1")
    assert answer["executionArn"].startswith(ARN + "express:orders:n:")
    assert (answer["stateMachineArn"], answer["status"], answer["output"]) == (arn, "SUCCEEDED", "[1]")
    assert answer["billingDetails"] == {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": 100}
    assert answer["traceHeader"] == "Root=1"
    failing = service.machine("fails", FAIL, type="EXPRESS")
    answer = service("StartSyncExecution", stateMachineArn=failing, includedData="METADATA_ONLY")
    assert (answer["status"], answer["error"], answer["cause"]) == ("FAILED", "Bad", "luck")
    assert not answer.keys() & {"input", "output", "outputDetails"}


# listing


def started(service: Service, count: int) -> list[str]:
    arn = service.machine()
    return [service.run(arn, name=f"e{number}") for number in range(count)]


def listed(service: Service, **params: Any) -> list[str]:
    executions = service("ListExecutions", stateMachineArn=ORDERS, **params)["executions"]
    return [item["name"] for item in executions]


def test_the_last_started_first_in_pages(service: Service) -> None:
    started(service, 25)
    first = service("ListExecutions", stateMachineArn=ORDERS, maxResults=10)
    service.run(ORDERS, name="late")
    second = service("ListExecutions", stateMachineArn=ORDERS, nextToken=first["nextToken"])
    names = [item["name"] for item in first["executions"] + second["executions"]]
    assert names == [f"e{number}" for number in range(24, -1, -1)]
    assert "nextToken" not in second


def test_what_is_listed_of_an_execution(service: Service) -> None:
    service.pass_time(5000)
    (execution,) = started(service, 1)
    now = service.api.now()
    assert service("ListExecutions", stateMachineArn=ORDERS)["executions"] == [
        {
            "executionArn": execution,
            "stateMachineArn": ORDERS,
            "name": "e0",
            "status": "SUCCEEDED",
            "startDate": now,
            "stopDate": now,
            "redriveCount": 0,
        }
    ]


def test_filters(service: Service) -> None:
    started(service, 2)
    service("UpdateStateMachine", stateMachineArn=ORDERS, definition=text(FAIL), roleArn=ROLE)
    service.run(ORDERS, name="failed")
    service("UpdateStateMachine", stateMachineArn=ORDERS, definition=text(WAIT), roleArn=ROLE)
    service.run(ORDERS, name="waiting")
    assert listed(service) == ["waiting", "failed", "e1", "e0"]
    assert listed(service, statusFilter="SUCCEEDED") == ["e1", "e0"]
    assert listed(service, statusFilter="RUNNING") == ["waiting"]
    assert listed(service, statusFilter="TIMED_OUT") == []
    assert listed(service, redriveFilter="NOT_REDRIVEN") == ["waiting", "failed", "e1", "e0"]
    assert listed(service, redriveFilter="REDRIVEN") == []
    first = service("ListExecutions", stateMachineArn=ORDERS, statusFilter="SUCCEEDED", maxResults=1)
    assert listed(service, statusFilter="SUCCEEDED", nextToken=first["nextToken"]) == ["e0"]
    other = service.refuses("ListExecutions", stateMachineArn=ORDERS, nextToken=first["nextToken"])
    assert other == ("InvalidToken", "Invalid Token: 'Invalid token'")


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"stateMachineArn": ORDERS, "mapRunArn": ARN + "mapRun:orders/each:x"},
        {"stateMachineArn": ORDERS, "statusFilter": "PENDING_REDRIVE"},
    ],
)
def test_questions_that_make_no_sense(service: Service, params: dict[str, Any]) -> None:
    service.machine()
    assert service.refuses("ListExecutions", **params)[0] == "ValidationException"


# histories


def chain(length: int) -> dict[str, Any]:
    states = {f"S{number}": {"Type": "Pass", "Next": f"S{number + 1}"} for number in range(length - 1)}
    return {"StartAt": "S0", "States": states | {f"S{length - 1}": {"Type": "Pass", "End": True}}}


def history(service: Service, execution: str, **params: Any) -> list[list[int]]:
    pages: list[list[int]] = []
    token: dict[str, str] = {}
    while True:
        answer = service("GetExecutionHistory", executionArn=execution, **params, **token)
        pages.append([event["id"] for event in answer["events"]])
        if "nextToken" not in answer:
            return pages
        token = {"nextToken": answer["nextToken"]}


@pytest.mark.parametrize(("params", "size"), [({}, 100), ({"maxResults": 0}, 100), ({"maxResults": 7}, 7)])
@pytest.mark.parametrize("latest_first", [False, True])
def test_pages_of_a_history(service: Service, params: dict[str, Any], size: int, latest_first: bool) -> None:
    execution = service.run(service.machine(definition=chain(60)))
    pages = history(service, execution, reverseOrder=latest_first, **params)
    ids = list(range(1, 123))
    assert [number for page in pages for number in page] == (ids[::-1] if latest_first else ids)
    assert all(len(page) == size for page in pages[:-1])


def test_a_history_without_data(service: Service) -> None:
    execution = service.run(service.machine(definition=PASS), input='{"secret": 1}')
    whole = service("GetExecutionHistory", executionArn=execution)
    assert "secret" in str(whole)
    bare = service("GetExecutionHistory", executionArn=execution, includeExecutionData=False)
    assert "secret" not in str(bare)
    assert [event["type"] for event in bare["events"]] == [event["type"] for event in whole["events"]]


# other executions waited for


def test_waiting_for_what_cannot_be_looked_at(service: Service) -> None:
    """`.sync` needs DescribeExecution, which Express executions do not have: the task fails, and the engine goes on."""
    child = service.machine("child", type="EXPRESS")
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": child},
        "End": True,
    }
    arn = service.run(service.machine("parent", {"StartAt": "Child", "States": {"Child": state}}))
    described = service("DescribeExecution", executionArn=arn)
    assert (described["status"], described["error"]) == ("FAILED", "StepFunctions.InvalidArnException")
    assert described["cause"].startswith("Invalid Arn: 'Resource type not valid in this context: express' (Service: ")
