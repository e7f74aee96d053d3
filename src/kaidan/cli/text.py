"""Text that fits: widths in terminal cells, and cutting. East Asian characters take two cells."""

from __future__ import annotations

from unicodedata import combining, east_asian_width


def cells(text: str) -> int:
    """How many cells a terminal gives to a text of one line."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if combining(character) or character in "\u200b\u200d\ufe0f":
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def cut(text: str, cells_max: int) -> str:
    """The text, or its beginning and `…` when it is wider."""
    if cells(text) <= cells_max:
        return text
    kept, room = [], cells_max - 1
    for character in text:
        room -= _cells_of(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"


def padded(text: str, width: int) -> str:
    """Exactly `width` cells: cut, or filled up with blanks."""
    text = cut(text, width)
    return text + " " * (width - cells(text))


def one_line(text: str) -> str:
    """White space, line ends above all, as single blanks."""
    return " ".join(text.split())
