"""Saying whether an observed value is the recorded one, and where not (end of FORMAT section 4, section 5).

Both sides are in recorded form. No rule here is looser than FORMAT's: numbers keep their type (`1` is not
`1.0`), member order is free, list order is not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Any

from conformance.cases import JsonObject
from conformance.rules import PARALLEL_ENDS


class Likeness(Enum):
    """From best to worst."""

    SAME = "same"
    UNORDERED = "same but for the order of concurrent children"
    SPACING = "spacing only"
    DIFFERENT = "different"

    @property
    def rank(self) -> int:
        return list(Likeness).index(self)


def same(recorded: Any, observed: Any) -> bool:
    """Equality of JSON values where types count."""
    if type(recorded) is not type(observed):
        return False
    if isinstance(recorded, dict):
        return recorded.keys() == observed.keys() and all(same(recorded[k], observed[k]) for k in recorded)
    if isinstance(recorded, list):
        return len(recorded) == len(observed) and all(map(same, recorded, observed))
    return bool(recorded == observed)


def likeness(recorded: Any, observed: Any, concurrent: Sequence[str] = ()) -> Likeness:
    """concurrent: the container types ("Parallel", "Map") whose children interleaved in this history."""
    if same(recorded, observed):
        return Likeness.SAME
    forms = [UNORDERED[kind] for kind in concurrent]
    if any(same(form(recorded), form(observed)) for form in forms):
        return Likeness.UNORDERED
    recorded, observed = respaced(recorded), respaced(observed)
    if any(same(form(recorded), form(observed)) for form in [_as_it_is, *forms]):
        return Likeness.SPACING
    return Likeness.DIFFERENT


def respaced(value: Any) -> Any:
    """Every text that is JSON, written again in one spacing."""
    if isinstance(value, dict):
        return {name: respaced(item) for name, item in value.items()}
    if isinstance(value, list):
        return [respaced(item) for item in value]
    if not isinstance(value, str):
        return value
    try:
        return json.dumps(json.loads(value), separators=(",", ":"))
    except (ValueError, RecursionError):
        return value


# ---- children that ran side by side


def _as_it_is(value: Any) -> Any:
    return value


def branches_sorted(value: Any) -> Any:
    """Histories where the events after a ParallelStateStarted are without ids and in the order of their text.

    Up to the next event of a Parallel state itself, as the `parallel_unordered` rule has it.
    """
    return _in_histories(value, _sort_branches)


def iterations_apart(value: Any) -> Any:
    """Histories as `{"outside": [..], "MapState 0": [..], ..}`: what each Map iteration did, without ids."""
    return _in_histories(value, _part_iterations)


UNORDERED: dict[str, Callable[[Any], Any]] = {"Parallel": branches_sorted, "Map": iterations_apart}


def _in_histories(value: Any, change: Callable[[list[JsonObject]], Any]) -> Any:
    if isinstance(value, list):
        return [_in_histories(item, change) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: change(item) if _is_history(name, item) else _in_histories(item, change) for name, item in value.items()
    }


def _is_history(name: str, value: Any) -> bool:
    return name == "events" and isinstance(value, list) and all(isinstance(event, dict) for event in value)


def _sort_branches(events: list[JsonObject]) -> list[JsonObject]:
    out: list[JsonObject] = []
    inside: list[JsonObject] = []
    started = False
    for event in events:
        kind = event.get("type", "")
        if kind == "ParallelStateStarted" or kind in PARALLEL_ENDS:
            out += sorted(inside, key=_text)
            out.append(event)
            inside, started = [], kind == "ParallelStateStarted"
        elif started:
            inside.append(event | {"id": 0, "previousEventId": 0})
        else:
            out.append(event)
    return out + sorted(inside, key=_text)


def _text(event: JsonObject) -> str:
    return json.dumps(event, sort_keys=True, separators=(",", ":"))


_ITERATION = tuple(f"mapIteration{how}EventDetails" for how in ("Started", "Succeeded", "Failed", "Aborted"))
_OUTSIDE = "outside"


def _part_iterations(events: list[JsonObject]) -> dict[str, list[JsonObject]]:
    homes: dict[Any, str] = {}
    groups: dict[str, list[JsonObject]] = {}
    for event in events:
        before = homes.get(event.get("previousEventId"), _OUTSIDE)
        home = homes[event.get("id")] = _home(event, before)
        crossing = home != before or home != _OUTSIDE
        groups.setdefault(home, []).append(event | ({"id": 0, "previousEventId": 0} if crossing else {}))
    return groups


def _home(event: JsonObject, before: str) -> str:
    """The iteration an event belongs to: the one it names, none for a Map state's own, else as before it."""
    details = next((event[name] for name in _ITERATION if name in event), None)
    if details is not None:
        return f"{details.get('name')} {details.get('index')}"
    return _OUTSIDE if event.get("type", "").startswith("MapState") else before


# ---- where two values differ


def differences(recorded: Any, observed: Any, path: str = "") -> Iterator[str]:
    """One line per place: `events[3].type: recorded "PassStateEntered", observed "PassStateExited"`."""
    if isinstance(recorded, dict) and isinstance(observed, dict):
        for name in sorted(recorded.keys() | observed.keys()):
            at = f"{path}.{name}" if path else name
            if name not in observed:
                yield f"{at}: missing, recorded {_short(recorded[name])}"
            elif name not in recorded:
                yield f"{at}: not recorded, observed {_short(observed[name])}"
            else:
                yield from differences(recorded[name], observed[name], at)
    elif isinstance(recorded, list) and isinstance(observed, list):
        if len(recorded) != len(observed):
            yield f"{path}: recorded {len(recorded)} items, observed {len(observed)}"
        for index, (left, right) in enumerate(zip(recorded, observed, strict=False)):
            yield from differences(left, right, f"{path}[{index}]")
    elif isinstance(recorded, str) and isinstance(observed, str) and recorded != observed:
        start = max(0, _first_difference(recorded, observed) - 60)
        yield f"{path}: recorded {_from(recorded, start)}, observed {_from(observed, start)}"
    elif not same(recorded, observed):
        yield f"{path}: recorded {_short(recorded)}, observed {_short(observed)}"


def _first_difference(left: str, right: str) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(left), len(right)))


def _from(text: str, start: int) -> str:
    return ("…" if start else "") + _short(text[start:])


def _short(value: Any, limit: int = 300) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"
