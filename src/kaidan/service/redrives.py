"""RedriveExecution: who can be redriven, and why others cannot.

Source: API reference, RedriveExecution (`clientToken`) and DescribeExecution (`redriveStatus`, `redriveStatusReason`);
AWS guide, "Redriving executions".
"""

from __future__ import annotations

from collections import deque
from typing import Any

from kaidan.limits import AWS
from kaidan.runtime.run import Run
from kaidan.service import lookup
from kaidan.service.errors import ApiError
from kaidan.service.state import Service
from kaidan.service.wire import moment

REDRIVABLE_MS = 14 * 24 * 3_600_000
"""How long after its end an execution can be redriven."""

CLIENT_TOKENS, CLIENT_TOKEN_MS = 10, 15 * 60_000
"""How many client tokens of one execution are remembered, and for how long after their first use."""


def redrive_execution(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """RedriveExecution: a Standard execution that did not succeed goes on from where it failed. The same client token
    again redrives nothing, and gets the same answer."""
    run = lookup.standard_execution(service, params["executionArn"])
    arn, token, now_ms = run.execution.arn, params.get("clientToken"), service.engine.clock.now_ms()
    used = service.redrives.get(arn, deque())
    for known, redriven_ms in used:
        if token == known and now_ms - redriven_ms <= CLIENT_TOKEN_MS:
            return {"redriveDate": moment(redriven_ms)}
    reason = _reason(service, run)
    if reason is not None:
        raise ApiError("ExecutionNotRedrivable", f"{reason}: '{arn}'")
    lookup.check_room_for_execution(service)
    service.engine.redrive(arn)
    redriven_ms = lookup.execution(service, arn).execution.redrive_ms
    if token is not None:
        _remember(service, arn, token, redriven_ms)
    return {"redriveDate": moment(redriven_ms)}


def _remember(service: Service, arn: str, token: str, redriven_ms: int) -> None:
    """Keep a token, and forget executions of whose tokens none counts any more: those used last come last."""
    known = service.redrives
    known[arn] = known.pop(arn, deque(maxlen=CLIENT_TOKENS))
    known[arn].append((token, redriven_ms))
    while redriven_ms - known[first := next(iter(known))][-1][1] > CLIENT_TOKEN_MS:
        del known[first]


def _reason(service: Service, run: Run) -> str | None:
    """Why this operation cannot redrive an execution."""
    if run.map_run_arn is not None:
        return "Execution can only be redriven by its Map Run"
    return not_redrivable(service, run)


def describe(service: Service, run: Run) -> dict[str, Any]:
    """What DescribeExecution says of it."""
    reason = not_redrivable(service, run)
    if reason is not None:
        return {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}
    return {"redriveStatus": "REDRIVABLE" if run.map_run_arn is None else "REDRIVABLE_BY_MAP_RUN"}


def not_redrivable(service: Service, run: Run) -> str | None:
    """Why an execution cannot be redriven, or None (API reference, DescribeExecution, `redriveStatusReason`)."""
    execution = run.execution
    now_ms = service.engine.clock.now_ms()
    machine = service.machines.get(execution.machine_arn)
    if machine is not None and machine.deleting:
        return "State machine is in DELETING status"
    if execution.status in ("RUNNING", "SUCCEEDED"):
        return f"Execution is {execution.status} and cannot be redriven"
    if execution.next_event_id >= AWS.history_events_max:  # it has 24,999 events or more
        return "Execution history event limit exceeded"
    if now_ms - execution.start_ms > AWS.standard_duration_s_max * 1000:
        return "Execution has exceeded the max execution time"
    if now_ms - execution.stop_ms > REDRIVABLE_MS:
        return "Execution redrivable period exceeded"
    return None
