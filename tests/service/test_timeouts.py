"""States whose time is up, in real time: the call in flight is cancelled, and what comes late is not taken."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from kaidan.integrations.clients import AwsSettings, ClientFactory
from kaidan.runtime.sources import RealClock
from tests.integrations.loopback import Exchange, Loopback, loopback
from tests.service.support import Service

LIMIT_S = 20.0


@pytest.fixture
def over() -> threading.Event:
    return threading.Event()


@pytest.fixture
def server(over: threading.Event) -> Iterator[Loopback]:
    """SQS hangs until it is told not to, SNS answers."""

    def answer(exchange: Exchange) -> None:
        if b"sqs" in exchange.headers.get("Authorization", "").encode():
            over.wait(LIMIT_S)
        exchange.reply(200, "{}")

    with loopback(answer) as made:
        yield made
        over.set()


@pytest.fixture
def service(server: Loopback) -> Iterator[Service]:
    settings = AwsSettings(region="us-east-1", endpoint_url=server.url, access_key="a", secret_key="s", max_attempts=1)
    made = Service(clock=RealClock(), clients=ClientFactory(settings))
    yield made
    made.api.close()


def calling(action: str, parameters: Any, **fields: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:{action}", "Parameters": parameters, "End": True}
    return {"StartAt": "Call", "States": {"Call": state | fields}}


HANGS = calling("sqs:listQueues", {}, TimeoutSeconds=1)


def run_until(service: Service, *arns: str) -> list[str]:
    """How executions end."""

    def statuses() -> list[str]:
        return [service("DescribeExecution", executionArn=arn)["status"] for arn in arns]

    assert service.api.service.engine.run_until(lambda: "RUNNING" not in statuses(), LIMIT_S)
    return statuses()


def let_threads_end(service: Service) -> float:
    """How long it takes until nothing is under way."""
    began, engine = time.monotonic(), service.api.service.engine
    engine.run_until(lambda: engine.busy == 0, LIMIT_S)
    assert engine.busy == 0
    return time.monotonic() - began


def start(service: Service, machine: str) -> str:
    arn: str = service("StartExecution", stateMachineArn=machine)["executionArn"]
    return arn


def test_the_call_is_cancelled(service: Service, server: Loopback) -> None:
    began = time.monotonic()
    arn = start(service, service.machine("hangs", HANGS))
    assert run_until(service, arn) == ["FAILED"]
    assert let_threads_end(service) < 3
    assert 1 <= time.monotonic() - began < 5
    described = service("DescribeExecution", executionArn=arn)
    assert described["error"] == "States.Timeout"
    assert len(server.requests) == 1


def test_calls_that_hang_do_not_keep_others_from_their_turn(service: Service) -> None:
    hangs = service.machine("hangs", HANGS)
    arns = [start(service, hangs) for _ in range(40)]
    assert set(run_until(service, *arns)) == {"FAILED"}
    answers = start(service, service.machine("answers", calling("sns:listTopics", {})))
    began = time.monotonic()
    run_until(service, answers)
    assert time.monotonic() - began < 5


def test_a_late_answer_is_not_taken(service: Service, over: threading.Event) -> None:
    definition = calling("sqs:listQueues", {}, TimeoutSeconds=1)
    definition["States"]["Call"] |= {"Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "Hold"}]}
    definition["States"]["Hold"] = {"Type": "Wait", "Seconds": 1, "End": True}
    arn = start(service, service.machine("caught", definition))
    engine = service.api.service.engine
    engine.run_until(lambda: any(event.type == "WaitStateEntered" for event in engine.runs[arn].history), LIMIT_S)
    over.set()
    assert run_until(service, arn) == ["SUCCEEDED"]
    types = [event["type"] for event in service("GetExecutionHistory", executionArn=arn)["events"]]
    assert "TaskTimedOut" in types
    assert "TaskSucceeded" not in types


def test_a_stopped_execution_lets_go_too(service: Service) -> None:
    arn = start(service, service.machine("hangs", calling("sqs:listQueues", {})))
    engine = service.api.service.engine
    engine.run_until(lambda: engine.busy == 1, LIMIT_S)
    service("StopExecution", executionArn=arn)
    assert let_threads_end(service) < 3
