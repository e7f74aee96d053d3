"""Paths at run time: steps over the members of a sequence. Filters and groups: stages.py; bound variables: tuples.py.

Everything here is made from closures that are ready: compiler.py decides what is needed. Source: the observable
behaviour of JSONata 2.0.6, above all which lists are flattened into a result and which are members of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from kaidan.asl.query.jsonata.functions.higher_order import Key, sort_by
from kaidan.asl.query.jsonata.functions.objects import lookup
from kaidan.asl.query.jsonata.limits import RUN, Frame, Run
from kaidan.asl.query.jsonata.scope import Evaluate
from kaidan.asl.query.jsonata.stages import Stage
from kaidan.asl.query.jsonata.values import (
    ARRAYS,
    UNDEFINED,
    Constructed,
    Sequence,
    as_list,
    collapse,
    members,
)
from kaidan.values import JSON

Step: TypeAlias = Callable[[list[JSON], Frame], list[JSON]]
"""A step: the members so far and the frame to the members after it."""


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
        return as_list(result)

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
