"""Counters with the names of CloudWatch's AWS/States metrics, in the text form that Prometheus reads.

    # HELP aws_states_executions_started_total ExecutionsStarted: executions that were started.
    # TYPE aws_states_executions_started_total counter
    aws_states_executions_started_total{state_machine_arn="arn:aws:states:…:stateMachine:orders"} 3

Names are AWS's in Prometheus's spelling; times are in seconds where AWS has milliseconds. Child executions of a
machine's Map Runs are counted together, under `…:stateMachine:orders/*`: there may be a label for each run.

Counts begin with the process. Source: AWS guide, "Monitoring Step Functions metrics using Amazon CloudWatch"; the
form is Prometheus's text format 0.0.4.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from kaidan.protocol.history import HistoryEvent
from kaidan.runtime import keeping
from kaidan.runtime.engine import Engine
from kaidan.runtime.run import Run
from kaidan.store.contract import Query

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600, 21_600, 86_400)
"""Upper bounds of ExecutionTime's buckets."""


class Family(NamedTuple):
    """A metric: AWS's name, its kind to Prometheus, what it says, and the label beside the state machine's."""

    name: str
    kind: str
    help: str
    label: str = ""

    @property
    def full_name(self) -> str:
        """`aws_states_executions_started_total`; Kaidan's own metrics say so."""
        origin = "kaidan" if self.name.startswith("MapRuns") else "aws_states"
        snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.name).lower()
        unit = "_total" if self.kind == "counter" else "" if self.kind == "gauge" else "_seconds"
        return f"{origin}_{snake}{unit}"


# --- the table --------------------------------------------------------------------------------------------

_ENDS = {
    "Succeeded": "that succeeded",
    "Failed": "that failed",
    "TimedOut": "that timed out",
    "Aborted": "that were aborted",
}

_WORK = {
    "Task": ("ServiceIntegrations", "service_integration_resource_arn", "service tasks"),
    "LambdaFunction": ("LambdaFunctions", "lambda_function_arn", "Lambda functions"),
    "Activity": ("Activities", "activity_arn", "activities"),
}
"""Beginning of event types → beginning of metrics, the label that names what does the work, in words."""

_WORK_ENDS = {
    "Succeeded": "Succeeded",
    "Failed": "Failed",
    "ScheduleFailed": "Failed",
    "StartFailed": "Failed",
    "SubmitFailed": "Failed",
    "TimedOut": "TimedOut",
}
_SINGULAR = {"ServiceIntegrations": "ServiceIntegration", "LambdaFunctions": "LambdaFunction", "Activities": "Activity"}


def _families() -> Iterator[Family]:
    yield Family("OpenExecutionCount", "gauge", "executions that are running.")
    yield Family("ExecutionTime", "histogram", "from the start of an execution to its end.")
    yield Family("ExecutionsStarted", "counter", "executions that were started.")
    yield from (Family(f"Executions{end}", "counter", f"executions {words}.") for end, words in _ENDS.items())
    yield Family("ExecutionsRedriven", "counter", "executions that were redriven.")
    for end, words in _ENDS.items():
        yield Family(f"RedrivenExecutions{end}", "counter", f"redriven executions {words}.")
    yield Family("ExpressExecutionBilledDuration", "summary", "Express executions, in steps of 100 ms.")
    for plural, label, words in _WORK.values():
        yield from _families_of_work(plural, label, words)
    yield Family("ApproximateOpenMapRunCount", "gauge", "Map Runs that are running.")
    for end in ("Started", "Succeeded", "Failed", "Aborted", "Redriven"):
        yield Family(f"MapRuns{end}", "counter", f"Map Runs: {end.lower()}.")


def _families_of_work(plural: str, label: str, words: str) -> Iterator[Family]:
    for what in ("Scheduled", "Started", "Succeeded", "Failed", "TimedOut"):
        said = "timed out" if what == "TimedOut" else what.lower()
        yield Family(plural + what, "counter", f"{words}: {said}.", label)
    if plural == "Activities":
        yield Family("ActivitiesHeartbeatTimedOut", "counter", f"{words}: no heartbeat in time.", label)
    for what, between in (
        ("ScheduleTime", "scheduled to started"),
        ("RunTime", "started to closed"),
        ("Time", "scheduled to closed"),
    ):
        yield Family(_SINGULAR[plural] + what, "summary", f"{words}: {between}.", label)


FAMILIES: dict[str, Family] = {family.name: family for family in _families()}
"""Every metric by AWS's name, in the order in which they are shown."""

Key: TypeAlias = tuple[str, str]
"""State machine and what does the work ("" for executions)."""


# --- what is counted --------------------------------------------------------------------------------------


class Metrics:
    """The numbers of all engines that are watched, which run on one thread."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[Key, int]] = {
            name: {} for name, family in FAMILIES.items() if family.kind == "counter"
        }
        self._times: dict[str, dict[Key, list[int]]] = {
            name: {} for name, family in FAMILIES.items() if family.kind in ("histogram", "summary")
        }
        """The number of values, their sum in milliseconds, and for a histogram how many are in each bucket."""
        self._engines: list[Engine] = []
        self.open = 0

    def watch(self, engine: Engine) -> None:
        """Count what happens on an engine from now on; called before it goes on with what it recovered."""
        self.open += _open_executions(engine)
        self._engines.append(engine)
        engine.listen(Watch(self, engine), _TAKE)

    def count(self, name: str, key: Key) -> None:
        counts = self._counts[name]
        counts[key] = counts.get(key, 0) + 1

    def time(self, name: str, key: Key, milliseconds: int) -> None:
        times = self._times[name].get(key)
        if times is None:
            buckets = len(BUCKETS_S) + 1 if FAMILIES[name].kind == "histogram" else 0
            times = self._times[name][key] = [0] * (2 + buckets)
        milliseconds = max(0, milliseconds)
        times[0] += 1
        times[1] += milliseconds
        if len(times) > 2:
            times[2 + bisect_left(BUCKETS_S, milliseconds / 1000)] += 1

    # --- the text -----------------------------------------------------------------------------------------

    def render(self) -> str:
        """Everything, as Prometheus reads it."""
        return "".join(f"{line}\n" for family in FAMILIES.values() for line in self._lines(family))

    def _lines(self, family: Family) -> Iterator[str]:
        yield from header(family.full_name, family.kind, f"{family.name}: {family.help}")
        if family.name == "OpenExecutionCount":
            yield f"{family.full_name} {self.open}"
        elif family.kind == "gauge":
            yield f"{family.full_name} {self._open_map_runs()}"
        elif family.kind == "counter":
            for key, count in self._counts[family.name].items():
                yield f"{family.full_name}{_labels(family, key)} {count}"
        else:
            for key, times in self._times[family.name].items():
                yield from _lines_of_times(family, key, times)

    def _open_map_runs(self) -> int:
        return sum(run.status == "RUNNING" for engine in self._engines for run in engine.map_runs.values())


def _open_executions(engine: Engine) -> int:
    """How many executions are under way that have said so: those that have not begun yet still will."""
    if engine.store is None:
        return sum(
            run.execution.status == "RUNNING" and run.execution.next_event_id > 1 for run in engine.runs.values()
        )
    begun = engine.store.count(Query(status="RUNNING"))
    return begun - sum(keeping.execution_of(row).next_event_id == 1 for row in engine.store.pending())


def header(name: str, kind: str, help: str) -> Iterator[str]:
    """The two lines before a metric's values."""
    yield f"# HELP {name} {help}"
    yield f"# TYPE {name} {kind}"


def _labels(family: Family, key: Key, more: str = "") -> str:
    labels = [f'state_machine_arn="{_escaped(key[0])}"']
    if family.label:
        labels.append(f'{family.label}="{_escaped(key[1])}"')
    return "{" + ",".join([*labels, more] if more else labels) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _lines_of_times(family: Family, key: Key, times: list[int]) -> Iterator[str]:
    seen = 0
    for bound, count in zip((*BUCKETS_S, "+Inf"), times[2:], strict=False):
        seen += count
        labels = _labels(family, key, f'le="{bound}"')
        yield f"{family.full_name}_bucket{labels} {seen}"
    yield f"{family.full_name}_sum{_labels(family, key)} {times[1] / 1000}"
    yield f"{family.full_name}_count{_labels(family, key)} {times[0]}"


# --- how it is counted ------------------------------------------------------------------------------------


class Attempt(NamedTuple):
    """Work under way: what does it, since when, and when its TimeoutSeconds are over. Unix milliseconds; 0 for none."""

    resource: str
    scheduled_ms: int
    due_ms: int = 0
    started_ms: int = 0

    @classmethod
    def scheduled(cls, event: HistoryEvent) -> Attempt:
        details = event.details or {}
        timeout_s = details.get("timeoutInSeconds")
        due_ms = event.timestamp_ms + 1000 * timeout_s if timeout_s is not None else 0
        return cls(_resource(details), event.timestamp_ms, due_ms)


UNKNOWN = Attempt("", 0)


class Watch:
    """A listener of one engine, for the events in `_TAKE`."""

    def __init__(self, metrics: Metrics, engine: Engine) -> None:
        self.metrics = metrics
        self._engine = engine
        self._attempts: dict[str, dict[int, Attempt]] = {}
        """Execution → the last event of work under way → that work."""

    def __call__(self, run: Run, event: HistoryEvent) -> None:
        _TAKE[event.type](self, run, event)

    def begin(self, run: Run, event: HistoryEvent, attempt: Attempt) -> None:
        """Work goes on: its next event will point to this one."""
        self._attempts.setdefault(run.execution.arn, {})[event.id] = attempt

    def attempt(self, run: Run, event: HistoryEvent) -> Attempt:
        """The work that an event is about; after a restart it is found in the history."""
        attempts = self._attempts.get(run.execution.arn)
        known = attempts.pop(event.previous_id, None) if attempts is not None else None
        return known or self._recalled(run, event.previous_id)

    def forget(self, run: Run) -> None:
        self._attempts.pop(run.execution.arn, None)

    def _recalled(self, run: Run, event_id: int) -> Attempt:
        started_ms = 0
        for _ in range(3):
            event = self._event(run, event_id)
            if event is None or not event.type.startswith(tuple(_WORK)):
                break
            if event.type.endswith("Scheduled"):
                return Attempt.scheduled(event)._replace(started_ms=started_ms)
            if event.type.endswith("Started"):
                started_ms = event.timestamp_ms
            event_id = event.previous_id
        return UNKNOWN

    def _event(self, run: Run, event_id: int) -> HistoryEvent | None:
        found = [event for event in run.history if event.id == event_id]
        store = self._engine.store
        if not found and store is not None and store.durable:
            found = store.history(run.execution.arn, event_id, 1)
        return found[0] if found else None


def _machine(run: Run) -> str:
    own, slash, _ = run.execution.machine_arn.partition("/")
    return own + "/*" if slash else own


def _resource(details: dict[str, Any]) -> str:
    type = details.get("resourceType")
    return _integration_arn(type, details["resource"]) if type is not None else str(details.get("resource", ""))


@lru_cache(maxsize=1024)
def _integration_arn(type: str, resource: str) -> str:
    return f"arn:aws:states:::{type}:{resource}"


Take: TypeAlias = Callable[[Watch, Run, HistoryEvent], None]


def _execution_started(watch: Watch, run: Run, event: HistoryEvent) -> None:
    watch.metrics.open += 1
    watch.metrics.count("ExecutionsStarted", (_machine(run), ""))


def _execution_redriven(watch: Watch, run: Run, event: HistoryEvent) -> None:
    watch.metrics.open += 1
    watch.metrics.count("ExecutionsRedriven", (_machine(run), ""))


def _execution_ended(end: str) -> Take:
    ended, redriven = f"Executions{end}", f"RedrivenExecutions{end}"

    def take(watch: Watch, run: Run, event: HistoryEvent) -> None:
        metrics, execution, key = watch.metrics, run.execution, (_machine(run), "")
        took_ms = event.timestamp_ms - execution.start_ms
        watch.forget(run)
        metrics.open -= 1
        metrics.count(ended, key)
        metrics.time("ExecutionTime", key, took_ms)
        if execution.redrive_count:
            metrics.count(redriven, key)
        if execution.express:
            metrics.time("ExpressExecutionBilledDuration", key, max(100, -(-took_ms // 100) * 100))

    return take


def _map_run(name: str) -> Take:
    return lambda watch, run, event: watch.metrics.count(name, (_machine(run), ""))


def _scheduled(plural: str) -> Take:
    scheduled = f"{plural}Scheduled"

    def take(watch: Watch, run: Run, event: HistoryEvent) -> None:
        attempt = Attempt.scheduled(event)
        watch.begin(run, event, attempt)
        watch.metrics.count(scheduled, (_machine(run), attempt.resource))

    return take


def _started(plural: str) -> Take:
    started, schedule_time = f"{plural}Started", f"{_SINGULAR[plural]}ScheduleTime"

    def take(watch: Watch, run: Run, event: HistoryEvent) -> None:
        attempt = watch.attempt(run, event)
        key = (_machine(run), attempt.resource)
        watch.begin(run, event, attempt._replace(started_ms=event.timestamp_ms))
        watch.metrics.count(started, key)
        if attempt.scheduled_ms:
            watch.metrics.time(schedule_time, key, event.timestamp_ms - attempt.scheduled_ms)

    return take


def _submitted(watch: Watch, run: Run, event: HistoryEvent) -> None:
    watch.begin(run, event, watch.attempt(run, event))


def _work_ended(plural: str, end: str) -> Take:
    ended, run_time, time = plural + end, f"{_SINGULAR[plural]}RunTime", f"{_SINGULAR[plural]}Time"

    def take(watch: Watch, run: Run, event: HistoryEvent) -> None:
        attempt, metrics = watch.attempt(run, event), watch.metrics
        key = (_machine(run), attempt.resource)
        metrics.count(ended, key)
        if ended == "ActivitiesTimedOut" and (not attempt.due_ms or event.timestamp_ms < attempt.due_ms):
            metrics.count("ActivitiesHeartbeatTimedOut", key)
        if attempt.started_ms:
            metrics.time(run_time, key, event.timestamp_ms - attempt.started_ms)
        if attempt.scheduled_ms:
            metrics.time(time, key, event.timestamp_ms - attempt.scheduled_ms)

    return take


def _takes() -> Iterator[tuple[str, Take]]:
    yield "ExecutionStarted", _execution_started
    yield "ExecutionRedriven", _execution_redriven
    yield from ((f"Execution{end}", _execution_ended(end)) for end in _ENDS)
    for what in ("Started", "Succeeded", "Failed", "Aborted", "Redriven"):
        yield f"MapRun{what}", _map_run(f"MapRuns{what}")
    for prefix, (plural, _, _) in _WORK.items():
        yield f"{prefix}Scheduled", _scheduled(plural)
        yield f"{prefix}Started", _started(plural)
        yield f"{prefix}Submitted", _submitted
        yield from ((prefix + event, _work_ended(plural, end)) for event, end in _WORK_ENDS.items())


_TAKE: dict[str, Take] = dict(_takes())


def lost_lines(lost: Iterable[tuple[str, int]]) -> Iterator[str]:
    """What deliveries have lost, as a metric."""
    yield from header("kaidan_observations_lost_total", "counter", "Records and events that could not be delivered.")
    yield from (f'kaidan_observations_lost_total{{to="{_escaped(name)}"}} {count}' for name, count in lost)
