"""Progress without a terminal: a line for each thing worth knowing, with the time in the execution's own clock.

    12:03:02  Find instances           ec2:describeInstances
    12:03:02  Back up each instance    3 items
    12:03:02    [0] Create the image   ec2:createImage
    12:03:02    [0] Wait a while       until 12:04:02

The items of a large Map get no lines of their own: every tenth part done is one; where nobody knows how many there
will be, 10, 20 … 100, 200 … 1,000 and so on.
"""

from __future__ import annotations

from typing import NamedTuple

from kaidan.cli.problems import say
from kaidan.cli.progress import Due, Progress, clock_time, duration, progress_of, waits
from kaidan.cli.text import cells, cut, one_line
from kaidan.cli.tracks import Track, Visit, is_failure
from kaidan.protocol.history import HistoryEvent
from kaidan.runtime.engine import Engine, Run

ITEMS_MAX = 20
"""A Map of more items than this is shown by numbers only."""

NAME_CELLS_MIN, NAME_CELLS_MAX = 24, 48
REASON_CELLS_MAX = 160


class Line(NamedTuple):
    """What is to be said of an event, once it is known what the engine made of it."""

    event: HistoryEvent
    track: Track
    visit: Visit
    detail: str


class Lines:
    """A listener of the engine that prints. Lines wait until the engine has set the timers they speak of."""

    def __init__(self, engine: Engine, name_cells: int) -> None:
        self._engine = engine
        self._name_cells = max(NAME_CELLS_MIN, min(name_cells, NAME_CELLS_MAX))
        self._progress = Progress()
        self._pending: list[Line] = []
        engine.listen(self)

    def __call__(self, run: Run, event: HistoryEvent) -> None:
        track, visit = self._progress.take(run, event)
        if _is_hidden(track):
            track, visit = _milestone(track)
        elif visit is None or not _is_said(visit, event):
            return
        if visit is None:
            return
        if not self._pending:
            self._engine.wake(self.flush)
        self._pending.append(Line(event, track, visit, _detail(event, visit)))

    def flush(self) -> None:
        """Print what has come together."""
        if self._pending:
            due = waits(self._engine, self._progress)
            pending, self._pending = self._pending, []
            say("\n".join(self._text(line, due) for line in pending))

    def close(self) -> None:
        self.flush()

    def _text(self, line: Line, due: Due) -> str:
        event, track, visit, detail = line
        label = f"{'  ' * track.depth}[{track.index}] " if track.parent is not None else ""
        name = cut(label + visit.name, self._name_cells)
        detail = detail or _outlook(event, visit, due)
        gap = " " * (self._name_cells - cells(name))
        return f"{clock_time(event.timestamp_ms)}  {name}{gap}  {detail}".rstrip()


def _is_hidden(track: Track) -> bool:
    at: Track | None = track
    while at is not None:
        if at.inside is not None and at.inside.size > ITEMS_MAX:
            return True
        at = at.parent
    return False


def _milestone(track: Track) -> tuple[Track, Visit | None]:
    """The large Map that a hidden track belongs to, when so many of its items have ended that it is worth a line."""
    container, parent = track.inside, track.parent
    if track.ended in ("", "ABORTED") or container is None or parent is None or _is_hidden(parent):
        return track, None
    done, total = container.done, container.total
    if total:
        reached = (done - 1) * 10 // total != done * 10 // total
    else:
        reached = int(str(done)[1:] or 1) == 0
    return (parent, container) if reached else (track, None)


_AT_ONCE = ("PassStateEntered", "ChoiceStateEntered", "SucceedStateEntered", "FailStateEntered")
_SAID = (
    "WaitStateEntered", "TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled",
    "MapStateStarted", "ParallelStateStarted", "MapStateSucceeded", "ParallelStateSucceeded",
)  # fmt: skip


def _is_said(visit: Visit, event: HistoryEvent) -> bool:
    """States that take no time are named when they are first visited; in a loop they would only be noise."""
    if event.type in _AT_ONCE:
        return visit.count == 1
    return event.type in _SAID or is_failure(event.type)


def _detail(event: HistoryEvent, visit: Visit) -> str:
    """What the history says by itself."""
    if event.type.endswith("Scheduled"):
        return visit.resource + (f" (attempt {visit.failures + 1})" if visit.failures else "")
    if event.type == "MapStateStarted" and visit.total:
        return f"{visit.total:,} item{'' if visit.total == 1 else 's'}"
    if event.type.endswith("StateSucceeded"):
        return f"done in {duration(event.timestamp_ms - visit.entered_ms)}"
    if event.type.startswith(("MapIteration", "Execution")):
        return progress_of(visit)
    return ""


def _outlook(event: HistoryEvent, visit: Visit, due: Due) -> str:
    """What the engine has in mind: how long a Wait lasts, what becomes of a failure."""
    waiting, due_ms = due.get(id(visit), ("", 0))
    if event.type == "WaitStateEntered":
        return f"until {clock_time(due_ms, event.timestamp_ms)}" if waiting else ""
    if not is_failure(event.type):
        return ""
    failed = "timed out" if event.type.endswith("TimedOut") else "failed"
    if waiting == "retry" and visit.last is event:
        failed += f", retry in {duration(due_ms - event.timestamp_ms)}"
    elif visit.caught:
        failed += ", caught"
    return ": ".join(filter(None, (failed, _reason(event))))


def _reason(event: HistoryEvent) -> str:
    """Error and cause in a line, without what an SDK error says of its request."""
    details = event.details or {}
    said = ": ".join(details[key] for key in ("error", "cause") if details.get(key))
    return cut(one_line(said.partition(" (Service: ")[0]), REASON_CELLS_MAX)
