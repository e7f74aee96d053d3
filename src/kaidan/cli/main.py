"""`kaidan`: the group of commands, and the edge at which every exception becomes a line and an exit status.

Commands are imported when they are called: `kaidan --help` reads the table only.
"""

from __future__ import annotations

import os
import sys
import threading
from importlib import import_module
from typing import NoReturn

import click

from kaidan import __version__
from kaidan.cli.exits import Exit, epilog
from kaidan.cli.problems import nobody_reads, tell

COMMANDS: dict[str, str] = {
    "run": "Run a state machine once, from its start to its end.",
    "validate": "Check definitions and say where each problem is.",
    "history": "Show what happened in an execution.",
    "graph": "Draw a state machine.",
    "convert": "Convert a state machine from JSONPath to JSONata.",
    "fmt": "Write definitions in their canonical form.",
    "serve": "Answer the API of AWS Step Functions on this machine, for AWS's command line, SDKs and tools.",
    "env": "Print what makes AWS's command line and SDKs call `kaidan serve` for Step Functions, and AWS for all else.",
    "executions": "List executions, the newest first.",
    "start": "Start an execution of a state machine that is there.",
    "stop": "Stop an execution.",
    "redrive": "Let an execution that did not succeed go on from where it failed.",
    "logs": "Print what happened in an execution, a line for each event.",
}
"""Each command to what it does. `run` is the function `run` of `kaidan.cli.run`."""


class Commands(click.Group):
    """A group whose commands are loaded by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"kaidan.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=Commands, epilog=epilog(), context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, message="kaidan %(version)s")
def cli() -> None:
    """Kaidan runs AWS Step Functions state machines (Amazon States Language) on this machine."""


def main() -> NoReturn:
    """The entry point."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    _leave(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Do one command. The answer is the exit status; whatever goes wrong has been said by then."""
    try:
        return int(cli.main(arguments, prog_name="kaidan", standalone_mode=False) or 0)
    except click.ClickException as refusal:
        refusal.show()
        return refusal.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nInterrupted.", err=True)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        nobody_reads()
        return Exit.SUCCEEDED
    except Exception as problem:
        return _internal_error(problem)


def _internal_error(problem: Exception) -> int:
    if os.environ.get("KAIDAN_DEBUG") == "1":
        import traceback

        traceback.print_exception(problem)
    said = " ".join(str(problem).split())
    tell(
        "error",
        f"an error inside kaidan {__version__}: {type(problem).__name__}: {said}",
        "This should not happen: please report it, with the traceback that KAIDAN_DEBUG=1 shows.",
    )
    return Exit.INTERNAL_ERROR


def _leave(status: int) -> NoReturn:
    """End the process; do not wait for threads whose calls nobody waits for any more."""
    if threading.active_count() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
