"""Changes of an execution's status, as the events that Step Functions sends to EventBridge.

    {"version": "0", "id": "315c1398-…", "detail-type": "Step Functions Execution Status Change",
     "source": "aws.states", "account": "123456789012", "time": "2026-11-24T12:03:01Z", "region": "us-east-1",
     "resources": ["arn:…:execution:orders:…"],
     "detail": {"executionArn": "arn:…", "stateMachineArn": "arn:…", "name": "…", "status": "RUNNING",
                "startDate": 1762424242123, "stopDate": null, "input": "{}", "inputDetails": {"included": true}, …}}

Source: AWS guide, "Automating Step Functions event delivery with EventBridge"; members as recorded from AWS. Where
events go is for `status_sinks.py` to know.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from kaidan.arns import Arn
from kaidan.asl.machine.execution import Execution
from kaidan.protocol.history import HistoryEvent
from kaidan.runtime.engine import Engine
from kaidan.runtime.run import Run
from kaidan.values import dumps

SOURCE = "aws.states"
DETAIL_TYPE = "Step Functions Execution Status Change"

DATA_BYTES_MAX = 248 * 1024
"""Input and output as escaped text; what is more is left out, the input first (AWS guide, "Remarks")."""

STATUSES = {
    "ExecutionStarted": "RUNNING",
    "ExecutionRedriven": "RUNNING",
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionTimedOut": "TIMED_OUT",
    "ExecutionAborted": "ABORTED",
}
"""The events after which an execution has another status."""

_REDRIVABLE = ("FAILED", "TIMED_OUT")
"""AWS's examples of these events say so, and that an aborted execution is not, which can be redriven all the same."""

StatusChange: TypeAlias = dict[str, Any]
"""An event as above."""

Receive: TypeAlias = Callable[[list[StatusChange]], object]
"""Takes events in their order: a sink itself, or a Delivery to one."""


class StatusChanges:
    """A listener of the engine: hands events on, once the change is saved. Express executions send none."""

    def __init__(self, engine: Engine, receivers: Sequence[Receive]) -> None:
        self._engine = engine
        self._receivers = receivers
        engine.listen(self, STATUSES)

    def __call__(self, run: Run, event: HistoryEvent) -> None:
        if not run.execution.express:
            change = status_change(run.execution, event)
            self._engine.once_saved(lambda: self._hand_on(change))

    def _hand_on(self, change: StatusChange) -> None:
        for receive in self._receivers:
            receive([change])


def status_change(execution: Execution, event: HistoryEvent) -> StatusChange:
    """The event for a change; the execution may be further by now, so that its status is not looked at."""
    arn = Arn.parse(execution.arn)
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": DETAIL_TYPE,
        "source": SOURCE,
        "account": arn.account,
        "time": _iso(event.timestamp_ms),
        "region": arn.region,
        "resources": [execution.arn],
        "detail": _detail(execution, event),
    }


def _detail(execution: Execution, event: HistoryEvent) -> dict[str, Any]:
    status = STATUSES[event.type]
    ended = status != "RUNNING"
    redrivable = status in _REDRIVABLE
    return {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "name": execution.name,
        "status": status,
        "startDate": execution.start_ms,
        "stopDate": event.timestamp_ms if ended else None,
        "stateMachineVersionArn": execution.version_arn,
        "stateMachineAliasArn": execution.alias_arn,
        **_data(execution.sent or execution.input.text, execution.output.text if ended and execution.output else None),
        "redriveCount": execution.redrive_count,
        "redriveDate": _iso(execution.redrive_ms) if execution.redrive_ms else None,
        "redriveStatus": "REDRIVABLE" if redrivable else "NOT_REDRIVABLE",
        "redriveStatusReason": f"Execution is {status} and {'is redrivable' if redrivable else 'cannot be redriven'}",
        "error": execution.error if ended else None,
        "cause": execution.cause if ended else None,
    }


def _data(input: str, output: str | None) -> dict[str, Any]:
    output_bytes = _escaped_bytes(output) if output is not None else 0
    with_input = _escaped_bytes(input) + output_bytes <= DATA_BYTES_MAX
    with_output = output_bytes <= DATA_BYTES_MAX
    return {
        "input": input if with_input else None,
        "inputDetails": {"included": with_input},
        "output": output if with_output else None,
        "outputDetails": {"included": with_output} if output is not None else None,
    }


def _escaped_bytes(text: str) -> int:
    return len(dumps(text).encode()) - 2


def _iso(milliseconds: int) -> str:
    """`2026-11-24T12:03:01Z`"""
    return f"{datetime.datetime.fromtimestamp(milliseconds // 1000, datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


def weight(change: StatusChange) -> int:
    """About how many bytes an event keeps alive."""
    detail = change["detail"]
    return 2_000 + sum(len(detail[name] or "") for name in ("input", "output", "cause"))
