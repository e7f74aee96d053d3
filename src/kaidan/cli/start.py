"""`kaidan start`: an execution on AWS or on a server of Kaidan's."""

from __future__ import annotations

from typing import Any

import click

from kaidan.cli.exits import Exit, epilog
from kaidan.cli.inputs import execution_input
from kaidan.cli.remote import Remote, api_options, machine_arn, plain, report, wait_and_report
from kaidan.cli.summary import pretty


@click.command(epilog=epilog())
@click.argument("machine")
@click.option(
    "-i", "--input", metavar="FILE|-|JSON", help="The execution's input: a file, standard input, or JSON. Default: {}"
)
@click.option("--name", metavar="NAME", help="The execution's name. Default: a UUID.")
@click.option("--wait", is_flag=True, help="Wait until it has ended, and say how.")
@click.option("--json", "as_json", is_flag=True, help="Print nothing but the answer, as one JSON object.")
@api_options
@click.pass_context
def start(
    ctx: click.Context, /, machine: str, input: str | None, name: str | None, wait: bool, as_json: bool, **place: Any
) -> None:
    """Start an execution of a state machine that is there.

    MACHINE is a state machine's name or ARN, with :VERSION or :ALIAS if need be, and with #CASE for a test case of the
    server's mocks.
    """
    payload = execution_input(input)
    remote = Remote(**place)
    params: dict[str, Any] = {"stateMachineArn": machine_arn(remote, machine), "input": payload.text}
    if name is not None:
        params["name"] = name
    ctx.exit(_start_and_wait(remote, params, as_json) if wait else _start(remote, params, as_json))


def _start(remote: Remote, params: dict[str, Any], as_json: bool) -> Exit:
    started = remote("start_execution", **params)
    click.echo(pretty(plain(started)) if as_json else started["executionArn"])
    return Exit.SUCCEEDED


def _start_and_wait(remote: Remote, params: dict[str, Any], as_json: bool) -> Exit:
    """Express executions cannot be looked at while they run: they are waited for by the call itself."""
    machine = remote("describe_state_machine", stateMachineArn=params["stateMachineArn"].partition("#")[0])
    if machine["type"] == "EXPRESS":
        return report(remote("start_sync_execution", **params), as_json=as_json)
    started = remote("start_execution", **params)
    if not as_json:
        click.echo(started["executionArn"])
    return wait_and_report(remote, started["executionArn"], as_json=as_json)
