"""What the service knows: state machines and activities. Executions are the engine's; how they began is here.

Times are Unix milliseconds. Configurations are never changed: an update replaces them, so that versions and
executions can keep theirs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from kaidan.arns import states_arn
from kaidan.asl.query.env import Source
from kaidan.integrations.contract import Reply
from kaidan.integrations.mocks import MockConfig
from kaidan.protocol.effects import RunTask
from kaidan.revisions import TODAY, Revision
from kaidan.runtime.engine import Engine
from kaidan.runtime.sources import SystemSource
from kaidan.service.programs import Programs

Answer: TypeAlias = Callable[[dict[str, Any]], None]
"""Takes the answer of an operation that does not block, when there is one."""

AWS_OWNED_KEY = {"type": "AWS_OWNED_KEY"}
"""How things are encrypted when nobody says how."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """One revision of a state machine: what an update replaces.

    `key`: what executions call it (`Execution.definition`). `logging`, `tracing` and `encryption` have the API's
    shapes; `variables` maps each state to the variables that it reads. `revision_id` is None for the first revision.
    """

    key: str
    machine_arn: str
    definition: str
    role_arn: str
    logging: dict[str, Any]
    tracing: dict[str, Any]
    encryption: dict[str, Any]
    variables: dict[str, list[str]]
    revision_id: str | None
    updated_ms: int


@dataclass(frozen=True, slots=True)
class Version:
    """A revision that was published under a number."""

    arn: str
    number: int
    configuration: Configuration
    description: str | None
    created_ms: int


@dataclass(frozen=True, slots=True)
class Alias:
    """A name for one or two versions. `routes`: version numbers and their share in percent."""

    arn: str
    name: str
    routes: tuple[tuple[int, int], ...]
    description: str | None
    created_ms: int
    updated_ms: int


@dataclass(slots=True)
class StateMachine:
    """A state machine. `published` is what CreateStateMachine was told of a first version."""

    arn: str
    name: str
    type: Literal["STANDARD", "EXPRESS"]
    created_ms: int
    current: Configuration
    executions_before: int = 0
    """The number of the last execution before it was created: earlier ones are those of a namesake."""
    published: tuple[bool, str | None] = (False, None)
    deleting: bool = False
    versions: dict[int, Version] = field(default_factory=dict)
    last_version: int = 0
    aliases: dict[str, Alias] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What an execution is started from."""

    machine: StateMachine
    configuration: Configuration
    version_arn: str | None = None
    alias_arn: str | None = None


@dataclass(slots=True)
class Activity:
    """An activity: the tasks that wait for a worker, and the workers that wait for a task."""

    arn: str
    name: str
    created_ms: int
    encryption: dict[str, Any] = field(default_factory=lambda: dict(AWS_OWNED_KEY))
    tags: dict[str, str] = field(default_factory=dict)
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
    programs: Programs = field(default_factory=Programs)
    mocks: MockConfig | None = None
    """Answers of test cases, where executions may have one: `…:stateMachine:Orders#HappyPath`."""
    machines: dict[str, StateMachine] = field(default_factory=dict)
    configurations: dict[str, Configuration] = field(default_factory=dict)
    """Key → revision, in the order of their making; those of former machines too: executions outlive machines."""
    activities: dict[str, Activity] = field(default_factory=dict)
    endings: dict[str, Callable[[], None]] = field(default_factory=dict)
    """Execution ARN → what is to be done when it has ended."""

    def arn(self, resource: str) -> str:
        """`arn:aws:states:<region>:<account>:<resource>`."""
        return states_arn(self.region, self.account, resource)
