"""The functions that use regular expressions, and the regular expression as a function.

A regular expression is a function from a string to its first match, which has a function to find the next one; so any
function that does the same will serve. Source: JSONata 2.0.6, "Using regular expressions".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kaidan.asl.query.jsonata.calls import Native, Procedure, invoke
from kaidan.asl.query.jsonata.errors import fail
from kaidan.asl.query.jsonata.limits import Run
from kaidan.asl.query.jsonata.regex import JsRegex
from kaidan.asl.query.jsonata.regex_machine import Spans
from kaidan.asl.query.jsonata.values import NUMBERS, UNDEFINED, Function, Sequence
from kaidan.values import JSON

MATCH_STEPS: Final = 4
"""What a match counts in steps."""


class Matcher(Procedure):
    """`/…/`: a function from a string to `{match, start, end, groups, next}` or nothing."""

    __slots__ = ("regex",)

    def __init__(self, regex: JsRegex) -> None:
        self.regex = regex
        self.arity = 2

    def apply(self, run: Run, arguments: list[JSON], context: JSON, depth: int) -> JSON:
        text = arguments[0] if arguments else UNDEFINED
        return UNDEFINED if text.__class__ is not str else self._from(run, text, 0)

    def _from(self, run: Run, text: str, start: int) -> JSON:
        spans = self.regex.search(text, start, run.charge)
        return UNDEFINED if spans is None else self._as_value(text, spans)

    def _as_value(self, text: str, spans: Spans) -> JSON:
        found = _match(text, spans)

        def following(run: Run) -> JSON:
            if found.end >= len(text):
                return UNDEFINED
            value = self._from(run, text, found.end)
            return fail("D1004") if value is not UNDEFINED and value["match"] == "" else value

        return {
            "match": found.match,
            "start": utf16_offset(text, found.start),
            "end": utf16_offset(text, found.end),
            "groups": found.groups,
            "next": Native("next", following, None, 0),
        }

    def matches(self, run: Run, text: str) -> Iterator[Match]:
        """All matches, as `next` would find them. Raises JsonataError D1004."""
        start = 0
        while True:
            spans = self.regex.search(text, start, run.charge)
            if spans is None:
                return
            found = _match(text, spans)
            run.charge(MATCH_STEPS)
            if start and not found.match:
                fail("D1004")
            yield found
            start = found.end
            if start >= len(text):
                return
            if start == 0:
                fail("D1004")


@dataclass(frozen=True, slots=True)
class Match:
    """A match in a text; `value` is what a user's own matcher returned."""

    match: str
    start: int
    end: int
    groups: list[JSON]
    value: JSON = None


def _match(text: str, spans: Spans) -> Match:
    start, end = spans[0] or (0, 0)
    groups = [UNDEFINED if span is None else text[span[0] : span[1]] for span in spans[1:]]
    return Match(text[start:end], start, end, groups)


def utf16_offset(text: str, at: int) -> int:
    """A place in a text as JavaScript counts it: characters beyond U+FFFF count two."""
    if text.isascii():
        return at
    return at + sum(char > "\uffff" for char in text[:at])


def _matches(run: Run, matcher: JSON, text: str) -> Iterator[Match]:
    if isinstance(matcher, Matcher):
        yield from matcher.matches(run, text)
        return
    depth = run.depth
    value = invoke(run, matcher, [text], depth)
    while value is not UNDEFINED:
        if value.__class__ is not dict or not _is_match(value):
            fail("T1010")
        found, groups = value.get("match"), value.get("groups")
        yield Match(
            found if isinstance(found, str) else "",
            _place(value.get("start")),
            _place(value.get("end")),
            groups if isinstance(groups, list) else [],
            value,
        )
        run.charge(1)
        value = invoke(run, value.get("next"), [], depth)


def _is_match(value: dict[str, JSON]) -> bool:
    return (
        value.get("start").__class__ in NUMBERS
        or isinstance(value.get("groups"), list)
        or isinstance(value.get("next"), Function)
    )


def _place(value: JSON) -> int:
    is_number = value.__class__ in NUMBERS
    return int(value) if is_number and math.isfinite(value) else 0


def contains(run: Run, text: JSON, token: JSON) -> JSON:
    if text is UNDEFINED or token is UNDEFINED:
        return UNDEFINED
    if token.__class__ is str:
        return token in text
    return next(_matches(run, token, text), None) is not None


def match(run: Run, text: JSON, matcher: JSON, limit: JSON = UNDEFINED) -> JSON:
    """`[{match, index, groups}, …]`"""
    if text is UNDEFINED:
        return text
    if limit is not UNDEFINED and limit < 0:
        fail("D3040", value=limit, index=3)
    result = Sequence()
    if limit is UNDEFINED or limit > 0:
        for found in _matches(run, matcher, text):
            if limit is not UNDEFINED and len(result) >= limit:
                break
            index = utf16_offset(text, found.start) if found.value is None else found.value.get("start", UNDEFINED)
            result.append({"match": found.match, "index": index, "groups": found.groups})
            run.allot_members(3 + len(found.groups))
    return result


def split(run: Run, text: JSON, separator: JSON, limit: JSON = UNDEFINED) -> JSON:
    """The parts between separators, `limit` of them at most."""
    if text is UNDEFINED:
        return text
    if limit is not UNDEFINED and limit < 0:
        fail("D3020", value=limit, index=3)
    count = math.inf if limit is UNDEFINED else limit
    if separator.__class__ is str and count < math.inf:
        count = math.floor(count)
    if count <= 0 or separator is UNDEFINED:
        return [] if separator is not UNDEFINED else [text]
    parts = _split_at(text, separator) if separator.__class__ is str else _split_by(run, text, separator, count)
    run.allot_members(len(parts))
    return parts if len(parts) <= count else parts[: int(count)]


def _split_at(text: str, separator: str) -> list[JSON]:
    return list(text.split(separator)) if separator else list(text)


def _split_by(run: Run, text: str, matcher: JSON, count: float) -> list[JSON]:
    parts: list[JSON] = []
    start = 0
    for found in _matches(run, matcher, text):
        if len(parts) >= count:
            return parts
        parts.append(text[start : found.start])
        start = found.end
    return [*parts, text[start:]] if len(parts) < count else parts


def replace(run: Run, text: JSON, pattern: JSON, replacement: JSON, limit: JSON = UNDEFINED) -> JSON:
    """Matches replaced by a string, in which `$1` stands for a group, or by what a function returns."""
    if text is UNDEFINED:
        return text
    if pattern == "":
        fail("D3010", value=pattern, index=2)
    if limit is not UNDEFINED and limit < 0:
        fail("D3011", value=limit, index=4)
    if limit is not UNDEFINED and limit <= 0:
        return text
    count = math.inf if limit is UNDEFINED else limit
    if pattern.__class__ is str:
        return _replace_text(run, text, pattern, replacement, count)
    return _replace_matches(run, text, pattern, replacement, count)


def _replace_text(run: Run, text: str, pattern: str, replacement: JSON, count: float) -> JSON:
    if replacement.__class__ is not str:
        fail("D3012", value=replacement)
    times = min(text.count(pattern), math.ceil(count) if count < math.inf else len(text))
    run.allot(len(text) + times * max(0, len(replacement) - len(pattern)))
    return text.replace(pattern, replacement, times)


def _replace_matches(run: Run, text: str, matcher: JSON, replacement: JSON, count: float) -> JSON:
    parts: list[str] = []
    position = 0
    for found in _replacing(run, matcher, text, count):
        substitute = _substitute(run, replacement, found, text)
        parts += [text[position : found.start], substitute]
        run.allot(len(parts[-2]))
        position = found.start + len(found.match)
    return "".join([*parts, text[position:]]) if parts else text


def _replacing(run: Run, matcher: JSON, text: str, count: float) -> Iterator[Match]:
    for number, found in enumerate(_matches(run, matcher, text)):
        if number >= count:
            return
        yield found


def _substitute(run: Run, replacement: JSON, found: Match, text: str) -> str:
    """What takes the place of a match. Its memory is asked for before it is made, where it can be much."""
    if replacement.__class__ is str:
        parts = _expanded(replacement, found)
        run.allot(sum(map(len, parts)))
        return "".join(parts)
    value = found.value
    if value is None:
        value = {
            "match": found.match,
            "start": utf16_offset(text, found.start),
            "end": utf16_offset(text, found.end),
            "groups": found.groups,
        }
    result = invoke(run, replacement, [value], run.depth)
    if not isinstance(result, str):
        fail("D3012", value=result)
    run.allot(len(result))
    return result


def _expanded(replacement: str, found: Match) -> list[str]:
    """`$0` is the match, `$1` and so on its groups, `$$` a dollar; a group that is missing is nothing."""
    first, *rest = replacement.split("$")
    parts, at = [first], 0
    while at < len(rest):
        part = rest[at]
        if part == "" and at + 1 < len(rest):
            parts += ["$", rest[at + 1]]
            at += 2
            continue
        value, length = _reference(part, found)
        parts += [value, part[length:]]
        at += 1
    return parts


def _reference(text: str, found: Match) -> tuple[str, int]:
    """What the text behind a `$` refers to, and how many characters of it are the reference."""
    if text.startswith("0"):
        return found.match, 1
    groups = found.groups
    digits = len(str(len(groups)))
    number = _leading_number(text[:digits])
    if number is not None and digits > 1 and number > len(groups):
        number = _leading_number(text[: digits - 1])
    if number is None:
        return "$", 0
    value = groups[number - 1] if 0 < number <= len(groups) else UNDEFINED
    return (value if isinstance(value, str) else ""), len(str(number))


def _leading_number(text: str) -> int | None:
    digits = text[: len(text) - len(text.lstrip("0123456789"))]
    return int(digits) if digits else None
