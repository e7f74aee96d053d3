"""Pass: hands on its input, or a fixed Result. Source: States Language spec, "Pass State"."""

from __future__ import annotations

from kaidan.asl.states.dataflow import Definition
from kaidan.asl.states.fields import (
    ASSIGN,
    COMMON,
    INPUT_OUTPUT,
    OUTPUT,
    PARAMETERS,
    RESULT_PATH,
    TRANSITION,
    Field,
    Site,
    Static,
    looks_dynamic,
    parts,
)
from kaidan.asl.states.state import Compiler, State
from kaidan.asl.states.visit import Exit, Visit
from kaidan.values import JSON, Payload


def _is_static(result: JSON, site: Site) -> None:
    pointers = (pointer for pointer, name, value in parts(result) if looks_dynamic(value) or name.endswith(".$"))
    if (pointer := next(pointers, None)) is not None:
        message = "The Result of a Pass state is static: paths and functions in it are not evaluated."
        site.warning("PASS_RESULT_IS_STATIC", message, pointer, hint="Parameters are evaluated")


FIELDS = (
    *COMMON,
    *TRANSITION,
    *INPUT_OUTPUT,
    PARAMETERS,
    Field("Result", Static(), language="JSONPath", check=_is_static),
    RESULT_PATH,
    OUTPUT,
    ASSIGN,
)


class Pass(State):
    __slots__ = ("_result",)

    def __init__(self, definition: Definition, compiler: Compiler) -> None:
        super().__init__(definition, compiler, compiler.flow(definition, parameters="Parameters"))
        self._result = Payload(definition["Result"]) if "Result" in definition else None

    def enter(self, visit: Visit) -> Exit:
        return self.exit(visit, self._result or self.flow.arguments(visit))
