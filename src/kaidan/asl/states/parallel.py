"""Parallel: runs its branches side by side on the same input. Source: States Language spec, "Parallel State"."""

from __future__ import annotations

from kaidan.asl.states.dataflow import Definition
from kaidan.asl.states.fields import (
    ARGUMENTS,
    COMMON,
    INPUT_OUTPUT,
    PARAMETERS,
    RECOVERY,
    RESULT,
    SCOPE,
    TRANSITION,
    Field,
    Items,
    Record,
)
from kaidan.asl.states.state import Compiler, State
from kaidan.asl.states.visit import FanOut, Visit

FIELDS = (
    *COMMON,
    *TRANSITION,
    *INPUT_OUTPUT,
    PARAMETERS,
    ARGUMENTS,
    Field("Branches", Items(Record(SCOPE, scope=True)), required=True),
    *RESULT,
    *RECOVERY,
)


class Parallel(State):
    __slots__ = ("_branches",)

    def __init__(self, definition: Definition, compiler: Compiler) -> None:
        super().__init__(definition, compiler, compiler.flow(definition, parameters="Parameters"))
        self._branches = tuple(
            compiler.scope(branch, f"{compiler.pointer}/Branches[{index}]")
            for index, branch in enumerate(definition["Branches"])
        )

    def enter(self, visit: Visit) -> FanOut:
        return FanOut(self.flow.arguments(visit), self._branches)
