"""A backtracking machine for regular expressions that counts its steps, so that it can be stopped.

About a hundred times slower than `re`: regex.py chooses it where `re` might never end. Knows nothing of JSONata.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from kaidan.asl.query.jsonata.regex_syntax import (
    LINE_ENDS,
    WORD,
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
)

Charge: TypeAlias = Callable[[int], None]
Span: TypeAlias = tuple[int, int]
Spans: TypeAlias = list[Span | None]
"""Where the whole match and each group were found; None for a group that took no part."""

_Test: TypeAlias = Callable[[str], bool]
_CHAR, _SPLIT, _JUMP, _SAVE, _ASSERT, _BACK, _LOOK, _MARK, _PROGRESS, _RESET, _MATCH = range(11)
PROGRAM_MAX: Final = 20_000
_BATCH: Final = 256


def captures_in(node: RegexNode) -> list[int]:
    """The numbers of the groups inside a node."""
    own = [node.number] if isinstance(node, Capture) else []
    return own + [number for child in children(node) for number in captures_in(child)]


class ProgramTooLarge(Exception):
    """Counted repetitions inside each other made more steps than PROGRAM_MAX."""


class Machine:
    """A program of small steps with a stack of what else could be tried."""

    def __init__(self, node: RegexNode, groups: int, multiline: bool, ignore_case: bool) -> None:
        self.groups = groups
        self.multiline = multiline
        self.ignore_case = ignore_case
        self.marks = 0
        self.program: list[tuple[int, Any, Any]] = []
        self.emit(node)
        self.program.append((_MATCH, None, None))

    def add(self, code: int, first: Any = None, second: Any = None) -> int:
        if len(self.program) >= PROGRAM_MAX:
            raise ProgramTooLarge
        self.program.append((code, first, second))
        return len(self.program) - 1

    def emit(self, node: RegexNode) -> None:
        match node:
            case Chars():
                self.add(_CHAR, _tester(node, self.ignore_case))
            case Assertion():
                self.add(_ASSERT, node.kind)
            case Look():
                inner = Machine(node.node, self.groups, self.multiline, self.ignore_case)
                self.add(_LOOK, inner, (node.behind, node.negated))
            case Capture():
                self.add(_SAVE, 2 * node.number)
                self.emit(node.node)
                self.add(_SAVE, 2 * node.number + 1)
            case BackReference():
                self.add(_BACK, node.number)
            case Series():
                for part in node.nodes:
                    self.emit(part)
            case Choice():
                self.emit_choice(node)
            case Repeat():
                self.emit_repeat(node)

    def emit_choice(self, node: Choice) -> None:
        jumps = []
        for part in node.nodes[:-1]:
            split = self.add(_SPLIT)
            self.emit(part)
            jumps.append(self.add(_JUMP))
            self.program[split] = (_SPLIT, split + 1, len(self.program))
        self.emit(node.nodes[-1])
        for jump in jumps:
            self.program[jump] = (_JUMP, len(self.program), None)

    def emit_repeat(self, node: Repeat) -> None:
        for _ in range(node.minimum):
            self.emit_turn(node)
        if node.maximum is None:
            split = self.add(_SPLIT)
            self.emit_further_turn(node)
            self.add(_JUMP, split)
            self.branch(split, split + 1, len(self.program), node.lazy)
            return
        splits = []
        for _ in range(node.maximum - node.minimum):
            splits.append(self.add(_SPLIT))
            self.emit_further_turn(node)
        for split in splits:
            self.branch(split, split + 1, len(self.program), node.lazy)

    def emit_turn(self, node: Repeat) -> None:
        """What is repeated, once; the groups in it begin anew."""
        captures = captures_in(node.node)
        if captures:
            self.add(_RESET, captures)
        self.emit(node.node)

    def emit_further_turn(self, node: Repeat) -> None:
        """A turn beyond the least number, which must match something."""
        mark = self.marks
        self.marks += 1
        self.add(_MARK, mark)
        self.emit_turn(node)
        self.add(_PROGRESS, mark)

    def branch(self, at: int, inner: int, outer: int, lazy: bool) -> None:
        self.program[at] = (_SPLIT, outer, inner) if lazy else (_SPLIT, inner, outer)

    def match(self, text: str, start: int, charge: Charge, end: int | None = None) -> Spans | None:
        """A match from `start`, up to `end` exactly where that is given."""
        saved: tuple[int, ...] = (-1,) * (2 * self.groups + 2 + self.marks)
        tries = [(0, start, saved)]
        marks = 2 * self.groups + 2
        steps = 0
        while tries:
            step, at, saved = tries.pop()
            while True:
                steps += 1
                if steps % _BATCH == 0:
                    charge(2 * _BATCH)
                code, first, second = self.program[step]
                step += 1
                if code == _CHAR:
                    if at >= len(text) or not first(text[at]):
                        break
                    at += 1
                elif code == _SPLIT:
                    tries.append((second, at, saved))
                    step = first
                elif code == _JUMP:
                    step = first
                elif code == _SAVE:
                    saved = _with(saved, first, at)
                elif code == _RESET:
                    for number in first:
                        saved = _with(_with(saved, 2 * number, -1), 2 * number + 1, -1)
                elif code == _MARK:
                    saved = _with(saved, marks + first, at)
                elif code == _PROGRESS:
                    if saved[marks + first] == at:
                        break
                elif code == _ASSERT:
                    if not self.holds(first, text, at):
                        break
                elif code == _BACK:
                    begin, finish = saved[2 * first], saved[2 * first + 1]
                    part = text[begin:finish] if 0 <= begin <= finish else ""
                    if not self.repeats(part, text, at):
                        break
                    at += len(part)
                elif code == _LOOK:
                    behind, negated = second
                    spans = first.look(text, at, charge, behind)
                    if (spans is None) is not negated:
                        break
                    if spans is not None:
                        saved = _merged(saved, spans)
                elif end is None or at == end:
                    return [(start, at), *_spans(saved, self.groups)]
                else:
                    break
        charge(2 * (steps % _BATCH))
        return None

    def look(self, text: str, at: int, charge: Charge, behind: bool) -> Spans | None:
        if not behind:
            return self.match(text, at, charge)
        for start in range(at, -1, -1):
            spans = self.match(text, start, charge, at)
            if spans is not None:
                return spans
        return None

    def holds(self, kind: str, text: str, at: int) -> bool:
        if kind == "^":
            return at == 0 or (self.multiline and text[at - 1] in LINE_ENDS)
        if kind == "$":
            return at == len(text) or (self.multiline and text[at] in LINE_ENDS)
        before = at > 0 and _is_word(text[at - 1])
        after = at < len(text) and _is_word(text[at])
        return (before is not after) is (kind == "b")

    def repeats(self, part: str, text: str, at: int) -> bool:
        other = text[at : at + len(part)]
        return part == other or (self.ignore_case and part.lower() == other.lower())


def _with(saved: tuple[int, ...], index: int, value: int) -> tuple[int, ...]:
    return (*saved[:index], value, *saved[index + 1 :])


def _merged(saved: tuple[int, ...], spans: Spans) -> tuple[int, ...]:
    places = list(saved)
    for number, span in enumerate(spans):
        if number and span is not None:
            places[2 * number : 2 * number + 2] = span
    return tuple(places)


def _spans(saved: tuple[int, ...], groups: int) -> Spans:
    return [
        (saved[2 * number], saved[2 * number + 1]) if saved[2 * number + 1] >= 0 else None
        for number in range(1, groups + 1)
    ]


def _is_word(char: str) -> bool:
    return any(low <= ord(char) <= high for low, high in WORD)


def _tester(chars: Chars, ignore_case: bool) -> _Test:
    ranges, negated = chars.ranges, chars.negated
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1] and not ignore_case and not negated:
        only = chr(ranges[0][0])
        return lambda char: char == only

    def has(char: str) -> bool:
        code = ord(char)
        return any(low <= code <= high for low, high in ranges) is not negated

    def has_in_any_case(char: str) -> bool:
        return any(has(variant) is not negated for variant in (char, char.lower(), char.upper()[:1])) is not negated

    return has_in_any_case if ignore_case else has
