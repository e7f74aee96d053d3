"""Jobs of `.sync`: waited for on the engine's clock, stopped with their task, picked up after a restart."""

from __future__ import annotations

from typing import Any

import pytest

from kaidan.errors import StateError
from kaidan.integrations.jobs import Job, Watch, by_the_minute, soon, status
from kaidan.values import JSON
from tests.integrations.support import FakeReply, at_once

JOB = Job(
    handle=lambda answer, parameters: {"Id": answer["Id"], "Queue": parameters["Queue"]},
    ask=("DescribeJob", lambda job: {"id": job["Id"]}),
    path=("Jobs", 0),
    verdict=status("State", succeeded="DONE", failed="BROKEN LOST"),
    gone=frozenset({"X.NotFound"}),
    stop=("StopJob", lambda job: {"id": job["Id"]}),
)
HANDLE = {"Id": "j", "Queue": "q"}
RUNNING, DONE, BROKEN = ({"Jobs": [{"State": state}], "SdkHttpMetadata": {}} for state in ("BUSY", "DONE", "BROKEN"))


class Service:
    """Answers questions in turn, the last one for ever."""

    def __init__(self, *answers: JSON | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, Any]] = []

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, JSON]:
        self.asked.append((operation, request))
        if operation == "StopJob":
            return {}
        answer: Any = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        fields: dict[str, JSON] = answer
        return fields


def watch(*answers: JSON | Exception, job: Job = JOB) -> tuple[Service, FakeReply]:
    service, reply = Service(*answers), FakeReply()
    Watch(job, service.call, reply, at_once).submit(lambda: {"Id": "j"}, {"Queue": "q"})
    return service, reply


BUSY = StateError("X.Throttled", "slowly")


@pytest.mark.parametrize(
    ("answers", "end"),
    [
        ([DONE], ("succeeded", {"State": "DONE"})),
        ([RUNNING, RUNNING, DONE], ("succeeded", {"State": "DONE"})),
        ([RUNNING, BROKEN], ("failed", "States.TaskFailed", '{"State":"BROKEN"}')),
        ([{"Jobs": []}, DONE], ("succeeded", {"State": "DONE"})),
        ([{"Jobs": [{}]}, DONE], ("succeeded", {"State": "DONE"})),
        ([BUSY, BUSY, BUSY, BUSY, DONE], ("succeeded", {"State": "DONE"})),
        ([BUSY, BUSY, BUSY, BUSY, BUSY, DONE], ("failed", "X.Throttled", "slowly")),
        ([BUSY, RUNNING, BUSY, RUNNING, BUSY, RUNNING, BUSY, RUNNING, BUSY, DONE], ("succeeded", {"State": "DONE"})),
        ([RUNNING, StateError("X.NotFound", "gone")], ("succeeded", HANDLE)),
    ],
)
def test_an_end(answers: list[Any], end: tuple[Any, ...]) -> None:
    _, reply = watch(*answers)
    assert reply.told == [("started",), ("job", HANDLE), ("submitted", {"Id": "j"})]
    reply.pass_time()
    assert reply.told[3:] == [end]


def test_questions_are_on_the_engines_clock() -> None:
    service, reply = watch(RUNNING)
    assert service.asked == []
    reply.pass_time(1.0)
    assert service.asked == [("DescribeJob", {"id": "j"})]
    reply.pass_time(3600.0)
    assert 100 < len(service.asked) < 200


def test_how_often() -> None:
    assert [soon(question) for question in (0, 1, 2, 20)] == [1.0, 1.5, 2.25, 30.0]
    assert [by_the_minute(question) for question in (0, 9, 10)] == [60.0, 60.0, 300.0]


def test_a_submission_that_fails() -> None:
    def refuse() -> JSON:
        raise StateError("X.Refused", "no")

    service, reply = Service(DONE), FakeReply()
    Watch(JOB, service.call, reply, at_once).submit(refuse, {"Queue": "q"})
    assert reply.told == [("started",), ("failed", "X.Refused", "no")]


def test_cancelling_stops_the_job() -> None:
    service, reply = watch(RUNNING)
    reply.pass_time(5)
    reply.cancel()
    assert service.asked[-1] == ("StopJob", {"id": "j"})
    asked = len(service.asked)
    reply.pass_time()
    assert len(service.asked) == asked


def test_cancelling_before_the_answer_stops_the_job_as_soon_as_it_is_known() -> None:
    service, reply = Service(RUNNING), FakeReply()
    waiting: list[Any] = []
    watch = Watch(JOB, service.call, reply, lambda work, then: waiting.append((work, then)))
    watch.submit(lambda: {"Id": "j"}, {"Queue": "q"})
    reply.cancel()
    assert service.asked == []
    at_once(*waiting[0])
    at_once(*waiting[1])
    assert service.asked == [("StopJob", {"id": "j"})]


def test_what_cannot_be_stopped_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    class Stubborn(Service):
        def call(self, operation: str, request: dict[str, Any]) -> dict[str, JSON]:
            if operation == "StopJob":
                raise StateError("X.Busy", "later")
            return super().call(operation, request)

    service, reply = Stubborn(RUNNING), FakeReply()
    Watch(JOB, service.call, reply, at_once).submit(lambda: {"Id": "j"}, {"Queue": "q"})
    reply.cancel()
    assert "StopJob of a task that was cancelled: X.Busy" in caplog.text


def test_resuming() -> None:
    service, reply = Service(RUNNING, DONE), FakeReply()
    Watch(JOB, service.call, reply, at_once).resume(HANDLE)
    assert service.asked == [("DescribeJob", {"id": "j"})]
    reply.pass_time()
    assert reply.told == [("started",), ("succeeded", {"State": "DONE"})]


def test_cancelling_after_resuming() -> None:
    service, reply = Service(RUNNING), FakeReply()
    Watch(JOB, service.call, reply, at_once).resume(HANDLE)
    reply.cancel()
    assert service.asked[-1] == ("StopJob", {"id": "j"})
