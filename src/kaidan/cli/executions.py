"""`kaidan executions`: what runs and has run, on AWS or on a server of Kaidan's."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import click

from kaidan.cli import remote
from kaidan.cli.progress import duration
from kaidan.cli.remote import Answer, Remote, api_options, machine_arn, newest, plain, standard, styled
from kaidan.cli.summary import pretty
from kaidan.cli.text import cells, padded

STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


@click.command()
@click.argument("machine", required=False)
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), help="Only those with this status.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many are shown, the newest first."
)
@click.option("--json", "as_json", is_flag=True, help="Print them as ListExecutions gives them.")
@api_options
def executions(machine: str | None, status: str | None, limit: int, as_json: bool, **place: Any) -> None:
    """List executions, the newest first.

    MACHINE is a state machine's name or ARN, with :VERSION or :ALIAS if need be. Without it, all machines count.
    """
    there = Remote(**place)
    arns = [machine_arn(there, machine)] if machine is not None else standard(remote.machines(there))
    filter = {} if status is None else {"statusFilter": status}
    found = newest(there, arns, limit, **filter)
    if as_json:
        click.echo(pretty({"executions": plain(found)}))
    elif not found:
        click.echo("no executions")
    else:
        for line in table(found, datetime.datetime.now(datetime.UTC), with_machine=machine is None):
            click.echo(line)


def table(found: list[Answer], now: datetime.datetime, *, with_machine: bool) -> Iterator[str]:
    """Status, state machine (if it is not always the same), name, start and duration."""
    rows = [(execution["stateMachineArn"].split(":")[6], execution["name"]) for execution in found]
    machine_cells = max((cells(machine) for machine, _ in rows), default=0)
    name_cells = max((cells(name) for _, name in rows), default=0)
    for execution, (machine, name) in zip(found, rows, strict=True):
        took = (execution.get("stopDate") or now) - execution["startDate"]
        columns = (
            styled(f"{execution['status']:<9}"),
            *([padded(machine, machine_cells)] if with_machine else []),
            padded(name, name_cells),
            f"{execution['startDate'].astimezone():%Y-%m-%d %H:%M:%S}",
            duration(round(took.total_seconds() * 1000)),
        )
        yield "  ".join(columns)
