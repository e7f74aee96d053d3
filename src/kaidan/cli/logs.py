"""`kaidan logs`: the history of an execution as lines, those that are still to come included."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from typing import Any

import click
import orjson

from kaidan.cli.problems import say
from kaidan.cli.progress import clock_time
from kaidan.cli.remote import PAGE_MAX, POLL_S_MAX, Answer, Remote, api_options, execution_arn, plain
from kaidan.cli.runs import history_of
from kaidan.cli.text import cut, padded
from kaidan.cli.tracks import Tracks, detail_of, is_failure
from kaidan.protocol.history import ENDS

TYPE_CELLS, STATE_CELLS, LINE_CELLS_MAX = 24, 28, 240

NEW_MAX = 100
"""Events that are asked for at a time while others are still to come."""


@click.command()
@click.argument("execution", default="last")
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens, until the execution has ended.")
@click.option("--json", "as_json", is_flag=True, help="Print each event as GetExecutionHistory gives it, one a line.")
@api_options
def logs(execution: str, follow: bool, as_json: bool, **place: Any) -> None:
    """Print what happened in an execution, a line for each event.

    EXECUTION is an ARN, a name, MACHINE:NAME, or `last`.
    """
    remote = Remote(**place)
    lines = Lines()
    for event in events(remote, execution_arn(remote, execution), follow):
        say(orjson.dumps(plain(event)).decode() if as_json else lines.line(event))


def events(remote: Remote, arn: str, follow: bool) -> Iterator[Answer]:
    """The events of an execution, in their order; with `follow` until the one that ends it."""
    seen = ended = 0
    for event in remote.pages("get_execution_history", "events", executionArn=arn, maxResults=PAGE_MAX):
        yield event
        seen, ended = event["id"], event["type"] in ENDS
    while follow and not ended:
        time.sleep(POLL_S_MAX / 2)
        for event in _new(remote, arn, seen):
            yield event
            seen, ended = event["id"], event["type"] in ENDS


def _new(remote: Remote, arn: str, seen: int) -> list[Answer]:
    """The events after the one with the id `seen`: read from the end, for the beginning is known."""
    found: list[Answer] = []
    for event in remote.pages(
        "get_execution_history", "events", executionArn=arn, reverseOrder=True, maxResults=NEW_MAX
    ):
        if event["id"] <= seen:
            break
        found.append(event)
    return found[::-1]


class Lines:
    """Events as lines for people: time, type, state, and what else there is to say."""

    def __init__(self) -> None:
        self._tracks = Tracks()
        self._width = shutil.get_terminal_size().columns if sys.stdout.isatty() else LINE_CELLS_MAX

    def line(self, answered: Answer) -> str:
        (event,) = history_of({"events": [answered]})
        track, visit = self._tracks.take(event)
        time = clock_time(event.timestamp_ms)
        state = f"{track.label} {visit.name if visit is not None else ''}".strip()
        before = f"{padded(event.type, TYPE_CELLS)}  {padded(state, STATE_CELLS)}"
        detail = cut(detail_of(event), max(20, self._width - len(time) - TYPE_CELLS - STATE_CELLS - 6))
        colour = _colour(event.type)
        return (
            f"{click.style(time, dim=True)}  {click.style(before, fg=colour)}  {click.style(detail, dim=True)}".rstrip()
        )


def _colour(type: str) -> str | None:
    if is_failure(type) or type in ("ExecutionFailed", "ExecutionTimedOut"):
        return "red"
    return {"ExecutionSucceeded": "green", "ExecutionAborted": "yellow"}.get(type)
