"""`kaidan stop`: ends an execution on AWS or on a server of Kaidan's."""

from __future__ import annotations

from typing import Any

import click

from kaidan.cli.remote import Remote, api_options, execution_arn


@click.command()
@click.argument("execution")
@click.option("--error", metavar="NAME", help="The error to be shown of it.")
@click.option("--cause", metavar="TEXT", help="The cause to be shown of it.")
@api_options
def stop(execution: str, error: str | None, cause: str | None, **place: Any) -> None:
    """Stop an execution.

    EXECUTION is an ARN, a name, MACHINE:NAME, or `last`. One that has ended stays as it is.
    """
    remote = Remote(**place)
    given = {name: value for name, value in (("error", error), ("cause", cause)) if value is not None}
    arn = execution_arn(remote, execution)
    remote("stop_execution", executionArn=arn, **given)
    status = remote("describe_execution", executionArn=arn)["status"]
    click.echo(f"Stopped {arn}" if status == "ABORTED" else f"It had ended already, {status}: {arn}")
