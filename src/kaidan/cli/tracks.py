"""Who did what in a history: each event belongs to a track, that is the execution itself, a branch or an iteration.

    root ── Back up each instance ┬ [0] Create the image
                                  └ [1] Wait a while

Events say only which event they follow; the rest is worked out here, the same for an execution that is under way
and for one that AWS recorded. Knows history events; knows no engine, no clock and no screen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kaidan.cli.text import one_line
from kaidan.protocol.history import HistoryEvent

CONTAINERS = ("Map", "Parallel")
LASTING = ("Task", "Wait", *CONTAINERS)
"""Types of states that take time; the others are passed through at once."""

KEPT_MAX = 8
"""A Map of so many items keeps those that have ended; of a larger one only the numbers remain."""

_FAILURES = ("Failed", "TimedOut")


@dataclass(slots=True, eq=False)
class Visit:
    """A state in one track: the latest visit of it, and how many there were.

    `failures` counts the attempts of this visit that failed; `caught` says that it was left by a Catcher.
    For Map and Parallel: `total` children (0 while unknown, as where an ItemReader brings the items), how many have
    `begun` and are `done`, how many of these `failed`, and `lanes`: how many of them are in which state.
    """

    name: str
    type: str
    entered_ms: int = 0
    exited_ms: int | None = None
    count: int = 0
    resource: str = ""
    failures: int = 0
    error: str | None = None
    cause: str | None = None
    caught: bool = False
    last: HistoryEvent | None = None
    total: int = 0
    begun: int = 0
    done: int = 0
    failed: int = 0
    children: dict[int, Track] = field(default_factory=dict)
    lanes: dict[str, int] = field(default_factory=dict)

    def enter(self, event: HistoryEvent) -> None:
        """Begin a visit: nothing of the one before remains but the number of visits."""
        self.entered_ms, self.exited_ms, self.count = event.timestamp_ms, None, self.count + 1
        self.failures, self.error, self.cause, self.caught = 0, None, None, False
        self.open_children(0)

    @property
    def size(self) -> int:
        """How many children it has, as far as that is known."""
        return max(self.total, self.begun)

    def begin(self, child: Track) -> None:
        self.children[child.index] = child
        self.begun += 1

    def open_children(self, total: int) -> None:
        self.total, self.begun, self.done, self.failed = total, 0, 0, 0
        self.children, self.lanes = {}, {}


@dataclass(slots=True, eq=False)
class Track:
    """One thread of control. `inside` is the Map or Parallel that it belongs to, `parent` that state's track.

    `latest` is the visit that began last. `ended`: SUCCEEDED, FAILED, TIMED_OUT, ABORTED, or nothing yet; branches
    never say that they end.
    """

    index: int = 0
    parent: Track | None = None
    inside: Visit | None = None
    latest: Visit | None = None
    visits: dict[str, Visit] = field(default_factory=dict)
    ended: str = ""

    @property
    def open(self) -> Visit | None:
        """The state that it is in, None between two states and at the end."""
        return None if self.latest is None or self.latest.exited_ms is not None else self.latest

    @property
    def depth(self) -> int:
        return 0 if self.parent is None else self.parent.depth + 1

    @property
    def label(self) -> str:
        """`[3]` for the item or branch 3, `[3][0]` for the first one inside it; nothing for the execution."""
        return "" if self.parent is None else f"{self.parent.label}[{self.index}]"

    def child(self, index: int) -> Track:
        """A new track of the container that this track is in."""
        child = Track(index, self, self.open)
        if self.open is not None:
            self.open.begin(child)
        return child

    def enter(self, name: str, type: str, event: HistoryEvent) -> None:
        visit = self.visits.get(name)
        if visit is None:
            visit = self.visits[name] = Visit(name, type)
        visit.enter(event)
        self.latest = visit
        self._count_in_lane(visit, 1)

    def exit(self, event: HistoryEvent) -> None:
        visit = self.open
        if visit is not None:
            self._count_in_lane(visit, -1)
            visit.exited_ms = event.timestamp_ms
            visit.caught = visit.last is not None and is_failure(visit.last.type)
            visit.children = {}

    def end(self, status: str) -> None:
        """The track is over: its container counts it, and keeps it only where there are few."""
        self.ended = status
        container = self.inside
        if container is None:
            return
        container.done += status != "ABORTED"
        container.failed += status in ("FAILED", "TIMED_OUT")
        if self.open is not None:
            self._count_in_lane(self.open, -1)
        if container.size > KEPT_MAX:
            container.children.pop(self.index, None)

    def _count_in_lane(self, visit: Visit, change: int) -> None:
        if self.inside is not None and visit.type in LASTING:
            lanes = self.inside.lanes
            lanes[visit.name] = lanes.get(visit.name, 0) + change


class Tracks:
    """The tracks of one history: give it every event in turn."""

    def __init__(self, root: Track | None = None) -> None:
        self.root = root or Track()
        self._of: dict[int, Track] = {}
        self._forks: set[int] = set()
        """Ids of the events that begin a Parallel state's branches."""

    def of(self, event_id: int) -> Track:
        """The track of an event that has been taken."""
        return self._of.get(event_id, self.root)

    def take(self, event: HistoryEvent) -> tuple[Track, Visit | None]:
        """Take an event in. The answer: the track it belongs to, and the visit (None between states)."""
        track = self._find(event)
        self._of[event.id] = track
        if event.type == "ParallelStateStarted":
            self._forks.add(event.id)
        visit = track.open
        _apply(track, event)
        visit = track.open or visit
        if visit is not None:
            visit.last = event
        return track, visit

    def _find(self, event: HistoryEvent) -> Track:
        before, type, details = self.of(event.previous_id), event.type, event.details or {}
        if type.startswith("Execution"):
            return self.root
        if type == "MapIterationStarted":
            return _holder(before, event, "Map", details["name"]).child(details["index"])
        if type.startswith("MapIteration"):
            return _iteration(before, details["name"], details["index"])
        if type.endswith("StateEntered"):
            return self._entering(before, event)
        if type == "EvaluationFailed":
            return _evaluating(before, details.get("state"))
        container = next((kind for kind in CONTAINERS if type.startswith(kind)), None)
        if container is not None:
            return _holder(before, event, container, details.get("name"))
        return before

    def _entering(self, before: Track, event: HistoryEvent) -> Track:
        """The first states of branches follow ParallelStateStarted, one after the other."""
        if event.previous_id not in self._forks or before.open is None:
            return before
        return before.child(len(before.open.children))


def _holder(track: Track, event: HistoryEvent, type: str, name: str | None) -> Track:
    """The track that is in a Map or Parallel, from a track that may lie below it.

    A Map that has failed says so once: the next MapStateFailed is that of the one around it.
    """
    at: Track | None = track
    while at is not None:
        visit = at.open
        if visit is not None and not at.ended and visit.type == type and name in (None, visit.name):
            said = visit.last is not None and visit.last.type == event.type and is_failure(event.type)
            if not said:
                return at
        at = at.parent
    return track


def _iteration(track: Track, name: str, index: int) -> Track:
    at: Track | None = track
    while at is not None:
        if at.inside is not None and (at.inside.name, at.index) == (name, index):
            return at
        at = at.parent
    return track


def _evaluating(track: Track, state: str | None) -> Track:
    """The event names its state, and may follow what came before the state: that is the container, for a branch."""
    if track.open is None or track.open.name == state:
        return track
    return next((c for c in track.open.children.values() if c.open and c.open.name == state), track)


def _apply(track: Track, event: HistoryEvent) -> None:
    type, details = event.type, event.details or {}
    if type.endswith("StateEntered"):
        track.enter(details["name"], type.removesuffix("StateEntered"), event)
    elif type.endswith("StateExited"):
        track.exit(event)
    elif type.startswith("Execution") and type != "ExecutionStarted" and type != "ExecutionRedriven":
        track.end(STATUSES[type.removeprefix("Execution")])
    elif type.startswith("MapIteration") and type != "MapIterationStarted":
        track.end(STATUSES[type.removeprefix("MapIteration")])
    elif track.open is not None:
        _apply_inside(track.open, event, details)


STATUSES = {"Succeeded": "SUCCEEDED", "Failed": "FAILED", "TimedOut": "TIMED_OUT", "Aborted": "ABORTED"}


def _apply_inside(visit: Visit, event: HistoryEvent, details: dict[str, Any]) -> None:
    type = event.type
    if type in ("MapStateStarted", "ParallelStateStarted"):
        visit.open_children(details.get("length", 0))
    elif is_failure(type):
        visit.failures += 1
        visit.error, visit.cause = details.get("error", visit.error), details.get("cause", visit.cause)
    elif type.endswith("Scheduled"):
        visit.resource = short_resource(details)


def is_failure(type: str) -> bool:
    """Whether an event says that an attempt at a state's work failed."""
    return type.endswith(_FAILURES) and not type.startswith(("Execution", "MapIteration"))


def short_resource(details: dict[str, Any]) -> str:
    """What a task calls, in short: `ec2:createImage`, `lambda:resize`, `activity:approve`."""
    resource: str = details.get("resource", "")
    if "resourceType" in details:
        return f"{details['resourceType'].removeprefix('aws-sdk:')}:{resource}"
    for kind in (":function:", ":activity:"):
        if kind in resource:
            return f"{'lambda' if 'function' in kind else 'activity'}:{resource.partition(kind)[2]}"
    return resource


def detail_of(event: HistoryEvent) -> str:
    """What a person looks for in an event, in one line."""
    details = event.details or {}
    if event.type.endswith("Scheduled"):
        return one_line(f"{short_resource(details)} {details.get('parameters') or details.get('input') or ''}")
    if "length" in details:
        return f"{details['length']:,} items"
    said = [str(details[key]) for key in ("error", "cause", "input", "output", "mapRunArn") if details.get(key)]
    return one_line(": ".join(said))
