"""A definition as a graph: what there is to draw, and in which words. Knows nothing of pictures.

Reads the plain JSON value, valid or not quite: whatever is missing or of the wrong kind is left out, and a
transition to a state that does not exist leads to a node of type `Missing`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from kaidan.values import JSON, dumps

EdgeKind: TypeAlias = Literal["next", "choice", "default", "catch", "end"]


@dataclass(slots=True)
class Node:
    """A state. `caption` says in a few words what it does, `detail` in full; `regions` are drawn inside it."""

    name: str
    type: str
    caption: str = ""
    detail: str = ""
    retries: bool = False
    regions: list[Region] = field(default_factory=list)


@dataclass(slots=True)
class Edge:
    """A transition between nodes of one region (by index). Rules with the same target share an edge."""

    source: int
    target: int
    kind: EdgeKind
    labels: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Region:
    """States that transition to each other: the machine, a branch, an item processor. The first node begins."""

    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)


START, END, MISSING = "Start", "End", "Missing"


def read_machine(definition: JSON) -> Region:
    """The whole machine, with a start marker before its first state and an end marker behind its last ones."""
    region = _read_region(definition, outer=True)
    return region if region.nodes else Region([Node("", START)])


def _read_region(machine: JSON, *, outer: bool) -> Region:
    states = _object(_object(machine).get("States"))
    reader = _RegionReader()
    start = _object(machine).get("StartAt")
    if outer and states:
        reader.add(Node("", START))
    names = [start, *states] if isinstance(start, str) and (states or outer) else list(states)
    for name in names:
        if name in states:
            reader.state(name, _object(states[name]))
    if outer and states and isinstance(start, str):
        reader.edge(0, start, "next")
    for name, state in states.items():
        for target, kind, label in _transitions(_object(state)):
            reader.edge(reader.index[name], target, kind, label)
    if outer:
        reader.end([reader.index[name] for name, state in states.items() if _ends(_object(state))])
    return reader.region


class _RegionReader:
    """Collects the nodes and edges of one region."""

    def __init__(self) -> None:
        self.region = Region()
        self.index: dict[str, int] = {}
        self.edges: dict[tuple[int, int, str], Edge] = {}

    def add(self, node: Node) -> int:
        self.region.nodes.append(node)
        return len(self.region.nodes) - 1

    def state(self, name: str, state: dict[str, JSON]) -> None:
        if name not in self.index:
            self.index[name] = self.add(_read_state(name, state))

    def edge(self, source: int, target: str, kind: EdgeKind, label: str = "") -> None:
        if target not in self.index:
            self.index[target] = self.add(Node(target, MISSING, "no such state"))
        self._join(source, self.index[target], kind, label)

    def _join(self, source: int, target: int, kind: EdgeKind, label: str = "") -> None:
        group = "catch" if kind == "catch" else "flow"
        edge = self.edges.get((source, target, group))
        if edge is None:
            edge = self.edges[source, target, group] = Edge(source, target, kind)
            self.region.edges.append(edge)
        if label:
            edge.labels.append(label)

    def end(self, sources: list[int]) -> None:
        if sources:
            end = self.add(Node("", END))
            for source in sources:
                self._join(source, end, "end")


def _object(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}


def _objects(value: JSON) -> list[dict[str, JSON]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


# States


def _read_state(name: str, state: dict[str, JSON]) -> Node:
    kind = state.get("Type")
    kind = kind if isinstance(kind, str) else ""
    caption = _CAPTIONS[kind](state) if kind in _CAPTIONS else kind
    detail = "\n".join(filter(None, (f"{name} ({kind or 'no Type'})", _text(state.get("Comment")), _text(caption))))
    return Node(name, kind, caption, detail, bool(_objects(state.get("Retry"))), _inner(state))


def _inner(state: dict[str, JSON]) -> list[Region]:
    if state.get("Type") == "Parallel":
        machines = _objects(state.get("Branches"))
    elif state.get("Type") == "Map":
        machines = _objects([state.get("ItemProcessor") or state.get("Iterator")])
    else:
        machines = []
    regions = [_read_region(machine, outer=False) for machine in machines]
    return [region for region in regions if region.nodes]


def _ends(state: dict[str, JSON]) -> bool:
    return state.get("End") is True


def _transitions(state: dict[str, JSON]) -> Iterator[tuple[str, EdgeKind, str]]:
    """What may follow a state: target, kind, label."""
    for rule in _objects(state.get("Choices")):
        if isinstance(rule.get("Next"), str):
            yield rule["Next"], "choice", condition(rule)
    if isinstance(state.get("Default"), str):
        yield state["Default"], "default", "otherwise"
    if isinstance(state.get("Next"), str):
        yield state["Next"], "next", ""
    for catcher in _objects(state.get("Catch")):
        if isinstance(catcher.get("Next"), str):
            yield catcher["Next"], "catch", _errors(catcher.get("ErrorEquals"))


def _errors(names: JSON) -> str:
    return ", ".join(name for name in names if isinstance(name, str)) if isinstance(names, list) else ""


# Captions

_CALLBACKS = {".sync": "and wait", ".sync:2": "and wait", ".waitForTaskToken": "until called back"}
_CALLBACK = re.compile(r"\.(sync(:2)?|waitForTaskToken)$")
_FUNCTION = re.compile(r"(?:^|:)function:([^:]+)")


def _task(state: dict[str, JSON]) -> str:
    """`arn:aws:states:::sqs:sendMessage.waitForTaskToken` → `sqs · sendMessage · until called back`."""
    resource = _text(state.get("Resource"))
    suffix = _CALLBACK.search(resource)
    bare = resource[: suffix.start()] if suffix else resource
    words = [_service(bare, state)]
    if suffix:
        words.append(_CALLBACKS[suffix[0]])
    return " · ".join(filter(None, words))


def _service(resource: str, state: dict[str, JSON]) -> str:
    if function := _FUNCTION.search(resource):
        return f"lambda · {function[1]}"
    if ":activity:" in resource:
        return f"activity · {resource.rpartition(':')[2]}"
    if ":::" not in resource:
        return resource.rpartition(":")[2] if resource.startswith("arn:") else resource
    service, _, action = resource.partition(":::")[2].removeprefix("aws-sdk:").partition(":")
    if service == "lambda" and action == "invoke":
        arguments = _object(state.get("Arguments") or state.get("Parameters"))
        function_name = _text(arguments.get("FunctionName"))
        named = _FUNCTION.search(function_name)
        action = (named[1] if named else function_name) or action
    return f"{service} · {action}" if action else service


def _wait(state: dict[str, JSON]) -> str:
    if "Seconds" in state:
        seconds = state["Seconds"]
        return f"{_code(seconds)} s" if isinstance(seconds, (int, float)) else f"for {_code(seconds)} s"
    if "SecondsPath" in state:
        return f"for {_code(state['SecondsPath'])} s"
    if "Timestamp" in state or "TimestampPath" in state:
        return f"until {_code(state.get('Timestamp', state.get('TimestampPath')))}"
    return ""


def _map(state: dict[str, JSON]) -> str:
    processor = _object(state.get("ItemProcessor") or state.get("Iterator"))
    distributed = _object(processor.get("ProcessorConfig")).get("Mode") == "DISTRIBUTED"
    items = state.get("ItemsPath", state.get("Items"))
    what = "of the dataset" if "ItemReader" in state else f"of {_code(items)}" if _is_short(items) else "item"
    most = state.get("MaxConcurrency")
    limit = f" · {most} at a time" if type(most) is int and most > 0 else ""
    return f"each {what}{' · distributed' if distributed else ''}{limit}"


def _parallel(state: dict[str, JSON]) -> str:
    count = len(_objects(state.get("Branches")))
    return f"{count} branch{'' if count == 1 else 'es'}"


def _fail(state: dict[str, JSON]) -> str:
    return _code(state.get("Error", state.get("ErrorPath", "")))


_CAPTIONS: dict[str, Callable[[dict[str, JSON]], str]] = {
    "Task": _task,
    "Wait": _wait,
    "Map": _map,
    "Parallel": _parallel,
    "Fail": _fail,
    "Choice": lambda state: "",
    "Pass": lambda state: "",
    "Succeed": lambda state: "",
}


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else ""


def _is_short(value: JSON) -> bool:
    return isinstance(value, str) and len(value) <= 40


def _code(value: JSON) -> str:
    """A value as it is shown: an expression without its marks, a string as it is, anything else as JSON."""
    if not isinstance(value, str):
        return dumps(value)
    expression = value.strip()
    if expression.startswith("{%") and expression.endswith("%}"):
        return " ".join(expression[2:-2].split())
    return value


# Choice rules

_COMPARISONS = {
    "Equals": "=",
    "LessThan": "<",
    "LessThanEquals": "≤",
    "GreaterThan": ">",
    "GreaterThanEquals": "≥",
    "Matches": "matches",
}
_OPERATOR = re.compile(rf"(?:String|Numeric|Boolean|Timestamp)({'|'.join(_COMPARISONS)})(Path)?")
_TESTS = {
    "IsPresent": "present",
    "IsNull": "null",
    "IsString": "a string",
    "IsNumeric": "a number",
    "IsBoolean": "a boolean",
    "IsTimestamp": "a timestamp",
}


def condition(rule: dict[str, JSON]) -> str:
    """A Choice rule in words: `$.size > 10 and not ($.state = "done")`."""
    if "Condition" in rule:
        return _code(rule["Condition"])
    for field_name, word in (("And", " and "), ("Or", " or ")):
        if isinstance(rule.get(field_name), list):
            return word.join(_part(inner) for inner in _objects(rule[field_name]))
    if isinstance(rule.get("Not"), dict):
        return f"not ({condition(rule['Not'])})"
    return " and ".join(
        _comparison(_code(rule.get("Variable", "")), *test) for test in rule.items() if _is_test(test[0])
    )


def _part(rule: dict[str, JSON]) -> str:
    return f"({condition(rule)})" if "And" in rule or "Or" in rule else condition(rule)


def _is_test(name: str) -> bool:
    return name in _TESTS or _OPERATOR.fullmatch(name) is not None


def _comparison(variable: str, operator: str, value: JSON) -> str:
    if operator in _TESTS:
        return f"{variable} is {'not ' if value is False else ''}{_TESTS[operator]}"
    found = _OPERATOR.fullmatch(operator)
    assert found is not None
    return f"{variable} {_COMPARISONS[found[1]]} {value if found[2] and isinstance(value, str) else dumps(value)}"
