"""What tests of integrations share: tasks, a reply that keeps what it is told, and services that answer by a script."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from kaidan.arns import task_resource
from kaidan.errors import StateError
from kaidan.integrations.clients import AwsSettings
from kaidan.integrations.contract import Reply
from kaidan.protocol.effects import Role, RunTask
from kaidan.values import JSON, Payload

EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:Orders:one"


def task(resource: str, parameters: JSON = None, *, state: str = "Work", role: Role | None = None) -> RunTask:
    """A task; `resource` may be short: `sqs:sendMessage.waitForTaskToken`."""
    arn = resource if resource.startswith("arn:") else f"arn:aws:states:::{resource}"
    return RunTask(7, state, task_resource(arn), Payload(parameters), "token", 0, role=role)


class FakeReply:
    """Keeps what it is told: `told == [("started",), ("succeeded", {…})]`. Time goes on in `pass_time`."""

    def __init__(self, arn: str = EXECUTION) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.execution_arn = arn
        self.now_s = 0.0
        self.counted = 0
        self._timers: list[tuple[float, Callable[[], None]]] = []
        self._on_cancel: list[Callable[[], None]] = []

    @property
    def ended(self) -> bool:
        return bool(self.told) and self.told[-1][0] in ("succeeded", "failed", "cancelled")

    def count(self) -> int:
        self.counted += 1
        return self.counted - 1

    def _tell(self, *what: Any) -> None:
        if not self.ended:
            self.told.append(what)

    def started(self, worker: str | None = None) -> None:
        if ("started",) not in self.told:
            self._tell("started")

    def submitted(self, output: JSON) -> None:
        self._tell("submitted", output)

    def succeeded(self, output: JSON) -> None:
        self._tell("succeeded", output.value if isinstance(output, Payload) else output)

    def failed(self, error: str | None, cause: str | None) -> None:
        self._tell("failed", error, cause)

    def job(self, handle: JSON) -> None:
        self._tell("job", handle)

    def on_cancel(self, action: Callable[[], None]) -> Callable[[], None]:
        self._on_cancel.append(action)
        return lambda: self._on_cancel.remove(action)

    def later(self, delay_s: float, action: Callable[[], None], *, idle: bool = False) -> None:
        self._timers.append((self.now_s + delay_s, action))

    def pass_time(self, seconds: float = 86_400.0) -> None:
        """Let all happen that is due within so many seconds, until the task has ended."""
        end = self.now_s + seconds
        while self._timers and not self.ended:
            due, action = min(self._timers, key=lambda timer: timer[0])
            if due > end:
                break
            self._timers.remove((due, action))
            self.now_s = due
            action()
        self.now_s = max(self.now_s, end) if not self.ended else self.now_s

    def cancel(self) -> None:
        self.told.append(("cancelled",))
        for action in list(self._on_cancel):
            action()

    @property
    def result(self) -> Any:
        """What the task succeeded with."""
        assert self.told[-1][0] == "succeeded", self.told
        return self.told[-1][1]

    @property
    def failure(self) -> tuple[str, str]:
        assert self.told[-1][0] == "failed", self.told
        return self.told[-1][1], self.told[-1][2]

    @property
    def names(self) -> list[str]:
        return [what[0] for what in self.told]


def at_once(work: Callable[[], JSON], reply: Reply) -> None:
    """A pool that has the work done by the time it is asked."""
    reply.started()
    try:
        answer = work()
    except StateError as error:
        reply.failed(error.error, error.cause)
    else:
        reply.succeeded(answer)


class Script:
    """Stands in for a ClientFactory: answers operations from lists, the last one for ever, and keeps what was asked.

    `{"batch.submit_job": [{"jobId": "j"}]}`; what is an exception is raised.
    """

    region = "us-east-1"

    def __init__(self, answers: dict[str, list[Any]], **settings: Any) -> None:
        self.settings = AwsSettings(**settings)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.roles: list[Role | None] = []
        self._answers = copy.deepcopy(answers)

    def client(self, service: str, role: Role | None = None) -> Any:
        self.roles.append(role)
        return _Client(self, service)

    def answer(self, operation: str, request: dict[str, Any]) -> Any:
        self.asked.append((operation, request))
        answers = self._answers[operation]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.asked]


class _Client:
    def __init__(self, script: Script, service: str) -> None:
        self._script = script
        self._service = service

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        if operation == "meta":
            raise AttributeError(operation)
        return lambda **request: self._script.answer(f"{self._service}.{operation}", request)


def refusal(code: str, message: str, status: int = 400, operation: str = "Anything") -> Exception:
    """What botocore raises for a service's error."""
    from botocore.exceptions import ClientError

    metadata = {"HTTPStatusCode": status, "RequestId": "r", "HTTPHeaders": {}}
    raised: Exception = ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, operation
    )
    return raised
