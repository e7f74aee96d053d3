r"""StringMatches: `*` stands for any characters, `\*` and `\\` for themselves."""

from __future__ import annotations

import pytest

from kaidan.asl.query.choice import compile_rule
from kaidan.asl.query.env import Env
from kaidan.runtime.sources import SeededSource
from kaidan.values import JSON
from tests.fuzz.trial import within

ENV = Env(dict, {}, SeededSource(1), 0)


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("", [""], ["a"]),
        ("a", ["a"], ["", "aa", "A"]),
        ("*", ["", "a", "a\nb"], []),
        ("*.log", ["x.log", ".log", "a.log.log"], ["log", "x.logs"]),
        ("a*", ["a", "ab"], ["ba"]),
        ("a*a", ["aa", "aba"], ["a", "ab"]),
        ("a*b*c", ["abc", "axbxc", "abbc"], ["acb", "ac", "abcd"]),
        ("*ab*ab*", ["abab", "xabxabx"], ["ab", "aab"]),
        ("**", ["", "x"], []),
        (r"\*", ["*"], ["a", r"\*"]),
        (r"a\\*", ["a\\", "a\\b"], ["a*", "ab"]),
        (r"a\b", [r"a\b"], ["ab"]),
        ("a.c", ["a.c"], ["abc"]),
    ],
)
def test_matching(pattern: str, matching: list[str], others: list[JSON]) -> None:
    test = compile_rule({"Variable": "$", "StringMatches": pattern})
    assert [text for text in matching if not test(text, ENV)] == []
    assert [text for text in [*others, 1, None, ["a"]] if test(text, ENV)] == []


def test_many_stars_take_no_time() -> None:
    test = compile_rule({"Variable": "$", "StringMatches": "*a" * 50 + "*b"})
    with within(1):
        assert not test("a" * 10_000, ENV)
