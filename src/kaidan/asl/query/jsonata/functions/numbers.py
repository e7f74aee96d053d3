"""The functions on numbers and their aggregates, and the casts to number and boolean.

Source: JSONata 2.0.6, "Numeric functions" and "Aggregation functions"; arithmetic as ECMAScript's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Final

from kaidan.asl.query.jsonata.errors import fail
from kaidan.asl.query.jsonata.limits import Run
from kaidan.asl.query.jsonata.text import number_text
from kaidan.asl.query.jsonata.values import NUMBERS, UNDEFINED, truthy
from kaidan.asl.query.jsonata.values import number as as_number
from kaidan.values import JSON


def _result(run: Run, value: float) -> JSON:
    value = as_number(value)
    run.irregular |= value != value or value in (math.inf, -math.inf)
    return value


def total(run: Run, values: JSON) -> JSON:
    """`$sum`"""
    if values is UNDEFINED:
        return values
    run.charge(len(values) >> 2)
    return _result(run, sum_of(values))


def sum_of(values: list[JSON]) -> float:
    """Added one by one from the left, which for fractions is not the same as added exactly."""
    if float in set(map(type, values)):
        result = 0
        for value in values:
            result += value
        return result
    return sum(values)


def average(run: Run, values: JSON) -> JSON:
    if values is UNDEFINED or not values:
        return UNDEFINED
    return _result(run, sum_of(values) / len(values))


def maximum(run: Run, values: JSON) -> JSON:
    return UNDEFINED if values is UNDEFINED or not values else max(values)


def minimum(run: Run, values: JSON) -> JSON:
    return UNDEFINED if values is UNDEFINED or not values else min(values)


_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?")
_RADIX = re.compile(r"0[xX][0-9A-Fa-f]+|0[oO][0-7]+|0[bB][01]+")


def number(run: Run, value: JSON) -> JSON:
    """`$number`: from a string in decimal, or with 0x, 0o, 0b; from true and false."""
    if value is UNDEFINED or value.__class__ in NUMBERS:
        return value
    if value.__class__ is bool:
        return int(value)
    if _DECIMAL.fullmatch(value) and math.isfinite(float(value)):
        return as_number(float(value))
    if _RADIX.fullmatch(value):
        return as_number(int(value, 0))
    return fail("D3030", value=value, index=1)


def absolute(run: Run, value: JSON) -> JSON:
    return value if value is UNDEFINED else abs(value)


def _rounded(to_int: Callable[[float], int]) -> Callable[[Run, JSON], JSON]:
    def rounded(run: Run, value: JSON) -> JSON:
        if value is UNDEFINED or value.__class__ is int or not math.isfinite(value):
            return value
        return as_number(to_int(value))

    return rounded


floor: Final = _rounded(math.floor)
ceil: Final = _rounded(math.ceil)


def round_half_even(run: Run, value: JSON, precision: JSON = UNDEFINED) -> JSON:
    """`$round`: ties go to the even neighbour; the decimal point is moved in the text, so that 4.525 is a tie."""
    if value is UNDEFINED:
        return value
    places = 0 if precision is UNDEFINED or precision != precision else precision
    return _result(run, rounded(value, places) if math.isfinite(places) else math.nan)


def rounded(value: float, places: float = 0) -> float:
    if not math.isfinite(value):
        return value
    places = math.floor(places)
    shifted = _shift(value, places)
    if not math.isfinite(shifted):
        return shifted
    result: float = math.floor(shifted)
    if shifted - result > 0.5 or (shifted - result == 0.5 and result % 2 == 1):
        result += 1
    return as_number(_shift(result, -places)) or 0


def _shift(value: float, places: int) -> float:
    if places == 0:
        return value
    mantissa, _, exponent = number_text(value).partition("e")
    return float(f"{mantissa}e{int(exponent or 0) + places}")


def square_root(run: Run, value: JSON) -> JSON:
    if value is UNDEFINED:
        return value
    if value < 0:
        fail("D3060", value=value, index=1)
    return as_number(math.sqrt(value))


def power(run: Run, base: JSON, exponent: JSON) -> JSON:
    if base is UNDEFINED:
        return base
    try:
        result = math.nan if exponent is UNDEFINED else float(base) ** float(exponent)
    except (OverflowError, ZeroDivisionError):
        result = math.inf
    if isinstance(result, complex) or not math.isfinite(result):
        fail("D3061", value=base, exp=exponent, index=1)
    return as_number(result)


def boolean(run: Run, value: JSON) -> JSON:
    return value if value is UNDEFINED else truthy(value)


def negation(run: Run, value: JSON) -> JSON:
    """`$not`"""
    return value if value is UNDEFINED else not truthy(value)
