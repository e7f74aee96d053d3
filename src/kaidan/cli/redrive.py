"""`kaidan redrive`: lets an execution go on that did not succeed, on AWS or on a server of Kaidan's."""

from __future__ import annotations

from typing import Any

import click

from kaidan.cli.exits import Exit, epilog
from kaidan.cli.remote import Remote, api_options, execution_arn, wait_and_report


@click.command(epilog=epilog())
@click.argument("execution")
@click.option("--wait", is_flag=True, help="Wait until it has ended, and say how.")
@api_options
@click.pass_context
def redrive(ctx: click.Context, /, execution: str, wait: bool, **place: Any) -> None:
    """Let an execution that did not succeed go on from where it failed.

    EXECUTION is an ARN, a name, MACHINE:NAME, or `last`.
    """
    remote = Remote(**place)
    arn = execution_arn(remote, execution)
    remote("redrive_execution", executionArn=arn)
    click.echo(f"Redriven {arn}")
    ctx.exit(wait_and_report(remote, arn, as_json=False) if wait else Exit.SUCCEEDED)
