"""Task: has work done by a service, a function or an activity. Source: States Language spec, "Task State"."""

from __future__ import annotations

from kaidan.arns import task_resource
from kaidan.asl.states.dataflow import Definition
from kaidan.asl.states.numbers import integer
from kaidan.asl.states.state import Compiler, State
from kaidan.asl.states.visit import Ask, Visit


class Task(State):
    __slots__ = ("_heartbeat", "_resource", "_role", "_timeout")

    def __init__(self, definition: Definition, compiler: Compiler) -> None:
        super().__init__(definition, compiler, compiler.flow(definition, parameters="Parameters"))
        self._resource = task_resource(definition["Resource"])
        self.has_token = self._resource.kind == "activity" or self._resource.pattern != ""
        self._timeout = compiler.value(definition, "TimeoutSeconds")
        self._heartbeat = compiler.value(definition, "HeartbeatSeconds")
        self._role = compiler.value(definition.get("Credentials") or {}, "RoleArn")

    def enter(self, visit: Visit) -> Ask:
        parameters = self.flow.arguments(visit)
        return Ask(
            self._resource,
            parameters,
            integer(self._timeout, "TimeoutSeconds", visit, minimum=1),
            integer(self._heartbeat, "HeartbeatSeconds", visit, minimum=1),
            self._role.at(visit) if self._role else None,
        )
