"""JSONPath: cases in `jsonpath_cases.json` (each group with its origin), syntax, roots, ResultPath, laws."""

from __future__ import annotations

import copy
import json
from pathlib import Path as File
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaidan.asl.query.env import Env
from kaidan.asl.query.jsonpath import (
    JsonPathSyntaxError,
    Path,
    PathNotApplicable,
    PathNotFound,
    ResultPathMismatch,
    compile_path,
    first_names,
    parse,
    write,
)
from kaidan.values import JSON, equal

GROUPS = json.loads((File(__file__).parent / "jsonpath_cases.json").read_text("utf-8"))
CASES = [
    pytest.param(case, group["document"], id=f"{case['path']} ({group['origin'][:24]})")
    for group in GROUPS
    for case in group["cases"]
]


class NoChance:
    def uuid4(self) -> str:
        raise AssertionError

    def random(self) -> float:
        raise AssertionError


def env(context: JSON = None, **variables: JSON) -> Env:
    return Env(lambda: context, variables, NoChance(), 0)


@pytest.mark.parametrize(("case", "document"), CASES)
def test_select(case: dict[str, Any], document: JSON) -> None:
    before = copy.deepcopy(document)
    path = parse(case["path"])
    if "value" in case:
        assert equal(path.select(document), case["value"])
    else:
        with pytest.raises(PathNotFound) as problem:
            path.select(document)
        expected = case.get("reason", case.get("not_applicable"))
        assert (problem.value.reason, problem.value.path) == (expected, case["path"])
        assert isinstance(problem.value, PathNotApplicable) == ("not_applicable" in case)
    assert document == before


DEFINITE = [
    "$",
    "$.a",
    "$['a']",
    "$['a', 'b']",
    "$.a[0]",
    "$.a[-1]",
    "$.a[(@.length-1)].b",
    "$$.Task.Token",
    "$v.a",
]
INDEFINITE = ["$[*]", "$.a.*", "$..a", "$.a[0,1]", "$.a[1:]", "$.a[?(@.b)]", "$..a.b", "$v[*]"]


@pytest.mark.parametrize("text", DEFINITE)
def test_definite(text: str) -> None:
    assert parse(text).definite


@pytest.mark.parametrize("text", INDEFINITE)
def test_indefinite(text: str) -> None:
    assert not parse(text).definite


REFERENCES: dict[str, tuple[str | int, ...]] = {
    "$": (),
    "$.store.book": ("store", "book"),
    "$.ledgers[0][22][315].foo": ("ledgers", 0, 22, 315, "foo"),
    "$['store'][0]['book']": ("store", 0, "book"),
    "$.store\\.book": ("store.book",),
    "$.\\stor\\e.boo\\k": ("store", "book"),
    "$.foo.\\.bar": ("foo", ".bar"),
    "$.foo\\@bar.baz\\[\\[.\\?pretty": ("foo@bar", "baz[[", "?pretty"),
    "$.&Ж中.\ud800\udf46".encode("utf-16", "surrogatepass").decode("utf-16"): ("&Ж中", "𐍆"),
    "$.error-info": ("error-info",),
    "$[0].x": (0, "x"),
    "$.[0].body": (0, "body"),
    "$.\\*": ("*",),
}


@pytest.mark.parametrize(("text", "steps"), REFERENCES.items())
def test_reference_paths(text: str, steps: tuple[str | int, ...]) -> None:
    """The States Language's own examples, and forms that AWS accepts."""
    path = parse(text)
    assert (path.is_reference, path.reference) == (True, steps)


@pytest.mark.parametrize("text", ["$.a[-1]", "$['a', 'b']", "$.a[(@.length-1)]", *INDEFINITE])
def test_not_a_reference(text: str) -> None:
    assert not parse(text).is_reference


SELECTOR = "expected a quoted name, an index, a slice, '*' or '?(…)'"
OPERATOR = "expected one of == != < <= > >= =~ && || )"
BROKEN = [
    ("", "a path starts with '$'", 1),
    ("a.b", "a path starts with '$'", 1),
    ("@.a", "a path starts with '$'", 1),
    ("$.", "expected a name", 3),
    ("$..", "expected a name", 4),
    ("$.a.", "expected a name", 5),
    ("$...a", "expected a name", 4),
    ("$.a b", "a name with blanks is written ['like this']; blank", 4),
    ("$.waitMilliseconds / 1000", "a name with blanks is written ['like this']; blank", 19),
    ("$a/b", "expected '.' or '['", 3),
    ("$$a", "expected '.' or '['", 3),
    ("$ .a", "expected '.' or '['", 2),
    ("$.a[", SELECTOR, 5),
    ("$.a[]", SELECTOR, 5),
    ("$.a[b]", SELECTOR, 5),
    ("$.a[:]", SELECTOR, 5),
    ("$.a[1,]", SELECTOR, 7),
    ("$.a[::2]", SELECTOR, 5),
    ("$.a[0:4:2]", "expected ']'", 6),
    ("$.a[0", "expected ']'", 6),
    ("$['a", "quote not closed", 3),
    ("$['a'", "expected ']'", 6),
    ("$[*", "expected ']'", 4),
    ("$.a[?]", "expected '('", 6),
    ("$.a[?()]", "expected a value", 7),
    ("$.a[?(@.b]", OPERATOR, 10),
    ("$.a[?(@.b)", "expected ']'", 11),
    ("$.a[?(@.b == )]", "expected a value", 14),
    ("$.a[?(@.b == 'x)]", "quote not closed", 14),
    ("$.a[?(b)]", OPERATOR, 8),
    ("$.a[?(@.b in ['x'])]", OPERATOR, 11),
    ("$.a[?(@.b[*] == 1)]", "a path in a filter leads to one value; path", 7),
    ("$.a[?(@..b)]", "a path in a filter leads to one value; path", 7),
    ("$.a[?(!@.b == 1)]", "'!' goes before a path that is tested for existence", 7),
    ("$.a[?(@.b =~ x)]", "expected a pattern like /a.*/i", 14),
    ("$.a[?(@.b =~ /(/)]", "not a pattern (missing ), unterminated subpattern at position 0)", 14),
    ("$.a[?(@.b = 1)]", OPERATOR, 11),
    ("$.a[?((@.b)]", "expected ')'", 12),
    ("$.a[?(@.b &&)]", "expected a value", 13),
]


@pytest.mark.parametrize(("text", "problem", "character"), BROKEN)
def test_syntax_errors(text: str, problem: str, character: int) -> None:
    with pytest.raises(JsonPathSyntaxError) as error:
        parse(text)
    assert str(error.value) == f"{problem} at character {character} of '{text}'"


# -- roots ---------------------------------------------------------------------------------------------------


def test_compile_path_picks_its_root() -> None:
    around = env({"Execution": {"Id": "arn"}}, order={"id": [7, 8]}, größe=3)
    data = {"a": 1}
    assert compile_path("$")(data, around) is data
    assert compile_path("$.a")(data, around) == 1
    assert compile_path("$$.Execution.Id")(data, around) == "arn"
    assert compile_path("$$")(data, around) == {"Execution": {"Id": "arn"}}
    assert compile_path("$order.id[1]")(data, around) == 8
    assert compile_path("$order.id[?(@ > 7)]")(data, around) == [8]
    assert compile_path("$größe")(data, around) == 3


def test_context_is_not_made_for_others() -> None:
    def refuse() -> JSON:
        raise AssertionError

    around = Env(refuse, {"v": 1}, NoChance(), 0)
    assert compile_path("$v")({}, around) == 1
    assert compile_path("$.a")({"a": 2}, around) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$$.Execution.Input.no_such", "No results for path: $['Execution']['Input']['no_such']"),
        ("$order.x", "No results for path: $['x']"),
        ("$other.x", "No value for variable: $other"),
    ],
)
def test_expressions_say_what_is_missing(text: str, reason: str) -> None:
    with pytest.raises(PathNotFound) as problem:
        compile_path(text)({}, env({"Execution": {"Input": {}}}, order={}))
    assert (problem.value.reason, problem.value.path) == (reason, text)


def test_parts_of_a_path() -> None:
    path = parse("$order.id")
    assert (path.text, path.root, path.variable, first_names(path)) == (
        "$order.id",
        "variable",
        "order",
        ("order",),
    )
    assert (parse("$$.Task").root, parse("$.a").root) == ("context", "input")
    assert first_names(parse("$.a")) == first_names(parse("$$.Task")) == ()
    assert parse("$.a") == parse("$.a")


# -- ResultPath ----------------------------------------------------------------------------------------------

WRITES = [
    ("$", {"a": 1}, {"r": 0}),
    ("$.r", {"a": 1}, {"a": 1, "r": {"r": 0}}),
    ("$.a", {"a": 1, "b": 2}, {"a": {"r": 0}, "b": 2}),
    ("$.x.y.z", {"a": 1}, {"a": 1, "x": {"y": {"z": {"r": 0}}}}),
    ("$.x.y", {"x": {"k": 1}}, {"x": {"k": 1, "y": {"r": 0}}}),
    ("$.l[1]", {"l": [1, 2, 3]}, {"l": [1, {"r": 0}, 3]}),
    ("$.l[0].n", {"l": [{"a": 1}]}, {"l": [{"a": 1, "n": {"r": 0}}]}),
    ("$[0]", [1], [{"r": 0}]),
    ("$['a b']['c.d']", {}, {"a b": {"c.d": {"r": 0}}}),
]


@pytest.mark.parametrize(("text", "document", "expected"), WRITES)
def test_write(text: str, document: JSON, expected: JSON) -> None:
    before = copy.deepcopy(document)
    assert write(parse(text), document, {"r": 0}) == expected
    assert document == before


@pytest.mark.parametrize(
    ("text", "document", "cause"),
    [
        ("$.someTaskResult", "input1", 'Unable to apply ReferencePath $.someTaskResult to input "input1"'),
        ("$.a", [1, 2], "Unable to apply ReferencePath $.a to input [1,2]"),
        ("$.a", None, "Unable to apply ReferencePath $.a to input null"),
        ("$.a.b", {"a": 1}, 'Unable to apply ReferencePath $.a.b to input {"a":1}'),
        ("$.a.b", {"a": None}, 'Unable to apply ReferencePath $.a.b to input {"a":null}'),
        ("$.l[2]", {"l": [1, 2]}, 'Unable to apply ReferencePath $.l[2] to input {"l":[1,2]}'),
        ("$.l[0]", {}, "Unable to apply ReferencePath $.l[0] to input {}"),
        ("$.l[0]", {"l": {}}, 'Unable to apply ReferencePath $.l[0] to input {"l":{}}'),
    ],
)
def test_write_with_something_in_the_way(text: str, document: JSON, cause: str) -> None:
    with pytest.raises(ResultPathMismatch) as problem:
        write(parse(text), document, 0)
    assert str(problem.value) == cause


@pytest.mark.parametrize("text", ["$.a[*]", "$['a', 'b']", "$.a[-1]", "$$.a", "$v.a"])
def test_write_needs_a_reference_path_into_the_input(text: str) -> None:
    with pytest.raises(ValueError, match="is not a Reference Path into the input"):
        write(parse(text), {}, 0)


# -- laws ----------------------------------------------------------------------------------------------------

SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "1", "null", 1.5])
NAMES = st.sampled_from(["a", "b", "it's", "x y", "é", "1"])
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))
STEPS = st.lists(NAMES | st.integers(0, 3), max_size=4)
PIECES = [
    ".a",
    "['b']",
    "['a', 'b']",
    "[0]",
    "[-1]",
    "[0,1]",
    "[1:]",
    "[:1]",
    "[*]",
    ".*",
    "..a",
    "..*",
    "..[0]",
]
PIECES += [
    "[(@.length-1)]",
    "[?(@.a)]",
    "[?(!@.a)]",
    "[?(@.a == 1 || @ > b)]",
    "[?(@ =~ /a|1/)]",
    "[?(@.a != $.b)]",
]
law = settings(derandomize=True, deadline=None, max_examples=150)


def written(steps: list[str | int]) -> str:
    return "$" + "".join(f"[{s}]" if isinstance(s, int) else "['" + s.replace("'", "\\'") + "']" for s in steps)


def walked(document: JSON, steps: list[str | int]) -> tuple[bool, JSON]:
    for step in steps:
        if not has(document, step):
            return False, None
        document = document[step]
    return True, document


def has(document: JSON, step: str | int) -> bool:
    if isinstance(step, str):
        return isinstance(document, dict) and step in document
    return isinstance(document, list) and step < len(document)


@law
@given(DOCUMENTS, STEPS)
def test_one_value_is_what_walking_finds(document: JSON, steps: list[str | int]) -> None:
    found, value = walked(document, steps)
    path = parse(written(steps))
    if found:
        assert path.select(document) is value
    else:
        with pytest.raises(PathNotFound):
            path.select(document)


@law
@given(DOCUMENTS, STEPS, SCALARS)
def test_what_is_written_is_read_and_nothing_else_changes(document: JSON, steps: list[str | int], new: JSON) -> None:
    path, before = parse(written(steps)), copy.deepcopy(document)
    try:
        after = write(path, document, new)
    except ResultPathMismatch:
        assert not walked(document, steps)[0]
        return
    finally:
        assert document == before
    assert equal(path.select(after), new)
    found, old = walked(document, steps)
    if found:
        assert equal(write(path, after, old), document)


@law
@given(DOCUMENTS, st.lists(st.sampled_from(PIECES), max_size=4))
def test_any_path_meets_any_document(document: JSON, pieces: list[str]) -> None:
    before = copy.deepcopy(document)
    path = parse("$" + "".join(pieces))
    try:
        found = path.select(document)
    except PathNotFound as problem:
        assert problem.reason
    else:
        assert path.definite or isinstance(found, list)
    assert document == before


@law
@given(st.text("$@.[]()?*:,-'\"\\&|!=<>~/ a1é", max_size=14))
def test_any_text_is_a_path_or_a_syntax_error(text: str) -> None:
    for whole in (text, "$" + text, "$.a[?(" + text + ")]"):
        try:
            assert isinstance(parse(whole), Path)
        except JsonPathSyntaxError as problem:
            assert "at character" in str(problem)
