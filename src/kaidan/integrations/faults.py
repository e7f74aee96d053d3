"""Faults on purpose: a share of tasks fails, is throttled or is late, so that Retry and Catch can be seen at work.

    seed: 7
    rules:
      - {resource: "dynamodb:*", share: 0.1, throttle: true}
      - {resource: "lambda:invoke", state: "Charge*", fail: {error: Busy, cause: "on purpose"}}
      - {share: 0.5, delay: 2.5}

A rule holds for tasks whose resource (`service:action`, `lambda:function`, or an ARN) and state fit its patterns; share
is 1 when left out. Rules are asked in their order: a delay is added, a failure ends the task. The same seed and the
same order of tasks give the same faults. Delays are seconds of the engine's clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from kaidan.arns import TaskResource
from kaidan.errors import TASK_FAILED
from kaidan.integrations import aws_sdk, dispatch, lambda_, optimised
from kaidan.integrations.contract import Handler, Reply
from kaidan.integrations.files import FileError, boolean, fields, integer, number, read_value, text
from kaidan.protocol.effects import RunTask
from kaidan.values import JSON, dumps

PROVISIONED = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)

THROTTLED = {
    "dynamodb": (400, "ProvisionedThroughputExceededException", PROVISIONED),
    "ec2": (503, "RequestLimitExceeded", "Request limit exceeded."),
    "lambda": (429, "TooManyRequestsException", "Rate Exceeded."),
    "s3": (503, "SlowDown", "Please reduce your request rate."),
    "sqs": (403, "RequestThrottled", "Request is throttled."),
}
"""By botocore's name of a service: what it says when it has too much to do."""

RATE_EXCEEDED = (400, "ThrottlingException", "Rate exceeded")
"""What all others say."""

OVER_HTTP = {
    "apigateway": ("ApiGateway.429", '{"message":"Too Many Requests"}'),
    "http": ("States.Http.StatusCode.429", "Too Many Requests"),
}
"""Services that are called without an SDK."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `error` None and `throttle` False: only a delay."""

    resource: str = "*"
    state: str = "*"
    share: float = 1.0
    delay_s: float = 0.0
    throttle: bool = False
    error: str | None = None
    cause: str | None = None

    def holds_for(self, task: RunTask) -> bool:
        return fnmatchcase(task.state, self.state) and any(
            fnmatchcase(name, self.resource) for name in (_name(task.resource), task.resource.arn)
        )

    def failure(self, resource: TaskResource, request_id: str) -> tuple[str, str | None] | None:
        if self.error is not None:
            return self.error, self.cause
        return throttling(resource, request_id) if self.throttle else None


def _name(resource: TaskResource) -> str:
    names = {"integration": f"{resource.service}:{resource.action}", "lambda": "lambda:function"}
    return names.get(resource.kind, resource.kind)


def throttling(resource: TaskResource, request_id: str = "") -> tuple[str, str]:
    """How a service says that it has too much to do: error and cause in the form of its other errors."""
    kind = "lambda" if resource.kind == "lambda" else resource.service
    if kind in OVER_HTTP:
        return OVER_HTTP[kind]
    service = lambda_.SERVICE if kind == "lambda" else dispatch.SERVICES.get(kind)
    if service is not None:
        error = optimised.service_error(service, service.client, _response(service.client, request_id))
        return str(error.error), str(error.cause)
    return _sdk_throttling(resource, request_id)


def _sdk_throttling(resource: TaskResource, request_id: str) -> tuple[str, str]:
    from botocore.exceptions import ClientError

    try:
        operation = aws_sdk.resolve(resource.service.removeprefix("aws-sdk:"), resource.action)
    except ValueError:
        return TASK_FAILED, RATE_EXCEEDED[2]
    error = aws_sdk.translate(
        operation, ClientError(_response(operation.service, request_id), operation.operation_name)
    )
    return str(error.error), str(error.cause)


def _response(client: str, request_id: str) -> dict[str, Any]:
    status, code, message = THROTTLED.get(client, RATE_EXCEEDED)
    metadata = {"HTTPStatusCode": status, "RequestId": request_id}
    return {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}


class Faults:
    """A Handler that lets faults happen before another one."""

    def __init__(self, rules: list[Rule], seed: int, handler: Handler) -> None:
        self._rules = rules
        self._dice = Random(seed)
        self._handler = handler

    def __call__(self, task: RunTask, reply: Reply) -> None:
        delay_s = 0.0
        for rule in self._rules:
            if not rule.holds_for(task) or self._dice.random() >= rule.share:
                continue
            delay_s += rule.delay_s
            failure = rule.failure(task.resource, str(UUID(int=self._dice.getrandbits(128), version=4)))
            if failure is not None:
                return _after(delay_s, task, reply, partial(_fail, reply, *failure))
        return _after(delay_s, task, reply, lambda: self._handler(task, reply))

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        """What has begun goes on."""
        self._handler.resume(task, job, reply)


def _after(delay_s: float, task: RunTask, reply: Reply, action: Callable[[], None]) -> None:
    """A slow service: the time of the task runs. An activity begins with its worker, not here."""
    if not delay_s:
        return action()
    if task.resource.kind != "activity":
        reply.started()
    return reply.later(delay_s, action)


def _fail(reply: Reply, error: str, cause: str | None) -> None:
    reply.started()
    reply.failed(error, cause)


# --- reading ----------------------------------------------------------------------------------------------


def read_faults(path: str | Path) -> tuple[list[Rule], int]:
    """Rules and seed of a file, YAML or JSON. Raises FileError."""
    return parse_faults(read_value(path), str(path))


def parse_faults(value: JSON, place: str = "faults") -> tuple[list[Rule], int]:
    """The same from a value."""
    top = fields(value, place, "rules", "seed")
    rules = top.get("rules")
    if not isinstance(rules, list):
        raise FileError(f"{place}: rules: must be an array, not {dumps(rules)}")
    seed = integer(top.get("seed", 0), f"{place}: seed", 0, (1 << 63) - 1)
    return [_rule(each, f"{place}: rules[{at}]") for at, each in enumerate(rules)], seed


DELAY_S_MAX = 31_536_000
"""A year: no execution is longer."""

_EFFECTS = ("delay", "throttle", "fail")


def _rule(given: JSON, place: str) -> Rule:
    rule = fields(given, place, "resource", "state", "share", *_EFFECTS)
    read = Rule(
        resource=text(rule.get("resource", "*"), f"{place}.resource"),
        state=text(rule.get("state", "*"), f"{place}.state"),
        share=number(rule.get("share", 1), f"{place}.share", 0, 1),
        delay_s=number(rule.get("delay", 0), f"{place}.delay", 0, DELAY_S_MAX),
        throttle=boolean(rule.get("throttle", False), f"{place}.throttle"),
        **_failure(rule["fail"], f"{place}.fail") if "fail" in rule else {},
    )
    if not (read.delay_s or read.throttle or read.error):
        raise FileError(f"{place}: must have at least one of: {', '.join(_EFFECTS)}")
    if read.throttle and read.error:
        raise FileError(f"{place}: throttle and fail exclude each other: a task fails once")
    return read


def _failure(given: JSON, place: str) -> dict[str, str]:
    said = {name: text(value, f"{place}.{name}") for name, value in fields(given, place, "error", "cause").items()}
    return {"error": TASK_FAILED} | said
