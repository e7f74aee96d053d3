"""Where things stand in a definition's text: a tree of places beside the tree of values.

Knows offsets, lines and pointers; knows nothing of JSON's or YAML's syntax, nor of states.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TypeAlias

NESTING_MAX = 200
"""Levels of objects and arrays in a definition. AWS publishes no number. 200 levels are 50 state machines
inside one another, and Python's own stack (1,000 frames) must be enough to walk them."""

Steps: TypeAlias = "list[str]"
"""A pointer in pieces: `["/States", "/Check", "/Choices", "[0]"]`."""


class Place:
    """One value of the text: where it is named (a member's key) or begins (an array's item); its parts."""

    __slots__ = ("children", "offset")

    def __init__(self, offset: int, children: dict[str, Place] | list[Place] | None = None) -> None:
        self.offset = offset
        self.children = children


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding at an offset of the text that was read. Other fields as in `kaidan.errors.Diagnostic`."""

    offset: int
    message: str
    code: str = "INVALID_JSON_DESCRIPTION"
    location: str | None = None
    hint: str | None = None


class UnreadableText(Exception):
    """The text has no value. Carries every problem found."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


@dataclass(slots=True)
class Members:
    """The duplicates met while a text is read: reported together, for one is seldom alone."""

    found: list[tuple[int, int, Steps, str]] = field(default_factory=list)

    def add(self, place: Place, key: str, child: Place, steps: Steps) -> None:
        """Put a member under its key. The first of equal keys stays."""
        assert isinstance(place.children, dict)
        first = place.children.setdefault(key, child)
        if first is not child:
            self.found.append((child.offset, first.offset, list(steps), key))

    def problems(self, lines: Lines) -> list[Problem]:
        return [_duplicate(lines, *duplicate) for duplicate in sorted(self.found)]


def _duplicate(lines: Lines, offset: int, first: int, steps: Steps, key: str) -> Problem:
    """A repeated key. For state names AWS has a code, and one sentence whatever their scopes (as users quote it)."""
    state = bool(steps) and steps[-1] == "/States"
    return Problem(
        offset,
        f"Duplicate State name: {key}" if state else f"Duplicate field '{key}'",
        "DUPLICATE_STATE_NAME" if state else "INVALID_JSON_DESCRIPTION",
        "".join(steps) + f"/{key}",
        f"'{key}' stands at line {lines.at(first)[0]} already: only one of the two can count",
    )


class Lines:
    """Offsets of a text to lines and columns, both from 1."""

    __slots__ = ("_starts",)

    def __init__(self, text: str) -> None:
        self._starts = [0]
        at = text.find("\n")
        while at >= 0:
            self._starts.append(at + 1)
            at = text.find("\n", at + 1)

    def at(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def find(place: Place, pointer: str) -> Place:
    """The place of `/States/Check/Choices[0]/Next` (or `…/Choices/0/Next`), or its nearest ancestor.

    Keys may hold `/` and `[`: of all readings of the pointer, the one that reaches furthest wins.
    """
    return _find(place, pointer)[1]


def _find(place: Place, pointer: str) -> tuple[int, Place]:
    """How much of the pointer is left after the best reading, and where that reading ends."""
    best = (len(pointer), place)
    for step, child in _steps(place, pointer):
        reached = _find(child, pointer[len(step) :])
        if reached[0] < best[0]:
            best = reached
    return best


def _steps(place: Place, pointer: str) -> list[tuple[str, Place]]:
    """The children that the pointer may name first, each with the text that names it."""
    if isinstance(place.children, dict):
        named = [(f"/{key}", child) for key, child in place.children.items()]
    else:
        items = list(enumerate(place.children or ()))
        named = [(form.format(i), child) for i, child in items for form in ("[{}]", "/{}")]
    return [(step, child) for step, child in named if _names(step, pointer)]


def _names(step: str, pointer: str) -> bool:
    return pointer.startswith(step) and pointer[len(step) : len(step) + 1] in ("", "/", "[")
