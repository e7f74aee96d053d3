"""The structure rules of FORMAT section 4: one function per rule type, looked up in `RULES`.

A rule changes the tree of observed values in place, or registers text replacements for later, or both. Trees
are `{check key: value}`, members in order. Knows nothing of calls and targets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeAlias

from conformance import jsonpath
from conformance.cases import JsonObject


@dataclass(slots=True)
class Context:
    """What the rules of one case share.

    replacements: text → text, in the order of registration.
    map_run_arns: the Map Run ARNs of the untouched answers.
    """

    map_run_arns: list[str] = field(default_factory=list)
    replacements: list[Callable[[str], str]] = field(default_factory=list)
    _referenced: set[str] = field(default_factory=set)
    _last: dict[str, int] = field(default_factory=dict)

    def replace(self, text: str, replacement: str) -> None:
        self.replacements.append(lambda whole: whole.replace(text, replacement))

    def refer(self, value: Any, name: str) -> None:
        """Replace a text everywhere by `<name:N>`; once per text, N counting from 1 per name."""
        if not isinstance(value, str) or not value:
            return
        text = value.replace('"', '\\"')
        if text not in self._referenced:
            self._referenced.add(text)
            self._last[name] = self._last.get(name, 0) + 1
            self.replace(text, f"<{name}:{self._last[name]}>")


Rule: TypeAlias = Callable[[JsonObject, JsonObject, Context], None]
"""(rule, tree, context) → None"""


# ---- text


def _text(rule: JsonObject, tree: JsonObject, context: Context) -> None:
    context.replace(rule["text"], rule["replacement"])


def _regex(rule: JsonObject, tree: JsonObject, context: Context) -> None:
    pattern = re.compile(rule["pattern"])
    context.replacements.append(lambda whole: pattern.sub(rule["replacement"], whole))


_DATE_TIME = re.compile(
    r"(?P<date>[1-9]\d{3}-\d{2}-\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-][01]\d:?(?:[0-5]\d)?)",
    re.ASCII,
)
"""ISO 8601 date-time with zone; whether the day exists is for `_exists` to say."""


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def _date_times(rule: JsonObject, tree: JsonObject, context: Context) -> None:
    def replaced(found: re.Match[str]) -> str:
        return str(rule["replacement"]) if _exists(found["date"]) else found[0]

    context.replacements.append(lambda whole: _DATE_TIME.sub(replaced, whole))


def _starts_with_date_time(text: str) -> bool:
    found = _DATE_TIME.match(text)
    return found is not None and _exists(found["date"])


_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")


def _map_run_arns_rule(rule: JsonObject, tree: JsonObject, context: Context) -> None:
    """`…:mapRun:machine/label:uuid`; a label that is a UUID itself was made by AWS."""
    for index, arn in enumerate(context.map_run_arns):
        label, _, run = arn.rpartition("/")[2].partition(":")
        if run:
            context.replace(run, f"<MapRunArnPart1_{index}idx>")
        if _UUID.match(label):
            context.replace(label, f"<MapRunArnPart0_{index}idx>")


# ---- places and members


def _jsonpath(rule: JsonObject, tree: JsonObject, context: Context) -> None:
    for place in jsonpath.find(tree, rule["path"]):
        if rule["reference"]:
            context.refer(place.value, rule["replacement"])
        else:
            place.set(rule["replacement"])


Match: TypeAlias = Callable[[str, Any], Any]
"""(member name, value) → what of the value is meant, or None"""


def _key_value(rule: JsonObject, tree: JsonObject, context: Context) -> None:
    match = _named(rule["key"]) if rule.get("key") is not None else MATCHES[rule["rule"]]
    _walk(tree, match, rule, context)


def _walk(node: JsonObject, match: Match, rule: JsonObject, context: Context) -> None:
    """Parents before children; a matched member is not descended into."""
    for name, value in node.items():
        found = match(name, value)
        if found is not None and rule["reference"]:
            context.refer(found, rule["replacement"])
        elif found is not None:
            node[name] = value.replace(found, rule["replacement"]) if isinstance(value, str) else rule["replacement"]
        else:
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    _walk(item, match, rule, context)


def _named(key: str) -> Match:
    return lambda name, value: value if name == key and value is not None and value != "" else None


def _json_in_cause(name: str, value: Any) -> str | None:
    """The JSON of the last `'{..}'` of a cause."""
    found = re.match(r".*'({.*})'", value) if name == "cause" and isinstance(value, str) else None
    if found is None:
        return None
    try:
        json.loads(found[1])
    except (ValueError, RecursionError):
        return None
    return found[1]


def _uuid_in_id(name: str, value: Any) -> str | None:
    return value if isinstance(value, str) and name.lower().endswith("id") and _UUID.match(value) else None


def _native_date_time(name: str, value: Any) -> datetime | None:
    return value if isinstance(value, datetime) else None


def _timestamp(name: str, value: Any) -> str | None:
    meant = "timestamp" in name.lower() or name in ("creationTime", "ingestionTime")
    return str(value) if meant and not _starts_with_date_time(str(value)) else None


_ARN = re.compile(r"arn:(?:aws[a-zA-Z-]*)?:[a-zA-Z0-9-_.]*:[^:]*:(?:\d{12})?:(.*)")


def _resource_name(name: str, value: Any) -> str | None:
    found = _ARN.match(value) if isinstance(value, str) else None
    if found is None or (found[1].startswith("<") and found[1].endswith(">")):
        return None
    resource = found[1]
    if "/" in resource:
        return resource.rpartition("/")[2]
    if resource.startswith("function:"):
        return resource.removeprefix("function:").partition("$")[0].rstrip(":")
    return resource.rpartition(":")[2]


def _sns_pem_file(name: str, value: Any) -> str | None:
    return _in_url("signingcerturl", r".*SimpleNotificationService-(.*\.pem)", name, value)


def _sns_unsubscribed(name: str, value: Any) -> str | None:
    return _in_url("unsubscribeurl", r".*\?Action=Unsubscribe&SubscriptionArn=.*:(.*)", name, value)


def _in_url(meant: str, pattern: str, name: str, value: Any) -> str | None:
    found = re.match(pattern, value) if isinstance(value, str) and name.lower() == meant else None
    return found[1] if found else None


MATCHES: dict[str, Match] = {
    "json_in_cause": _json_in_cause,
    "uuid_in_id": _uuid_in_id,
    "native_date_time": _native_date_time,
    "timestamp": _timestamp,
    "resource_name_transformer": _resource_name,
    "sns_pem_file_token_transformer": _sns_pem_file,
    "sns_unsubscribe_url_subscription_arn_transformer": _sns_unsubscribed,
}


def _response_metadata(rule: JsonObject, tree: JsonObject, context: Context) -> None:
    for name, value in tree.items():
        if name == "ResponseMetadata" and isinstance(value, dict):
            status = value.get("HTTPStatusCode")
            tree[name] = {"HTTPHeaders": {}} | ({"HTTPStatusCode": status} if status else {})
        elif isinstance(value, dict):
            _response_metadata(rule, value, context)


# ---- histories

PARALLEL_ENDS = frozenset(f"ParallelState{how}" for how in ("Succeeded", "Failed", "Aborted", "Exited"))


def _parallel_unordered(rule: JsonObject, tree: JsonObject, context: Context) -> None:
    for place in jsonpath.find(tree, rule["path"]):
        if isinstance(place.value, list):
            _sort_branches(place.value)


def _sort_branches(events: list[Any]) -> None:
    """As the recordings were made, to the letter: positions move while the list is being changed.

    The slice that ends at a ParallelStateExited reaches back to the same start as the one before it, so a
    ParallelStateSucceeded or ParallelStateFailed in between is lost on both sides.
    """
    start, branch, inside = 0, list[Any](), False
    for position, event in enumerate(events):
        kind = event.get("type")
        if kind in PARALLEL_ENDS:
            events[start:position] = sorted(branch, key=_as_sorted)
            inside = False
        elif kind == "ParallelStateStarted":
            start, branch, inside = position + 1, [], True
        elif kind is None:
            inside = False
        elif inside:
            event["id"], event["previousEventId"] = [0], 0
            branch.append(event)


def _as_sorted(event: JsonObject) -> str:
    """Compact JSON text. The time is left out of it: a replay's clock must not decide the order."""
    blank = {"timestamp": ""} if "timestamp" in event else {}
    return json.dumps(event | blank, separators=(",", ":"), default=str)


def _histories(tree: JsonObject) -> Iterator[list[JsonObject]]:
    for place in jsonpath.find(tree, "$..events"):
        if isinstance(place.value, list):
            yield [event for event in place.value if isinstance(event, dict)]


def _sort_variable_references(tree: JsonObject) -> None:
    for place in jsonpath.find(tree, "$..variableReferences"):
        for state, names in place.value.items():
            place.value[state] = sorted(names)


def _parse_outputs(tree: JsonObject) -> None:
    for events in _histories(tree):
        for details in (details for event in events for details in event.values() if isinstance(details, dict)):
            if isinstance(details.get("output"), str):
                details["output"] = _parsed(details["output"])


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _listed_objects(tree: JsonObject) -> None:
    """The final output, a listing of S3 objects, without what differs from bucket to bucket."""
    for events in _histories(tree):
        for details in ("stateExitedEventDetails", "executionSucceededEventDetails"):
            last = next((event[details] for event in reversed(events) if details in event), None)
            objects = _parsed(last["output"]) if last and isinstance(last.get("output"), str) else None
            if last and isinstance(objects, list):
                last["output"] = json.dumps([_listed(item) for item in sorted(objects, key=lambda o: o["Key"])])


def _listed(item: JsonObject) -> JsonObject:
    return {
        "Etag": f"<Etag-{item['Key']}>",
        "LastModified": "<date>",
        "Key": item["Key"],
        "Size": item.get("Size"),
        "StorageClass": item.get("StorageClass"),
    }


CUSTOM: dict[str, Callable[[JsonObject], None]] = {
    "sfn_sort_variable_references": _sort_variable_references,
    "convert_output_to_json": _parse_outputs,
    "s3_list_objects_output": _listed_objects,
}


def _custom(rule: JsonObject, tree: JsonObject, context: Context) -> None:
    CUSTOM[rule["rule"]](tree)


RULES: dict[str, Rule] = {
    "text": _text,
    "regex": _regex,
    "date_times": _date_times,
    "map_run_arns": _map_run_arns_rule,
    "jsonpath": _jsonpath,
    "key_value": _key_value,
    "response_metadata": _response_metadata,
    "parallel_unordered": _parallel_unordered,
    "custom": _custom,
}
