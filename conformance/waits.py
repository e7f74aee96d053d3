"""The `runner` steps of FORMAT section 2: each is a condition to wait for, asked of the service under test.

A condition may be asked any number of times; a refusal means "not yet" (`holds`). Knows nothing of engines:
what is waited for is what a caller of the API could see.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from conformance.boto import event_types
from conformance.cases import JsonObject
from conformance.targets import ApiError

Ask: TypeAlias = Callable[[str, str, JsonObject], JsonObject]
"""(service, operation, params) → answer; raises ApiError."""

Condition: TypeAlias = Callable[[Ask, JsonObject], bool]
"""(ask, the step's params) → whether the step is over"""

TERMINAL = frozenset({"ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"})


def _pages(ask: Ask, operation: str, member: str, params: JsonObject) -> Iterator[JsonObject]:
    token: JsonObject = {}
    while True:
        answer = ask("stepfunctions", operation, params | token)
        yield from answer.get(member, ())
        if not answer.get("nextToken"):
            return
        token = {"nextToken": answer["nextToken"]}


def _listed(operation: str, member: str, arn: str, by: tuple[str, ...] = ()) -> Condition:
    def condition(ask: Ask, params: JsonObject) -> bool:
        listing = _pages(ask, operation, member, {name: params[name] for name in by})
        return any(item[arn] == params[arn] for item in listing)

    return condition


def _not(condition: Condition) -> Condition:
    return lambda ask, params: not condition(ask, params)


_machine_listed = _listed("ListStateMachines", "stateMachines", "stateMachineArn")
_version_listed = _listed(
    "ListStateMachineVersions", "stateMachineVersions", "stateMachineVersionArn", by=("stateMachineArn",)
)
_alias_listed = _listed(
    "ListStateMachineAliases", "stateMachineAliases", "stateMachineAliasArn", by=("stateMachineArn",)
)


def ended(ask: Ask, params: JsonObject) -> bool:
    """The execution has ended, whichever way: the steps named after one way wait for no other."""
    answer = ask("stepfunctions", "DescribeExecution", {"executionArn": params["executionArn"]})
    return bool(answer["status"] != "RUNNING")


def _started(ask: Ask, params: JsonObject) -> bool:
    return any(event["type"] == "ExecutionStarted" for event in history(ask, params["executionArn"]))


def _listed_with(status: Callable[[str, JsonObject], bool]) -> Condition:
    def condition(ask: Ask, params: JsonObject) -> bool:
        machine = {"stateMachineArn": params["stateMachineArn"]}
        runs = _pages(ask, "ListExecutions", "executions", machine)
        return any(run["executionArn"] == params["executionArn"] and status(run["status"], params) for run in runs)

    return condition


_IDENTIFIER = re.compile(r"\b\w*(?:_|\d|[a-z][A-Z])\w*\b|['\"`]")


def _events(ask: Ask, params: JsonObject) -> bool:
    """`until` is a sentence. All event types it mentions must have occurred, else a state it mentions.

    A sentence that mentions neither asks for no more than an execution that has got going.
    """
    until = str(params.get("until", ""))
    events = list(history(ask, params["executionArn"]))
    if types := {word for word in re.findall(r"\w+", until) if word in event_types()}:
        return types <= {event["type"] for event in events}
    entered = [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]
    return any(name in until for name in entered) or (bool(events) and not _IDENTIFIER.search(until))


CONDITIONS: dict[str, Condition] = {
    "AwaitExecutionTerminated": ended,
    "AwaitExecutionSuccess": ended,
    "AwaitExecutionAborted": ended,
    "AwaitExecutionStarted": _started,
    "AwaitExecutionListsTerminated": _listed_with(lambda status, params: status != "RUNNING"),
    "AwaitListExecutionStatus": _listed_with(lambda status, params: bool(status == params["status"])),
    "AwaitOnExecutionEvents": _events,
    "AwaitStateMachineListed": _machine_listed,
    "AwaitStateMachineNotListed": _not(_machine_listed),
    "AwaitStateMachineVersionListed": _version_listed,
    "AwaitStateMachineVersionNotListed": _not(_version_listed),
    "AwaitStateMachineAliasIsCreated": _alias_listed,
    "AwaitStateMachineAliasIsDeleted": _not(_alias_listed),
}

SKIPPED = frozenset({"Sleep", "Noop"})
LOGS = "AwaitOnExecutionLogs"


def holds(condition: Condition, ask: Ask, params: JsonObject) -> bool:
    try:
        return condition(ask, params)
    except ApiError:
        return False


def history(ask: Ask, execution_arn: str) -> Iterator[JsonObject]:
    return _pages(ask, "GetExecutionHistory", "events", {"executionArn": execution_arn})


def waiting(ask: Ask, params: JsonObject) -> bool:
    """The execution has entered a Wait state and stands in it."""
    events = list(history(ask, params["executionArn"]))
    return bool(events) and events[-1]["type"] == "WaitStateEntered"


# ---- log records

_VALIDATION_STREAM = "log_stream_created_by_aws_to_validate_log_delivery_subscriptions"

_ERROR = re.compile(r"^(FailStateEntered|\w*(Failed|Aborted|TimedOut))$")
_FATAL = re.compile(r"^Execution(Failed|Aborted|TimedOut)$")

LOGGED: dict[str, Callable[[str], bool]] = {
    "ALL": lambda kind: True,
    "ERROR": lambda kind: _ERROR.match(kind) is not None,
    "FATAL": lambda kind: _FATAL.match(kind) is not None,
    "OFF": lambda kind: False,
}
"""Which event types a level logs (AWS guide, "Using CloudWatch Logs to log execution history")."""


def log_records(ask: Ask, group: str) -> list[Any]:
    """The parsed messages of the newest stream of a log group; [] while there is none."""
    streams = ask("logs", "DescribeLogStreams", {"logGroupName": group}).get("logStreams", [])
    streams = [stream for stream in streams if stream["logStreamName"] != _VALIDATION_STREAM]
    if not streams:
        return []
    newest = max(streams, key=lambda stream: stream.get("creationTime", 0))["logStreamName"]
    wanted = {"logGroupName": group, "logStreamName": newest, "startFromHead": True}
    return [json.loads(event["message"]) for event in ask("logs", "GetLogEvents", wanted)["events"]]


def logs_complete(ask: Ask, records: list[Any], until: str, execution_arn: str | None) -> bool:
    """`until`: "the last log record is a terminal execution event", or as many records as loggable events."""
    if "terminal" in until or execution_arn is None:
        return bool(records) and records[-1].get("type") in TERMINAL
    machine = ask("stepfunctions", "DescribeStateMachineForExecution", {"executionArn": execution_arn})
    logged = LOGGED[machine.get("loggingConfiguration", {}).get("level", "OFF")]
    loggable = sum(logged(event["type"]) for event in history(ask, execution_arn))
    return ended(ask, {"executionArn": execution_arn}) and len(records) >= loggable
