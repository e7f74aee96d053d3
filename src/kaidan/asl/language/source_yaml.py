"""YAML text → value and places. YAML 1.2, read as someone who thinks in JSON means it.

ruamel.yaml reads the syntax (its events, with their marks); what a plain word means is decided here: a number
is what JSON calls a number, so `1_000`, `012345678901` and `2024-01-01` are strings, as are `yes` and `on`.
Values of an anchor are shared, never copied.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from kaidan.asl.language.places import NESTING_MAX, Lines, Members, Place, Problem, Steps, UnreadableText
from kaidan.values import JSON

EXPANDED_CHARS_MAX = 1_048_576
"""What a definition may come to when every alias is written out: AWS's own limit of a definition's length
(CreateStateMachine, `definition`, in characters)."""

_WORDS: dict[str, JSON] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")

_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "null": (type(None),),
}

_HINTS = (
    ("mapping values are not allowed", "a value that holds ': ' must be quoted"),
    ("'\\t'", "indent with spaces: YAML takes no tabs there"),
    ("that cannot start any token", "quote the value"),
    ("expected <block end>", "is this line indented as its neighbours are?"),
    ("unknown escape character", "a backslash stands for itself in single quotes"),
)


def read_yaml(text: str) -> tuple[JSON, Place, list[Problem]]:
    """The value of a YAML document, its places, a problem for each repeated key. Raises UnreadableText."""
    reader = _Reader(text)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            reader.take(event)
    except YAMLError as problem:
        raise UnreadableText(_syntax(problem)) from None
    except (ValueError, OverflowError, AssertionError) as problem:  # `\U99999999`, `%YAML 1.7`
        raise UnreadableText(Problem(reader.offset, f"Text that YAML cannot hold: {problem}")) from None
    return reader.value, reader.root, reader.members.problems(Lines(text))


def _syntax(problem: YAMLError) -> Problem:
    if not isinstance(problem, MarkedYAMLError):
        return Problem(getattr(problem, "position", 0), f"Not YAML: {str(problem).splitlines()[0]}")
    said = ": ".join(part for part in (problem.context, problem.problem) if part)
    mark = problem.problem_mark or problem.context_mark
    begun = problem.context_mark
    unfinished = f"it begins at line {begun.line + 1}, column {begun.column + 1}" if begun else None
    hint = next((hint for words, hint in _HINTS if words in said), unfinished)
    return Problem(mark.index if mark else 0, said[:1].upper() + said[1:], hint=hint)


@dataclass(slots=True)
class _Open:
    """A mapping or sequence whose end has not come. `key` waits for its value; `merged` are its `<<`."""

    value: dict[str, JSON] | list[JSON]
    place: Place
    size: int
    anchor: str | None
    key: str | None = None
    key_offset: int = 0
    merged: list[tuple[JSON, Place]] | None = None


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: JSON
    place: Place
    size: int


class _Reader:
    """Builds the value from events, with a stack of its own. `size`: characters when written out."""

    def __init__(self, text: str) -> None:
        self.value: JSON = None
        self.root = Place(0)
        self.members = Members()
        self.offset = 0
        self.size = 0
        self.documents = 0
        self.open: list[_Open] = []
        self.steps: Steps = []
        self.anchors: dict[str, _Anchored | None] = {}

    def take(self, event: Event) -> None:
        self.offset = event.start_mark.index
        match event:
            case ScalarEvent():
                self.scalar(event)
            case MappingStartEvent() | SequenceStartEvent():
                self.enter(event)
            case MappingEndEvent() | SequenceEndEvent():
                self.leave()
            case AliasEvent():
                self.alias(event.anchor)
            case DocumentStartEvent():
                self.document()
            case _:
                pass

    def document(self) -> None:
        self.documents += 1
        if self.documents > 1:
            self.fail("A definition is one YAML document, and here a second begins")

    def scalar(self, event: Any) -> None:
        value = self.meaning(event)
        self.place_value(value, Place(self.offset), len(event.value) + 1, event.anchor)

    def meaning(self, event: Any) -> JSON:
        tag = event.tag.removeprefix(_TAG) if event.tag else None
        plain = event.style is None and tag is None
        value = _plain(event.value) if plain or tag in _SCALAR_TAGS else event.value
        if tag is not None and tag not in ("str", "!", *_SCALAR_TAGS):
            self.fail(f"The tag {event.tag} has no meaning in a definition", "write the value itself, or a ${Name}")
        if tag in _SCALAR_TAGS and (type(value) not in _SCALAR_TAGS[tag]):
            self.fail(f"'{event.value}' is no {tag}")
        return value

    def enter(self, event: Any) -> None:
        mapping = isinstance(event, MappingStartEvent)
        if event.tag not in (None, "!", _TAG + ("map" if mapping else "seq")):
            self.fail(f"The tag {event.tag} has no meaning in a definition", "write the value itself, or a ${Name}")
        if self.at_key():
            self.fail("A key must be a string, and here it is an object or array")
        top = self.open[-1] if self.open else None
        place = Place(top.key_offset if top and top.key is not None else self.offset, {} if mapping else [])
        self.steps.append(self.step())
        self.open.append(_Open({} if mapping else [], place, 0, event.anchor))
        if event.anchor:
            self.anchors[event.anchor] = None
        if len(self.open) > NESTING_MAX:
            self.fail(f"The definition is nested deeper than {NESTING_MAX} levels", code="TOO_DEEPLY_NESTED")

    def leave(self) -> None:
        done = self.open.pop()
        self.steps.pop()
        for value, place in done.merged or ():
            _merge(done, value, place)
        self.place_value(done.value, done.place, done.size + 2, done.anchor)

    def alias(self, name: str) -> None:
        found = self.anchors.get(name)
        if found is None:
            known = ", ".join(self.anchors) or "none"
            what = "stands inside the anchor itself" if name in self.anchors else "has no anchor before it"
            self.fail(f"The alias *{name} {what}", f"anchors so far: {known}")
        self.size += found.size
        if self.size > EXPANDED_CHARS_MAX:
            self.fail(f"With its aliases written out the definition is longer than {EXPANDED_CHARS_MAX} characters")
        self.place_value(found.value, Place(self.offset, found.place.children), found.size, None)

    def place_value(self, value: JSON, place: Place, size: int, anchor: str | None) -> None:
        """Give a finished value to whatever is open: as key, member, item, or as the whole document."""
        if anchor:
            self.anchors[anchor] = _Anchored(value, place, size)
        if not self.open:
            self.value, self.root = value, place
            return
        top = self.open[-1]
        top.size += size
        if isinstance(top.value, list):
            top.value.append(value)
            assert isinstance(top.place.children, list)
            top.place.children.append(place)
        elif top.key is None:
            self.key(top, value)
        else:
            self.member(top, top.key, value, Place(top.key_offset, place.children))

    def key(self, top: _Open, value: JSON) -> None:
        if not isinstance(value, str):
            written = "null" if value is None else str(value).lower()
            self.fail(f"A key must be a string, and this is {written}", f'in quotes it is one: "{written}"')
        top.key, top.key_offset = value, self.offset

    def member(self, top: _Open, key: str, value: JSON, place: Place) -> None:
        top.key = None
        if key == "<<":
            self.merge(top, value, place)
            return
        assert isinstance(top.value, dict)
        top.value.setdefault(key, value)
        self.members.add(top.place, key, place, self.steps)

    def merge(self, top: _Open, value: JSON, place: Place) -> None:
        values = value if isinstance(value, list) else [value]
        places = place.children if isinstance(value, list) else [place]
        if not all(isinstance(each, dict) for each in values):
            self.fail("'<<' takes an object, or an array of objects, to be merged into this one")
        assert isinstance(places, list)
        top.merged = [*(top.merged or ()), *zip(values, places, strict=True)]

    def at_key(self) -> bool:
        return bool(self.open) and isinstance(self.open[-1].value, dict) and self.open[-1].key is None

    def step(self) -> str:
        if not self.open:
            return ""
        top = self.open[-1]
        return f"/{top.key}" if top.key is not None else f"[{len(top.value)}]"

    def fail(self, message: str, hint: str | None = None, code: str = "INVALID_JSON_DESCRIPTION") -> NoReturn:
        raise UnreadableText(Problem(self.offset, message, code, hint=hint))


def _merge(into: _Open, value: dict[str, JSON], place: Place) -> None:
    """`<<`: members that the mapping does not have itself."""
    assert isinstance(into.value, dict) and isinstance(into.place.children, dict)
    for key, member in value.items():
        into.value.setdefault(key, member)
    for key, child in (place.children if isinstance(place.children, dict) else {}).items():
        into.place.children.setdefault(key, child)


def _plain(word: str) -> JSON:
    if word in _WORDS:
        return _WORDS[word]
    if _INTEGER.fullmatch(word):
        number = int(word) if len(word) <= 20 else None
        return number if number is not None and -(1 << 63) <= number < (1 << 64) else float(word)
    return float(word) if _FLOAT.fullmatch(word) else word
