"""`kaidan convert`: a JSONPath definition in JSONata."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kaidan.cli.exits import Exit, epilog
from kaidan.cli.findings import Checked, as_text, counted
from kaidan.cli.fmt import replace_file
from kaidan.cli.inputs import read_text
from kaidan.cli.problems import Refusal, tell
from kaidan.errors import DefinitionError, Diagnostic

if TYPE_CHECKING:
    from kaidan.asl.language.source import Source
    from kaidan.convert import Conversion


@click.command(epilog=epilog())
@click.argument("definition", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="By default standard output.")
@click.option("--state", "names", multiple=True, metavar="NAME", help="Convert this state only. May be repeated.")
@click.option("--report", is_flag=True, help="Say in full what stayed JSONPath, and what is not quite the same.")
@click.pass_context
def convert(ctx: click.Context, definition: Path, output: Path | None, names: tuple[str, ...], report: bool) -> None:
    """Convert a state machine from JSONPath to JSONata.

    State by state: one that cannot be converted stays as it is, and the exit status is 1. The result is written in its
    canonical form, as JSON or YAML like FILE or else like DEFINITION; comments outside of Comment fields are left out.
    """
    from kaidan.convert import convert as convert_definition

    source = _read(ctx, definition)
    try:
        result = convert_definition(source.value, frozenset(names) or None)
    except KeyError as missing:
        raise Refusal(f"{definition}: there is no state {missing.args[0]!r}") from None
    text = _text(result, source, output)
    if output is None:
        click.echo(text, nl=False)
    else:
        replace_file(output, text)
    _tell(definition, source, result, report)
    ctx.exit(Exit.SUCCEEDED if result.converted == result.asked else Exit.FAILED)


def _read(ctx: click.Context, path: Path) -> Source:
    """The definition, which must have no errors but resources that are filled in later."""
    from kaidan.asl.language import check, read_source

    try:
        source = read_source(read_text(path), str(path))
        findings = [source.placed(found) for found in check(source.value) if not _is_filled_in_later(found, source)]
        if any(found.severity == "ERROR" for found in findings):
            raise DefinitionError(findings)
    except DefinitionError as problem:
        for line in as_text([Checked(str(path), tuple(problem.diagnostics))]):
            click.echo(line, err=True)
        ctx.exit(Exit.INVALID_DEFINITION)
    return source


def _is_filled_in_later(found: Diagnostic, source: Source) -> bool:
    """Whether it is about a text with a `${Name}` in it."""
    from kaidan.asl.states.fields import parts

    return any(
        isinstance(value, str) and "${" in value
        for pointer, _, value in parts(source.value)
        if pointer == found.location
    )


def _text(result: Conversion, source: Source, output: Path | None) -> str:
    from kaidan.formatting import CannotFormat, as_json, as_yaml

    ending = output.suffix if output is not None else ""
    is_yaml = ending in (".yaml", ".yml") or (source.format == "yaml" and ending not in (".json", ".jsonc", ".asl"))
    try:
        return as_yaml(result.definition) if is_yaml else as_json(result.definition)
    except CannotFormat as problem:
        raise Refusal(f"{source.name}: {problem}", "with -o FILE.json it is written as JSON") from None


def _tell(path: Path, source: Source, result: Conversion, report: bool) -> None:
    from kaidan.convert import NOT_CONVERTED

    placed = [source.placed(found) for found in result.findings]
    shown = placed if report else [found for found in placed if found.code == NOT_CONVERTED]
    for line in as_text([Checked(str(path), tuple(shown))]):
        click.echo(line, err=True)
    if report:
        states = f"{result.converted:,} of {counted(result.asked, 'state')} converted"
        click.echo(f"{states}, {'all is JSONata now' if result.whole else 'some is JSONPath still'}", err=True)
    elif len(shown) < len(placed):
        tell("warning", f"{counted(len(placed) - len(shown), 'difference')} to know of", "--report shows them")
