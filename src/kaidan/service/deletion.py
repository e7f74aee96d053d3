"""The end of a state machine that has running executions: it is DELETING until the last of them has ended.

Source: API reference, DeleteStateMachine: executions are terminated on their next state transition.
"""

from __future__ import annotations

from dataclasses import replace

from kaidan.asl.machine.advance import Machine
from kaidan.asl.machine.execution import Execution
from kaidan.protocol import effects as fx
from kaidan.protocol import events as ev
from kaidan.protocol.history import HistoryEvent
from kaidan.runtime.engine import Listener
from kaidan.runtime.run import Run
from kaidan.service.state import Service, StateMachine
from kaidan.store.contract import Query


class LastState(Machine):
    """Goes on as the machine would, but enters no further state: it aborts the execution instead."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(
            machine.program,
            machine.source,
            check_parameters=machine.check_parameters,
            prepare_parameters=machine.prepare_parameters,
            limits=replace(machine.limits, slice_transitions_max=0),
            revision=machine.revision,
        )

    def advance(self, execution: Execution, event: ev.Event, now_ms: int) -> list[fx.Effect]:
        effects = super().advance(execution, event, now_ms)
        if not any(isinstance(effect, fx.Yield) for effect in effects):
            return effects
        before = [effect for effect in effects if not isinstance(effect, fx.Yield)]
        return before + super().advance(execution, ev.StopRequested(), now_ms)


def delete(service: Service, machine: StateMachine) -> None:
    """Delete a machine, at once or when its last execution has ended: none enters a further state."""
    machine.deleting = True
    for run in service.engine.runs.values():
        if run.execution.machine_arn == machine.arn and run.execution.status == "RUNNING":
            run.machine = LastState(run.machine)
    _forget_if_idle(service, machine)


def listener(service: Service) -> Listener:
    """For the engine: sees when the last execution of a machine that is being deleted has ended."""

    def hear(run: Run, event: HistoryEvent) -> None:
        machine = service.machines.get(run.execution.machine_arn)
        if machine is not None and machine.deleting:
            service.engine.once_saved(lambda: _forget_if_idle(service, machine))

    return hear


def _forget_if_idle(service: Service, machine: StateMachine) -> None:
    if not service.engine.list(Query(machine_arn=machine.arn, status="RUNNING", limit=1)):
        service.machines.pop(machine.arn, None)
