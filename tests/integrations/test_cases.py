"""Every case of every optimised integration over HTTP: what is sent, answered, waited for, stopped, taken up again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kaidan.integrations.aws_sdk import service_model
from kaidan.integrations.dispatch import SERVICES, Dispatcher, check_parameters, check_template, optimised_actions
from kaidan.protocol.effects import RunTask
from kaidan.values import JSON, loads
from tests.integrations.cases import ALL, JOBS, Case, Ending, web
from tests.integrations.modelled import Asked, ModelledAws, modelled_aws
from tests.integrations.support import FakeReply, at_once, task

IN_FILES_OF_THEIR_OWN = {"eks:runJob.sync": "test_kubernetes_jobs.py", "http:invoke": "test_http_task.py"}

RUNS = [(case, pattern) for case in ALL for pattern in case.patterns]


@pytest.fixture(scope="module")
def server() -> Iterator[ModelledAws]:
    with modelled_aws() as aws:
        yield aws


@pytest.fixture
def aws(server: ModelledAws) -> Iterator[ModelledAws]:
    yield server
    assert server.faults == []


def the_task(case: Case, pattern: str) -> RunTask:
    return task(case.action + pattern, case.parameters)


def begin(aws: ModelledAws, case: Case, pattern: str, **answers: Any) -> FakeReply:
    """Begin a task; `answers` to the question, and to what stops the job."""
    given = {operation: [answer] for (operation, _), answer in zip(case.asked, case.answers, strict=True)}
    aws.begin(given | answers)
    reply = FakeReply()
    Dispatcher(aws.clients, at_once)(the_task(case, pattern), reply)
    return reply


def questions(end: Ending, *answers: Any) -> dict[str, list[Any]]:
    return {end.ask[0]: list(answers)} if answers else {}


def plain(case: Case, value: JSON) -> JSON:
    """Without what is said of HTTP, and without the empty lists that some services' results are full of."""
    service = SERVICES.get(case.action.partition(":")[0])
    return _plain(value, empty=service is None or not service.empty_lists)


def _plain(value: JSON, *, empty: bool) -> JSON:
    if isinstance(value, dict):
        shown = {name: item for name, item in value.items() if not name.startswith("Sdk") and (empty or item != [])}
        return {name: _plain(item, empty=empty) for name, item in shown.items()}
    return [_plain(item, empty=empty) for item in value] if isinstance(value, list) else value


def without_tokens(asked: Asked) -> Asked:
    """Without the members that make a request one that is carried out once, unless the parameters name them."""
    name, request = asked
    service, _, operation = name.partition(".")
    tokens = set(service_model(service).operation_model(operation).idempotent_members) - {"QueryExecutionId"}
    return name, {member: value for member, value in request.items() if member not in tokens}


def sent(case: Case, marks: dict[str, Any]) -> list[Asked]:
    *before, (operation, request) = case.asked
    return [*before, (operation, {**request, **marks})]


def name_of(value: Any) -> str | None:
    if isinstance(value, Case):
        return value.action
    return value if isinstance(value, str) else ""


def test_every_pattern_has_a_case() -> None:
    """Here, or in the table of what is called without a model: test_web_cases.py."""
    there = {
        f"{service}:{action}{pattern}"
        for service, actions in optimised_actions().items()
        for action, patterns in actions.items()
        for pattern in patterns
    }
    listed = [case.action + pattern for case, pattern in RUNS]
    called = {case.action + pattern for case in web.CASES for pattern in case.patterns}
    assert {*listed, *called, *IN_FILES_OF_THEIR_OWN} == there
    assert len(listed) == len(set(listed))
    for resource, file in IN_FILES_OF_THEIR_OWN.items():
        assert resource in Path(__file__).with_name(file).read_text()


# --- parameters -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ALL, ids=name_of)
def test_its_parameters_are_accepted(case: Case) -> None:
    """Those of AWS's guide among them, which leave the tokens of requests to the service."""
    resource = task(case.action).resource
    assert check_template(resource, case.parameters) == []
    assert check_parameters(resource, case.parameters) is None


# --- request-response and callback ------------------------------------------------------------------------


@pytest.mark.parametrize(("case", "pattern"), [run for run in RUNS if run[1] in ("", ".waitForTaskToken")], ids=name_of)
def test_a_call(aws: ModelledAws, case: Case, pattern: str) -> None:
    reply = begin(aws, case, pattern)
    assert reply.names == ["started", "submitted" if pattern else "succeeded"], reply.told
    assert plain(case, reply.told[1][1]) == case.result
    assert list(map(without_tokens, aws.asked)) == case.asked


# --- jobs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("case", "pattern", "end"), JOBS, ids=name_of)
def test_a_job_that_succeeds(aws: ModelledAws, case: Case, pattern: str, end: Ending) -> None:
    reply = begin(aws, case, pattern, **questions(end, end.running, end.running, end.succeeded))
    assert reply.names == ["started", "job", "submitted"], reply.told
    assert plain(case, reply.told[2][1]) == case.result
    reply.pass_time()
    assert plain(case, reply.result) == end.result
    assert list(map(without_tokens, aws.asked)) == [*sent(case, end.marks), *[end.ask] * 3]


@pytest.mark.parametrize(("case", "pattern", "end"), [job for job in JOBS if job[2].failed], ids=name_of)
def test_a_job_that_fails(aws: ModelledAws, case: Case, pattern: str, end: Ending) -> None:
    reply = begin(aws, case, pattern, **questions(end, end.running, end.failed))
    reply.pass_time()
    error, cause = reply.failure
    assert error == "States.TaskFailed"
    assert plain(case, loads(cause)) == end.cause


@pytest.mark.parametrize(("case", "pattern", "end"), JOBS, ids=name_of)
def test_a_job_is_stopped_with_its_task(aws: ModelledAws, case: Case, pattern: str, end: Ending) -> None:
    """Where AWS stops it: clusters, for one, outlive the execution that made them."""
    begin(aws, case, pattern).cancel()
    stops = [] if end.stop is None else [end.stop]
    assert list(map(without_tokens, aws.asked)) == [*sent(case, end.marks), *stops]


@pytest.mark.parametrize(("case", "pattern", "end"), JOBS, ids=name_of)
def test_a_job_is_taken_up_after_a_restart(aws: ModelledAws, case: Case, pattern: str, end: Ending) -> None:
    handle = begin(aws, case, pattern).told[1][1]
    aws.begin(questions(end, end.running, end.succeeded))
    reply = FakeReply()
    Dispatcher(aws.clients, at_once).resume(the_task(case, pattern), handle, reply)
    reply.pass_time()
    assert aws.asked == [end.ask] * 2
    assert plain(case, reply.result) == end.result
