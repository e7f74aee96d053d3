"""The server with a world of its own: mocks, faults and local functions, seen by boto3."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kaidan.server.process import StartError
from tests.server.support import ROLE, Process, client, running

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:charge"


def machine(sfn: Any, resource: str, parameters: Any = None, name: str = "Orders", **fields: Any) -> str:
    state = {"Type": "Task", "Resource": resource, "End": True, **fields}
    if parameters is not None:
        state["Parameters"] = parameters
    definition = json.dumps({"StartAt": "Charge", "States": {"Charge": state}})
    arn: str = sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
    return arn


def outcome(sfn: Any, machine_arn: str, **given: Any) -> tuple[str, Any]:
    return ended(sfn, sfn.start_execution(stateMachineArn=machine_arn, **given)["executionArn"])


def ended(sfn: Any, arn: str) -> tuple[str, Any]:
    until = time.monotonic() + 20
    while (described := sfn.describe_execution(executionArn=arn))["status"] == "RUNNING" and time.monotonic() < until:
        time.sleep(0.02)
    return described["status"], json.loads(described["output"]) if "output" in described else described.get("error")


MOCKS = """
StateMachines:
  Orders:
    TestCases:
      HappyPath: {Charge: charged}
      Busy: {Charge: busy}
      BusyAtFirst: {Charge: busy at first}
      Unfit: {Charge: unfit}
MockedResponses:
  busy at first: {"0": {Throw: {Error: Busy}}, "1": {Return: {Payload: {paid: late}}}}
  unfit: {"0": {Return: {StatusCode: OK}}}
  charged: {"0": {Return: {Payload: {paid: true}}}}
  busy: {"0": {Throw: {Error: Busy, Cause: later}}}
"""


def test_test_cases(tmp_path: Path) -> None:
    mocks = tmp_path / "mocks.yaml"
    mocks.write_text(MOCKS)
    with running(in_memory=True, mocks=mocks) as server:
        sfn = client(server.url)
        arn = machine(sfn, FUNCTION)
        assert outcome(sfn, arn + "#HappyPath") == ("SUCCEEDED", {"paid": True})
        assert outcome(sfn, arn + "#Busy") == ("FAILED", "Busy")
        with pytest.raises(ClientError, match="no test case 'Other'"):
            sfn.start_execution(stateMachineArn=arn + "#Other")


def test_results_are_checked_if_asked(tmp_path: Path) -> None:
    mocks = tmp_path / "mocks.yaml"
    mocks.write_text(MOCKS)
    with running(in_memory=True, mocks=mocks, mock_validation="STRICT") as server:
        sfn = client(server.url)
        arn = machine(sfn, "arn:aws:states:::lambda:invoke", {"FunctionName": "charge"})
        assert outcome(sfn, arn + "#Unfit") == ("FAILED", "States.Runtime")
        assert outcome(sfn, arn + "#HappyPath") == ("SUCCEEDED", {"Payload": {"paid": True}})


def test_a_test_case_survives_a_kill(tmp_path: Path) -> None:
    mocks = tmp_path / "mocks.yaml"
    mocks.write_text(MOCKS)
    arguments = ("--data", str(tmp_path / "data"), "--mocks", str(mocks))
    server = Process(*arguments)
    sfn = client(server.url)
    retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    arn = machine(sfn, FUNCTION, Retry=retry)
    execution = sfn.start_execution(stateMachineArn=arn + "#BusyAtFirst")["executionArn"]
    while len(sfn.get_execution_history(executionArn=execution)["events"]) < 5:
        time.sleep(0.02)
    server.kill()
    server = Process(*arguments)
    try:
        assert ended(client(server.url), execution) == ("SUCCEEDED", {"paid": "late"})
    finally:
        server.stop()


def test_without_mocks_there_are_no_test_cases() -> None:
    with running(in_memory=True) as server:
        sfn = client(server.url)
        arn = machine(sfn, FUNCTION)
        with pytest.raises(ClientError):
            sfn.start_execution(stateMachineArn=arn + "#HappyPath")


def test_local_functions_and_faults(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("def handler(event, context):\n    return {'paid': event['sum'] * 2}\n")
    functions, faults = tmp_path / "functions.yaml", tmp_path / "faults.yaml"
    functions.write_text("functions:\n  charge: {handler: 'code.py:handler', timeout: 20}\ndefault: none\n")
    faults.write_text('rules:\n  - {resource: "sqs:*", fail: {error: Busy}}\n')
    with running(in_memory=True, functions=functions, faults=faults) as server:
        sfn = client(server.url)
        assert outcome(sfn, machine(sfn, FUNCTION), input='{"sum": 2}') == ("SUCCEEDED", {"paid": 4})
        queue = machine(
            sfn, "arn:aws:states:::sqs:sendMessage", {"QueueUrl": "http://q", "MessageBody": "b"}, name="Queue"
        )
        assert outcome(sfn, queue) == ("FAILED", "Busy")


@pytest.mark.parametrize("setting", ["mocks", "faults", "functions", "connections"])
def test_a_file_that_cannot_be_used(setting: str, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("- 1\n")
    with pytest.raises(StartError, match=r"wrong\.yaml"), running(in_memory=True, **{setting: file}):
        pass
