"""Which executions can be redriven: asked by DescribeExecution and RedriveExecution, by Map Runs, and by their results.

Source: API reference, DescribeExecution (`redriveStatusReason`); AWS guide, "Restarting state machine executions with
redrive" and "Redriving Map Runs".
"""

from __future__ import annotations

from kaidan.asl.machine.execution import Execution
from kaidan.limits import AWS


def refusal(execution: Execution, now_ms: int) -> str | None:
    """Why an execution cannot be redriven, in AWS's words, or None. Nothing hinders one that is Express and did not
    succeed: its Map Run begins it anew."""
    if execution.status in ("RUNNING", "SUCCEEDED"):
        return f"Execution is {execution.status} and cannot be redriven"
    if execution.express:
        return None
    if execution.next_event_id >= AWS.history_events_max:  # 24,999 events or more: no room for two
        return "Execution history event limit exceeded"
    if now_ms - execution.start_ms > 1000 * AWS.standard_duration_s_max:
        return "Execution has exceeded the max execution time"
    if now_ms - execution.stop_ms > 1000 * AWS.redrivable_s_max:
        return "Execution redrivable period exceeded"
    return None
