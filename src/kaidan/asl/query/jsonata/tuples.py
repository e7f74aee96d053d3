"""Paths that bind variables: from some step on, what is passed on are not values but tuples.

A tuple is a dict of the value, under `@`, and of the names bound: those of `@$x` and `#$i`, and labels for `%`. What is
evaluated for a tuple sees its names in a frame of their own. Source: the observable behaviour of JSONata 2.0.6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from kaidan.asl.query.jsonata.errors import fail
from kaidan.asl.query.jsonata.functions.higher_order import Key, sort_by
from kaidan.asl.query.jsonata.limits import DEPTH, RUN, Frame
from kaidan.asl.query.jsonata.paths import kept
from kaidan.asl.query.jsonata.scope import Evaluate
from kaidan.asl.query.jsonata.stages import Entry, Pairs, Stage, add_member, selects, test_filter
from kaidan.asl.query.jsonata.values import UNDEFINED, Sequence, TupleStream, as_list
from kaidan.values import JSON

VALUE: Final = "@"
"""The name of the value in a tuple."""

TUPLE_STEPS: Final = 4
"""What a tuple counts in steps; a member of a plain sequence counts 1."""


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


def either_filter(test: Evaluate) -> Stage:
    """`[test]` on an operand that may give tuples; the test expects a tuple's frame."""
    plain = test_filter(lambda data, frame: test(data, tuple_frame(frame, {})))
    bound = tuple_filter(test)

    def stage(value: JSON, frame: Frame) -> JSON:
        return bound(value, frame) if value.__class__ is TupleStream else plain(value, frame)

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
        entry = Entry(together[name], 0)
        for bound in bounds[1:]:
            entry.add(bound.get(name, UNDEFINED))
        together[name] = entry.data
    return together
