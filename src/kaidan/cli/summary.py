"""How a run ended: a few lines for people, or one JSON object for scripts."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import orjson

from kaidan.cli.findings import counted
from kaidan.cli.progress import duration
from kaidan.cli.runs import iso
from kaidan.cli.tracks import Track, Tracks, is_failure
from kaidan.protocol.history import HistoryEvent
from kaidan.values import JSON, InvalidJson, loads

if TYPE_CHECKING:
    from kaidan.asl.language import Definition
    from kaidan.runtime.engine import Engine, Run

OUTPUT_LINES_MAX = 24
CAUSE_LINES_MAX = 20
FIELD_CELLS = 9
COLOURS = {"SUCCEEDED": "green", "ABORTED": "yellow"}


def outcome(run: Run) -> dict[str, Any]:
    """`{"status": "SUCCEEDED", …, "output": {…}, "events": 12}`; `error` and `cause` where there are any."""
    execution = run.execution
    result = {
        "status": execution.status,
        "executionArn": execution.arn,
        "name": execution.name,
        "startDate": iso(execution.start_ms),
        "stopDate": iso(execution.stop_ms),
        "error": execution.error,
        "cause": execution.cause,
    }
    result = {key: value for key, value in result.items() if value is not None}
    if execution.output is not None:
        result["output"] = execution.output.value
    return {**result, "events": len(run.history)}


def pretty(value: JSON) -> str:
    """JSON over several lines, two blanks for each level."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def summary(engine: Engine, run: Run, definition: Definition, real_ms: int | None) -> Iterator[str]:
    """Lines for people. `real_ms`: how long it took here, where that is not what the history says."""
    execution = run.execution
    took = duration(execution.stop_ms - execution.start_ms)
    real = f" ({duration(real_ms)} of real time)" if real_ms is not None else ""
    status = click.style(execution.status, fg=COLOURS.get(execution.status, "red"), bold=True)
    yield f"{status} in {took}{real}, {_work(run.history)}"
    if execution.status == "SUCCEEDED":
        yield from bounded(pretty(execution.output.value if execution.output else None), OUTPUT_LINES_MAX)
        return
    place = origin(run, definition)
    for name, text in (
        ("error", execution.error),
        ("state", place and place.text),
        ("cause", execution.cause),
        ("item", _first_failed_item(engine)),
    ):
        if text:
            yield from _field(name, text)


def _work(history: list[HistoryEvent]) -> str:
    """`21 states, 2 retries`: what AWS would count as state transitions."""
    states = sum(event.type.endswith("StateEntered") for event in history)
    types = {event.id: event.type for event in history}
    retries = sum(
        event.type.endswith(("Scheduled", "StateStarted")) and is_failure(types.get(event.previous_id, ""))
        for event in history
    )
    return counted(states, "state") + (f", {retries:,} retr{'y' if retries == 1 else 'ies'}" if retries else "")


def bounded(text: str, lines_max: int) -> Iterator[str]:
    """The first lines, and how many there are."""
    lines = text.splitlines()
    if len(lines) <= lines_max:
        yield from lines
        return
    yield from lines[: lines_max - 1]
    yield click.style(f"… {len(lines) - lines_max + 1:,} lines more, with --json all", dim=True)


def _field(name: str, text: str) -> Iterator[str]:
    """A name and what belongs to it, side by side; wrapped where a terminal would break it anywhere."""
    width = shutil.get_terminal_size().columns - FIELD_CELLS if sys.stdout.isatty() else 0
    lines = [part for line in bounded(_unfolded(text), CAUSE_LINES_MAX) for part in _wrapped(line, width)]
    yield f"  {click.style(f'{name:<{FIELD_CELLS - 4}}', dim=True)}  {lines[0] if lines else ''}"
    yield from (" " * FIELD_CELLS + line for line in lines[1:])


def _wrapped(line: str, width: int) -> list[str]:
    if width < 20 or len(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False) or [
        line
    ]


def _unfolded(text: str) -> str:
    """JSON in a cause, as Lambda's and `.sync`'s causes are, is read more easily over several lines."""
    begin = re.search(r"[{\[]", text)
    if begin is None or text[-1:] not in ("}", "]"):
        return text
    try:
        return text[: begin.start()] + pretty(loads(text[begin.start() :]))
    except InvalidJson:
        return text


# --- where it went wrong ----------------------------------------------------------------------------------


class Place(NamedTuple):
    """A state, and where the definition has it."""

    state: str
    where: str

    @property
    def text(self) -> str:
        return f"{self.state}  ({self.where})" if self.where else self.state


_OUTER = ("MapStateFailed", "ParallelStateFailed", "MapIterationFailed", "ExecutionFailed")


def origin(run: Run, definition: Definition) -> Place | None:
    """The state whose error ended the execution: the innermost one, which nothing caught."""
    history, tracks = run.history, Tracks()
    for event in history:
        tracks.take(event)
    if not history or history[-1].type != "ExecutionFailed":
        return None
    event, by_id = history[-1], {event.id: event for event in history}
    while event.type in _OUTER and event.previous_id in by_id:
        event = by_id[event.previous_id]
    track = tracks.of(event.id)
    state = (event.details or {}).get("state") or (track.latest.name if track.latest else None)
    return Place(state, _where(f"{_scope(track, definition)}/States/{state}", definition)) if state else None


def _scope(track: Track, definition: Definition) -> str:
    """The pointer of the states that a track runs: `/States/Each/ItemProcessor`."""
    if track.parent is None or track.inside is None:
        return ""
    holder = f"{_scope(track.parent, definition)}/States/{track.inside.name}"
    inner = [pointer for pointer in definition.program.scopes if pointer.startswith(f"{holder}/")]
    branch = f"{holder}/Branches[{track.index}]"
    return branch if branch in inner else min(inner, key=len, default=holder)


def _where(pointer: str, definition: Definition) -> str:
    place = definition.source.locate(pointer)
    return f"{definition.source.name}:{place[0]}" if place else ""


def _first_failed_item(engine: Engine) -> str | None:
    """Of a Distributed Map: the failure says only that there were too many, so here is one of them."""
    failures = (child for map_run_arn in engine.map_runs for child in engine.maps.failures(map_run_arn))
    child = next((child for child in failures if child.status != "ABORTED"), None)
    if child is None:
        return None
    said = ": ".join(part for part in (child.error, child.cause) if part)
    return f"[{child.child_index}] {said or child.status}"
