"""Faults on purpose: when a task that is delayed begins."""

from __future__ import annotations

import pytest

from kaidan.integrations.contract import Reply
from kaidan.integrations.faults import Faults, parse_faults
from kaidan.protocol.effects import RunTask
from kaidan.values import JSON
from tests.integrations.support import FakeReply, task

ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:pack"


class Quick:
    def __call__(self, task: RunTask, reply: Reply) -> None:
        reply.started()
        reply.succeeded(1)

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        raise AssertionError


@pytest.mark.parametrize(
    ("resource", "rule", "before", "after"),
    [
        ("sqs:sendMessage", {"delay": 5}, ["started"], ["started", "started", "succeeded"]),
        ("sqs:sendMessage", {"delay": 5, "fail": {"error": "Busy"}}, ["started"], ["started", "started", "failed"]),
        (ACTIVITY, {"delay": 5}, [], ["started", "succeeded"]),
        ("sqs:sendMessage", {"fail": {"error": "Busy"}}, ["started", "failed"], ["started", "failed"]),
    ],
)
def test_the_time_of_a_slow_task_runs(
    resource: str, rule: dict[str, JSON], before: list[str], after: list[str]
) -> None:
    """That it has begun may be said twice: the machine hears it once."""
    rules, seed = parse_faults({"rules": [rule]})
    reply = FakeReply()
    Faults(rules, seed, Quick())(task(resource), reply)
    assert reply.names == before
    reply.pass_time(5)
    assert reply.names == after
