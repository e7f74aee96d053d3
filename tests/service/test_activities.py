"""Activities and the tokens of tasks that somebody else carries out."""

from __future__ import annotations

import pytest

from tests.service.support import ARN, Service

PACK = ARN + "activity:pack"
TASK = {"StartAt": "Pack", "States": {"Pack": {"Type": "Task", "Resource": PACK, "TimeoutSeconds": 100, "End": True}}}
KEY = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "alias/mine", "kmsDataKeyReusePeriodSeconds": 60}


def test_the_life_of_an_activity(service: Service) -> None:
    created = service("CreateActivity", name="pack")
    service.pass_time(1000)
    assert service("CreateActivity", name="pack", tags=[{"key": "k", "value": "v"}]) == created
    assert service("DescribeActivity", activityArn=PACK) == created | {
        "name": "pack",
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
    }
    refusal = service.refuses("CreateActivity", name="pack", encryptionConfiguration=KEY)
    assert refusal == ("ActivityAlreadyExists", f"Activity Already Exists: '{PACK}'")
    service("DeleteActivity", activityArn=PACK)
    service("DeleteActivity", activityArn=PACK)
    for operation in ("DescribeActivity", "GetActivityTask"):
        refusal = service.refuses(operation, activityArn=PACK)
        assert refusal == ("ActivityDoesNotExist", f"Activity Does Not Exist: '{PACK}'")


def test_encryption_is_described(service: Service) -> None:
    service("CreateActivity", name="pack", encryptionConfiguration=KEY)
    assert service("DescribeActivity", activityArn=PACK)["encryptionConfiguration"] == KEY


def test_listed_by_name(service: Service) -> None:
    for name in ("c", "a", "b"):
        service("CreateActivity", name=name)
    first = service("ListActivities", maxResults=2)
    rest = service("ListActivities", nextToken=first["nextToken"])
    assert [item["name"] for item in first["activities"] + rest["activities"]] == ["a", "b", "c"]


def started(service: Service) -> tuple[str, str]:
    """An execution that waits for a worker, and its task's token."""
    service("CreateActivity", name="pack")
    execution = service.run(service.machine(definition=TASK), input='{"n": 1}')
    task = service("GetActivityTask", activityArn=PACK, workerName="w")
    assert task["input"] == '{"n":1}'
    token: str = task["taskToken"]
    return execution, token


def test_a_worker_answers(service: Service) -> None:
    execution, token = started(service)
    service("SendTaskHeartbeat", taskToken=token)
    service("SendTaskSuccess", taskToken=token, output='{"done":true}')
    service.settle()
    assert service("DescribeExecution", executionArn=execution)["output"] == '{"done":true}'


def test_a_worker_gives_up(service: Service) -> None:
    execution, token = started(service)
    service("SendTaskFailure", taskToken=token, error="Broken", cause="dropped")
    service.settle()
    described = service("DescribeExecution", executionArn=execution)
    assert (described["status"], described["error"], described["cause"]) == ("FAILED", "Broken", "dropped")


@pytest.mark.parametrize(("seconds", "status"), [(99, "RUNNING"), (101, "FAILED")])
def test_time_is_counted_when_a_worker_has_the_task(service: Service, seconds: int, status: str) -> None:
    """AWS guide, "Troubleshooting activities": what is stuck at ActivityScheduled has no time-out of the state's."""
    service("CreateActivity", name="pack")
    pack = {"Type": "Task", "Resource": PACK, "TimeoutSeconds": 100, "HeartbeatSeconds": 60, "End": True}
    execution = service.run(service.machine(definition={"StartAt": "Pack", "States": {"Pack": pack}}))
    service.pass_time(1_000_000)
    service.settle()
    token = service("GetActivityTask", activityArn=PACK)["taskToken"]
    service.settle()
    service.pass_time(50_000)
    service("SendTaskHeartbeat", taskToken=token)
    service.pass_time(1_000 * seconds - 50_000)
    service.settle()
    assert service("DescribeExecution", executionArn=execution)["status"] == status


def test_a_worker_that_does_not_call_in_time(service: Service) -> None:
    service("CreateActivity", name="pack")
    pack = {"Type": "Task", "Resource": PACK, "HeartbeatSeconds": 60, "End": True}
    execution = service.run(service.machine(definition={"StartAt": "Pack", "States": {"Pack": pack}}))
    service("GetActivityTask", activityArn=PACK)
    service.settle(61)
    described = service("DescribeExecution", executionArn=execution)
    assert (described["status"], described["error"]) == ("FAILED", "States.Timeout")


def test_nobody_has_work(service: Service) -> None:
    service("CreateActivity", name="pack")
    before = service.api.now()
    assert service("GetActivityTask", activityArn=PACK) == {}
    assert (service.api.now() - before).total_seconds() == 60


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize("operation", ["SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat"])
def test_tokens_after_their_time(service: Service, operation: str, settled: bool) -> None:
    """A token is good for one answer, even before its execution has heard of it."""
    _, token = started(service)
    service("SendTaskSuccess", taskToken=token, output="1")
    if settled:
        service.settle()
    params = {"output": "1"} if operation == "SendTaskSuccess" else {}
    late = service.refuses(operation, taskToken=token, **params)
    assert late == ("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
    unknown = ("InvalidToken", "Invalid Token: 'Invalid token'")
    for other in ("x", "AAAA", token[:-8], "ZQ=="):
        assert service.refuses(operation, taskToken=other, **params) == unknown


def test_an_output_that_is_no_json(service: Service) -> None:
    execution, token = started(service)
    refusal = service.refuses("SendTaskSuccess", taskToken=token, output="{done}")
    message = "Unexpected character ('d' (code 100)): was expecting double-quote to start field name"
    assert refusal == ("InvalidOutput", f"Invalid Output: '{message}'")
    assert service("DescribeExecution", executionArn=execution)["status"] == "RUNNING"


def test_a_task_for_an_activity_that_is_not_there(service: Service) -> None:
    execution = service.run(service.machine(definition=TASK))
    described = service("DescribeExecution", executionArn=execution)
    assert (described["status"], described["error"]) == ("FAILED", "States.Runtime")
    assert f"Activity Does Not Exist: '{PACK}'" in described["cause"]
