"""Matching regular expressions of JavaScript: with Python's `re` where that is safe, else step by step within bounds.

`re` cannot be interrupted. So where a pattern could make it try a number of ways that no evaluation may take (nested
repetition, or several repetitions on a long text), a small backtracking machine is used, which counts its steps; also
where the two languages would match differently.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from kaidan.asl.query.jsonata.errors import MEMORY_LIMIT, LimitExceeded
from kaidan.asl.query.jsonata.regex_machine import Charge, Machine, ProgramTooLarge, Spans
from kaidan.asl.query.jsonata.regex_syntax import (
    LINE_ENDS,
    Assertion,
    BackReference,
    Capture,
    Chars,
    Choice,
    Look,
    RegexNode,
    Repeat,
    Series,
    children,
    parse_regex,
)

WAYS_MAX: Final = 50_000_000
"""Ways that `re` may have to try: about half a second."""

NESTED_TEXT_MAX: Final = 18
"""Up to this length even nested repetition has few enough ways."""


class JsRegex:
    """A compiled pattern; `flags` are `i` (ignore case) and `m` (`^` and `$` match at lines)."""

    def __init__(self, pattern: str, flags: str) -> None:
        """Raises RegexSyntaxError."""
        self.source = pattern
        node, self.groups = parse_regex(pattern)
        self._multiline = "m" in flags
        self._ignore_case = "i" in flags
        self._node = node
        self._nested = _has_nested_repeats(node, False)
        self._empty = _repeats_nothing(node)
        self._repeats = _count_repeats(node) + (0 if _is_anchored(node, self._multiline) else 1)
        self._options = _count_options(node)
        self._machine: Machine | None = None
        try:
            text = _Translation(self._multiline).whole(node)
            self._re: re.Pattern[str] | None = re.compile(text, re.IGNORECASE if self._ignore_case else 0)
        except (re.error, OverflowError, RecursionError):
            self._re = None

    def search(self, text: str, start: int, charge: Charge) -> Spans | None:
        """The first match at or after `start`. `charge` is told of the steps, and may stop the search by raising."""
        if self._re is None or not self._is_safe(len(text) - start):
            return self._by_steps(text, start, charge)
        found = self._re.search(text, start)
        charge(1 + ((found.end() if found else len(text)) - start >> 6))
        if found is None:
            return None
        return [span if span[0] >= 0 else None for span in found.regs]

    def _is_safe(self, length: int) -> bool:
        if self._empty:
            return False
        if self._nested:
            return length <= NESTED_TEXT_MAX
        return bool(length**self._repeats << self._options <= WAYS_MAX)

    def _by_steps(self, text: str, start: int, charge: Charge) -> Spans | None:
        if self._machine is None:
            try:
                self._machine = Machine(self._node, self.groups, self._multiline, self._ignore_case)
            except ProgramTooLarge:
                raise LimitExceeded(MEMORY_LIMIT) from None
        for at in range(start, len(text) + 1):
            spans = self._machine.match(text, at, charge)
            if spans is not None:
                return spans
        return None


@lru_cache(maxsize=512)
def compile_regex(pattern: str, flags: str) -> JsRegex:
    """Raises RegexSyntaxError."""
    return JsRegex(pattern, flags)


# How much a pattern may have to try


def _varies(node: Repeat) -> bool:
    return node.maximum is None or node.maximum > max(node.minimum, 1)


def _has_nested_repeats(node: RegexNode, inside: bool) -> bool:
    if inside and (isinstance(node, Repeat) and node.maximum != node.minimum):
        return True
    if inside and isinstance(node, Choice) and not _is_decided_at_once(node):
        return True
    inside = inside or (isinstance(node, Repeat) and node.maximum != 1)
    return any(_has_nested_repeats(child, inside) for child in children(node))


def _repeats_nothing(node: RegexNode) -> bool:
    """Something is repeated that can match nothing: JavaScript and Python then go different ways, and many of them,
    however short the text."""
    own = isinstance(node, Repeat) and not node.minimum == node.maximum == 1 and _may_be_empty(node.node)
    return own or any(map(_repeats_nothing, children(node)))


def _may_be_empty(node: RegexNode) -> bool:
    match node:
        case Chars():
            return False
        case Repeat():
            return node.minimum == 0 or _may_be_empty(node.node)
        case Capture():
            return _may_be_empty(node.node)
        case Series():
            return all(map(_may_be_empty, node.nodes))
        case Choice():
            return any(map(_may_be_empty, node.nodes))
        case _:
            return True


def _is_decided_at_once(choice: Choice) -> bool:
    """Each alternative is a single character, and they share none; so there is one way only."""
    sets = [set(_codes(node)) if isinstance(node, Chars) else None for node in choice.nodes]
    known = [codes for codes in sets if codes]
    return len(known) == len(choice.nodes) and sum(map(len, known)) == len(set().union(*known))


def _codes(chars: Chars) -> list[int]:
    if chars.negated or sum(high - low for low, high in chars.ranges) > 256:
        return []
    return [code for low, high in chars.ranges for code in range(low, high + 1)]


def _count_repeats(node: RegexNode) -> int:
    return (isinstance(node, Repeat) and _varies(node)) + sum(map(_count_repeats, children(node)))


def _count_options(node: RegexNode) -> int:
    """Places with a few ways to go, however long the text: `a?`, `(a|ab)`; in ways as a power of two."""
    own = 0
    if isinstance(node, Repeat) and node.maximum != node.minimum and not _varies(node):
        own = 1
    if isinstance(node, Choice) and not _is_decided_at_once(node):
        own = len(node.nodes).bit_length()
    return own + sum(map(_count_options, children(node)))


def _is_anchored(node: RegexNode, multiline: bool) -> bool:
    first = node.nodes[0] if isinstance(node, Series) and node.nodes else node
    return isinstance(first, Assertion) and first.kind == "^" and not multiline


# For Python's re


class _Translation:
    """A tree to Python's syntax. Everything that the two read differently is spelt out."""

    def __init__(self, multiline: bool) -> None:
        self.multiline = multiline
        self.closed: set[int] = set()

    def whole(self, node: RegexNode) -> str:
        match node:
            case Chars():
                return _chars(node)
            case Assertion():
                return self.assertion(node.kind)
            case Look():
                sign = ("<" if node.behind else "") + ("!" if node.negated else "=")
                return f"(?{sign}{self.whole(node.node)})"
            case Capture():
                text = f"({self.whole(node.node)})"
                self.closed.add(node.number)
                return text
            case BackReference():
                return f"(?({node.number})(?:\\{node.number}))" if node.number in self.closed else ""
            case Series():
                return "".join(map(self.whole, node.nodes))
            case Choice():
                return "(?:" + "|".join(map(self.whole, node.nodes)) + ")"
            case Repeat():
                high = "" if node.maximum is None else str(node.maximum)
                return f"(?:{self.whole(node.node)}){{{node.minimum},{high}}}" + ("?" if node.lazy else "")

    def assertion(self, kind: str) -> str:
        if kind in "bB":
            return r"(?a:\b)" if kind == "b" else r"(?!(?a:\b))"
        ends = "".join(f"\\u{ord(char):04x}" for char in LINE_ENDS)
        if kind == "^":
            return f"(?<![^{ends}])" if self.multiline else r"\A"
        return f"(?![^{ends}])" if self.multiline else r"\Z"


def _chars(chars: Chars) -> str:
    if not chars.ranges:
        return r"[\s\S]" if chars.negated else "(?!)"
    spans = "".join(f"\\U{low:08x}" if low == high else f"\\U{low:08x}-\\U{high:08x}" for low, high in chars.ranges)
    return f"[{'^' if chars.negated else ''}{spans}]"
