"""Choice rules as conditions: how they are written, and that the same rule holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaidan.asl.query.choice import OPERATORS
from kaidan.values import JSON
from tests.convert.support import conditions, first_by_jsonata, first_by_path

A, B = "$states.input.a", "$states.input.b"
HAS = f"$exists({A}) ? "
MOMENT = r"/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/"
IS_MOMENT = f"$type({A}) = 'string' and $contains({A}, {MOMENT})"


def a(**test: Any) -> dict[str, Any]:
    return {"Variable": "$.a", **test}


def b(**test: Any) -> dict[str, Any]:
    return {"Variable": "$.b", **test}


WRITTEN = [
    (a(IsPresent=True), f"$exists({A})"),
    (a(IsPresent=False), f"$not($exists({A}))"),
    (a(StringEquals="x"), f"{HAS}{A} = 'x'"),
    (a(StringEquals="it's"), f'{HAS}{A} = "it\'s"'),
    (a(BooleanEquals=False), f"{HAS}{A} = false"),
    (a(NumericEquals=1), f"{HAS}{A} = 1"),
    (a(NumericGreaterThan=1.5), f"{HAS}$type({A}) = 'number' and {A} > 1.5"),
    (a(NumericLessThanEquals=-1), f"{HAS}$type({A}) = 'number' and {A} <= -1"),
    (a(StringLessThan="m"), f"{HAS}$type({A}) = 'string' and {A} < 'm'"),
    (
        a(TimestampEquals="2024-01-01T00:00:00Z"),
        f"{HAS}{IS_MOMENT} and $toMillis({A}) = $toMillis('2024-01-01T00:00:00Z')",
    ),
    (a(StringMatches="a*.log"), f"{HAS}$type({A}) = 'string' and $contains({A}, /^a[\\s\\S]*\\.log$/)"),
    (a(StringMatches="*a/b*"), f"{HAS}$type({A}) = 'string' and $contains({A}, /a\\/b/)"),
    (a(StringMatches="plain"), f"{HAS}{A} = 'plain'"),
    (a(StringMatches=r"\*"), f"{HAS}{A} = '*'"),
    (a(StringMatches="*"), f"{HAS}$type({A}) = 'string'"),
    (a(IsNull=True), f"{HAS}{A} = null"),
    (a(IsNull=False), f"{HAS}{A} != null"),
    (a(IsString=True), f"{HAS}$type({A}) = 'string'"),
    (a(IsNumeric=False), f"{HAS}$type({A}) != 'number'"),
    (a(IsBoolean=True), f"{HAS}$type({A}) = 'boolean'"),
    (a(IsTimestamp=True), f"{HAS}{IS_MOMENT}"),
    (a(NumericEqualsPath="$.b"), f"$exists({A}) and $exists({B}) ? $type({A}) = 'number' and {A} = {B}"),
    (
        a(StringGreaterThanPath="$.b"),
        f"$exists({A}) and $exists({B}) ? $type({A}) = 'string' and $type({B}) = 'string' and {A} > {B}",
    ),
    # what is known needs no guard
    ({"Variable": "$n", "NumericLessThan": 5}, "$n < 5"),
    ({"Variable": "$$.State.Name", "StringEquals": "S"}, "$states.context.State.Name = 'S'"),
    ({"Variable": "$$.Execution.StartTime", "TimestampLessThanPath": "$$.State.EnteredTime"},
     "$toMillis($states.context.Execution.StartTime) < $toMillis($states.context.State.EnteredTime)"),
    ({"And": [a(IsPresent=True), a(StringEquals="x")]}, f"$exists({A}) and {A} = 'x'"),
    ({"And": [a(IsNumeric=True), a(NumericGreaterThan=1), a(NumericLessThan=9)]},
     f"{HAS}$type({A}) = 'number' and {A} > 1 and {A} < 9"),
    ({"Or": [a(IsPresent=False), a(IsNull=True)]}, f"$not($exists({A})) or {A} = null"),
    # what is missing inside others
    ({"And": [a(IsNull=True), b(IsNull=True)]},
     f"{HAS}{A} = null and ($exists({B}) ? {B} = null : $error('missing: {B}'))"),
    # shorter forms
    ({"Or": [a(StringEquals="x"), a(StringEquals="y")]}, f"{HAS}{A} in ['x', 'y']"),
    ({"Not": a(StringEquals="x")}, f"{HAS}{A} != 'x'"),
    ({"Not": a(IsPresent=True)}, f"$not($exists({A}))"),
    ({"Not": {"And": [a(IsNull=True), a(IsNull=True)]}}, f"{HAS}$not({A} = null and {A} = null)"),
    ({"And": [a(IsNull=True)]}, f"{HAS}{A} = null"),
    ({"And": [{"Or": [a(IsNull=True), a(IsString=True)]}, a(IsNull=False)]},
     f"{HAS}({A} = null or $type({A}) = 'string') and {A} != null"),
    ({"Variable": "$.a[-1]", "IsPresent": True}, "false"),
    ({"Variable": "$.a[0]", "IsPresent": True}, f"$type({A}) = 'array' and $exists({A}[0])"),
    ({"Variable": "$.a[0]", "IsPresent": False}, f"$not($type({A}) = 'array' and $exists({A}[0]))"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "expected"), WRITTEN)
def test_written(rule: JSON, expected: str) -> None:
    assert conditions([rule]) == [f"{{% {expected} %}}"]


def test_what_earlier_rules_have_shown() -> None:
    rules = [a(StringEquals="x"), a(NumericLessThan=1), a(NumericLessThan=2)]
    assert conditions(rules) == [
        f"{{% {HAS}{A} = 'x' %}}",
        f"{{% $type({A}) = 'number' and {A} < 1 %}}",
        f"{{% $type({A}) = 'number' and {A} < 2 %}}",
    ]


# --- laws -------------------------------------------------------------------------------------------------

NUMBERS = [0, 1, 1.5, -2]
TEXTS = ["", "x", "abc", "a.b", "a*b", "1", "line\nend", "\\"]
MOMENTS = ["2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00", "2023-12-31T23:59:59.999Z", "2024-01-01"]
VALUES: list[JSON] = [None, True, False, *NUMBERS, *TEXTS, *MOMENTS, [], ["x"], [1, 2], {}, {"x": 1}]
GLOBS = ["*", "x", "a*", "*b", "a*b", "a.b", r"a\*b", "*.*", "a*b*", "", r"\\", "line*"]
PATHS = ["$.a", "$.b", "$.c.d", "$n", "$text", "$missing", "$$.Execution.Name", "$.list[?(@.v == 1)]"]


def operand(operator: str) -> st.SearchStrategy[Any]:
    if operator.endswith("Path"):
        return st.sampled_from(PATHS)
    if operator.startswith("Is") or operator == "BooleanEquals":
        return st.booleans()
    if operator == "StringMatches":
        return st.sampled_from(GLOBS)
    kinds: dict[str, list[Any]] = {"String": TEXTS, "Numeric": NUMBERS, "Timestamp": MOMENTS[:3]}
    return st.sampled_from(next(values for prefix, values in kinds.items() if operator.startswith(prefix)))


def data_tests() -> st.SearchStrategy[Any]:
    return st.sampled_from(OPERATORS).flatmap(
        lambda operator: st.fixed_dictionaries({"Variable": variable(operator), operator: operand(operator)})
    )


def variable(operator: str) -> st.SearchStrategy[str]:
    """A place in what is no list is told apart where it matters most."""
    return st.sampled_from([*PATHS, "$.a[0]", "$.list[0].v"] if operator == "IsPresent" else PATHS)


RULES = st.recursive(
    data_tests(),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda rules: {"And": rules}),
        st.lists(inner, min_size=1, max_size=3).map(lambda rules: {"Or": rules}),
        inner.map(lambda rule: {"Not": rule}),
    ),
    max_leaves=6,
)
DATA = st.fixed_dictionaries(
    {},
    optional={
        "a": st.sampled_from(VALUES),
        "b": st.sampled_from(VALUES),
        "c": st.one_of(st.none(), st.fixed_dictionaries({}, optional={"d": st.sampled_from(VALUES)})),
        "list": st.just([{"v": 1}]),
    },
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.lists(RULES, min_size=1, max_size=3), DATA)
def test_the_same_rule_holds(rules: list[JSON], data: JSON) -> None:
    assert first_by_path(rules, data) == first_by_jsonata(rules, data)


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_on_every_value(operator: str) -> None:
    operands: dict[str, list[Any]] = {
        "Path": ["$.b"],
        "Is": [True, False],
        "Bool": [True, False],
        "StringM": GLOBS,
        "String": TEXTS,
    }
    operands |= {"Numeric": NUMBERS, "Timestamp": MOMENTS[:3]}
    kind = "Path" if operator.endswith("Path") else next(kind for kind in operands if operator.startswith(kind))
    for given_operand in operands[kind]:
        for value in VALUES:
            for other in VALUES if kind == "Path" else [1]:
                rules, data = [{"Variable": "$.a", operator: given_operand}], {"a": value, "b": other}
                assert first_by_path(rules, data) == first_by_jsonata(rules, data), (rules, data)
