"""What keeps a command from doing its work, told in one line (and a second one that says what would help).

Beside it what does not: a reader of standard output that leaves early.
"""

from __future__ import annotations

import os
import sys
from typing import IO, Any

import click

from kaidan.cli.exits import Exit


class Refusal(click.ClickException):
    """Nothing was done, and the message says why: `input.json:3:7: not JSON: unexpected character`."""

    exit_code = Exit.BAD_INPUT

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    def show(self, file: IO[Any] | None = None) -> None:
        tell("error", self.message, self.hint, file)


COLOURS = {"error": "red", "warning": "yellow"}


def tell(kind: str, message: str, hint: str | None = None, file: IO[Any] | None = None) -> None:
    """Print `error: …` or `warning: …` to standard error, with a hint below it."""
    click.echo(f"{click.style(kind + ':', fg=COLOURS[kind], bold=True)} {message}", file=file, err=True)
    if hint:
        click.echo(f"  {hint}", file=file, err=True)


def say(text: str) -> None:
    """Print to standard output. When nobody reads it any more, as behind `| head`, the work goes on all the same."""
    try:
        click.echo(text)
    except BrokenPipeError:
        nobody_reads()


def nobody_reads() -> None:
    """Let standard output lead nowhere, so that Python does not complain of it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
