"""Answers of another day."""

from __future__ import annotations

import datetime

import pytest

from tests.service.support import Service

ENCRYPTION = datetime.date(2024, 7, 25)
REDRIVE = datetime.date(2023, 11, 15)


@pytest.mark.parametrize("days", [-1, 0])
def test_encryption(days: int) -> None:
    service = Service(as_of=ENCRYPTION + datetime.timedelta(days))
    arn = service.machine()
    activity = service("CreateActivity", name="a")["activityArn"]
    answers = [
        service("DescribeStateMachine", stateMachineArn=arn),
        service("DescribeStateMachineForExecution", executionArn=service.run(arn)),
        service("DescribeActivity", activityArn=activity),
    ]
    assert ["encryptionConfiguration" in answer for answer in answers] == [days == 0] * 3
    service.api.close()


@pytest.mark.parametrize("days", [-1, 0])
def test_redrive(days: int) -> None:
    service = Service(as_of=REDRIVE + datetime.timedelta(days))
    arn = service.machine()
    described = service("DescribeExecution", executionArn=service.run(arn))
    (listed,) = service("ListExecutions", stateMachineArn=arn)["executions"]
    assert [("redriveCount" in answer) for answer in (described, listed)] == [days == 0] * 2
    assert ("redriveStatus" in described) == (days == 0)
    service.api.close()
