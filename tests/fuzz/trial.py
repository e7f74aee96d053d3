"""One mutant tried: read → check → compile → run in a simulated world; what may come out, and what may not.

It may be refused with a DefinitionError, or run to an end. Any other exception, more than a second of work, and
an execution without an end are failures.
"""

from __future__ import annotations

import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random
from types import FrameType
from typing import Any

from kaidan.asl.language import load
from kaidan.errors import DefinitionError, StateError
from kaidan.limits import AWS
from kaidan.protocol.effects import RunTask
from kaidan.runtime.run import Run
from kaidan.runtime.simulated import World, simulate
from kaidan.values import loads
from tests.fuzz.mutate import Mutant

HANG_S = 1.0
"""Processor time, so that a busy machine makes no failures."""

LIMITS = replace(AWS, history_events_max=300)
"""Short executions: a loop without an end comes to this one."""

REFUSED = "REFUSED"
ENDS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


class Hang(BaseException):
    """Too long. No Exception, so that nobody takes it for an error of his own."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise Hang when the block has used so much processor time. In the main thread only."""

    def late(number: int, frame: FrameType | None) -> None:
        raise Hang(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def outcome(mutant: Mutant) -> str:
    """REFUSED, or the status of the execution. Whatever it raises is a failure."""
    try:
        definition = load(
            mutant.text,
            mutant.name,
            workflow_type="EXPRESS" if mutant.express else "STANDARD",
            substitutions=mutant.substitutions,
            strict=mutant.strict,
        )
    except DefinitionError as problem:
        assert any(finding.severity == "ERROR" for finding in problem.diagnostics), "refused without an error"
        for finding in problem.diagnostics:
            assert finding.line is None or (finding.line > 0 and (finding.column or 0) > 0), f"place of {finding}"
        return REFUSED
    run = simulate(
        definition.program, mutant.input, World(mutant.world_seed, Answers(mutant.world_seed)), limits=LIMITS
    )
    _check(run)
    return run.execution.status


def _check(run: Run) -> None:
    """It has ended, and its history is one."""
    execution = run.execution
    assert execution.status in ENDS, f"the execution is {execution.status} and nothing is left that could happen"
    assert [event.id for event in run.history] == list(range(1, len(run.history) + 1)), "ids of the history"
    assert run.history[0].type == "ExecutionStarted" and run.history[-1].type.startswith("Execution")
    if execution.status == "SUCCEEDED":
        assert execution.output is not None
        loads(execution.output.text)


ANSWERS: tuple[Any, ...] = (
    {}, [], None, 1, "text", {"Payload": {"n": 1}}, {"Reservations": [{"Instances": [{"InstanceId": "i-1"}]}], "n": 2},
    [{"a": 1}, 2], {"Body": "a,b\n1,2\n", "ContentLength": 8}, {"Contents": [{"Key": "k", "Size": 1}]}, True,
    {"a": {"b": [1, 2.5]}},
)  # fmt: skip
ERRORS = ("Flaky", "Boom", "States.TaskFailed", "States.Timeout", "Ec2.Ec2Exception", "")


class Answers:
    """Tasks that give this and that, or fail."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)

    def __call__(self, task: RunTask) -> Any:
        draw = self._chance.random()
        if draw < 0.2:
            raise StateError(self._chance.choice(ERRORS), self._chance.choice((None, "", "made to", '{"a": 1}')))
        return task.parameters.value if draw < 0.4 else self._chance.choice(ANSWERS)


# --- failures ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Failure:
    """`signature` tells apart what is wrong: two mutants with one signature fail alike."""

    signature: str
    mutant: Mutant
    trace: str


def attempt(mutant: Mutant) -> str | Failure:
    """The outcome, or how it failed."""
    try:
        with within(HANG_S):
            return outcome(mutant)
    except (Exception, Hang) as problem:
        return Failure(_signature(problem), mutant, "".join(traceback.format_exception(problem, limit=-12)))


def _signature(problem: BaseException) -> str:
    """The error and where in the package it came up; a hang may be noticed anywhere, a recursion too."""
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if "/kaidan/" in frame.filename]
    kind = type(problem).__name__
    if not frames:
        return f"{kind}: {problem}"
    if isinstance(problem, (Hang, RecursionError, MemoryError)):
        files = list(dict.fromkeys(frame.filename.rpartition("/")[2] for frame in frames))
        return f"{kind} in {files[-1]}"
    last = frames[-1]
    return f"{kind} in {last.filename.rpartition('/kaidan/')[2]}, {last.name}"
