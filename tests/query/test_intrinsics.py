"""Intrinsic functions: tables of calls with their values and failures, then laws.

Origins of the rows: AWS guide and States Language spec; values and causes recorded from AWS.
"""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaidan.asl.query.env import Env
from kaidan.asl.query.intrinsics import (
    FUNCTIONS,
    IntrinsicSyntaxError,
    compile_intrinsic,
    is_intrinsic,
    variable_names,
)
from kaidan.asl.query.java import java_hash, java_text
from kaidan.asl.query.javarandom import INT_MAX, JavaRandom
from kaidan.errors import RUNTIME, StateError
from kaidan.values import JSON, dumps, equal


class FixedSource:
    """A source whose chance is known."""

    def __init__(self, number: float = 0.5) -> None:
        self.number = number

    def uuid4(self) -> str:
        return "f47ac10b-58cc-4372-a567-0e02b2c3d479"

    def random(self) -> float:
        return self.number


CONTEXT = {"Execution": {"Name": "run-1", "Input": {"csv": "a,b"}}}
VARIABLES = {"template": "It's {}!", "item": {"n": 3}}


def call(text: str, data: JSON = None, source: FixedSource | None = None) -> JSON:
    env = Env(lambda: CONTEXT, VARIABLES, source or FixedSource(), now_ms=0)
    return compile_intrinsic(text)(data, env)


def failure(text: str, data: JSON = None) -> StateError:
    with pytest.raises(StateError) as caught:
        call(text, data)
    return caught.value


NUMBERS = {"a": [1, 2, 3, 4, 5, 6, 7, 8, 9]}
MIXED = [None, "", " ", 0, 1, True, False, [0, 1, False]]

VALUES: list[tuple[str, JSON, JSON]] = [
    # Array
    ("States.Array()", None, []),
    ("States.Array( 1 ,\n 'a' )", None, [1, "a"]),
    ("States.Array(42, true, false, null, 'x', 1.5, -2e3)", None, [42, True, False, None, "x", 1.5, -2e3]),
    ("States.Array($.m, $)", {"m": MIXED}, [MIXED, {"m": MIXED}]),
    ("States.Array(1, States.Array(2, States.Array()))", None, [1, [2, []]]),
    ("States.Array(1)   ", None, [1]),
    # ArrayPartition
    ("States.ArrayPartition($.a,4)", NUMBERS, [[1, 2, 3, 4], [5, 6, 7, 8], [9]]),
    ("States.ArrayPartition($.a, 2147483647)", NUMBERS, [NUMBERS["a"]]),
    ("States.ArrayPartition(States.Array(), 3)", None, []),
    ("States.ArrayPartition(States.Array(1, 2, 3, 4, 5), 2.6)", None, [[1, 2], [3, 4], [5]]),
    # ArrayContains
    ("States.ArrayContains($.a, 5)", NUMBERS, True),
    ("States.ArrayContains($.a, '5')", NUMBERS, False),
    ("States.ArrayContains($.a, true)", NUMBERS, False),
    ("States.ArrayContains($.m, $.m[7])", {"m": MIXED}, True),
    ("States.ArrayContains($.m, null)", {"m": MIXED}, True),
    ("States.ArrayContains($.m, $.o)", {"m": [{"1": 2, "2": []}], "o": {"2": [], "1": 2}}, True),
    ("States.ArrayContains(States.Array(), null)", None, False),
    # ArrayRange
    ("States.ArrayRange(1, 9, 2)", None, [1, 3, 5, 7, 9]),
    ("States.ArrayRange(0, 10, 3)", None, [0, 3, 6, 9]),
    ("States.ArrayRange(1, 9, 9)", None, [1]),
    ("States.ArrayRange(3, 3, -1)", None, [3]),
    ("States.ArrayRange(5, 1, -2)", None, [5, 3, 1]),
    ("States.ArrayRange(5, 1, 1)", None, []),
    ("States.ArrayRange(1, 5, -1)", None, []),
    ("States.ArrayRange(1, 1000, 1)", None, list(range(1, 1001))),
    ("States.ArrayRange(1.4, 5.6, 2.2)", None, [1, 3, 5]),
    ("States.ArrayRange(1.6, 1.4, 1)", None, [1]),
    ("States.ArrayRange(5.4, -0.6, -2.4)", None, [5, 3, 1]),
    # ArrayGetItem
    ("States.ArrayGetItem($.a, 5)", NUMBERS, 6),
    ("States.ArrayGetItem($.a, 1.2)", NUMBERS, 2),
    ("States.ArrayGetItem(States.Array(null), 0)", None, None),
    ("States.ArrayGetItem(States.Array(), 999)", None, None),
    # ArrayLength, ArrayUnique
    ("States.ArrayLength($.a)", NUMBERS, 9),
    ("States.ArrayLength(States.Array())", None, 0),
    ("States.ArrayUnique($)", [1, 2, 3, 3, 3, 3, 3, 3, 4], [1, 2, 3, 4]),
    ("States.ArrayUnique($)", [None, None, 1, None], [None, 1]),
    ("States.ArrayUnique($)", [1, "1", 1.0, "01"], [1, "1", "01"]),
    ("States.ArrayUnique($)", ["a", "b", "a", "c", "b"], ["a", "b", "c"]),
    ("States.ArrayUnique($)", [{"a": 1, "b": 2}, {"b": 2, "a": 1}], [{"a": 1, "b": 2}]),
    ("States.ArrayUnique($)", [True, False, True, False], [False, True]),
    ("States.ArrayUnique($)", [[1, 2], [1, 2], [2, 1]], [[2, 1], [1, 2]]),
    # Base64
    ("States.Base64Encode('Data to encode')", None, "RGF0YSB0byBlbmNvZGU="),
    ("States.Base64Encode('')", None, ""),
    ("States.Base64Encode('🚀')", None, "8J+agA=="),
    ("States.Base64Encode($)", "abc\0def", "YWJjAGRlZg=="),
    ("States.Base64Encode($)", "a" * 10_000, base64.b64encode(b"a" * 10_000).decode()),
    ("States.Base64Decode('RGVjb2RlZCBkYXRh')", None, "Decoded data"),
    ("States.Base64Decode('44GT44KT44Gr44Gh44Gv')", None, "こんにちは"),
    ("States.Base64Decode('aGVsbG8')", None, "hello"),
    ("States.Base64Decode(' YWJjZA== ')", None, "abcd"),
    ("States.Base64Decode('YWJj-_8')", None, "abc\ufffd\ufffd"),
    ("States.Base64Decode('!!!YWJj!!!')", None, "abc"),
    ("States.Base64Decode('YQ==YQ')", None, "a"),
    ("States.Base64Decode('YWJjZ')", None, "abc"),
    ("States.Base64Decode($)", "A" * 9999, "\0" * 7499),
    # Hash
    ("States.Hash('hello', 'MD5')", None, "5d41402abc4b2a76b9719d911017c592"),
    ("States.Hash('input data', 'SHA-1')", None, "aaff4a450a104cd177d28d18d74485e8cae074b7"),
    ("States.Hash('', 'SHA-256')", None, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("States.Hash($, 'SHA-256')", "✓", "1dabba21cdad44541f6b15796f8d22978fc7ea10c46aeceeeeb66c23b3ac7604"),
    # JSON
    ("States.JsonMerge($.a, $.b, false)", {"a": {"x": {"p": 1}, "y": 2}, "b": {"x": {}}}, {"x": {}, "y": 2}),
    ("States.JsonMerge($.a, $.b, false)", {"a": {}, "b": {"x": None}}, {"x": None}),
    ("States.JsonToString($)", {"a": 1, "b": [True, None]}, '{"a":1,"b":[true,null]}'),
    ("States.JsonToString($)", [1, 2, "Hello"], '[1,2,"Hello"]'),
    ("States.JsonToString($)", 1.1, "1.1"),
    ("States.JsonToString(null)", None, "null"),
    ("States.JsonToString('x')", None, '"x"'),
    ("States.StringToJson($)", '{"foo": "bar"}', {"foo": "bar"}),
    ("States.StringToJson($)", ' {"a":1} ', {"a": 1}),
    ("States.StringToJson('\"hello\"')", None, "hello"),
    ('States.StringToJson(\'{"A": "B"}\')', None, {"A": "B"}),
    ("States.StringToJson('null')", None, None),
    ("States.StringToJson('')", None, None),
    # MathAdd: halves go up (recorded)
    ("States.MathAdd(111, -1)", None, 110),
    ("States.MathAdd(1.49, 1.5)", None, 3),
    ("States.MathAdd(-1.49, -1.5)", None, -2),
    ("States.MathAdd(-1.51, 0)", None, -2),
    ("States.MathAdd(-0.5, 0.5)", None, 1),
    ("States.MathAdd(2.5, 0)", None, 3),
    ("States.MathAdd(-2.5, 0)", None, -2),
    ("States.MathAdd(0.49999999999999994, 0)", None, 0),
    ("States.MathAdd(2147483646, 1)", None, 2147483647),
    ("States.MathAdd(-2147483647, -1)", None, -2147483648),
    # MathRandom with a seed: values that AWS gave
    ("States.MathRandom(1, 100, 42)", None, 63),
    ("States.MathRandom(1, 1000, 1)", None, 106),
    ("States.MathRandom(1, 1000, 2)", None, 806),
    ("States.MathRandom(1, 10, -10)", None, 1),
    ("States.MathRandom(1, 10, 0)", None, 7),
    ("States.MathRandom(1, 10, 42)", None, 9),
    ("States.MathRandom(1, 5, 42)", None, 3),
    ("States.MathRandom(-5, 5, 42)", None, -5),
    ("States.MathRandom(2147483640, 2147483647, 1)", None, 2147483644),
    # StringSplit
    ("States.StringSplit('1,2,3', ',')", None, ["1", "2", "3"]),
    ("States.StringSplit('This.is+a,test=string', '.+,=')", None, ["This", "is", "a", "test", "string"]),
    ("States.StringSplit($, 'T\n')", "split on T and \nnew line", ["split on ", " and ", "new line"]),
    ("States.StringSplit($, ',')", ", , ,", [" ", " "]),
    ("States.StringSplit($, ',')", ",,,,", []),
    ("States.StringSplit($, ',')", "", []),
    ("States.StringSplit('a^b]c-d', '^]-')", None, ["a", "b", "c", "d"]),
    ("States.StringSplit('abc', '')", None, ["abc"]),
    # Format
    ("States.Format('Hello, my name is {}.', $.name)", {"name": "Arnav"}, "Hello, my name is Arnav."),
    ("States.Format($.template, $.name)", {"name": "Arnav", "template": "I am {}."}, "I am Arnav."),
    ("States.Format('  {}  ', 'x')", None, "  x  "),
    ("States.Format('plain')", None, "plain"),
    ("States.Format('{}{} {} {}', '', null, true, -1.5)", None, "null true -1.5"),
    ("States.Format('{} {} {}', 1e7, 0.0001, 1234567.5)", None, "1.0E7 1.0E-4 1234567.5"),
    ("States.Format('snd={}.', $)", {"Arg1": 1, "Arg2": []}, "snd={Arg1=1, Arg2=[]}."),
    ("States.Format('{}', $)", [None, "a", {"b": [1.0, False]}], "[null, a, {b=[1.0, false]}]"),
    (r"States.Format('\{\} \'{}\' \\', $)", "it", r"{} 'it' " + "\\"),
    (r"States.Format('\{{}\}', 'x')", None, "{x}"),
    ("States.Format($, 'Foo')", r"This value is \{{}\}", "This value is {Foo}"),
    ("States.Format('path: {}', $)", "C:\\tmp\\{}", "path: C:\\tmp\\{}"),
    ("States.Format($, 1)", "C:\\tmp {}", "C:\\tmp 1"),
    ("States.Format(States.Format('{}-{}', 'a', '{}'), 'b')", None, "a-b"),
    # UUID, whose arguments AWS ignores
    ("States.UUID( )", None, "f47ac10b-58cc-4372-a567-0e02b2c3d479"),
    ("States.UUID('x', 1)", None, "f47ac10b-58cc-4372-a567-0e02b2c3d479"),
    # Arguments
    (r"States.Array('it\'s', '\{\}', '\\', 'a,b)')", None, ["it's", "{}", "\\", "a,b)"]),
    ("States.Array('line\nbreak', '')", None, ["line\nbreak", ""]),
    ("States.Array($['a,b'], $['c)'])", {"a,b": 1, "c)": 2}, [1, 2]),
    ("States.StringSplit($$.Execution.Input.csv, ',')", None, ["a", "b"]),
    ("States.Format($template, $item.n)", None, "It's 3!"),
    ("States.ArrayGetItem(States.StringSplit($$.Execution.Name, '-'), -0.4)", None, "run"),
    ("States.Array(18446744073709551616)", None, [18446744073709551616.0]),
]


@pytest.mark.parametrize(("text", "data", "value"), VALUES)
def test_values(text: str, data: JSON, value: JSON) -> None:
    result = call(text, data)
    assert equal(result, value), result


INVALID: list[tuple[str, JSON]] = [
    ("States.ArrayPartition('x', 2)", None),
    ("States.ArrayPartition($.a, '2')", NUMBERS),
    ("States.ArrayPartition($.a, null)", NUMBERS),
    ("States.ArrayPartition($.a, 0)", NUMBERS),
    ("States.ArrayPartition($.a, 0.6)", NUMBERS),
    ("States.ArrayPartition($.a, -1)", NUMBERS),
    ("States.ArrayPartition($.a)", NUMBERS),
    ("States.ArrayPartition($.a, 2, 9)", NUMBERS),
    ("States.ArrayContains('x', 'x')", None),
    ("States.ArrayContains($.a)", NUMBERS),
    ("States.ArrayRange('a', 5, 1)", None),
    ("States.ArrayRange(1, 5, 'c')", None),
    ("States.ArrayRange(1, 10, 0)", None),
    ("States.ArrayRange(1, 10, 0.49)", None),
    ("States.ArrayRange(1, 1001, 1)", None),
    ("States.ArrayRange(1001, 1, -1)", None),
    ("States.ArrayRange(1, 3000000000, 1)", None),
    ("States.ArrayRange(1, 5)", None),
    ("States.ArrayGetItem('x', 0)", None),
    ("States.ArrayGetItem($.a, '1')", NUMBERS),
    ("States.ArrayGetItem($.a, 9)", NUMBERS),
    ("States.ArrayGetItem($.a, -1)", NUMBERS),
    ("States.ArrayLength('x')", None),
    ("States.ArrayLength($)", {"k": 1}),
    ("States.ArrayUnique('x')", None),
    ("States.ArrayUnique()", None),
    ("States.Base64Encode(123)", None),
    ("States.Base64Encode($)", "a" * 10_001),
    ("States.Base64Encode('a', 'b')", None),
    ("States.Base64Decode(true)", None),
    ("States.Base64Decode($)", "A" * 10_001),
    ("States.Hash('data', 'sha-256')", None),
    ("States.Hash('data', 'SHA256')", None),
    ("States.Hash('data', 123)", None),
    ("States.Hash(false, 'MD5')", None),
    ("States.Hash($, 'MD5')", "a" * 10_001),
    ("States.Hash('data')", None),
    ("States.JsonMerge($, null, false)", {}),
    ("States.JsonMerge(States.Array(), $, false)", {}),
    ("States.JsonMerge($, $, true)", {}),
    ("States.JsonMerge($, $, 0)", {}),
    ("States.JsonMerge($, $)", {}),
    ("States.StringToJson($)", {"a": 1}),
    ("States.StringToJson()", None),
    ("States.MathAdd('1', 2)", None),
    ("States.MathAdd(true, 1)", None),
    ("States.MathAdd(null, 1)", None),
    ("States.MathAdd(2147483647, 1)", None),
    ("States.MathAdd(3000000000, 1)", None),
    ("States.MathAdd(1e309, 1)", None),
    ("States.MathAdd(1)", None),
    ("States.MathRandom(1, 1)", None),
    ("States.MathRandom(10, 5)", None),
    ("States.MathRandom(1.4, 1.6)", None),
    ("States.MathRandom('a', 10)", None),
    ("States.MathRandom(1, 10, 'seed')", None),
    ("States.MathRandom(1, 10, null)", None),
    ("States.MathRandom(-2147483648, 2147483647)", None),
    ("States.MathRandom(1, 10, 5, 99)", None),
    ("States.StringSplit($, ',')", 123),
    ("States.StringSplit('a,b', $)", [","]),
    ("States.StringSplit('a,b')", None),
    ("States.Format()", None),
    ("States.Format(false, 'a')", None),
]


@pytest.mark.parametrize(("text", "data"), INVALID)
def test_invalid_arguments(text: str, data: JSON) -> None:
    error = failure(text, data)
    name = text.partition("(")[0]
    assert (error.error, error.located) == (RUNTIME, True)
    assert error.cause == (
        f"There was an error while evaluating the intrinsic function: {text}. Invalid arguments in {name}"
    )


CAUSES: list[tuple[str, JSON, str]] = [
    # Whole causes as AWS writes them after "An error occurred while executing the state …".
    (
        "States.Format('Hello {', $.a)",
        {"a": "x"},
        "There was an error while evaluating the intrinsic function: States.Format('Hello {', $.a). "
        "Invalid template in States.Format: matching '}' not found for '{'.",
    ),
    (
        "States.Format('Hello {{}}', $.a)",
        {"a": "x"},
        "There was an error while evaluating the intrinsic function: States.Format('Hello {{}}', $.a). "
        "Invalid template in States.Format: matching '}' not found for '{'.",
    ),
    (
        "States.Format('}')",
        {},
        "There was an error while evaluating the intrinsic function: States.Format('}'). "
        "Invalid template in States.Format: matching '{' not found for '}'.",
    ),
    (
        "States.Format('{} {}', $.a)",
        {"a": "x"},
        "There was an error while evaluating the intrinsic function: States.Format('{} {}', $.a). "
        "Invalid arguments in States.Format: number of arguments do not match the occurrences of {}.",
    ),
    (
        "States.JsonToString($.a, $.b)",
        {"a": 1, "b": 2},
        "There was an error while evaluating the intrinsic function: States.JsonToString($.a, $.b). "
        "Invalid arguments in States.JsonToString: only a single argument is allowed.",
    ),
    (
        "States.StringToJson($.missing)",
        {},
        "The function 'States.StringToJson($.missing)' had the following error: "
        "The JsonPath argument for the field '$.missing' could not be found in the input '{}'",
    ),
    (
        "States.Format('{}', States.Format('{}',$.a.b))",
        {"other": 1},
        "The function 'States.Format('{}', States.Format('{}',$.a.b))' had the following error: "
        "The JsonPath argument for the field '$.a.b' could not be found in the input '{\"other\":1}'",
    ),
    (
        "States.Format('{}', $$.Nope.Deep)",
        {"other": 1},
        "The function 'States.Format('{}', $$.Nope.Deep)' had the following error: "
        "The JsonPath argument for the field '$.Nope.Deep' could not be found in the input '{\"other\":1}'",
    ),
    (
        "States.Format('{}', $.other[0])",
        {"other": 1},
        "The function 'States.Format('{}', $.other[0])' had the following error: "
        "Filter: [0] can only be applied to arrays. Current context is: 1",
    ),
    (
        "States.Format('{}', $.items[5])",
        {"items": [1, 2]},
        "The function 'States.Format('{}', $.items[5])' had the following error: "
        "The JsonPath argument for the field '$.items[5]' could not be found in the input "
        "'{\"items\":[1,2]}'",
    ),
]


@pytest.mark.parametrize(("text", "data", "cause"), CAUSES)
def test_causes(text: str, data: JSON, cause: str) -> None:
    error = failure(text, data)
    assert (error.error, error.cause, error.located) == (RUNTIME, cause, True)


def test_string_to_json_names_the_reason() -> None:
    cause = failure("States.StringToJson($)", '{"a":1').cause or ""
    assert ". Cannot convert String to Json in States.StringToJson, caused by: " in cause
    assert cause.endswith(" at line 1 column 7")


NO_CALLS: list[tuple[str, str]] = [
    ("States.Formt('x')", "unknown intrinsic function 'States.Formt' (nearest: States.Format, "),
    ("States.Array(States.arrayLen(1))", "States.arrayLen' (nearest: States.ArrayLength, "),
    ("States.Array(", "expected an argument: 'text', a number, true, false, null, a $.path or "),
    ("States.UUID(,)", "but found ',)', at character 13"),
    ("States.Array(1, )", "but found ')', at character 17"),
    ("States.Array(1 2)", "expected ',' or ')', but found '2)', at character 16"),
    ("States.Array(01)", "expected ',' or ')', but found '1)', at character 15"),
    ("States.Array(1.)", "expected ',' or ')', but found '.)', at character 15"),
    ("States.Array(.5)", "but found '.5)', at character 14"),
    ("States.Array([1])", "but found '[1])', at character 14"),
    ('States.Array("a")', "but found '\"a\")', at character 14"),
    ("States.Array(<a>)", "but found '<a>)', at character 14"),
    ("States.Array(True)", "but found 'True)', at character 14"),
    ("States.Array($.a", "expected ',' or ')', but found the end, at character 17"),
    ("States.Array('a)", "text without its closing ', at character 14"),
    (r"States.Array('a\n')", r"expected one of the escapes \' \{ \} \\, but found "),
    ("States.UUID", "expected '(' right after States.UUID, but found the end, at character 12"),
    ("States.UUID ()", "expected '(' right after States.UUID, but found ' ()', at character 12"),
    ("States.UUID() trailing", "expected the end, but found 'trailing', at character 15"),
    ("States.", "unknown intrinsic function 'States.' (nearest: "),
    ("States.Array($.a[)", "path without its closing ], at character 14"),
    ("States.Array(1, $.)", "in the path at character 17"),
    ("States.Array(" * 11 + ")" * 11, "calls nested deeper than 10, at character 131"),
]


@pytest.mark.parametrize(("text", "message"), NO_CALLS)
def test_syntax_errors(text: str, message: str) -> None:
    with pytest.raises(IntrinsicSyntaxError, match=re.escape(message)):
        compile_intrinsic(text)


def test_nesting_up_to_the_limit() -> None:
    assert call("States.Array(" * 10 + ")" * 10) == [[[[[[[[[[]]]]]]]]]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("States.UUID()", True),
        ("States.Nope(1)", True),
        ("$.States.UUID()", False),
        ("Statesman", False),
        ("", False),
    ],
)
def test_is_intrinsic(text: str, expected: bool) -> None:
    assert is_intrinsic(text) is expected


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("States.MathAdd(States.MathAdd($y, $x), $z.deep[0])", ["y", "x", "z"]),
        ("States.Array($a, $.b, $$.c, $a.d, $, $$, $['e'], '$f')", ["a"]),
        ("States.Format('{}', $größe)", ["größe"]),
        ("States.UUID()", []),
        ("$x", []),
    ],
)
def test_variable_names(text: str, names: list[str]) -> None:
    assert variable_names(text) == names


def test_the_table_has_the_18_functions_of_the_guide() -> None:
    assert len(FUNCTIONS) == 18
    assert all(most is None or fewest <= most for fewest, most, _ in FUNCTIONS.values())


@pytest.mark.parametrize(("chance", "value"), [(0.0, 1), (0.25, 2), (0.9999999999999999, 4)])
def test_random_without_seed_asks_the_source(chance: float, value: int) -> None:
    assert call("States.MathRandom(1.6, 5.4)", source=FixedSource(chance)) == value


# java.util.Random


def test_java_random_doubles() -> None:
    assert JavaRandom(42).next_double() == 0.7275636800328681


@pytest.mark.parametrize("bound", [0, -1, INT_MAX + 1])
def test_java_random_refuses_bounds(bound: int) -> None:
    with pytest.raises(ValueError, match="bound must be from 1 to"):
        JavaRandom(1).next_int(bound)


@given(seed=st.integers(), bound=st.integers(1, INT_MAX))
@settings(derandomize=True)
def test_java_random_stays_in_bounds(seed: int, bound: int) -> None:
    generator = JavaRandom(seed)
    assert all(0 <= generator.next_int(bound) < bound for _ in range(4))
    assert 0 <= generator.next_double() < 1
    assert JavaRandom(seed).next_int(bound) == JavaRandom(seed + (1 << 48)).next_int(bound)


# Laws

texts = st.text(st.characters(codec="utf-8"), max_size=20)
scalars = st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | st.floats(allow_nan=False) | texts
values = st.recursive(
    scalars.filter(lambda value: value not in (float("inf"), float("-inf"))),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(values, max_size=4))
@settings(derandomize=True, max_examples=300)
def test_any_arguments_give_a_value_or_a_runtime_error(name: str, arguments: list[JSON]) -> None:
    paths = ", ".join(f"$[{index}]" for index in range(len(arguments)))
    try:
        dumps(call(f"{name}({paths})", arguments))
    except StateError as error:
        assert error.error == RUNTIME


@given(st.text("States.Array(1, $a'b\\)[]{}\".x@?", max_size=30))
@settings(derandomize=True, max_examples=300)
def test_any_text_is_a_call_or_a_syntax_error(text: str) -> None:
    try:
        compile_intrinsic(f"States.Array({text}")
    except IntrinsicSyntaxError as error:
        assert re.search(r"at character \d+$", str(error))


@given(values)
@settings(derandomize=True)
def test_json_text_comes_back(value: JSON) -> None:
    assert equal(call("States.StringToJson(States.JsonToString($))", value), value)


@given(texts)
@settings(derandomize=True)
def test_encoding_and_hashing(text: str) -> None:
    assert call("States.Base64Decode(States.Base64Encode($))", text) == text
    assert call("States.Hash($, 'SHA-512')", text) == hashlib.sha512(text.encode()).hexdigest()


@given(texts)
@settings(derandomize=True)
def test_escaped_texts_mean_themselves(text: str) -> None:
    escaped = re.sub(r"([\\'{}])", r"\\\1", text)
    assert call(f"States.Array('{escaped}')") == [text]
    assert call(f"States.Format('{escaped}{{}}', $)", text) == text + text


@given(st.lists(values, max_size=8), st.integers(1, 9))
@settings(derandomize=True)
def test_partitions_hold_every_item(items: list[JSON], size: int) -> None:
    chunks = call("States.ArrayPartition($.items, $.size)", {"items": items, "size": size})
    assert equal([item for chunk in chunks for item in chunk], items)
    assert all(len(chunk) == size for chunk in chunks[:-1])


@given(st.lists(values, max_size=20))
@settings(derandomize=True)
def test_unique_values(items: list[JSON]) -> None:
    unique = call("States.ArrayUnique($)", items)
    assert all(any(equal(item, kept) for kept in unique) for item in items)
    assert not any(equal(a, b) for i, a in enumerate(unique) for b in unique[:i])
    assert all(call("States.ArrayContains($[0], $[1])", [unique, item]) for item in items)


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-9, 9).filter(bool))
@settings(derandomize=True)
def test_ranges_step_from_start_to_end(start: int, end: int, step: int) -> None:
    numbers = call("States.ArrayRange($[0], $[1], $[2])", [start, end, step])
    assert numbers == [n for n in range(start, start + 101 * step, step) if (end - n) * step >= 0]


@given(texts, texts)
@settings(derandomize=True)
def test_split_texts(text: str, delimiters: str) -> None:
    parts = call("States.StringSplit($[0], $[1])", [text, delimiters])
    assert "".join(parts) == "".join(character for character in text if character not in delimiters)
    assert all(part and not set(part) & set(delimiters) for part in parts)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("hello", 99162322),
        ("", 0),
        (-1, 0xFFFFFFFF),
        (1 << 32, 1),
        (0.5, 1071644672),
        ([], 1),
        ({}, 0),
        ({"a": 1}, 96),
    ],
)
def test_java_hash(value: JSON, code: int) -> None:
    assert java_hash(value) == code


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (0.001, "0.001"),
        (0.00099, "9.9E-4"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (-1.25e21, "-1.25E21"),
        (1.5e-300, "1.5E-300"),
    ],
)
def test_java_doubles(value: float, text: str) -> None:
    assert java_text(value) == text
