"""The world of the tasks, as files say it: functions, connections, mocked answers, faults on purpose.

    world = read_world(settings)
    tasks = Tasks(Dispatcher(clients, run_blocking, world.surroundings), world)

A task meets faults first, then the answers of its execution's test case, then whoever carries it out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kaidan.integrations.connections import read_secrets
from kaidan.integrations.contract import Handler, Reply
from kaidan.integrations.dispatch import Dispatcher, Surroundings
from kaidan.integrations.faults import Faults, Rule, read_faults
from kaidan.integrations.lambda_targets import LambdaTargets, read_targets
from kaidan.integrations.mock_results import Validation
from kaidan.integrations.mocks import MockConfig, Mocks, read_mock_config
from kaidan.integrations.web import WebSettings
from kaidan.protocol.effects import RunTask
from kaidan.values import JSON


class WorldFiles(Protocol):
    """Where each part is described, as settings of a server and options of a command have it; None: it is as on AWS."""

    @property
    def mocks(self) -> Path | None: ...
    @property
    def mock_validation(self) -> Validation: ...
    @property
    def faults(self) -> Path | None: ...
    @property
    def functions(self) -> Path | None: ...
    @property
    def connections(self) -> Path | None: ...
    @property
    def allow_link_local(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class World:
    """What was read. `rules` with their `seed` are faults."""

    surroundings: Surroundings = field(default_factory=Surroundings)
    mocks: MockConfig | None = None
    rules: tuple[Rule, ...] = ()
    seed: int = 0


def read_world(files: WorldFiles) -> World:
    """Raises FileError."""
    rules, seed = read_faults(files.faults) if files.faults else ([], 0)
    surroundings = Surroundings(
        read_targets(files.functions) if files.functions else LambdaTargets(),
        read_secrets(files.connections) if files.connections else {},
        WebSettings(metadata_allowed=files.allow_link_local),
    )
    mocks = read_mock_config(files.mocks, files.mock_validation) if files.mocks else None
    return World(surroundings, mocks, tuple(rules), seed)


class Tasks:
    """The engine's Handler: the dispatcher behind mocks, and those behind faults where there are any."""

    def __init__(self, dispatcher: Dispatcher, world: World) -> None:
        self.dispatcher = dispatcher
        mocks: Handler = Mocks(world.mocks, dispatcher)
        self._handler = Faults(list(world.rules), world.seed, mocks) if world.rules else mocks

    def __call__(self, task: RunTask, reply: Reply) -> None:
        self._handler(task, reply)

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        self._handler.resume(task, job, reply)

    def close(self) -> None:
        """End the processes of local functions."""
        self.dispatcher.close()
