"""Express executions end after five minutes, and leave no history behind."""

from __future__ import annotations

from typing import Any

from kaidan.integrations.contract import Reply
from kaidan.protocol.effects import RunTask
from kaidan.service.api import Api
from kaidan.store.sqlite import SqliteStore
from tests.service.support import ASK, PASS, ROLE, WAIT, text

LOOP = {
    "StartAt": "Again",
    "States": {
        "Again": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.never", "IsPresent": True, "Next": "End"}],
            "Default": "Pass",
        },
        "Pass": {"Type": "Pass", "Next": "Again"},
        "End": {"Type": "Succeed"},
    },
}


class Silent:
    """Nobody answers tasks."""

    def __call__(self, task: RunTask, reply: Reply) -> None:
        pass

    def resume(self, task: RunTask, job: Any, reply: Reply) -> None:
        pass


def create(api: Api, definition: dict[str, Any], type: str = "EXPRESS", name: str = "m") -> str:
    params = {"name": name, "definition": text(definition), "roleArn": ROLE, "type": type}
    arn: str = api.call("CreateStateMachine", params)["stateMachineArn"]
    return arn


def begin_sync(api: Api, arn: str) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    api.begin("StartSyncExecution", {"stateMachineArn": arn}, answers.append)
    return answers


def test_five_minutes(api: Api) -> None:
    answers = begin_sync(api, create(api, WAIT))
    api.settle(lambda: bool(answers), 1000)
    (answer,) = answers
    assert (answer["status"], answer["error"]) == ("TIMED_OUT", "States.Timeout")
    assert (answer["stopDate"] - answer["startDate"]).total_seconds() == 300


def test_a_task_that_nobody_answers(api: Api) -> None:
    api.service.engine.handler = Silent()
    answers = begin_sync(api, create(api, ASK))
    api.settle(lambda: bool(answers), 1000)
    assert answers[0]["status"] == "TIMED_OUT"


def test_an_endless_loop(api: Api) -> None:
    answers, engine = begin_sync(api, create(api, LOOP)), api.service.engine
    for _ in range(10):
        engine.step()
    engine.clock.skip_to(engine.clock.now_ms() + 300_000)
    api.settle(lambda: bool(answers), 0)
    assert answers[0]["status"] == "TIMED_OUT"


def test_one_that_was_left_running_for_too_long(api: Api) -> None:
    """As after a restart hours later: it ends before anything of it happens again."""
    answers, engine = begin_sync(api, create(api, PASS)), api.service.engine
    engine.clock.skip_to(engine.clock.now_ms() + 300_000)
    api.settle(lambda: bool(answers), 0)
    assert answers[0]["status"] == "TIMED_OUT"


def test_a_year_is_the_most_for_standard(api: Api) -> None:
    long = {"StartAt": "Hold", "States": {"Hold": {"Type": "Wait", "Seconds": 99_999_999, "End": True}}}
    arn = api.call("StartExecution", {"stateMachineArn": create(api, long, "STANDARD")})["executionArn"]
    api.settle(lambda: False, 99_999_999)
    described = api.call("DescribeExecution", {"executionArn": arn})
    assert described["status"] == "TIMED_OUT"
    assert (described["stopDate"] - described["startDate"]).days == 365


def test_no_history_is_kept(api: Api) -> None:
    express, standard = create(api, WAIT), create(api, WAIT, "STANDARD", "s")
    for arn in (express, standard):
        api.call("StartExecution", {"stateMachineArn": arn})
    api.service.engine.save()
    api.settle(lambda: False, 1000)
    api.service.engine.save()
    kept = api.service.engine.store
    assert isinstance(kept, SqliteStore)
    count = kept._db.execute("SELECT count(DISTINCT part >> 16) FROM history").fetchone()
    assert count == (1,)
