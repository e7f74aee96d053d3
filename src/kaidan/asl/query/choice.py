"""Choice rules of the JSONPath dialect: a rule compiled to a test. Knows nothing of states.

    {"Variable": "$.n", "NumericGreaterThanPath": "$.limit"}   {"And": [rule, …]}   {"Not": rule}

Source: States Language spec, "Choice Rules", "Data-test expression"; AWS guide, "Choice workflow state".
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any, TypeAlias

from kaidan.asl.query.env import Env, Expression
from kaidan.asl.query.jsonpath import PathNotFound, compile_path
from kaidan.asl.query.timestamps import parse_ns
from kaidan.errors import runtime_error
from kaidan.values import JSON

Test: TypeAlias = Callable[[JSON, Env], bool]
Comparison: TypeAlias = Callable[[JSON, JSON], bool]

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
}


def _string(value: JSON) -> str | None:
    return value if isinstance(value, str) else None


def _place(value: JSON) -> bytes | None:
    """Where a string stands in the order of Java's compareTo, which goes by UTF-16 units (AWS guide, "Choice")."""
    return value.encode("utf-16-be", "surrogatepass") if isinstance(value, str) else None


def _number(value: JSON) -> int | float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _boolean(value: JSON) -> bool | None:
    return value if isinstance(value, bool) else None


def _compare(read: Callable[[JSON], Any], order: Callable[[Any, Any], bool]) -> Comparison:
    """A comparison of two values of one kind; values of another kind are not in that relation."""

    def compare(left: JSON, right: JSON) -> bool:
        a, b = read(left), read(right)
        return a is not None and b is not None and order(a, b)

    return compare


COMPARISONS: dict[str, Comparison] = {
    **{"String" + name: _compare(_place, order) for name, order in _ORDERS.items()},
    "StringEquals": _compare(_string, operator.eq),
    **{"Numeric" + name: _compare(_number, order) for name, order in _ORDERS.items()},
    **{"Timestamp" + name: _compare(parse_ns, order) for name, order in _ORDERS.items()},
    "BooleanEquals": _compare(_boolean, operator.eq),
}
"""Operators that compare with a literal, or with `…Path`."""

TYPE_TESTS: dict[str, Callable[[JSON], bool]] = {
    "IsNull": lambda value: value is None,
    "IsString": lambda value: isinstance(value, str),
    "IsNumeric": lambda value: _number(value) is not None,
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: parse_ns(value) is not None,
}
"""Operators that ask for a type; `IsPresent` stands apart, as its variable may be missing."""

OPERATORS = (
    *COMPARISONS,
    *(name + "Path" for name in COMPARISONS),
    "StringMatches",
    "IsPresent",
    *TYPE_TESTS,
)
"""Every data-test operator."""


def compile_rule(rule: JSON) -> Test:
    """A rule, checked already, as a test of the effective input. The test raises StateError (States.Runtime)."""
    if "And" in rule:
        tests = [compile_rule(part) for part in rule["And"]]
        return lambda data, env: all(test(data, env) for test in tests)
    if "Or" in rule:
        tests = [compile_rule(part) for part in rule["Or"]]
        return lambda data, env: any(test(data, env) for test in tests)
    if "Not" in rule:
        inner = compile_rule(rule["Not"])
        return lambda data, env: not inner(data, env)
    return _data_test(rule)


def _data_test(rule: JSON) -> Test:
    name = next(key for key in rule if key in OPERATORS)
    path, operand = rule["Variable"], rule[name]
    if name == "IsPresent":
        return _is_present(compile_path(path), operand)
    variable = _variable(path)
    if name in TYPE_TESTS:
        is_type = TYPE_TESTS[name]
        return lambda data, env: is_type(variable(data, env)) is operand
    if name == "StringMatches":
        matches = _glob(operand)
        return lambda data, env: matches(variable(data, env))
    return _comparison(name, variable, operand)


def _comparison(name: str, variable: Expression, operand: JSON) -> Test:
    if name in COMPARISONS:
        compare = COMPARISONS[name]
        return lambda data, env: compare(variable(data, env), operand)
    compare, other = COMPARISONS[name.removesuffix("Path")], _variable(operand)
    return lambda data, env: compare(variable(data, env), other(data, env))


def _is_present(select: Expression, wanted: bool) -> Test:
    def test(data: JSON, env: Env) -> bool:
        try:
            select(data, env)
        except PathNotFound:
            return not wanted
        return wanted

    return test


def _variable(path: str) -> Expression:
    select = compile_path(path)

    def evaluate(data: JSON, env: Env) -> JSON:
        try:
            return select(data, env)
        except PathNotFound:
            raise runtime_error(
                f"Invalid path '{path}': The choice state's condition path references an invalid value."
            ) from None

    return evaluate


def _glob(pattern: str) -> Callable[[JSON], bool]:
    r"""`*` stands for any characters, `\*` and `\\` for themselves (spec, "StringMatches")."""
    tokens = re.findall(r"\\[\\*]|\*|[^\\*]+|\\", pattern)
    texts = [""]
    for token in tokens:
        if token == "*":
            texts.append("")
        else:
            texts[-1] += token[1:] if token in ("\\*", "\\\\") else token
    return lambda value: isinstance(value, str) and _fits(texts, value)


def _fits(texts: list[str], value: str) -> bool:
    """Whether a value is these texts with anything between them. In linear time, which a regular expression is not."""
    if len(texts) == 1:
        return value == texts[0]
    first, *between, last = texts
    at, end = len(first), len(value) - len(last)
    if at > end or not value.startswith(first) or not value.endswith(last):
        return False
    for text in between:
        at = value.find(text, at, end)
        if at < 0:
            return False
        at += len(text)
    return True
