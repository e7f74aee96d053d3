"""Laws of the durable engine: random machines, killed at random moments, end as if nothing had happened."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaidan.asl.language import compile_definition
from kaidan.asl.machine.advance import Machine
from kaidan.asl.machine.execution import Execution
from kaidan.errors import StateError
from kaidan.integrations.contract import Reply
from kaidan.protocol.effects import RunTask
from kaidan.protocol.history import HistoryEvent
from kaidan.runtime.engine import Engine, Run
from kaidan.runtime.sources import SeededSource, SimulatedClock
from kaidan.store.sqlite import SqliteStore
from kaidan.values import JSON, Payload
from tests.laws.machines import INPUT, answer, machines, without_faults, without_limits

Definition = dict[str, Any]
ARN = "arn:aws:states:us-east-1:123456789012:execution:m:x"


class Tasks:
    """Answers every task after a second of the engine's clock; `obliging`: none fails."""

    def __init__(self, engine: Engine, obliging: bool) -> None:
        self._engine = engine
        self._obliging = obliging

    def __call__(self, task: RunTask, reply: Reply) -> None:
        reply.started()
        self._engine.after(1000, lambda: self._finish(task, reply))

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        self(task, reply)

    def _finish(self, task: RunTask, reply: Reply) -> None:
        try:
            reply.succeeded(task.parameters.value if self._obliging else answer(task))
        except StateError as error:
            reply.failed(error.error, error.cause)


class World:
    """An engine on a file, which can be killed and started again."""

    def __init__(self, definition: Definition, folder: Path, seed: int) -> None:
        self._machine = Machine(compile_definition(definition), SeededSource(seed))
        self._path = folder / "kaidan.db"
        self.clock = SimulatedClock()
        self._obliging = False
        self._open()

    def _open(self) -> None:
        self.store = SqliteStore(self._path)
        self.engine = Engine(self.clock, self.store)
        self.engine.handler = Tasks(self.engine, self._obliging)
        self.engine.machine_of = lambda execution: self._machine
        self.engine.recover()

    def start(self) -> None:
        execution = Execution(
            arn=ARN,
            name="x",
            machine_arn="arn:aws:states:us-east-1:123456789012:stateMachine:m",
            machine_name="m",
            role_arn="arn:aws:iam::123456789012:role/r",
            input=Payload(INPUT),
            start_ms=self.clock.now_ms(),
        )
        self.engine.start(Run(self._machine, execution))
        self.engine.save()

    def go_on(self, steps: int) -> None:
        left = iter(range(steps))
        self.engine.run_until(lambda: next(left, None) is None or not self.running)

    def kill(self) -> None:
        """As kill -9 leaves it: what was not saved is lost."""
        self.store.close()
        self._open()

    def finish(self, kills: random.Random | None = None) -> None:
        """Go on to the end, killed at random moments on the way."""
        for _ in range(200 if kills is not None else 0):
            self.go_on(kills.randint(1, 12) if kills is not None else 0)
            if not self.running:
                break
            self.kill()
        self.engine.run_until(lambda: not self.running)
        self.engine.save()

    def redrive(self) -> None:
        """From now on no task fails."""
        self.engine.run_until(lambda: False)
        self._obliging = True
        self.engine.handler = Tasks(self.engine, self._obliging)
        self.engine.redrive(ARN)
        self.engine.save()

    @property
    def running(self) -> bool:
        run = self.engine.find(ARN)
        assert run is not None
        return run.execution.status == "RUNNING"

    def outcome(self) -> tuple[str, Any, Any]:
        self.engine.save()
        run = self.engine.find(ARN)
        assert run is not None
        execution = run.execution
        output = execution.output.value if execution.output else None
        return execution.status, _without_ids(output), execution.error

    def history(self) -> list[HistoryEvent]:
        run = self.engine.find(ARN)
        assert run is not None
        return self.engine.events(run)


def _without_ids(value: Any) -> Any:
    """Outputs may hold UUIDs, which a repeated visit makes anew."""
    if isinstance(value, dict):
        return {key: "id" if key == "id" else _without_ids(member) for key, member in value.items()}
    return [_without_ids(item) for item in value] if isinstance(value, list) else value


def undisturbed(definition: Definition, seed: int) -> tuple[tuple[str, Any, Any], list[str]]:
    with TemporaryDirectory() as folder:
        world = World(definition, Path(folder), seed)
        world.start()
        world.engine.run_until(lambda: not world.running)
        outcome = world.outcome()
        return outcome, sorted(event.type for event in world.history())


@settings(max_examples=40, deadline=None, derandomize=True)
@given(machines().map(without_limits), st.integers(0, 1000))
def test_killed_at_any_moment_it_ends_as_if_undisturbed(definition: Definition, seed: int) -> None:
    expected, types = undisturbed(definition, seed)
    chance = random.Random(seed)
    with TemporaryDirectory() as folder:
        world = World(definition, Path(folder), seed)
        world.start()
        world.finish(chance)
        assert world.outcome() == expected
        history = world.history()
        assert [event.id for event in history] == list(range(1, len(history) + 1))
        if not any("TimedOut" in kind or "Aborted" in kind for kind in types):
            assert sorted(event.type for event in history) == types


def redriven(
    definition: Definition, seed: int, steps: int | None, kills: random.Random | None
) -> tuple[tuple[str, Any, Any], list[HistoryEvent], int]:
    """Outcome and history of an execution that failed, or was stopped after some steps, and redriven; and how many of
    its events are from before the redrive. Nothing but the redrive is disturbed."""
    with TemporaryDirectory() as folder:
        world = World(definition, Path(folder), seed)
        world.start()
        world.go_on(steps if steps is not None else 1_000_000)
        if world.running:
            world.engine.stop(ARN, None, None)
        before = len(world.history())
        if world.outcome()[0] != "SUCCEEDED":
            world.redrive()
            world.finish(kills)
        return world.outcome(), world.history(), before


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    machines().map(without_limits).map(without_faults), st.integers(0, 1000), st.one_of(st.none(), st.integers(1, 60))
)
def test_killed_at_any_moment_of_a_redrive_it_ends_as_if_undisturbed(
    definition: Definition, seed: int, steps: int | None
) -> None:
    expected, undisturbed_history, before = redriven(definition, seed, steps, None)
    outcome, history, _ = redriven(definition, seed, steps, random.Random(seed))
    assert outcome == expected
    assert [event.id for event in history] == list(range(1, len(history) + 1))
    assert [event.type for event in history[:before]] == [event.type for event in undisturbed_history[:before]]
    if outcome[0] == "SUCCEEDED":
        kinds, wanted = (sorted(event.type for event in each) for each in (history, undisturbed_history))
        assert kinds == wanted


@settings(max_examples=25, deadline=None, derandomize=True)
@given(machines(), st.integers(0, 1000))
def test_what_is_evicted_comes_back(definition: Definition, seed: int) -> None:
    expected, types = undisturbed(definition, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kaidan.runtime.engine.RESIDENT_MAX", 0)
        assert undisturbed(definition, seed) == (expected, types)
