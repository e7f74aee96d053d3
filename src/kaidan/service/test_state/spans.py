"""Where a part of a JSON value stands in the text that the value was read from. Knows JSON, nothing else."""

from __future__ import annotations

import re
from json import JSONDecoder

from kaidan.values import JSON, Payload

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = JSONDecoder(strict=False)


def written(part: JSON, whole: Payload) -> str | None:
    """The text of a part as it stands in the whole's text; None when it is no part (by identity) of it, or stands
    deeper than Python's stack reaches."""
    try:
        return _written(part, whole.value, whole.text)
    except RecursionError:
        return None


def _written(part: JSON, whole: JSON, text: str) -> str | None:
    steps = _steps(part, whole)
    if steps is None:
        return None
    at = _after_space(text, 0)
    for step in steps:
        at = _member(text, at, step)
    return text[at : _DECODER.raw_decode(text, at)[1]]


def _steps(part: JSON, whole: JSON) -> list[str | int] | None:
    if whole is part:
        return []
    if not isinstance(whole, (dict, list)):
        return None
    members = whole.items() if isinstance(whole, dict) else enumerate(whole)
    for step, member in members:
        further = _steps(part, member)
        if further is not None:
            return [step, *further]
    return None


def _member(text: str, at: int, step: str | int) -> int:
    """Where a member of the object or array at `at` begins. Of equal keys the last one counts."""
    named, place, index = text[at] == "{", at, 0
    while text[at] not in "]}":
        at = _after_space(text, at + 1)
        name: JSON = index
        if named:
            name, at = _DECODER.raw_decode(text, at)
            at = _after_space(text, _after_space(text, at) + 1)
        place = at if name == step else place
        at = _after_space(text, _DECODER.raw_decode(text, at)[1])
        index += 1
    return place


def _after_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    assert space is not None
    return space.end()
