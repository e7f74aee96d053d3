"""What carries out a RunTask: the contract between the runtime and the integrations.

A handler is called on the engine's thread and must not block: it answers through `Reply`, at once or later,
from any thread. Blocking work goes to the runtime's pool.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Timer
from typing import Protocol

from kaidan.protocol.effects import RunTask
from kaidan.values import JSON


class Reply(Protocol):
    """Where a handler says how its task goes. Safe to call from any thread; late answers are dropped."""

    @property
    def execution_arn(self) -> str:
        """The execution that the task belongs to. Events carry it, requests that may be sent once only are named after
        it, and mocks are chosen by it."""

    @property
    def ended(self) -> bool:
        """Whether the task has been answered, cancelled or timed out."""

    def count(self) -> int:
        """How often the task's state was answered by a mock before, in all of the execution. This time is counted too,
        once, however often it is asked. On the engine's thread."""

    def started(self, worker: str | None = None) -> None:
        """Work has begun, and time-outs count from now; said again it means nothing. `worker` is an activity worker's
        name."""

    def submitted(self, output: JSON) -> None:
        """The service has taken the work on and answered `output`; the result comes later."""

    def succeeded(self, output: JSON) -> None:
        """The task's result: a JSON value, or a Payload whose text is kept."""

    def failed(self, error: str | None, cause: str | None) -> None:
        """The task's failure."""

    def job(self, handle: JSON) -> None:
        """What the task waits for at its service: kept with the next `submitted`, and handed to `Handler.resume` after
        a restart."""

    def on_cancel(self, action: Callable[[], None]) -> Callable[[], None]:
        """Call `action` on the engine's thread when the task is cancelled or timed out: stop the work if possible.
        What is returned takes that back. Both on the engine's thread."""

    def later(self, delay_s: float, action: Callable[[], None], *, idle: bool = False) -> None:
        """Call `action` on the engine's thread after a delay, unless the task has ended by then.

        `idle`: the delay is no part of the work, as between looks at a job: where waits are skipped it is short.
        """


class Handler(Protocol):
    """Carries out tasks of one kind. What it raises fails the task: a StateError as such, all else as a fault."""

    def __call__(self, task: RunTask, reply: Reply) -> None:
        """Begin a task."""

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        """After a restart: go on waiting for what `Reply.job` named, instead of beginning again."""


def spectator(reply: Reply) -> Callable[..., None] | None:
    """`reply.exchanged`, of those who want to see what goes over HTTP: called with an `http_task.Exchange`."""
    seen: Callable[..., None] | None = getattr(reply, "exchanged", None)
    return seen


LAST_STEP_S = 60.0
"""How long a step that is to be finished may take after its task was cancelled."""


class Then:
    """A Reply for a step of the work: its outcome is what comes next, not the task's end.

    `finish`: the step is not given up at once when the task is cancelled, since what it brings is needed to stop more.
    """

    def __init__(
        self,
        reply: Reply,
        succeeded: Callable[[JSON], None],
        failed: Callable[[str | None, str | None], None],
        *,
        finish: bool = False,
    ) -> None:
        self._reply = reply
        self.count = reply.count
        self.started = reply.started
        self.submitted = reply.submitted
        self.succeeded = succeeded
        self.failed = failed
        self.job = reply.job
        self._finish = finish
        self.later = reply.later

    def on_cancel(self, action: Callable[[], None]) -> Callable[[], None]:
        return self._reply.on_cancel(partial(_later, action) if self._finish else action)

    @property
    def ended(self) -> bool:
        return self._reply.ended

    @property
    def execution_arn(self) -> str:
        return self._reply.execution_arn


def _later(action: Callable[[], None]) -> None:
    timer = Timer(LAST_STEP_S, action)
    timer.daemon = True
    timer.start()


RunBlocking = Callable[[Callable[[], JSON], Reply], None]
"""Runs blocking work elsewhere and answers with its outcome; gives it up when the task is cancelled (`calls.Call`).
Called on the engine's thread."""
