"""YAML → the same in canonical form. Its lines are moved and indented anew; what is on them is not written anew.

So quotes, block texts, anchors and comments stay as they are. Members are ordered in mappings of block style, those of
flow style (`{…}`) are left alone. A comment stays with the member below it, or, if it is further in, above it.
Knows nothing of definitions but what `order.py` says about places. Reads nodes with their marks by ruamel.yaml.
"""

from __future__ import annotations

from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kaidan.formatting.order import Place

STEP: Final = 2
"""Columns that a member or a dash stands further in than what it belongs to."""


class Unsupported(Exception):
    """A way to write YAML that is left alone."""


_BLANKS: Final = " \t"
"""What YAML takes for white space inside a line."""

_BREAKS: Final = ("\r", "\x85", "\u2028", "\u2029")
"""Characters that end a line in YAML, or once did."""


def format_yaml(text: str) -> str:
    """Canonical text of a definition in YAML that has been read already. Raises Unsupported."""
    if any(character in text for character in _BREAKS):
        raise Unsupported("lines that do not end as lines do")
    lines = text.removesuffix("\n").split("\n")
    root = YAML(typ="rt", pure=True).compose(text)
    if not isinstance(root, MappingNode) or not _is_block(root) or not root.value:
        return "\n".join(line.rstrip(_BLANKS) for line in lines) + "\n"
    begin = root.value[0][0].start_mark.line
    page = _Page(lines, begin)
    body = page.mapping(root, Place(), 0)
    end = page.at
    inside, after = _split(lines[end:], 0)
    rest = [*_comments([*page.trailing, *inside], STEP), *(line.rstrip(_BLANKS) for line in after)]
    return "\n".join([*(line.rstrip(_BLANKS) for line in lines[:begin]), *body, *_trimmed(rest)]) + "\n"


def _is_block(node: Any) -> bool:
    return isinstance(node, (MappingNode, SequenceNode)) and not node.flow_style and bool(node.value)


class _Part:
    """A member or an item: comments above, its own lines by column, and comments at its end that are further in."""

    __slots__ = ("above", "below", "emit")

    def __init__(self, above: list[str], emit: list[str], below: list[str]) -> None:
        self.above = above
        self.emit = emit
        self.below = below


class _Page:
    """The lines of the text, read from top to bottom: `at` is the first that nothing has taken yet.

    `trailing`: the comments at the end of the part that was made last. They go to whatever comes to an end there.
    """

    def __init__(self, lines: list[str], at: int) -> None:
        self.lines = lines
        self.at = at
        self.trailing: list[str] = []

    # one kind of node each: its lines, with the node at a column

    def mapping(self, node: MappingNode, place: Place, column: int) -> list[str]:
        names = [key.value if isinstance(key, ScalarNode) else "" for key, _ in node.value]
        parts: list[_Part] = []
        for (key, value), name in zip(node.value, names, strict=True):
            above = self.gap(key.start_mark.line, key.start_mark.column, parts)
            emit = self.member(key, value, place.member(name, _Strings(value)), column)
            parts.append(_Part(above, emit, self.trailing))
        return self.joined([parts[at] for at in place.arranged(names)], column)

    def member(self, key: Any, value: Any, place: Place, column: int) -> list[str]:
        line, start = key.start_mark.line, key.start_mark.column
        if self.lines[line][:start].rstrip(_BLANKS).endswith("?"):
            raise Unsupported("a key with '?'")
        if value.start_mark.index < key.start_mark.index:  # an alias: the node is where its anchor is
            return self.copied(line, line, start, column)
        if not _is_block(value):
            return self.copied(line, _last_line(value, line), start, column)
        self.at = line + 1
        return [" " * column + self.lines[line][start:].rstrip(_BLANKS), *self.block(value, place, column + STEP)]

    def block(self, node: Any, place: Place, column: int) -> list[str]:
        if isinstance(node, MappingNode):
            return self.mapping(node, place, column)
        return self.sequence(node, place, column)

    def sequence(self, node: SequenceNode, place: Place, column: int) -> list[str]:
        dash = self.dash_column(node)
        parts: list[_Part] = []
        for item in node.value:
            line = self.dash(dash)
            above = self.gap(line, dash, parts)
            emit = self.item(item, place.item(), line, dash, column, above)
            parts.append(_Part(above, emit, self.trailing))
        return self.joined(parts, column)

    def joined(self, parts: list[_Part], column: int) -> list[str]:
        lines: list[str] = []
        for number, part in enumerate(parts, 1):
            lines += [*_comments(_trimmed(part.above, start=number == 1), column), *part.emit]
            if number < len(parts):
                lines += _comments(part.below, column + STEP)
        self.trailing = parts[-1].below
        return lines

    def dash_column(self, node: SequenceNode) -> int:
        """Where its dashes are; the node itself begins at its anchor, if it has one."""
        mark = node.start_mark
        if self.lines[mark.line][mark.column :].startswith("-"):
            return int(mark.column)
        below = (
            line
            for line in self.lines[mark.line + 1 :]
            if line.strip(_BLANKS) and not line.lstrip(_BLANKS).startswith("#")
        )
        return next((len(line) - len(line.lstrip(_BLANKS)) for line in below), 0)

    def dash(self, column: int) -> int:
        """The line of the next dash in this column."""
        for line in range(self.at, len(self.lines)):
            if self.lines[line][column : column + 1] == "-" and not self.lines[line][:column].strip(_BLANKS + "-"):
                return line
        raise Unsupported("an item whose dash is not found")

    def item(self, node: Any, place: Place, line: int, dash: int, column: int, above: list[str]) -> list[str]:
        """The lines of an item; comments between its dash and what it is go to those `above` it."""
        inner = column + STEP
        rest = self.lines[line][dash + 1 :].strip(_BLANKS)
        is_alias = node.start_mark.line < line
        if is_alias or not _is_block(node):
            last = line if is_alias else _last_line(node, line)
            if not rest or rest.startswith("#"):
                return self.copied(line, last, dash, column)
            start = dash + 1 + len(self.lines[line][dash + 1 :]) - len(self.lines[line][dash + 1 :].lstrip(_BLANKS))
            return _with_dash(self.copied(line, last, start, inner), column)
        first = node.value[0][0] if isinstance(node, MappingNode) else node
        if first.start_mark.line == line:
            lines = self.block(node, place, inner)
        else:
            self.at = line + 1
            lines = self.block(node, place, inner)
            if rest and not rest.startswith("#"):
                return [" " * column + f"- {rest}", *lines]
            above += [rest] if rest else []
        hoisted = next(number for number, text in enumerate(lines) if text and not text.lstrip(_BLANKS).startswith("#"))
        above += [text.strip(_BLANKS) for text in lines[:hoisted] if text]
        return _with_dash(lines[hoisted:], column)

    # lines

    def copied(self, first: int, last: int, start: int, column: int) -> list[str]:
        """Lines as they are, moved sideways so that what stood at `start` stands at `column`."""
        self.at, self.trailing = last + 1, []
        moved = [" " * column + self.lines[first][start:]]
        for line in self.lines[first + 1 : last + 1]:
            room = len(line) - len(line.lstrip(" "))
            shift = column - start
            moved.append(" " * shift + line if shift > 0 and line.strip(" ") else line[min(room, max(0, -shift)) :])
        if first == last:
            moved[0] = moved[0].rstrip(_BLANKS)
        return moved

    def gap(self, line: int, column: int, parts: list[_Part]) -> list[str]:
        """Comments and blank lines before a line; those that are further in belong to the part before."""
        inside, above = _split(self.lines[self.at : line], column) if parts else ([], self.lines[self.at : line])
        if parts:
            parts[-1].below = [*parts[-1].below, *inside]
        self.at = max(self.at, line)
        return _trimmed([text.strip(_BLANKS) for text in above], start=not parts)


def _split(lines: list[str], column: int) -> tuple[list[str], list[str]]:
    """The comments at the beginning that stand further in than a column, and the rest."""
    count = 0
    for number, line in enumerate(lines, 1):
        if line.strip(_BLANKS) and len(line) - len(line.lstrip(_BLANKS)) <= column:
            break
        count = number if line.strip(_BLANKS) else count
    return [line.strip(_BLANKS) for line in lines[:count]], lines[count:]


def _trimmed(lines: list[str], *, start: bool = False) -> list[str]:
    """Blank lines one at a time, and none at the end, nor at the `start`."""
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]) or (not kept and not start):
            kept.append(line)
    return kept


def _comments(lines: list[str], column: int) -> list[str]:
    return [" " * column + line if line else "" for line in _trimmed(lines)]


def _with_dash(lines: list[str], column: int) -> list[str]:
    return [" " * column + "- " + lines[0][column + STEP :], *lines[1:]]


def _last_line(node: Any, first: int) -> int:
    """The last line of a scalar or of a collection in flow style."""
    mark = node.end_mark
    if isinstance(node, ScalarNode) and node.style in ("|", ">") and mark.column == 0:
        return max(first, int(mark.line) - 1)
    if isinstance(node, ScalarNode) and node.style is None and not node.value:
        return first
    return max(first, int(mark.line))


class _Strings:
    """The strings in a mapping, by their names."""

    def __init__(self, node: Node) -> None:
        self._members = node.value if isinstance(node, MappingNode) else []

    def __call__(self, name: str) -> str | None:
        for key, value in self._members:
            if isinstance(key, ScalarNode) and key.value == name and isinstance(value, ScalarNode):
                return str(value.value)
        return None
