"""Blocking work in threads: whoever waits for it gets an answer, whatever goes wrong."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kaidan.errors import StateError
from kaidan.runtime.engine import Engine
from kaidan.runtime.pool import Pool
from kaidan.runtime.sources import RealClock
from kaidan.service.api import Api
from tests.service.support import ROLE, Service


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool(Engine(RealClock()), 2)
    yield made
    made.close()


def oh(*_: Any) -> None:
    raise ZeroDivisionError("oh")


@pytest.mark.parametrize(
    ("work", "done", "answers"),
    [
        (lambda: 7, None, [7]),
        (oh, None, ["ZeroDivisionError"]),
        (lambda: 7, oh, ["ZeroDivisionError"]),
        (lambda: sys.exit(3), None, ["SystemExit"]),
    ],
    ids=["well", "the work raises", "what follows raises", "the work ends the process"],
)
def test_there_is_an_answer(
    pool: Pool, work: Callable[[], Any], done: Callable[[Any], None] | None, answers: list[Any]
) -> None:
    """Once, on the engine's thread."""
    engine, got = pool._engine, []
    threads = set()

    def take(answer: Any) -> None:
        threads.add(threading.current_thread())
        got.append(answer)

    pool.do(work, done or take, lambda problem: take(type(problem).__name__))
    assert engine.busy == 1
    assert engine.run_until(lambda: not engine.busy and bool(got), 10)
    assert (got, threads) == (answers, {threading.current_thread()})


class Answers:
    """A Reply that notes what comes."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    def started(self) -> None:
        assert not self.got

    def on_cancel(self, action: Callable[[], None]) -> Callable[[], None]:
        return lambda: None

    def succeeded(self, output: Any) -> None:
        self.got.append(output)

    def failed(self, error: str | None, cause: str | None) -> None:
        self.got.append((error, cause))


def wrong() -> None:
    raise StateError("Bad", "as told")


@pytest.mark.parametrize(
    ("work", "answer"),
    [
        (lambda: 7, 7),
        (wrong, ("Bad", "as told")),
        (oh, ("States.TaskFailed", "ZeroDivisionError: oh")),
        (lambda: sys.exit(3), ("States.TaskFailed", "SystemExit: 3")),
    ],
)
def test_a_task(pool: Pool, work: Callable[[], Any], answer: Any) -> None:
    reply = Answers()
    pool.run(work, reply)  # type: ignore[arg-type]
    assert pool._engine.run_until(lambda: bool(reply.got), 10)
    assert reply.got == [answer]


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        ("kaidan.runtime.pages._Source.page", "States.ItemReaderFailed"),
        ("kaidan.runtime.map_runs.Destination.open", "States.ResultWriterFailed"),
        ("kaidan.runtime.map_runs.Export.next_step", "States.ResultWriterFailed"),
        ("kaidan.runtime.map_runs.Export.__init__", "States.ResultWriterFailed"),
        ("kaidan.runtime.results.record", "States.ResultWriterFailed"),
        ("kaidan.runtime.results._File.close", "States.ResultWriterFailed"),
    ],
)
def test_a_map_run_comes_to_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, error: str) -> None:
    """Whatever is wrong with reading its items, or with writing its results."""
    monkeypatch.setattr(broken, oh)
    api = Api(folders=[tmp_path])
    (tmp_path / "items").write_text("[1, 2]")
    bucket = f"file://{tmp_path}"
    processor = {"StartAt": "Only", "States": {"Only": {"Type": "Pass", "End": True}}}
    each = {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket": bucket, "Key": "items"},
        },
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **processor},
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Parameters": {"Bucket": bucket, "Prefix": "out"},
        },
        "End": True,
    }
    definition = json.dumps({"StartAt": "Each", "States": {"Each": each}})
    machine = api.call("CreateStateMachine", {"name": "m", "definition": definition, "roleArn": ROLE})
    arn = {"executionArn": api.call("StartExecution", machine)["executionArn"]}
    engine = api.service.engine
    engine.run_until(lambda: api.call("DescribeExecution", arn)["status"] != "RUNNING", 5)
    described = api.call("DescribeExecution", arn)
    api.close()
    assert (described["status"], described.get("error"), engine.busy) == ("FAILED", error, 0)
    assert described["cause"].endswith("ZeroDivisionError: oh")


def test_a_task_that_waits_for_a_thread_has_not_started() -> None:
    """A time-out is that of the work, and not of the queue before it (AWS guide, "Task workflow state")."""
    service, free = Service(), threading.Event()
    engine = service.api.service.engine
    pool = Pool(engine, 1)
    dispatcher = engine.handler.dispatcher  # type: ignore[attr-defined]
    dispatcher.by_service["aws-sdk:ec2"] = lambda task, reply: pool.run(free.wait, reply)
    resource = "arn:aws:states:::aws-sdk:ec2:describeImages"
    work = {"Type": "Task", "Resource": resource, "Parameters": {}, "TimeoutSeconds": 5, "End": True}
    arn = service.machine(definition={"StartAt": "Work", "States": {"Work": work}})
    first, second = (service("StartExecution", stateMachineArn=arn)["executionArn"] for _ in range(2))

    def types(execution: str) -> list[str]:
        return [event["type"] for event in service("GetExecutionHistory", executionArn=execution)["events"]]

    assert engine.run_until(lambda: "TaskStarted" in types(first) and "TaskScheduled" in types(second), 10)
    service.pass_time(6_000)
    assert engine.run_until(lambda: types(first)[-1] == "ExecutionFailed", 10)
    assert types(second)[-1] == "TaskScheduled"
    free.set()
    assert engine.run_until(lambda: types(second)[-1] == "ExecutionSucceeded", 10)
    pool.close(wait=True)
