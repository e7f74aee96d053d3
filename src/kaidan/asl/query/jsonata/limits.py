"""The bounds of one evaluation, and the account that is kept of it.

Step Functions bounds an expression by time (1 s), memory and depth (AWS guide, "Handling expression errors"). The core
has no clock, so time is counted in steps; the other two are as observed on AWS: `[1..873782]` is accepted and one
member more is not, a string of 2**22 characters is accepted and one of 2**23 is not; evaluation may nest 100 deep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from kaidan.asl.query.env import Env
from kaidan.asl.query.jsonata.errors import MEMORY_LIMIT, STACK_OVERFLOW, TIMEOUT, LimitExceeded
from kaidan.values import JSON

MEMBER_BYTES = 8
"""What a member of a list counts; a character of a string counts 1."""

CALL_STEPS = 5
"""What a call of a function written in JSONata counts in steps; a member looked at counts 1."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`steps`: members looked at, about half a microsecond each.

    `value_bytes`: the largest list or string that may be made. `total_bytes`: all of them, kept or not. `depth`: levels
    as the reference implementation nests them: an operator, a path, a step, an argument or a call is one level each.
    """

    steps: int = 1_000_000
    depth: int = 100
    value_bytes: int = 873_782 * MEMBER_BYTES
    total_bytes: int = 64 * 1024 * 1024


class Run:
    """One evaluation: what it may see, what it has left, and what it must tidy up at the end.

    `depth` is where the function that is being called stands; `holders` are containers made with a Sequence inside;
    `irregular` is set where a value is made that JSON has not: an infinite number, a list with nothing as a member.
    """

    __slots__ = (
        "bindings",
        "bytes_left",
        "depth",
        "depth_max",
        "env",
        "holders",
        "input",
        "irregular",
        "steps_left",
        "value_bytes_max",
    )

    def __init__(self, limits: Limits, data: JSON, bindings: Mapping[str, JSON], env: Env) -> None:
        self.input = data
        self.bindings = bindings
        self.env = env
        self.depth = 0
        self.depth_max = limits.depth
        self.steps_left = limits.steps
        self.bytes_left = limits.total_bytes
        self.value_bytes_max = limits.value_bytes
        self.holders: list[JSON] = []
        self.irregular = False

    def charge(self, steps: int) -> None:
        """Count steps. Raises LimitExceeded (timeout)."""
        self.steps_left -= steps
        if self.steps_left < 0:
            raise LimitExceeded(TIMEOUT)

    def allot(self, size_bytes: int) -> None:
        """Ask for memory before a list or string is made. Raises LimitExceeded (memory)."""
        self.bytes_left -= size_bytes
        if size_bytes > self.value_bytes_max or self.bytes_left < 0:
            raise LimitExceeded(MEMORY_LIMIT)

    def allot_members(self, count: int) -> None:
        """Ask for a list of so many members: memory, and a few steps, since lists are made quickly."""
        self.allot(count * MEMBER_BYTES)
        self.charge(count >> 4)


Frame: TypeAlias = list[Any]
"""Where variables live: `[run, enclosing frame, depth, *values]`; one for each call, and each block that binds."""

RUN, OUTER, DEPTH, FIRST_SLOT = 0, 1, 2, 3


def check_depth(frame: Frame, level: int) -> None:
    """Raise LimitExceeded where evaluation has nested too deep."""
    if frame[DEPTH] + level > frame[RUN].depth_max:
        raise LimitExceeded(STACK_OVERFLOW)


UNSET = object()
"""A variable whose `:=` has not been evaluated yet: an outer one of that name, if any, is meant."""
