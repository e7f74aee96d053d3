"""The query languages alone, on random texts: they raise nothing but their own errors, within bounds.

Texts are put together from what the languages are made of, so that many of them mean something.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kaidan.asl.query.env import Env
from kaidan.asl.query.intrinsics import FUNCTIONS, IntrinsicSyntaxError, compile_intrinsic
from kaidan.asl.query.jsonata import UNDEFINED, JsonataError, JsonataSyntaxError, compile_expression, is_function
from kaidan.asl.query.jsonpath import (
    JsonPathSyntaxError,
    PathNotFound,
    ResultPathMismatch,
    compile_path,
    parse,
    write,
)
from kaidan.errors import StateError
from kaidan.runtime.sources import SeededSource
from kaidan.values import JSON, TooDeep, dumps, loads
from tests.fuzz.mutate import CALLS, INPUT, JSONATA, JSONATA_TOKENS, PATH_TOKENS, PATHS
from tests.fuzz.trial import within

SECONDS = 1.0

tried = settings(
    max_examples=400, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def texts(whole: Sequence[str], tokens: Sequence[str]) -> st.SearchStrategy[str]:
    """Known texts, pieces of them, tokens, anything; one after the other, or one inside the other."""
    known = st.sampled_from(whole)
    cut = st.tuples(known, st.integers(0, 20), st.integers(0, 20)).map(lambda it: it[0][it[1] : len(it[0]) - it[2]])
    token = st.sampled_from(tokens)
    piece = st.one_of(known, cut, token, token, st.text(max_size=3))
    repeated = st.tuples(token, st.sampled_from([2, 50, 400])).map(lambda it: it[0] * it[1])
    row = st.lists(st.one_of(piece, piece, piece, piece, repeated), min_size=1, max_size=8).map("".join)
    inside = st.tuples(known, st.integers(0, 30), row).map(lambda it: it[0][: it[1]] + it[2] + it[0][it[1] :])
    return st.one_of(row, inside)


values: st.SearchStrategy[JSON] = st.one_of(
    st.just(INPUT),
    st.just(INPUT),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("nxyab é"), inner, max_size=4),
        max_leaves=12,
    ),
)  # fmt: skip


def env(data: JSON) -> Env:
    return Env(lambda: {"Execution": {"Input": data}}, {"x": data, "y": 1}, SeededSource(1), 0)


def is_json(value: JSON) -> None:
    """Something that has a text, which says the same."""
    try:
        text = dumps(value)
    except TooDeep:
        return
    assert dumps(loads(text)) == text


# --- JSONPath ---------------------------------------------------------------------------------------------


@tried
@given(texts(PATHS, PATH_TOKENS), values)
@example("$['',", {})
@example("$['a',b]", {})
@example("$[" + "9" * 5000 + "]", [])
@example("$[?(" + "(" * 500, [])
@example("$" + "[?(@.x" * 500, [])
@example("$" + "[0]" * 20_000, [[]])
@example("$" + "a" * 200_000, {})
@example("$..*..*..*..*..*..*", [[[[[[[[[[1, 2], {"a": [[[[[[[[[3]]]]]]]]]}]]]]]]]]])
@example("$[?(@ =~ /(a+)+b/)]", ["a" * 5000])
@example("$[?(@ == " + "9" * 5000 + ")]", [1])
def test_paths(text: str, data: JSON) -> None:
    with within(SECONDS):
        try:
            found = compile_path(text)(data, env(data))
        except (JsonPathSyntaxError, PathNotFound):
            return
    is_json(found)


@tried
@given(texts(PATHS, ("$", ".", "[0]", "['a']", "n", "x", "[1]", ".items", "\\")), values, values)
def test_writing(text: str, document: JSON, value: JSON) -> None:
    with within(SECONDS):
        try:
            path = parse(text)
        except JsonPathSyntaxError:
            return
        if path.is_reference and path.root == "input":
            try:
                written = write(path, document, value)
            except ResultPathMismatch:
                return
            assert path.select(written) == value


# --- intrinsic functions ----------------------------------------------------------------------------------


@tried
@given(texts(CALLS, (*PATH_TOKENS, *CALLS)), values)
@example("States.Array(1e999)", {})
@example("States.Array(" + "9" * 5000 + ")", {})
@example("States.Array(" * 500, {})
@example("States.Format('" + "{}" * 20_000 + "')", {})
def test_calls(text: str, data: JSON) -> None:
    with within(SECONDS):
        try:
            found = compile_intrinsic("States." + text.removeprefix("States."))(data, env(data))
        except (IntrinsicSyntaxError, StateError):
            return
    is_json(found)


ARGUMENTS = (
    "$",
    "$.n",
    "$.text",
    "$.numbers",
    "$.items",
    "$.object",
    "$x",
    "'a'",
    "1",
    "-1.5",
    "1e308",
    "true",
    "null",
)


@tried
@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(st.sampled_from(ARGUMENTS), max_size=4), values)
def test_functions(name: str, given_: list[str], data: JSON) -> None:
    with within(SECONDS):
        try:
            found = compile_intrinsic(f"{name}({', '.join(given_)})")(data, env(data))
        except StateError:
            return
    is_json(found)


# --- JSONata ----------------------------------------------------------------------------------------------


@tried
@given(texts(JSONATA, JSONATA_TOKENS), values)
def test_jsonata(text: str, data: JSON) -> None:
    bindings: dict[str, Any] = {"states": {"input": data, "context": {}}, "x": data}
    with within(3 * SECONDS):
        try:
            found = compile_expression(text).evaluate(UNDEFINED, bindings, env(data))
        except (JsonataSyntaxError, JsonataError):
            return
    if found is not UNDEFINED and not is_function(found):
        is_json(found)
