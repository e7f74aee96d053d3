"""Faults on purpose: which tasks a rule is for, what happens to them, and which rules there can be."""

from __future__ import annotations

from typing import Any

import pytest

from kaidan.integrations.contract import Reply
from kaidan.integrations.faults import Faults, parse_faults
from kaidan.integrations.files import FileError
from kaidan.protocol.effects import RunTask
from kaidan.values import JSON
from tests.integrations.support import FakeReply, task

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:charge"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:worker"


class Done:
    def __call__(self, task: RunTask, reply: Reply) -> None:
        reply.succeeded("done")

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        reply.succeeded("resumed")


def faults(*rules: dict[str, Any], seed: int = 0) -> Faults:
    return Faults(*parse_faults({"rules": list(rules), "seed": seed}), Done())


def outcome(faults: Faults, resource: str, state: str = "Work") -> str:
    reply = FakeReply()
    faults(task(resource, state=state), reply)
    reply.pass_time(0.001)
    return "late" if not reply.ended else reply.told[-1][0]


@pytest.mark.parametrize(
    ("resource", "pattern"),
    [
        ("sqs:sendMessage", "sqs:*"),
        ("sqs:sendMessage.waitForTaskToken", "sqs:sendMessage"),
        ("aws-sdk:dynamodb:getItem", "aws-sdk:dynamodb:*"),
        (FUNCTION, "lambda:function"),
        (FUNCTION, "*:function:charge"),
        (ACTIVITY, "activity"),
        (ACTIVITY, "*"),
    ],
)
def test_a_rule_is_for_resources(resource: str, pattern: str) -> None:
    for rule, expected in ((pattern, "failed"), ("glue:*", "succeeded")):
        assert outcome(faults({"resource": rule, "fail": {"error": "E"}}), resource) == expected


def test_a_rule_is_for_states() -> None:
    some = faults({"state": "Charge*", "fail": {}})
    assert (outcome(some, FUNCTION, "ChargeCard"), outcome(some, FUNCTION, "Ship")) == ("failed", "succeeded")


def test_a_failure_has_the_error_and_the_cause_of_its_rule() -> None:
    reply = FakeReply()
    faults({"fail": {"error": "Busy", "cause": "on purpose"}})(task("sqs:sendMessage"), reply)
    assert (reply.names, reply.failure) == (["started", "failed"], ("Busy", "on purpose"))
    reply = FakeReply()
    faults({"fail": {}})(task("sqs:sendMessage"), reply)
    assert reply.told[-1] == ("failed", "States.TaskFailed", None)


@pytest.mark.parametrize(
    ("resource", "error"),
    [
        ("lambda:invoke", "Lambda.TooManyRequestsException"),
        (FUNCTION, "Lambda.TooManyRequestsException"),
        ("dynamodb:getItem", "DynamoDB.ProvisionedThroughputExceededException"),
        ("aws-sdk:dynamodb:getItem", "DynamoDb.ProvisionedThroughputExceededException"),
        ("aws-sdk:ec2:describeImages", "Ec2.Ec2Exception"),
        ("apigateway:invoke", "ApiGateway.429"),
        ("http:invoke", "States.Http.StatusCode.429"),
    ],
)
def test_throttling_is_said_as_the_service_says_it(resource: str, error: str) -> None:
    reply = FakeReply()
    faults({"throttle": True})(task(resource), reply)
    assert reply.failure[0] == error


def test_a_share_of_the_tasks() -> None:
    some = faults({"share": 0.25, "fail": {}}, seed=3)
    failed = [outcome(some, FUNCTION) for _ in range(400)].count("failed")
    assert 70 <= failed <= 130


def test_the_same_seed_gives_the_same_faults() -> None:
    def outcomes(seed: int) -> list[str]:
        some = faults({"share": 0.5, "fail": {}}, seed=seed)
        return [outcome(some, FUNCTION) for _ in range(50)]

    assert outcomes(1) == outcomes(1) != outcomes(2)


def test_delays_add_up_before_what_comes() -> None:
    late = faults({"delay": 2}, {"delay": 0.5}, {"state": "Charge", "fail": {"error": "E"}})
    for state, name in (("Ship", "succeeded"), ("Charge", "failed")):
        reply = FakeReply()
        late(task(FUNCTION, state=state), reply)
        reply.pass_time(2.4)
        assert not reply.ended
        reply.pass_time(0.2)
        assert reply.told[-1][0] == name


def test_what_has_begun_goes_on() -> None:
    reply = FakeReply()
    faults({"fail": {}}).resume(task("glue:startJobRun.sync"), "job", reply)
    assert reply.result == "resumed"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "f: must be an object, not null"),
        ({}, "f: rules: must be an array, not null"),
        ({"rules": [], "sed": 1}, "f: unknown field 'sed' (allowed: rules, seed)"),
        ({"rules": [], "seed": "x"}, 'f: seed: must be a whole number from 0 to 9223372036854775807, not "x"'),
        ({"rules": [5]}, "f: rules[0]: must be an object, not 5"),
        ({"rules": [{}]}, "f: rules[0]: must have at least one of: delay, throttle, fail"),
        ({"rules": [{"throttle": False}]}, "f: rules[0]: must have at least one of: delay, throttle, fail"),
        (
            {"rules": [{"fail": {}}, {"states": "A", "fail": {}}]},
            "f: rules[1]: unknown field 'states' (allowed: resource, state, share, delay, throttle, fail)",
        ),
        ({"rules": [{"share": 2, "fail": {}}]}, "f: rules[0].share: must be a number from 0 to 1, not 2"),
        ({"rules": [{"delay": "2s"}]}, 'f: rules[0].delay: must be a number from 0 to 31536000, not "2s"'),
        ({"rules": [{"throttle": "no"}]}, 'f: rules[0].throttle: must be true or false, not "no"'),
        ({"rules": [{"fail": "Busy"}]}, 'f: rules[0].fail: must be an object, not "Busy"'),
        ({"rules": [{"fail": {"Error": "E"}}]}, "f: rules[0].fail: unknown field 'Error' (allowed: error, cause)"),
        ({"rules": [{"fail": {"error": 5}}]}, "f: rules[0].fail.error: must be a string, not 5"),
        (
            {"rules": [{"fail": {}, "throttle": True}]},
            "f: rules[0]: throttle and fail exclude each other: a task fails once",
        ),
        ({"rules": [{"resource": 5, "fail": {}}]}, "f: rules[0].resource: must be a string, not 5"),
    ],
)
def test_rules_that_cannot_be(value: JSON, said: str) -> None:
    with pytest.raises(FileError) as refusal:
        parse_faults(value, "f")
    assert str(refusal.value) == said


class Quick:
    def __call__(self, task: RunTask, reply: Reply) -> None:
        reply.started()
        reply.succeeded(1)

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        raise AssertionError


@pytest.mark.parametrize(
    ("resource", "rule", "before", "after"),
    [
        ("sqs:sendMessage", {"delay": 5}, ["started"], ["started", "succeeded"]),
        ("sqs:sendMessage", {"delay": 5, "fail": {"error": "Busy"}}, ["started"], ["started", "failed"]),
        (ACTIVITY, {"delay": 5}, [], ["started", "succeeded"]),
        ("sqs:sendMessage", {"fail": {"error": "Busy"}}, ["started", "failed"], ["started", "failed"]),
    ],
)
def test_the_time_of_a_slow_task_runs(
    resource: str, rule: dict[str, JSON], before: list[str], after: list[str]
) -> None:
    """That it has begun may be said twice: it counts once."""
    reply = FakeReply()
    Faults(*parse_faults({"rules": [rule]}), Quick())(task(resource), reply)
    assert reply.names == before
    reply.pass_time(5)
    assert reply.names == after
