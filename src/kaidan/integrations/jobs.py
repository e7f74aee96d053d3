"""Run a job, `.sync`: hand the work over, then ask how it goes until it has ended, and stop it with the task.

    submit → Reply.job(handle), Reply.submitted(answer) → ask, ask, … → the job's description, or States.TaskFailed

A Job says what to ask and how to read the answer; a Watch asks. The handle is data, `{"JobId": "…"}`: with it the
watch goes on after a restart. Knows neither clients nor services. Source: AWS guide, "Discover service integration
patterns", Run a Job.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from kaidan.errors import TASK_FAILED
from kaidan.integrations.contract import Reply, RunBlocking, Then
from kaidan.values import JSON, dumps

log = logging.getLogger(__name__)

Fields: TypeAlias = dict[str, JSON]
"""Parameters of a task, or a result: an object by Step Functions' names."""

Call: TypeAlias = Callable[[str, dict[str, Any]], Fields]
"""(operation, request by botocore's members) → the answer as Step Functions gives it. Raises StateError."""

UNANSWERED_MAX = 5
"""How many questions in a row may fail before the task fails with them."""


def soon(question: int) -> float:
    """Seconds before a question. AWS hears of most jobs' ends by events: a second, then slower, up to half a minute."""
    return float(min(30.0, 1.5**question))


def by_the_minute(question: int) -> float:
    """Every minute for ten minutes, then every five (AWS guide: EMR, EMR on EKS, eks:runJob)."""
    return 60.0 if question < 10 else 300.0


def no_metadata(answer: Fields) -> Fields:
    return {name: value for name, value in answer.items() if not name.startswith("Sdk")}


@dataclass(frozen=True, slots=True)
class Job:
    """What `.sync` waits for.

    handle: what is kept of the submission's (result, parameters): `{"JobId": "…"}`. ask: the operation, and its request
    from the handle. path: to the description in the answer, `("Jobs", 0)`. verdict: of a description; None while it
    runs, whether it succeeded after that. result: from (answer, handle); without it, the description.
    gone: errors of the question that mean success, for what was to be deleted. stop: operation and request. parts: of
    a handle, the handles of what is stopped one by one.
    """

    handle: Callable[[Fields, Fields], Fields]
    ask: tuple[str, Callable[[Fields], dict[str, Any]]]
    path: tuple[str | int, ...]
    verdict: Callable[[Fields], bool | None]
    result: Callable[[Fields, Fields], JSON] | None = None
    gone: frozenset[str] = frozenset()
    stop: tuple[str, Callable[[Fields], dict[str, Any]]] | None = None
    parts: Callable[[Fields], list[Fields]] = lambda handle: [handle]
    delay_s: Callable[[int], float] = soon

    def description(self, answer: Fields) -> Fields:
        found: Any = no_metadata(answer)
        for step in self.path:
            found = found[step]
        return dict(found)


def status(*path: str, succeeded: str, failed: str = "") -> Callable[[Fields], bool | None]:
    """A verdict by the word at the end of `path`: `status("Status", succeeded="SUCCEEDED", failed="FAILED ERROR")`."""
    words = dict.fromkeys(failed.split(), False) | dict.fromkeys(succeeded.split(), True)

    def verdict(description: Fields) -> bool | None:
        found: Any = description
        for step in path:
            found = found.get(step) or {}
        return words.get(found) if isinstance(found, str) else None

    return verdict


class Watch:
    """Waits for one job."""

    def __init__(self, job: Job, call: Call, reply: Reply, run_blocking: RunBlocking) -> None:
        self._job = job
        self._call = call
        self._reply = reply
        self._run_blocking = run_blocking
        self._handle: Fields | None = None
        self._cancelled = False
        self._questions = 0
        self._unanswered = 0

    def submit(self, work: Callable[[], JSON], parameters: JSON) -> None:
        """Begin the job with `work`, then wait for its end. On the engine's thread."""
        self._reply.on_cancel(self._cancel)

        def submitted(answer: JSON) -> None:
            self._handle = self._job.handle(answer, parameters)
            self._reply.job(self._handle)
            self._reply.submitted(answer)
            if self._cancelled:
                self._stop()
            else:
                self._wait()

        self._run_blocking(work, Then(self._reply, submitted, self._reply.failed, finish=True))

    def resume(self, handle: JSON) -> None:
        """Wait for a job that was begun before a restart. On the engine's thread."""
        self._handle = handle
        self._reply.on_cancel(self._cancel)
        self._look()

    def _wait(self) -> None:
        delay_s = self._job.delay_s(self._questions)
        self._questions += 1
        self._reply.later(delay_s, self._look, idle=True)

    def _look(self) -> None:
        operation, request = self._job.ask
        assert self._handle is not None
        handle = self._handle
        self._run_blocking(
            lambda: self._call(operation, request(handle)), Then(self._reply, self._seen, self._not_seen)
        )

    def _seen(self, answer: JSON) -> None:
        self._unanswered = 0
        try:
            description = self._job.description(answer)
        except (LookupError, TypeError):  # not there yet: what was just made may be unknown for a moment
            return self._wait()
        verdict = self._job.verdict(description)
        if verdict is None:
            return self._wait()
        result = self._job.result(answer, self._handle or {}) if self._job.result else description
        if verdict:
            return self._reply.succeeded(result)
        return self._reply.failed(TASK_FAILED, dumps(result))

    def _not_seen(self, error: str | None, cause: str | None) -> None:
        if error in self._job.gone:
            return self._reply.succeeded(self._handle or {})
        self._unanswered += 1
        if self._unanswered >= UNANSWERED_MAX:
            return self._reply.failed(error, cause)
        return self._wait()

    def _cancel(self) -> None:
        """On the engine's thread. AWS makes a best effort, and so do we."""
        self._cancelled = True
        self._stop()

    def _stop(self) -> None:
        """When it is known what to stop: a job that is being submitted is stopped once it has been."""
        if self._job.stop is None or self._handle is None:
            return
        operation, request = self._job.stop

        def failed(error: str | None, cause: str | None) -> None:
            log.warning("%s of a task that was cancelled: %s: %s", operation, error, cause)

        for part in self._job.parts(self._handle):
            call = partial(self._call, operation, request(part))
            self._run_blocking(call, Then(self._reply, _ignore, failed))


def _ignore(*_: object) -> None:
    pass
