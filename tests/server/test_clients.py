"""AWS's own clients: boto3 and the AWS command line, which must not notice whom they talk to."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.server.support import ARN, PASS, ROLE, Running, client, machine, running, waiting

WAIT_S = 5.0


def ended(sfn: Any, arn: str) -> Any:
    deadline = time.monotonic() + WAIT_S
    while True:
        execution = sfn.describe_execution(executionArn=arn)
        if execution["status"] != "RUNNING":
            return execution
        assert time.monotonic() < deadline, execution
        time.sleep(0.01)


def test_from_a_machine_to_its_history(sfn: Any) -> None:
    before = datetime.datetime.now(datetime.UTC)
    arn = sfn.start_execution(stateMachineArn=machine(sfn), name="first", input='{"a": 1}')["executionArn"]
    assert arn == f"{ARN}execution:orders:first"
    execution = ended(sfn, arn)
    assert (execution["status"], execution["output"]) == ("SUCCEEDED", '{"a":1}')
    assert abs(execution["startDate"] - before) < datetime.timedelta(seconds=5)
    events = sfn.get_execution_history(executionArn=arn)["events"]
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]


def test_sync_express(sfn: Any) -> None:
    arn = machine(sfn, definition=waiting(0), type="EXPRESS")
    answer = sfn.start_sync_execution(stateMachineArn=arn, input="{}")
    assert (answer["status"], json.loads(answer["output"])) == ("SUCCEEDED", {"done": True})
    assert answer["billingDetails"]["billedDurationInMilliseconds"] >= 100


def test_many_sync_executions_at_a_time(server: Running, sfn: Any) -> None:
    """Each waits a second; none waits for another."""
    arn = machine(sfn, definition=waiting(1), type="EXPRESS")
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda: answers.append(client(server.url).start_sync_execution(stateMachineArn=arn)))
        for _ in range(4)
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer["status"] for answer in answers] == ["SUCCEEDED"] * 4
    assert time.monotonic() - began < 3


def test_test_state_does_not_hold_up_the_others(server: Running, sfn: Any) -> None:
    state = json.dumps({"Type": "Wait", "Seconds": 1, "End": True})
    tested: list[Any] = []
    thread = threading.Thread(
        target=lambda: tested.append(client(server.url).test_state(definition=state, roleArn=ROLE))
    )
    thread.start()
    began = time.monotonic()
    while thread.is_alive():
        asked = time.monotonic()
        sfn.list_state_machines()
        assert time.monotonic() - asked < 0.5
    assert tested[0]["status"] == "SUCCEEDED"
    assert time.monotonic() - began > 0.9


def test_test_state_of_a_task_of_this_service(sfn: Any) -> None:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:describeStateMachine",
        "Parameters": {"StateMachineArn": machine(sfn)},
        "End": True,
    }
    answer = sfn.test_state(definition=json.dumps(state), roleArn=ROLE)
    assert json.loads(answer["output"])["Name"] == "orders"


def test_activities(server: Running, sfn: Any) -> None:
    activity = sfn.create_activity(name="approve")["activityArn"]
    task = {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": activity, "End": True}}}
    polled: list[Any] = []
    worker = threading.Thread(
        target=lambda: polled.append(client(server.url).get_activity_task(activityArn=activity, workerName="w"))
    )
    worker.start()
    arn = sfn.start_execution(stateMachineArn=machine(sfn, definition=task), input='{"n": 1}')["executionArn"]
    worker.join(WAIT_S)
    sfn.send_task_heartbeat(taskToken=polled[0]["taskToken"])
    sfn.send_task_success(taskToken=polled[0]["taskToken"], output='"yes"')
    assert ended(sfn, arn)["output"] == '"yes"'
    with pytest.raises(sfn.exceptions.TaskTimedOut):
        sfn.send_task_success(taskToken=polled[0]["taskToken"], output='"yes"')


def test_paginators(sfn: Any) -> None:
    arn = machine(sfn)
    names = [f"run-{number}" for number in range(7)]
    for name in names:
        sfn.start_execution(stateMachineArn=arn, name=name)
    pages = sfn.get_paginator("list_executions").paginate(stateMachineArn=arn, maxResults=3)
    assert [[each["name"] for each in page["executions"]] for page in pages] == [names[:3:-1], names[3:0:-1], names[:1]]
    history = sfn.get_paginator("get_execution_history")
    pages = history.paginate(executionArn=f"{ARN}execution:orders:run-0", maxResults=3)
    assert [event["id"] for page in pages for event in page["events"]] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("operation", "key"), [("list_state_machines", "stateMachines"), ("list_activities", "activities")]
)
def test_paginators_of_lists(sfn: Any, operation: str, key: str) -> None:
    names = [f"m{number}" for number in range(5)]
    for name in names:
        machine(sfn, name)
        sfn.create_activity(name=name)
    pages = list(sfn.get_paginator(operation).paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page[key]) for page in pages] == [2, 2, 1]
    assert sorted(each["name"] for page in pages for each in page[key]) == names


def test_modelled_errors_have_their_classes(sfn: Any) -> None:
    with pytest.raises(sfn.exceptions.ExecutionDoesNotExist) as refusal:
        sfn.describe_execution(executionArn=f"{ARN}execution:orders:none")
    error = refusal.value.response
    assert error["Error"]["Message"] == f"Execution Does Not Exist: '{ARN}execution:orders:none'"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    with pytest.raises(ClientError, match="ValidationException"):
        sfn.create_activity(name="x" * 81)


# --- credentials ------------------------------------------------------------------------------------------

CREDENTIALS = """
[one]
aws_access_key_id = AKIAONE
aws_secret_access_key = secret-of-one
aws_account_id = 111111111111

[two]
aws_access_key_id = AKIATWO
aws_secret_access_key = secret-of-two
aws_account_id = 222222222222
"""


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    path = tmp_path / "credentials"
    path.write_text(CREDENTIALS)
    return path


def test_accounts_are_kept_apart(credentials: Path, tmp_path: Path) -> None:
    with running(data=tmp_path / "data", credentials=credentials, host="127.0.0.1") as server:
        one, two = client(server.url, "AKIAONE", "secret-of-one"), client(server.url, "AKIATWO", "secret-of-two")
        arn = machine(one)
        execution = one.start_execution(stateMachineArn=arn)["executionArn"]
        assert ":111111111111:" in arn
        with pytest.raises(two.exceptions.StateMachineDoesNotExist):
            two.describe_state_machine(stateMachineArn=arn)
        with pytest.raises(two.exceptions.ExecutionDoesNotExist):
            two.describe_execution(executionArn=execution)
        assert two.list_state_machines()["stateMachines"] == []
        assert ":222222222222:" in machine(two)
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == [
        "111111111111.us-east-1.db",
        "222222222222.us-east-1.db",
    ]


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [
        ("AKIAONE", "guessed", "InvalidSignatureException"),
        ("AKIANOBODY", "secret-of-one", "UnrecognizedClientException"),
    ],
)
def test_strangers_may_not_call(credentials: Path, key: str, secret: str, code: str) -> None:
    with running(in_memory="true", credentials=credentials) as server:
        for region in ("us-east-1", "eu-west-1"):
            client(server.url, "AKIAONE", "secret-of-one", region).list_activities()
        with pytest.raises(ClientError) as refusal:
            client(server.url, key, secret).list_activities()
    assert refusal.value.response["Error"]["Code"] == code


# --- regions ----------------------------------------------------------------------------------------------


def test_each_region_has_its_own_as_on_aws(tmp_path: Path) -> None:
    """What a client signs for is where it is: ARNs name it, and nothing is seen from elsewhere."""
    with running(data=tmp_path, region="") as server:
        here, there = client(server.url), client(server.url, region="eu-west-1")
        machine(here)
        arn = machine(there, definition=waiting(2))
        assert arn == "arn:aws:states:eu-west-1:123456789012:stateMachine:orders"
        execution = there.start_execution(stateMachineArn=arn)["executionArn"]
        assert execution.startswith("arn:aws:states:eu-west-1:123456789012:execution:orders:")
        with pytest.raises(here.exceptions.StateMachineDoesNotExist):
            here.describe_state_machine(stateMachineArn=arn)
        with pytest.raises(ClientError, match="scoped to a valid region"):
            client(server.url, region="nowhere").list_activities()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "123456789012.eu-west-1.db",
        "123456789012.us-east-1.db",
    ]
    with running(data=tmp_path, region="") as server:  # goes on there before anybody asks
        assert len(server.server.files) == 2
        assert ended(client(server.url, region="eu-west-1"), execution)["status"] == "SUCCEEDED"


def test_regions_of_other_partitions() -> None:
    with running(in_memory="true", region="") as server:
        sfn = client(server.url, region="us-gov-west-1")
        arn = machine(sfn)
        assert arn == "arn:aws-us-gov:states:us-gov-west-1:123456789012:stateMachine:orders"
        execution = sfn.start_execution(stateMachineArn=arn)["executionArn"]
        assert execution.startswith("arn:aws-us-gov:states:us-gov-west-1:123456789012:execution:orders:")
        assert ended(sfn, execution)["status"] == "SUCCEEDED"


def test_one_region_for_all_when_a_setting_says_so(tmp_path: Path) -> None:
    with running(data=tmp_path, region="ap-northeast-1") as server:
        arn = machine(client(server.url))
        assert arn == "arn:aws:states:ap-northeast-1:123456789012:stateMachine:orders"
        assert client(server.url, region="eu-west-1").describe_state_machine(stateMachineArn=arn)["name"] == "orders"


def test_accounts_are_apart_in_every_region(credentials: Path, tmp_path: Path) -> None:
    with running(data=tmp_path / "data", credentials=credentials, region="") as server:
        one = client(server.url, "AKIAONE", "secret-of-one", "eu-west-1")
        two = client(server.url, "AKIATWO", "secret-of-two", "eu-west-1")
        assert machine(one).startswith("arn:aws:states:eu-west-1:111111111111:")
        assert two.list_state_machines()["stateMachines"] == []


# --- the AWS command line ---------------------------------------------------------------------------------


def aws(url: str, *arguments: str) -> Any:
    """As after `eval "$(kaidan env --no-account)"`."""
    set_by_env = {
        "AWS_ENDPOINT_URL_SFN": url,
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "AWS_ACCESS_KEY_ID": "kaidan",
        "AWS_SECRET_ACCESS_KEY": "kaidan",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [sys.executable, str(Path(sys.executable).with_name("aws")), "stepfunctions", *arguments]
    done = subprocess.run(command, env=os.environ | set_by_env, capture_output=True, text=True, timeout=60, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


def test_the_aws_command_line(server: Running) -> None:
    definition = ["--definition", json.dumps(PASS), "--role-arn", ROLE]
    created = aws(server.url, "create-state-machine", "--name", "orders", "--type", "EXPRESS", *definition)
    assert created["stateMachineArn"] == f"{ARN}stateMachine:orders"
    ran = aws(server.url, "start-sync-execution", "--state-machine-arn", created["stateMachineArn"])
    assert ran["status"] == "SUCCEEDED"
    refused = aws(server.url, "describe-execution", "--execution-arn", f"{ARN}execution:orders:none")
    assert "An error occurred (ExecutionDoesNotExist) when calling the DescribeExecution operation" in refused
