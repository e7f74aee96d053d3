"""`kaidan run` with mocks, faults and functions of files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kaidan.cli.main import cli

QUEUE = {
    "StartAt": "Send",
    "States": {
        "Send": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {"QueueUrl": "http://q", "MessageBody": "b"},
            "End": True,
        }
    },
}
MOCKS = {
    "StateMachines": {"orders": {"TestCases": {"Sent": {"Send": "sent"}, "Unfit": {"Send": "unfit", "Sned": "sent"}}}},
    "MockedResponses": {"sent": {"0": {"Return": {"MessageId": "1"}}}, "unfit": {"0": {"Return": {"MessageId": 1}}}},
}
ACTIVITY = {"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:worker", "End": True}


def run(tmp_path: Path, *arguments: str, machine: Any = QUEUE) -> tuple[int, str]:
    definition = tmp_path / "orders.asl.json"
    definition.write_text(json.dumps(machine))
    result = CliRunner().invoke(cli, ["run", str(definition), *arguments, "--json"])
    return result.exit_code, result.output


@pytest.fixture
def mocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KAIDAN_HOME", str(tmp_path / "home"))
    file = tmp_path / "mocks.json"
    file.write_text(json.dumps(MOCKS))
    return str(file)


def test_a_test_case(mocks: str, tmp_path: Path) -> None:
    code, said = run(tmp_path, "--mocks", mocks, "--case", "Sent")
    outcome: dict[str, Any] = json.loads(said)
    assert (code, outcome["output"]) == (0, {"MessageId": "1"})


def test_what_only_a_mock_can_answer_here(mocks: str, tmp_path: Path) -> None:
    machine = {"StartAt": "Send", "States": {"Send": ACTIVITY}}
    assert run(tmp_path, machine=machine)[0] != 0
    code, said = run(tmp_path, "--mocks", mocks, "--case", "Sent", machine=machine)
    assert (code, json.loads(said)["output"]) == (0, {"MessageId": "1"})


def test_results_are_checked_if_asked(mocks: str, tmp_path: Path) -> None:
    code, said = run(tmp_path, "--mocks", mocks, "--case", "Unfit")
    assert code == 0
    assert "the test case Unfit answers 'Sned', which is no Task here" in said
    code, said = run(tmp_path, "--mocks", mocks, "--case", "Unfit", "--mock-validation", "present")
    assert code != 0
    assert "test case 'Unfit', state 'Send', invocation 0" in said


def test_a_case_that_is_not_there(mocks: str, tmp_path: Path) -> None:
    code, said = run(tmp_path, "--mocks", mocks, "--case", "Lost")
    assert code != 0
    assert "no test case 'Lost'" in said


def test_mocks_need_a_case(mocks: str, tmp_path: Path) -> None:
    assert "need each other" in run(tmp_path, "--mocks", mocks)[1]


def test_faults(mocks: str, tmp_path: Path) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text("rules:\n  - {resource: 'sqs:*', fail: {error: Busy}}\n")
    code, said = run(tmp_path, "--mocks", mocks, "--case", "Sent", "--faults", str(faults))
    assert code != 0
    assert json.loads(said)["error"] == "Busy"
