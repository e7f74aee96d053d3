"""A worker for activities and callbacks, against AWS or Kaidan: asks for tasks, does them, and answers.

    from kaidan.worker import Failure, answer, work

    def resize(order, task):                 # the task's input; its result goes back as JSON
        if order["width"] > 4096:
            raise Failure("TooWide", "4096 pixels at most")
        return {"file": "small.png"}

    work("arn:aws:states:us-east-1:123456789012:activity:resize", resize)

    answer(message["TaskToken"], partial(resize, message["Order"]))     # of `.waitForTaskToken`

Whatever else a function raises fails its task with the exception's name and text. Heartbeats are sent for as long as
it works, where `heartbeat_s` says how often. When the task's time is up, or its execution was stopped, `task.over`
holds, and the result goes nowhere. Imports nothing of this package.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

log = logging.getLogger(__name__)

POLL_S = 60
"""How long GetActivityTask waits for a task (API reference)."""

PAUSE_S = 5.0
"""Before asking again after a question that failed."""

ERROR_CHARS_MAX = 256
CAUSE_CHARS_MAX = 32_768
"""SendTaskFailure's limits (API reference)."""

GONE = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")
"""Errors that say that nobody waits for the task any more."""


class Failure(Exception):
    """The task is to fail with this error and cause, as Retry and Catch see them."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause


class Task:
    """What a function knows of its task beside its input. Safe in any thread."""

    def __init__(self, token: str, client: Any) -> None:
        self.token = token
        self._client = client
        self._over = threading.Event()

    @property
    def over(self) -> bool:
        """Whether nobody waits for the task any more, as far as is known: by the last heartbeat."""
        return self._over.is_set()

    def heartbeat(self) -> None:
        """Say that the work goes on."""
        self._tell("send_task_heartbeat")

    def succeed(self, output: Any) -> None:
        self._tell("send_task_success", output=json.dumps(output))

    def fail(self, error: str, cause: str) -> None:
        self._tell("send_task_failure", error=error[:ERROR_CHARS_MAX], cause=cause[:CAUSE_CHARS_MAX])

    def _tell(self, operation: str, **what: str) -> None:
        from botocore.exceptions import ClientError

        try:
            getattr(self._client, operation)(taskToken=self.token, **what)
        except ClientError as refusal:
            if refusal.response["Error"]["Code"] not in GONE:
                raise
            self._over.set()


Function: TypeAlias = Callable[[Any, Task], Any]
"""(input, task) → result, both JSON."""


def answer(
    token: str, function: Callable[[Task], Any], *, client: Any = None, heartbeat_s: float | None = None
) -> None:
    """Do a task's work and send what comes of it back with the task's token."""
    task = Task(token, client or new_client())
    with _beating(task, heartbeat_s):
        try:
            output = function(task)
        except Failure as failure:
            return task.fail(failure.error, failure.cause)
        except Exception as problem:
            log.exception("a task has failed")
            return task.fail(type(problem).__name__, str(problem))
    return task.succeed(output)


def work(
    activity_arn: str,
    function: Function,
    *,
    client: Any = None,
    name: str | None = None,
    heartbeat_s: float | None = None,
    concurrency: int = 1,
    stop: threading.Event | None = None,
) -> None:
    """Do the tasks of an activity, `concurrency` at a time, until `stop` is set; then those that have begun are done.

    `name`: what the history calls this worker. A question that fails is asked again.
    """
    client, stop = client or new_client(), stop or threading.Event()
    arguments = {"activityArn": activity_arn} | ({"workerName": name} if name else {})

    def serve() -> None:
        while not stop.is_set():
            asked = _ask(client, arguments, stop)
            if asked.get("taskToken"):
                given = partial(function, json.loads(asked["input"]))
                answer(asked["taskToken"], given, client=client, heartbeat_s=heartbeat_s)

    others = [threading.Thread(target=serve, daemon=True) for _ in range(concurrency - 1)]
    for thread in others:
        thread.start()
    serve()
    for thread in others:
        thread.join()


def _ask(client: Any, arguments: dict[str, str], stop: threading.Event) -> dict[str, Any]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        asked: dict[str, Any] = client.get_activity_task(**arguments)
        return asked
    except (BotoCoreError, ClientError) as problem:
        log.warning("no task: %s", problem)
        stop.wait(PAUSE_S)
        return {}


@contextmanager
def _beating(task: Task, heartbeat_s: float | None) -> Iterator[None]:
    """Heartbeats from another thread, for as long as what is inside lasts."""
    done = threading.Event()

    def beat() -> None:
        while not task.over and not done.wait(heartbeat_s):
            try:
                task.heartbeat()
            except Exception:
                log.exception("a heartbeat has failed")

    thread = threading.Thread(target=beat, daemon=True)
    if heartbeat_s is not None:
        thread.start()
    try:
        yield
    finally:
        done.set()
        if heartbeat_s is not None:
            thread.join()


def new_client() -> Any:
    """boto3's client, with the patience that GetActivityTask needs. `kaidan env` leads it to Kaidan."""
    import boto3
    from botocore.config import Config

    return boto3.client("stepfunctions", config=Config(read_timeout=POLL_S + 10))
