"""`kaidan run`: one execution on an engine inside this process, from its start to its end."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from kaidan.cli.exits import Exit, epilog
from kaidan.cli.problems import Refusal, tell

if TYPE_CHECKING:
    from kaidan.asl.language import Definition
    from kaidan.cli.compose import Embedded, Runnable
    from kaidan.emulate import EmulateConfig, Emulator
    from kaidan.integrations.clients import AwsSettings, ClientFactory
    from kaidan.runtime.engine import Run
    from kaidan.values import Payload

BESIDE = "beside the definition"
"""`--emulate` without a file."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says, as it stands there."""

    definition: Path
    input: str | None
    emulate: str | None
    profile: str | None
    region: str | None
    endpoint_url: str | None
    pairs: tuple[str, ...]
    vars_file: Path | None
    name: str | None
    role_arn: str | None
    skip_waits: bool
    as_json: bool
    history: Path | None
    timeout_s: float | None


@click.command(epilog=epilog())
@click.argument("definition", type=click.Path(path_type=Path))
@click.option("-i", "--input", metavar="FILE|-|JSON", help="The execution's input: a file, standard input, or JSON. Default: {}")
@click.option(
    "--emulate", is_flag=False, flag_value=BESIDE, metavar="[FILE]",
    help="Call an emulated AWS on this machine, made as FILE says (default: emulate.yaml beside the definition).",
)  # fmt: skip
@click.option("--profile", metavar="NAME", help="The AWS profile whose credentials make the calls.")
@click.option("--region", metavar="NAME", help="The AWS region.")
@click.option("--endpoint-url", metavar="URL", help="Where every AWS service is, instead of at AWS.")
@click.option("--role-arn", metavar="ARN", help="The execution's role. AWS calls are made as this role, but to an emulated AWS.")
@click.option("--var", "pairs", multiple=True, metavar="NAME=VALUE", help="What replaces ${NAME} in the definition. May be repeated.")
@click.option("--vars-file", type=click.Path(path_type=Path), metavar="FILE", help="The same for many, JSON or YAML.")
@click.option("--name", metavar="NAME", help="The execution's name. Default: a UUID, as on AWS.")
@click.option("--skip-waits", is_flag=True, help="Let the time of waits and retries pass at once. The history reads as if it had passed.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Stop the execution if it has not ended by then.")
@click.option("--json", "as_json", is_flag=True, help="Print nothing but the outcome, as one JSON object.")
@click.option("--history", type=click.Path(path_type=Path), metavar="FILE", help="Write the history to FILE, as GetExecutionHistory gives it.")
@click.pass_context
def run(ctx: click.Context, **options: object) -> None:
    """Run a state machine once, from its start to its end.

    DEFINITION is a file in the Amazon States Language: JSON (comments are allowed) or YAML. Tasks call AWS with
    your own credentials; with --emulate they call an emulated AWS and need none.
    """
    ctx.exit(execute(Options(**options)))  # type: ignore[arg-type]


def execute(options: Options) -> Exit:
    """Do what the command says. Raises Refusal when nothing could be run."""
    from kaidan.cli import inputs

    _check(options)
    values = inputs.placeholder_values(options.pairs, options.vars_file)
    payload = inputs.execution_input(options.input)
    with ExitStack() as cleanup:
        emulator = None if options.emulate is None else cleanup.enter_context(_emulated(options))
        runnable, definition = _load(options, values)
        clients = _clients(options, runnable, emulator)
        embedded = _embedded(clients, options, cleanup)
        return _run(options, definition, payload, embedded)
