"""Which handler carries out which task: one visible list. Everything that can be called has a line here."""

from __future__ import annotations

from collections.abc import Callable

from kaidan.arns import TaskResource
from kaidan.errors import RUNTIME, StateError
from kaidan.integrations import aws_sdk
from kaidan.integrations.clients import ClientFactory
from kaidan.integrations.contract import Reply
from kaidan.protocol.effects import RunTask
from kaidan.values import JSON

Begin = Callable[[RunTask, Reply], None]
"""Begins a task of one kind."""

Resume = Callable[[RunTask, JSON, Reply], None]
"""Goes on with a task by what it noted as its job."""

RunBlocking = Callable[[Callable[[], JSON], Reply], None]
"""Runs blocking work elsewhere and answers with its outcome."""


class Dispatcher:
    """A Handler that finds the handler of each task: by its service, or by its kind for functions and activities."""

    def __init__(self, clients: ClientFactory, run_blocking: RunBlocking) -> None:
        self._clients = clients
        self._run_blocking = run_blocking
        self.by_service: dict[str, Begin] = {}
        self.by_kind: dict[str, Begin] = {}
        self.resumers: dict[str, Resume] = {}

    def __call__(self, task: RunTask, reply: Reply) -> None:
        handler = self._find(task.resource)
        try:
            handler(task, reply)
        except StateError as error:
            reply.failed(error.error, error.cause)

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        """After a restart: by its job where the service can, else the task is begun again."""
        resume = self.resumers.get(task.resource.service)
        if resume is None:
            return self(task, reply)
        try:
            resume(task, job, reply)
        except StateError as error:
            reply.failed(error.error, error.cause)
        return None

    def _find(self, resource: TaskResource) -> Begin:
        if resource.kind != "integration":
            return self.by_kind.get(resource.kind, _unavailable)
        handler = self.by_service.get(resource.service)
        if handler is None and resource.service.startswith("aws-sdk:"):
            return self._sdk
        return handler or _unavailable

    def _sdk(self, task: RunTask, reply: Reply) -> None:
        """`aws-sdk:…`: the call itself, and with `.waitForTaskToken` the wait for somebody's answer."""

        def call() -> JSON:
            operation = _operation(task.resource)
            return aws_sdk.call(operation, task.parameters.value, self._clients, task.role_arn)

        reply.started()
        self._run_blocking(call, Submitting(reply) if task.resource.pattern == ".waitForTaskToken" else reply)


def _operation(resource: TaskResource) -> aws_sdk.Operation:
    try:
        return aws_sdk.resolve(resource.service.removeprefix("aws-sdk:"), resource.action)
    except ValueError as problem:
        raise StateError(RUNTIME, str(problem)) from None


class Submitting:
    """A Reply whose success means that the work was handed over, not that it is done."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.started = reply.started
        self.submitted = reply.submitted
        self.failed = reply.failed
        self.later = reply.later
        self.job = reply.job
        self.on_cancel = reply.on_cancel

    @property
    def ended(self) -> bool:
        return self._reply.ended

    def succeeded(self, output: JSON) -> None:
        self._reply.submitted(output)


def _unavailable(task: RunTask, reply: Reply) -> None:
    reply.failed(RUNTIME, f"Nothing here carries out {task.resource.arn}")


def check_resource(resource: TaskResource) -> str | None:
    """What is wrong with a resource, as far as it can be known before running: unknown services and actions.

    Services that AWS lists and botocore does not model pass: they fail when they are called.
    """
    token = resource.service.removeprefix("aws-sdk:")
    if resource.kind != "integration" or token == resource.service or token in aws_sdk.RETIRED:
        return None
    try:
        aws_sdk.resolve(token, resource.action)
    except ValueError as problem:
        return str(problem)
    return None
