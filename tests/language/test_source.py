"""Definition text to value and places: cases first, then laws."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from kaidan.asl.language.source import Source, placeholders, read_source
from kaidan.errors import DefinitionError, Diagnostic
from kaidan.values import JSON

VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

SYNTAX = [
    # text, Jackson's message without its places, our line and column
    ("not a definition", f"Unrecognized token 'not': was expecting {VALUES}", 1, 1),
    ("{", "Unexpected end-of-input: expected close marker for Object (start marker at …)", 1, 2),
    ('{"a"', "Unexpected end-of-input within/between Object entries", 1, 5),
    ('{"a', "Unexpected end-of-input in field name", 1, 4),
    ('{"a":', "Unexpected end-of-input within/between Object entries", 1, 6),
    ('{"a":1', "Unexpected end-of-input: expected close marker for Object (start marker at …)", 1, 7),
    ('{"a":1,', "Unexpected end-of-input within/between Object entries", 1, 8),
    ('{"a":[1,', "Unexpected end-of-input within/between Array entries", 1, 9),
    (
        '{"a":1,\n}',
        "Unexpected character ('}' (code 125)): was expecting double-quote to start field name",
        2,
        1,
    ),
    ('{"a":[1,2}', "Unexpected close marker '}': expected ']' (for Array starting at …)", 1, 10),
    ('{"a":1]', "Unexpected close marker ']': expected '}' (for Object starting at …)", 1, 7),
    ("}", "Unexpected close marker '}': expected ']' (for root starting at …)", 1, 1),
    ("{'a':1}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name", 1, 2),
    ('{"a":}', "Unexpected character ('}' (code 125)): expected a value", 1, 6),
    ('{"a":[,]}', f"Unexpected character (',' (code 44)): expected a valid value {VALUES}", 1, 7),
    ('{"a":.5}', f"Unexpected character ('.' (code 46)): expected a valid value {VALUES}", 1, 6),
    ('{"a":01}', "Invalid numeric value: Leading zeroes not allowed", 1, 7),
    (
        '{"a":1.}',
        "Unexpected character ('}' (code 125)) in numeric value: Decimal point not followed by a digit",
        1,
        8,
    ),
    ('{"a":tru}', f"Unrecognized token 'tru': was expecting {VALUES}", 1, 6),
    (
        '{"a" 1}',
        "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
        1,
        6,
    ),
    (
        '{"a":1\n"b":2}',
        "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries",
        2,
        1,
    ),
    (
        '{"a":[1 2]}',
        "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries",
        1,
        9,
    ),
    (
        '{"a":"x\ny"}',
        "Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using backslash "
        "to be included in string value",
        1,
        8,
    ),
    ('{"a":"x', "Unexpected end-of-input: was expecting closing quote for a string value", 1, 8),
    ('{"a":"\\q"}', "Unrecognized character escape 'q' (code 113)", 1, 8),
    (
        '{"a":"\\u12g4"}',
        "Unexpected character ('g' (code 103)): expected a hex-digit for character escape sequence",
        1,
        11,
    ),
    (
        '{"a":1} 階',
        "Unexpected character ('階' (code 38542 / 0x968e)): expected the end of the text",
        1,
        9,
    ),
]

NOT_OBJECTS = [" ", "", "\n", "[1]", "1", '"x"', "null"]

LENIENT = [
    ('// first\n{"a": 1}', {"a": 1}),
    ('{"a": /* one */ 1, // two\n "b": "http://x", }', {"a": 1, "b": "http://x"}),
    ('{"a": [1, 2,], "b": "/* no */ ,]",}', {"a": [1, 2], "b": "/* no */ ,]"}),
    ('\ufeff{"a": "\\"//"}', {"a": '"//'}),
    ('{"a": "x,\\"}",}', {"a": 'x,"}'}),
]

YAML_WORDS = [
    ("yes", "yes"),
    ("on", "on"),
    ("1_000", "1_000"),
    ("2024-01-01", "2024-01-01"),
    ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
    ("012345678901", "012345678901"),
    ("12:30", "12:30"),
    ("0x1f", "0x1f"),
    (".inf", ".inf"),
    ("$.a[0]", "$.a[0]"),
    ("'12'", "12"),
    ('"true"', "true"),
    ("!!str 12", "12"),
    ("!!int '3'", 3),
    ("12", 12),
    ("-0.5", -0.5),
    (".5", 0.5),
    ("1e3", 1000.0),
    ("true", True),
    ("False", False),
    ("null", None),
    ("~", None),
    ("", None),
    ("|\n  a\n  b", "a\nb\n"),
    (">\n  a\n  b", "a b\n"),
    ("${Fn}", "${Fn}"),
    ("{% $a ? 'x' : 'y' %}", None),
]

YAML_PROBLEMS = [
    ("a: b: c", "Mapping values are not allowed here", 1, 5),
    ("a:\n\t- x", "found character '\\t' that cannot start any token", 2, 1),
    ("a: [1, 2", "expected ',' or ']'", 1, 9),
    ("a: *u", "The alias *u has no anchor before it", 1, 4),
    ("a: &x [*x]", "The alias *x stands inside the anchor itself", 1, 8),
    ("a: 1\n---\nb: 2", "one YAML document", 2, 1),
    ("a: !Sub x", "The tag !Sub has no meaning", 1, 4),
    ("a: {1: x}", "A key must be a string, and this is 1", 1, 5),
    ("true: x", "A key must be a string, and this is true", 1, 1),
    ("? [a]\n: 1", "A key must be a string", 1, 3),
    ("<<: 3", "'<<' takes an object", 1, 5),
    ("a: !!int x", "'x' is no int", 1, 4),
    ("a: \x01", "Not YAML", 1, 4),
    ('a: "\\U99999999"', "Text that YAML cannot hold", 1, 1),
]

LOCATED = """{
  "StartAt": "Check",
  "States": {
    "Check": {
      "Type": "Choice",
      "Choices": [
        {"Variable": "$.a", "IsNull": true, "Next": "A/B[0]"},
        {"Not": {"Variable": "$.b", "IsNull": true}, "Next": "End"}
      ]
    },
    "A/B[0]": {"Type": "Pass", "Next": "A"},
    "A": {"Type": "Pass", "Next": "End"}
  }
}
"""
PLACES = [
    ("", (1, 1)),
    ("/", (1, 1)),
    ("/StartAt", (2, 3)),
    ("/States/Check", (4, 5)),
    ("/States/Check/Choices[0]", (7, 9)),
    ("/States/Check/Choices[0]/Next", (7, 45)),
    ("/States/Check/Choices/1/Not/Variable", (8, 18)),
    ("/States/Check/Choices[1]/Not/StringEquals", (8, 10)),
    ("/States/Check/Choices[7]/Next", (6, 7)),
    ("/States/Check/Default", (4, 5)),
    ("/States/A/B[0]/Next", (11, 32)),
    ("/States/A/Next", (12, 27)),
    ("/States/A/B[0]x", (12, 5)),
    ("/States/Gone/Next", (3, 3)),
]


def diagnostics(text: str, name: str = "<definition>", **options: Any) -> list[Diagnostic]:
    with pytest.raises(DefinitionError) as caught:
        read_source(text, name, **options)
    return caught.value.diagnostics


@pytest.mark.parametrize(("text", "message", "line", "column"), SYNTAX)
def test_syntax_errors_speak_as_jackson_does(text: str, message: str, line: int, column: int) -> None:
    (problem,) = diagnostics(text, strict=True)
    said, _, place = problem.message.rpartition("\n at ")
    assert (
        re.sub(
            r"(?:start marker|starting) at \[.*?column: \d+\]",
            lambda f: f[0].split(" at ")[0] + " at …",
            said,
            flags=re.S,
        )
        == message
    )
    assert (problem.code, problem.line, problem.column) == ("INVALID_JSON_DESCRIPTION", line, column)
    assert place == problem.location


def test_the_recorded_syntax_error() -> None:
    (problem,) = diagnostics("not a definition", strict=True)
    assert problem.location == '[Source: (String)"not a definition"; line: 1, column: 4]'
    assert problem.message == f"Unrecognized token 'not': was expecting {VALUES}\n at {problem.location}"


def test_the_quoted_text_is_cut_and_counted_as_java_counts() -> None:
    (problem,) = diagnostics('{"a":"' + "😀" * 300 + '" 3}', strict=True)
    shown = '{"a":"' + "😀" * 247
    assert problem.location == f'[Source: (String)"{shown}"[truncated 110 chars]; line: 1, column: 610]'


@pytest.mark.parametrize("text", NOT_OBJECTS)
@pytest.mark.parametrize("name", ["<definition>", "a.yaml", "a.json"])
def test_a_definition_is_an_object(text: str, name: str) -> None:
    (problem,) = diagnostics(text, name)
    assert (str(problem), problem.line) == (
        "SCHEMA_VALIDATION_FAILED: Definition must be a valid JSON object",
        1,
    )


@pytest.mark.parametrize(("text", "value"), LENIENT)
def test_comments_and_trailing_commas(text: str, value: JSON) -> None:
    assert read_source(text).value == value
    if not text.startswith("\ufeff"):
        assert diagnostics(text, strict=True)


@pytest.mark.parametrize(("word", "value"), YAML_WORDS)
def test_yaml_words(word: str, value: JSON) -> None:
    if word.startswith("{%"):
        assert diagnostics(f"a: {word}", "x.yaml")
        return
    source = read_source(f"a: {word}\n", "x.asl.yaml")
    assert source.value == {"a": value}
    assert type(source.value["a"]) is type(value)
    assert source.format == "yaml"


@pytest.mark.parametrize(("text", "message", "line", "column"), YAML_PROBLEMS)
def test_yaml_problems(text: str, message: str, line: int, column: int) -> None:
    (problem,) = diagnostics(text, "x.yml")
    assert message in problem.message
    assert (problem.code, problem.line, problem.column) == ("INVALID_JSON_DESCRIPTION", line, column)


def test_anchors_are_shared_and_merged() -> None:
    source = read_source("a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\nf:\n  <<: [*x, {g: 1}]\n  b: 3\n", "x.yaml")
    assert source.value == {
        "a": {"b": 1},
        "c": {"b": 1},
        "d": {"e": 2, "b": 1},
        "f": {"b": 3, "g": 1},
    }
    assert source.value["a"] is source.value["c"]
    assert [source.locate(p) for p in ("/c", "/c/b", "/d/b", "/f/b")] == [(2, 1), (1, 8), (1, 8), (6, 3)]


def test_aliases_do_not_explode() -> None:
    names = "abcdefghij"
    lines = ["a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairwise(names)]
    (problem,) = diagnostics("\n".join(lines), "x.yaml")
    assert "longer than 1048576 characters" in problem.message


@pytest.mark.parametrize(
    ("opening", "closing", "name"),
    [('{"a":', "}", "x.json"), ("{a: ", "}", "x.yaml"), ('{"a":[', "]}", "x"), ("{a: [", "]}", "x.yaml")],
)
@pytest.mark.parametrize("levels", [201, 400, 2_000, 100_000])
def test_deep_nesting_is_said_and_not_suffered(opening: str, closing: str, name: str, levels: int) -> None:
    problem = diagnostics(opening * levels + "1" + closing * levels, name)[0]
    assert problem.code == "TOO_DEEPLY_NESTED"


def test_two_hundred_levels_are_read() -> None:
    for name in ("x.json", "x.yaml"):
        assert read_source('{"a": ' * 200 + "1" + "}" * 200, name).value["a"]


DUPLICATES = '{"a": 1,\n "a": 2, "States": {"X": {},\n "X": {"b": 1, "b": "\\u0022\\u0022"}}}'


@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
def test_all_duplicate_keys_are_reported(name: str) -> None:
    text = DUPLICATES if name == "x.json" else "a: 1\na: 2\nStates:\n  X: {}\n  X: {b: 1, b: 2}\n"
    assert [(str(p), p.line) for p in diagnostics(text, name)] == [
        ("INVALID_JSON_DESCRIPTION: Duplicate field 'a' at /a", 2),
        ("DUPLICATE_STATE_NAME: Duplicate State name: X at /States/X", 3 if name == "x.json" else 5),
        ("INVALID_JSON_DESCRIPTION: Duplicate field 'b' at /States/X/b", 3 if name == "x.json" else 5),
    ]


def test_equal_keys_in_different_spelling_are_duplicates() -> None:
    assert [str(p) for p in diagnostics('{"a": 1, "\\u0061": 2}')] == [
        "INVALID_JSON_DESCRIPTION: Duplicate field 'a' at /a"
    ]
    assert diagnostics('{"": 1, "x": "\\u0022\\u0022", "": 2}')


@pytest.mark.parametrize(
    ("name", "text", "format"),
    [
        ("<definition>", "StartAt: A\nStates: {}\n", "yaml"),
        ("<definition>", "# note\n\nStartAt: A\n", "yaml"),
        ("<definition>", '---\n"StartAt": A\n', "yaml"),
        ("<definition>", '{"StartAt": "A"}', "json"),
        ("x.yaml", '{"StartAt": "A"}', "json"),
        ("x.yaml", "{StartAt: A}", "yaml"),
    ],
)
def test_json_or_yaml(name: str, text: str, format: str) -> None:
    source = read_source(text, name)
    assert (source.format, source.value["StartAt"], source.text, source.name) == (format, "A", text, name)


def test_json_names_and_the_api_take_no_yaml() -> None:
    assert diagnostics("StartAt: A", "x.asl.json")[0].message.startswith("Unrecognized token 'StartAt'")
    assert diagnostics("StartAt: A", strict=True)[0].message.startswith("Unrecognized token 'StartAt'")


@pytest.mark.parametrize(("pointer", "place"), PLACES)
def test_places(pointer: str, place: tuple[int, int]) -> None:
    assert read_source(LOCATED).locate(pointer) == place
    assert read_source(LOCATED, "x.yaml").locate(pointer) == place
    assert read_source(LOCATED.replace("{\n", "{ // c\n", 1)).locate(pointer) == place


def test_a_diagnostic_finds_its_place() -> None:
    source = read_source(LOCATED)
    found = source.placed(Diagnostic("X", "x", "/States/Check/Choices[0]/Next"))
    assert (found.line, found.column) == (7, 45)
    assert source.placed(Diagnostic("X", "x")).line is None


def test_yaml_places() -> None:
    source = read_source("a: 1\nb:\n  - x\n  - y: {z: 1}\n  -\n    - q\n", "x.yml")
    pointers = ["/a", "/b", "/b[0]", "/b[1]", "/b[1]/y", "/b[1]/y/z", "/b[2][0]", "/q"]
    assert [source.locate(p) for p in pointers] == [
        (1, 1),
        (2, 1),
        (3, 5),
        (4, 5),
        (4, 5),
        (4, 9),
        (6, 7),
        (1, 1),
    ]


SUBSTITUTED = '{"a": ${N}, "b": "x ${Arn} y",\n "c": ["${N}", "${AWS::Region}", "{% ${a:b} %}"]}'


def test_substitutions_go_into_the_text() -> None:
    given = {"N": 12, "Arn": "arn:${N}:${Arn}", "AWS::Region": "eu-west-1", "Unused": ""}
    source = read_source(SUBSTITUTED, substitutions=given)
    assert source.value == {
        "a": 12,
        "b": "x arn:12:${Arn} y",
        "c": ["12", "eu-west-1", "{% ${a:b} %}"],
    }
    assert source.problems == []
    assert [source.locate(p) for p in ("/a", "/b", "/c", "/c[0]", "/c[1]", "/c[2]")] == [
        (1, 2),
        (1, 13),
        (2, 2),
        (2, 8),
        (2, 16),
        (2, 34),
    ]


def test_yaml_substitutions() -> None:
    source = read_source("a: ${N}\nb: x ${S}\nc: {d: ${N}}\n", "x.yaml", {"N": "12", "S": "s"})
    assert source.value == {"a": 12, "b": "x s", "c": {"d": 12}}
    assert source.locate("/c/d") == (3, 5)


def test_placeholders_without_a_value() -> None:
    source = read_source('{"a": "${X}", // ${Comment}\n "b": "${N}"}', "x.jsonc", {"N": "1", "M": "2"})
    assert source.value == {"a": "${X}", "b": "1"}
    assert source.problems == [
        Diagnostic(
            "UNKNOWN_PLACEHOLDER",
            "No substitution is given for ${X}",
            severity="WARNING",
            line=1,
            column=8,
            hint="substitutions given: M, N",
        )
    ]
    assert read_source('{"a": "${X}"}').problems == []


def test_a_substitution_that_breaks_the_text() -> None:
    (unquoted,) = diagnostics('{"a": ${X}}')
    assert (unquoted.column, (unquoted.hint or "")[:4]) == (7, "${X}")
    (broken,) = diagnostics('{"a": 1,\n "b": "${Q}"}', substitutions={"Q": 'a"b'})
    assert (broken.line, broken.column, (broken.hint or "")[:4]) == (2, 8, "${Q}")


def test_placeholders() -> None:
    text = '{"a": "${A}",\n"b": "${A}${AWS::Region} ${} ${!x} ${a b} {% ${k:v} ${B} ${AWS::Id} %}${k:v}"}'
    assert placeholders(text) == [
        ("A", 1, 8),
        ("A", 2, 7),
        ("AWS::Region", 2, 11),
        ("B", 2, 53),
        ("AWS::Id", 2, 58),
        ("k:v", 2, 71),
    ]


# Laws

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
keys = st.text('ab/[]~"\\é階 #{}', max_size=4)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)
definitions = st.dictionaries(keys, json_values, max_size=5)
words = st.text("a1 -_.:é階\"'#&*!|>{}[],%@`\n", max_size=8)  # ruamel writes some control characters that it misreads
yaml_definitions = st.dictionaries(keys, st.lists(words) | words | scalars.filter(lambda s: not isinstance(s, str)))


def walk(value: JSON, pointer: str = "") -> Iterator[tuple[str, str | None, JSON]]:
    """Every part of a value: its pointer, its key (None for an array's item), itself."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield f"{pointer}/{key}", key, part
            yield from walk(part, f"{pointer}/{key}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield f"{pointer}[{index}]", None, part
            yield from walk(part, f"{pointer}[{index}]")


def text_at(source: Source, pointer: str) -> str:
    place = source.locate(pointer)
    assert place is not None
    line, column = place
    return "\n".join(source.text.split("\n")[line - 1 :])[column - 1 :]


@settings(derandomize=True, deadline=None, max_examples=150)
@given(definitions, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_json_round_trip_and_places(value: dict[str, JSON], indent: int | str | None, ascii: bool) -> None:
    source = read_source(json.dumps(value, indent=indent, ensure_ascii=ascii), strict=True)
    assert source.value == value
    pointers = [pointer for pointer, _, _ in walk(value)]
    for pointer, key, part in walk(value):
        if pointers.count(pointer) == 1:
            begins = part if key is None else key
            decoded, _ = json.JSONDecoder().raw_decode(text_at(source, pointer))
            assert decoded == begins


@settings(derandomize=True, deadline=None, max_examples=60)
@given(yaml_definitions, st.sampled_from([True, False]))
def test_yaml_round_trip(value: dict[str, JSON], flow: bool) -> None:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = flow
    text = StringIO()
    yaml.dump(value, text)
    assert read_source(text.getvalue(), "x.yaml").value == value


SAMPLE = json.dumps(json.loads(LOCATED), indent=1).replace('"$.a"', '"a\\n\\u0041é"') + "\n"


@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
@pytest.mark.parametrize("seed", range(4))
def test_damaged_text_is_read_or_refused(name: str, seed: int) -> None:
    """Whatever the damage: the value that a second reader sees, or a DefinitionError with a place."""
    chance = random.Random(seed)
    sample = SAMPLE if name == "x.json" else LOCATED.replace('"', "") + "x: &a [1]\ny: *a\n"
    for _ in range(250 if name == "x.json" else 60):
        at = chance.randrange(len(sample))
        piece = chance.choice(["", "", '"', "{", "}", "]", ",", "\\", "/", "0", "-", ":", "\t", "\n", "&a", "\x00"])
        text = sample[:at] + piece + sample[at + chance.choice([0, 1, 1, 5, 40]) :]
        try:
            source = read_source(text, name, strict=name == "x.json")
        except DefinitionError as refused:
            assert all(d.line and d.column and d.message for d in refused.diagnostics)
        else:
            assert isinstance(source.value, dict)
            assert source.locate("/States/Check/Type")
            if name == "x.json":
                assert source.value == json.loads(text)
