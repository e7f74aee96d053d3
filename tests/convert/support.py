"""Both languages evaluated side by side: what a JSONPath field gives, and what its conversion gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kaidan.asl.query.choice import compile_rule
from kaidan.asl.query.env import Env
from kaidan.asl.query.template import compile_template as compile_path_template
from kaidan.asl.states.jsonata_flow import compile_template
from kaidan.convert.choices import condition
from kaidan.convert.expressions import Guard, Ref, template
from kaidan.convert.paths import Scene
from kaidan.convert.states import CONTEXT
from kaidan.convert.templates import payload
from kaidan.errors import StateError
from kaidan.runtime.sources import SeededSource
from kaidan.values import JSON

FAILS = "fails"
"""What stands for a failure, of whatever name."""

EXECUTION = {
    "Id": "arn:aws:states:us-east-1:123456789012:execution:m:e",
    "Input": {"key": "value"},
    "Name": "e",
    "RoleArn": "arn:aws:iam::123456789012:role/r",
    "StartTime": "2024-11-06T09:42:03.123Z",
}
STATE = {"EnteredTime": "2024-11-06T09:42:04.000Z", "Name": "S"}
CONTEXT_OBJECT = {
    "Execution": EXECUTION,
    "StateMachine": {"Id": "arn:aws:states:us-east-1:123456789012:stateMachine:m", "Name": "m"},
    "State": STATE,
}
VARIABLES: dict[str, JSON] = {"n": 2, "order": {"id": "o-1", "lines": [{"sku": "a"}, {"sku": "b"}]}, "text": "abc"}
FACTS = {**CONTEXT, "$n": "integer", "$order": None}
"""`$text` is there, but not known to be."""

SCENE = Scene(Ref("$states.input", sure=True), FACTS)


def env() -> Env:
    return Env(lambda: CONTEXT_OBJECT, VARIABLES, SeededSource(7), 1_700_000_000_000)


def outcome(evaluate: Callable[[], Any]) -> Any:
    try:
        return evaluate()
    except StateError:
        return FAILS


def converted(value: JSON, notes: list[str] | None = None) -> JSON:
    """A payload template in JSONata."""
    return template(payload(value, SCENE, (notes if notes is not None else []).append))


def by_path(value: JSON, data: JSON) -> Any:
    return outcome(lambda: compile_path_template(value)(data, env()))


def by_jsonata(value: JSON, data: JSON) -> Any:
    states = {"input": data}
    return outcome(lambda: compile_template(value, "Output")(states, env()))


def first_by_path(rules: list[JSON], data: JSON) -> Any:
    """Which rule of a Choice holds: its number, None, or a failure."""
    tests = [compile_rule(rule) for rule in rules]
    return outcome(lambda: next((at for at, test in enumerate(tests) if test(data, env())), None))


def conditions(rules: list[JSON]) -> list[JSON]:
    made: list[JSON] = []
    known: tuple[Guard, ...] = ()
    for rule in rules:
        text, known = condition(rule, SCENE, known)
        made.append(text)
    return made


def first_by_jsonata(rules: list[JSON], data: JSON) -> Any:
    tests = [compile_template(text, "Condition", "boolean") for text in conditions(rules)]
    return outcome(lambda: next((at for at, test in enumerate(tests) if test({"input": data}, env())), None))
