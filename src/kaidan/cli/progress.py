"""An execution under way as rows of text: one for each state, and below a Map or Parallel what its children do.

    ✓ Find instances            ec2:describeInstances           0.3s
    ⠹ Back up each instance     1 of 3                         1m 02s
        [0] ✓ Report success
        [1] ⠹ Look at the image    ec2:describeImages           0.1s
        [2] ⠹ Wait a while         until 12:04:31                12s

A state has one row, however often it is visited; a Map of more than a few items has one row for each state that
items are in. So the picture stays as large as the definition and no row jumps. Knows no screen; the rows are data.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from kaidan.cli.tracks import KEPT_MAX, LASTING, Track, Tracks, Visit
from kaidan.protocol.history import HistoryEvent

if TYPE_CHECKING:
    from kaidan.asl.machine.execution import Frame
    from kaidan.runtime.engine import Engine, Run

Mark = str
"""`running`, `waiting`, `done`, `caught`, `failed`, `stopped`, `idle`, or `more` (it speaks of several states)."""

Due = dict[int, tuple[str, int]]
"""The `id()` of a visit to what it waits for ("timer" or "retry") and until when, in Unix milliseconds."""

SHOWN_MAX = 50
"""With more child executions than this, what they wait for is not looked at: they are shown as numbers only."""


class Row(NamedTuple):
    """One line. `took_ms`: how long it has taken or took, None where that says nothing."""

    depth: int
    mark: Mark
    name: str
    detail: str = ""
    took_ms: int | None = None


class Progress:
    """A listener of the engine: keeps the tracks of an execution and of the child executions of its Maps."""

    def __init__(self) -> None:
        self.root = Track()
        self.run: Run | None = None
        """The execution: the first that an event came from."""
        self._tracks: dict[str, Tracks] = {}
        self._map_runs: dict[str, tuple[Track, Visit]] = {}

    def take(self, run: Run, event: HistoryEvent) -> tuple[Track, Visit | None]:
        """Take an event in; see `Tracks.take`."""
        arn = run.execution.arn
        tracks = self._tracks.get(arn)
        if tracks is None:
            tracks = self._tracks[arn] = Tracks(self._root_of(run))
        track, visit = tracks.take(event)
        if tracks.root.ended and run is not self.run:
            del self._tracks[arn]
        if event.type == "MapRunStarted" and visit is not None and event.details:
            self._map_runs[event.details["mapRunArn"]] = (track, visit)
        return track, visit

    def visit(self, run: Run, frame: Frame) -> Visit | None:
        """The visit that a frame is in. Its last event may be one of a child's."""
        tracks = self._tracks.get(run.execution.arn)
        track = tracks.of(frame.last_event_id) if tracks is not None else None
        while track is not None and (track.open is None or track.open.name != frame.state):
            track = track.parent
        return None if track is None else track.open

    def _root_of(self, run: Run) -> Track:
        if run.map_run_arn not in self._map_runs:
            self.run = run
            return self.root
        parent, inside = self._map_runs[run.map_run_arn]
        index = run.execution.child_index
        child = Track(index, parent, inside)
        inside.begin(child)
        return child


def waits(engine: Engine, progress: Progress) -> Due:
    """Which states wait for time to pass."""
    few = len(engine.runs) <= SHOWN_MAX
    return {
        id(visit): (frame.waiting, due_ms)
        for run in (engine.runs.values() if few or progress.run is None else [progress.run])
        for frame in run.execution.frames.values()
        if frame.waiting in ("timer", "retry")
        and (due_ms := engine.due_ms(run.execution.arn, frame.request_id)) is not None
        and (visit := progress.visit(run, frame)) is not None
    }


class View:
    """Rows at one moment. `due` as from `waits`; `now_ms` is the engine's time; `status` that of the execution."""

    def __init__(self, due: Due, now_ms: int, status: str = "RUNNING") -> None:
        self._due = due
        self._now_ms = now_ms
        self._status = status

    def rows(self, track: Track) -> Iterator[Row]:
        """A row for each state of the execution, and what lies below the one it is in."""
        for visit in track.visits.values():
            times = f" ×{visit.count:,}" if visit.count > 1 else ""
            yield Row(0, self._mark(visit, track), visit.name + times, self._detail(visit), self._took_ms(visit))
            yield from self._below(visit, 1)

    def _below(self, visit: Visit, depth: int) -> Iterator[Row]:
        if visit.exited_ms is not None or id(visit) in self._due:  # left, or about to begin again
            return
        if visit.size > KEPT_MAX:
            yield from (_lane(name, count, depth) for name, count in visit.lanes.items())
            return
        for _, child in sorted(visit.children.items()):
            yield from self._child(child, depth)

    def _child(self, child: Track, depth: int) -> Iterator[Row]:
        """One branch or item: the state it is in, or was in last, and what lies below that."""
        visit = child.latest
        if visit is None:
            yield Row(depth, "running", f"[{child.index}]")
            return
        name = f"[{child.index}] {visit.name}"
        yield Row(depth, self._mark(visit, child), name, self._detail(visit), self._took_ms(visit))
        yield from self._below(visit, depth + 1)

    def _mark(self, visit: Visit, track: Track) -> Mark:
        if visit.exited_ms is not None:
            between = track.inside is not None and track.inside.type == "Map" and not track.ended
            return "running" if between else "caught" if visit.caught else "done"
        ended = track.ended or (self._status if self._status != "RUNNING" else "")
        if ended:
            return "failed" if ended == "FAILED" else "stopped"
        return "waiting" if id(visit) in self._due else "running"

    def _took_ms(self, visit: Visit) -> int | None:
        if visit.type not in LASTING:
            return None
        return max(0, (visit.exited_ms or self._now_ms) - visit.entered_ms)

    def _detail(self, visit: Visit) -> str:
        if visit.caught:
            return f"caught {visit.error or 'an error'}"
        waiting, due_ms = self._due.get(id(visit), ("", 0))
        if waiting == "retry":
            return f"retry in {duration(due_ms - self._now_ms)} after {visit.error or 'an error'}"
        if waiting == "timer":
            return f"until {clock_time(due_ms, self._now_ms)}"
        return DETAILS[visit.type](visit) if visit.type in DETAILS else ""


def _lane(name: str, count: int, depth: int) -> Row:
    """A state that items of a large Map are in, or were: the row stays, so that nothing jumps."""
    if count < 1:
        return Row(depth, "idle", name)
    return Row(depth, "running", name, f"{count:,} item{'' if count == 1 else 's'}")


def _of_task(visit: Visit) -> str:
    again = f" (attempt {visit.failures + 1})" if visit.failures and visit.exited_ms is None else ""
    return visit.resource + again


def progress_of(visit: Visit) -> str:
    """How far a Map is: `312 of 1,000, 2 failed`, or `312 done`, where nobody knows how many there will be."""
    failed = f", {visit.failed:,} failed" if visit.failed else ""
    return f"{visit.done:,} of {visit.total:,}{failed}" if visit.total else f"{visit.done:,} done{failed}"


DETAILS: dict[str, Callable[[Visit], str]] = {"Task": _of_task, "Map": progress_of}
"""What a row says of a state by its type."""


# --- fitting ----------------------------------------------------------------------------------------------


def fitted(rows: list[Row], height: int) -> list[Row]:
    """At most `height` rows: states that are over go first, then the last of what remains."""
    if len(rows) <= height:
        return rows
    over = [index for index, row in enumerate(rows) if row.depth == 0 and row.mark == "done"]
    hidden = set(over[: len(rows) - height + 1])
    kept = [row for index, row in enumerate(rows) if index not in hidden]
    if hidden:
        kept.insert(0, Row(0, "more", f"{len(hidden)} states before"))
    if len(kept) > height:
        more = len(kept) - height + 1
        kept = [*kept[: height - 1], Row(0, "more", f"{more} more")]
    return kept


# --- numbers in words -------------------------------------------------------------------------------------


_UNITS = (("m", 60, "s", 1), ("h", 3600, "m", 60), ("d", 86400, "h", 3600))


def duration(milliseconds: int) -> str:
    """`40ms`, `0.3s`, `12s`, `1m 02s`, `3h 05m`, `2d 07h`."""
    seconds = max(0, milliseconds) / 1000
    if seconds < 0.1:
        return f"{milliseconds}ms" if milliseconds > 0 else "0s"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    unit, size, lesser, part = next((u for u in reversed(_UNITS) if whole >= u[1]), _UNITS[0])
    return f"{whole // size}{unit} {whole % size // part:02}{lesser}"


def clock_time(milliseconds: int, now_ms: int | None = None) -> str:
    """The time of day here, `12:04:31`; with the date when that is not the day of `now_ms`."""
    moment, now = (_here(ms) for ms in (milliseconds, milliseconds if now_ms is None else now_ms))
    return moment.strftime("%H:%M:%S" if moment.date() == now.date() else "%Y-%m-%d %H:%M:%S")


def _here(milliseconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(milliseconds / 1000).astimezone()
