"""Where a variable's value is found at run time, worked out once: so many frames outwards, in this slot.

A call makes a frame for its parameters, a block for what it binds, a path that binds variables one for each member.
What no frame holds is a binding from outside or a built-in function. Knows nothing of evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from kaidan.asl.query.jsonata.limits import FIRST_SLOT, OUTER, RUN, UNSET, Frame
from kaidan.asl.query.jsonata.values import UNDEFINED, Sequence, collapse
from kaidan.values import JSON

Evaluate: TypeAlias = Callable[[JSON, Frame], JSON]
"""A compiled node: the context and the frame to the value."""

Getter: TypeAlias = Callable[[Frame], JSON]
"""Gives a variable's value, or UNSET."""


class Scope:
    """The names of one kind of frame, and the scope around it.

    `bound` names hold a value from the start (parameters), `assigned` ones when their `:=` has been evaluated.
    `tuples`: the frame holds a dict of whatever the members of a path bind, in its first slot.
    """

    def __init__(
        self, outer: Scope | None, bound: Iterable[str] = (), assigned: Iterable[str] = (), *, tuples: bool = False
    ) -> None:
        self.outer = outer
        self.bound = list(bound)
        self.tuples = tuples
        self.slots = {name: FIRST_SLOT + at for at, name in enumerate(self.bound)}
        self.unset = 0
        for name in sorted(set(assigned) - set(self.slots)):
            self.slots[name] = FIRST_SLOT + len(self.bound) + self.unset
            self.unset += 1

    def getters(self, name: str) -> list[Getter]:
        """Where to look, nearest first. The last is certain if it is a parameter's."""
        found: list[Getter] = []
        scope: Scope | None = self
        hops = 0
        while scope is not None:
            if scope.tuples:
                found.append(_tuple_getter(hops, name))
            elif name in scope.slots:
                found.append(_slot_getter(hops, scope.slots[name]))
                if name in scope.bound:
                    break
            scope, hops = scope.outer, hops + 1
        return found

    def certain(self, name: str) -> tuple[int, int] | None:
        """(frames outwards, slot) of a name whose nearest holder has a value from the start."""
        scope: Scope | None = self
        hops = 0
        while scope is not None and not scope.tuples:
            if name in scope.slots:
                return (hops, scope.slots[name]) if name in scope.bound else None
            scope, hops = scope.outer, hops + 1
        return None


def _frame(hops: int) -> Callable[[Frame], Frame]:
    def outwards(frame: Frame) -> Frame:
        for _ in range(hops):
            frame = frame[OUTER]
        return frame

    return outwards


def _slot_getter(hops: int, slot: int) -> Getter:
    if hops == 0:
        return lambda frame: frame[slot]
    if hops == 1:
        return lambda frame: frame[OUTER][slot]
    outwards = _frame(hops)
    return lambda frame: outwards(frame)[slot]


def _tuple_getter(hops: int, name: str) -> Getter:
    outwards = _frame(hops)
    return lambda frame: outwards(frame)[FIRST_SLOT].get(name, UNSET)


def variable(scope: Scope, name: str, builtin: JSON) -> Evaluate:
    """The value of `$name`; `builtin` is what it is if neither the expression nor the caller has bound it.

    `builtin` is UNSET where the caller may have bound the name.
    """
    certain = scope.certain(name)
    if certain is not None:
        return _certain(*certain)
    getters = scope.getters(name)
    otherwise = _outside(name) if builtin is UNSET else _constant(builtin)
    if not getters:
        return otherwise
    if len(getters) == 1:
        return _one(getters[0], otherwise)

    def evaluate(data: JSON, frame: Frame) -> JSON:
        for getter in getters:
            value = getter(frame)
            if value is not UNSET:
                return collapse(value) if value.__class__ is Sequence and len(value) < 2 else value
        return otherwise(data, frame)

    return evaluate


def _one(getter: Getter, otherwise: Evaluate) -> Evaluate:
    def evaluate(data: JSON, frame: Frame) -> JSON:
        value = getter(frame)
        if value is UNSET:
            return otherwise(data, frame)
        return collapse(value) if value.__class__ is Sequence and len(value) < 2 else value

    return evaluate


def _constant(value: JSON) -> Evaluate:
    return lambda data, frame: value


def _certain(hops: int, slot: int) -> Evaluate:
    outwards = _frame(hops)

    def here(data: JSON, frame: Frame) -> JSON:
        value = frame[slot]
        return collapse(value) if value.__class__ is Sequence and len(value) < 2 else value

    def there(data: JSON, frame: Frame) -> JSON:
        value = outwards(frame)[slot]
        return collapse(value) if value.__class__ is Sequence and len(value) < 2 else value

    return here if hops == 0 else there


def _outside(name: str) -> Evaluate:
    def evaluate(data: JSON, frame: Frame) -> JSON:
        return frame[RUN].bindings.get(name, UNDEFINED)

    return evaluate


def assignment(scope: Scope, name: str, value: Evaluate) -> Evaluate:
    """`$name := value`, in the nearest frame."""
    if scope.tuples:

        def into_tuple(data: JSON, frame: Frame) -> JSON:
            result = value(data, frame)
            frame[FIRST_SLOT] = {**frame[FIRST_SLOT], name: result}
            return result

        return into_tuple
    slot = scope.slots[name]

    def into_slot(data: JSON, frame: Frame) -> JSON:
        result = frame[slot] = value(data, frame)
        return result

    return into_slot
