"""Building the observed value of a check from what the calls gave (FORMAT section 3)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.boto import Refusal
from conformance.cases import JsonObject
from conformance.tokens import Tokens, Unresolved, lookup


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call gave: `response` (with ResponseMetadata), unless it was refused."""

    response: Any = None
    refusal: Refusal | None = None


def observe(source: JsonObject, outcomes: Mapping[int, Outcome], tokens: Tokens) -> Any:
    """The value of `{"call": 3, "path": "events[-1]"}`, `{"object": {..}}`, `{"list": [..]}`, ..

    Raises Unresolved.
    """
    if "object" in source:
        return {name: observe(part, outcomes, tokens) for name, part in source["object"].items()}
    if "list" in source:
        return [_item(part, outcomes, tokens) for part in source["list"]]
    if "literal" in source:
        return tokens.resolve(source["literal"])
    if "collect" in source:
        return _collected(source["collect"], outcomes)
    outcome = _outcome(source["call"], outcomes)
    if "error" in source:
        return _refused(source["call"], source["error"], outcome)
    if outcome.refusal is not None:
        raise Unresolved(f"call {source['call']} was refused: {outcome.refusal}")
    return lookup(outcome.response, source["path"]) if "path" in source else outcome.response


def _item(source: JsonObject, outcomes: Mapping[int, Outcome], tokens: Tokens) -> Any:
    """An item of a list: of messages the tests looked into the bodies."""
    value = observe(source, outcomes, tokens)
    return json.loads(value) if source.get("path", "").endswith(".Body") else value


def _outcome(n: int, outcomes: Mapping[int, Outcome]) -> Outcome:
    if n not in outcomes:
        raise Unresolved(f"call {n} was not made")
    return outcomes[n]


def _refused(n: int, form: str, outcome: Outcome) -> Any:
    if outcome.refusal is None:
        raise Unresolved(f"call {n} was accepted")
    match form:
        case "response":
            return outcome.refusal.as_response()
        case "exception":
            return outcome.refusal.as_exception()
        case "typename":
            return outcome.refusal.as_typename()
    raise Unresolved(f"call {n}: errors have no form {form}")


def _collected(how: JsonObject, outcomes: Mapping[int, Outcome]) -> list[Any]:
    """Message bodies, sorted by their `time`, or by the JSON text of their `detail`."""
    bodies = lookup(_outcome(how["call"], outcomes).response, how["path"])
    messages = [json.loads(body) if isinstance(body, str) else body for body in bodies]
    if how.get("sort") == "detail":
        return sorted(messages, key=lambda message: json.dumps(message.get("detail", {})))
    return sorted(messages, key=lambda message: message.get(how.get("sort", "time"), ""))


def parts(source: Any) -> Iterator[JsonObject]:
    """Every part of a source that names a call, at any depth: `{"call": 3, ..}`."""
    if isinstance(source, dict):
        if isinstance(source.get("call"), int):
            yield source
        for inner in source.values():
            yield from parts(inner)
    elif isinstance(source, list):
        for inner in source:
            yield from parts(inner)
