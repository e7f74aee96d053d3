"""Data made up for a definition: its shape is gathered from the paths that the definition mentions.

    $.order.items[0].price   NumericGreaterThan 5   →   {"order": {"items": [{"price": 7}, …]}}

One shape serves as input, as every task's result and as the items of a Map, so that paths mostly find something. The
first seed gives data as the definition wants it; others leave things out, change types and let tasks fail.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kaidan.asl.query.choice import OPERATORS
from kaidan.asl.query.intrinsics import Argument, Call, Literal, PathText, is_intrinsic, parse_intrinsic
from kaidan.asl.query.jsonpath_parser import (
    Both,
    Compare,
    Either,
    Exists,
    Filter,
    FromEnd,
    Index,
    Indexes,
    JsonPathSyntaxError,
    Matches,
    Names,
    Scan,
    Slice,
    SubPath,
    Test,
    Text,
    Token,
    Wildcard,
    read_path,
)
from kaidan.errors import StateError
from kaidan.protocol.effects import RunTask

DEPTH_MAX = 5
ITEMS_MAX = 3


@dataclass(slots=True)
class Shape:
    """What is asked of one value: members, elements (and how many), kinds, literals it is compared with."""

    members: dict[str, Shape] = field(default_factory=dict)
    element: Shape | None = None
    count: int = 0
    kinds: list[str] = field(default_factory=list)
    literals: list[Any] = field(default_factory=list)
    recursive: bool = False

    def member(self, name: str) -> Shape:
        return self.members.setdefault(name, Shape())

    def elements(self, count: int = 0) -> Shape:
        self.count = max(self.count, count)
        self.element = self.element or Shape()
        return self.element


# --- gathering --------------------------------------------------------------------------------------------

_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "States.ArrayContains": ("array", "text"),
    "States.ArrayGetItem": ("array", "index"),
    "States.ArrayLength": ("array",),
    "States.ArrayPartition": ("array", "count"),
    "States.ArrayRange": ("index", "number", "count"),
    "States.ArrayUnique": ("array",),
    "States.Base64Decode": ("base64",),
    "States.Base64Encode": ("ascii",),
    "States.Format": ("text",) * 12,
    "States.Hash": ("text", "algorithm"),
    "States.JsonMerge": ("object", "object"),
    "States.MathAdd": ("number", "number"),
    "States.MathRandom": ("index", "number"),
    "States.StringSplit": ("list text", "text"),
    "States.StringToJson": ("json",),
}
_FIELDS = {
    "ItemsPath": "items",
    "SecondsPath": "count",
    "TimestampPath": "timestamp",
    "TimeoutSecondsPath": "count",
    "HeartbeatSecondsPath": "count",
    "MaxConcurrencyPath": "count",
    "ToleratedFailureCountPath": "count",
    "ToleratedFailurePercentagePath": "count",
    "ErrorPath": "text",
    "CausePath": "text",
    "RoleArn.$": "text",
}
_OPERANDS = {"String": "text", "Numeric": "number", "Boolean": "boolean", "Timestamp": "timestamp"}


def shape_of(definition: Any) -> Shape:
    root = Shape()
    _gather(definition, root)
    return root


def _gather(value: Any, root: Shape) -> None:
    if isinstance(value, list):
        for item in value:
            _gather(item, root)
    elif isinstance(value, dict):
        _rule(value, root)
        for key, item in value.items():
            if isinstance(item, str) and (key.endswith((".$", "Path")) or key == "Variable"):
                _text(item, _FIELDS.get(key), root)
            else:
                _gather(item, root)


def _text(text: str, kind: str | None, root: Shape) -> None:
    if is_intrinsic(text):
        _call(parse_intrinsic(text), root)
    else:
        _want(text, kind, root)


def _call(node: Argument, root: Shape) -> None:
    if not isinstance(node, Call):
        return
    kinds = _ARGUMENTS.get(node.name, ())
    for at, argument in enumerate(node.arguments):
        kind = kinds[at] if at < len(kinds) else None
        if isinstance(argument, PathText):
            shape = _want(argument.text, kind, root)
            if shape is not None and node.name == "States.ArrayGetItem" and at == 0:
                index = node.arguments[1]
                literal = index.value if isinstance(index, Literal) else 0
                shape.count = max(shape.count, int(literal) + 1 if isinstance(literal, int) else 0)
        else:
            _call(argument, root)


def _want(path: str, kind: str | None, root: Shape) -> Shape | None:
    try:
        where, _, tokens = read_path(path)
    except JsonPathSyntaxError:
        return None
    if where == "context":
        if tokens[:2] != (Names(("Execution",)), Names(("Input",))):
            return None
        tokens = tokens[2:]
    shape = _follow(root, tokens)
    if kind == "items" and shape is not root:
        shape.elements().recursive = True
    elif kind is not None:
        shape.kinds.append(kind)
    return shape


def _follow(shape: Shape, tokens: tuple[Token, ...]) -> Shape:
    for token in tokens:
        match token:
            case Names((name,)):
                shape = shape.member(name)
            case Names(names):
                for name in names:
                    shape.member(name)
            case Index(index):
                shape = shape.elements(index + 1)
            case FromEnd(back):
                shape = shape.elements(back)
            case Indexes(indexes):
                shape = shape.elements(max(indexes) + 1)
            case Slice() | Wildcard():
                shape = shape.elements()
            case Filter(test):
                shape = shape.elements(2)
                _test(test, shape)
            case Scan():
                pass
    return shape


def _test(test: Test, item: Shape) -> None:
    match test:
        case Both(tests) | Either(tests):
            for part in tests:
                _test(part, item)
        case Exists(path, _):
            _sub(path, item)
        case Matches(operand, _):
            if isinstance(operand, SubPath):
                _sub(operand, item).kinds.append("text")
        case Compare(left, _, right):
            for operand, other in ((left, right), (right, left)):
                if isinstance(operand, SubPath) and isinstance(other, Text):
                    _sub(operand, item).literals.append(_literal(other.text))


def _sub(path: SubPath, item: Shape) -> Shape:
    return Shape() if path.of_document else _follow(item, path.tokens)


def _literal(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _rule(rule: dict[str, Any], root: Shape) -> None:
    variable = rule.get("Variable")
    if not isinstance(variable, str):
        return
    for operator in (key for key in rule if key in OPERATORS):
        prefix = next((prefix for prefix in _OPERANDS if operator.startswith(prefix)), None)
        shape = _want(variable, _OPERANDS.get(prefix or ""), root)
        if operator.endswith("Path"):
            _want(rule[operator], _OPERANDS.get(prefix or ""), root)
        elif prefix and shape is not None:
            literal = rule[operator]
            shape.literals.append(literal.replace("*", "x") if operator == "StringMatches" else literal)


# --- making -----------------------------------------------------------------------------------------------

_WORDS = ("alpha", "beta", "x-1", "10", "", "a,b;c", "Ünï")


def input_for(shape: Shape, seed: int) -> Any:
    return _Maker(shape, seed, "input").value(shape)


class Tasks:
    """Answers by state and number of call; from the third seed on, some calls fail."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self._shape = shape
        self._seed = seed
        self._calls: Counter[str] = Counter()

    def __call__(self, task: RunTask) -> Any:
        number = self._calls[task.state]
        self._calls[task.state] += 1
        maker = _Maker(self._shape, self._seed, f"{task.state} {number}")
        if self._seed >= 2 and maker.chance(0.1):
            raise StateError(maker.pick(["Boom", "States.TaskFailed", "Lambda.ServiceException"]), "it went wrong")
        return maker.value(self._shape)


class _Maker:
    def __init__(self, root: Shape, seed: int, purpose: str) -> None:
        self._root = root
        self._random = random.Random(f"{seed} {purpose}")
        self._mischief = (0.0, 0.0, 0.01, 0.03, 0.05, 0.1)[seed % 6]

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def pick(self, among: Any) -> Any:
        return self._random.choice(among)

    def value(self, shape: Shape, depth: int = 0) -> Any:
        if shape.recursive:
            shape = Shape({**self._root.members, **shape.members}, kinds=shape.kinds, literals=shape.literals)
        if self.chance(self._mischief):
            return self.pick([None, "odd", 3, 2.5, False, [], ["one"], {}, {"odd": 1}])
        if depth > DEPTH_MAX:
            return "deep"
        if shape.members and not (shape.element and self.chance(0.3)):
            return dict(self._members(shape, depth))
        if shape.element is not None:
            count = max(shape.count, self._random.randint(0, ITEMS_MAX))
            return [self.value(shape.element, depth + 1) for _ in range(count)]
        return self._leaf(shape)

    def _members(self, shape: Shape, depth: int) -> Iterator[tuple[str, Any]]:
        for name, member in shape.members.items():
            if not self.chance(self._mischief):
                yield name, self.value(member, depth + 1)

    def _leaf(self, shape: Shape) -> Any:
        if shape.literals and self.chance(0.7):
            return self.pick(shape.literals)
        return self._of_kind(self.pick(shape.kinds) if shape.kinds else self.pick(["text", "number", "any"]))

    def _of_kind(self, kind: str) -> Any:
        match kind:
            case "text":
                return self.pick(_WORDS)
            case "ascii":
                return self.pick(["plain", "two words", "{}"])
            case "list text":
                return self.pick(["a,b,c", "a/b//c", "x", "1.2.3", "a:b:c:d:e:f:g"])
            case "number":
                return self.pick([0, 1, 2, 7, 10, 99, 2.5, -1])
            case "count":
                return self._random.randint(1, 3)
            case "index":
                return self._random.randint(0, 1)
            case "boolean":
                return self.chance(0.5)
            case "timestamp":
                return self.pick(["2023-11-14T22:13:25Z", "2016-08-18T17:33:00.5+01:00", "2023-11-15T00:00:00Z"])
            case "array":
                return [
                    self.pick(["a", "b", 1, 2, [1], {"k": 1}, True, None]) for _ in range(self._random.randint(0, 4))
                ]
            case "object":
                return {name: self.pick([1, "two", [3], {"deep": 4}]) for name in self._random.sample("abcd", 2)}
            case "json":
                return json.dumps(self.pick([{"a": 1, "b": [2]}, [1], "text", 5, None]))
            case "base64":
                return self.pick(["aGVsbG8=", "YWJj", ""])
            case "algorithm":
                return self.pick(["MD5", "SHA-256"])
            case _:
                return self.pick([1, "some", True, None, [1, 2], ["single"], [], {"a": {"b": 1}}, [[1]]])
