"""`@@..@@` tokens and the paths behind them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from conformance.jsonpath import find
from conformance.tokens import Tokens, Unresolved, lookup

RESPONSES: dict[int, Any] = {
    0: {"stateMachineArn": "arn:aws:states:us-east-1:111111111111:stateMachine:toy"},
    1: {"Messages": [{"Body": '{"TaskToken": "tok", "n": 7}'}, {"Body": "{}"}]},
    2: {"mapRunArn": "arn:aws:states:us-east-1:111111111111:mapRun:toy/label:uuid", "size": 3},
    3: [{"type": "A"}, {"type": "B"}],
}


def tokens() -> Tokens:
    return Tokens(RESPONSES, datetime(2024, 2, 28, 1, 2, 3, 999))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("@@0.stateMachineArn@@", "arn:aws:states:us-east-1:111111111111:stateMachine:toy"),
        ("<@@0.stateMachineArn|part(-1)@@#Case>", "<toy#Case>"),
        ("@@2.mapRunArn|part(-1)@@ @@2.mapRunArn|part(-2)@@ @@2.mapRunArn|part(0)@@", "uuid label arn"),
        ("@@1.Messages[0].Body.TaskToken@@", "tok"),
        ("@@1.Messages[0].Body@@", '{"TaskToken": "tok", "n": 7}'),
        ("@@1.Messages[-1].Body@@", "{}"),
        ("@@1.Messages[0].Body.n@@", "7"),
        ('{"n": @@2.size@@}', '{"n": 3}'),
        ("@@3.[-1].type@@", "B"),
        ("@@now@@Z", "2024-02-28T01:02:03Z"),
        ("@@now+2d@@.000Z", "2024-03-01T01:02:03.000Z"),
    ],
)
def test_text(text: str, value: str) -> None:
    assert tokens().resolve(text) == value


def test_any_depth() -> None:
    deep = {"a": [{"b": "@@2.size@@", "c": 1}, None]}
    assert tokens().resolve(deep) == {"a": [{"b": "3", "c": 1}, None]}


def test_roles_differ_and_none_begins_another() -> None:
    known = tokens()
    names = ["@@role_arn@@"] + [f"@@role_arn:{n}@@" for n in range(2, 14)]
    roles = [known.resolve(name) for name in names]
    assert [known.resolve(name) for name in names] == roles
    assert not any(a.startswith(b) for a in roles for b in roles if a is not b)
    assert all(role.startswith("arn:aws:iam::111111111111:role/") for role in roles)


@pytest.mark.parametrize(
    "text",
    [
        "@@9.a@@",
        "@@0.nothing@@",
        "@@1.Messages[5].Body@@",
        "@@0.stateMachineArn.x@@",
        "@@0.stateMachineArn|part(40)@@",
        "@@x@@",
    ],
)
def test_unresolved(text: str) -> None:
    with pytest.raises(Unresolved):
        tokens().resolve(text)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("events[-1].output", "b"),
        ("events[0].output.x", 1),
        ("events[*].id", [1, 2]),
        ("[0]", None),
    ],
)
def test_lookup(path: str, value: Any) -> None:
    tree: Any = {"events": [{"id": 1, "output": '{"x": 1}'}, {"id": 2, "output": "b"}]}
    assert lookup([None] if path == "[0]" else tree, path) == value


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("$..a", ["a", "a", "a"]),
        ("$.a", ["a"]),
        ("$..a.b", ["b"]),
        ("$..c..a", ["a"]),
        ("$..c[1].a", ["a"]),
        ("$..c[*]", [0, 1]),
        ("$['x-y']", ["x-y"]),
        ("$..x-y", ["x-y"]),
        ("$..nothing", []),
    ],
)
def test_jsonpath(path: str, keys: list[Any]) -> None:
    tree = {"a": {"b": 1, "a": 2}, "c": [{"d": 1}, {"a": 3}], "x-y": 4}
    assert [place.key for place in find(tree, path)] == keys


@pytest.mark.parametrize("path", ["a", "$", "$..a[?(@.x)]", ""])
def test_jsonpath_of_another_form(path: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        find({}, path)
