"""Payload templates of the JSONPath dialect: JSON in which `"name.$"` members are paths or intrinsic calls.

    {"fixed": 1, "name.$": "$.user.name", "id.$": "States.UUID()"}

Source: States Language spec, "Payload Template". Knows nothing of states.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from kaidan.asl.query.env import Env, Expression
from kaidan.asl.query.intrinsics import compile_intrinsic, is_intrinsic
from kaidan.asl.query.java import hash_table_order, java_hash
from kaidan.asl.query.jsonpath import PathNotFound, compile_path
from kaidan.errors import runtime_error
from kaidan.values import JSON, dumps

Compiled: TypeAlias = Expression | None
"""None stands for a template without expressions: it is its own value."""


def compile_template(template: JSON) -> Expression:
    """A template, checked already, as an expression. Constant parts are shared, never copied."""
    return _compile(template) or (lambda data, env: template)


def _compile(template: JSON) -> Compiled:
    if isinstance(template, dict):
        return _compile_object(template)
    if isinstance(template, list):
        return _compile_array(template)
    return None


def _compile_array(template: list[JSON]) -> Compiled:
    parts = [_compile(item) for item in template]
    if not any(parts):
        return None
    items = [part or _constant(item) for part, item in zip(parts, template, strict=True)]
    return lambda data, env: [item(data, env) for item in items]


def _constant(value: JSON) -> Expression:
    return lambda data, env: value


def _compile_object(template: dict[str, JSON]) -> Compiled:
    dynamic = {key[:-2]: field_value(text, key) for key, text in template.items() if key.endswith(".$")}
    nested = {key: _compile(value) for key, value in template.items() if not key.endswith(".$")}
    if not dynamic and not any(nested.values()):
        return None
    members = [(key, part or _constant(template[key])) for key, part in nested.items()]
    members += [(key, dynamic[key]) for key in hash_order(dynamic)]
    return lambda data, env: {key: value(data, env) for key, value in members}


def field_value(text: str, field: str) -> Expression:
    """The value of `field`: a path or an intrinsic call. A path that finds nothing is AWS's States.Runtime."""
    if is_intrinsic(text):
        return _intrinsic(text, field)
    select = compile_path(text)

    def evaluate(data: JSON, env: Env) -> JSON:
        try:
            return select(data, env)
        except PathNotFound:
            raise _not_found(text, field, data) from None

    return evaluate


def _intrinsic(text: str, field: str) -> Expression:
    call = compile_intrinsic(text)

    def evaluate(data: JSON, env: Env) -> JSON:
        try:
            return call(data, env)
        except PathNotFound:
            raise _not_found(text, field, data) from None

    return evaluate


def _not_found(text: str, field: str, data: JSON) -> Exception:
    return runtime_error(
        f"The JSONPath '{text}' specified for the field '{field}' could not be found in the input '{dumps(data)}'"
    )


def hash_order(names: Iterable[str]) -> list[str]:
    """The order in which AWS puts a template's `.$` members, after its fixed ones: that of a Java HashMap.

    Recorded: `{"Iterations.$": …, "Values.$": …}` gives `{"Values": …, "Iterations": …}`. It shows wherever a
    history carries the text of an array or an object.
    """
    return hash_table_order([(java_hash(name), name) for name in names])
