"""Paths in JSONata: how they are written, and that they give the same."""

from __future__ import annotations

import pytest

from kaidan.convert.expressions import Unconvertible
from kaidan.values import JSON, equal
from tests.convert.support import FAILS, by_jsonata, by_path, converted

WRITTEN = [
    # to one value
    ("$", "$states.input"),
    ("$.a", "$states.input.a"),
    ("$.a.b[0].c", "$states.input.a.b[0].c"),
    ("$['a']['b c']", "$states.input.a.`b c`"),
    ("$.a-b.and", "$states.input.`a-b`.`and`"),
    ("$[0][1]", "$states.input[0][1]"),
    ("$.list[(@.length-1)]", "$states.input.list[-1]"),
    ("$.list[-1]", "$error('$.list[-1] leads nowhere')"),
    # elsewhere
    ("$$", "$states.context"),
    ("$$.Execution.Input.key", "$states.context.Execution.Input.key"),
    ("$n", "$n"),
    ("$order.lines[0].sku", "$order.lines[0].sku"),
    # to any number of values
    ("$.list[*]", "[$states.input.list]"),
    ("$.list[*].v", "[$map($states.input.list, function($v) { $v.v })[]]"),
    ("$.list[*].v.w", "[$map($states.input.list, function($v) { $v.v.w })[]]"),
    ("$.list[*].v[*]", "[$states.input.list.v[]]"),
    ("$[*][*]", "[$reduce($states.input, $append, [])]"),
    ("$.list[0:2]", "[$filter($states.input.list, function($v, $i) { $i < 2 })[]]"),
    ("$.list[1:3]", "[$filter($states.input.list, function($v, $i) { $i >= 1 and $i < 3 })[]]"),
    ("$.list[1:]", "[$filter($states.input.list, function($v, $i) { $i >= 1 })[]]"),
    ("$.list[:2]", "[$filter($states.input.list, function($v, $i) { $i < 2 })[]]"),
    ("$.list[-2:]", "[$filter($states.input.list, function($v, $i) { $i >= $count($states.input.list) - 2 })[]]"),
    ("$.list[:-1]", "[$filter($states.input.list, function($v, $i) { $i < $count($states.input.list) - 1 })[]]"),
    (
        "$.list[0,2]",
        "$exists($states.input.list[2]) ? [$filter($states.input.list, function($v, $i) { $i in [0, 2] })[]]",
    ),
    (
        "$..v[:1]",
        "[$reduce($map($map($states.input.**, function($v) { $v.v })[], function($v_) { "
        "[$filter($v_, function($v, $i) { $i < 1 })[]] })[], $append, [])]",
    ),
    ("$..v", "[$map($states.input.**, function($v) { $v.v })[]]"),
    ("$.list[?(@.v == 1)]", "[$states.input.list[v in [1, '1']]]"),
    ("$.list[?(@.v == 'x')]", "[$states.input.list[v = 'x']]"),
    ("$.list[?(@.v != 'x' && @.w)]", "[$states.input.list[$type(v) in ['null', 'string'] and v != 'x' and w != null]]"),
    (
        "$.list[?(@.v > 1 || !@.w)]",
        "[$states.input.list[$type(v) = 'number' and v > 1 or $exists($) and $not(w != null)][]]",
    ),
    ("$.list[?(@.v != 1)]", "[$states.input.list[$type(v) in ['null', 'number', 'string'] and $not(v in [1, '1'])]]"),
    ("$.list[?(@.v == $.a)]", "[$states.input.list[v = $states.input.a]]"),
    ("$.list[?(@.v =~ /a.*/i)]", "[$states.input.list[v != null and $contains($string(v), /^a.*$/i)]]"),
    (
        "$.list[?(@.v == 1)].w",
        "[$map($states.input.list[v in [1, '1']], function($v) { $exists($v.w) ? $v.w : "
        "$error('nothing at $.list[?(@.v == 1)].w') })[]]",
    ),
    ("$.a['b', 'c']", "$type($states.input.a) = 'object' ? {'b': $states.input.a.b, 'c': $states.input.a.c}"),
]


@pytest.mark.parametrize(("path", "expected"), WRITTEN)
def test_written(path: str, expected: str) -> None:
    assert converted({"x.$": path}) == {"x": f"{{% {expected} %}}"}


DOCUMENTS: list[JSON] = [
    {},
    {"a": 1, "list": [], "b": None},
    {"a": {"b": {"c": 1}}, "list": [{"v": 1}]},
    {"a": {"b": [{"c": 1}, {"c": 2}], "b c": 0}, "list": [{"v": [1], "w": 2}, {"w": 3, "v": "x"}]},
    {"a": {"b": [[1], [2]], "c": []}, "list": [{"v": [[1]]}, {"v": []}, {"x": 1}]},
    {"a": {"b": [[[7]]]}, "list": [[1]], "a-b": {"and": True}},
    {"list": [[1, [2]], [3]], "a": "x"},
    {"list": [{"v": 1, "w": {"deep": [1]}}, {"v": 2.5, "w": None}, {"v": "x", "w": "y"}, {"v": "1", "w": 0}]},
    {"list": [{"v": {"v": 3}}, {"v": None}], "a": {"b": None}},
    {"list": [[1], [2], [3]], "v": [{"v": 1}]},
    {"list": [1, 2, 3, 4], "a": 2},
]
LISTS: list[JSON] = [[], [[]], [[1]], [[1, [2]], [3]], [[[1]]], [[{"v": 1}], [{"v": [2]}]]]


LEFT_SO = [
    *(("$.list[*].v[*]", DOCUMENTS[at]) for at in (2, 3, 7, 8)),  # [*] goes over lists only
    *(("$.list[?(@.v > 1 || !@.w)]", DOCUMENTS[at]) for at in (3, 7)),  # "x" > "1"
    ("$.list[0,2]", DOCUMENTS[0]),  # nothing is found where even the list is missing
]
"""What is not the same, and is said so at the top of paths.py and filters.py."""


@pytest.mark.parametrize("path", [path for path, _ in WRITTEN])
def test_gives_the_same(path: str) -> None:
    """Wherever JSONPath gives a value."""
    template = {"x.$": path}
    for data in LISTS if path.startswith("$[") else DOCUMENTS:
        given, made = by_path(template, data), by_jsonata(converted(template), data)
        assert given == FAILS or equal(given, made) is not ((path, data) in LEFT_SO), (data, given, made)


MISSING = [
    ("$.a", {}),
    ("$.a.b", {"a": {}}),
    ("$.a.b", {"a": None}),
    ("$.a.b", {"a": "text"}),
    ("$.a[1]", {"a": [1]}),
    ("$.a[0]", {"a": []}),
    ("$.a[(@.length-2)]", {"a": [1]}),
    ("$.a['b', 'c']", {}),
    ("$.a['b', 'c']", {"a": 1}),
    ("$.list[?(@.v == 1)].w", {"list": [{"v": 1}]}),
    ("$.list[0,2]", {"list": [1, 2]}),
    ("$..v.w", {"v": {}}),
    ("$missing", {}),
    ("$order.price", {}),
    ("$$.Execution.Nothing", {}),
    ("$.list[-1]", {"list": [1]}),
]


@pytest.mark.parametrize(("path", "data"), MISSING)
def test_what_is_missing_fails_in_both(path: str, data: JSON) -> None:
    template = {"x.$": path}
    assert by_path(template, data) == FAILS
    assert by_jsonata(converted(template), data) == FAILS


@pytest.mark.parametrize("path", ["$..*", "$.a[1,0]", "$.list[-2:-1]", "$..v[*][-3:2]"])
def test_unconvertible(path: str) -> None:
    with pytest.raises(Unconvertible) as problem:
        converted({"a": [{"x.$": path}]})
    assert problem.value.pointer == "/a[0]/x.$"


def test_a_parameter_never_hides_a_variable() -> None:
    assert converted({"x.$": "$v[*].a"}) == {"x": "{% [$map($v, function($v_) { $v_.a })[]] %}"}
