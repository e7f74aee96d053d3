"""Bringing observed values into the recorded form (FORMAT section 4), in its five steps.

    normalise(observed, rules) → values to compare with the recorded ones

Rules are data, here as in the recordings; `rules.RULES` says what each type does. Knows neither calls nor
targets.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from conformance import jsonpath
from conformance.cases import ACCOUNT, REGION, JsonObject
from conformance.rules import RULES, Context


def _set(path: str, replacement: str) -> JsonObject:
    return {"type": "jsonpath", "path": path, "replacement": replacement, "reference": False}


def _members(rule: str, replacement: str, reference: bool) -> JsonObject:
    return {"type": "key_value", "rule": rule, "replacement": replacement, "reference": reference}


CONSTANT: tuple[JsonObject, ...] = (
    _set("$..SdkHttpMetadata..Date", "date"),
    _set("$..SdkResponseMetadata..RequestId", "RequestId"),
    _set("$..X-Amzn-Trace-Id", "X-Amzn-Trace-Id"),
    _set("$..x-amz-crc32", "x-amz-crc32"),
    _set("$..x-amzn-RequestId", "x-amzn-RequestId"),
    _set("$..x-amzn-requestid", "x-amzn-requestid"),
    _members("json_in_cause", "json-input", reference=True),
)
"""Set (a): before the case's own rules."""

BASE: tuple[JsonObject, ...] = (
    {"type": "text", "text": ACCOUNT, "replacement": ACCOUNT},
    {"type": "text", "text": REGION, "replacement": "<region>"},
    {"type": "text", "text": "arn:aws:", "replacement": "arn:<partition>:"},
    {"type": "response_metadata"},
    _members("uuid_in_id", "uuid", reference=True),
    {"type": "date_times", "replacement": "date"},
    _members("native_date_time", "datetime", reference=False),
    _members("timestamp", "timestamp", reference=False),
)
"""Set (b): after the case's own rules, priority 2."""

BASE_PRIORITY = 2


class NotNormalisable(Exception):
    """Text replacement left a value that is no JSON any more. The message names the key."""


def normalise(
    observed: JsonObject,
    rules: Sequence[JsonObject],
    exempt: Sequence[str] = (),
    constant: Sequence[JsonObject] = CONSTANT,
) -> JsonObject:
    """`{key: observed value}`, in the order of the checks, in recorded form; `observed` stays as it is.

    rules: the case's `normalise` list with its tokens resolved. Native date-times are `datetime` objects.
    exempt: paths to leave out (step 4).
    constant: set (a), or what of it was in force when the case was recorded.
    Raises NotNormalisable.
    """
    tree = {key: ordered(copy.deepcopy(value)) for key, value in observed.items()}
    parse_members(tree)
    context = Context(map_run_arns=_map_run_arns(observed))
    for rule in in_order(rules, constant):
        RULES[rule["type"]](rule, tree, context)
    tree = without(tree, exempt)
    return {key: _rewritten(key, value, context) for key, value in tree.items()}


def in_force(recorded: JsonObject) -> tuple[JsonObject, ...]:
    """What of set (a) the recording was made with: a replacement that would still change it came later.

    Recordings until 2024 hold `"x-amzn-RequestId": ["<uuid:1>"]`, which set (a) would have made
    `"x-amzn-RequestId"`; they were made before it had that rule. Leaving it off compares more, not less.
    """
    tree = copy.deepcopy(recorded)
    return tuple(rule for rule in CONSTANT if rule["type"] != "jsonpath" or _leaves(rule, tree))


def _leaves(rule: JsonObject, tree: JsonObject) -> bool:
    before = copy.deepcopy(tree)
    RULES[rule["type"]](rule, tree, Context(map_run_arns=[]))
    return tree == before


def in_order(rules: Sequence[JsonObject], constant: Sequence[JsonObject] = CONSTANT) -> list[JsonObject]:
    """Set (a), the case's rules, set (b); of different priorities the lower first."""
    ranked = [(0, rule) for rule in constant]
    ranked += [(rule.get("priority") or 0, rule) for rule in rules]
    ranked += [(BASE_PRIORITY, rule) for rule in BASE]
    return [rule for _, rule in sorted(ranked, key=lambda pair: pair[0])]


def ordered(value: Any) -> Any:
    """Step 1: members in alphabetical order, `ResponseMetadata` last."""
    if isinstance(value, list):
        return [ordered(item) for item in value]
    if not isinstance(value, dict):
        return value
    names = sorted(value, key=lambda name: (name == "ResponseMetadata", name))
    return {name: ordered(value[name]) for name in names}


def parse_members(node: JsonObject) -> None:
    """Step 2: text members that hold a JSON object become it; what was just read is left as it is."""
    for name, value in node.items():
        if isinstance(value, dict):
            parse_members(value)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    parse_members(item)
        elif isinstance(value, str) and value.startswith("{"):
            node[name] = _object_or_text(value)


def _object_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _map_run_arns(value: Any) -> list[str]:
    """Each `mapRunArn` once, from the untouched answers, in order of appearance."""
    if isinstance(value, list):
        found = [arn for item in value for arn in _map_run_arns(item)]
    elif isinstance(value, dict):
        found = [value["mapRunArn"]] if isinstance(value.get("mapRunArn"), str) else []
        found += [arn for item in value.values() for arn in _map_run_arns(item)]
    else:
        found = []
    return list(dict.fromkeys(found))


def derived_replaced(tree: JsonObject) -> JsonObject:
    """Lengths of answers whose text holds what is replaced: a StartExecution's, with its region and its moment.

    To be applied to what was recorded as to what is observed.
    """
    tree = copy.deepcopy(tree)
    for place in jsonpath.find(tree, "$..SdkHttpMetadata"):
        if {"ExecutionArn", "StartDate"} <= place.holder.keys():
            for length in jsonpath.find(place.value, "$..Content-Length"):
                length.set("length")
    return tree


def without(tree: JsonObject, paths: Sequence[str]) -> JsonObject:
    """Step 4: the values without the members and items the paths find; `tree` stays as it is."""
    tree = copy.deepcopy(tree) if paths else tree
    for path in paths:
        for place in jsonpath.find(tree, path):
            place.set(_GONE)
    return {key: _kept(value) for key, value in tree.items()} if paths else tree


_GONE = object()


def _kept(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _kept(item) for name, item in value.items() if item is not _GONE}
    if isinstance(value, list):
        return [_kept(item) for item in value if item is not _GONE]
    return None if value is _GONE else value


def _rewritten(key: str, value: Any, context: Context) -> Any:
    """Step 5: every registered text replacement over the value's JSON text."""
    text = json.dumps(value, default=str)
    for replace in context.replacements:
        text = replace(text)
    try:
        return json.loads(text)
    except ValueError as problem:
        raise NotNormalisable(f"{key}: text replacement broke the JSON: {problem}") from None
