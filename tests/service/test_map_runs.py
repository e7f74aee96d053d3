"""Map Runs: listed, described, changed; and the executions that they start."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.service.support import ARN, Service

WORKER = ARN + "activity:worker"
PROCESSOR = {
    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    "StartAt": "Work/each",
    "States": {"Work/each": {"Type": "Task", "Resource": WORKER, "End": True}},
}
EACH: dict[str, Any] = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "Label": "each",
            "MaxConcurrency": 2,
            "ToleratedFailurePercentage": 50,
            "ItemProcessor": PROCESSOR,
            "End": True,
        }
    },
}


def running(service: Service, items: int = 4) -> tuple[str, str]:
    """An execution in its Map state, and the ARN of its Map Run."""
    service("CreateActivity", name="worker")
    execution = service.run(service.machine(definition=EACH), input=json.dumps(list(range(items))))
    (map_run,) = service("ListMapRuns", executionArn=execution)["mapRuns"]
    return execution, map_run["mapRunArn"]


def finish(service: Service, count: int, **failure: str) -> None:
    for _ in range(count):
        token = service("GetActivityTask", activityArn=WORKER)["taskToken"]
        if failure:
            service("SendTaskFailure", taskToken=token, **failure)
        else:
            service("SendTaskSuccess", taskToken=token, output="0")
        service.settle()


def counts(service: Service, map_run: str) -> dict[str, int]:
    described = service("DescribeMapRun", mapRunArn=map_run)
    assert described["itemCounts"] == described["executionCounts"]
    return {name: count for name, count in described["executionCounts"].items() if count}


def test_from_beginning_to_end(service: Service) -> None:
    execution, map_run = running(service)
    assert map_run.startswith(ARN + "mapRun:orders/each:")
    assert counts(service, map_run) == {"running": 2, "pending": 2, "total": 4}
    finish(service, 3)
    assert counts(service, map_run) == {"running": 1, "succeeded": 3, "total": 4}
    finish(service, 1, error="Bad")
    assert counts(service, map_run) == {"succeeded": 3, "failed": 1, "total": 4, "resultsWritten": 4}
    described = service("DescribeMapRun", mapRunArn=map_run)
    assert described["status"] == "SUCCEEDED"
    assert (described["maxConcurrency"], described["toleratedFailureCount"]) == (2, 0)
    assert (described["toleratedFailurePercentage"], described["redriveCount"]) == (50.0, 0)
    (listed,) = service("ListMapRuns", executionArn=execution)["mapRuns"]
    assert listed == {
        "executionArn": execution,
        "mapRunArn": map_run,
        "stateMachineArn": ARN + "stateMachine:orders/each",
        "startDate": described["startDate"],
        "stopDate": described["stopDate"],
    }


def test_children(service: Service) -> None:
    execution, map_run = running(service)
    finish(service, 1)
    children = service("ListExecutions", mapRunArn=map_run)["executions"]
    assert len(children) == 3
    assert {child["mapRunArn"] for child in children} == {map_run}
    assert {child["stateMachineArn"] for child in children} == {ARN + "stateMachine:orders/each"}
    assert len(service("ListExecutions", mapRunArn=map_run, statusFilter="RUNNING")["executions"]) == 2
    parents = service("ListExecutions", stateMachineArn=ARN + "stateMachine:orders")["executions"]
    assert [parent["executionArn"] for parent in parents] == [execution]
    child = children[0]["executionArn"]
    assert service("DescribeExecution", executionArn=child)["mapRunArn"] == map_run
    machine = service("DescribeStateMachineForExecution", executionArn=child)
    assert (machine["mapRunArn"], machine["label"], machine["name"]) == (map_run, "each", "orders")
    assert json.loads(machine["definition"]) == {name: PROCESSOR[name] for name in ("StartAt", "States")}


def test_children_that_never_began(service: Service) -> None:
    _, map_run = running(service, items=10)
    finish(service, 6, error="Bad")
    assert service("DescribeMapRun", mapRunArn=map_run)["status"] == "FAILED"
    assert counts(service, map_run) == {"failed": 6, "aborted": 1, "pending": 3, "total": 10, "resultsWritten": 10}


def test_more_at_a_time(service: Service) -> None:
    _, map_run = running(service, items=10)
    service("UpdateMapRun", mapRunArn=map_run, maxConcurrency=5, toleratedFailureCount=3)
    service.settle()
    finish(service, 1)
    assert counts(service, map_run) == {"running": 5, "succeeded": 1, "pending": 4, "total": 10}
    described = service("DescribeMapRun", mapRunArn=map_run)
    assert (described["maxConcurrency"], described["toleratedFailureCount"]) == (5, 3)
    assert described["toleratedFailurePercentage"] == 50.0


def test_fewer_failures_than_there_were(service: Service) -> None:
    """What is tolerated counts for the failures so far, too."""
    execution, map_run = running(service, items=10)
    finish(service, 2, error="Bad")
    assert service("DescribeMapRun", mapRunArn=map_run)["status"] == "RUNNING"
    service("UpdateMapRun", mapRunArn=map_run, toleratedFailureCount=1)
    service.settle()
    assert service("DescribeMapRun", mapRunArn=map_run)["status"] == "FAILED"
    assert counts(service, map_run) == {"failed": 2, "aborted": 2, "pending": 6, "total": 10, "resultsWritten": 10}
    assert service("DescribeExecution", executionArn=execution)["error"] == "States.ExceedToleratedFailureThreshold"


def test_lines_of_results_that_had_several(service: Service) -> None:
    """JSON Lines has each on one, however a worker has sent it."""
    service("CreateActivity", name="worker")
    config = {"Transformation": "COMPACT", "OutputType": "JSONL"}
    state = EACH["States"]["Each"] | {"ResultWriter": {"WriterConfig": config}}
    execution = service.run(service.machine(definition=EACH | {"States": {"Each": state}}), input="[1, 2]")
    for _ in range(2):
        token = service("GetActivityTask", activityArn=WORKER)["taskToken"]
        service("SendTaskSuccess", taskToken=token, output='{"a":\n1}')
    service.settle()
    assert json.loads(service("DescribeExecution", executionArn=execution)["output"]) == '{"a":1}\n{"a":1}'


def test_updates_that_say_nothing_or_come_too_late(service: Service) -> None:
    _, map_run = running(service)
    assert service.refuses("UpdateMapRun", mapRunArn=map_run)[0] == "ValidationException"
    finish(service, 4)
    assert service.refuses("UpdateMapRun", mapRunArn=map_run, maxConcurrency=1)[0] == "ValidationException"


@pytest.mark.parametrize(
    ("operation", "params"),
    [("DescribeMapRun", {}), ("UpdateMapRun", {"maxConcurrency": 1}), ("ListExecutions", {})],
)
def test_a_map_run_that_is_not_there(service: Service, operation: str, params: dict[str, int]) -> None:
    arn = ARN + "mapRun:orders/each:missing"
    assert service.refuses(operation, mapRunArn=arn, **params)[0] == "ResourceNotFound"


def test_executions_without_map_runs(service: Service) -> None:
    assert service("ListMapRuns", executionArn=service.run(service.machine())) == {"mapRuns": []}


def test_children_are_redriven_by_their_map_run_alone(service: Service) -> None:
    _, map_run = running(service)
    finish(service, 1, error="Bad")
    (child,) = service("ListExecutions", mapRunArn=map_run, statusFilter="FAILED")["executions"]
    described = service("DescribeExecution", executionArn=child["executionArn"])
    assert described["redriveStatus"] == "REDRIVABLE_BY_MAP_RUN"
    assert service.refuses("RedriveExecution", executionArn=child["executionArn"])[0] == "ExecutionNotRedrivable"
