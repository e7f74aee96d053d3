"""The event history: compact events, and AWS's form of them (GetExecutionHistory).

An event is kept as five values; AWS's JSON is made only when somebody reads it:

    {"timestamp": …, "type": "PassStateEntered", "id": 2, "previousEventId": 0,
     "stateEnteredEventDetails": {"name": "Greet", "input": "{}", "inputDetails": {"truncated": false}}}
"""

from __future__ import annotations

from typing import Any

import msgspec


class HistoryEvent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One event. `details` has AWS's member names; JSON payloads are text. `timestamp_ms` is Unix milliseconds."""

    id: int
    previous_id: int
    type: str
    timestamp_ms: int
    details: dict[str, Any] | None = None


def _state_events() -> dict[str, str]:
    keys = {f"{kind}StateEntered": "stateEnteredEventDetails" for kind in STATE_TYPES}
    keys |= {f"{kind}StateExited": "stateExitedEventDetails" for kind in STATE_TYPES if kind != "Fail"}
    return keys


def _family(prefix: str, *names: str) -> dict[str, str]:
    return {prefix + name: prefix[0].lower() + prefix[1:] + name + "EventDetails" for name in names}


ENDS = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted")
"""The events that end an execution."""

STATE_TYPES = ("Pass", "Task", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map")

DETAILS_KEYS: dict[str, str | None] = {
    **_state_events(),
    **_family("Execution", "Started", "Succeeded", "Failed", "TimedOut", "Aborted", "Redriven"),
    **_family("Task", "Scheduled", "StartFailed", "Started", "SubmitFailed", "Submitted"),
    **_family("Task", "Succeeded", "Failed", "TimedOut"),
    **_family("Activity", "Scheduled", "ScheduleFailed", "Started", "Succeeded", "Failed", "TimedOut"),
    **_family("LambdaFunction", "Scheduled", "ScheduleFailed", "StartFailed", "Succeeded", "Failed", "TimedOut"),
    **_family("MapRun", "Started", "Failed", "Redriven"),
    **_family("MapIteration", "Started", "Succeeded", "Failed", "Aborted"),
    "MapStateStarted": "mapStateStartedEventDetails",
    "EvaluationFailed": "evaluationFailedEventDetails",
    "LambdaFunctionStarted": None,
    "MapRunSucceeded": None,
    "MapRunAborted": None,
    "MapStateSucceeded": None,
    "MapStateFailed": None,
    "MapStateAborted": None,
    "ParallelStateStarted": None,
    "ParallelStateSucceeded": None,
    "ParallelStateFailed": None,
    "ParallelStateAborted": None,
    "TaskStateAborted": None,
    "WaitStateAborted": None,
}
"""Every event type of the API, and the member that carries its details (None: it has none)."""

_DATA_MEMBERS = ("input", "output", "assignedVariables")


def to_aws(event: HistoryEvent, timestamp: Any, *, include_data: bool = True) -> dict[str, Any]:
    """AWS's form of an event; `timestamp` is put in as given (a datetime, or epoch seconds on the wire)."""
    answer: dict[str, Any] = {
        "timestamp": timestamp,
        "type": event.type,
        "id": event.id,
        "previousEventId": event.previous_id,
    }
    key = DETAILS_KEYS[event.type]
    if key is not None:
        answer[key] = _details(event.details or {}, include_data)
    return answer


def _details(details: dict[str, Any], include_data: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    for name, value in details.items():
        if name not in _DATA_MEMBERS:
            answer[name] = value
        elif include_data:
            answer[name] = value
            answer[name + "Details"] = {"truncated": False}
    return answer
