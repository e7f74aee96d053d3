"""Fail: ends its scope with an error. Source: States Language spec, "Fail State"; AWS guide, "Fail workflow state"."""

from __future__ import annotations

from kaidan.asl.states.dataflow import Definition
from kaidan.asl.states.fields import COMMON, Call, Text, with_path
from kaidan.asl.states.state import Compiler, State, Value
from kaidan.asl.states.visit import Halt, Visit
from kaidan.errors import runtime_error
from kaidan.values import type_name

FIELDS = (*COMMON, *with_path("Error", Text(), Call()), *with_path("Cause", Text(), Call()))


class Fail(State):
    __slots__ = ("_cause", "_error")

    def __init__(self, definition: Definition, compiler: Compiler) -> None:
        super().__init__(definition, compiler, compiler.flow(definition))
        self._error = compiler.value(definition, "Error")
        self._cause = compiler.value(definition, "Cause")

    def enter(self, visit: Visit) -> Halt:
        return Halt(_text(self._error, "Error", visit), _text(self._cause, "Cause", visit))


def _text(field: Value | None, name: str, visit: Visit) -> str | None:
    if field is None:
        return None
    value = field.at(visit)
    if not isinstance(value, str):
        raise runtime_error(f"The {name} of a Fail state must be a string but was: {type_name(value)}")
    return value
