"""Filters of JSONPath (`[?(@.a == 1)]`) as predicates of JSONata. What a test means is in `asl.query.jsonpath`.

In a filter a literal is text, read as the type of the value that it meets: `@.v == 1` holds for 1 and for "1". Left out
here are a boolean compared with text that is neither true nor false, and the order of text and a number.
"""

from __future__ import annotations

import re
from typing import Final, assert_never

from kaidan.asl.query.javaregex import JavaRegex
from kaidan.asl.query.jsonpath_parser import (
    Both,
    Compare,
    Either,
    Exists,
    FromEnd,
    Index,
    Matches,
    Names,
    Operand,
    SubPath,
    Test,
    Text,
)
from kaidan.convert.expressions import AND, COMPARE, OR, Code, Unconvertible, name_text, step_text, string_text, within

_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)
_WORDS: Final = ("true", "false", "null")
_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def predicate(test: Test, document: str) -> str:
    """What stands between the brackets; `document` is what `$` means, as JSONata."""
    return _test(test, document).text


def may_hold_for_lists(test: Test) -> bool:
    """Whether a list may pass. Of one that was all that passed, JSONata would show the members."""
    match test:
        case Both(tests):
            return all(map(may_hold_for_lists, tests))
        case Either(tests):
            return any(map(may_hold_for_lists, tests))
        case Exists(path, wanted):
            return not wanted or not path.tokens
        case _:
            return False


def _test(test: Test, document: str) -> Code:
    match test:
        case Both(tests):
            return Code(" and ".join(within(_test(part, document), AND) for part in tests), AND)
        case Either(tests):
            return Code(" or ".join(within(_test(part, document), OR) for part in tests), OR)
        case Exists(path, wanted):
            there = f"{_path(path, document)} != null"
            # what is not there at all has no members either, and is no item
            return Code(there, COMPARE) if wanted else Code(f"$exists($) and $not({there})", AND)
        case Matches(operand, pattern):
            return _matches(_operand(operand, document), pattern)
        case Compare(left, operator, right):
            return _compare(left, operator, right, document)
        case _:
            assert_never(test)


def _path(path: SubPath, document: str) -> str:
    """Of the item: a path that begins with a name. Of the document: one from its root."""
    text = ""
    for token in path.tokens:
        match token:
            case Names((name,)):
                text += step_text(name) if text or path.of_document else name_text(name)
            case Index(index) if index >= 0:
                text += f"[{index}]" if text or path.of_document else f"$[{index}]"
            case FromEnd(back):
                text += f"[-{back}]" if text or path.of_document else f"$[-{back}]"
            case _:
                raise Unconvertible("a path inside a filter leads nowhere")
    return document + text if path.of_document else text or "$"


def _operand(operand: Operand, document: str) -> str:
    return _path(operand, document) if isinstance(operand, SubPath) else string_text(operand.text)


def _matches(subject: str, pattern: JavaRegex) -> Code:
    flags = pattern.flags
    if set(flags) & set("sx"):
        raise Unconvertible("JSONata's regular expressions have no flags s and x")
    text = f"(?:{pattern.pattern})" if "|" in pattern.pattern else pattern.pattern
    return Code(f"{subject} != null and $contains($string({subject}), /^{text}$/{flags})", AND)


def _compare(left: Operand, operator: str, right: Operand, document: str) -> Code:
    if isinstance(left, Text):
        if isinstance(right, Text):
            raise Unconvertible("a filter that compares two literals")
        return _compare(right, _MIRRORED[operator], left, document)
    subject = _path(left, document)
    if isinstance(right, SubPath):
        return _compare_paths(subject, operator, _path(right, document))
    if operator in ("==", "!="):
        return _equals(subject, right.text, operator == "==")
    return _ordered(subject, operator, right.text)


def _equals(subject: str, literal: str, wanted: bool) -> Code:
    as_more = _NUMBER.fullmatch(literal) or literal in _WORDS
    if wanted:
        test = f"in [{literal}, {string_text(literal)}]" if as_more else f"= {string_text(literal)}"
        return Code(f"{subject} {test}", COMPARE)
    if as_more:
        different = f"$not({subject} in [{literal}, {string_text(literal)}])"
        return Code(f"$type({subject}) in ['null', 'number', 'string'] and {different}", AND)
    return Code(f"$type({subject}) in ['null', 'string'] and {subject} != {string_text(literal)}", AND)


def _ordered(subject: str, operator: str, literal: str) -> Code:
    if literal in _WORDS:
        raise Unconvertible(f"a filter that compares by {operator} with {literal}")
    if _NUMBER.fullmatch(literal):
        return Code(f"$type({subject}) = 'number' and {subject} {operator} {literal}", AND)
    return Code(f"$type({subject}) = 'string' and {subject} {operator} {string_text(literal)}", AND)


def _compare_paths(left: str, operator: str, right: str) -> Code:
    if operator in ("==", "!="):
        return Code(f"{left} {operator.replace('==', '=')} {right}", COMPARE)
    comparable = f"$type({left}) in ['number', 'string'] and $type({left}) = $type({right})"
    return Code(f"{comparable} and {left} {operator} {right}", AND)
