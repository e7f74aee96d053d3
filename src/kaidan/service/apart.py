"""A service whose tests of states block nobody: on an engine of their own, in a thread of the caller's."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from kaidan.integrations.contract import Reply
from kaidan.protocol.effects import RunTask
from kaidan.runtime.engine import Engine
from kaidan.runtime.reply import guarded
from kaidan.runtime.sources import RealClock
from kaidan.service.state import Service
from kaidan.values import JSON


def apart(service: Service) -> Service:
    """The service as a test sees it. Tasks are carried out where those of executions are."""
    engine = Engine(RealClock())
    engine.skip_waits = service.engine.skip_waits
    engine.busy = 1  # Somebody may always answer: an idle engine is no reason to give up.
    engine.handler = _Elsewhere(service.engine)
    return replace(service, engine=engine)


class _Elsewhere:
    """A Handler that hands tasks to another engine's; replies find their way back by themselves."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, task: RunTask, reply: Reply) -> None:
        self._engine.wake(lambda: guarded(task, reply, partial(self._engine.handler, task, reply)))

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        self(task, reply)
