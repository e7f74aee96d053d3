"""The functions that call functions: $map and its kin, and sorting. Source: JSONata 2.0.6, "Higher order functions"."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import TypeAlias

from kaidan.asl.query.jsonata.calls import Closure, TailCall, invoke
from kaidan.asl.query.jsonata.errors import JsonataError, fail
from kaidan.asl.query.jsonata.limits import CALL_STEPS, Run
from kaidan.asl.query.jsonata.values import NUMBERS, UNDEFINED, Function, Sequence, is_numeric, members, truthy
from kaidan.values import JSON

Step: TypeAlias = Callable[[JSON, JSON], JSON]
"""Calls the function for a value and its index or name."""


def _caller(run: Run, function: JSON, whole: JSON) -> Step:
    """`step(value, index)`, which passes as many of (value, index, whole) as the function takes."""
    depth = run.depth
    arity = function.arity if isinstance(function, Function) else 1
    if arity == 1 and isinstance(function, Closure) and function.code.signature is None:
        return _closure_caller(run, function, depth)

    def step(value: JSON, index: JSON) -> JSON:
        run.charge(1)
        return invoke(run, function, [value, index, whole][: max(arity, 1)], depth)

    return step


def _closure_caller(run: Run, function: Closure, depth: int) -> Step:
    """A function of one parameter is entered without ceremony."""
    code, outer, data, unset = function.code, function.frame, function.data, function.code.unset
    if depth + code.height > run.depth_max:
        return lambda value, index: invoke(run, function, [value], depth)
    body = code.body

    def step(value: JSON, index: JSON) -> JSON:
        run.steps_left -= CALL_STEPS
        if run.steps_left < 0:
            run.charge(0)
        result = body(data, [run, outer, depth, value, *unset])
        if result.__class__ is TailCall:
            return invoke(run, result.function, result.arguments, depth, None, result.name)
        return result

    return step


def _keep(run: Run, result: list[JSON], value: JSON) -> None:
    result.append(value)
    if isinstance(value, list):
        run.holders.append(result)


def map_values(run: Run, values: JSON, function: JSON) -> JSON:
    if values is UNDEFINED:
        return values
    step = _caller(run, function, values)
    result = Sequence()
    for index, value in enumerate(values):
        mapped = step(value, index)
        if mapped is not UNDEFINED:
            _keep(run, result, mapped)
    run.allot_members(len(result))
    return result


def filter_values(run: Run, values: JSON, function: JSON) -> JSON:
    if values is UNDEFINED:
        return values
    step = _caller(run, function, values)
    result = Sequence(value for index, value in enumerate(values) if truthy(step(value, index)))
    run.allot_members(len(result))
    return result


def single(run: Run, values: JSON, function: JSON = UNDEFINED) -> JSON:
    """The only value that the function approves of."""
    if values is UNDEFINED:
        return values
    found = values
    if function is not UNDEFINED:
        step = _caller(run, function, values)
        found = [value for index, value in enumerate(values) if truthy(step(value, index))]
    if len(found) > 1:
        fail("D3138")
    return found[0] if found else fail("D3139")


def reduce(run: Run, values: JSON, function: JSON, initial: JSON = UNDEFINED) -> JSON:
    if values is UNDEFINED:
        return values
    arity = function.arity
    if arity < 2:
        fail("D3050", index=1)
    depth = run.depth
    start = 1 if initial is UNDEFINED and values else 0
    result = values[0] if start else initial
    for index in range(start, len(values)):
        run.charge(1)
        arguments = [result, values[index]] if arity == 2 else [result, values[index], index, values][: min(arity, 4)]
        result = invoke(run, function, arguments, depth)
    return result


def each(run: Run, value: JSON, function: JSON) -> JSON:
    if value.__class__ is not dict:
        return Sequence()
    step = _caller(run, function, value)
    result = Sequence()
    for name in members(value):
        mapped = step(value[name], name)
        if mapped is not UNDEFINED:
            _keep(run, result, mapped)
    return result


def sift(run: Run, value: JSON, function: JSON = UNDEFINED) -> JSON:
    """The object with only the members that the function approves of; nothing, if there are none."""
    if value.__class__ is not dict:
        return UNDEFINED
    step = _caller(run, function, value)
    result = {name: value[name] for name in members(value) if truthy(step(value[name], name))}
    return result or UNDEFINED


def sort(run: Run, values: JSON, function: JSON = UNDEFINED) -> JSON:
    """Sorted ascending, or so that no value for which `function(a, b)` is true stands before b."""
    if values is UNDEFINED or len(values) <= 1:
        return values
    run.allot_members(len(values))
    if function is UNDEFINED:
        return _sorted_natively(values)
    depth = run.depth

    def swaps(left: JSON, right: JSON) -> bool:
        run.charge(1)
        value = invoke(run, function, [left, right], depth)
        return isinstance(value, (list, dict, Function)) or bool(value)

    return _merge_sorted(values, swaps)


def _merge_sorted(values: list[JSON], swaps: Callable[[JSON, JSON], bool]) -> list[JSON]:
    """A merge sort, comparing just what the reference implementation compares: functions need not be consistent."""
    if len(values) <= 1:
        return values
    middle = len(values) // 2
    left, right = _merge_sorted(values[:middle], swaps), _merge_sorted(values[middle:], swaps)
    merged: list[JSON] = []
    i = j = 0
    while i < len(left) and j < len(right):
        if swaps(left[i], right[j]):
            merged.append(right[j])
            j += 1
        else:
            merged.append(left[i])
            i += 1
    return [*merged, *left[i:], *right[j:]]


def _sorted_natively(values: list[JSON]) -> list[JSON]:
    kinds = set(map(type, values))
    if kinds != {str} and not (kinds <= NUMBERS and all(map(is_numeric, values))):
        fail("D3070", index=1)
    return sorted(values)


Key: TypeAlias = Callable[[JSON], JSON]


def sort_by(run: Run, values: list[JSON], terms: list[tuple[bool, Key]]) -> list[JSON]:
    """Order by several keys, each ascending or descending; what has no key comes last.

    Raises JsonataError T2007 and T2008 for keys that cannot be compared.
    """
    if len(values) <= 1:
        return values
    run.allot_members(len(values))
    order = _native_order(values, list(range(len(values))), terms)
    if order is not None:
        return [values[at] for at in order]
    memory: list[dict[int, JSON]] = [{} for _ in terms]

    def key_of(term: int, at: int) -> JSON:
        known = memory[term]
        if at not in known:
            known[at] = terms[term][1](values[at])
        return known[at]

    def swaps(left: int, right: int) -> bool:
        run.charge(1)
        for term, (descending, _) in enumerate(terms):
            result = _compare_keys(key_of(term, left), key_of(term, right), descending)
            if result:
                return result > 0
        return False

    return [values[at] for at in _merge_sorted(list(range(len(values))), swaps)]


def _native_order(values: list[JSON], places: list[int], terms: list[tuple[bool, Key]]) -> list[int] | None:
    """The places in order, if all keys of a term are numbers, or all are strings."""
    descending, key = terms[0]
    keys = {place: key(values[place]) for place in places}
    kinds = set(map(type, keys.values()))
    if kinds != {str} and not (kinds <= NUMBERS and all(value == value for value in keys.values())):
        return None
    order = sorted(places, key=keys.__getitem__, reverse=descending)
    if len(terms) == 1:
        return order
    result: list[int] = []
    for _, tied in groupby(order, keys.__getitem__):
        inner = list(tied)
        ordered = inner if len(inner) == 1 else _native_order(values, inner, terms[1:])
        if ordered is None:
            return None
        result += ordered
    return result


def _compare_keys(left: JSON, right: JSON, descending: bool) -> int:
    if left is UNDEFINED or right is UNDEFINED:
        return (left is UNDEFINED) - (right is UNDEFINED)
    for key in (left, right):
        if key.__class__ is not str and key.__class__ not in NUMBERS:
            raise JsonataError("T2008", value=key)
    if (left.__class__ is str) is not (right.__class__ is str):
        raise JsonataError("T2007", value=left, value2=right)
    result = int(left > right) - int(left < right)
    return -result if descending else result
