"""How data flows through a state in JSONata: Arguments, Output, Assign, and fields that are expressions.

    input → Arguments → (the state's work) → Output and Assign, both seeing what was there at entry → output

Strings of the form `{% expression %}` are evaluated wherever they stand in a field; the rest is taken as it is.
`$states` is `{"input", "result", "errorOutput", "context"}`, variables go by their names. Source: AWS guide,
"Transforming data with JSONata in Step Functions".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from kaidan.asl.query.env import Env
from kaidan.asl.query.jsonata import UNDEFINED, JsonataError, compile_expression, is_function
from kaidan.asl.states.dataflow import Assigned, Definition
from kaidan.asl.states.visit import Visit
from kaidan.errors import QUERY_EVALUATION_ERROR, StateError
from kaidan.values import JSON, Payload, dumps, type_name

States: TypeAlias = dict[str, JSON]
"""What `$states` offers at one place, without `context`."""

Template: TypeAlias = Callable[[States, Env], JSON]


def is_expression(value: JSON) -> bool:
    """Whether a value is `{% … %}` (AWS: no blanks before or after the delimiters)."""
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}") and len(value) >= 4


def expression_text(value: str) -> str:
    """What stands between the delimiters, as AWS shows it in messages."""
    return value[2:-2].strip()


def compile_template(value: JSON, location: str, expected: str | None = None) -> Template:
    """A field's value as a function of `$states`. `location` names the field in errors: `Output/result`."""
    return _compile(value, location, expected) or (lambda states, env: value)


def _compile(value: JSON, location: str, expected: str | None = None) -> Template | None:
    if is_expression(value):
        return _expression(expression_text(value), location, expected)
    if isinstance(value, dict):
        members = {key: _compile(item, f"{location}/{key}") for key, item in value.items()}
        if not any(members.values()):
            return None
        parts = [(key, part or _constant(value[key])) for key, part in members.items()]
        return lambda states, env: {key: part(states, env) for key, part in parts}
    if isinstance(value, list):
        items = [_compile(item, f"{location}[{index}]") for index, item in enumerate(value)]
        if not any(items):
            return None
        made = [part or _constant(item) for part, item in zip(items, value, strict=True)]
        return lambda states, env: [part(states, env) for part in made]
    return None


def _constant(value: JSON) -> Template:
    return lambda states, env: value


_OTHER_PARTS = re.compile(r"\$states\s*\.\s*(?:input|result|errorOutput)\b")


def _expression(text: str, location: str, expected: str | None) -> Template:
    program = compile_expression(text)
    needs_context = "$states" in _OTHER_PARTS.sub("", text)

    def evaluate(states: States, env: Env) -> JSON:
        seen = {**states, "context": env.context()} if needs_context else states
        bindings: Mapping[str, JSON] = {**env.variables, "states": seen}
        try:
            value = program.evaluate(None, bindings, env)
        except JsonataError as problem:
            mark = "." if problem.code else ":"  # measured on AWS: of the bounds, which have no code, it says ": …"
            raise _failure(text, location, f"threw an error during evaluation{mark} {problem}") from None
        if value is UNDEFINED:
            raise _failure(text, location, "returned nothing (undefined).")
        if is_function(value):
            raise _failure(text, location, "returned an unsupported result type.")
        if expected is not None and type_name(value) != expected:
            was = f"Expected '{expected}', but was '{type_name(value)}' for value: {dumps(value)}"
            raise _failure(text, location, f"returned an unexpected result type. {was}")
        return value

    return evaluate


def _failure(text: str, location: str, what: str) -> StateError:
    cause = f"The JSONata expression '{text}' specified for the field '{location}' {what}"
    return StateError(QUERY_EVALUATION_ERROR, cause, located=True, location=location)


class JsonataFlow:
    """The JSONata dialect of one state, of a rule of Choice, or of a Catcher."""

    __slots__ = ("_arguments", "_assign", "_has_result", "_output")

    def __init__(self, definition: Definition, *, has_result: bool = True, place: str = "") -> None:
        """`has_result`: whether `$states.result` is there for Output and Assign. `place` stands before the names of
        the fields in errors: `Choices[0]/`, `Catch[1]/` (measured on AWS)."""
        self._arguments = _field(definition, "Arguments", place)
        self._output = _field(definition, "Output", place)
        self._assign = _field(definition, "Assign", place)
        self._has_result = has_result

    def arguments(self, visit: Visit) -> Payload:
        states: States = {"input": visit.input.value}
        made = Payload(self._arguments(states, visit.env)) if self._arguments else visit.input
        if visit.observe:
            visit.observe("afterArguments", made)
        return made

    def conclude(self, visit: Visit, result: Payload) -> tuple[Payload, Assigned]:
        states: States = {"input": visit.input.value}
        if self._has_result:
            states["result"] = result.value
        return self._conclude(visit, states, result)

    def _conclude(self, visit: Visit, states: States, result: Payload) -> tuple[Payload, Assigned]:
        output = Payload(self._output(states, visit.env)) if self._output else result
        assigned = self._assign(states, visit.env) if self._assign else None
        return output, assigned


class JsonataCatchFlow(JsonataFlow):
    """A Catcher: `$states.errorOutput` is there, and is the output when the Catcher has none."""

    __slots__ = ()

    def conclude(self, visit: Visit, error_output: Payload) -> tuple[Payload, Assigned]:
        states = {"input": visit.input.value, "errorOutput": error_output.value}
        return self._conclude(visit, states, error_output)


def _field(definition: Definition, name: str, place: str) -> Template | None:
    return compile_template(definition[name], place + name) if name in definition else None


class ExpressionValue:
    """A field that may be an expression, with the type that its value must have."""

    def __init__(self, value: JSON, name: str, expected: str | None) -> None:
        self.path: str | None = None
        self._template = compile_template(value, name, expected)

    def at(self, visit: Visit) -> JSON:
        return self._template({"input": visit.input.value}, visit.env)
