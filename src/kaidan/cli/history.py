"""`kaidan history`: the events of an execution as a table, or as GetExecutionHistory answers."""

from __future__ import annotations

import datetime
import shutil
import sys
from collections.abc import Iterator, Sequence

import click

from kaidan.cli import runs
from kaidan.cli.exits import Exit
from kaidan.cli.progress import duration
from kaidan.cli.summary import COLOURS, pretty
from kaidan.cli.text import cells, cut, padded
from kaidan.cli.tracks import Tracks, detail_of, is_failure
from kaidan.protocol.history import HistoryEvent

STATE_CELLS_MAX = 36
DETAIL_CELLS_MAX = 200
"""Where the output is no terminal, whose width would say."""


@click.command()
@click.argument("execution", default="last")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the events in AWS's form, as GetExecutionHistory gives them."
)
@click.option("--list", "listing", is_flag=True, help="List the executions that are kept, the newest first.")
@click.pass_context
def history(ctx: click.Context, execution: str, as_json: bool, listing: bool) -> None:
    """Show what happened in an execution.

    EXECUTION is `last`, the name of an execution that `kaidan run` made or the beginning of it, or a JSON file with
    a history, such as `aws stepfunctions get-execution-history` prints. The newest 100 executions are kept, below
    $KAIDAN_HOME.
    """
    if listing:
        for line in _list(list(runs.headings())):
            click.echo(line)
        ctx.exit(Exit.SUCCEEDED)
    record = runs.find(execution)
    if as_json:
        click.echo(pretty({"events": record["events"]}))
    else:
        click.echo("\n".join((*_heading(record), *table(runs.history_of(record), _width()))))


def _width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


# --- the list ---------------------------------------------------------------------------------------------


def _list(headings: Sequence[runs.Heading]) -> Iterator[str]:
    if not headings:
        yield runs.NOTHING
        return
    machines = [heading.state_machine_arn.rpartition(":")[2] for heading in headings]
    widest = min(STATE_CELLS_MAX, max(map(cells, machines)))
    for heading, machine in zip(headings, machines, strict=True):
        took = (heading.stop_date - heading.start_date) // datetime.timedelta(milliseconds=1)
        yield "  ".join(
            (
                f"{heading.start_date.astimezone():%Y-%m-%d %H:%M:%S}",
                _status(f"{heading.status:<9}"),
                f"{duration(took):>7}",
                padded(machine, widest),
                heading.name,
            )
        )


def _status(status: str) -> str:
    return click.style(status, fg=COLOURS.get(status.strip(), "red"))


# --- the table --------------------------------------------------------------------------------------------


def _heading(record: runs.Record) -> Iterator[str]:
    if "status" in record and "name" in record:
        yield f"{_status(record['status'])}  {record.get('definition', '')}  {record['name']}"


def table(events: list[HistoryEvent], width: int | None) -> Iterator[str]:
    """A line for each event, in columns: id, the event it follows, time, type, state, what else there is to say."""
    tracks = Tracks()
    rows = [_row(event, tracks) for event in events]
    widths = [max(map(cells, column), default=0) for column in zip(*rows, strict=True)]
    room = DETAIL_CELLS_MAX if width is None else max(20, width - sum(widths[:-1]) - 2 * (len(widths) - 1))
    for event, (id, previous, time, type, state, detail) in zip(events, rows, strict=True):
        line = "  ".join(
            (
                id.rjust(widths[0]),
                click.style(previous.rjust(widths[1]), dim=True),
                click.style(time, dim=True),
                click.style(padded(type, widths[3]), fg=_colour(event.type)),
                padded(state, widths[4]),
                click.style(cut(detail, room), dim=True),
            )
        )
        yield line.rstrip()


def _colour(type: str) -> str | None:
    if is_failure(type) or type.endswith(("Failed", "TimedOut")):
        return "red"
    return {"ExecutionSucceeded": "green", "ExecutionAborted": "yellow"}.get(type)


def _row(event: HistoryEvent, tracks: Tracks) -> tuple[str, str, str, str, str, str]:
    track, visit = tracks.take(event)
    state = visit.name if visit is not None else ""
    if event.type.startswith("MapIteration"):
        state = (event.details or {}).get("name", "")
    moment = datetime.datetime.fromtimestamp(event.timestamp_ms / 1000)
    time = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03}"
    named = cut(f"{track.label} {state}".strip(), STATE_CELLS_MAX)
    return str(event.id), str(event.previous_id), time, event.type, named, detail_of(event)
