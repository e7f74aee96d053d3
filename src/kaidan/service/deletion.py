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
from kaidan.runtime.run import Run
from kaidan.service.state import Service, StateMachine

_ENDS = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted")


class LastState(Machine):
    """Goes on as the machine would, but enters no further state: it aborts the execution instead."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(
            machine.program,
            machine.source,
            check_parameters=machine.check_parameters,
            limits=replace(machine.limits, slice_transitions_max=0),
            revision=machine.revision,
        )

    def advance(self, execution: Execution, event: ev.Event, now_ms: int) -> list[fx.Effect]:
        effects = super().advance(execution, event, now_ms)
        if not any(isinstance(effect, fx.Yield) for effect in effects):
            return effects
        before = [effect for effect in effects if not isinstance(effect, fx.Yield)]
        return before + super().advance(execution, ev.StopRequested(), now_ms)


class Deletion:
    """Deletes a machine, at once or when its last execution has ended. A listener of the engine until then."""

    def __init__(self, service: Service, machine: StateMachine) -> None:
        self._service = service
        self._machine = machine
        self._running: set[str] = set()
        for run in map(service.engine.find, machine.executions):
            if run is not None and run.execution.status == "RUNNING":
                self._running.add(run.execution.arn)
                run.machine = LastState(run.machine)
        machine.deleting = True
        service.engine.listeners.append(self)
        self._close()

    def __call__(self, run: Run, event: HistoryEvent) -> None:
        if event.type in _ENDS and run.execution.arn in self._running:
            self._running.remove(run.execution.arn)
            self._close()

    def _close(self) -> None:
        if self._running:
            return
        engine = self._service.engine
        engine.listeners = [listener for listener in engine.listeners if listener is not self]
        del self._service.machines[self._machine.arn]
