"""Definition text → value with places: JSON, JSON with comments, or YAML; `${Name}` placeholders filled in.

Takes text, not files; knows no state and checks nothing but that the text holds one JSON object whose keys
are unique. Places are worked out when somebody asks for one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Literal, TypeAlias

from kaidan.asl.language import places, source_json
from kaidan.asl.language.places import NESTING_MAX, Lines, Place, Problem, UnreadableText
from kaidan.errors import DefinitionError, Diagnostic
from kaidan.values import JSON, InvalidJson, dumps, loads

Format: TypeAlias = Literal["json", "yaml"]

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9_.:-]+)\}")
_JSONATA = re.compile(r"\{%.*?%\}", re.DOTALL)
_YAML_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_YAML_FIRST_LINE = re.compile(r"""(\s*(\#.*)?\n)*\s*(---|%YAML|["']?[A-Za-z][\w ]*["']?\s*:(\s|$))""")


class Source:
    """A definition as it was written, and what it says.

    `value` is the JSON value after substitution; `text` is the text as given, which every place refers to;
    `problems` are warnings (placeholders that nothing was given for). `placed(d)` gives a Diagnostic with an
    AWS pointer its line and column.
    """

    def __init__(
        self, value: JSON, text: str, name: str, format: Format, root: Callable[[], Place], origin: _Origin
    ) -> None:
        self.value = value
        self.text = text
        self.name = name
        self.format: Format = format
        self.problems: list[Diagnostic] = []
        self._root = root
        self._origin = origin

    def locate(self, pointer: str) -> tuple[int, int] | None:
        """Line and column, from 1, of what `/States/Check/Choices[0]/Next` names: of the member's key, of an
        array's item itself. `/States/Check/Choices/0/Next` is understood too. For something missing: the
        place of the nearest thing around it. None where the text has no places to give.
        """
        if self._places is None:
            return None
        return self._origin.at(places.find(self._places, pointer).offset)

    def placed(self, diagnostic: Diagnostic) -> Diagnostic:
        """The diagnostic with line and column, when its location is known."""
        if diagnostic.line is not None or not (diagnostic.location or "").startswith("/"):
            return diagnostic
        line, column = self.locate(diagnostic.location or "") or (None, None)
        return diagnostic.at(line, column)

    @cached_property
    def _places(self) -> Place | None:
        try:
            return self._root()
        except UnreadableText:
            return None


def read_source(
    text: str,
    name: str = "<definition>",
    substitutions: Mapping[str, JSON] | None = None,
    *,
    strict: bool = False,
) -> Source:
    """Read a definition. `name` decides between JSON and YAML by its ending (`.asl.json`, `.asl.yaml`), else
    the text does, as CloudFormation reads `DefinitionS3Location`: JSON, and where it is none, YAML.

    `substitutions` are CloudFormation's DefinitionSubstitutions: put in as text before anything is parsed, so
    an unquoted `${Seconds}` may become a number. Without them placeholders stay as they are.
    `strict` reads what the API takes: JSON without comments, trailing commas or YAML.

    Raises DefinitionError with a line and column for each problem.
    """
    origin = _Origin(text.removeprefix("\ufeff"), substitutions)
    try:
        source = _read(origin, name, strict)
    except UnreadableText as unreadable:
        raise DefinitionError([_diagnostic(origin, problem) for problem in unreadable.problems]) from None
    if substitutions is not None:
        source.problems = _unfilled(origin, source.format, substitutions)
    return source


def placeholders(text: str) -> list[tuple[str, int, int]]:
    """The `${Name}` of a text in their order: name, line, column (from 1).

    In JSONata `${a:b}` makes an object and is no placeholder; a name without `:` (or with `AWS::`) is one.
    """
    lines = Lines(text)
    return [(found[1], *lines.at(found.start())) for found in _placeholders(text)]


def _placeholders(text: str) -> list[re.Match[str]]:
    jsonata = [found.span() for found in _JSONATA.finditer(text)] if "${" in text else []
    return [found for found in _PLACEHOLDER.finditer(text) if not _makes_object(found, jsonata)]


def _makes_object(found: re.Match[str], jsonata: list[tuple[int, int]]) -> bool:
    if ":" not in found[1] or "::" in found[1]:
        return False
    return any(start < found.start() < end for start, end in jsonata)


class _Origin:
    """The text as given, the text after substitution, and the way back from one to the other."""

    def __init__(self, given: str, substitutions: Mapping[str, JSON] | None) -> None:
        self.given = given
        self._ends = [0]
        self._pieces = [(0, 0, 0)]  # of each replacement: where it starts now; where it stood, from and to
        self.text = self._substituted(substitutions) if substitutions else given

    def _substituted(self, values: Mapping[str, JSON]) -> str:
        parts: list[str] = []
        at = length = 0
        for found in _placeholders(self.given):
            if found[1] not in values:
                continue
            value = _expanded(found[1], values, ())
            parts += (self.given[at : found.start()], value)
            start = length + found.start() - at
            at, length = found.end(), start + len(value)
            self._pieces.append((start, found.start(), at))
            self._ends.append(length)
        return "".join(parts) + self.given[at:]

    def offset(self, offset: int) -> int:
        """Where a character of the new text stood; one that was put in stands where its placeholder did."""
        piece = bisect_right(self._pieces, (offset, len(self.given), 0)) - 1
        _, stood, until = self._pieces[piece]
        return stood if offset < self._ends[piece] else until + offset - self._ends[piece]

    def at(self, offset: int) -> tuple[int, int]:
        return self._lines.at(min(self.offset(offset), len(self.given)))

    @cached_property
    def _lines(self) -> Lines:
        return Lines(self.given)


def _expanded(name: str, values: Mapping[str, JSON], inside: tuple[str, ...]) -> str:
    """A placeholder's text, with the placeholders in it filled in too, as CloudFormation's provider does."""
    value = values[name] if isinstance(values[name], str) else dumps(values[name])
    within = (*inside, name)
    return _PLACEHOLDER.sub(
        lambda found: (
            _expanded(found[1], values, within) if found[1] in values and found[1] not in within else found[0]
        ),
        value,
    )


def _read(origin: _Origin, name: str, strict: bool) -> Source:
    text = origin.text
    try:
        return _of_value(_loads(text), origin, name, text)
    except InvalidJson:
        pass
    if not strict and _is_yaml(name, text):
        return _from_yaml(origin, name)
    return _from_json(origin, name, text if strict else source_json.plain(text))


def _is_yaml(name: str, text: str) -> bool:
    if name.endswith((".yaml", ".yml")):
        return True
    return not name.endswith((".json", ".jsonc", ".asl")) and _YAML_FIRST_LINE.match(text) is not None


def _loads(text: str) -> JSON:
    try:
        return loads(text)
    except RecursionError:
        raise InvalidJson("nested too deeply") from None


def _from_json(origin: _Origin, name: str, text: str) -> Source:
    if not text.strip():
        raise UnreadableText(_not_an_object(text))
    try:
        value = _loads(text)
    except InvalidJson as problem:
        source_json.scan(text, origin.text)
        raise UnreadableText(Problem(0, str(problem))) from None
    return _of_value(value, origin, name, text)


def _of_value(value: JSON, origin: _Origin, name: str, text: str) -> Source:
    """The fast path: what is known to be JSON is scanned only if it may be too deep or hold a key twice."""
    if not isinstance(value, dict):
        raise UnreadableText(_not_an_object(text))
    if _is_deeper(value, NESTING_MAX) or _may_repeat_keys(text, value):
        _, repeated = source_json.scan(text, origin.text)
        if repeated:
            raise UnreadableText(*repeated)
    return Source(value, origin.given, name, "json", lambda: source_json.scan(text, origin.text)[0], origin)


def _from_yaml(origin: _Origin, name: str) -> Source:
    from kaidan.asl.language.source_yaml import read_yaml  # 20 ms of import that JSON need not pay

    value, root, repeated = read_yaml(origin.text)
    if repeated:
        raise UnreadableText(*repeated)
    if not isinstance(value, dict):
        raise UnreadableText(_not_an_object(origin.text))
    return Source(value, origin.given, name, "yaml", lambda: root, origin)


def _not_an_object(text: str) -> Problem:
    """As recorded from AWS, for a definition of one space."""
    begins = len(text) - len(text.lstrip())
    return Problem(begins % max(1, len(text)), "Definition must be a valid JSON object", "SCHEMA_VALIDATION_FAILED")


def _may_repeat_keys(text: str, value: JSON) -> bool:
    """A repeated key loses a string on the way to the value, and with it two quotes; `\\u0022` adds one."""
    return text.count('"') != dumps(value).count('"') or "\\u0022" in text


def _is_deeper(value: JSON, levels_max: int) -> bool:
    level = [value]
    for _ in range(levels_max):
        level = [
            part
            for whole in level
            for part in (whole.values() if type(whole) is dict else whole)
            if type(part) is dict or type(part) is list
        ]
        if not level:
            return False
    return True


def _diagnostic(origin: _Origin, problem: Problem) -> Diagnostic:
    line, column = origin.at(problem.offset)
    hint = problem.hint
    stands = origin.offset(problem.offset)
    near = next(
        (found for found in _PLACEHOLDER.finditer(origin.given) if found.start() <= stands < found.end()),
        None,
    )
    if near and problem.code == "INVALID_JSON_DESCRIPTION":
        hint = f"{near[0]} stands here: what replaces it must leave the text well-formed"
    return Diagnostic(problem.code, problem.message, problem.location, "ERROR", line, column, hint)


def _unfilled(origin: _Origin, format: Format, given: Mapping[str, JSON]) -> list[Diagnostic]:
    """A warning for each placeholder left as it is. CloudFormation leaves it too: `${HOME}` may be meant."""
    text = origin.given
    blank = _YAML_COMMENT.sub(lambda found: " " * len(found[0]), text) if format == "yaml" else source_json.plain(text)
    known = ", ".join(sorted(given)) or "none"
    return [
        Diagnostic(
            "UNKNOWN_PLACEHOLDER",
            f"No substitution is given for ${{{name}}}",
            severity="WARNING",
            line=line,
            column=column,
            hint=f"substitutions given: {known}",
        )
        for name, line, column in placeholders(blank)
        if name not in given
    ]
