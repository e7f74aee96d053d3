"""How a handler answers one task. Works from any thread; see `integrations.contract.Reply`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from kaidan.errors import RUNTIME, StateError
from kaidan.integrations.contract import Reply
from kaidan.protocol import events as ev
from kaidan.protocol.effects import RunTask
from kaidan.store.contract import StoreError
from kaidan.values import JSON, Payload

if TYPE_CHECKING:
    from kaidan.runtime.engine import Engine

log = logging.getLogger(__name__)

SKIPPED_S = 0.1
"""Between looks at a job, where waits are skipped."""


class TaskReply:
    """The reply to one task of one execution."""

    def __init__(self, engine: Engine, arn: str, task: RunTask) -> None:
        self._engine = engine
        self.execution_arn = arn
        self._job: JSON = None
        self._on_cancel: list[Callable[[], None]] = []
        self.task = task
        self.ended = False
        self._has_started = False

    def count(self) -> int:
        if self.task.invocation is None:
            self.task = self._engine.count(self.execution_arn, self.task)
        assert self.task.invocation is not None
        return self.task.invocation

    def started(self, worker: str | None = None) -> None:
        if not self._has_started:
            self._has_started = True
            self._tell(ev.TaskStarted(self.task.request_id, worker))

    def job(self, handle: JSON) -> None:
        self._job = handle

    def submitted(self, output: JSON) -> None:
        self._tell(ev.TaskSubmitted(self.task.request_id, _payload(output), self._job))

    def succeeded(self, output: JSON) -> None:
        self._tell(ev.TaskSucceeded(self.task.request_id, _payload(output)))

    def failed(self, error: str | None, cause: str | None) -> None:
        self._tell(ev.TaskFailed(self.task.request_id, error, cause))

    def later(self, delay_s: float, action: Callable[[], None], *, idle: bool = False) -> None:
        if idle and self._engine.skip_waits:
            delay_s = min(delay_s, SKIPPED_S)
        self._do(lambda: self._engine.after(int(delay_s * 1000), lambda: self.attempt(action)))

    def on_cancel(self, action: Callable[[], None]) -> Callable[[], None]:
        self._on_cancel.append(action)
        return lambda: self._on_cancel.remove(action)

    def end(self, *, cancelled: bool) -> None:
        """Nobody waits for this task any more. Called by the engine."""
        self.ended = True
        for action in list(self._on_cancel) if cancelled else ():
            try:
                action()
            except Exception:
                log.exception("%s cannot be stopped", self.task.resource.arn)

    def attempt(self, action: Callable[[], None]) -> None:
        """Do a step of the task, unless it has ended."""
        guarded(self.task, self, lambda: self._unless_ended(action))

    def _do(self, action: Callable[[], None]) -> None:
        self._engine.wake(lambda: self._unless_ended(action))

    def _unless_ended(self, action: Callable[[], None]) -> None:
        if not self.ended:
            action()

    def _tell(self, event: ev.Event) -> None:
        self._do(lambda: self._deliver(event))

    def _deliver(self, event: ev.Event) -> None:
        if isinstance(event, (ev.TaskSucceeded, ev.TaskFailed)):
            self._engine.answer(self.execution_arn, event)
        else:
            self._engine.post(self.execution_arn, event)


def guarded(task: RunTask, reply: Reply, step: Callable[[], None]) -> None:
    """Do a step of a task: whatever is wrong with it fails this task, and nothing else."""
    try:
        step()
    except StoreError:
        raise
    except StateError as error:
        reply.failed(error.error, error.cause)
    except Exception as problem:
        log.exception("%s cannot be carried out", task.resource.arn)
        reply.failed(RUNTIME, f"{type(problem).__name__}: {problem}")


def _payload(output: JSON) -> Payload:
    return output if isinstance(output, Payload) else Payload(output)
