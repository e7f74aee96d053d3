"""How data flows through a state, written once for all states: JSONPath's five fields and Assign.

    input → InputPath → Parameters → (the state's work) → ResultSelector → ResultPath → OutputPath → output

Data that only passes through stays the same Payload, so it is serialised once. Source: AWS guide,
"Processing input and output in Step Functions"; States Language spec, "Input and Output Processing".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from kaidan.asl.query import jsonpath
from kaidan.asl.query.env import Env, Expression
from kaidan.asl.query.jsonpath import PathNotFound, ResultPathMismatch
from kaidan.asl.query.template import compile_template
from kaidan.asl.states.visit import Visit
from kaidan.errors import REFERENCE_PATH_CONFLICT, StateError, runtime_error
from kaidan.values import JSON, Payload

Assigned: TypeAlias = dict[str, JSON] | None
Definition: TypeAlias = dict[str, JSON]


class Flow(Protocol):
    """What both query languages offer a state."""

    def arguments(self, visit: Visit) -> Payload:
        """What the state works on: a task's parameters, a Pass state's own result, a container's input."""

    def conclude(self, visit: Visit, result: Payload) -> tuple[Payload, Assigned]:
        """The state's output and the variables that it sets, out of its result."""


def selector(text: str) -> Expression:
    """A path of InputPath, OutputPath, ItemsPath and the like. Finding nothing is AWS's States.Runtime."""
    select = jsonpath.compile_path(text)

    def evaluate(data: JSON, env: Env) -> JSON:
        try:
            return select(data, env)
        except PathNotFound as problem:
            raise runtime_error(f"Invalid path '{text}' : {problem.reason}") from None

    return evaluate


_EMPTY = Payload({}, "{}")
Filter: TypeAlias = Callable[[Payload, Visit], Payload]


def path_filter(definition: Definition, field: str) -> Filter | None:
    """InputPath or OutputPath: None when it changes nothing; JSON null gives `{}`."""
    text = definition.get(field, "$")
    if text is None:
        return lambda payload, visit: _EMPTY
    if text == "$":
        return None
    select = selector(text)
    return lambda payload, visit: _filtered(select(payload.value, visit.env), payload)


def _filtered(value: JSON, payload: Payload) -> Payload:
    return payload if value is payload.value else Payload(value)


def _template(definition: Definition, *names: str) -> Expression | None:
    for name in names:
        if name in definition:
            return compile_template(definition[name])
    return None


class PathFlow:
    """The JSONPath dialect. Fields that a state's type does not have are not in its definition."""

    __slots__ = ("_assign", "_input", "_merge", "_output", "_parameters", "_selector")

    def __init__(self, definition: Definition, *, parameters: str | None = None) -> None:
        """`parameters` names the field that shapes the input: Parameters, or none at all."""
        self._input = path_filter(definition, "InputPath")
        self._parameters = _template(definition, parameters) if parameters else None
        self._selector = _template(definition, "ResultSelector")
        self._merge = result_merge(definition)
        self._output = path_filter(definition, "OutputPath")
        self._assign = _template(definition, "Assign")

    def arguments(self, visit: Visit) -> Payload:
        if self._input:
            visit.effective = self._input(visit.input, visit)
        if visit.observe:
            visit.observe("afterInputPath", visit.effective)
        made = Payload(self._parameters(visit.effective.value, visit.env)) if self._parameters else visit.effective
        if visit.observe:
            visit.observe("afterParameters", made)
        return made

    def conclude(self, visit: Visit, result: Payload) -> tuple[Payload, Assigned]:
        raw = result
        if self._selector:
            result = Payload(self._selector(raw.value, visit.env))
        if visit.observe:
            visit.observe("afterResultSelector", result)
        # Beside ResultSelector, not after it (AWS guide, "Passing data between states with variables").
        assigned = self._assign(raw.value, visit.env) if self._assign else None
        output = self._merge(visit.input, result) if self._merge else result
        if visit.observe:
            visit.observe("afterResultPath", output)
        return (self._output(output, visit) if self._output else output), assigned


Merge: TypeAlias = Callable[[Payload, Payload], Payload]


def result_merge(definition: Definition) -> Merge | None:
    """ResultPath: how result and raw input become one. None: the result alone; null: the input alone."""
    text = definition.get("ResultPath", "$")
    if text is None:
        return lambda raw, result: raw
    if text == "$":
        return None
    path = jsonpath.parse(text)

    def merge(raw: Payload, result: Payload) -> Payload:
        try:
            return Payload(jsonpath.write(path, raw.value, result.value))
        except ResultPathMismatch as problem:
            raise StateError(REFERENCE_PATH_CONFLICT, str(problem), located=True) from None

    return merge
