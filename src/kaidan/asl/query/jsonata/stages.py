"""What is done to a value that is already there: filters, `value[test]`, and groups, `value{key: value}`.

Made from closures that are ready. Source: the observable behaviour of JSONata 2.0.6.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from kaidan.asl.query.jsonata.errors import fail
from kaidan.asl.query.jsonata.limits import RUN, Frame, Run
from kaidan.asl.query.jsonata.scope import Evaluate
from kaidan.asl.query.jsonata.values import (
    ARRAYS,
    NUMBERS,
    UNDEFINED,
    Sequence,
    TupleStream,
    as_list,
    is_numeric,
    truthy,
)
from kaidan.values import JSON

Stage: TypeAlias = Callable[[JSON, Frame], JSON]
"""The value and the frame to what becomes of the value."""


def position_filter(number: float) -> Stage:
    """`[0]`, `[-1]`"""
    index = math.floor(number)

    def stage(value: JSON, frame: Frame) -> JSON:
        values = as_list(value)
        at = index if index >= 0 else len(values) + index
        if not 0 <= at < len(values) or values[at] is UNDEFINED:
            return _empty_like(values)
        item = values[at]
        if item.__class__ in ARRAYS:
            return item
        result = _empty_like(values)
        result.append(item)
        return result

    return stage


def _empty_like(values: list[JSON]) -> Sequence:
    return TupleStream() if values.__class__ is TupleStream else Sequence()


def test_filter(test: Evaluate) -> Stage:
    """`[test]`: members for which the test is true, or at whose place it is a number."""

    def stage(value: JSON, frame: Frame) -> JSON:
        values = value if value.__class__ in ARRAYS else (value,)
        count = len(values)
        frame[RUN].charge(count)
        result = Sequence()
        for at, item in enumerate(values):
            outcome = test(item, frame)
            if outcome is True or (outcome is not False and selects(outcome, at, count)):
                result.append(item)
        if value is UNDEFINED and result:
            frame[RUN].irregular = True
        return result

    return stage


def selects(outcome: JSON, at: int, count: int) -> bool:
    """Whether a test with this outcome selects the member at this place, which a list of places may do."""
    if outcome.__class__ in NUMBERS:
        return is_numeric(outcome) and _is_place(outcome, at, count)
    if outcome.__class__ in ARRAYS and all(map(is_numeric, outcome)):
        return any(_is_place(place, at, count) for place in outcome)
    return truthy(outcome)


def _is_place(place: JSON, at: int, count: int) -> bool:
    floor = math.floor(place)
    return bool(at == (floor if floor >= 0 else count + floor))


def filtered(evaluate: Evaluate, stage: Stage) -> Evaluate:
    return lambda data, frame: stage(evaluate(data, frame), frame)


# Groups

Pairs: TypeAlias = list[tuple[Evaluate, Evaluate]]


class Entry:
    """The members with one key: the first as it is, more of them as a list."""

    __slots__ = ("data", "listed", "pair")

    def __init__(self, data: JSON, pair: int) -> None:
        self.data = data
        self.pair = pair
        self.listed = False

    def add(self, item: JSON) -> None:
        if self.data is UNDEFINED or item is UNDEFINED:
            self.data = item if self.data is UNDEFINED else self.data
            return
        if not self.listed:
            self.data = [*as_list(self.data)]
            self.listed = True
        self.data += as_list(item)


def group(pairs: Pairs) -> Stage:
    """`{key: value, …}` over the members of a value, or over nothing at all."""

    def stage(value: JSON, frame: Frame) -> JSON:
        items = as_list(value) or [UNDEFINED]
        run = frame[RUN]
        run.charge(4 * len(items))
        entries: dict[str, Entry] = {}
        for item in items:
            for at, (key_of, _) in enumerate(pairs):
                _put(entries, key_of(item, frame), item, at)
        run.allot_members(len(entries))
        result: dict[str, JSON] = {}
        for key, entry in entries.items():
            add_member(run, result, key, pairs[entry.pair][1](entry.data, frame))
        return result

    return stage


def _put(entries: dict[str, Entry], key: JSON, item: JSON, pair: int) -> None:
    if key.__class__ is not str:
        if key is UNDEFINED:
            return
        fail("T1003", value=key)
    entry = entries.get(key)
    if entry is None:
        entries[key] = Entry(item, pair)
    elif entry.pair == pair:
        entry.add(item)
    else:
        fail("D1009", value=key)


def add_member(run: Run, result: dict[str, JSON], name: str, value: JSON) -> None:
    if value is not UNDEFINED:
        result[name] = value
        if isinstance(value, list):
            run.holders.append(result)


def object_of(names: list[str], values: list[Evaluate], general: Evaluate) -> Evaluate:
    """`{"a": …, "b": …}` with constant names, all different, on a context that is no list."""
    parts = list(zip(names, values, strict=True))

    def evaluate(data: JSON, frame: Frame) -> JSON:
        if data.__class__ in ARRAYS:
            return general(data, frame)
        run = frame[RUN]
        run.bytes_left -= 8 * len(parts)
        result: dict[str, JSON] = {}
        for name, evaluate_value in parts:
            value = evaluate_value(data, frame)
            if value is not UNDEFINED:
                result[name] = value
                if value.__class__ in ARRAYS:
                    run.holders.append(result)
        return result

    return evaluate
