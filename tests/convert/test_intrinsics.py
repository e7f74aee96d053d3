"""Intrinsic functions in JSONata: how calls are written, and that they give the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from kaidan.asl.query.intrinsics import FUNCTIONS as INTRINSICS
from kaidan.convert.expressions import Unconvertible
from kaidan.convert.intrinsics import FUNCTIONS
from kaidan.values import JSON, equal
from tests.convert.support import FAILS, by_jsonata, by_path, converted

A, B = "$states.input.a", "$states.input.b"

WRITTEN: list[tuple[str, Any]] = [
    # arrays
    ("States.Array($.a, 'x', 1)", [f"{{% {A} %}}", "x", 1]),
    ("States.Array()", []),
    ("States.ArrayLength($.a)", f"$type({A}) = 'array' ? $count({A})"),
    ("States.ArrayLength(States.Array($.a, $.a))",
     f"$exists({A}) ? $count([$type({A}) = 'array' ? [[{A}]] : {A}, $type({A}) = 'array' ? [[{A}]] : {A}])"),
    ("States.ArrayContains($.a, 'x')", f"$type({A}) = 'array' ? 'x' in {A}"),
    ("States.ArrayContains($.a, $.b)", f"$type({A}) = 'array' and $exists({B}) ? $exists({A}[$ = {B}])"),
    ("States.ArrayGetItem($.a, 1)", f"{A} = [] ? null : {A}[1]"),
    ("States.ArrayGetItem(States.StringSplit($.a, ':'), 5)", f"$split({A}, ':')[$ != ''][5]"),
    ("States.ArrayGetItem($.a, -1)", "$error('Invalid arguments in States.ArrayGetItem')"),
    ("States.ArrayPartition($.a, 2)", f"$type({A}) = 'array' ? [$partition({A}, 2)]"),
    ("States.ArrayPartition($.a, 0)", "$error('Invalid arguments in States.ArrayPartition')"),
    ("States.ArrayRange(1, 9, 2)", "[$range(1, 9, 2)]"),
    ("States.ArrayRange(1.9, 9, 2)", "[$range(1, 9, 2)]"),
    ("States.ArrayRange(1, 5000, 1)", "$error('Invalid arguments in States.ArrayRange')"),
    ("States.ArrayUnique($.a)", f"$type({A}) = 'array' ? $distinct({A})"),
    # texts
    ("States.Format('Hello {}!', $.a)", f"$exists({A}) ? 'Hello ' & {A} & '!'"),
    ("States.Format('{} {}', $.a, $n)", f"$exists({A}) ? {A} & ' ' & $n"),
    ("States.Format('{}', $.a)", f"$string({A})"),
    ("States.Format('{}', $$.Execution.Name)", "$states.context.Execution.Name"),
    (r"States.Format('it\'s \{{}\} \\', $.a)", f"$exists({A}) ? \"it's {{\" & {A} & '}} \\\\'"),
    ("States.Format('nothing')", "nothing"),
    ("States.Format('{}')", "$error('Invalid arguments in States.Format')"),
    ("States.Format($.a, $.b)",
     f"$exists({B}) ? ($pieces := $split({A}, '{{}}').$replace($, /\\x5c(.)/, '$1'); "
     f"$count($pieces) = 2 ? $pieces[0] & {B} & $pieces[1])"),
    ("States.StringSplit($.a, ',')", f"$exists({A}) ? [$split({A}, ',')[$ != '']]"),
    ("States.StringSplit($.a, ',.]')", f"$exists({A}) ? [$split({A}, /[,.\\]]/)[$ != '']]"),
    ("States.StringSplit('a,b', ',')", "[$split('a,b', ',')[$ != '']]"),
    ("States.Base64Encode($.a)", f"$base64encode({A})"),
    ("States.Base64Decode('aGk=')", "$base64decode('aGk=')"),
    ("States.Hash($.a, 'SHA-1')", f"$hash({A}, 'SHA-1')"),
    ("States.UUID()", "$uuid()"),
    # JSON
    ("States.StringToJson($.a)", f"$parse({A})"),
    ("States.JsonToString($.a)", f"$type({A}) = 'string' ? $replace($string([{A}]), /^.|.$/, '') : $string({A})"),
    ("States.JsonToString($$.Execution)", "$string($states.context.Execution)"),
    ("States.JsonMerge($.a, $.b, false)", f"$type({A}) = 'object' and $type({B}) = 'object' ? $merge([{A}, {B}])"),
    ("States.JsonMerge($.a, $.b, true)", "$error('Invalid arguments in States.JsonMerge')"),
    # numbers
    ("States.MathAdd($.a, 1)", f"$floor({A} + 0.5) + 1"),
    ("States.MathAdd($n, -1)", "$n - 1"),
    ("States.MathAdd($n, 1.5)", "$n + 2"),
    ("States.MathAdd(States.MathAdd($n, 1), States.ArrayLength($.a))", f"$type({A}) = 'array' ? $n + 1 + $count({A})"),
    ("States.MathRandom(1, 10)", "$floor($random() * 9) + 1"),
    ("States.MathRandom(0, 10, $.a)", f"$floor($random({A}) * 10)"),
    ("States.MathRandom($.a, $.b)", f"$floor($random() * ({B} - {A})) + {A}"),
    ("States.MathRandom(5, 5)", "$error('Invalid arguments in States.MathRandom')"),
]  # fmt: skip


def _field(expected: Any) -> Any:
    dynamic = isinstance(expected, str) and any(sign in expected for sign in ("$", "?"))
    return f"{{% {expected} %}}" if dynamic else expected


@pytest.mark.parametrize(("call", "expected"), WRITTEN)
def test_written(call: str, expected: Any) -> None:
    assert converted({"x.$": call}) == {"x": _field(expected)}


def test_every_function_is_there() -> None:
    assert FUNCTIONS.keys() == INTRINSICS.keys()
    assert {name: entry[:2] for name, entry in FUNCTIONS.items()} == {
        name: entry[:2] for name, entry in INTRINSICS.items()
    }
    assert {call.split("(")[0] for call, _ in WRITTEN} == set(FUNCTIONS)


VALUES: list[JSON] = [
    *(None, True, False, 0, 1, -3, 2.5, -2.5, 0.5, "", "x", "a,b", ",a,,b.c]", "{} and {}", r"\{{}\}", "aGk=", '"q"'),
    *([], [1], ["x"], [[1]], [[1, 2], [3]], [1, 2, 3, 4, 5], [None], [True, "x"], [{"k": 1}], {}, {"k": 1}, {"k": [1]}),
    *('{"j": [1]}', "[]", "null", "not json"),
]

CHANCE = ("States.UUID", "States.MathRandom")

LEFT_SO: list[tuple[str, Callable[[JSON], bool]]] = [
    ("States.Format", lambda value: isinstance(value, (list, dict))),  # Java's texts of arrays and objects
    ("States.ArrayUnique", lambda value: isinstance(value, list)),  # the order
    ("States.ArrayGetItem($.a, 1)", lambda value: not isinstance(value, list)),  # a value is a list of one to JSONata
    ("States.ArrayGetItem($.a, -1)", lambda value: value == []),  # null
    ("States.ArrayGetItem(States.StringSplit", lambda value: value == ""),  # null
    ("States.StringToJson", lambda value: value == ""),  # null
]
"""What is not the same, and is said so at the top of intrinsics.py or in a note."""


def _is_left_so(call: str, data: dict[str, JSON]) -> bool:
    return any(call.startswith(name) and any(map(holds, data.values())) for name, holds in LEFT_SO)


@pytest.mark.parametrize("call", [call for call, _ in WRITTEN if not call.startswith(CHANCE)])
def test_gives_the_same(call: str) -> None:
    """On values of all types, in both places, and when one of them is missing."""
    template = {"x.$": call}
    made = converted(template)
    pairs: list[dict[str, JSON]] = [{"a": a, "b": b} for a in VALUES for b in (VALUES if "$.b" in call else [1])]
    for data in [*pairs, {"b": 1}, {"a": [1]}, {}]:
        if not _is_left_so(call, data):
            given, found = by_path(template, data), by_jsonata(made, data)
            assert equal(given, found), (data, given, found)


def test_chance_is_the_same() -> None:
    """Both languages ask the same source for as much."""
    for call in ("States.UUID()", "States.MathRandom(1, 10)", "States.MathRandom($.a, $.b)"):
        template, data = {"x.$": call}, {"a": 3, "b": 1000}
        assert by_path(template, data) == by_jsonata(converted(template), data) != FAILS


@pytest.mark.parametrize(
    ("call", "word"),
    [
        ("States.ArrayUnique($.a)", "order"),
        ("States.MathRandom(1, 10, 42)", "seed"),
        ("States.Base64Encode($.a)", "UTF-8"),
    ],
)
def test_differences_are_told(call: str, word: str) -> None:
    notes: list[str] = []
    converted({"x.$": call}, notes)
    assert [word in note for note in notes] == [True]


def test_a_flag_that_is_not_written_out() -> None:
    with pytest.raises(Unconvertible, match=r"argument 3 of States\.JsonMerge"):
        converted({"x.$": "States.JsonMerge($.a, $.b, $.c)"})


@pytest.mark.parametrize("text", ["'", '"', "'\"", "\\", "%}", "{%", "{% $x %}", "\n", "é→", "/", "$a", "`"])
def test_texts_with_any_characters(text: str) -> None:
    """As they stand in a template, inside a larger expression, and in the template of Format."""
    escaped = re.sub(r"([\\'{}])", r"\\\1", text)
    for value in (text, [text], {"member": text}):
        assert by_jsonata(converted({"x": value}), {}) == {"x": value}
    for call in (f"States.Format('{escaped}{{}}', $.a)", f"States.JsonToString(States.Array('{escaped}', $.a))"):
        given = by_path({"x.$": call}, {"a": "b"})
        assert given != FAILS
        assert by_jsonata(converted({"x.$": call}), {"a": "b"}) == given
