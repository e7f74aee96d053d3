"""`kaidan run`: one execution on an engine inside this process, from its start to its end."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from kaidan.cli.exits import Exit, epilog
from kaidan.cli.problems import Refusal, tell

if TYPE_CHECKING:
    from kaidan.asl.language import Definition, Program
    from kaidan.cli.compose import Runnable
    from kaidan.emulate import EmulateConfig, Emulator
    from kaidan.errors import Diagnostic
    from kaidan.integrations.clients import AwsSettings, ClientFactory
    from kaidan.runtime.engine import Engine, Run
    from kaidan.values import JSON, Payload

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
@click.argument("definition", required=False, type=click.Path(path_type=Path))
@click.option(
    "-i", "--input", metavar="FILE|-|JSON", help="The execution's input: a file, standard input, or JSON. Default: {}"
)
@click.option(
    "--emulate", is_flag=False, flag_value=BESIDE, metavar="[FILE]",
    help="Call an emulated AWS on this machine, made as FILE says (default: emulate.yaml beside the definition).",
)  # fmt: skip
@click.option("--profile", metavar="NAME", help="The AWS profile whose credentials make the calls.")
@click.option("--region", metavar="NAME", help="The AWS region.")
@click.option("--endpoint-url", metavar="URL", help="Where every AWS service is, instead of at AWS.")
@click.option(
    "--role-arn", metavar="ARN", help="The execution's role. AWS calls are made as this role, but to an emulated AWS."
)
@click.option(
    "--var",
    "pairs",
    multiple=True,
    metavar="NAME=VALUE",
    help="What replaces ${NAME} in the definition. May be repeated.",
)
@click.option("--vars-file", type=click.Path(path_type=Path), metavar="FILE", help="The same for many, JSON or YAML.")
@click.option("--name", metavar="NAME", help="The execution's name. Default: a UUID, as on AWS.")
@click.option(
    "--skip-waits",
    is_flag=True,
    help="Let the time of waits and retries pass at once. The history reads as if it had passed.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Stop the execution if it has not ended by then.",
)
@click.option("--json", "as_json", is_flag=True, help="Print nothing but the outcome, as one JSON object.")
@click.option(
    "--history",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the history to FILE, as GetExecutionHistory gives it.",
)
@click.pass_context
def run(ctx: click.Context, /, definition: Path | None, emulate: str | None, **options: Any) -> None:
    """Run a state machine once, from its start to its end.

    DEFINITION is a file in the Amazon States Language: JSON (comments are allowed) or YAML. Tasks call AWS with
    your own credentials; with --emulate they call an emulated AWS and need none.
    """
    if definition is None and emulate not in (None, BESIDE):
        definition, emulate = Path(str(emulate)), BESIDE  # `kaidan run --emulate DEFINITION`: it is the definition
    if definition is None:
        raise click.MissingParameter(ctx=ctx, param=ctx.command.params[0])
    ctx.exit(execute(Options(definition, emulate=emulate, **options)))


def execute(options: Options) -> Exit:
    """Do what the command says. Raises Refusal when nothing could be run."""
    from kaidan.cli import inputs
    from kaidan.errors import DefinitionError

    _check(options)
    payload = inputs.execution_input(options.input)
    values = inputs.placeholder_values(options.pairs, options.vars_file)
    with ExitStack() as cleanup:
        emulator = _launch(options, cleanup)
        try:
            definition, runnable = _load(options, values)
        except DefinitionError as problem:
            _say_findings(options, problem.diagnostics)
            return Exit.INVALID_DEFINITION
        _say_findings(options, definition.warnings)
        clients = _account(options, runnable, emulator)
        return _execute(options, definition, payload, clients, cleanup)


# --- before the run ---------------------------------------------------------------------------------------

NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")
"""StartExecution: 1 to 80 characters, none of these."""


def _check(options: Options) -> None:
    """Options that make no sense, alone or together."""
    from kaidan.arns import Arn

    if options.emulate is not None:
        for option, given in (("--profile", options.profile), ("--endpoint-url", options.endpoint_url)):
            if given is not None:
                raise Refusal(f"{option} and --emulate exclude each other: an emulated AWS has no other account")
        if options.region is not None:
            raise Refusal("--region and --emulate exclude each other: emulate.yaml says the region")
    if options.name is not None and not NAME.fullmatch(options.name):
        raise Refusal(
            f'--name {options.name!r}: takes 1 to 80 characters, no blanks and none of <>{{}}[]?*"#%\\^|~`$&,;:/'
        )
    if options.role_arn is not None:
        try:
            iam = Arn.parse(options.role_arn).service == "iam"
        except ValueError:
            iam = False
        if not iam:
            raise Refusal(f"--role-arn {options.role_arn}: must be a role's ARN, arn:aws:iam::123456789012:role/name")


def _launch(options: Options, cleanup: ExitStack) -> Emulator | None:
    """Start the emulated AWS, which takes a second or two, and do not wait for it."""
    if options.emulate is None:
        return None
    from kaidan.cli.compose import no_account
    from kaidan.emulate import Emulator, EmulatorError

    config = _emulate_config(options)
    try:
        emulator = cleanup.enter_context(Emulator.launch(config))
    except EmulatorError as problem:
        raise Refusal(str(problem)) from None
    cleanup.enter_context(no_account())
    return emulator


def _emulate_config(options: Options) -> EmulateConfig:
    from kaidan.cli.inputs import read_text
    from kaidan.emulate import ConfigError, EmulateConfig, find_config, parse_config

    path = find_config(options.definition) if options.emulate == BESIDE else Path(options.emulate or "")
    if path is None:
        return EmulateConfig()
    try:
        return parse_config(read_text(path), str(path))
    except ConfigError as problem:
        raise Refusal(str(problem)) from None


def _load(options: Options, values: dict[str, JSON]) -> tuple[Definition, Runnable]:
    from kaidan.cli.compose import Runnable
    from kaidan.cli.inputs import load_definition

    runnable = Runnable()
    definition = load_definition(options.definition, values, runnable)
    if runnable.awaits_callback:
        tell("warning", "a task waits for its token to come back, and nobody can send it to this process")
    return definition, runnable


def _say_findings(options: Options, findings: Sequence[Diagnostic]) -> None:
    from kaidan.cli.findings import Checked, as_text, counted

    checked = Checked(str(options.definition), tuple(findings))
    for line in as_text([checked]):
        click.echo(line, err=True)
    if errors := checked.count("ERROR"):
        click.echo(f"{counted(errors, 'error')}: nothing was run", err=True)


def _account(options: Options, runnable: Runnable, emulator: Emulator | None) -> ClientFactory:
    """Who is called, and as whom. Raises Refusal when that cannot work."""
    from kaidan.cli import preflight
    from kaidan.cli.compose import RoleClients, warm_up
    from kaidan.integrations.clients import AwsSettings, ClientFactory

    if emulator is not None:
        with _waiting("Starting the emulated AWS", options):
            warm_up(runnable, emulator.region)
            return ClientFactory(_emulated_settings(emulator))
    if options.endpoint_url is not None:
        preflight.check_endpoint(options.endpoint_url)
    if runnable.services or options.profile is not None:
        preflight.check_account(options.profile)
    settings = AwsSettings(profile=options.profile, region=options.region, endpoint_url=options.endpoint_url)
    return ClientFactory(settings) if options.role_arn is None else RoleClients(settings, options.role_arn)


def _emulated_settings(emulator: Emulator) -> AwsSettings:
    from kaidan.emulate import EmulatorError
    from kaidan.integrations.clients import AwsSettings

    try:
        endpoint_url = emulator.endpoint_url
    except EmulatorError as problem:
        raise Refusal(str(problem)) from None
    return AwsSettings(
        region=emulator.region,
        endpoint_url=endpoint_url,
        access_key=emulator.credentials.access_key_id,
        secret_key=emulator.credentials.secret_access_key,
        max_attempts=1,
    )


@contextmanager
def _waiting(text: str, options: Options) -> Iterator[None]:
    """A spinner while nothing else can be shown."""
    if options.as_json or not sys.stdout.isatty():
        yield
        return
    from rich.console import Console

    with Console().status(f"[dim]{text}[/dim]"):
        yield


# --- the run ----------------------------------------------------------------------------------------------


def _execute(
    options: Options, definition: Definition, payload: Payload, clients: ClientFactory, cleanup: ExitStack
) -> Exit:
    from kaidan.cli.compose import Embedded
    from kaidan.cli.inputs import machine_name

    embedded = Embedded(clients, skip_waits=options.skip_waits)
    cleanup.callback(embedded.close)
    run = embedded.start(
        definition.program,
        payload,
        machine_name=machine_name(options.definition),
        name=options.name,
        role_arn=options.role_arn,
    )
    began = time.monotonic()
    _drive(options, embedded.engine, run, definition)
    real_ms = round((time.monotonic() - began) * 1000)
    _keep(options, run)
    _report(options, embedded.engine, run, definition, real_ms)
    return Exit[run.execution.status]


def _drive(options: Options, engine: Engine, run: Run, definition: Definition) -> None:
    """Let the engine run until the execution has ended, one way or another."""
    from kaidan.cli.signals import stopping

    execution = run.execution
    reporter = _reporter(options, engine, run, definition)
    try:
        with stopping(engine, execution.arn):
            deadline = None if options.timeout_s is None else time.monotonic() + options.timeout_s
            if not engine.run_until(lambda: execution.status != "RUNNING", options.timeout_s):
                late = deadline is not None and time.monotonic() >= deadline
                engine.stop(execution.arn, None, f"Stopped by --timeout {options.timeout_s:g}" if late else _stuck(run))
    finally:
        if reporter is not None:
            reporter.close()


def _stuck(run: Run) -> str:
    waiting = sorted({frame.state for frame in run.execution.frames.values() if frame.waiting == "task"})
    return f"Nothing is left that could happen: {', '.join(waiting) or 'a state'} waits for somebody to answer"


class Reporter(Protocol):
    """What shows a run while it lasts."""

    def close(self) -> None: ...


def _reporter(options: Options, engine: Engine, run: Run, definition: Definition) -> Reporter | None:
    """Nothing for scripts, a picture on a terminal, lines anywhere else."""
    if options.as_json:
        return None
    name_cells = _name_cells(definition.program)
    if sys.stdout.isatty():
        from rich.console import Console

        console = Console(highlight=False)
        if not console.is_dumb_terminal:
            from kaidan.cli.live import Screen

            return Screen(console, engine, run, name_cells)
    from kaidan.cli.lines import Lines

    return Lines(engine, name_cells)


def _name_cells(program: Program) -> int:
    """The width that the names of the definition's states need, with what stands before and behind them."""
    from kaidan.cli.text import cells

    return max(
        cells(name) + (2 * depth + 4 if depth else 0) + 4
        for pointer, scope in program.scopes.items()
        for depth in [pointer.count("/States/")]
        for name in scope.states
    )


# --- after the run ----------------------------------------------------------------------------------------


def _keep(options: Options, run: Run) -> None:
    """Write the history where it is wanted, and among those that are kept."""
    from kaidan.cli import runs
    from kaidan.cli.summary import pretty

    record = runs.record_of(run, options.definition)
    try:
        runs.keep(record, run.execution.start_ms)
    except OSError as problem:
        tell("warning", f"the history was not kept: {problem}")
    if options.history is not None:
        try:
            options.history.write_text(pretty({"events": record["events"]}), encoding="utf-8")
        except OSError as problem:
            tell("warning", f"--history {options.history}: cannot be written: {problem.strerror}")


def _report(options: Options, engine: Engine, run: Run, definition: Definition, real_ms: int) -> None:
    from kaidan.cli.summary import outcome, pretty, summary

    if options.as_json:
        click.echo(pretty(outcome(run)))
        return
    click.echo()
    for line in summary(engine, run, definition, real_ms if options.skip_waits else None):
        click.echo(line)
