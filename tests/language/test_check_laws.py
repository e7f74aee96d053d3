"""Any JSON at any place gives findings: never an exception, whatever the depth."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from kaidan.asl.language import check
from kaidan.asl.language.check import STEPS_MAX
from kaidan.asl.states import TABLES
from kaidan.errors import Diagnostic
from kaidan.values import JSON
from tests.language.definitions import CATCHER, INNER, JSONATA, PASS, SCOPE, choice, found, machine, mode, reader, task


def nested(levels: int, wrap: Any, inner: JSON) -> JSON:
    for _ in range(levels):
        inner = wrap(inner)
    return inner


DEEP: list[JSON] = [
    nested(5000, lambda inner: [inner], 1),
    machine({**PASS, "Result": nested(5000, lambda inner: {"a": inner}, 1)}),
    machine({**PASS, "Parameters": nested(5000, lambda inner: [inner], 1)}),
    machine(choice({"Not": nested(2000, lambda inner: {"Not": inner}, {}), "Next": "N"})),
    nested(
        1000,
        lambda inner: {"StartAt": "S", "States": {"S": {"Type": "Parallel", "End": True, "Branches": [inner]}}},
        SCOPE,
    ),
    machine({**PASS, "Parameters": {"a.$": "States.Array(" * 3000 + ")" * 3000}}),
    machine({**PASS, "InputPath": "$" + "[?(" * 3000}),
    machine({**PASS, **JSONATA, "Output": "{% " + "(" * 5000 + "1" + ")" * 5000 + " %}"}),
    machine({**PASS, **JSONATA, "Output": "{% " + "-" * 5000 + "1 %}"}),
]


@pytest.mark.parametrize("definition", DEEP, ids=range(len(DEEP)))
def test_depth_is_no_danger(definition: JSON) -> None:
    check(definition)


def test_definitions_within_the_limit_of_depth_are_walked() -> None:
    rules = nested(STEPS_MAX // 2 - 10, lambda inner: {"And": [inner]}, {"Variable": "$.a", "IsNull": True})
    assert found(machine(choice({**rules, "Next": "N"}))) == []
    rules = nested(STEPS_MAX, lambda inner: {"Not": inner}, rules)
    assert [line.split(":")[0] for line in found(machine(choice({**rules, "Next": "N"})))] == ["TOO_DEEPLY_NESTED"]


IS_NULL: dict[str, JSON] = {"Variable": "$.a", "IsNull": True}
DISTRIBUTED: dict[str, JSON] = {
    **reader(InputType="CSV", CSVHeaderLocation="FIRST_ROW"),
    **mode(Mode="DISTRIBUTED", ExecutionType="EXPRESS"),
    "ItemBatcher": {"MaxItemsPerBatch": 1},
    "ResultWriter": {"WriterConfig": {"OutputType": "JSON", "Transformation": "NONE"}},
    "Label": "l",
}

SEEDS: list[JSON] = [
    machine(task(Retry=[{"ErrorEquals": ["E"]}], Catch=[CATCHER], Parameters={"a.$": "$.b"}, TimeoutSeconds=5)),
    machine(choice({"And": [IS_NULL, {"Not": IS_NULL}], "Next": "N"}, Default="N")),
    machine(choice({"Condition": "{% $v %}", "Next": "N", "Output": "{% 1 %}"}, Default="N"), **JSONATA),
    machine(DISTRIBUTED),
    machine({**INNER, "ResultSelector": {"a.$": "$[0]"}, "ResultPath": "$.a", "Assign": {"v": 1}}),
    machine({"Type": "Wait", "Seconds": "{% 5 %}", "Output": {"a": "{% $v %}"}, "End": True}, **JSONATA),
    machine({"Type": "Fail", "ErrorPath": "$.e", "Cause": "c"}),
    machine({**PASS, "Result": {"a": 1}, "InputPath": "$.a", "Comment": "c"}, TimeoutSeconds=1, Version="1.0"),
]

VALUES: list[JSON] = [None, True, 0, -1, 1.5, float("nan"), float("inf"), 10**400, "", "$", "$.a[", "{% a", "{% %}"]
VALUES += ["{% $$ %}", "States.Format(", "\ud800", "JSONata", "DISTRIBUTED", [], {}, [[]], [{}], {"": 1}, {"a.$": 1}]
NAMES = ["", "Type", "QueryLanguage", "Next", "ItemProcessor", "Condition", "Resource", "States", "a.$", "\ud800"]


def containers(value: JSON) -> Iterator[JSON]:
    if isinstance(value, (dict, list)) and value:
        yield value
        for part in value.values() if isinstance(value, dict) else value:
            yield from containers(part)


def mutate(definition: JSON, rng: random.Random) -> None:
    """One value is replaced, removed, added or moved."""
    places = list(containers(definition))
    place = rng.choice(places)
    key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
    value = copy.deepcopy(rng.choice([rng.choice(VALUES), rng.choice(places)]))
    match rng.randrange(3):
        case 0:
            place[key] = value
        case 1:
            del place[key]
        case 2 if isinstance(place, dict):
            place[rng.choice(NAMES)] = value
        case 2:
            place.insert(key, value)


def test_the_seeds_are_in_order() -> None:
    assert [found(seed) for seed in SEEDS] == [[]] * len(SEEDS)


@pytest.mark.parametrize("number", range(len(SEEDS)))
def test_any_json_gives_findings(number: int) -> None:
    rng = random.Random(number)
    for _ in range(150):
        definition = copy.deepcopy(SEEDS[number])
        for _ in range(rng.randrange(1, 5)):
            if definition:
                mutate(definition, rng)
        for findings in (check(definition), check(definition, workflow_type="EXPRESS")):
            assert all(isinstance(finding, Diagnostic) and finding.message for finding in findings)


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_any_value_in_any_field(value: JSON) -> None:
    """Every field of every type, with every value, in both languages."""
    for type_, record in TABLES.items():
        for field in record.table:
            for rest in ({}, JSONATA):
                check(machine({"Type": type_, **rest, field.name: value}))
