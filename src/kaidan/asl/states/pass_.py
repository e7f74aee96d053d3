"""Pass: hands on its input, or a fixed Result. Source: States Language spec, "Pass State"."""

from __future__ import annotations

from kaidan.asl.states.dataflow import Definition
from kaidan.asl.states.state import Compiler, State
from kaidan.asl.states.visit import Exit, Visit
from kaidan.values import Payload


class Pass(State):
    __slots__ = ("_result",)

    def __init__(self, definition: Definition, compiler: Compiler) -> None:
        super().__init__(definition, compiler, compiler.flow(definition, parameters="Parameters"))
        self._result = Payload(definition["Result"]) if "Result" in definition else None

    def enter(self, visit: Visit) -> Exit:
        return self.exit(visit, self._result or self.flow.arguments(visit))
