"""`kaidan run`: one execution on an engine inside this process, from its start to its end."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kaidan.cli.exits import Exit, epilog
from kaidan.cli.problems import Refusal

if TYPE_CHECKING:
    from kaidan.asl.language.check import WorkflowType
    from kaidan.integrations.mock_results import Validation

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
    workflow_type: WorkflowType
    role_arn: str | None
    skip_waits: bool
    as_json: bool
    history: Path | None
    timeout_s: float | None
    mocks: Path | None
    case: str | None
    mock_validation: Validation
    faults: Path | None
    functions: Path | None
    connections: Path | None
    allow_link_local: bool


@click.command(epilog=epilog())
@click.argument("definition", required=False, metavar="DEFINITION", type=click.Path(path_type=Path))
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
@click.option("--role-arn", metavar="ARN", help="The execution's role. It makes the AWS calls, except with --emulate.")
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
    "--type",
    "workflow_type",
    type=click.Choice(("STANDARD", "EXPRESS"), case_sensitive=False),
    default="STANDARD",
    show_default=True,
    help="What the definition is checked and run as.",
)
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
    help="Stop the execution if it has not ended after so much real time.",
)
@click.option(
    "--mocks",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Answers of test cases, as Step Functions Local's MockConfigFile.json has them. Needs --case.",
)
@click.option("--case", metavar="NAME", help="The test case of --mocks to run; the machine has the name of the file.")
@click.option(
    "--mock-validation",
    type=click.Choice(("NONE", "PRESENT", "STRICT"), case_sensitive=False),
    default="NONE",
    show_default=True,
    help="How strictly mocked results are held against what the service can answer.",
)
@click.option(
    "--faults", type=click.Path(path_type=Path), metavar="FILE", help="Faults on purpose, for a share of the tasks."
)
@click.option(
    "--functions", type=click.Path(path_type=Path), metavar="FILE", help="Where Lambda functions are, if not at AWS."
)
@click.option(
    "--connections", type=click.Path(path_type=Path), metavar="FILE", help="What HTTP tasks authorise themselves with."
)
@click.option("--allow-link-local", is_flag=True, help="HTTP tasks may call link-local addresses.")
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
    ctx.exit(_execute(Options(definition, emulate=emulate, **options)))


def _execute(options: Options) -> Exit:
    """The emulated AWS starts in a process of its own while everything else is imported and read here."""
    from kaidan.cli.inputs import execution_input, placeholder_values

    _check(options)
    payload = execution_input(options.input)
    values = placeholder_values(options.pairs, options.vars_file)
    with ExitStack() as cleanup:
        emulator = None
        if options.emulate is not None:
            from kaidan.cli.account import emulated

            file = None if options.emulate == BESIDE else Path(options.emulate)
            emulator = cleanup.enter_context(emulated(options.definition, file))
        from kaidan.cli.session import run_once

        return run_once(options, payload, values, emulator)


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
    if (options.mocks is None) != (options.case is None):
        raise Refusal("--mocks and --case need each other: a file of answers, and which of its test cases to run")
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
