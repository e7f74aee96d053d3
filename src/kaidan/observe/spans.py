"""A history as spans: the execution, its states, a Map's items and Map Runs, and each attempt at a task.

    orders ── Back up each instance ┬ Back up each instance[0] ── Create the image ── ec2:createImage
                                    └ Back up each instance[1] ── …

Events say only which event they follow; where each belongs is worked out here. Pure: knows no tracing library, and
no clock but that of the events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from kaidan.protocol.history import HistoryEvent

Kind = Literal["execution", "state", "iteration", "map run", "task"]


@dataclass(slots=True, eq=False)
class Span:
    """Something that took time. `opened_by` and `closed_by` are event ids, times Unix milliseconds.

    `key` is the same whenever a span is made from the same history, and different for each span of it. `error` is
    what ended it, None where it went well, "" where nothing says; `caught` what its Catcher caught. `aborted`: it was
    not let finish. `done`: a redrive does not go on with it. `restarted_by`: the event since which a Map or Parallel
    has the children that it has.
    """

    key: str
    kind: Kind
    name: str
    type: str
    start_ms: int
    opened_by: int
    inside: Span | None
    end_ms: int = 0
    closed_by: int = 0
    error: str | None = None
    cause: str | None = None
    caught: str | None = None
    aborted: bool = False
    done: bool = False
    restarted_by: int = 0
    attributes: dict[str, str | int] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return not self.closed_by


def spans_of(history: Iterable[HistoryEvent], name: str) -> list[Span]:
    """The spans of a history, since its last redrive if there was one; `name` is the root's."""
    reader = _Reader(name)
    for event in history:
        reader.take(event)
    return [span for span in reader.spans if span.opened_by >= reader.since and not span.open]


Test: TypeAlias = Callable[[Span], bool]

WORK = ("LambdaFunction", "Activity", "Task")
_FAILURES = ("Failed", "TimedOut")


class _Reader:
    """Takes events in their order."""

    def __init__(self, name: str) -> None:
        self.spans: list[Span] = []
        self.since = 0
        self._name = name
        self._root: Span | None = None
        self._at: dict[int, Span] = {}
        """Event id → the span that goes on with it."""
        self._open: dict[int, Span] = {}
        """By `id()`, in the order of their beginnings."""

    def take(self, event: HistoryEvent) -> None:
        if event.type == "ExecutionStarted" or self._root is None:
            self._root = self._begin(event, "execution", self._name, "Execution", None)
            self._at[event.id] = self._root
            return
        before = self._at.get(event.previous_id, self._root)
        self._at[event.id] = self._follow(event, before) or self._root

    def _follow(self, event: HistoryEvent, before: Span) -> Span | None:
        """What the event begins or ends; the answer is the span that goes on with it."""
        type, details = event.type, event.details or {}
        if type == "ExecutionRedriven":
            return self._redriven(event)
        if type.startswith("Execution"):
            return self._ended(event, before)
        if type.endswith("StateEntered"):
            return self._begin(event, "state", details["name"], type.removesuffix("StateEntered"), before)
        if type.endswith("StateExited"):
            return self._exited(event, before, details["name"])
        if type.startswith("MapIteration"):
            return self._iteration(event, before)
        if type.startswith("MapRun"):
            return self._map_run(event, before)
        if type.startswith(("MapState", "ParallelState")):
            return self._container(event, before)
        if type.endswith("StateAborted"):
            return self._aborted(event, before)
        if type.startswith(WORK):
            return self._work(event, before)
        return before

    # --- beginning and ending -----------------------------------------------------------------------------

    def _begin(self, event: HistoryEvent, kind: Kind, name: str, type: str, inside: Span | None) -> Span:
        span = Span(str(event.id), kind, name, type, event.timestamp_ms, event.id, inside)
        return self._add(span)

    def _add(self, span: Span) -> Span:
        self.spans.append(span)
        self._open[id(span)] = span
        return span

    def _end(self, span: Span | None, event: HistoryEvent, error: str | None = None, cause: str | None = None) -> None:
        """End a span, and with it all that is open below it."""
        if span is None or not span.open:
            return
        self._end_below(span, event)
        span.error, span.cause = error, cause
        self._close(span, event)

    def _end_below(self, span: Span, event: HistoryEvent) -> None:
        for each in [each for each in self._open.values() if each is not span and _is_below(each, span)]:
            each.aborted = each.error is None
            self._close(each, event)

    def _abort(self, span: Span, event: HistoryEvent) -> None:
        """AWS calls a state aborted, too, whose own error ended the others."""
        span.aborted = span.error is None
        self._end(span, event, span.error, span.cause)

    def _close(self, span: Span, event: HistoryEvent) -> None:
        span.end_ms, span.closed_by = max(span.start_ms, event.timestamp_ms), event.id
        del self._open[id(span)]

    def _find(self, before: Span, test: Test) -> Span | None:
        """The nearest span around, or (after a redrive, where events do not say) any that is open."""
        at: Span | None = before
        while at is not None:
            if test(at):
                return at
            at = at.inside
        return next((span for span in self._open.values() if test(span)), None)

    # --- what events mean ---------------------------------------------------------------------------------

    def _exited(self, event: HistoryEvent, before: Span, name: str) -> Span | None:
        span = self._find(before, lambda each: each.open and each.kind == "state" and each.name == name)
        if span is None:
            return before
        span.caught, span.done = span.error, True
        self._end(span, event)
        return span.inside

    def _container(self, event: HistoryEvent, before: Span) -> Span | None:
        type = "Map" if event.type.startswith("Map") else "Parallel"
        span = self._find(before, lambda each: each.open and each.kind == "state" and each.type == type)
        if span is None:
            return before
        if event.type.endswith("Started"):
            span.restarted_by = event.id
        elif event.type.endswith("Aborted"):
            self._abort(span, event)
        else:
            self._end_below(span, event)
            failed = event.type.endswith("Failed")
            span.error, span.cause = _failure_below(before, span) if failed else (None, None)
        return span

    def _aborted(self, event: HistoryEvent, before: Span) -> Span | None:
        span = self._find(before, lambda each: each.open and each.kind == "state")
        if span is not None:
            self._abort(span, event)
        return span or before

    def _iteration(self, event: HistoryEvent, before: Span) -> Span | None:
        details = event.details or {}
        name, index = details["name"], details["index"]
        label = f"{name}[{index}]"
        if event.type.endswith("Started"):
            holder = self._find(before, lambda each: each.open and each.kind == "state" and each.name == name)
            span = self._begin(event, "iteration", label, "MapIteration", holder or before)
            span.attributes["aws.states.map.index"] = index
            return span
        found = self._find(before, lambda each: each.open and each.kind == "iteration" and each.name == label)
        if found is not None:
            found.aborted, found.done = event.type.endswith("Aborted"), event.type.endswith("Succeeded")
            error, cause = _failure_below(before, found) if event.type.endswith("Failed") else (None, None)
            self._end(found, event, error, cause)
        return found.inside if found is not None else before

    def _map_run(self, event: HistoryEvent, before: Span) -> Span | None:
        details = event.details or {}
        state = self._find(before, lambda each: each.open and each.kind == "state" and each.type == "Map")
        if event.type in ("MapRunStarted", "MapRunRedriven"):
            span = self._begin(event, "map run", "Map Run", "MapRun", state or before)
            span.key = details["mapRunArn"] + (f"#{event.id}" if event.type == "MapRunRedriven" else "")
            span.attributes["aws.states.map_run.arn"] = details["mapRunArn"]
            return state or before
        run = next((each for each in self._open.values() if each.kind == "map run" and each.inside is state), None)
        if run is not None:
            run.aborted = event.type.endswith("Aborted")
            self._end(run, event, details.get("error"), details.get("cause"))
        if state is not None and event.type.endswith("Failed"):
            state.error, state.cause = details.get("error"), details.get("cause")
        return state or before

    def _work(self, event: HistoryEvent, before: Span) -> Span | None:
        details = event.details or {}
        if event.type.endswith("Scheduled"):
            return self._scheduled(event, before, details)
        task = before if before.kind == "task" and before.open else None
        if event.type.endswith(("Started", "Submitted")):
            return before
        failed = event.type.endswith(_FAILURES)
        error = details.get("error", "States.Timeout" if event.type.endswith("TimedOut") else "States.TaskFailed")
        self._end(task, event, error if failed else None, details.get("cause") if failed else None)
        state = task.inside if task is not None else before
        if state is not None:
            state.error, state.cause = (error, details.get("cause")) if failed else (None, None)
        return state

    def _scheduled(self, event: HistoryEvent, before: Span, details: dict[str, Any]) -> Span:
        resource = _resource(details)
        state = before if before.kind == "state" else self._idle_task(resource) or before
        span = self._begin(event, "task", _short(resource), event.type.removesuffix("Scheduled"), state)
        span.attributes["aws.states.resource"] = resource
        state.attributes["aws.states.resource"] = resource
        return span

    def _idle_task(self, resource: str) -> Span | None:
        """After a redrive: a Task that goes on, with this resource if one has it."""
        idle = [
            span
            for span in self._open.values()
            if span.type == "Task" and span.kind == "state" and not any(e.inside is span for e in self._open.values())
        ]
        same = (span for span in idle if span.attributes.get("aws.states.resource") == resource)
        return next(same, idle[0] if idle else None)

    # --- the whole execution ------------------------------------------------------------------------------

    def _ended(self, event: HistoryEvent, before: Span) -> Span | None:
        details, root = event.details or {}, self._root
        failed = event.type.endswith(_FAILURES)
        error = details.get("error") or ("States.Timeout" if event.type.endswith("TimedOut") else "States.Runtime")
        cause = details.get("cause")
        at: Span | None = before if failed else None
        while at is not None and at is not root:
            inside = at.inside
            if at.open:
                self._end(at, event, error, cause)
            at = inside
        if root is not None:
            root.aborted = event.type.endswith("Aborted")
            self._end(root, event, error if failed else None, cause if failed else None)
        return root

    def _redriven(self, event: HistoryEvent) -> Span | None:
        """What had not come to an end by itself goes on, from the execution downwards."""
        root = self._root
        assert root is not None
        again: dict[int, Span] = {}
        for span in list(self.spans):
            inside = again.get(id(span.inside))
            if span is root or (inside is not None and _goes_on(span)):
                key = f"{event.id}.{len(again)}"
                copy = Span(key, span.kind, span.name, span.type, event.timestamp_ms, event.id, inside)
                copy.attributes = dict(span.attributes)
                again[id(span)] = self._add(copy)
        self.since, self._root = event.id, again.get(id(root), root)
        for event_id, span in self._at.items():
            self._at[event_id] = again.get(id(span), span)
        return self._root


def _goes_on(span: Span) -> bool:
    """Neither done, nor of an attempt at a Map or Parallel that was followed by another."""
    before = span.inside.restarted_by if span.inside is not None else 0
    return not span.done and span.kind in ("state", "iteration") and span.opened_by > before


def _is_below(span: Span, above: Span) -> bool:
    at = span.inside
    while at is not None and at is not above:
        at = at.inside
    return at is above


def _failure_below(before: Span, above: Span) -> tuple[str, str | None]:
    """The error of what failed inside a span; a Fail state does not say its own."""
    at: Span | None = before
    while at is not None:
        if at.error is not None:
            return at.error, at.cause
        if at is above:
            break
        at = at.inside
    return "", None


def _resource(details: dict[str, Any]) -> str:
    """`ec2:createImage`, or the ARN of a function or an activity."""
    resource: str = details.get("resource", "")
    type = details.get("resourceType")
    return resource if type is None else f"{type.removeprefix('aws-sdk:')}:{resource}"


def _short(resource: str) -> str:
    """`lambda:resize` and `activity:approve` of ARNs."""
    for kind, short in ((":function:", "lambda:"), (":activity:", "activity:")):
        if kind in resource:
            return short + resource.partition(kind)[2]
    return resource
