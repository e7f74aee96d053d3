"""Fields of one state, compiled in the JSONPath dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from kaidan.asl.query import choice as choice_rules
from kaidan.asl.query.env import Env, Expression
from kaidan.asl.query.jsonpath import PathNotFound, compile_path
from kaidan.asl.query.template import compile_template, field_value
from kaidan.asl.states.dataflow import Definition, Flow, PathFlow, selector
from kaidan.asl.states.recovery import Catcher, Catchers, PathCatchFlow, Retrier, Retriers
from kaidan.asl.states.state import ChoiceTest, Items, Template, Value
from kaidan.asl.states.visit import Visit
from kaidan.errors import runtime_error
from kaidan.values import JSON, Payload

CompileScope: TypeAlias = Callable[[Definition, str], str]
"""Compiles the states of a branch or item processor, given with its pointer; gives the path of the scope."""


class Literal:
    """A field given as it is."""

    def __init__(self, value: JSON) -> None:
        self.path: str | None = None
        self._value = value

    def at(self, visit: Visit) -> JSON:
        return self._value


class PathValue:
    """A field given by its `…Path` twin: a path, or an intrinsic call; `$` is the effective input."""

    def __init__(self, path: str, expression: Expression) -> None:
        self.path: str | None = path
        self._expression = expression

    def at(self, visit: Visit) -> JSON:
        return self._expression(visit.effective.value, visit.env)


_REFERRING = {
    "Seconds": "The SecondsPath parameter does not reference an input value: {path}",
    "Timestamp": "The TimestampPath parameter does not reference an input value: {path}",
}
"""AWS's words for a path that finds nothing, where they are not the usual ones (recorded)."""


class PathCompiler:
    """Compiles the fields of one state in the JSONPath dialect."""

    def __init__(self, name: str, pointer: str, compile_scope: CompileScope) -> None:
        self.name = name
        self.pointer = pointer
        self.scope = compile_scope

    def flow(self, definition: Definition, *, parameters: str | None = None, place: str = "") -> Flow:
        return PathFlow(definition, parameters=parameters)

    def choice(self, rule: Definition, place: str) -> ChoiceTest:
        test = choice_rules.compile_rule(rule)
        return lambda visit, effective: test(effective.value, visit.env)

    def value(self, definition: Definition, field: str) -> Value | None:
        if field + "Path" in definition:
            path = definition[field + "Path"]
            return PathValue(path, _value_at(path, field))
        if field + ".$" in definition:
            path = definition[field + ".$"]
            return PathValue(path, field_value(path, field + ".$"))
        return Literal(definition[field]) if field in definition else None

    def items(self, definition: Definition, *, objects: bool = False) -> Items:
        path = definition.get("ItemsPath", "$")
        select = selector(path)
        shown = path[1:] if path.startswith("$$") else path  # AWS shows a context path with one $ (recorded)

        def items(visit: Visit, effective: Payload) -> JSON:
            value = select(effective.value, visit.env)
            if not isinstance(value, (list, dict) if objects else list):
                raise runtime_error(f'Reference path "{shown}" must point to array.')
            return value

        return items

    def item_selector(self, definition: Definition) -> Template | None:
        template = definition.get("ItemSelector", definition.get("Parameters"))
        return None if template is None else self.template(template, "ItemSelector")

    def template(self, value: JSON, location: str) -> Template:
        build = compile_template(value)
        return lambda visit, effective: Payload(build(effective.value, visit.env))

    def retriers(self, definition: Definition) -> Retriers:
        return tuple(Retrier.of(entry) for entry in definition.get("Retry", ()))

    def catchers(self, definition: Definition) -> Catchers:
        return tuple(
            Catcher(tuple(entry["ErrorEquals"]), entry["Next"], PathCatchFlow(entry))
            for entry in definition.get("Catch", ())
        )


def _value_at(path: str, field: str) -> Expression:
    """ErrorPath and CausePath speak as payload templates do, the others as InputPath does (recorded)."""
    if field in ("Error", "Cause"):
        return field_value(path, field + "Path")
    if field not in _REFERRING:
        return selector(path)
    select = compile_path(path)

    def evaluate(data: JSON, env: Env) -> JSON:
        try:
            return select(data, env)
        except PathNotFound:
            raise runtime_error(_REFERRING[field].format(path=path)) from None

    return evaluate
