"""Regular expressions: what JavaScript's syntax means, the same by `re` and by the machine, and bounded."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaidan.asl.query.jsonata.regex import JsRegex
from kaidan.asl.query.jsonata.regex_machine import Machine, Spans
from kaidan.asl.query.jsonata.regex_syntax import RegexSyntaxError, parse_regex


class TooLong(Exception):
    pass


def charge(steps: int) -> None:
    """No bound."""


def found(pattern: str, text: str, flags: str = "") -> list[str | None] | None:
    """The match and its groups."""
    spans = JsRegex(pattern, flags).search(text, 0, charge)
    return None if spans is None else _texts(text, spans)


def by_machine(pattern: str, text: str, flags: str = "") -> list[str | None] | None:
    node, groups = parse_regex(pattern)
    machine = Machine(node, groups, "m" in flags, "i" in flags)
    for start in range(len(text) + 1):
        spans = machine.match(text, start, charge)
        if spans is not None:
            return _texts(text, spans)
    return None


def _texts(text: str, spans: Spans) -> list[str | None]:
    return [None if span is None else text[span[0] : span[1]] for span in spans]


CASES: list[tuple[str, str, str, list[str | None] | None]] = [
    (r"a+", "", "baac", ["aa"]),
    (r"(a)|(b)", "", "b", ["b", None, "b"]),
    (r"(?<year>\d{4})-(?<month>\d\d)", "", "on 2018-03", ["2018-03", "2018", "03"]),
    (r"(?:ab)+?", "", "abab", ["ab"]),
    (r"^b", "", "a\nb", None),
    (r"^b", "m", "a\nb", ["b"]),
    (r"a$", "", "a\n", None),
    (r"a$", "m", "a\nb", ["a"]),
    (r"A", "i", "a", ["a"]),
    (r"[^a]", "i", "A", None),
    (r"a.c", "", "a\nc", None),
    (r"a[^]c", "", "a\nc", ["a\nc"]),
    (r"a[]c", "", "ac", None),
    (r"\d", "", "٣", None),
    (r"\w", "", "é", None),
    (r"\s", "", "\u00a0", ["\u00a0"]),
    (r"\bb", "", "éb", ["b"]),
    (r"\B", "", "", [""]),
    (r"(a)\1", "", "aa", ["aa", "a"]),
    (r"\1(a)", "", "a", ["a", "a"]),
    (r"(a)|\1b", "", "b", ["b", None]),
    (r"\k<x>(?<x>a)", "", "a", ["a", "a"]),
    (r"(?=ab)a", "", "ac ab", ["a"]),
    (r"a(?!b)", "", "abac", ["a"]),
    (r"(?<=\$)\d+", "", "1 $23", ["23"]),
    (r"(?<!\$)\b\d+", "", "$1 23", ["23"]),
    (r"\x41\u0042\t\cA\0", "", "AB\t\x01\x00", ["AB\t\x01\x00"]),
    (r"[\w-]+", "", "a-b c", ["a-b"]),
    (r"[a\-z]+", "", "a-zb", ["a-z"]),
    (r"a{,2}", "", "a{,2}", ["a{,2}"]),
    (r"a{2}", "", "aaa", ["aa"]),
    (r"x{", "", "x{", ["x{"]),
    (r"\-\@\é\y", "", "-@éy", ["-@éy"]),
    (r"[[a&&|~-]+", "", "[a&-", ["[a&-"]),
    (r"(z)((a+)?(b+)?(c))*", "", "zaacbbbcac", ["zaacbbbcac", "z", "ac", "a", None, "c"]),
    (r"(a*)*", "", "b", ["", None]),
    (r"(?:a?)*?b", "", "aab", ["aab"]),
]


@pytest.mark.parametrize(("pattern", "flags", "text", "expected"), CASES, ids=[f"/{c[0]}/{c[1]}" for c in CASES])
def test_matches(pattern: str, flags: str, text: str, expected: list[str | None] | None) -> None:
    assert by_machine(pattern, text, flags) == expected
    if pattern != r"(z)((a+)?(b+)?(c))*":  # Python's groups keep what an earlier turn has found
        assert found(pattern, text, flags) == expected


@pytest.mark.parametrize(
    "pattern",
    ["a**", "a++", "*", "a{2}{3}", "^*", "(?<=a)?", "(", ")", "[b-a]", "[", "a{3,1}", "(?P<x>a)", "(?i)a", "\\"],
)
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(RegexSyntaxError):
        JsRegex(pattern, "")


ENDLESS = ["^(a+)+$", "(a|aa)+$", "(a*)*$", "a*a*a*a*b", r"(\w+\s?)+!", "(.*)(.*)(.*)(.*)x"]
ENDLESS += ["(?:a?){300}a{300}b", "(a|aa){60}b", "a?" * 40 + "a" * 40 + "b", "(a|aa|aaa)" * 30 + "b"]


@pytest.mark.parametrize("pattern", ENDLESS)
def test_what_would_take_for_ever_is_stopped(pattern: str) -> None:
    left = 100_000

    def bounded(steps: int) -> None:
        nonlocal left
        left -= steps
        if left < 0:
            raise TooLong

    with pytest.raises(TooLong):
        JsRegex(pattern, "").search("a" * 3000 + "?", 0, bounded)


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\b", "^", "$", "(?=a)", "(?!b)", "c"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        inner.map(lambda text: f"(?:{text}){{1,2}}"),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        inner.map(lambda text: f"({text})"),
    ),
    max_leaves=6,
)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(PATTERNS, st.text("abc \n", max_size=8), st.sampled_from(["", "m", "i"]))
def test_re_and_machine_agree_on_what_matches(pattern: str, text: str, flags: str) -> None:
    quick, slow = found(pattern, text, flags), by_machine(pattern, text, flags)
    assert (quick and quick[0]) == (slow and slow[0])
