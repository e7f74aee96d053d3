"""A failing mutant made small: whatever can be left out without its failing otherwise."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from kaidan.asl.language import read_source
from kaidan.errors import DefinitionError
from tests.fuzz.mutate import Mutant, copy, places

Fails = Callable[[Mutant], bool]


USUAL: dict[str, Any] = {"strict": False, "express": False, "substitutions": None, "name": "<definition>"}


def minimise(mutant: Mutant, fails: Fails, seconds: float = 20.0) -> Mutant:
    """The smallest that was found in that time and still fails."""
    deadline = time.monotonic() + seconds

    def still(candidate: Mutant) -> bool:
        return time.monotonic() < deadline and fails(candidate)

    for field, usual in USUAL.items():
        candidate = replace(mutant, **{field: usual})
        mutant = candidate if still(candidate) else mutant
    mutant = _smaller_value(mutant, still)
    mutant = _smaller_input(mutant, still)
    return _shorter_text(mutant, still)


def _smaller_input(mutant: Mutant, fails: Fails) -> Mutant:
    return replace(mutant, input=_reduced(mutant.input, lambda input: fails(replace(mutant, input=input))))


def _smaller_value(mutant: Mutant, fails: Fails) -> Mutant:
    try:
        value = read_source(mutant.text, mutant.name, mutant.substitutions).value
    except DefinitionError:
        return mutant
    if not fails(replace(mutant, text=json.dumps(value))):
        return mutant
    reduced = _reduced(value, lambda value: fails(replace(mutant, text=json.dumps(value))))
    return replace(mutant, text=json.dumps(reduced))


def _reduced(value: Any, fails: Callable[[Any], bool]) -> Any:
    """Take the first simplification that still fails, again and again, going on where the last one was."""
    at = 0
    while True:
        for number, candidate in enumerate(_simpler(value)):
            if number >= at and fails(candidate):
                value, at = candidate, number
                break
        else:
            if at == 0:
                return value
            at = 0


def _simpler(value: Any) -> Iterator[Any]:
    """Each part left out, each part put in place of what holds it, each text made shorter, each state made the last."""
    for number in range(len(places([value]))):
        for change in (_without, _inner, _plain, _ended):
            box = [copy(value)]
            holder, key = places(box)[number]
            if change(holder, key, box):
                yield box[0]


def _without(holder: Any, key: Any, box: list[Any]) -> bool:
    if holder is box:
        return False
    del holder[key]
    return True


def _inner(holder: Any, key: Any, box: list[Any]) -> bool:
    part = holder[key]
    if not isinstance(part, (dict, list)) or not part:
        return False
    holder[key] = next(iter(part.values())) if isinstance(part, dict) else part[0]
    return True


def _plain(holder: Any, key: Any, box: list[Any]) -> bool:
    part = holder[key]
    if not isinstance(part, str) or len(part) < 2:
        return False
    holder[key] = part[: len(part) // 2]
    return True


def _ended(holder: Any, key: Any, box: list[Any]) -> bool:
    """A state that ends instead of leading on, without those behind it."""
    part = holder[key]
    if not isinstance(part, dict) or "Next" not in part or "Type" not in part or not isinstance(holder, dict):
        return False
    del part["Next"]
    part["End"] = True
    names = list(holder)
    for name in names[names.index(key) + 1 :]:
        del holder[name]
    return True


def _shorter_text(mutant: Mutant, fails: Fails) -> Mutant:
    """Pieces of the text left out, ever smaller ones."""
    size = len(mutant.text) // 2
    while size:
        at = 0
        while at < len(mutant.text):
            candidate = replace(mutant, text=mutant.text[:at] + mutant.text[at + size :])
            if fails(candidate):
                mutant = candidate
            else:
                at += size
        size //= 2
    return mutant
