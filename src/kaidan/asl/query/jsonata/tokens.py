"""Text to tokens. One token at a time, because what `/` means depends on what the parser expects there.

Source: JSONata 2.0.6. Positions are offsets in characters, of the start of a token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from kaidan.asl.query.jsonata.errors import JsonataSyntaxError
from kaidan.values import JSON

Kind = Literal["operator", "name", "variable", "string", "number", "value", "regex", "end"]

BINDING_POWERS: Final = {
    ".": 75, "[": 80, "]": 0, "{": 70, "}": 0, "(": 80, ")": 0, ",": 0, "@": 80, "#": 80, ";": 80, ":": 80, "?": 20,
    "+": 50, "-": 50, "*": 60, "/": 60, "%": 60, "|": 20, "=": 40, "<": 40, ">": 40, "^": 40, "**": 60, "..": 20,
    ":=": 10, "!=": 40, "<=": 40, ">=": 40, "~>": 40, "and": 30, "or": 25, "in": 40, "&": 50, "!": 0, "~": 0,
    "??": 40, "?:": 40,
}  # fmt: skip
"""Every operator, and how strongly it binds to its left. The last two came with JSONata 2.1: only where asked for."""

_PAIRS: Final = ("..", ":=", "!=", ">=", "<=", "**", "~>")
_PAIRS_2_1: Final = ("?:", "??")
_ESCAPES: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS: Final[dict[str, JSON]] = {"true": True, "false": False, "null": None}
_BLANKS: Final = " \t\n\r\v"
_SINGLES: Final = frozenset(operator for operator in BINDING_POWERS if len(operator) == 1)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([Ee][-+]?[0-9]+)?")
_NAME = re.compile("[^" + re.escape(_BLANKS + "".join(sorted(_SINGLES))) + "]*")
_HEX = re.compile(r"[0-9a-fA-F]+")


@dataclass(frozen=True, slots=True)
class Token:
    """`value`: the operator, the name (a variable's without `$`), the literal's value, a regex's (pattern, flags)."""

    kind: Kind
    value: JSON
    position: int


class Tokenizer:
    """Gives the tokens of a text. `next` raises JsonataSyntaxError (S01xx, S03xx)."""

    def __init__(self, text: str, *, extended: bool = False) -> None:
        self.text = text
        self.position = 0
        self._pairs = _PAIRS + _PAIRS_2_1 if extended else _PAIRS

    def next(self, *, operand: bool) -> Token:
        """The next token. `operand`: an operand may come, so that `/` begins a regular expression."""
        self._skip_blanks_and_comments()
        text, start = self.text, self.position
        if start >= len(text):
            return Token("end", "(end)", len(text))
        first = text[start]
        if operand and first == "/":
            return Token("regex", self._regex(), start)
        if text[start : start + 2] in self._pairs:
            self.position += 2
            return Token("operator", text[start : start + 2], start)
        if first in _SINGLES:
            self.position += 1
            return Token("operator", first, start)
        if first in "\"'":
            return Token("string", self._string(first), start)
        found = _NUMBER.match(text, start)
        if found:
            return Token("number", self._number(found), start)
        return self._quoted_name(start) if first == "`" else self._name(start)

    def _skip_blanks_and_comments(self) -> None:
        text, at = self.text, self.position
        while at < len(text):
            if text[at] in _BLANKS:
                at += 1
            elif text.startswith("/*", at):
                end = text.find("*/", at + 2)
                if end < 0:
                    raise JsonataSyntaxError("S0106", at)
                at = end + 2
            else:
                break
        self.position = at

    def _number(self, found: re.Match[str]) -> JSON:
        digits = found.group()
        value = float(digits)
        if value in (float("inf"), float("-inf")):
            raise JsonataSyntaxError("S0102", found.start(), token=digits)
        self.position = found.end()
        return int(value) if value.is_integer() and abs(value) < 2**63 else value

    def _string(self, quote: str) -> str:
        text = self.text
        parts: list[str] = []
        at = start = self.position + 1
        while at < len(text):
            if text[at] == quote:
                self.position = at + 1
                return _join_surrogates("".join([*parts, text[start:at]]))
            if text[at] == "\\":
                parts += [text[start:at], self._escape(at + 1)]
                at = start = self.position
            else:
                at += 1
        raise JsonataSyntaxError("S0101", len(text))

    def _escape(self, at: int) -> str:
        """What the escape with this letter means; the position goes behind it."""
        letter = self.text[at : at + 1]
        self.position = at + 1
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        if letter != "u":
            raise JsonataSyntaxError("S0103", at, token=letter)
        digits = self.text[at + 1 : at + 5]
        if not _HEX.fullmatch(digits):
            raise JsonataSyntaxError("S0104", at)
        self.position = at + 5
        return chr(int(digits, 16))

    def _quoted_name(self, start: int) -> Token:
        end = self.text.find("`", start + 1)
        if end < 0:
            raise JsonataSyntaxError("S0105", len(self.text))
        self.position = end + 1
        return Token("name", self.text[start + 1 : end], start)

    def _name(self, start: int) -> Token:
        found = _NAME.match(self.text, start)
        name = found.group() if found else ""
        self.position = start + len(name)
        if name.startswith("$"):
            return Token("variable", name[1:], start)
        if name in ("and", "or", "in"):
            return Token("operator", name, start)
        return Token("value", _WORDS[name], start) if name in _WORDS else Token("name", name, start)

    def _regex(self) -> tuple[str, str]:
        """Up to the closing `/`, which is neither escaped nor inside brackets, and the flags `i` and `m`."""
        text, start, depth, backslashes = self.text, self.position + 1, 0, 0
        for at in range(start, len(text)):
            letter = text[at]
            if letter == "/" and depth == 0 and backslashes % 2 == 0:
                return self._regex_end(text[start:at], at)
            if backslashes == 0:
                depth += (letter in "([{") - (letter in ")]}")
            backslashes = backslashes + 1 if letter == "\\" else 0
        raise JsonataSyntaxError("S0302", len(text))

    def _regex_end(self, pattern: str, at: int) -> tuple[str, str]:
        if pattern == "":
            raise JsonataSyntaxError("S0301", at)
        flags = re.compile("[im]*").match(self.text, at + 1)
        self.position = flags.end() if flags else at + 1
        return pattern, flags.group() if flags else ""


def _join_surrogates(text: str) -> str:
    """A pair written as two escapes is one character, as it is in JavaScript."""
    if not any("\ud800" <= ch <= "\udfff" for ch in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
