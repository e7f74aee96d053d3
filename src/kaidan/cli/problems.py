"""What keeps a command from doing its work, told in one line (and a second one that says what would help)."""

from __future__ import annotations

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
