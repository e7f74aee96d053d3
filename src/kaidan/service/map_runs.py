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
    counts = _counts(service, map_run)
    described = {
        "mapRunArn": map_run.arn,
        "executionArn": map_run.execution_arn,
        "status": map_run.status,
        "startDate": moment(map_run.start_ms),
        "maxConcurrency": settings.max_concurrency,
        "toleratedFailurePercentage": float(settings.tolerated_failure_percentage),
        "toleratedFailureCount": settings.tolerated_failure_count,
        "itemCounts": counts,
        "executionCounts": dict(counts),
    }
    if service.revision.redrive:
        described["redriveCount"] = 0
    return described if map_run.status == "RUNNING" else described | {"stopDate": moment(map_run.stop_ms)}


def _counts(service: Service, map_run: MapRun) -> dict[str, int]:
    """How the children stand; those that were never started are pending while the run goes on, then aborted."""
    counts = dict.fromkeys(_COUNTS.values(), 0)
    children = lookup.children(service, map_run.arn)
    for child in children:
        counts[_COUNTS[child.status]] += 1
    unstarted = map_run.effect.item_count - len(children)
    running = map_run.status == "RUNNING"
    counts["pending"] = unstarted if running else 0
    counts["aborted"] += 0 if running else unstarted
    counts["total"] = sum(counts.values())
    counts["resultsWritten"] = 0 if running else counts["succeeded"]
    return counts | ({"failuresNotRedrivable": 0, "pendingRedrive": 0} if service.revision.redrive else {})


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
    service.engine.update_map_run(map_run)
    return {}


_SETTINGS = {
    "maxConcurrency": "max_concurrency",
    "toleratedFailureCount": "tolerated_failure_count",
    "toleratedFailurePercentage": "tolerated_failure_percentage",
}
"""Members of UpdateMapRun → fields of StartMapRun."""
