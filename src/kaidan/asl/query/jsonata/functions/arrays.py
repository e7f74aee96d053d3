"""The functions on arrays that call no other function. Source: JSONata 2.0.6, "Array functions"."""

from __future__ import annotations

import math

from kaidan.asl.query.jsonata.limits import Run
from kaidan.asl.query.jsonata.values import ARRAYS, UNDEFINED, Sequence, as_list
from kaidan.values import JSON


def count(run: Run, values: JSON) -> JSON:
    return 0 if values is UNDEFINED else len(values)


def append(run: Run, left: JSON, right: JSON) -> JSON:
    """One list of both; what is nothing adds nothing."""
    if left is UNDEFINED:
        return right
    if right is UNDEFINED:
        return left
    left, right = as_list(left), as_list(right)
    run.allot_members(len(left) + len(right))
    return [*left, *right]


def reverse(run: Run, values: JSON) -> JSON:
    if values is UNDEFINED or len(values) <= 1:
        return values
    run.allot_members(len(values))
    return values[::-1]


def shuffle(run: Run, values: JSON) -> JSON:
    """Fisher and Yates, inside out."""
    if values is UNDEFINED or len(values) <= 1:
        return values
    run.allot_members(len(values))
    result: list[JSON] = []
    for value in values:
        place = math.floor(run.env.source.random() * (len(result) + 1))
        result.append(value)
        result[-1], result[place] = result[place], value
    return result


def distinct(run: Run, values: JSON) -> JSON:
    """The values without those equal to an earlier one."""
    if values.__class__ not in ARRAYS or len(values) <= 1:
        return values
    run.allot_members(len(values))
    seen: dict[JSON, JSON] = {}
    for value in values:
        seen.setdefault(_frozen(run, value), value)
    return Sequence(seen.values()) if isinstance(values, Sequence) else list(seen.values())


def _frozen(run: Run, value: JSON) -> JSON:
    """Something hashable that is equal where the values are."""
    if value.__class__ is bool:
        return ("boolean", value)
    if value.__class__ is dict:
        run.charge(8 + len(value))
        return ("object", frozenset((name, _frozen(run, member)) for name, member in value.items()))
    if value.__class__ in ARRAYS:
        run.charge(8 + len(value))
        return ("array", tuple(_frozen(run, member) for member in value))
    return value


def zip_arrays(run: Run, *arrays: JSON) -> JSON:
    """The first members, the second members, and so on, as far as the shortest goes."""
    if not all(values.__class__ in ARRAYS for values in arrays):
        return []
    run.allot_members(len(arrays) * min(map(len, arrays), default=0))
    return [list(members) for members in zip(*arrays, strict=False)]
