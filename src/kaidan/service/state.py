"""What the service knows: state machines and activities. Executions are the engine's."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from kaidan.asl.language.compile import Program
from kaidan.asl.query.env import Source
from kaidan.integrations.contract import Reply
from kaidan.protocol.effects import RunTask
from kaidan.revisions import TODAY, Revision
from kaidan.runtime.engine import Engine
from kaidan.runtime.sources import SystemSource


@dataclass(slots=True)
class StateMachine:
    """A state machine as it was created. `type` is STANDARD or EXPRESS; `created_ms` Unix milliseconds."""

    arn: str
    name: str
    type: str
    definition: str
    role_arn: str
    program: Program
    created_ms: int


@dataclass(slots=True)
class Activity:
    """An activity: the tasks that wait for a worker, and the workers that wait for a task."""

    arn: str
    name: str
    created_ms: int
    tasks: deque[tuple[RunTask, Reply]] = field(default_factory=deque)
    workers: deque[Callable[[tuple[RunTask, Reply]], None]] = field(default_factory=deque)


@dataclass(slots=True)
class Service:
    """All that the operations work on. One account, one region, one engine."""

    engine: Engine
    account: str = "123456789012"
    region: str = "us-east-1"
    revision: Revision = TODAY
    source: Source = field(default_factory=SystemSource)
    machines: dict[str, StateMachine] = field(default_factory=dict)
    activities: dict[str, Activity] = field(default_factory=dict)

    def arn(self, resource: str) -> str:
        """`arn:aws:states:<region>:<account>:<resource>`."""
        return f"arn:aws:states:{self.region}:{self.account}:{resource}"
