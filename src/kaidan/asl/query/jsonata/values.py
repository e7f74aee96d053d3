"""The values JSONata knows beside JSON: nothing, sequences and functions; and the laws of truth, equality and order.

A value is UNDEFINED (nothing at all, unlike null), plain JSON, a Sequence (what paths and functions like $map give,
which stands for its only member where it has just one), or a Function. Knows nothing of syntax or of evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import Any, Final

from kaidan.asl.query.jsonata.errors import fail
from kaidan.values import JSON


class Undefined:
    """The class of UNDEFINED, which is false and equal to nothing but itself."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = Undefined()
"""What an expression returns when there is nothing: AWS's "returned nothing (undefined)"."""


class Sequence(list[Any]):
    """A list that collapses: an empty one is UNDEFINED, and one of a single member is that member, unless `keep`."""

    keep = False


class Outer(Sequence):
    """The input, when it is a list: a sequence of one, so that the list is treated as a single value."""


class TupleStream(Sequence):
    """The members of a path that binds variables (`@`, `#`, `%`): dicts of `@` (the value) and the names bound."""


class Constructed(list[Any]):
    """A list made by `[…]` as first or last step of a path: it is a member of the result, not a part of it."""


ARRAYS: Final = frozenset({list, Sequence, Constructed, Outer, TupleStream})
NUMBERS: Final = frozenset({int, float})

SAFE_INTEGER: Final = 2**53 - 1
"""Integers up to here are exact in JavaScript."""


class Function:
    """Anything that can be called. `arity` is how many arguments a higher-order function may pass."""

    __slots__ = ("arity",)
    arity: int


def is_function(value: JSON) -> bool:
    """True of what `function(…){…}`, a regular expression or the name of a function evaluates to."""
    return isinstance(value, Function)


def collapse(value: JSON) -> JSON:
    """The value a Sequence of fewer than two members stands for."""
    if not value:
        return UNDEFINED
    return value if value.keep else value[0]


def as_list(value: JSON) -> list[JSON]:
    """The members of a list, or the value as the only one."""
    return value if value.__class__ in ARRAYS else [value]


def is_numeric(value: JSON) -> bool:
    """A number to calculate with: NaN is none, and an infinite one is an error (D1001)."""
    if value.__class__ is int:
        return True
    if value.__class__ is not float or value != value:
        return False
    return isfinite(value) or fail("D1001", value=value)


def number(value: float | int) -> float | int:
    """The number as JavaScript keeps it: whole floats become ints, ints beyond 2**53 lose their last digits."""
    if value.__class__ is int:
        if -SAFE_INTEGER <= value <= SAFE_INTEGER:
            return value
        try:
            value = float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    whole = value == value and abs(value) < 2**63 and float(value).is_integer()
    return int(value) if whole else value


def truthy(value: JSON) -> bool:
    """JSONata's cast to a boolean: `0`, `""`, `null`, `{}`, functions, and lists without a true member are false."""
    kind = value.__class__
    if kind is bool:
        return bool(value)
    if kind in NUMBERS:
        return is_numeric(value) and value != 0
    if kind in ARRAYS:
        return _any_truthy(value)
    return bool(value) and not isinstance(value, Function)


def _any_truthy(values: list[JSON]) -> bool:
    """Lists inside lists are looked into once each, however often they occur."""
    waiting, seen = [values], {id(values)}
    while waiting:
        for value in waiting.pop():
            if value.__class__ not in ARRAYS:
                if truthy(value):
                    return True
            elif id(value) not in seen:
                seen.add(id(value))
                waiting.append(value)
    return False


def deep_equal(left: JSON, right: JSON, charge: Callable[[int], None]) -> bool:
    """Equality by structure: `true` is not `1`, the order of members does not matter, functions equal themselves."""
    if left is right:
        return bool(left == left)
    if left.__class__ is dict:
        if right.__class__ is not dict or left.keys() != right.keys():
            return False
        charge(len(left))
        return all(deep_equal(value, right[key], charge) for key, value in left.items())
    if left.__class__ in ARRAYS:
        if right.__class__ not in ARRAYS or len(left) != len(right):
            return False
        charge(len(left))
        return all(deep_equal(a, b, charge) for a, b in zip(left, right, strict=True))
    if (left.__class__ is bool) is not (right.__class__ is bool):
        return False
    return bool(left == right)


def same(left: JSON, right: JSON) -> bool:
    """JavaScript's `===`: scalars by value and type, everything else by identity."""
    if left.__class__ in NUMBERS:
        return right.__class__ in NUMBERS and bool(left == right)
    if left.__class__ is str:
        return bool(left == right)
    return left is right


def members(value: Mapping[str, JSON]) -> Iterable[str]:
    """The names in a dict in JavaScript's order: whole numbers first and ascending, then the others as they came."""
    if not any(name[:1].isdigit() for name in value):
        return value
    indexes = [name for name in value if _is_index(name)]
    if not indexes:
        return value
    return [*sorted(indexes, key=int), *(name for name in value if not _is_index(name))]


def _is_index(name: str) -> bool:
    if not name.isdecimal() or len(name) > 10 or not name.isascii():
        return False
    return (name == "0" or name[0] != "0") and int(name) < 2**32 - 1
