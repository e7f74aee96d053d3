"""Operations on Map Runs. Source: AWS guide, "Viewing Map Runs"; members as recorded (DescribeMapRun)."""

from __future__ import annotations

from typing import Any

import msgspec

from kaidan.runtime.run import MapRun
from kaidan.service import lookup
from kaidan.service.errors import invalid
from kaidan.service.pages import answer, page
from kaidan.service.state import Service
from kaidan.service.wire import moment

_COUNTS = {
    "RUNNING": "running",
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "TIMED_OUT": "timedOut",
    "ABORTED": "aborted",
}
"""Status of a child execution → the count that it is part of."""


def list_map_runs(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """ListMapRuns of an execution, the latest first."""
    arn = params["executionArn"]
    lookup.execution(service, arn)
    map_runs = [each for each in service.engine.map_runs.values() if each.execution_arn == arn]
    keyed = [(-number, each) for number, each in enumerate(map_runs)][::-1]
    found, token = page(service, f"ListMapRuns {arn}", params, keyed, lambda item: [item[0]])
    return answer("mapRuns", [_listed(service, map_run) for _, map_run in found], token)


def _listed(service: Service, map_run: MapRun) -> dict[str, Any]:
    """A Map Run belongs to a machine of its own: `…:stateMachine:name/label`."""
    listed = {
        "executionArn": map_run.execution_arn,
        "mapRunArn": map_run.arn,
        "stateMachineArn": service.arn("stateMachine:" + map_run.arn.split(":")[6]),
        "startDate": moment(map_run.start_ms),
    }
    return listed if map_run.status == "RUNNING" else listed | {"stopDate": moment(map_run.stop_ms)}


def describe_map_run(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """DescribeMapRun."""
    map_run = lookup.map_run(service, params["mapRunArn"])
    settings = map_run.effect
    described = {
        "mapRunArn": map_run.arn,
        "executionArn": map_run.execution_arn,
        "status": map_run.status,
        "startDate": moment(map_run.start_ms),
        "maxConcurrency": settings.max_concurrency,
        "toleratedFailurePercentage": float(settings.tolerated_failure_percentage),
        "toleratedFailureCount": settings.tolerated_failure_count,
        "itemCounts": _counts(service, map_run, 1, map_run.unstarted_items()),
        "executionCounts": _counts(service, map_run, 0, map_run.unstarted_children()),
    }
    if service.revision.redrive:
        described["redriveCount"] = map_run.redrive_count
        if map_run.redrive_count:
            described["redriveDate"] = moment(map_run.redrive_ms)
    return described if map_run.status == "RUNNING" else described | {"stopDate": moment(map_run.stop_ms)}


def _counts(service: Service, map_run: MapRun, which: int, pending: int) -> dict[str, int]:
    """How the children (`which` 0) or their items (1) stand. What was never started stays pending (recorded), and what
    a redrive has still to start again counts as that."""
    counts = {shown: map_run.counts.get(status, (0, 0))[which] for status, shown in _COUNTS.items()}
    counts["pending"] = pending
    queued = sum(count[which] for count in map_run.queued.values())
    counts["total"] = sum(counts.values()) + queued
    counts["resultsWritten"] = counts["total"] if map_run.written else 0
    if service.revision.redrive:
        counts |= {"failuresNotRedrivable": map_run.not_redrivable[which], "pendingRedrive": queued}
    return counts


def update_map_run(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """UpdateMapRun: counts for the children that are still to be started, and for the failures from now on."""
    map_run = lookup.map_run(service, params["mapRunArn"])
    changes = {field: params[member] for member, field in _SETTINGS.items() if member in params}
    if not changes:
        message = f"At least one of these members must be specified: [{', '.join(_SETTINGS)}]"
        raise invalid(message, "MISSING_REQUIRED_PARAMETER")
    if map_run.status != "RUNNING":
        message = f"A Map Run that has ended cannot be updated. Its status is {map_run.status}: '{map_run.arn}'"
        raise invalid(message, "CANNOT_UPDATE_COMPLETED_MAP_RUN")
    map_run.effect = msgspec.structs.replace(map_run.effect, **changes)
    service.engine.maps.update(map_run)
    return {}


_SETTINGS = {
    "maxConcurrency": "max_concurrency",
    "toleratedFailureCount": "tolerated_failure_count",
    "toleratedFailurePercentage": "tolerated_failure_percentage",
}
"""Members of UpdateMapRun → fields of StartMapRun."""
