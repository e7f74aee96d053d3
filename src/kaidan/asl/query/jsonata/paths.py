"""Paths at run time: steps over the members of a sequence, filters, groups, and tuples of bound variables.

Everything here is made from closures that are ready: compiler.py decides what is needed. Source: the observable
behaviour of JSONata 2.0.6, above all which lists are flattened into a result and which are members of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, TypeAlias

from kaidan.asl.query.jsonata.errors import fail
from kaidan.asl.query.jsonata.functions.higher_order import Key, sort_by
from kaidan.asl.query.jsonata.functions.objects import lookup
from kaidan.asl.query.jsonata.limits import DEPTH, RUN, Frame, Run
from kaidan.asl.query.jsonata.scope import Evaluate
from kaidan.asl.query.jsonata.values import (
    ARRAYS,
    NUMBERS,
    UNDEFINED,
    Constructed,
    Sequence,
    TupleStream,
    as_list,
    collapse,
    is_numeric,
    members,
    truthy,
)
from kaidan.values import JSON

Step: TypeAlias = Callable[[list[JSON], Frame], list[JSON]]
"""A step: the members so far and the frame to the members after it."""

Stage: TypeAlias = Callable[[JSON, Frame], JSON]
"""A filter: the value and the frame to what remains of it."""

VALUE: Final = "@"
"""The name of the value in a tuple."""

TUPLE_STEPS: Final = 4
"""What a tuple counts in steps; a member of a plain sequence counts 1."""


# Operands of a path


def field(name: str) -> Evaluate:
    """A field of the context, or of each of its members."""

    def evaluate(data: JSON, frame: Frame) -> JSON:
        if data.__class__ is dict:
            value = data.get(name, UNDEFINED)
            if value.__class__ is not Sequence:
                return value
        return collapse_any(lookup(frame[RUN], data, name))

    return evaluate


def field_of(start: Evaluate, name: str) -> Evaluate:
    """A field of another operand's value."""
    otherwise = fields_path([name], start)

    def evaluate(data: JSON, frame: Frame) -> JSON:
        value = start(data, frame)
        if value.__class__ is dict:
            member = value.get(name, UNDEFINED)
            if member.__class__ is not Sequence:
                return member
        return otherwise(data, frame)

    return evaluate


def collapse_any(value: JSON) -> JSON:
    return collapse(value) if value.__class__ is Sequence and len(value) < 2 else value


def wildcard(data: JSON, frame: Frame) -> JSON:
    """`*`: the values of an object, lists in it flattened; with a list among them the result is a plain list."""
    if data.__class__ is dict:
        values = [data[name] for name in members(data)]
    elif data.__class__ in ARRAYS:
        values = list(data)
    else:
        return Sequence()
    run: Run = frame[RUN]
    run.charge(len(values))
    if ARRAYS.isdisjoint(map(type, values)):
        return Sequence(values)
    result: list[JSON] = []
    for value in values:
        if value.__class__ in ARRAYS:
            _flatten(run, value, result)
        else:
            result.append(value)
    run.allot_members(len(result))
    return result


def _flatten(run: Run, values: list[JSON], result: list[JSON]) -> None:
    run.charge(len(values))
    for value in values:
        if value.__class__ in ARRAYS:
            _flatten(run, value, result)
        else:
            result.append(value)


def descendants(data: JSON, frame: Frame) -> JSON:
    """`**`: the value and everything inside it, without the lists themselves."""
    if data is UNDEFINED:
        return UNDEFINED
    run: Run = frame[RUN]
    result = Sequence()
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if value.__class__ in ARRAYS:
            run.charge(len(value))
            waiting += reversed(value)
            continue
        result.append(value)
        if value.__class__ is dict:
            run.charge(len(value))
            waiting += [value[name] for name in reversed([*members(value)])]
    run.allot_members(len(result))
    return result[0] if len(result) == 1 else result


# Steps


def field_step(name: str, last: bool) -> Step:
    """A step that is a field's name and nothing else."""

    def step(values: list[JSON], frame: Frame) -> list[JSON]:
        run = frame[RUN]
        run.charge(len(values))
        try:
            found = [value[name] for value in values]
        except (KeyError, TypeError):
            found = _fields(run, values, name)
        if ARRAYS.isdisjoint(map(type, found)):
            return Sequence(found)
        return flattened(run, found, last)

    return step


def _fields(run: Run, values: list[JSON], name: str) -> list[JSON]:
    found = []
    for value in values:
        if value.__class__ is dict:
            member = value.get(name, UNDEFINED)
        elif value.__class__ in ARRAYS:
            member = collapse_any(lookup(run, value, name))
        else:
            continue
        if member is not UNDEFINED:
            found.append(member)
    return found


def general_step(evaluate: Evaluate, stages: list[Stage], last: bool) -> Step:
    def step(values: list[JSON], frame: Frame) -> list[JSON]:
        run = frame[RUN]
        run.charge(len(values))
        found = Sequence()
        for value in values:
            result = evaluate(value, frame)
            for stage in stages:
                result = stage(result, frame)
            if result is not UNDEFINED:
                found.append(result)
        return found if ARRAYS.isdisjoint(map(type, found)) else flattened(run, found, last)

    return step


def flattened(run: Run, found: list[JSON], last: bool) -> list[JSON]:
    """The members of the lists found. A list that is all the last step has found is the result itself."""
    if last and len(found) == 1 and found[0].__class__ in ARRAYS and not isinstance(found[0], Sequence):
        return as_list(found[0])
    result = Sequence()
    for value in found:
        if value.__class__ not in ARRAYS or value.__class__ is Constructed:
            result.append(value)
            if value.__class__ is Constructed:
                run.holders.append(result)
        else:
            result += value
    run.allot_members(len(result))
    return result


def _key(evaluate: Evaluate, frame: Frame) -> Key:
    return lambda value: evaluate(value, frame)


def sort_step(terms: list[tuple[bool, Evaluate]], stages: list[Stage]) -> Step:
    def step(values: list[JSON], frame: Frame) -> list[JSON]:
        result: JSON = sort_by(frame[RUN], values, [(descending, _key(key, frame)) for descending, key in terms])
        for stage in stages:
            result = stage(result, frame)
        return result  # type: ignore[no-any-return]

    return step


# Whole paths


def fields_path(names: list[str], start: Evaluate | None) -> Evaluate:
    """`a.b.c`, or `$x.a.b.c` from where `start` gives `$x`."""
    steps = [field_step(name, name_at == len(names) - 1) for name_at, name in enumerate(names)]

    def evaluate(data: JSON, frame: Frame) -> JSON:
        value = data if start is None else start(data, frame)
        for at, name in enumerate(names):
            if value.__class__ is dict:
                value = value.get(name, UNDEFINED)
            elif value.__class__ in ARRAYS:
                return _from_step(value, steps, at, frame)
            else:
                return UNDEFINED
        if value.__class__ is Sequence:
            return collapse_any(Sequence(value))
        return value

    return evaluate


def _from_step(values: list[JSON], steps: list[Step], at: int, frame: Frame) -> JSON:
    while values and at < len(steps):
        values = steps[at](values, frame)
        at += 1
    if values.__class__ is Sequence and len(values) < 2:
        return values[0] if values else UNDEFINED
    return values if values else (UNDEFINED if at < len(steps) else values)


def plain_path(steps: list[Step], first: Evaluate | None, absolute: bool, keep: bool) -> Evaluate:
    """A path without tuples, its result not yet collapsed.

    `first` evaluates the whole first step (`[…]`) on all of the context; `absolute`: the first step is a variable, so
    that the context is not looked into.
    """

    def evaluate(data: JSON, frame: Frame) -> JSON:
        values = data if data.__class__ in ARRAYS and not absolute else Sequence((data,))
        if first is not None:
            start = first(values, frame)
            if start is UNDEFINED or (not steps and start.__class__ not in ARRAYS):
                return start
            values = as_list(start)
        elif not values:
            values = Sequence()
        for step in steps:
            if not values:
                break
            values = step(values, frame)
        return kept(values) if keep else values

    return evaluate


def kept(values: list[JSON]) -> list[JSON]:
    """`[]`: the result stays a list, however short."""
    if values.__class__ is Constructed:
        values = Sequence((values,))
    if values.__class__ is Sequence:
        values.keep = True
    return values


def collapsed(evaluate: Evaluate) -> Evaluate:
    """The value with Sequences of fewer than two members taken for what they stand for."""

    def collapsing(data: JSON, frame: Frame) -> JSON:
        value = evaluate(data, frame)
        if value.__class__ is Sequence and len(value) < 2:
            return collapse(value)
        return value

    return collapsing


def keeping(evaluate: Evaluate) -> Evaluate:
    """`operand[]`"""

    def keep(data: JSON, frame: Frame) -> JSON:
        value = evaluate(data, frame)
        if value.__class__ is Sequence:
            value.keep = True
        return value

    return keep


# Filters


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


def either_filter(test: Evaluate) -> Stage:
    """`[test]` on an operand that may give tuples; the test expects a tuple's frame."""
    plain = test_filter(lambda data, frame: test(data, tuple_frame(frame, {})))
    bound = tuple_filter(test)

    def stage(value: JSON, frame: Frame) -> JSON:
        return bound(value, frame) if value.__class__ is TupleStream else plain(value, frame)

    return stage


def filtered(evaluate: Evaluate, stage: Stage) -> Evaluate:
    return lambda data, frame: stage(evaluate(data, frame), frame)


# Groups

Pairs: TypeAlias = list[tuple[Evaluate, Evaluate]]


class _Entry:
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
        entries: dict[str, _Entry] = {}
        for item in items:
            for at, (key_of, _) in enumerate(pairs):
                _put(entries, key_of(item, frame), item, at)
        run.allot_members(len(entries))
        result: dict[str, JSON] = {}
        for key, entry in entries.items():
            add_member(run, result, key, pairs[entry.pair][1](entry.data, frame))
        return result

    return stage


def _put(entries: dict[str, _Entry], key: JSON, item: JSON, pair: int) -> None:
    if key.__class__ is not str:
        if key is UNDEFINED:
            return
        fail("T1003", value=key)
    entry = entries.get(key)
    if entry is None:
        entries[key] = _Entry(item, pair)
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


# Tuples: paths that bind variables


class TupleStep:
    """A step of a path that binds: `focus`, `index` and `label` (of a `%`) are the names it adds to the tuples."""

    __slots__ = ("evaluate", "focus", "index", "label", "stages")

    def __init__(
        self, evaluate: Evaluate, focus: str | None, index: str | None, label: str | None, stages: list[TupleStage]
    ) -> None:
        self.evaluate = evaluate
        self.focus = focus
        self.index = index
        self.label = label
        self.stages = stages

    def __call__(self, stream: TupleStream, frame: Frame) -> TupleStream:
        result = TupleStream()
        run = frame[RUN]
        for given in stream:
            found = self.evaluate(given[VALUE], tuple_frame(frame, given))
            if found is not UNDEFINED:
                found = as_list(found)
                run.charge(TUPLE_STEPS * len(found))
                run.allot_members(len(found) * (len(given) + 1))
                self._extend(result, given, found)
        return _staged(result, self.stages, frame)

    def _extend(self, result: TupleStream, given: dict[str, JSON], found: list[JSON]) -> None:
        for at, value in enumerate(found):
            if found.__class__ is TupleStream:
                result.append({**given, **value})
                continue
            bound = dict(given)
            if self.focus is not None:
                bound[self.focus] = value
            else:
                bound[VALUE] = value
            if self.index is not None:
                bound[self.index] = at
            if self.label is not None:
                bound[self.label] = given[VALUE]
            result.append(bound)


TupleStage: TypeAlias = Callable[[list[JSON], Frame], list[JSON]]
TupleStepping: TypeAlias = Callable[[TupleStream, Frame], TupleStream]


def _staged(stream: list[JSON], stages: list[TupleStage], frame: Frame) -> TupleStream:
    for stage in stages:
        stream = stage(stream, frame)
    return TupleStream(stream)


def tuple_frame(frame: Frame, bound: dict[str, JSON]) -> Frame:
    return [frame[RUN], frame, frame[DEPTH], bound]


def index_stage(name: str) -> TupleStage:
    """`#$name` behind a filter"""

    def stage(stream: list[JSON], frame: Frame) -> list[JSON]:
        return TupleStream({**bound, name: at} for at, bound in enumerate(stream))

    return stage


def tuple_filter(test: Evaluate) -> TupleStage:
    def stage(stream: list[JSON], frame: Frame) -> list[JSON]:
        frame[RUN].charge(len(stream))
        result = TupleStream()
        for at, bound in enumerate(stream):
            outcome = test(bound[VALUE], tuple_frame(frame, bound))
            if selects(outcome, at, len(stream)):
                result.append(bound)
        return result

    return stage


def _tuple_key(evaluate: Evaluate, frame: Frame) -> Key:
    return lambda bound: evaluate(bound[VALUE], tuple_frame(frame, bound))


def tuple_sort(
    terms: list[tuple[bool, Evaluate]], index: str | None, first: bool, stages: list[TupleStage]
) -> TupleStepping:
    """`^(…)` in a path that binds; `first`: no step before it has bound anything, so it may bind its `index`."""

    def step(stream: TupleStream, frame: Frame) -> TupleStream:
        ordered = sort_by(frame[RUN], stream, [(descending, _tuple_key(key, frame)) for descending, key in terms])
        if first and index is not None:
            ordered = [{**bound, index: at} for at, bound in enumerate(ordered)]
        return _staged(ordered, stages, frame)

    return step


def tuple_path(
    before: Evaluate, steps: list[TupleStepping], *, as_tuples: bool, keep: bool, grouping: Stage | None
) -> Evaluate:
    """A path whose steps bind from some step on; `before` gives the members that come to that step.

    Where it gives none, there are no tuples: a group is then made of nothing.
    """

    def evaluate(data: JSON, frame: Frame) -> JSON:
        values = before(data, frame)
        stream = TupleStream({VALUE: value} for value in ([] if values is UNDEFINED else as_list(values)))
        if not stream:
            return UNDEFINED if grouping is None else grouping(TupleStream(({VALUE: UNDEFINED},)), frame)
        for step in steps:
            stream = step(stream, frame)
        if grouping is not None:
            return grouping(stream, frame)
        if as_tuples:
            return stream
        result: list[JSON] = Sequence(bound[VALUE] for bound in stream)
        return kept(result) if keep else result

    return evaluate


def tuple_group(pairs: Pairs) -> Stage:
    """`{key: value, …}` over tuples: values see the members of a group, variables hold all that were bound."""

    def stage(stream: JSON, frame: Frame) -> JSON:
        run = frame[RUN]
        run.charge(4 * len(stream))
        entries: dict[str, tuple[int, list[dict[str, JSON]]]] = {}
        for bound in stream:
            inner = tuple_frame(frame, bound)
            for at, (key_of, _) in enumerate(pairs):
                key = key_of(bound[VALUE], inner)
                if key is UNDEFINED:
                    continue
                if key.__class__ is not str:
                    fail("T1003", value=key)
                pair, grouped = entries.setdefault(key, (at, []))
                if pair != at:
                    fail("D1009", value=key)
                grouped.append(bound)
        result: dict[str, JSON] = {}
        for key, (pair, grouped) in entries.items():
            together = _together(grouped)
            add_member(run, result, key, pairs[pair][1](together.pop(VALUE), tuple_frame(frame, together)))
        return result

    return stage


def _together(bounds: list[dict[str, JSON]]) -> dict[str, JSON]:
    """Tuples as one: each name holds the values that it holds in any of them."""
    together = dict(bounds[0])
    for name in together:
        entry = _Entry(together[name], 0)
        for bound in bounds[1:]:
            entry.add(bound.get(name, UNDEFINED))
        together[name] = entry.data
    return together
