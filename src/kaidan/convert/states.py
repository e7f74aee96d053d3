"""The fields of one state, converted: what a JSONPath field becomes in JSONata.

    InputPath, Parameters                     Arguments            InputPath, ItemsPath     Items
    ResultSelector, ResultPath, OutputPath    Output               …Path twins              the field itself
    Variable and its operators                Condition            Parameters of a Map      ItemSelector

The JSONPath steps are followed with nodes instead of data (`expressions.py`): what comes out of them is the Output.
Not the same, and left so: a path of InputPath that nothing uses is not looked at.
Source: States Language spec, "Input and Output Processing"; AWS guide, "Transforming data with JSONata".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from kaidan.arns import TaskResource, task_resource
from kaidan.asl.query.jsonpath import parse
from kaidan.convert.choices import condition
from kaidan.convert.expressions import (
    Const,
    Guards,
    Node,
    Put,
    Ref,
    code,
    inside,
    is_a,
    template,
    with_guards,
)
from kaidan.convert.intrinsics import Note
from kaidan.convert.paths import Facts, Scene, path
from kaidan.convert.templates import payload, value
from kaidan.values import JSON

Object = dict[str, JSON]

CONTEXT: Final[Facts] = {
    "$states.input": None,
    "$states.context": "object",
    "$states.context.Execution": "object",
    "$states.context.Execution.Id": "string",
    "$states.context.Execution.Input": None,
    "$states.context.Execution.Name": "string",
    "$states.context.Execution.RoleArn": "string",
    "$states.context.Execution.StartTime": "timestamp",
    "$states.context.StateMachine": "object",
    "$states.context.StateMachine.Id": "string",
    "$states.context.StateMachine.Name": "string",
    "$states.context.State": "object",
    "$states.context.State.EnteredTime": "timestamp",
    "$states.context.State.Name": "string",
}
"""What is there in every state, with its type."""

RECOVERING: Final[Facts] = {"$states.context.State.RetryCount": "integer"}
WITH_TOKEN: Final[Facts] = {"$states.context.Task.Token": "string"}
IN_MAP: Final[Facts] = {"$states.context.Map.Item.Index": "integer", "$states.context.Map.Item.Value": None}
IN_CATCH: Final[Facts] = {
    "$states.errorOutput": "object",
    "$states.errorOutput.Error": None,
    "$states.errorOutput.Cause": None,
}

REPLACED: Final = frozenset(
    {
        *("QueryLanguage", "InputPath", "Parameters", "ResultSelector", "ResultPath", "OutputPath", "Result"),
        *("ItemsPath", "ItemSelector", "Assign", "Choices", "Catch", "Credentials", "Iterator"),
        *("ItemReader", "ItemBatcher", "ResultWriter"),
    }
)
"""Fields that JSONata does not have, or that have expressions in them."""

TWINS: Final = (
    "Seconds",
    "Timestamp",
    "TimeoutSeconds",
    "HeartbeatSeconds",
    "MaxConcurrency",
    "ToleratedFailureCount",
    "ToleratedFailurePercentage",
    "Error",
    "Cause",
    "MaxItems",
    "MaxItemsPerBatch",
    "MaxInputBytesPerBatch",
)
"""Fields with a `…Path` twin."""

_FROM_TEXT: Final = frozenset(TWINS) - {"Seconds", "Timestamp", "Error", "Cause"}
"""Of these, the ones for which JSONPath takes text that holds a number (recorded)."""


def convert_state(state: Object, facts: Facts, note: Note) -> Object:
    """The state in JSONata. `facts`: what is known about variables and the context. Raises Unconvertible."""
    return _TYPES[state["Type"]](_State(state, {**CONTEXT, **facts}, note)).fields


class _State:
    """One state: the fields so far, and the nodes on the way from input to output."""

    def __init__(self, state: Object, facts: Facts, note: Note) -> None:
        self.state = state
        self.note = note
        self.facts: Facts = facts
        self.fields: Object = {key: item for key, item in state.items() if self._stays(key)}
        self.raw: Node = Ref("$states.input", sure=True)
        self.effective = self.through("InputPath", self.raw)
        self.twins(state, self.fields)

    def _stays(self, key: str) -> bool:
        return (key not in REPLACED and key.removesuffix("Path") not in TWINS) or key in TWINS

    # the steps

    def scene(self, data: Node, facts: Facts | None = None) -> Scene:
        return Scene(data, {**self.facts, **(facts or {})})

    def through(self, name: str, node: Node) -> Node:
        """InputPath or OutputPath."""
        text = self.state.get(name, "$")
        if text is None:
            return Const({})
        with inside(f"/{name}"):
            return path(text, self.scene(node))

    def payload(self, owner: Object, name: str, data: Node, facts: Facts | None = None) -> Node:
        with inside(f"/{name}"):
            return payload(owner[name], self.scene(data, facts), self.note)

    def parameters(self) -> Node:
        return self.payload(self.state, "Parameters", self.effective) if "Parameters" in self.state else self.effective

    def merged(self, owner: Object, result: Node) -> Node:
        """ResultPath, also a Catcher's."""
        text = owner.get("ResultPath", "$")
        if text == "$":
            return result
        if text is None:
            return with_guards(self.raw, _guards(result))
        steps = parse(text).reference
        assert steps is not None
        return Put(self.raw, steps, result)

    # the fields

    def put(self, name: str, node: Node, owner: Object | None = None) -> None:
        fields = self.fields if owner is None else owner
        with inside(f"/{name}"):
            fields[name] = template(node)

    def arguments(self) -> None:
        node = self.parameters()
        if "Parameters" in self.state or not _same(node, self.raw):
            self.put("Arguments", node)

    def conclude(self, result: Node, default: Node) -> None:
        """Output and Assign. `default`: what the output is without an Output."""
        selected = result
        if "ResultSelector" in self.state:
            selected = self.payload(self.state, "ResultSelector", result)
        output = self.through("OutputPath", self.merged(self.state, selected))
        if not _same(output, default):
            self.put("Output", output)
        self.assign(self.state, result, self.fields)

    def assign(self, owner: Object, data: Node, into: Object, facts: Facts | None = None) -> None:
        if "Assign" in owner:
            self.put("Assign", self.payload(owner, "Assign", data, facts), into)

    def twins(self, owner: Object, into: Object) -> None:
        """`SecondsPath` and the like."""
        for name in TWINS:
            twin = f"{name}Path"
            if twin in owner:
                with inside(f"/{twin}"):
                    node = value(owner[twin], self.scene(self.effective), self.note)
                    into[name] = template(_number(node) if name in _FROM_TEXT else node)
            elif name in owner:
                into[name] = template(Const(owner[name]))

    def catch(self) -> None:
        if "Catch" in self.state:
            self.fields["Catch"] = [self._catcher(at, entry) for at, entry in enumerate(self.state["Catch"])]

    def _catcher(self, at: int, entry: Object) -> Object:
        error: Node = Ref("$states.errorOutput", type="object", sure=True)
        fields = {key: item for key, item in entry.items() if key not in ("ResultPath", "Assign")}
        with inside(f"/Catch[{at}]"):
            output = self.merged(entry, error)
            if not _same(output, error):
                self.put("Output", output, fields)
            self.assign(entry, error, fields, IN_CATCH)
        return fields


def _same(node: Node, other: Node) -> bool:
    return isinstance(node, Ref) and isinstance(other, Ref) and node.text == other.text


def _guards(discarded: Node) -> Guards:
    """What had to be there although nothing is made of it."""
    return code(discarded).all_guards


def _number(node: Node) -> Node:
    part = code(node)
    return node if is_a(part.type, "number") else replace(part, text=f"$number({part.text})", power=100, type="number")


# --- one function per type --------------------------------------------------------------------------------


def _pass(of: _State) -> _State:
    result: Node = Const(of.state["Result"]) if "Result" in of.state else of.parameters()
    of.conclude(result, of.raw)
    return of


def _passing(of: _State) -> _State:
    """Wait and Succeed."""
    of.conclude(of.effective, of.raw)
    return of


def _fail(of: _State) -> _State:
    return of


def _choice(of: _State) -> _State:
    known: Guards = ()
    rules = []
    output = of.through("OutputPath", of.effective)
    for at, rule in enumerate(of.state["Choices"]):
        fields = {key: rule[key] for key in ("Comment", "Next") if key in rule}
        with inside(f"/Choices[{at}]"):
            fields["Condition"], known = condition(rule, of.scene(of.effective), known)
            if not _same(output, of.raw):
                of.put("Output", output, fields)
            of.assign(rule, of.effective, fields)
        rules.append(fields)
    of.fields["Choices"] = rules
    if "Default" in of.state:
        of.conclude(of.effective, of.raw)
    return of


def _task(of: _State) -> _State:
    resource = _resource(of.state["Resource"])
    waits = resource is None or resource.kind == "activity" or resource.pattern == ".waitForTaskToken"
    has_token = resource is not None and (waits or bool(resource.pattern))
    of.facts = {**of.facts, **RECOVERING, **(WITH_TOKEN if has_token else {})}
    of.arguments()
    if "Credentials" in of.state:
        of.put("Credentials", of.payload(of.state, "Credentials", of.effective))
    answers = "object" if resource is not None and resource.kind == "integration" and not waits else None
    return _recovering(of, answers)


def _resource(arn: str) -> TaskResource | None:
    """None for what is filled in later: `${FunctionArn}`."""
    try:
        return task_resource(arn)
    except ValueError:
        return None


def _parallel(of: _State) -> _State:
    of.facts = {**of.facts, **RECOVERING}
    of.arguments()
    return _recovering(of, "array")


def _map(of: _State) -> _State:
    state = of.state
    of.facts = {**of.facts, **RECOVERING}
    if "ItemReader" not in state:
        with inside("/ItemsPath"):
            items = path(state.get("ItemsPath", "$"), of.scene(of.effective))
        if not _same(items, of.raw):
            of.put("Items", items)
    for name in ("ItemSelector", "Parameters"):
        if name in state:
            of.fields["ItemSelector"] = template(of.payload(state, name, of.effective, IN_MAP))
    if "Iterator" in state:
        of.fields["ItemProcessor"] = state["Iterator"]
    for name in ("ItemReader", "ItemBatcher", "ResultWriter"):
        if name in state:
            with inside(f"/{name}"):
                of.fields[name] = _nested(of, state[name])
    return _recovering(of, None if "ResultWriter" in state else "array")


def _nested(of: _State, given: Object) -> Object:
    """The settings of a Distributed Map, with paths in them."""
    fields = {key: item for key, item in given.items() if key.removesuffix("Path") not in TWINS or key in TWINS}
    for name, new in (("Parameters", "Arguments"), ("BatchInput", "BatchInput")):
        if name in fields:
            made = template(of.payload(given, name, of.effective))
            fields = {new if key == name else key: made if key == name else item for key, item in fields.items()}
    if "ReaderConfig" in fields:
        with inside("/ReaderConfig"):
            fields["ReaderConfig"] = _nested(of, given["ReaderConfig"])
    of.twins(given, fields)
    return fields


def _recovering(of: _State, result_type: str | None) -> _State:
    result: Node = Ref("$states.result", type=result_type, sure=True)
    of.facts = {**of.facts, "$states.result": result_type}
    of.conclude(result, result)
    of.catch()
    return of


_TYPES: Final[Mapping[str, Callable[[_State], _State]]] = {
    "Task": _task,
    "Wait": _passing,
    "Pass": _pass,
    "Succeed": _passing,
    "Fail": _fail,
    "Choice": _choice,
    "Parallel": _parallel,
    "Map": _map,
}
