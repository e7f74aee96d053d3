"""What `validate --format` can say: the same findings for a reader, a script, a code scanner, a GitHub workflow.

Takes what was found and gives lines; knows neither files nor definitions. JSON is written in ASCII, so that no
terminal's or pipe's encoding can break it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath
from typing import NamedTuple
from urllib.parse import quote

from kaidan import __version__
from kaidan.cli.findings import Checked, as_text, in_order, said
from kaidan.errors import Diagnostic, Severity
from kaidan.values import JSON

UNREADABLE = "UNREADABLE_FILE"
"""The code of a file that is not there, is empty, or is no text."""


class Finding(NamedTuple):
    """One finding and its file, as `--format json` shows it. Line and column count characters, from 1.

    {"file": "bad.asl.json", "line": 3, "column": 25, "severity": "ERROR", "code": "MISSING_TRANSITION_TARGET",
     "message": "Missing 'Next' target: B", "location": "/States/A/Next", "hint": null}
    """

    file: str
    line: int | None
    column: int | None
    severity: Severity
    code: str
    message: str
    location: str | None
    hint: str | None

    @classmethod
    def of(cls, file: str, found: Diagnostic) -> Finding:
        location = found.location if (found.location or "").startswith("/") else None
        return cls(
            file, found.line, found.column, found.severity, found.code, said(found.message), location, found.hint
        )

    @property
    def explained(self) -> str:
        """The message, and what would help in a second line."""
        return f"{self.message}\n{self.hint}" if self.hint else self.message


def findings(files: Iterable[Checked]) -> Iterator[Finding]:
    """Everything that was found, a file that could not be read included."""
    for file in files:
        if file.unreadable is not None:
            yield Finding(file.path, None, None, "ERROR", UNREADABLE, file.unreadable, None, None)
        yield from (Finding.of(file.path, found) for found in in_order(file.findings))


def as_json(files: Iterable[Checked]) -> Iterator[str]:
    """One array of findings; `[]` when there are none."""
    yield json.dumps([found._asdict() for found in findings(files)], indent=2)


# --- SARIF ------------------------------------------------------------------------------------------------


def as_sarif(files: Iterable[Checked]) -> Iterator[str]:
    """A log for code scanners. Source: OASIS, Static Analysis Results Interchange Format 2.1.0."""
    found = list(findings(files))
    rules = list(dict.fromkeys(each.code for each in found))
    driver = {"name": "Kaidan", "version": __version__, "rules": [_rule(code) for code in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, rules.index(each.code)) for each in found],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    yield json.dumps(log, indent=2)


def _rule(code: str) -> JSON:
    """`MISSING_END_STATE` is described as "Missing end state"."""
    return {"id": code, "shortDescription": {"text": code.replace("_", " ").capitalize()}}


def _result(found: Finding, rule: int) -> JSON:
    return {
        "ruleId": found.code,
        "ruleIndex": rule,
        "level": found.severity.lower(),
        "message": {"text": found.explained},
        "locations": [_location(found)],
    }


def _location(found: Finding) -> JSON:
    physical: dict[str, JSON] = {"artifactLocation": {"uri": _uri(found.file)}}
    if found.line is not None:
        physical["region"] = {"startLine": found.line, "startColumn": found.column or 1}
    location: dict[str, JSON] = {"physicalLocation": physical}
    if found.location is not None:
        location["logicalLocations"] = [{"fullyQualifiedName": found.location}]
    return location


def _uri(file: str) -> str:
    """A relative path stays relative: scanners take it from the top of the repository."""
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix(), errors="surrogateescape")


# --- GitHub -----------------------------------------------------------------------------------------------


def as_github(files: Iterable[Checked]) -> Iterator[str]:
    """`::error file=a.asl.json,line=3,col=25,title=CODE::message`: a remark beside the line in a pull request.

    Source: GitHub Docs, "Workflow commands for GitHub Actions", and the escapes of its toolkit.
    """
    for found in findings(files):
        properties = {"file": found.file, "line": found.line, "col": found.column, "title": found.code}
        given = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value is not None)
        yield f"::{found.severity.lower()} {given}::{_data(found.explained)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str | int) -> str:
    return _data(str(value)).replace(":", "%3A").replace(",", "%2C")


FORMATS: dict[str, Callable[[Iterable[Checked]], Iterator[str]]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}
"""What `--format` can name."""
