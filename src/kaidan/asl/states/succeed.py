"""Succeed: ends its scope with success. Source: States Language spec, "Succeed State"."""

from __future__ import annotations

from kaidan.asl.states.dataflow import Definition
from kaidan.asl.states.fields import COMMON, INPUT_OUTPUT, OUTPUT
from kaidan.asl.states.state import Compiler, State
from kaidan.asl.states.visit import Exit, Visit

FIELDS = (*COMMON, *INPUT_OUTPUT, OUTPUT)


class Succeed(State):
    __slots__ = ()

    def __init__(self, definition: Definition, compiler: Compiler) -> None:
        super().__init__(definition, compiler, compiler.flow(definition))

    def enter(self, visit: Visit) -> Exit:
        return self.exit(visit, self.flow.arguments(visit))
