"""A world that is made up: virtual time, seeded chance, tasks that answer as a function says.

The same program, input and seed give the same history, byte for byte. What the engine does is real; only what
lies outside it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from kaidan.asl.language import Program
from kaidan.asl.machine.advance import Broken, Machine
from kaidan.asl.machine.execution import Execution
from kaidan.errors import StateError
from kaidan.integrations.contract import Reply
from kaidan.limits import AWS, Limits
from kaidan.protocol.effects import RunTask
from kaidan.runtime.engine import Engine, Run
from kaidan.runtime.sources import SeededSource, SimulatedClock
from kaidan.values import JSON, Payload

Answer = Callable[[RunTask], JSON]
"""What a task gives: a value, or a StateError raised."""


@dataclass(slots=True)
class World:
    """How tasks behave. `delay_ms_max` bounds how long one takes; `answer` decides what comes out."""

    seed: int = 0
    answer: Answer = field(default=lambda task: task.parameters.value)
    delay_ms_max: int = 5_000


def simulate(program: Program, input: JSON, world: World | None = None, *, limits: Limits = AWS) -> Run:
    """Run a program to its end in a simulated world. The Run holds execution and history."""
    engine, run = begin(program, input, world, limits=limits)
    engine.run_until(lambda: run.execution.status != "RUNNING")
    return run


def begin(program: Program, input: JSON, world: World | None = None, *, limits: Limits = AWS) -> tuple[Engine, Run]:
    """An engine of a simulated world with one execution, which goes on when the engine runs."""
    world = world or World()
    source = SeededSource(world.seed)
    engine = Engine(SimulatedClock())
    engine.on_fault = _show
    engine.handler = _Tasks(engine, world, SeededSource(world.seed + 1))
    machine_arn = "arn:aws:states:us-east-1:123456789012:stateMachine:simulated"
    name = source.uuid4()
    execution = Execution(
        arn=f"arn:aws:states:us-east-1:123456789012:execution:simulated:{name}",
        name=name,
        machine_arn=machine_arn,
        machine_name="simulated",
        role_arn="arn:aws:iam::123456789012:role/simulated",
        input=Payload(input),
        start_ms=engine.clock.now_ms(),
    )
    run = Run(Machine(program, source, limits=limits), execution)
    engine.start(run)
    return engine, run


def _show(run: Run, fault: Broken) -> None:
    """Simulations are there to find faults, not to live with them."""
    raise fault.__cause__ or fault


class _Tasks:
    """Carries out tasks by the World's word, after a delay by the seed."""

    def __init__(self, engine: Engine, world: World, chance: SeededSource) -> None:
        self._engine = engine
        self._world = world
        self._chance = chance

    def __call__(self, task: RunTask, reply: Reply) -> None:
        delay_ms = int(self._chance.random() * self._world.delay_ms_max)
        reply.started()
        self._engine.after(delay_ms, lambda: self._finish(task, reply))

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        self(task, reply)

    def _finish(self, task: RunTask, reply: Reply) -> None:
        try:
            reply.succeeded(self._world.answer(task))
        except StateError as error:
            reply.failed(error.error, error.cause)
