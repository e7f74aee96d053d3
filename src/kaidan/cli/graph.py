"""`kaidan graph`: a picture of a definition."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from kaidan.cli.exits import Exit
from kaidan.cli.findings import Checked, as_text
from kaidan.cli.inputs import machine_name, read_text
from kaidan.cli.problems import Refusal
from kaidan.errors import DefinitionError
from kaidan.values import JSON


def _svg(definition: JSON, title: str) -> str:
    from kaidan.graph import to_svg

    return to_svg(definition, title=title)


def _mermaid(definition: JSON, title: str) -> str:
    from kaidan.graph import to_mermaid

    return to_mermaid(definition)


FORMATS: dict[str, Callable[[JSON, str], str]] = {"svg": _svg, "mermaid": _mermaid}


@click.command()
@click.argument("definition", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(list(FORMATS)), help="By default what FILE's ending says, or svg.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="By default standard output.")
@click.pass_context
def graph(ctx: click.Context, definition: Path, form: str | None, output: Path | None) -> None:
    """Draw a state machine.

    DEFINITION need not be without errors: what cannot be drawn is left out.
    """
    from kaidan.asl.language.source import read_source

    try:
        value = read_source(read_text(definition), str(definition)).value
    except DefinitionError as problem:
        for line in as_text([Checked(str(definition), tuple(problem.diagnostics))]):
            click.echo(line, err=True)
        ctx.exit(Exit.INVALID_DEFINITION)
    picture = FORMATS[form or _by_ending(output)](value, machine_name(definition))
    if output is None:
        click.echo(picture, nl=not picture.endswith("\n"))
    else:
        _write(output, picture)


def _by_ending(output: Path | None) -> str:
    return "mermaid" if output is not None and output.suffix in (".mmd", ".mermaid") else "svg"


def _write(output: Path, picture: str) -> None:
    try:
        output.write_text(picture, encoding="utf-8")
    except OSError as problem:
        raise Refusal(f"{output}: cannot be written: {problem.strerror}") from None
