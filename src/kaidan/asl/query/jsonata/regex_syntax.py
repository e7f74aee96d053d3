"""Regular expressions in JavaScript's syntax: the text to a tree.

Source: ECMAScript 2020, "Patterns", without the `u` flag, and its Annex B (what is no escape stands for itself).
Knows nothing of matching.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, TypeAlias

LINE_ENDS: Final = "\n\r\u2028\u2029"
_SPACES: Final = "\t\v\f \u00a0\u1680\u202f\u205f\u3000\ufeff" + LINE_ENDS
MAX_CODE: Final = 0x10FFFF

Ranges: TypeAlias = tuple[tuple[int, int], ...]


class RegexSyntaxError(ValueError):
    """The pattern cannot be read; the message is JavaScript's."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of the ranges, or out of all others."""

    ranges: Ranges
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Assertion:
    """`^`, `$`, `b` or `B`."""

    kind: str


@dataclass(frozen=True, slots=True)
class Look:
    """`(?=…)`, `(?!…)`, `(?<=…)`, `(?<!…)`"""

    node: RegexNode
    behind: bool
    negated: bool


@dataclass(frozen=True, slots=True)
class Capture:
    number: int
    node: RegexNode


@dataclass(frozen=True, slots=True)
class BackReference:
    number: int


@dataclass(frozen=True, slots=True)
class Series:
    nodes: tuple[RegexNode, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    nodes: tuple[RegexNode, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`maximum` is None where there is none."""

    node: RegexNode
    minimum: int
    maximum: int | None
    lazy: bool


RegexNode: TypeAlias = Chars | Assertion | Look | Capture | BackReference | Series | Choice | Repeat


def children(node: RegexNode) -> tuple[RegexNode, ...]:
    """The nodes directly inside a node."""
    if isinstance(node, (Series, Choice)):
        return node.nodes
    return (node.node,) if isinstance(node, (Repeat, Capture, Look)) else ()


DIGIT: Final[Ranges] = ((48, 57),)
WORD: Final[Ranges] = ((48, 57), (65, 90), (95, 95), (97, 122))
SPACE: Final[Ranges] = (*((ord(char), ord(char)) for char in _SPACES), (0x2000, 0x200A))
ANY: Final = Chars(tuple((ord(char), ord(char)) for char in LINE_ENDS), negated=True)
_CLASSES: Final = {"d": DIGIT, "w": WORD, "s": SPACE}
_CONTROLS: Final = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
_QUANTIFIER = re.compile(r"\{(\d{1,9})(?:(,)(\d{0,9}))?\}")
_GROUP = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\((?:\?<([^=!>][^>]*)>|(?!\?))", re.DOTALL)


def parse_regex(pattern: str) -> tuple[RegexNode, int]:
    """The tree and the number of groups. Raises RegexSyntaxError."""
    reader = _Reader(pattern)
    node = reader.choice()
    if reader.at < len(pattern):
        raise RegexSyntaxError("Unmatched ')'")
    return node, reader.groups


@dataclass(slots=True)
class _Reader:
    text: str
    at: int = 0
    groups: int = 0
    all_groups: int = 0
    names: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for found in _GROUP.finditer(self.text):
            if found.group().startswith("("):
                self.all_groups += 1
                if found.group(1):
                    self.names[found.group(1)] = self.all_groups

    def peek(self, text: str) -> bool:
        return self.text.startswith(text, self.at)

    def take(self, text: str) -> bool:
        if not self.peek(text):
            return False
        self.at += len(text)
        return True

    def choice(self) -> RegexNode:
        nodes = [self.series()]
        while self.take("|"):
            nodes.append(self.series())
        return nodes[0] if len(nodes) == 1 else Choice(tuple(nodes))

    def series(self) -> RegexNode:
        nodes: list[RegexNode] = []
        while self.at < len(self.text) and not self.peek("|") and not self.peek(")"):
            nodes.append(self.quantified(self.atom()))
        return nodes[0] if len(nodes) == 1 else Series(tuple(nodes))

    def quantified(self, node: RegexNode) -> RegexNode:
        bounds = self.quantifier()
        if bounds is None:
            return node
        if isinstance(node, Assertion) or (isinstance(node, Look) and node.behind):
            raise RegexSyntaxError("Nothing to repeat")
        lazy = self.take("?")
        return Repeat(node, bounds[0], bounds[1], lazy)

    def quantifier(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.take(sign):
                return bounds
        found = _QUANTIFIER.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        low, comma, high = found.groups()
        maximum = int(low) if comma is None else int(high) if high else None
        if maximum is not None and maximum < int(low):
            raise RegexSyntaxError("numbers out of order in {} quantifier")
        return int(low), maximum

    def atom(self) -> RegexNode:
        if self.text[self.at] in "*+?" or _QUANTIFIER.match(self.text, self.at):
            raise RegexSyntaxError("Nothing to repeat")
        if self.take("("):
            return self.group()
        if self.take("["):
            return self.char_class()
        if self.take("\\"):
            return self.escape()
        char = self.text[self.at]
        self.at += 1
        if char == ".":
            return ANY
        return Assertion(char) if char in "^$" else _one(char)

    def group(self) -> RegexNode:
        for opening, behind, negated in (("?=", 0, 0), ("?!", 0, 1), ("?<=", 1, 0), ("?<!", 1, 1)):
            if self.take(opening):
                return Look(self.closed(), bool(behind), bool(negated))
        if self.take("?:"):
            return Series((self.closed(),))
        if self.take("?<"):
            end = self.text.find(">", self.at)
            if end <= self.at:
                raise RegexSyntaxError("Invalid capture group name")
            self.at = end + 1
        elif self.peek("?"):
            raise RegexSyntaxError("Invalid group")
        self.groups += 1
        number = self.groups
        return Capture(number, self.closed())

    def closed(self) -> RegexNode:
        node = self.choice()
        if not self.take(")"):
            raise RegexSyntaxError("Unterminated group")
        return node

    def escape(self) -> RegexNode:
        if self.at >= len(self.text):
            raise RegexSyntaxError("\\ at end of pattern")
        char = self.text[self.at]
        if char in "bB":
            self.at += 1
            return Assertion(char)
        if char in "123456789":
            reference = self.back_reference()
            if reference is not None:
                return reference
        if char == "k" and self.names:
            return self.named_reference()
        return self.class_escape() or _one(self.char_escape())

    def back_reference(self) -> BackReference | None:
        end = self.at + 1
        while self.text[end : end + 1].isdigit():
            end += 1
        number = int(self.text[self.at : end]) if end - self.at < 9 else self.all_groups + 1
        if number > self.all_groups:
            return None
        self.at = end
        return BackReference(number)

    def named_reference(self) -> BackReference:
        found = re.compile("k<([^>]*)>").match(self.text, self.at)
        if found is None or found.group(1) not in self.names:
            raise RegexSyntaxError("Invalid named reference")
        self.at = found.end()
        return BackReference(self.names[found.group(1)])

    def class_escape(self) -> Chars | None:
        char = self.text[self.at]
        if char.lower() not in _CLASSES:
            return None
        self.at += 1
        return Chars(_CLASSES[char.lower()], negated=char.isupper())

    def char_escape(self) -> str:
        """The character that an escape means; the backslash has been taken."""
        char = self.text[self.at]
        self.at += 1
        if char in _CONTROLS:
            return _CONTROLS[char]
        for letter, size in (("x", 2), ("u", 4)):
            if char == letter:
                digits = self.text[self.at : self.at + size]
                if re.fullmatch(f"[0-9a-fA-F]{{{size}}}", digits):
                    self.at += size
                    return chr(int(digits, 16))
        if char == "c" and re.match("[A-Za-z]", self.text[self.at :]):
            self.at += 1
            return chr(ord(self.text[self.at - 1]) % 32)
        octal = re.compile("[0-3]?[0-7]{1,2}").match(self.text, self.at - 1)
        if octal:
            self.at = octal.end()
            return chr(int(octal.group(), 8))
        return char

    def char_class(self) -> RegexNode:
        negated = self.take("^")
        ranges: list[tuple[int, int]] = []
        while not self.take("]"):
            low = self.class_atom()
            if self.peek("-") and not self.peek("-]"):
                self.at += 1
                high = self.class_atom()
                ranges += _range(low, high)
            else:
                ranges += _ranges(low)
        return Chars(tuple(ranges), negated)

    def class_atom(self) -> str | Chars:
        if self.at >= len(self.text):
            raise RegexSyntaxError("Unterminated character class")
        if not self.take("\\"):
            self.at += 1
            return self.text[self.at - 1]
        if self.at >= len(self.text):
            raise RegexSyntaxError("\\ at end of pattern")
        if self.take("b"):
            return "\b"
        return self.class_escape() or self.char_escape()


def _one(char: str) -> Chars:
    return Chars(((ord(char), ord(char)),))


def _ranges(atom: str | Chars) -> list[tuple[int, int]]:
    if isinstance(atom, str):
        return [(ord(atom), ord(atom))]
    return complement(atom.ranges) if atom.negated else list(atom.ranges)


def _range(low: str | Chars, high: str | Chars) -> list[tuple[int, int]]:
    if isinstance(low, str) and isinstance(high, str):
        if ord(low) > ord(high):
            raise RegexSyntaxError("Range out of order in character class")
        return [(ord(low), ord(high))]
    return [*_ranges(low), (45, 45), *_ranges(high)]


def complement(ranges: Ranges) -> list[tuple[int, int]]:
    """All characters outside the ranges."""
    gaps, start = [], 0
    for low, high in sorted(ranges):
        if low > start:
            gaps.append((start, low - 1))
        start = max(start, high + 1)
    return [*gaps, (start, MAX_CODE)] if start <= MAX_CODE else gaps
