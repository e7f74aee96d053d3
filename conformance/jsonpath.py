"""The JSONPaths of the recordings' rules: `$..a.b`, `$..a..b`, `$.a[0]`, `$..a[*]`.

Finds places, not values, so that a match can be set. Knows nothing of the engine's own JSONPath, on purpose:
the comparison must not lean on what it compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

_STEP = re.compile(
    r"(?P<dots>\.\.?)?(?:(?P<name>[\w@-]+)|(?P<any>\*)|\[(?P<index>-?\d+)\]|(?P<each>\[\*\])|\['(?P<quoted>[^']*)'\])"
)

Key: TypeAlias = str | int


@dataclass(frozen=True, slots=True)
class Place:
    """A member of an object or an item of a list."""

    holder: Any
    key: Key

    @property
    def value(self) -> Any:
        return self.holder[self.key]

    def set(self, value: Any) -> None:
        self.holder[self.key] = value


@dataclass(frozen=True, slots=True)
class _Step:
    deep: bool
    key: Key | None  # None: every child


def find(root: Any, path: str) -> list[Place]:
    """The places that match, parents before children. Raises ValueError for a path in another form."""
    places = [Place([root], 0)]
    for step in _steps(path):
        places = [found for place in places for found in _select(place.value, step)]
    return places


@lru_cache(maxsize=256)
def _steps(path: str) -> tuple[_Step, ...]:
    steps, position = [], 1
    while position < len(path) and path.startswith("$"):
        match = _STEP.match(path, position)
        if match is None:
            break
        steps.append(_step(match))
        position = match.end()
    if not steps or position != len(path):
        raise ValueError(f"JSONPath not understood at column {position + 1}: {path}")
    return tuple(steps)


def _step(match: re.Match[str]) -> _Step:
    deep = match["dots"] == ".."
    if match["index"] is not None:
        return _Step(deep, int(match["index"]))
    if match["any"] or match["each"]:
        return _Step(deep, None)
    return _Step(deep, match["quoted"] if match["quoted"] is not None else match["name"])


def _select(node: Any, step: _Step) -> Iterator[Place]:
    yield from _children(node, step.key)
    if step.deep:
        for child in _children(node, None):
            yield from _select(child.value, step)


def _children(node: Any, key: Key | None) -> list[Place]:
    if isinstance(node, dict):
        keys = list(node) if key is None else [key] if key in node else []
    elif isinstance(node, list):
        keys = list(range(len(node))) if key is None else _index(node, key)
    else:
        keys = []
    return [Place(node, k) for k in keys]


def _index(node: list[Any], key: Key) -> list[Key]:
    return [key] if isinstance(key, int) and -len(node) <= key < len(node) else []
