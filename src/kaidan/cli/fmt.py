"""`kaidan fmt`: definitions in canonical form."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from kaidan.cli.exits import Exit, epilog
from kaidan.cli.findings import Checked, as_text, counted
from kaidan.cli.inputs import read_text
from kaidan.cli.problems import Refusal, tell
from kaidan.cli.validate import files_in
from kaidan.errors import DefinitionError


@click.command(epilog=epilog())
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Change nothing; exit with status 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Change nothing; show what would change.")
@click.pass_context
def fmt(ctx: click.Context, paths: tuple[Path, ...], check: bool, diff: bool) -> None:
    """Write definitions in their canonical form.

    Members go into one order, indentation and line breaks follow one rule; comments stay, and so does what a definition
    says. PATHS are files, or directories that are searched for *.asl.json, *.asl.yaml and *.asl.yml. A file that cannot
    be read as a definition is not touched.
    """
    run = _Run(write=not (check or diff), diff=diff)
    for path in files_in(paths):
        run.file(path)
    run.total()
    ctx.exit(run.problem or (Exit.FAILED if check and run.changed else Exit.SUCCEEDED))


class _Run:
    """`problem`: the exit status of the worst that has happened."""

    def __init__(self, *, write: bool, diff: bool) -> None:
        self.write = write
        self.diff = diff
        self.changed = 0
        self.unchanged = 0
        self.problem: Exit | None = None

    def file(self, path: Path) -> None:
        from kaidan.formatting import CannotFormat, formatted

        try:
            text = _text(path)
            made = formatted(text, str(path))
        except Refusal as refusal:
            self.refused(refusal.message)
        except CannotFormat as problem:
            self.refused(f"{path}: left as it is: {problem}")
        except DefinitionError as problem:
            self.problem = Exit.INVALID_DEFINITION
            for line in as_text([Checked(str(path), tuple(problem.diagnostics))]):
                click.echo(line, err=True)
        else:
            self.made(path, text, made)

    def refused(self, message: str) -> None:
        self.problem = self.problem or Exit.BAD_INPUT
        tell("error", message)

    def made(self, path: Path, text: str, made: str) -> None:
        if text == made:
            self.unchanged += 1
            return
        self.changed += 1
        if self.write:
            replace_file(path, made)
        if self.diff:
            for line in _difference(path, text, made):
                click.echo(line)
        else:
            click.echo(f"{path}: {'formatted' if self.write else 'would be formatted'}")

    def total(self) -> None:
        said = "formatted" if self.write else "to be formatted"
        click.echo(f"{counted(self.changed, 'file')} {said}, {self.unchanged:,} as they should be", err=True)


def _text(path: Path) -> str:
    text = read_text(path)
    if not text.strip():
        raise Refusal(f"{path}: is empty")
    return text


def _difference(path: Path, text: str, made: str) -> Iterator[str]:
    before, after = text.splitlines(), made.splitlines()
    return difflib.unified_diff(before, after, f"{path}", f"{path} (formatted)", lineterm="")


def replace_file(path: Path, text: str) -> None:
    """Write a file all at once: whoever reads it sees the old text or the new one. Raises Refusal."""
    target = path.resolve()
    temporary = None
    try:
        mode = target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask()
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:200]}.")
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(temporary).chmod(mode)
        Path(temporary).replace(target)
    except OSError as problem:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise Refusal(f"{path}: cannot be written: {problem.strerror}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
