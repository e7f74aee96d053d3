"""Random state machines: small, valid, with every state type, loops bounded by construction."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from kaidan.errors import StateError
from kaidan.protocol.effects import RunTask

Definition = dict[str, Any]

ERRORS = ("Boom", "Flaky", "States.Timeout")
TASK = "arn:aws:states:::aws-sdk:ec2:describeInstances"


def machines(depth: int = 2) -> st.SearchStrategy[Definition]:
    """Definitions whose states form a chain; containers hold such chains, down to `depth`."""
    return st.integers(1, 4).flatmap(lambda length: _chain(length, depth))


def _chain(length: int, depth: int) -> st.SearchStrategy[Definition]:
    names = [f"S{number}" for number in range(length)]
    states = [_state(names[number + 1 :], depth) for number in range(length)]
    return st.tuples(*states).map(lambda made: {"StartAt": "S0", "States": dict(zip(names, made, strict=True))})


def _state(later: list[str], depth: int) -> st.SearchStrategy[Definition]:
    if not later:
        return st.one_of(_plain(None, depth), st.just({"Type": "Succeed"}), _failing())
    kinds = [_plain(later[0], depth), _plain(later[0], depth), _choice(later)]
    return st.one_of(kinds)


def _plain(next_name: str | None, depth: int) -> st.SearchStrategy[Definition]:
    end: Definition = {"Next": next_name} if next_name else {"End": True}
    kinds = [_pass(), _wait(), _task(next_name)]
    if depth:
        kinds += [_parallel(depth, next_name), _map(depth, next_name)]
    return st.one_of(kinds).map(lambda state: state | end)


def _pass() -> st.SearchStrategy[Definition]:
    return st.sampled_from(
        [
            {"Type": "Pass"},
            {"Type": "Pass", "Result": {"n": 1, "items": [1, 2, 3]}, "ResultPath": "$.made"},
            {"Type": "Pass", "Parameters": {"id.$": "States.UUID()", "all.$": "$", "items": [{"a": 1}, 2]}},
            {"Type": "Pass", "Assign": {"seen.$": "$", "count": 3}},
            {"Type": "Pass", "InputPath": "$.missing"},
        ]
    )


def _wait() -> st.SearchStrategy[Definition]:
    return st.integers(0, 5).map(lambda seconds: {"Type": "Wait", "Seconds": seconds})


def _failing() -> st.SearchStrategy[Definition]:
    return st.sampled_from(ERRORS[:2]).map(lambda error: {"Type": "Fail", "Error": error, "Cause": "made to"})


def _choice(later: list[str]) -> st.SearchStrategy[Definition]:
    rule = {"Variable": "$.made", "IsPresent": True}
    return st.tuples(st.sampled_from(later), st.sampled_from(later)).map(
        lambda targets: {"Type": "Choice", "Choices": [rule | {"Next": targets[0]}], "Default": targets[1]}
    )


def _recovery(next_name: str | None) -> st.SearchStrategy[Definition]:
    retry = {"ErrorEquals": ["Flaky"], "IntervalSeconds": 1, "MaxAttempts": 2, "JitterStrategy": "FULL"}
    catch = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": next_name}]
    options: list[Definition] = [{}, {"Retry": [retry]}]
    if next_name:
        options += [{"Catch": catch}, {"Retry": [retry], "Catch": catch}]
    return st.sampled_from(options)


def _task(next_name: str | None) -> st.SearchStrategy[Definition]:
    limits = st.sampled_from([{}, {"TimeoutSeconds": 2}, {"TimeoutSeconds": 4, "HeartbeatSeconds": 1}])
    made = st.tuples(st.integers(0, 9), limits, _recovery(next_name))
    return made.map(
        lambda parts: {"Type": "Task", "Resource": TASK, "Parameters": {"kind": parts[0]}} | parts[1] | parts[2]
    )


def _parallel(depth: int, next_name: str | None) -> st.SearchStrategy[Definition]:
    branches = st.lists(machines(depth - 1), min_size=1, max_size=3)
    return st.tuples(branches, _recovery(next_name)).map(
        lambda parts: {"Type": "Parallel", "Branches": parts[0]} | parts[1]
    )


def _map(depth: int, next_name: str | None) -> st.SearchStrategy[Definition]:
    made = st.tuples(machines(depth - 1), st.integers(0, 2), st.sampled_from([{}, _DISTRIBUTED]), _recovery(next_name))
    return made.map(
        lambda parts: (
            {
                "Type": "Map",
                "InputPath": "$$.Execution.Input",
                "ItemsPath": "$.items",
                "MaxConcurrency": parts[1],
                "ItemProcessor": parts[0] | parts[2],
            }
            | parts[3]
        )
    )


_DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}

INPUT = {"items": [{"x": 1}, "two", 3], "text": "ünïcode"}


def answer(task: RunTask) -> Any:
    """What a task gives, by its parameters and its attempt: values, errors that retries cure, errors that stay."""
    kind = task.parameters.value["kind"]
    if kind == 0 or (kind == 1 and task.attempt == 0):
        raise StateError("Flaky", "try again")
    if kind == 2:
        raise StateError("Boom", None)
    return {"kind": kind, "attempt": task.attempt}


def without_limits(definition: Any) -> Any:
    """The same machine without time-outs: a kill makes a task begin again, which takes time."""
    if isinstance(definition, dict):
        dropped = ("TimeoutSeconds", "HeartbeatSeconds")
        return {key: without_limits(value) for key, value in definition.items() if key not in dropped}
    return [without_limits(item) for item in definition] if isinstance(definition, list) else definition


def without_faults(definition: Any) -> Any:
    """The same machine with nothing that fails whatever its tasks give."""
    if isinstance(definition, dict):
        if definition.get("Type") == "Fail":
            return {"Type": "Succeed"}
        return {key: without_faults(value) for key, value in definition.items() if value != "$.missing"}
    return [without_faults(item) for item in definition] if isinstance(definition, list) else definition
