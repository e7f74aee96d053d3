"""Executions of test cases: which answers their tasks get, however they are nested, and after a restart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kaidan.integrations.contract import Reply
from kaidan.integrations.faults import parse_faults
from kaidan.integrations.mocks import parse_mock_config
from kaidan.integrations.world import World
from kaidan.protocol.effects import RunTask
from kaidan.runtime.sources import SimulatedClock
from kaidan.service.api import Api
from kaidan.store.sqlite import SqliteStore
from tests.service.support import ROLE, Service, text

SEND = "arn:aws:states:::sqs:sendMessage"


def numbered(count: int) -> dict[str, Any]:
    return {str(number): {"Return": {"MessageId": str(number)}} for number in range(count)}


def world(*names: str, **responses: dict[str, Any]) -> World:
    """The test case Mocked of each machine answers the states that are called as the responses are."""
    cases = {name: {"TestCases": {"Mocked": {state: state for state in responses}}} for name in names or ("orders",)}
    return World(mocks=parse_mock_config({"StateMachines": cases, "MockedResponses": responses}))


@pytest.fixture
def services() -> Iterator[list[Service]]:
    made: list[Service] = []
    yield made
    for each in made:
        each.api.close()


def service_of(services: list[Service], world: World) -> Service:
    services.append(Service(world=world))
    return services[-1]


def send(state: str = "Send", resource: str = SEND, **fields: Any) -> dict[str, Any]:
    parameters = {"QueueUrl": "http://q", "MessageBody": "b"}
    task = {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True, **fields}
    return {"StartAt": state, "States": {state: task}}


def each(processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    state = {"Type": "Map", "ItemProcessor": processor, "MaxConcurrency": 1, "End": True, **fields}
    return {"StartAt": "Each", "States": {"Each": state}}


def outcome(service: Service, definition: dict[str, Any], name: str = "orders", **given: Any) -> tuple[str, Any]:
    arn = service.run(service.machine(name, definition) + "#Mocked", **given)
    service.settle(3600)
    described = service("DescribeExecution", executionArn=arn)
    return described["status"], json.loads(described["output"]) if "output" in described else described.get("cause")


RETRY = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxAttempts": 3}]
BUSY_AT_FIRST = {"0-1": {"Throw": {"Error": "Busy"}}, "2": {"Return": {"MessageId": "third"}}}


def test_retries_are_invocations(services: list[Service]) -> None:
    service = service_of(services, world(Send=BUSY_AT_FIRST))
    assert outcome(service, send(Retry=RETRY)) == ("SUCCEEDED", {"MessageId": "third"})


def test_a_fault_takes_nothing_away_from_the_mocks(services: list[Service]) -> None:
    rules, seed = parse_faults({"rules": [{"share": 0.5, "fail": {"error": "Busy"}}], "seed": 3})
    service = service_of(services, replace(world(Send=numbered(1)), rules=tuple(rules), seed=seed))
    arn = service.run(service.machine("orders", send(Retry=RETRY)) + "#Mocked")
    service.settle(60)
    events = service("GetExecutionHistory", executionArn=arn)["events"]
    assert [event["type"] for event in events].count("TaskFailed") == 1
    assert service("DescribeExecution", executionArn=arn)["output"] == '{"MessageId":"0"}'


def test_each_execution_begins_anew(services: list[Service]) -> None:
    service = service_of(services, world(Send=numbered(1)))
    assert outcome(service, send()) == ("SUCCEEDED", {"MessageId": "0"})
    assert outcome(service, send()) == ("SUCCEEDED", {"MessageId": "0"})


def test_invocations_of_a_map_are_counted_over_its_items(services: list[Service]) -> None:
    service = service_of(services, world(Send=numbered(3)))
    status, output = outcome(service, each(send()), input="[1, 2, 3]")
    assert (status, output) == ("SUCCEEDED", [{"MessageId": "0"}, {"MessageId": "1"}, {"MessageId": "2"}])


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_so_are_those_of_a_distributed_map(services: list[Service], kind: str) -> None:
    service = service_of(services, world(Send=numbered(3)))
    processor = send() | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind}}
    status, output = outcome(service, each(processor), input="[1, 2, 3]")
    assert (status, output) == ("SUCCEEDED", [{"MessageId": "0"}, {"MessageId": "1"}, {"MessageId": "2"}])


def test_a_distributed_map_in_a_distributed_map(services: list[Service]) -> None:
    service = service_of(services, world(Send=numbered(2)))
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    inner = each(send() | config)
    outer = {"StartAt": "Outer", "States": {"Outer": {**inner["States"]["Each"], "ItemProcessor": inner | config}}}
    assert outcome(service, outer, input="[[1], [2]]") == ("SUCCEEDED", [[{"MessageId": "0"}], [{"MessageId": "1"}]])


def test_a_parallel_state(services: list[Service]) -> None:
    service = service_of(services, world(A=numbered(1), B=numbered(1)))
    both = {"Type": "Parallel", "Branches": [send("A"), send("B")], "End": True}
    status, output = outcome(service, {"StartAt": "Both", "States": {"Both": both}})
    assert (status, output) == ("SUCCEEDED", [{"MessageId": "0"}, {"MessageId": "0"}])


def start_child(machine_arn: str) -> dict[str, Any]:
    parameters = {"StateMachineArn": machine_arn, "Input": {}}
    return send("Start", "arn:aws:states:::states:startExecution.sync:2", Parameters=parameters)


def test_a_nested_execution_runs_the_case_it_is_started_with(services: list[Service]) -> None:
    service = service_of(services, world("child", Send=numbered(1)))
    child = service.machine("child", send())
    arn = service.run(service.machine("parent", start_child(child + "#Mocked")))
    service.settle(60)
    described = service("DescribeExecution", executionArn=arn)
    assert described["status"] == "SUCCEEDED", described
    assert json.loads(described["output"])["Output"] == {"MessageId": "0"}


def test_a_nested_execution_can_be_mocked_itself(services: list[Service]) -> None:
    service = service_of(services, world(Start={"0": {"Return": {"Output": {"done": True}}}}))
    definition = start_child("arn:aws:states:us-east-1:123456789012:stateMachine:child")
    assert outcome(service, definition) == ("SUCCEEDED", {"Output": {"done": True}})


def test_a_callback(services: list[Service]) -> None:
    service = service_of(services, world(Send=numbered(1)))
    assert outcome(service, send(resource=SEND + ".waitForTaskToken")) == ("SUCCEEDED", {"MessageId": "0"})


def test_an_activity(services: list[Service]) -> None:
    service = service_of(services, world(Send=numbered(1)))
    activity = service("CreateActivity", name="worker")["activityArn"]
    assert outcome(service, send(resource=activity)) == ("SUCCEEDED", {"MessageId": "0"})


def test_a_version_and_an_express_machine(services: list[Service]) -> None:
    service = service_of(services, world(Send=numbered(1)))
    arn = service.machine("orders", send(), publish=True)
    service.run(arn + ":1#Mocked", name="one")
    assert service("DescribeExecution", executionArn=arn.replace("stateMachine", "execution") + ":one")["output"]
    express = service_of(services, world(Send=numbered(1)))
    arn = express.machine("orders", send(), type="EXPRESS")
    assert express("StartSyncExecution", stateMachineArn=arn + "#Mocked")["output"] == '{"MessageId":"0"}'


def test_a_redriven_execution_goes_on_counting(services: list[Service]) -> None:
    service = service_of(services, world(Send=BUSY_AT_FIRST))
    arn = service.run(service.machine("orders", send()) + "#Mocked")
    for status in ("FAILED", "FAILED", "SUCCEEDED"):
        assert service("DescribeExecution", executionArn=arn)["status"] == status
        if status == "FAILED":
            service("RedriveExecution", executionArn=arn)
            service.settle()


def test_a_case_that_is_not_there_starts_nothing(services: list[Service]) -> None:
    service = service_of(services, world(Send=numbered(1)))
    code, message = service.refuses("StartExecution", stateMachineArn=service.machine("orders", send()) + "#Other")
    assert code == "ValidationException"
    assert message == (
        "MockConfigFile.json: no test case 'Other' of the state machine 'orders' "
        "(its test cases: Mocked; state machines: orders)"
    )


def test_a_state_that_is_not_there_is_told(services: list[Service], caplog: pytest.LogCaptureFixture) -> None:
    service = service_of(services, world(Send=numbered(1), Sned=numbered(1)))
    assert outcome(service, send())[0] == "SUCCEEDED"
    assert caplog.messages == [
        "MockConfigFile.json: the test case Mocked of orders answers 'Sned', which is no state of it"
    ]


# --- after a restart --------------------------------------------------------------------------------------


class Kept:
    """A service on a file, which can be closed and opened again, with other mocks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.clock = SimulatedClock()

    def open(self, world: World | None) -> Api:
        self.store = SqliteStore(self._path)
        self.api = Api(clock=self.clock, store=self.store, world=world)
        return self.api

    def close(self) -> None:
        self.api.settle(lambda: False, 0)
        self.api.close()
        self.store.close()


@pytest.mark.parametrize("distributed", [False, True])
def test_case_and_count_survive_a_restart(tmp_path: Path, distributed: bool) -> None:
    definition = send(Retry=RETRY)
    if distributed:
        definition = each(definition | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}})
    kept, mocked = Kept(tmp_path / "k.db"), world(Send=BUSY_AT_FIRST)
    api = kept.open(mocked)
    created = api.call("CreateStateMachine", {"name": "orders", "definition": text(definition), "roleArn": ROLE})
    started = api.call("StartExecution", {"stateMachineArn": created["stateMachineArn"] + "#Mocked", "input": "[1]"})
    kept.close()
    api = kept.open(mocked)
    api.settle(lambda: False, 60)
    described = api.call("DescribeExecution", {"executionArn": started["executionArn"]})
    assert "third" in described["output"]
    kept.close()


class Counts:
    """A handler that is asked for answers, counts, and is killed before it gives one."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def __call__(self, task: RunTask, reply: Reply) -> None:
        self.numbers += [reply.count(), reply.count()]

    def resume(self, task: RunTask, job: Any, reply: Reply) -> None:
        raise AssertionError


def test_a_task_that_is_begun_again_is_not_counted_again(tmp_path: Path) -> None:
    kept, mocked, counts = Kept(tmp_path / "k.db"), world(Send=numbered(1)), Counts()
    api = kept.open(mocked)
    api.service.engine.handler = counts
    created = api.call("CreateStateMachine", {"name": "orders", "definition": text(send()), "roleArn": ROLE})
    started = api.call("StartExecution", {"stateMachineArn": created["stateMachineArn"] + "#Mocked"})
    api.settle(lambda: False, 1)
    kept.close()
    assert counts.numbers == [0, 0]
    api = kept.open(mocked)
    api.settle(lambda: False, 1)
    assert api.call("DescribeExecution", {"executionArn": started["executionArn"]})["output"] == '{"MessageId":"0"}'
    kept.close()


def test_what_was_mocked_is_not_done_in_earnest_after_a_restart_without_mocks(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "k.db")
    api = kept.open(world(Send=BUSY_AT_FIRST))
    created = api.call("CreateStateMachine", {"name": "orders", "definition": text(send(Retry=RETRY)), "roleArn": ROLE})
    started = api.call("StartExecution", {"stateMachineArn": created["stateMachineArn"] + "#Mocked"})
    kept.close()
    api = kept.open(None)
    api.settle(lambda: False, 60)
    described = api.call("DescribeExecution", {"executionArn": started["executionArn"]})
    assert (described["status"], described["error"]) == ("FAILED", "States.Runtime")
    assert "test case 'Mocked', state 'Send': there are no mocks" in described["cause"]
    kept.close()
