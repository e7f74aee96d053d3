"""How strings compare in choice rules: by UTF-16 units, as in Java (AWS guide, "Choice workflow state")."""

from __future__ import annotations

import pytest

from kaidan.asl.query.choice import compile_rule
from kaidan.asl.query.env import Env
from kaidan.runtime.sources import SeededSource

ENV = Env(dict, {}, SeededSource(1), 0)


@pytest.mark.parametrize(
    ("less", "more"),
    [("", "a"), ("B", "a"), ("a", "ab"), ("z", "é"), ("\U0001f600", "\ufffd"), ("\ud800", "\ufffd")],
)
def test_the_order_of_strings(less: str, more: str) -> None:
    def holds(operator: str, left: str, right: str) -> bool:
        literal = compile_rule({"Variable": "$.left", operator: right})
        path = compile_rule({"Variable": "$.left", operator + "Path": "$.right"})
        given = {"left": left, "right": right}
        assert literal(given, ENV) is path(given, ENV)
        return literal(given, ENV)

    assert holds("StringLessThan", less, more)
    assert holds("StringLessThanEquals", less, less)
    assert holds("StringGreaterThan", more, less)
    assert holds("StringGreaterThanEquals", more, more)
    assert not holds("StringLessThan", more, less)
    assert not holds("StringGreaterThanEquals", less, more)
    assert holds("StringEquals", more, more)
    assert not holds("StringEquals", less, more)
