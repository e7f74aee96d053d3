"""Which variables each state of a definition reads, found without running it.

    variable_references({…"Wait": {"Type": "Wait", "SecondsPath": "$pause", …}…})    {"Wait": ["pause"]}

Walks the field tables of the states, as `check` does; names no state type. Takes a definition that has been checked.

Source: API, DescribeStateMachine, `variableReferences`: states that read none are left out (recorded). What is only
assigned is not read; the states inside a Map or Parallel state are listed under their own names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kaidan.asl.language.check_jsonata import is_expression
from kaidan.asl.query.intrinsics import is_intrinsic, variable_names
from kaidan.asl.query.jsonata.analysis import free_variables
from kaidan.asl.query.jsonata.functions.table import BUILTINS
from kaidan.asl.query.jsonata.parser import parse as parse_jsonata
from kaidan.asl.query.jsonpath import first_names
from kaidan.asl.query.jsonpath import parse as parse_path
from kaidan.asl.states import TABLES
from kaidan.asl.states.fields import (
    Assignments,
    Call,
    Condition,
    Field,
    Items,
    Language,
    Object,
    Path,
    Payload,
    Record,
    Reference,
    parts,
)
from kaidan.values import JSON


def variable_references(definition: Object) -> dict[str, list[str]]:
    """State name → the variables that it reads, in alphabetical order."""
    language: Language = definition.get("QueryLanguage", "JSONPath")
    assigned: set[str] = set()
    read: dict[str, set[str]] = {}
    for name, state in _states(definition):
        own: Language = state.get("QueryLanguage", language)
        read.setdefault(name, set()).update(_of_record(state, TABLES[state["Type"]], own))
        assigned.update(_assigned(state))
    others = (BUILTINS.keys() - assigned) | {"states"}
    found = {name: sorted(names - others) for name, names in read.items()}
    return {name: names for name, names in found.items() if names}


def _states(definition: Object) -> Iterator[tuple[str, Object]]:
    """Every state, also those of machines inside states."""
    for name, state in definition["States"].items():
        yield name, state
        for inner in _machines(state):
            yield from _states(inner)


def _machines(state: Object) -> Iterator[Object]:
    for field in TABLES[state["Type"]].table:
        value, kind = state.get(field.name), field.kind
        if isinstance(kind, Record) and kind.scope and value is not None:
            yield value
        elif isinstance(kind, Items) and isinstance(kind.of, Record) and kind.of.scope:
            yield from value or ()


def _of_record(value: Object, kind: Record, language: Language) -> Iterator[str]:
    if kind.scope:
        return
    for field in kind.table:
        if field.name in value and field.language in (None, language):
            yield from _of_field(value[field.name], field, language)


def _of_field(value: JSON, field: Field, language: Language) -> Iterable[str]:
    if field.dynamic and language == "JSONata" and is_expression(value):
        return _of_expression(value)
    match field.kind:
        case Path() | Call() | Reference(written=False):
            return _of_path(value)
        case Payload() | Assignments():
            return _of_payload(value, language)
        case Condition():
            return _of_expression(value) if isinstance(value, str) else ()
        case Record():
            return _of_record(value, field.kind, language)
        case Items(of=of):
            item = Field(field.name, of)
            return (name for part in value for name in _of_field(part, item, language))
    return ()


def _of_payload(value: JSON, language: Language) -> Iterator[str]:
    for pointer, name, part in parts(value):
        if language == "JSONata" and is_expression(part):
            yield from _of_expression(part)
        elif language == "JSONPath" and name.endswith(".$") and pointer.endswith(name):
            yield from _of_path(part)


def _of_path(text: JSON) -> Iterable[str]:
    if not isinstance(text, str):
        return ()
    return variable_names(text) if is_intrinsic(text) else first_names(parse_path(text))


def _of_expression(text: str) -> Iterable[str]:
    return free_variables(parse_jsonata(text[2:-2]))


def _assigned(state: Object) -> Iterator[str]:
    """The names of `Assign`, wherever in a state."""
    for pointer, name, part in parts(state):
        if name == "Assign" and pointer.endswith("/Assign") and isinstance(part, dict):
            yield from (key.removesuffix(".$") for key in part)
