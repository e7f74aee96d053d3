"""JSONata by cases: `jsonata_cases.json` holds an expression a line, with its value, `nothing`, or code and message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kaidan.asl.query.jsonata import (
    UNDEFINED,
    JsonataError,
    JsonataSyntaxError,
    compile_expression,
    free_variables,
    is_function,
    parse,
    top_level_references,
)
from kaidan.values import equal
from tests.query.jsonata_env import evaluate

CASES: dict[str, Any] = json.loads(Path(__file__).with_name("jsonata_cases.json").read_text("utf-8"))


def outcome(expression: str) -> list[Any]:
    """What becomes of an expression, in the form of the cases."""
    try:
        value = evaluate(expression, CASES["data"])
    except JsonataSyntaxError as problem:
        return ["error", problem.code, str(problem)]
    except JsonataError as problem:
        return ["error", problem.code, problem.message]
    if value is UNDEFINED:
        return ["nothing"]
    return ["function"] if is_function(value) else ["value", value]


@pytest.mark.parametrize("group", CASES["groups"])
def test_cases(group: str) -> None:
    before = json.dumps(CASES["data"])
    for expression, *expected in CASES["groups"][group]:
        found = outcome(expression)
        assert equal(found, expected), f"{expression}: {found}, but expected {expected}"
    assert json.dumps(CASES["data"]) == before, "the data was changed"


def test_an_input_that_is_a_list_is_one_value() -> None:
    assert evaluate("$", [1, 2]) == [1, 2]
    assert evaluate("$count($)", [1, 2, 3]) == 3
    assert evaluate("a", [{"a": 1}, {"a": 2}]) == [1, 2]
    assert evaluate('{"all": $}', [1, 2]) == {"all": [1, 2]}


def test_results_are_plain_json() -> None:
    for expression in ("a.b", '{"x": a.b, "y": [a.b]}', "$map(a, function($v){ $keys($v) })", "a.[b]", "a[b=9].b[]"):
        value = evaluate(expression, {"a": [{"b": 1}, {"b": 2}]})
        assert _plain(value), expression


def _plain(value: Any) -> bool:
    if isinstance(value, dict):
        return type(value) is dict and all(map(_plain, value.values()))
    if isinstance(value, list):
        return type(value) is list and all(map(_plain, value))
    return value is UNDEFINED or type(value) in (str, int, float, bool, type(None))


def test_numbers_that_json_lacks_become_text() -> None:
    """As observed on AWS."""
    assert evaluate("1/0") == "Infinity"
    assert evaluate("[-1/0]") == ["-Infinity"]
    assert evaluate('{"k": 0/0}') == {"k": "NaN"}
    assert evaluate('$parseInteger("abc", "0")') == "NaN"


def test_whole_numbers_are_ints() -> None:
    """12.50 * 2 is 25, not 25.0 (AWS guide, example of a Map state)."""
    for expression in ("12.50 * 2", "50 / 2", "$sum([12.5, 12.5])", "$number('25.0')", "$round(25.2)", "1e2 / 4"):
        assert repr(evaluate(expression)) == "25", expression


def test_a_value_that_holds_a_function_counts_as_one() -> None:
    for expression in ("function($x){$x}", '{"f": function($x){$x}}', "[$sum]", "/a/", "$string(?)", "|a|{}|"):
        assert is_function(evaluate(expression)), expression


def test_bindings_are_variables_and_hide_functions() -> None:
    assert evaluate("$states.input.a + $n", bindings={"states": {"input": {"a": 1}}, "n": 2}) == 3
    assert evaluate("$sum", bindings={"sum": 4}) == 4
    with pytest.raises(JsonataError, match="T1006: Attempted to invoke a non-function"):
        evaluate("$sum([1])", bindings={"sum": 4})
    program = compile_expression("$count($list)")
    assert [evaluate(program, bindings={"list": [1, 2]}), evaluate(program, bindings={"list": UNDEFINED})] == [2, 0]


def test_bindings_are_not_copied() -> None:
    big = {"items": [{"id": 1}]}
    assert evaluate("$states.input", bindings={"states": {"input": big}}) is big
    assert evaluate("$states.input.items[0]", bindings={"states": {"input": big}}) is big["items"][0]


def test_operators_of_jsonata_2_1_only_where_asked_for() -> None:
    assert evaluate(compile_expression("missing ?? 4", strict=False)) == 4
    assert evaluate(compile_expression("0 ?: 4", strict=False)) == 4
    assert evaluate(compile_expression("function($x)<n?:n>{$x}(1)", strict=False)) == 1
    with pytest.raises(JsonataSyntaxError):
        compile_expression("missing ?? 4")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$a + $b.c", {"a", "b"}),
        ("($x := 1; $x + $y)", {"y"}),
        ("($x := $x + 1)", {"x"}),
        ("($f := function($n){ $f($n) + $g }; $f(1))", {"g"}),
        ("$map($list, function($v, $i){ $v & $i & $w })", {"list", "w", "map"}),
        ("$items@$i#$n[$i.a = $n].b", {"items"}),
        ("$x[$y > 1]^($z){$k: $v}", {"x", "y", "z", "k", "v"}),
        ("($x := 1; ($y := 2)) + $y", {"y"}),
        ("$x ~> |a|{'b': $y}|", {"x", "y", "clone"}),
        ("$ + $$", set()),
    ],
)
def test_free_variables(expression: str, expected: set[str]) -> None:
    assert free_variables(parse(expression)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("phone", ["phone"]),
        ("$states.input.phone", []),
        ("$x.phone & name & phone & name", ["name", "phone"]),
        ("$x[phone = 1].{'n': name}^(age)", []),
        ("$count(items) > 0 ? a : [b, {c: d}]", ["items", "a", "b", "c", "d"]),
        ("$ + $$.a", ["$", "$$"]),
        ("$states.input.($ & name)", []),
        ("$map($x, function($v){ $v.a + b })", ["b"]),
        ("($y := a.b.c; $y ~> f)", ["a", "f"]),
        ("* & **", ["*", "**"]),
        ("$x ~> |a|{'b': c}|", []),
        ('"text" & `odd name`', ["odd name"]),
        ("items[a = 1]", ["items"]),
        ("-n", ["n"]),
    ],
)
def test_top_level_references(expression: str, expected: list[str]) -> None:
    assert sorted(top_level_references(parse(expression))) == sorted(expected)


def test_syntax_errors_say_where() -> None:
    for text, position in (("a[1,2)", 3), ("1 + ", 4), ("a ! b", 2), ('  "abc', 6), ("/a(/", 4), ("a := 1", 0)):
        with pytest.raises(JsonataSyntaxError) as raised:
            parse(text)
        assert raised.value.position == position, text
