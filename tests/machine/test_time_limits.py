"""From when on TimeoutSeconds and HeartbeatSeconds count, by the virtual clock (AWS guide, "Task workflow state" and
"Invoke an AWS Lambda function with Step Functions")."""

from __future__ import annotations

from typing import Any

import pytest

from kaidan.asl.language import compile_definition
from kaidan.integrations.contract import Reply
from kaidan.protocol.effects import RunTask
from kaidan.runtime.simulated import begin
from kaidan.values import JSON

ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:pack"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:pack"
INVOKE = "arn:aws:states:::lambda:invoke"
CALLBACK = INVOKE + ".waitForTaskToken"

DAY_MS = 86_400_000


class Worker:
    """Says that work has begun, and is handed on, so many seconds after it was asked; then nothing."""

    def __init__(self, engine: Any, started_s: float, submitted_s: float | None) -> None:
        self._engine = engine
        self._started_s = started_s
        self._submitted_s = submitted_s

    def __call__(self, task: RunTask, reply: Reply) -> None:
        self._engine.after(int(self._started_s * 1000), reply.started)
        if self._submitted_s is not None:
            self._engine.after(int(self._submitted_s * 1000), lambda: reply.submitted({}))

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        raise AssertionError


def timed_out_after_s(
    resource: str, started_s: float = 0, submitted_s: float | None = None, **limits: int
) -> float | None:
    """Seconds from the start to the task's timing out, within a day; None when it does not."""
    parameters = {"Parameters": {"FunctionName": "pack"}} if resource.startswith(INVOKE) else {}
    task = {"Type": "Task", "Resource": resource, "End": True, **parameters, **limits}
    engine, run = begin(compile_definition({"StartAt": "Work", "States": {"Work": task}}), {})
    engine.handler = Worker(engine, started_s, submitted_s)
    engine.run_until(lambda: run.execution.status != "RUNNING", horizon_ms=engine.clock.now_ms() + DAY_MS)
    ends = [event.timestamp_ms for event in run.history if event.type.endswith("TimedOut")]
    return (ends[0] - run.history[0].timestamp_ms) / 1000 if ends else None


@pytest.mark.parametrize("resource", [ACTIVITY, FUNCTION, INVOKE, CALLBACK])
def test_the_time_begins_when_the_work_does(resource: str) -> None:
    assert timed_out_after_s(resource, 100, TimeoutSeconds=5) == 105


def test_an_activity_that_no_worker_takes_waits() -> None:
    assert timed_out_after_s(ACTIVITY, 2 * DAY_MS / 1000, TimeoutSeconds=5, HeartbeatSeconds=2) is None


@pytest.mark.parametrize("resource", [ACTIVITY, INVOKE])
def test_heartbeats_count_from_the_same_moment(resource: str) -> None:
    assert timed_out_after_s(resource, 100, HeartbeatSeconds=5) == 105


def test_heartbeats_of_a_callback_count_from_when_the_function_has_answered() -> None:
    assert timed_out_after_s(CALLBACK, 1, 300, HeartbeatSeconds=5) == 305


def test_while_the_function_runs_only_its_time_can_run_out() -> None:
    assert timed_out_after_s(CALLBACK, 1, 300, HeartbeatSeconds=5, TimeoutSeconds=200) == 201
