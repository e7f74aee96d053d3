"""`kaidan validate`: every finding about definitions, each with its place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kaidan.cli.exits import Exit
from kaidan.cli.findings import Checked, total
from kaidan.cli.formats import FORMATS
from kaidan.cli.inputs import ENDINGS, placeholder_values, read_text
from kaidan.cli.problems import Refusal
from kaidan.values import JSON

if TYPE_CHECKING:
    from kaidan.asl.language.check import WorkflowType

SKIPPED = ("node_modules", "__pycache__")
"""Directories in which nobody keeps definitions of his own; nor in those whose names begin with a dot."""


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--type", "workflow_type", type=click.Choice(["STANDARD", "EXPRESS"], case_sensitive=False), default="STANDARD",
    help="The type of the state machines: Express ones may not wait for jobs, callbacks or activities.",
)  # fmt: skip
@click.option("--var", "pairs", multiple=True, metavar="NAME=VALUE", help="What replaces ${NAME}. May be repeated.")
@click.option("--vars-file", type=click.Path(path_type=Path), metavar="FILE", help="The same for many, JSON or YAML.")
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True,
    help="For a reader, a script, a code scanner, or a GitHub workflow (remarks beside the lines).",
)  # fmt: skip
@click.pass_context
def validate(
    ctx: click.Context,
    paths: tuple[Path, ...],
    workflow_type: WorkflowType,
    pairs: tuple[str, ...],
    vars_file: Path | None,
    form: str,
) -> None:
    """Check definitions and say where each problem is.

    PATHS are files, or directories that are searched for *.asl.json, *.asl.yaml and *.asl.yml.
    """
    values = placeholder_values(pairs, vars_file)
    checked = [_check(path, values, workflow_type) for path in files_in(paths)]
    for line in FORMATS[form](checked):
        click.echo(line)
    if form == "text":
        click.echo(total(checked))
    ctx.exit(_status(checked))


def _status(checked: list[Checked]) -> Exit:
    if any(file.count("ERROR") for file in checked):
        return Exit.INVALID_DEFINITION
    return Exit.BAD_INPUT if any(file.unreadable for file in checked) else Exit.SUCCEEDED


def _check(path: Path, values: dict[str, JSON], workflow_type: WorkflowType) -> Checked:
    from kaidan.asl.language import diagnose
    from kaidan.integrations.dispatch import check_resource, check_template

    try:
        text = read_text(path)
    except Refusal as refusal:
        return Checked(str(path), unreadable=refusal.message.removeprefix(f"{path}: "))
    if not text.strip():
        return Checked(str(path), unreadable="is empty")
    findings = diagnose(
        text,
        str(path),
        workflow_type=workflow_type,
        substitutions=values,
        check_resource=check_resource,
        check_template=check_template,
    )
    return Checked(str(path), tuple(findings))


def files_in(paths: tuple[Path, ...]) -> Iterator[Path]:
    """The files, and the definitions below the directories, in the order of their names. Raises Refusal."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(_definitions_below(path))
        if not found:
            raise Refusal(
                f"{path}: no definitions here", f"a directory is searched for {', '.join('*' + e for e in ENDINGS)}"
            )
        yield from found


def _definitions_below(directory: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(directory):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in SKIPPED]
        yield from (Path(folder, name) for name in names if name.endswith(ENDINGS))
