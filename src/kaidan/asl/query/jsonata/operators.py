"""The operators between two operands, each made from the closures of its operands.

`fused` gives the faster form for fields of the context: no closure is called where the context is an object and the
values are as expected; everything else is left to the general form. Source: JSONata 2.0.6.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from math import fmod, inf, isfinite, nan
from typing import Any, Final

from kaidan.asl.query.jsonata.errors import JsonataError, fail
from kaidan.asl.query.jsonata.functions.strings import string
from kaidan.asl.query.jsonata.limits import RUN, Frame, Run
from kaidan.asl.query.jsonata.scope import Evaluate
from kaidan.asl.query.jsonata.values import (
    NUMBERS,
    SAFE_INTEGER,
    UNDEFINED,
    Sequence,
    as_list,
    deep_equal,
    is_numeric,
    number,
    same,
    truthy,
)
from kaidan.values import JSON

RANGE_MAX: Final = 10_000_000
"""Members a range may have (D2014), whatever the text of that error says."""

_PLAIN: Final = 1e15
"""Below this a whole float is simply an int."""


def _divide(left: JSON, right: JSON) -> JSON:
    if right == 0:
        return nan if left == 0 or left != left else inf if left > 0 else -inf
    return left / right if isfinite(left) and isfinite(right) else nan


def _remainder(left: JSON, right: JSON) -> JSON:
    if right == 0 or not isfinite(left) or not isfinite(right):
        return nan
    if left.__class__ is int and right.__class__ is int and left >= 0 and right > 0:
        return left % right
    return fmod(left, right)


_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _remainder,
}
_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def binary(symbol: str, left: Evaluate, right: Evaluate) -> Evaluate:
    """The closure of `left symbol right`."""
    if symbol in _ARITHMETIC:
        return _arithmetic(symbol, left, right)
    if symbol in _COMPARISONS:
        return _comparison(symbol, left, right)
    return _OTHERS[symbol](left, right)


def fused(symbol: str, field: str, other: str | None, constant: JSON, general: Evaluate) -> Evaluate:
    """`field symbol other` or, where `other` is None, `field symbol constant`, on a context that is an object."""
    if symbol in _ARITHMETIC:
        return _fused_arithmetic(_ARITHMETIC[symbol], field, other, constant, general)
    if symbol in _COMPARISONS and other is None and constant.__class__ in NUMBERS:
        return _fused_comparison(_COMPARISONS[symbol], field, constant, general)
    if symbol == "=" and other is None and constant.__class__ is str:
        return _fused_equality(field, constant, general)
    return general


def _arithmetic(symbol: str, left: Evaluate, right: Evaluate) -> Evaluate:
    apply = _ARITHMETIC[symbol]

    def evaluate(data: JSON, frame: Frame) -> JSON:
        a = left(data, frame)
        b = right(data, frame)
        if a.__class__ in NUMBERS and b.__class__ in NUMBERS:
            result = apply(a, b)
            if result.__class__ is int:
                if -SAFE_INTEGER <= result <= SAFE_INTEGER:
                    return result
            elif -_PLAIN < result < _PLAIN:
                return int(result) if result.is_integer() else result
            return _wide(frame[RUN], symbol, a, b, result)
        return _no_numbers(symbol, a, b)

    return evaluate


def _fused_arithmetic(
    apply: Callable[[Any, Any], Any], field: str, other: str | None, constant: JSON, general: Evaluate
) -> Evaluate:
    def evaluate(data: JSON, frame: Frame) -> JSON:
        if data.__class__ is dict:
            a = data.get(field)
            b = constant if other is None else data.get(other)
            if a.__class__ in NUMBERS and b.__class__ in NUMBERS:
                result = apply(a, b)
                if result.__class__ is int:
                    if -SAFE_INTEGER <= result <= SAFE_INTEGER:
                        return result
                elif -_PLAIN < result < _PLAIN:
                    return int(result) if result.is_integer() else result
        return general(data, frame)

    return evaluate


def _wide(run: Run, symbol: str, left: JSON, right: JSON, result: JSON) -> JSON:
    """A result that JavaScript would have rounded, or that is no number any more."""
    _no_numbers(symbol, left, right)
    result = number(result)
    run.irregular |= not isfinite(result)
    return result


def _no_numbers(symbol: str, left: JSON, right: JSON) -> JSON:
    if left is not UNDEFINED and not is_numeric(left):
        fail("T2001", token=symbol, value=left)
    if right is not UNDEFINED and not is_numeric(right):
        fail("T2002", token=symbol, value=right)
    return UNDEFINED


def _comparison(symbol: str, left: Evaluate, right: Evaluate) -> Evaluate:
    apply = _COMPARISONS[symbol]

    def evaluate(data: JSON, frame: Frame) -> JSON:
        a = left(data, frame)
        b = right(data, frame)
        if a.__class__ is str:
            if b.__class__ is str:
                return apply(a, b)
        elif a.__class__ in NUMBERS and b.__class__ in NUMBERS:
            return apply(a, b)
        return _incomparable(symbol, a, b)

    return evaluate


def _fused_comparison(apply: Callable[[Any, Any], bool], field: str, constant: JSON, general: Evaluate) -> Evaluate:
    def evaluate(data: JSON, frame: Frame) -> JSON:
        if data.__class__ is dict:
            value = data.get(field)
            if value.__class__ in NUMBERS:
                return apply(value, constant)
        return general(data, frame)

    return evaluate


def _incomparable(symbol: str, left: JSON, right: JSON) -> JSON:
    for value in (left, right):
        if value is not UNDEFINED and value.__class__ is not str and value.__class__ not in NUMBERS:
            fail("T2010", token=symbol, value=value)
    if left is not UNDEFINED and right is not UNDEFINED:
        fail("T2009", token=symbol, value=left, value2=right)
    return UNDEFINED


def _equal(left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(data: JSON, frame: Frame) -> JSON:
        a = left(data, frame)
        b = right(data, frame)
        if a.__class__ is str:
            return a == b
        if a.__class__ in NUMBERS:
            return b.__class__ in NUMBERS and a == b
        return a is not UNDEFINED and b is not UNDEFINED and deep_equal(a, b, frame[RUN].charge)

    return evaluate


def _fused_equality(field: str, constant: str, general: Evaluate) -> Evaluate:
    def evaluate(data: JSON, frame: Frame) -> JSON:
        if data.__class__ is dict:
            value = data.get(field)
            if value.__class__ is str:
                return value == constant
        return general(data, frame)

    return evaluate


def _unequal(left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(data: JSON, frame: Frame) -> JSON:
        a = left(data, frame)
        b = right(data, frame)
        return a is not UNDEFINED and b is not UNDEFINED and not deep_equal(a, b, frame[RUN].charge)

    return evaluate


def _concatenate(left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(data: JSON, frame: Frame) -> JSON:
        a = left(data, frame)
        b = right(data, frame)
        run = frame[RUN]
        if a.__class__ is not str:
            a = "" if a is UNDEFINED else _text(run, a)
        if b.__class__ is not str:
            b = "" if b is UNDEFINED else _text(run, b)
        run.allot(len(a) + len(b))
        return a + b

    return evaluate


def _text(run: Run, value: JSON) -> str:
    try:
        return str(string(run, value))
    except JsonataError as problem:
        raise problem.within("&") from None


def _range(left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(data: JSON, frame: Frame) -> JSON:
        first, last = left(data, frame), right(data, frame)
        if first is not UNDEFINED and not _is_integer(first):
            fail("T2003", token="..", value=first)
        if last is not UNDEFINED and not _is_integer(last):
            fail("T2004", token="..", value=last)
        if first is UNDEFINED or last is UNDEFINED or first > last:
            return UNDEFINED
        first, last = int(first), int(last)
        if last - first + 1 > RANGE_MAX:
            fail("D2014", token="..", value=last - first + 1)
        frame[RUN].allot_members(last - first + 1)
        return Sequence(range(first, last + 1))

    return evaluate


def _is_integer(value: JSON) -> bool:
    return value.__class__ is int or (value.__class__ is float and bool(value.is_integer()))


def _includes(left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(data: JSON, frame: Frame) -> JSON:
        value = left(data, frame)
        among = right(data, frame)
        if value is UNDEFINED or among is UNDEFINED:
            return False
        among = as_list(among)
        frame[RUN].charge(len(among))
        return any(same(value, member) for member in among)

    return evaluate


def _and(left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(data: JSON, frame: Frame) -> JSON:
        value = left(data, frame)
        try:
            if not (value is True or truthy(value)):
                return False
            value = right(data, frame)
            return value is True or truthy(value)
        except JsonataError as problem:
            raise problem.instead("and") from None

    return evaluate


def _or(left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(data: JSON, frame: Frame) -> JSON:
        value = left(data, frame)
        try:
            if value is True or truthy(value):
                return True
            value = right(data, frame)
            return value is True or truthy(value)
        except JsonataError as problem:
            raise problem.instead("or") from None

    return evaluate


_OTHERS: Final[dict[str, Callable[[Evaluate, Evaluate], Evaluate]]] = {
    "=": _equal,
    "!=": _unequal,
    "&": _concatenate,
    "..": _range,
    "in": _includes,
    "and": _and,
    "or": _or,
}


def negate(operand: Evaluate) -> Evaluate:
    """`-operand`"""

    def evaluate(data: JSON, frame: Frame) -> JSON:
        value = operand(data, frame)
        if value is UNDEFINED:
            return UNDEFINED
        return -value if is_numeric(value) else fail("D1002", token="-", value=value)

    return evaluate
