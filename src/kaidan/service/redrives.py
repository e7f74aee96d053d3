"""RedriveExecution: who can be redriven, and why others cannot.

Source: API reference, RedriveExecution (`clientToken`) and DescribeExecution (`redriveStatus`, `redriveStatusReason`);
AWS guide, "Restarting state machine executions with redrive".
"""

from __future__ import annotations

from typing import Any

from kaidan.asl.machine.execution import Execution
from kaidan.limits import AWS
from kaidan.runtime.redrivable import refusal
from kaidan.runtime.run import Run
from kaidan.service import lookup
from kaidan.service.errors import ApiError
from kaidan.service.state import Service
from kaidan.service.wire import moment


def redrive_execution(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """RedriveExecution: a Standard execution that did not succeed goes on from where it failed. The same client token
    again redrives nothing, and gets the same answer."""
    run = lookup.standard_execution(service, params["executionArn"])
    arn, token = run.execution.arn, params.get("clientToken")
    used = _tokens(run.execution, service.engine.clock.now_ms())
    if token in used:
        return {"redriveDate": moment(used[token])}
    reason = _reason(service, run)
    if reason is not None:
        raise ApiError("ExecutionNotRedrivable", f"{reason}: '{arn}'")
    lookup.check_room_for_execution(service)
    service.engine.redrive(arn)
    execution = lookup.execution(service, arn).execution
    if token is not None:
        used[token] = execution.redrive_ms
    execution.redrive_tokens = list(used.items())[-AWS.redrive_tokens_max :]
    return {"redriveDate": moment(execution.redrive_ms)}


def _tokens(execution: Execution, now_ms: int) -> dict[str, int]:
    """Client tokens that still count, and when each was used."""
    since_ms = now_ms - 1000 * AWS.redrive_token_s_max
    return {token: used_ms for token, used_ms in execution.redrive_tokens if used_ms >= since_ms}


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
    """Why an execution cannot be redriven, or None. A Map Run's child belongs to `…:stateMachine:name/label`."""
    machine = service.machines.get(run.execution.machine_arn.partition("/")[0])
    if machine is not None and machine.deleting:
        return "State machine is in DELETING status"
    return refusal(run.execution, service.engine.clock.now_ms())
