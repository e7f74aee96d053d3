"""A machine that tests a state (`aws-sdk:sfn:testState`) keeps nobody else waiting."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.server.conftest import surroundings  # noqa: F401  # (a fixture)
from tests.server.support import PASS, client, machine, running

WAIT = {"Type": "Wait", "Seconds": 2, "End": True}


def trying(state: dict[str, Any]) -> dict[str, Any]:
    parameters = {"Definition": json.dumps(state), "Input": "{}"}
    resource = "arn:aws:states:::aws-sdk:sfn:testState"
    return {
        "StartAt": "Test",
        "States": {"Test": {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}},
    }


def test_a_state_that_takes_its_time(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(data=tmp_path / "data") as server:
        sfn = client(server.url)
        slow, quick = machine(sfn, "slow", trying(WAIT)), machine(sfn, "quick", PASS)
        execution = sfn.start_execution(stateMachineArn=slow)["executionArn"]
        began = time.monotonic()
        sfn.start_execution(stateMachineArn=quick)
        assert time.monotonic() - began < 1
        while (described := sfn.describe_execution(executionArn=execution))["status"] == "RUNNING":
            time.sleep(0.05)
        assert described["status"] == "SUCCEEDED", described
        assert json.loads(described["output"])["Status"] == "SUCCEEDED"
        assert time.monotonic() - began >= 1.5
