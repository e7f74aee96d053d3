"""What the tests of JSONata evaluate with: a fixed time, and chance that is counted out."""

from __future__ import annotations

from collections.abc import Mapping

from kaidan.asl.query.env import Env
from kaidan.asl.query.jsonata import UNDEFINED, Limits, Program, compile_expression
from kaidan.values import JSON

NOW_MS = 1_521_801_216_617
"""2018-03-23T10:33:36.617Z"""


class Counted:
    """A source whose numbers are 0.0, 0.1, 0.2, … 0.9, and so on."""

    def __init__(self) -> None:
        self.drawn = 0

    def uuid4(self) -> str:
        self.drawn += 1
        return f"00000000-0000-4000-8000-{self.drawn:012}"

    def random(self) -> float:
        self.drawn += 1
        return (self.drawn - 1) % 10 / 10


def environment() -> Env:
    return Env(lambda: None, {}, Counted(), NOW_MS)


def evaluate(
    expression: str | Program,
    data: JSON = UNDEFINED,
    bindings: Mapping[str, JSON] | None = None,
    limits: Limits | None = None,
) -> JSON:
    """The value of an expression, as Step Functions would have it."""
    if isinstance(expression, str):
        expression = compile_expression(expression, limits=limits or Limits())
    return expression.evaluate(data, bindings or {}, environment())
