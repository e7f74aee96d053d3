"""The worker of activities and callbacks, at a real server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kaidan import worker
from kaidan.worker import Failure, Task, answer, work
from tests.server.support import ROLE, Running, client, running


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(in_memory=True) as made:
        yield made


@pytest.fixture
def sfn(server: Running) -> Any:
    return client(server.url)


def activity(sfn: Any, name: str) -> str:
    arn: str = sfn.create_activity(name=name)["activityArn"]
    return arn


def start(sfn: Any, name: str, resource: str, data: Any = None, **fields: Any) -> str:
    state = {"Type": "Task", "Resource": resource, "End": True, **fields}
    definition = json.dumps({"StartAt": "Work", "States": {"Work": state}})
    machine = sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
    arn: str = sfn.start_execution(stateMachineArn=machine, input=json.dumps(data))["executionArn"]
    return arn


def ended(sfn: Any, arn: str) -> dict[str, Any]:
    until = time.monotonic() + 20
    while (described := sfn.describe_execution(executionArn=arn))["status"] == "RUNNING":
        assert time.monotonic() < until
        time.sleep(0.02)
    found: dict[str, Any] = described
    return found


@contextmanager
def working(server: Running, arn: str, function: worker.Function, **settings: Any) -> Iterator[None]:
    """A worker in a thread of its own; it is sent away by the end of its activity."""
    stop, own = threading.Event(), client(server.url)
    thread = threading.Thread(target=work, args=(arn, function), kwargs={"client": own, "stop": stop, **settings})
    thread.start()
    try:
        yield
    finally:
        stop.set()
        start(own, f"last-{arn.rpartition(':')[2]}", arn)  # wakes those that wait
        for _ in range(settings.get("concurrency", 1) - 1):
            own.start_execution(stateMachineArn=arn.replace("activity:", "stateMachine:last-"), input="null")
        thread.join(20)
        assert not thread.is_alive()


def test_results_and_failures(server: Running, sfn: Any) -> None:
    def double(data: Any, task: Task) -> Any:
        if data is None:
            return None
        if data > 100:
            raise Failure("TooMuch", "100 at most")
        return {"doubled": data * 2, "inverse": 1 / data}

    arn = activity(sfn, "double")
    with working(server, arn, double, name="bob"):
        good = ended(sfn, start(sfn, "good", arn, 2))
        assert json.loads(good["output"]) == {"doubled": 4, "inverse": 0.5}
        refused = ended(sfn, start(sfn, "refused", arn, 101))
        assert (refused["error"], refused["cause"]) == ("TooMuch", "100 at most")
        broken = ended(sfn, start(sfn, "broken", arn, 0))
        assert (broken["error"], broken["cause"]) == ("ZeroDivisionError", "division by zero")
    events = sfn.get_execution_history(executionArn=good["executionArn"])["events"]
    (begun,) = [event["activityStartedEventDetails"] for event in events if event["type"] == "ActivityStarted"]
    assert begun["workerName"] == "bob"


def test_several_at_a_time(server: Running, sfn: Any) -> None:
    together = threading.Barrier(3, timeout=10)
    arn = activity(sfn, "together")

    def meet(data: Any, task: Task) -> Any:
        return together.wait() if data else None

    with working(server, arn, meet, concurrency=3):
        arns = [start(sfn, f"meet{number}", arn, 1) for number in range(3)]
        assert {ended(sfn, each)["status"] for each in arns} == {"SUCCEEDED"}


def test_heartbeats(server: Running, sfn: Any) -> None:
    arn = activity(sfn, "slow")

    def slow(data: Any, task: Task) -> Any:
        time.sleep(1.5 if data else 0)
        return task.over

    with working(server, arn, slow, heartbeat_s=0.2):
        done = ended(sfn, start(sfn, "slow", arn, 1, HeartbeatSeconds=1))
        assert (done["status"], done["output"]) == ("SUCCEEDED", "false")


def test_a_task_that_nobody_waits_for_any_more(server: Running, sfn: Any) -> None:
    arn, seen = activity(sfn, "late"), threading.Event()

    def late(data: Any, task: Task) -> Any:
        until = time.monotonic() + 10
        while data and not task.over and time.monotonic() < until:
            time.sleep(0.02)
        if task.over:
            seen.set()
        return "too late"

    with working(server, arn, late, heartbeat_s=0.1):
        done = ended(sfn, start(sfn, "late", arn, 1, TimeoutSeconds=1))
        assert done["error"] == "States.Timeout"
        assert seen.wait(10)


def test_a_callback(sfn: Any) -> None:
    target = sfn.create_state_machine(
        name="target", roleArn=ROLE, definition='{"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}'
    )["stateMachineArn"]
    parameters = {"StateMachineArn": target, "Input": {"token.$": "$$.Task.Token"}}
    arn = start(sfn, "calls", "arn:aws:states:::states:startExecution.waitForTaskToken", Parameters=parameters)
    until = time.monotonic() + 20
    while not (started := sfn.list_executions(stateMachineArn=target)["executions"]):
        assert time.monotonic() < until
        time.sleep(0.02)
    token = json.loads(sfn.describe_execution(executionArn=started[0]["executionArn"])["input"])["token"]
    answer(token, lambda task: {"called": "back"}, client=sfn)
    assert json.loads(ended(sfn, arn)["output"]) == {"called": "back"}
    answer(token, lambda task: {"called": "twice"}, client=sfn)  # nobody waits, and that is no error


def test_a_question_that_fails_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import EndpointConnectionError

    stop, asked = threading.Event(), []

    class Client:
        def get_activity_task(self, **arguments: str) -> dict[str, Any]:
            asked.append(arguments)
            if len(asked) == 2:
                stop.set()
                return {}
            raise EndpointConnectionError(endpoint_url="http://nowhere")

    monkeypatch.setattr(worker, "PAUSE_S", 0.01)
    work("arn", lambda data, task: None, client=Client(), stop=stop)
    assert asked == [{"activityArn": "arn"}] * 2
