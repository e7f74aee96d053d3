"""What users give the commands: definition files, the execution's input, values for placeholders.

Reads files and says what is wrong with them, with the place; knows no engine.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kaidan.cli.findings import said
from kaidan.cli.problems import Refusal
from kaidan.errors import DefinitionError, Diagnostic
from kaidan.limits import AWS
from kaidan.values import JSON, InvalidJson, Payload, loads

if TYPE_CHECKING:
    from kaidan.asl.language import Definition
    from kaidan.asl.language.check import WorkflowType

_PLACE = re.compile(r"(.*?):? (?:at )?line (\d+) column (\d+)(?: \(char \d+\))?$", re.DOTALL)
_LITERAL = re.compile(r"""\s*([{\["]|-?\d|true\b|false\b|null\b)""")

ENDINGS = (".asl.json", ".asl.yaml", ".asl.yml")
"""How the files of definitions end; the first part of the name is the state machine's."""


def read_text(path: Path) -> str:
    """The text of a file. Raises Refusal: not there, a directory, not readable, not text."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise Refusal(f"{path}: no such file") from None
    except IsADirectoryError:
        raise Refusal(f"{path}: is a directory, not a file") from None
    except OSError as problem:
        raise Refusal(f"{path}: cannot be read: {problem.strerror}") from None
    return _decoded(content, str(path))


def _decoded(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise Refusal(
            f"{name}: is not text: byte 0x{content[problem.start]:02x} at {problem.start} is no UTF-8"
        ) from None
    if "\0" in text:
        raise Refusal(f"{name}: is not text: it holds a zero byte at {text.index(chr(0))}")
    return text


def read_json(text: str, name: str) -> JSON:
    """Read JSON text. Raises Refusal: `input.json:3:7: not JSON: unexpected character`."""
    try:
        return loads(text)
    except InvalidJson as problem:
        found = _PLACE.match(str(problem))
        if found is None:
            raise Refusal(f"{name}: not JSON: {problem}") from None
        message, line, column = found.groups()
        raise Refusal(f"{name}:{line}:{column}: not JSON: {message}") from None


# --- the execution's input --------------------------------------------------------------------------------


def execution_input(given: str | None) -> Payload:
    """`--input`: a file, `-` for standard input, or JSON itself; `{}` when nothing is given, as on AWS.

    Raises Refusal for what is no JSON, and for more than AWS takes.
    """
    text, name = _input_text(given)
    payload = Payload(read_json(text, name), text)
    if payload.size_bytes > AWS.payload_bytes_max:
        size = f"{payload.size_bytes:,} bytes"
        raise Refusal(f"{name}: {size} of input; an execution takes {AWS.payload_bytes_max:,} at most")
    return payload


def _input_text(given: str | None) -> tuple[str, str]:
    if given is None:
        return "{}", "--input"
    if given == "-":
        return _decoded(sys.stdin.buffer.read(), "<stdin>"), "<stdin>"
    if given.lstrip()[:1] in ("{", "[", '"') or (_LITERAL.match(given) and not Path(given).exists()):
        return given, "--input"
    if not given.strip():
        raise Refusal("--input is empty: it takes a file, - for standard input, or JSON")
    return read_text(Path(given)), given


# --- values for placeholders ------------------------------------------------------------------------------


def placeholder_values(pairs: tuple[str, ...], file: Path | None) -> dict[str, JSON]:
    """`--var Name=value` and `--vars-file`: what replaces `${Name}`. A `--var` goes before the file. Raises Refusal."""
    values = {} if file is None else _values_of(file)
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise Refusal(f"--var {pair}: must be Name=value", "for a definition that says ${Name}")
        values[name] = value
    return values


def _values_of(file: Path) -> dict[str, JSON]:
    """JSON, with comments if need be, or YAML: read as a definition is, so that problems have their place."""
    from kaidan.asl.language import read_source

    try:
        values: dict[str, JSON] = read_source(read_text(file), str(file)).value
    except DefinitionError as problem:
        first = problem.diagnostics[0]
        if first.code == "SCHEMA_VALIDATION_FAILED":
            raise Refusal(f'{file}: must be an object, {{"Name": "value", …}}') from None
        raise Refusal(f"{file}:{first.line}:{first.column}: {said(first.message)}", first.hint) from None
    return values


# --- definitions ------------------------------------------------------------------------------------------


def machine_name(path: Path) -> str:
    """The state machine's name by its file: `orders.asl.json` is orders."""
    ending = next((ending for ending in ENDINGS if path.name.endswith(ending)), path.suffix)
    return re.sub(r"[^\w.-]+", "-", path.name.removesuffix(ending))[:80] or "machine"


UNFILLED = "UNKNOWN_PLACEHOLDER"


def load_definition(path: Path, values: dict[str, JSON], workflow_type: WorkflowType = "STANDARD") -> Definition:
    """Read, check and compile a definition that is to be run.

    Raises Refusal for a file that cannot be read, DefinitionError with all findings for one that has errors.
    Placeholders that nothing was given for are errors too: a run would send `${Name}` to a service.
    """
    from kaidan.asl.language import load
    from kaidan.integrations.dispatch import check_resource, check_template

    text = read_text(path)
    if not text.strip():
        raise Refusal(f"{path}: is empty")
    try:
        definition = load(
            text,
            str(path),
            workflow_type=workflow_type,
            substitutions=values,
            check_resource=check_resource,
            check_template=check_template,
        )
    except DefinitionError as problem:
        raise DefinitionError(_strictly(problem.diagnostics)) from None
    findings = _strictly(definition.warnings)
    if any(each.severity == "ERROR" for each in findings):
        raise DefinitionError(findings)
    return definition


def _strictly(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    return [replace(each, severity="ERROR") if each.code == UNFILLED else each for each in findings]
