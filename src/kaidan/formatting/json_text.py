"""JSON with comments → the same in canonical form. Strings and numbers stay as they are written.

An object or array is written on one line where that fits and it holds no comments. A comment stays with what it is
beside or above. Knows nothing of definitions but what `order.py` says about places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from kaidan.formatting.order import Place
from kaidan.values import loads

COLUMNS_MAX: Final = 100
INDENT: Final = "  "

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|//[^\n]*|/\*[\s\S]*?\*/|[^\s\[\]{},:"/]+')


# --- the text as a tree -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Entry:
    """A member or an item with the comments above it and those behind it, on its line."""

    value: Value
    key: str | None = None
    above: list[str] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """An object or an array. `first`: comments behind its opening bracket; `last`: those above its closing one."""

    brackets: str
    entries: list[Entry] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    last: list[str] = field(default_factory=list)


Value: TypeAlias = str | Group
"""A scalar is its own text."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    new_line: bool
    """It is the first on its line."""

    @property
    def is_comment(self) -> bool:
        return self.text.startswith(("//", "/*"))


def _tokens(text: str) -> Iterator[_Token]:
    end = 0
    for found in _TOKEN.finditer(text):
        yield _Token(found[0].rstrip(), "\n" in text[end : found.start()] or end == 0)
        end = found.end()


class _Reader:
    """Reads text that is known to be JSON, comments and trailing commas aside."""

    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.at = 0

    @property
    def here(self) -> _Token:
        return self.tokens[self.at]

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1].text

    def comments(self, *, same_line: bool = False) -> list[str]:
        found = []
        while self.at < len(self.tokens) and self.here.is_comment and not (same_line and self.here.new_line):
            found.append(self.take())
        return found

    def root(self) -> Entry:
        above = self.comments()
        value = self.value()
        return Entry(value, above=above, behind=self.comments())

    def value(self) -> Value:
        text = self.take()
        return self.group(Group(text + ("}" if text == "{" else "]"))) if text in ("{", "[") else text

    def group(self, group: Group) -> Group:
        group.first = self.comments(same_line=True)
        while True:
            above = self.comments()
            if self.here.text in ("}", "]"):
                self.take()
                group.last = above
                return group
            group.entries.append(self.entry(above, named=group.brackets == "{}"))

    def entry(self, above: list[str], *, named: bool) -> Entry:
        key = None
        if named:
            key = self.take()
            above += self.comments()
            self.take()
            above += self.comments()
        entry = Entry(self.value(), key, above, self.comments(same_line=True))
        before_comma = self.comments()
        if self.here.text == ",":
            self.take()
            entry.above += before_comma
            entry.behind += self.comments(same_line=True)
        else:
            self.at -= len(before_comma)
        return entry


# --- the tree as text -------------------------------------------------------------------------------------


def format_json(text: str) -> str:
    """Canonical text of a definition in JSON, comments and trailing commas allowed, that has been read already."""
    root = _Reader(text).root()
    lines = [*root.above, *_lines(root.value, Place(), "", ""), *root.behind]
    return "\n".join(lines) + "\n"


def _lines(value: Value, place: Place, margin: str, start: str, comma: str = "") -> list[str]:
    """The value behind `start` (its key) and before the comma, in lines with their margin."""
    text = None if place.broad else _one_line(value, place)
    if isinstance(value, str) or not (value.entries or value.first or value.last):
        text = value if isinstance(value, str) else value.brackets
    if text is not None and (isinstance(value, str) or len(margin + start + text + comma) <= COLUMNS_MAX):
        return [margin + start + text + comma]
    assert isinstance(value, Group)
    opening, closing = value.brackets[0], value.brackets[1]
    inner = margin + INDENT
    lines = [_beside(margin + start + opening, value.first)]
    entries = list(_arranged(value, place))
    for number, (entry, at) in enumerate(entries, 1):
        key = f"{entry.key}: " if entry.key is not None else ""
        part = _lines(entry.value, at, inner, key, "," if number < len(entries) else "")
        part[-1] = _beside(part[-1], entry.behind)
        lines += [*(inner + comment for comment in entry.above), *part]
    return [*lines, *(inner + comment for comment in value.last), margin + closing + comma]


def _beside(line: str, comments: list[str]) -> str:
    """Comments behind a line; after one that begins with // there can be none but on a line of its own."""
    return " ".join([line, *comments])


def _arranged(group: Group, place: Place) -> Iterator[tuple[Entry, Place]]:
    if group.brackets == "[]":
        for entry in group.entries:
            yield entry, place.item()
        return
    names = [loads(entry.key or '""') for entry in group.entries]
    for at in place.arranged(names):
        entry = group.entries[at]
        yield entry, place.member(names[at], _Strings(entry.value))


class _Strings:
    """The strings in an object, by their names."""

    def __init__(self, value: Value) -> None:
        self._entries = value.entries if isinstance(value, Group) else []

    def __call__(self, name: str) -> str | None:
        for entry in self._entries:
            if entry.key is not None and loads(entry.key) == name and isinstance(entry.value, str):
                found = loads(entry.value)
                return found if isinstance(found, str) else None
        return None


def _one_line(value: Value, place: Place) -> str | None:
    """The value on one line; None where there are comments in it, or something that is always written broad."""
    if isinstance(value, str):
        return value
    if value.first or value.last:
        return None
    parts = []
    for entry, at in _arranged(value, place):
        text = None if at.broad or entry.above or entry.behind else _one_line(entry.value, at)
        if text is None:
            return None
        parts.append(text if entry.key is None else f"{entry.key}: {text}")
    return value.brackets[0] + ", ".join(parts) + value.brackets[1]
