"""A fault in Kaidan itself costs the execution or the task that it shows in, and nothing else."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from kaidan.asl.states.pass_ import Pass
from kaidan.integrations.contract import Reply
from kaidan.protocol.effects import RunTask
from kaidan.service.apart import apart
from kaidan.service.api import Api
from kaidan.service.state import Service
from kaidan.service.test_state import test_state as run_test
from tests.service.support import ASK, PASS, ROLE, text

BOTH: dict[str, Any] = {
    "StartAt": "Both",
    "States": {
        "Both": {
            "Type": "Parallel",
            "Branches": [{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 9, "End": True}}}, PASS],
            "End": True,
        }
    },
}


def start(api: Api, name: str, definition: dict[str, Any], input: str = "{}") -> str:
    params = {"name": name, "definition": text(definition), "roleArn": ROLE}
    arn = api.call("CreateStateMachine", params)["stateMachineArn"]
    execution: str = api.call("StartExecution", {"stateMachineArn": arn, "input": input})["executionArn"]
    return execution


def described(api: Api, arn: str) -> tuple[str, str | None, str | None]:
    api.settle(lambda: False, 100)
    found = api.call("DescribeExecution", {"executionArn": arn})
    return found["status"], found.get("error"), found.get("cause")


@pytest.mark.parametrize("definition", [PASS, BOTH], ids=["alone", "in a branch"])
def test_in_a_state(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, definition: dict[str, Any]
) -> None:
    enter = Pass.enter

    def broken(self: Pass, visit: Any) -> Any:
        if visit.input.value == {"broken": True}:
            raise ZeroDivisionError("oh")
        return enter(self, visit)

    monkeypatch.setattr(Pass, "enter", broken)
    bad, good = start(api, "bad", definition, '{"broken": true}'), start(api, "good", definition)
    cause = "An internal error occurred: ZeroDivisionError: oh"
    assert described(api, bad) == ("FAILED", "States.Runtime", cause)
    assert described(api, good)[0] == "SUCCEEDED"
    events = api.call("GetExecutionHistory", {"executionArn": bad})["events"]
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "ExecutionFailed"
    record = next(each for each in caplog.records if each.levelno == logging.ERROR)
    assert record.exc_info is not None and isinstance(record.exc_info[1], ZeroDivisionError)
    store = api.service.engine.store
    assert store is not None and list(store.timers()) == []


class Broken:
    def __call__(self, task: RunTask, reply: Reply) -> None:
        raise ZeroDivisionError("oh")

    def resume(self, task: RunTask, job: Any, reply: Reply) -> None:
        raise NotImplementedError


class BrokenLater(Broken):
    def __call__(self, task: RunTask, reply: Reply) -> None:
        reply.started()
        reply.later(1, lambda: super(BrokenLater, self).__call__(task, reply))


@pytest.mark.parametrize("handler", [Broken(), BrokenLater()], ids=["at once", "later"])
def test_in_a_handler(api: Api, handler: Broken) -> None:
    api.service.engine.handler = handler
    bad, good = start(api, "bad", ASK), start(api, "good", PASS)
    assert described(api, bad) == ("FAILED", "States.Runtime", "ZeroDivisionError: oh")
    assert described(api, good)[0] == "SUCCEEDED"


@pytest.mark.parametrize("handler", [Broken(), BrokenLater()], ids=["at once", "later"])
@pytest.mark.parametrize("service_of", [lambda api: api.service, lambda api: apart(api.service)], ids=["here", "apart"])
def test_in_a_handler_of_a_state_under_test(
    api: Api, handler: Broken, service_of: Callable[[Api], Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    api.service.engine.handler = handler
    monkeypatch.setattr(api.service.engine, "wake", lambda action: action())  # as if its own thread went on meanwhile
    state = json.dumps(ASK["States"]["Ask"])
    answer = run_test(service_of(api), {"definition": state, "roleArn": ROLE, "input": "{}"})
    assert (answer["status"], answer["error"], answer["cause"]) == (
        "FAILED",
        "States.Runtime",
        "ZeroDivisionError: oh",
    )


def test_in_what_is_to_be_done(api: Api) -> None:
    engine, done = api.service.engine, []

    def broken() -> None:
        raise ZeroDivisionError("oh")

    engine.once_saved(broken)
    engine.once_saved(lambda: done.append(1))
    engine.wake(broken)
    engine.after(1, broken)
    engine.listen(lambda run, event: broken())
    assert described(api, start(api, "good", PASS))[0] == "SUCCEEDED"
    assert done == [1]
