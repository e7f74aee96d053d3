"""Laws of JSONata: what must hold of any expression and any data."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaidan.asl.query.jsonata import UNDEFINED, JsonataError, JsonataSyntaxError, compile_expression, is_function
from kaidan.asl.query.jsonata.functions.calendar import Moment, days_of
from kaidan.asl.query.jsonata.functions.table import BUILTINS
from kaidan.asl.query.jsonata.text import number_text
from kaidan.values import dumps, equal
from tests.query.jsonata_env import evaluate

LAW = settings(max_examples=200, derandomize=True, deadline=None)

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=6),
)
JSON_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=4),
    max_leaves=12,
)


@LAW
@given(JSON_VALUES)
def test_an_expression_that_only_looks_gives_what_it_saw(value: Any) -> None:
    assert evaluate("$x", bindings={"x": value}) is value
    assert equal(evaluate("[$x]", bindings={"x": [value]}), [value])
    assert equal(evaluate('{"k": $x}', bindings={"x": value}), {"k": value})


@LAW
@given(st.recursive(st.integers(-(2**53), 2**53) | st.text(max_size=6) | st.none(), st.lists, max_leaves=8))
def test_parse_reads_what_string_writes(value: Any) -> None:
    if isinstance(value, str):
        value = [value]
    assert equal(evaluate("$parse($string($x))", bindings={"x": value}), value)


@LAW
@given(JSON_VALUES, JSON_VALUES)
def test_equality_is_json_equality(left: Any, right: Any) -> None:
    assert evaluate("$x = $y", bindings={"x": left, "y": right}) == equal(left, right)
    assert evaluate("$x = $y", bindings={"x": left, "y": copy.deepcopy(left)}) is True


@LAW
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_as_text_read_back(value: float) -> None:
    text = number_text(value)
    assert float(text) == value
    assert "E" not in text and not text.endswith(".0")


@LAW
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12))
def test_sorting_is_stable_whichever_way_it_is_written(pairs: list[tuple[int, int]]) -> None:
    rows = [{"a": a, "b": b, "at": at} for at, (a, b) in enumerate(pairs)]
    expected = sorted(rows, key=lambda row: (row["a"], -row["b"]))
    by_path = evaluate("[$rows^(a, >b)]", bindings={"rows": rows})
    swap = "$l.a > $r.a or ($l.a = $r.a and $l.b < $r.b)"
    by_function = evaluate(f"[$sort($rows, function($l, $r){{ {swap} }})]", bindings={"rows": rows})
    assert by_path == by_function == expected


@LAW
@given(st.integers(-(10**14), 10**14))
def test_timestamps_come_back(millis: int) -> None:
    moment = Moment.of(millis)
    assert days_of(moment.year, moment.month, moment.day) * 86_400_000 + moment.day_ms == millis
    if 0 <= moment.year <= 9999:
        assert evaluate("$toMillis($fromMillis($m))", bindings={"m": millis}) == millis


@pytest.mark.parametrize("zone", ["+0000", "+0900", "-0500", "+0530"])
def test_time_zones_come_back(zone: str) -> None:
    picture = "[Y0001]-[M01]-[D01] [H01]:[m01]:[s01].[f001][Z0001]"
    text = evaluate(f"$fromMillis(1521801216617, '{picture}', '{zone}')")
    assert evaluate("$toMillis($t, $p)", bindings={"t": text, "p": picture}) == 1521801216617


_OPERANDS = [
    "1", "0", "-1", "1.5", "1e21", "(1/0)", "(0/0)", "'a'", "''",
    "'\\ud800'", "null", "true", "[]", "{}", "[1,2]", "['a']", "{'a':1}", "missing",
    "a", "b.c", "**", "*", "$", "$$", "%", "$sum", "/a/",
    "function($x){$x}", "[1..3]", "'[Y]'", "'#,##0'", "$string(?)", "a[0]", "b[]", "|a|{}|",
]  # fmt: skip
OPERANDS = st.sampled_from(_OPERANDS)
_OPERATORS = [
    "+", "-", "*", "/", "%", "&", "=", "!=", "<", ">", "<=", ">=", "and", "or", "in", "~>", ".",
]  # fmt: skip
OPERATORS = st.sampled_from(_OPERATORS)
FUNCTIONS = st.sampled_from(sorted(BUILTINS))


def _call(parts: tuple[str, list[str]]) -> str:
    return f"${parts[0]}({', '.join(parts[1])})"


EXPRESSIONS = st.recursive(
    OPERANDS,
    lambda inner: st.one_of(
        st.tuples(inner, OPERATORS, inner).map(" ".join),
        st.tuples(FUNCTIONS, st.lists(inner, max_size=3)).map(_call),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]})[{pair[1]}]"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}).({pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"{{'k': {pair[0]}, 'l': {pair[1]}}}"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}){{$string($): {pair[1]}}}"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]})^({pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"($v := {pair[0]}; {pair[1]})"),
        inner.map(lambda text: f"$map({text}, function($x, $i){{ {text} }})"),
    ),
    max_leaves=8,
)
DATA = {"a": [1, {"c": "x"}, None], "b": {"c": [[1], [2, 3]], "a": "text"}, "10": 1, "2": 2}


@settings(max_examples=1500, derandomize=True, deadline=None)
@given(EXPRESSIONS)
def test_whatever_is_written_ends_well(expression: str) -> None:
    """A value that is JSON, nothing, a function, or an error of JSONata: and the data is as it was."""
    before = json.dumps(DATA)
    try:
        value = compile_expression(expression)
        result = evaluate(value, DATA)
    except (JsonataSyntaxError, JsonataError) as problem:
        str(problem).encode()
    else:
        assert result is UNDEFINED or is_function(result) or dumps(result)
    assert json.dumps(DATA) == before
