"""JSONPath: a path compiled once to a callable that picks values, and values put at a path (ResultPath).

Knows nothing of states and fields; of the runtime only `Env`. Documents are never changed.

Step Functions runs Jayway JsonPath as it was about version 2.0.0, and shows its texts in causes. What tells
its age, all answered by AWS: `$['a', 'b'].v` fails with "Multi properties can only be used as path leafs",
`$.list[-1]` is not found while `$.list[(@.length-1)]` is, functions are looked up as names, and filters take
literals without quotes. Hence the rules below that look odd:

- A path that leads to one value fails when nothing is there. Any other path gives a list, `[]` when a name on
  the way is missing (`$.items[*].v` of `{}`); but a missing last name fails, except below `[*]` of an array.
- `[0]`, `[1:]`, … fail on what is not an array, `[?()]` on scalars, wherever they stand: PathNotApplicable.
- In filters a literal is text, read as the type of the value that it meets: `@.v == '1'` holds for 1 and "1".
  What cannot be compared does not match, `!=` included.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias, assert_never

from kaidan.asl.query.env import Env, Expression
from kaidan.asl.query.java import java_text
from kaidan.asl.query.javaregex import JavaRegex, TooManySteps
from kaidan.asl.query.jsonpath_parser import (
    DEFINITE,
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
    Operand,
    Root,
    Scan,
    Slice,
    SubPath,
    Test,
    Token,
    Wildcard,
    read_path,
)
from kaidan.values import JSON, dumps

__all__ = [
    "JsonPathSyntaxError",
    "Path",
    "PathNotApplicable",
    "PathNotFound",
    "ResultPathMismatch",
    "compile_path",
    "first_names",
    "parse",
    "write",
]


class PathNotFound(Exception):
    """Nothing is there. `reason` is Jayway's text, `No results for path: $['a']`, `path` the path as written.

    AWS says `Invalid path '<path>' : <reason>` for a path field, and its own sentence for payload templates.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path


class PathNotApplicable(PathNotFound):
    """The value has not the shape that the path needs (Jayway's InvalidPathException)."""


class ResultPathMismatch(ValueError):
    """A value cannot be put at a path: `Unable to apply ReferencePath $.a to input "x"`.

    AWS reports this text as the cause of States.ReferencePathConflict.
    """


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed path. `select(root_value)` picks; it raises PathNotFound.

    `reference` holds the steps of a Reference Path (States Language, "Reference Paths"), `("a", 0)` for
    `$.a[0]`, and is None for any other path.
    """

    text: str
    root: Root
    variable: str | None
    definite: bool
    reference: tuple[str | int, ...] | None
    select: Callable[[JSON], JSON] = field(compare=False, repr=False)

    @property
    def is_reference(self) -> bool:
        """Whether it leads to one place by names and indexes from 0, as ResultPath and ItemsPath must."""
        return self.reference is not None


def parse(text: str) -> Path:
    """Read `$…` (input), `$$…` (Context object) or `$name…` (variable). Raises JsonPathSyntaxError."""
    root, variable, tokens = read_path(text)
    return Path(text, root, variable, _definite(tokens), _reference(tokens), _selector(tokens, text))


def compile_path(text: str) -> Expression:
    """The path as an expression: picks from the data, the Context object or a variable.

    The expression raises PathNotFound, also for a variable that has no value.
    """
    path = parse(text)
    select, name = path.select, path.variable
    if path.root == "context":
        return lambda data, env: select(env.context())
    if name is None:
        return lambda data, env: select(data)

    def of_variable(data: JSON, env: Env) -> JSON:
        if name not in env.variables:
            raise PathNotFound(f"No value for variable: ${name}", text)
        return select(env.variables[name])

    return of_variable


def first_names(path: Path) -> tuple[str, ...]:
    """The variables that the path reads, without `$`: `("order",)` for `$order.id`, `()` for `$.id`."""
    return () if path.variable is None else (path.variable,)


def write(path: Path, document: JSON, value: JSON) -> JSON:
    """The document with `value` at a Reference Path: a copy along the path, shared elsewhere.

    `write(parse("$.a.b"), {"c": 1}, 2)` gives `{"c": 1, "a": {"b": 2}}`: objects that are missing are made,
    an element has to be there. Raises ResultPathMismatch when something else is in the way, ValueError when
    the path is none to write to.
    """
    if path.reference is None or path.root != "input":
        raise ValueError(f"'{path.text}' is not a Reference Path into the input")
    try:
        return _put(document, path.reference, value)
    except _InTheWay:
        raise ResultPathMismatch(f"Unable to apply ReferencePath {path.text} to input {dumps(document)}") from None


class _InTheWay(Exception):
    """Something at the path is neither the object nor the array that the next step needs."""


def _put(document: JSON, steps: tuple[str | int, ...], value: JSON) -> JSON:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, str) and isinstance(document, dict):
        below = document[step] if step in document else ({} if rest and isinstance(rest[0], str) else None)
        return {**document, step: _put(below, rest, value)}
    if isinstance(step, int) and isinstance(document, list) and step < len(document):
        return [*document[:step], _put(document[step], rest, value), *document[step + 1 :]]
    raise _InTheWay


def _definite(tokens: Sequence[Token]) -> bool:
    return all(isinstance(token, DEFINITE) for token in tokens)


def _reference(tokens: Sequence[Token]) -> tuple[str | int, ...] | None:
    steps: list[str | int] = []
    for token in tokens:
        match token:
            case Names((name,)):
                steps.append(name)
            case Index(index) if index >= 0:
                steps.append(index)
            case _:
                return None
    return tuple(steps)


# -- selecting: a chain of steps, the last of which collects -------------------------------------------------

Place: TypeAlias = "tuple[Any, str | int] | None"
"""How a step was reached, for messages only: `((None, "a"), 0)` is `$['a'][0]`."""

SCANNED_MAX = 500_000
"""How many values `..` may look at for one path, some half a second: `$..*..*..*` grows without bounds. Ours."""


class Found(list[JSON]):
    """What a path has selected so far, and how many values may still be looked at."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        super().__init__()
        self.left = SCANNED_MAX

    def look(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise PathNotApplicable(f"The path looks at more than {SCANNED_MAX} values")


Step: TypeAlias = Callable[[JSON, JSON, Place, Found], None]
"""`step(value, document, place, found)` adds to `found` what the rest of the path selects below `value`."""


def _selector(tokens: tuple[Token, ...], text: str = "") -> Callable[[JSON], JSON]:
    step = _chain(tokens)
    definite = _definite(tokens)

    def select(document: JSON) -> JSON:
        found = Found()
        try:
            step(document, document, None, found)
        except PathNotFound as problem:
            problem.path = text
            raise
        return found[0] if definite else list(found)

    return _fast(_reference(tokens), select)


def _fast(steps: tuple[str | int, ...] | None, careful: Callable[[JSON], JSON]) -> Callable[[JSON], JSON]:
    """Names and indexes without bookkeeping; what fails is done again by `careful`, which explains it."""
    if steps is None:
        return careful

    def select(document: JSON) -> JSON:
        value = document
        try:
            for step in steps:
                if isinstance(value, str):  # has elements, too, but not for us
                    return careful(document)
                value = value[step]
            return value
        except (KeyError, IndexError, TypeError):
            return careful(document)

    return select


def _chain(tokens: tuple[Token, ...]) -> Step:
    step: Step = _collect
    after: Step = _collect
    definite = _definite(tokens[-1:])
    for position in reversed(range(len(tokens))):
        definite = definite and isinstance(tokens[max(position - 1, 0)], DEFINITE)
        step, after = _step(tokens, position, step, after, definite), step
    return step


def _collect(value: JSON, document: JSON, place: Place, found: Found) -> None:
    found.append(value)


def _step(tokens: tuple[Token, ...], position: int, follow: Step, after: Step, definite: bool) -> Step:
    """The step of one token. `follow` is the step of the next token, `after` that of the one behind it; `definite`:
    from the token before it to the end, all lead to one place."""
    token, leaf = tokens[position], position == len(tokens) - 1

    def fragment() -> str:
        return "".join(map(str, tokens[position:]))

    match token:
        case Names((name,)):
            return _name(name, follow, leaf=leaf, skips=not leaf and not definite)
        case Names(names):
            return _members(names, leaf=leaf)
        case Index(index):
            return _elements(lambda length: (index,), follow, fragment)
        case FromEnd(back):
            return _elements(lambda length: (length - back,), follow, fragment)
        case Indexes(indexes):
            return _elements(lambda length: indexes, follow, fragment)
        case Slice(start, stop):
            return _elements(_range_of(start, stop), follow, fragment)
        case Wildcard():
            return _wildcard(follow)
        case Scan():
            return _scan(tokens[position + 1], follow, after, leaf=position == len(tokens) - 2)
        case Filter(test):
            return _filter(_test(test), follow, fragment)
        case _:
            assert_never(token)


Fragment: TypeAlias = Callable[[], str]
"""The rest of the path, for messages."""


def _name(name: str, follow: Step, *, leaf: bool, skips: bool) -> Step:
    missing = "No results for path: " if leaf else "Missing property in path "

    def step(value: JSON, document: JSON, place: Place, found: Found) -> None:
        if not isinstance(value, dict):
            raise PathNotFound(f"Property ['{name}'] not found in path {_show(place)}")
        if name in value:
            follow(value[name], document, (place, name), found)
        elif not skips:
            raise PathNotFound(missing + _show((place, name)))

    return step


def _members(names: tuple[str, ...], *, leaf: bool) -> Step:
    """`['a', 'b']`: one object of the members that are there."""
    fragment = str(Names(names))

    def step(value: JSON, document: JSON, place: Place, found: Found) -> None:
        if not isinstance(value, dict):
            raise PathNotFound(f"Property {fragment} not found in path {_show(place)}")
        if not leaf:
            raise PathNotApplicable(f"Multi properties can only be used as path leafs: {_show(place)}{fragment}")
        found.append({name: value[name] for name in names if name in value})

    return step


def _elements(indexes_of: Callable[[int], Sequence[int]], follow: Step, fragment: Fragment) -> Step:
    def step(value: JSON, document: JSON, place: Place, found: Found) -> None:
        for index in indexes_of(len(_array(value, place, fragment))):
            follow(_at(value, index, place), document, (place, index), found)

    return step


def _range_of(start: int | None, stop: int | None) -> Callable[[int], range]:
    """Negative edges count from the end in `[-2:]` and `[:-1]`, but not when both edges are given."""
    if stop is None:
        first = start or 0
        return lambda length: range(max(0, first + length if first < 0 else first), length)
    last = stop
    if start is None:
        return lambda length: range(min(length, last + length if last < 0 else last))
    begin = start
    return lambda length: range(begin, min(length, last))


def _array(value: JSON, place: Place, fragment: Fragment) -> list[JSON]:
    if isinstance(value, list):
        return value
    if value is None:
        raise PathNotFound(f"The path {_show(place)} is null")
    raise PathNotApplicable(
        f"Filter: {fragment()} can only be applied to arrays. Current context is: {java_text(value)}"
    )


def _at(value: list[JSON], index: int, place: Place) -> JSON:
    if 0 <= index < len(value):
        return value[index]
    raise PathNotFound(f"Index out of bounds when evaluating path {_show((place, index))}")


def _wildcard(follow: Step) -> Step:
    def step(value: JSON, document: JSON, place: Place, found: Found) -> None:
        if isinstance(value, dict):
            for name, member in value.items():
                follow(member, document, (place, name), found)
        elif isinstance(value, list):
            for index, element in enumerate(value):
                try:
                    follow(element, document, (place, index), found)
                except PathNotApplicable:
                    raise
                except PathNotFound:
                    pass

    return step


def _filter(test: Predicate, follow: Step, fragment: Fragment) -> Step:
    def step(value: JSON, document: JSON, place: Place, found: Found) -> None:
        if isinstance(value, dict):
            if test(value, document):
                follow(value, document, place, found)
        elif isinstance(value, list):
            for index, element in enumerate(value):
                if test(element, document):
                    follow(element, document, (place, index), found)
        else:
            shown = java_text(value)
            raise PathNotApplicable(
                f"Filter: {fragment()} can not be applied to primitives. Current context is: {shown}"
            )

    return step


def _scan(token: Token, follow: Step, after: Step, *, leaf: bool) -> Step:
    """`..token`: at an array that the token fits, the path goes on with every element, not the token's."""
    fits = _fits(token)

    def step(value: JSON, document: JSON, place: Place, found: Found) -> None:
        found.look()
        if isinstance(value, dict):
            if fits(value, document):
                follow(value, document, place, found)
            for name, member in value.items():
                step(member, document, (place, name), found)
        elif isinstance(value, list):
            if fits(value, document):
                if leaf:
                    follow(value, document, place, found)
                else:
                    for index, element in enumerate(value):
                        after(element, document, (place, index), found)
            for index, element in enumerate(value):
                step(element, document, (place, index), found)

    return step


def _fits(token: Token) -> Predicate:
    """Where a scan stops to apply the token."""
    match token:
        case Names(names):
            wanted = set(names)
            return lambda value, document: isinstance(value, dict) and value.keys() >= wanted
        case Index() | FromEnd() | Indexes() | Slice():
            return lambda value, document: isinstance(value, list)
        case Wildcard():
            return lambda value, document: True
        case Filter(test):
            return _test(test)
        case Scan():
            return lambda value, document: False
        case _:
            assert_never(token)


# -- filters -------------------------------------------------------------------------------------------------

Predicate: TypeAlias = Callable[[JSON, JSON], bool]
"""`holds(item, document)`"""


def _test(test: Test) -> Predicate:
    match test:
        case Both(tests):
            every = tuple(map(_test, tests))
            return lambda item, document: all(holds(item, document) for holds in every)
        case Either(tests):
            some = tuple(map(_test, tests))
            return lambda item, document: any(holds(item, document) for holds in some)
        case Exists(path, wanted):
            pick = _operand(path)
            # null counts as missing: "not defined or null"
            return _guarded(lambda item, document: (pick(item, document) is not None) == wanted, missing=not wanted)
        case Matches(operand, pattern):
            subject = _operand(operand)
            return _guarded(lambda item, document: _matches(pattern, subject(item, document)))
        case Compare(left, operator, right):
            return _guarded(_comparison(operator, _operand(left), _operand(right)))
        case _:
            assert_never(test)


def _guarded(holds: Predicate, *, missing: bool = False) -> Predicate:
    """What the test says when a path in it finds nothing."""

    def test(item: JSON, document: JSON) -> bool:
        try:
            return holds(item, document)
        except PathNotApplicable:
            raise
        except PathNotFound:
            return missing

    return test


def _operand(operand: Operand) -> Callable[[JSON, JSON], JSON]:
    if not isinstance(operand, SubPath):
        text = operand.text
        return lambda item, document: text
    select = _selector(operand.tokens)
    if operand.of_document:
        return lambda item, document: select(document)
    return lambda item, document: select(item)


def _matches(pattern: JavaRegex, value: JSON) -> bool:
    try:
        return value is not None and pattern.matches(java_text(value))
    except TooManySteps:
        raise PathNotApplicable("A pattern of the path has too many ways to match") from None


_HOLDS: dict[str, Callable[[int], bool]] = {
    "==": lambda order: order == 0,
    "!=": lambda order: order != 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
}


def _comparison(operator: str, left: Callable[[JSON, JSON], JSON], right: Callable[[JSON, JSON], JSON]) -> Predicate:
    holds, ordering = _HOLDS[operator], operator not in ("==", "!=")

    def test(item: JSON, document: JSON) -> bool:
        actual, expected = left(item, document), right(item, document)
        if ordering and (actual is None) != (expected is None):
            return False
        order = _order(actual, expected)
        return order is not None and holds(order)

    return test


def _order(actual: JSON, expected: JSON) -> int | None:
    """-1, 0 or 1, None when the two do not compare. `null` (the text, too) comes before everything else."""
    actual_null, expected_null = actual in (None, "null"), expected in (None, "null")
    if actual_null or expected_null:
        return expected_null - actual_null
    if isinstance(expected, str):
        expected = _read_as(actual, expected)
    for kind in (bool, str, (int, float)):
        if isinstance(actual, kind) or isinstance(expected, kind):
            same = isinstance(actual, kind) and isinstance(expected, kind)
            return (actual > expected) - (actual < expected) if same else None
    return None


def _read_as(value: JSON, text: str) -> JSON:
    """The text as the value's type, None when it is none of it."""
    if isinstance(value, bool):
        return text.lower() == "true"
    if isinstance(value, (int, float)):
        return _number(text)
    return text


_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@lru_cache(maxsize=1024)
def _number(text: str) -> int | float | None:
    if not _DECIMAL.fullmatch(text):
        return None
    return int(text) if len(text) < 20 and text.lstrip("+-").isdigit() else float(text)


# -- words of messages ---------------------------------------------------------------------------------------


def _show(place: Place) -> str:
    """`$['a'][0]`"""
    shown = ""
    while place is not None:
        place, key = place
        shown = (f"['{key}']" if isinstance(key, str) else f"[{key}]") + shown
    return "$" + shown
