"""Laws of the machine, over random machines on the simulated runtime."""

from __future__ import annotations

import copy
import itertools
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaidan.asl.language import compile_definition
from kaidan.asl.machine.advance import Machine
from kaidan.asl.machine.execution import Execution
from kaidan.integrations.contract import Reply
from kaidan.protocol import events as ev
from kaidan.protocol.effects import RunTask
from kaidan.protocol.history import DETAILS_KEYS, HistoryEvent
from kaidan.runtime.engine import Engine, Run
from kaidan.runtime.simulated import World, begin, simulate
from tests.laws.machines import INPUT, answer, machines

Definition = dict[str, Any]
ENDINGS = {"SUCCEEDED": "ExecutionSucceeded", "FAILED": "ExecutionFailed"}


def run(definition: Definition, seed: int) -> Run:
    return simulate(compile_definition(definition), INPUT, World(seed=seed, answer=answer))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(machines(), st.integers(0, 1000))
def test_one_seed_gives_one_history(definition: Definition, seed: int) -> None:
    first, second = run(definition, seed), run(definition, seed)
    assert first.history == second.history
    assert first.execution.status == second.execution.status


@settings(max_examples=150, deadline=None, derandomize=True)
@given(machines(), st.integers(0, 1000))
def test_histories_are_well_formed(definition: Definition, seed: int) -> None:
    done = run(definition, seed)
    history = done.history
    assert [event.id for event in history] == list(range(1, len(history) + 1))
    assert all(event.previous_id < event.id for event in history)
    assert all(event.type in DETAILS_KEYS for event in history)
    assert all(a.timestamp_ms <= b.timestamp_ms for a, b in itertools.pairwise(history))
    assert history[0].type == "ExecutionStarted"
    assert history[-1].type == ENDINGS[done.execution.status]
    assert sum(event.type.startswith("Execution") for event in history) == 2


@settings(max_examples=150, deadline=None, derandomize=True)
@given(machines(), st.integers(0, 1000))
def test_every_exit_and_iteration_end_has_its_beginning(definition: Definition, seed: int) -> None:
    history = run(definition, seed).history
    for end, start in (("StateExited", "StateEntered"), ("IterationSucceeded", "IterationStarted")):
        assert _count(history, end) <= _count(history, start)
    if history[-1].type == "ExecutionSucceeded":
        assert _count(history, "TaskScheduled") >= _count(history, "TaskSucceeded")


def _count(history: list[HistoryEvent], ending: str) -> int:
    return sum(event.type.endswith(ending) for event in history)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(machines(), st.integers(0, 1000))
def test_nothing_is_left_behind(definition: Definition, seed: int) -> None:
    execution = run(definition, seed).execution
    assert not execution.requests
    assert not execution.ready
    assert bool(execution.frames) == (execution.status != "SUCCEEDED")  # what a redrive goes on from
    assert execution.shelves.keys() <= execution.frames.keys()


class Pickling(Machine):
    """A machine that stores and loads the execution between any two events."""

    def advance(self, execution: Execution, event: ev.Event, now_ms: int) -> list[Any]:
        loaded = pickle.loads(pickle.dumps(execution))
        effects = super().advance(loaded, event, now_ms)
        for name in execution.__struct_fields__:
            setattr(execution, name, getattr(loaded, name))
        return effects


@settings(max_examples=60, deadline=None, derandomize=True)
@given(machines(), st.integers(0, 1000))
def test_an_execution_can_be_stored_and_loaded_between_any_two_events(definition: Definition, seed: int) -> None:
    expected = run(definition, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kaidan.runtime.simulated.Machine", Pickling)
        stored = run(definition, seed)
    assert stored.history == expected.history


@settings(max_examples=60, deadline=None, derandomize=True)
@given(machines(), st.integers(0, 1000), st.integers(1, 50))
def test_answers_that_nobody_awaits_change_nothing(definition: Definition, seed: int, request_id: int) -> None:
    done = run(definition, seed)
    before = copy.deepcopy(done.execution)
    for event in (ev.TimerFired(request_id), ev.TaskFailed(request_id, "Late"), ev.StopRequested()):
        assert done.machine.advance(done.execution, event, 0) == []
    assert done.execution == before


@settings(max_examples=100, deadline=None, derandomize=True)
@given(machines(), st.integers(0, 1000))
def test_a_redrive_goes_on_where_it_failed(definition: Definition, seed: int) -> None:
    program = compile_definition(definition)
    engine, failed = begin(program, INPUT, World(seed=seed, answer=answer))
    engine.run_until(lambda: failed.execution.status != "RUNNING")
    if failed.execution.status == "SUCCEEDED":
        return
    engine.handler = Obliging(engine)
    before = list(failed.history)
    engine.redrive(failed.execution.arn)
    engine.run_until(lambda: failed.execution.status != "RUNNING")
    history = failed.history
    assert history[: len(before)] == before
    assert history[len(before)].type == "ExecutionRedriven"
    assert [event.id for event in history] == list(range(1, len(history) + 1))
    assert failed.execution.status in ENDINGS
    done = [e.details for e in before if e.type == "TaskStateExited" and e.details]
    assert len([e for e in history if e.type == "TaskStateExited"]) >= len(done)


class Obliging:
    """Every task succeeds at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, task: RunTask, reply: Reply) -> None:
        reply.started()
        reply.succeeded(task.parameters.value)

    def resume(self, task: RunTask, job: Any, reply: Reply) -> None:
        self(task, reply)
