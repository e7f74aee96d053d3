"""Findings about definitions as text: what `validate` prints, and `run` when a definition has errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import click

from kaidan.cli.problems import COLOURS
from kaidan.cli.text import one_line
from kaidan.errors import Diagnostic


@dataclass(frozen=True, slots=True)
class Checked:
    """One file and what was found in it. `unreadable`: why there is nothing to find, `no such file`."""

    path: str
    findings: tuple[Diagnostic, ...] = ()
    unreadable: str | None = None

    def count(self, severity: str) -> int:
        return sum(finding.severity == severity for finding in self.findings)


def as_text(files: Iterable[Checked]) -> Iterator[str]:
    """`path:line:column: error CODE message (at /pointer)`, with a hint in a line of its own."""
    for file in files:
        if file.unreadable is not None:
            yield f"{file.path}: {_severity('ERROR')} {file.unreadable}"
        for finding in in_order(file.findings):
            yield from _lines(file.path, finding)


def _lines(path: str, finding: Diagnostic) -> Iterator[str]:
    place = f"{path}:{finding.line}:{finding.column}" if finding.line is not None else path
    named = (finding.location or "").startswith("/")
    pointer = click.style(f" (at {finding.location})", dim=True) if named else ""
    yield f"{place}: {_severity(finding.severity)} {finding.code} {said(finding.message)}{pointer}"
    if finding.hint:
        yield f"    {finding.hint}"


_SOURCE = re.compile(r"\[Source: .*?; line: (\d+), column: (\d+)\]", re.DOTALL)


def said(message: str) -> str:
    """AWS's message without the text of the definition, which it repeats for what is no JSON."""
    beginning = message.partition("\n at [Source: ")[0]
    return one_line(_SOURCE.sub(r"line \1, column \2", beginning))


def _severity(severity: str) -> str:
    return click.style(severity.lower(), fg=COLOURS[severity.lower()], bold=True)


def in_order(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By their places in the file; those without one come first."""
    return sorted(findings, key=lambda finding: (finding.line or 0, finding.column or 0))


def counted(count: int, noun: str) -> str:
    """`1 error`, `2 errors`, `1,000 files`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def total(files: list[Checked]) -> str:
    """`3 files, 1 error, 2 warnings`."""
    errors = sum(file.count("ERROR") + (file.unreadable is not None) for file in files)
    warnings = sum(file.count("WARNING") for file in files)
    return ", ".join((counted(len(files), "file"), counted(errors, "error"), counted(warnings, "warning")))
