"""Java's traits that show in AWS's answers: how values become text, and the order of hash tables.

Source: Java SE API (String.hashCode, List.hashCode, Double.toString, HashMap); recorded wherever a history shows it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from decimal import Decimal
from typing import TypeVar

from kaidan.values import JSON, dumps

T = TypeVar("T")

INT_MIN, INT_MAX = -(1 << 31), (1 << 31) - 1
"""Java's int: the numbers that functions reckon with (AWS guide, "States.MathAdd")."""


def java_text(value: JSON) -> str:
    """A value as text: `null`, `1.5`, `{a=1, b=[true, x]}` (arrays and objects as recorded from AWS)."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return _double_text(value)
    if isinstance(value, list):
        return f"[{', '.join(map(java_text, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}={java_text(item)}' for key, item in value.items())}}}"
    return dumps(value)


def _double_text(number: float) -> str:
    """`Double.toString`: plain from 0.001 to under 10 million, `1.0E7` and `1.5E-5` beyond."""
    if number == 0 or 1e-3 <= abs(number) < 1e7 or not math.isfinite(number):
        return repr(number)
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    first, rest = digits[0], "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{first}.{rest}E{int(exponent) + len(digits) - 1}"


def hash_table_order(entries: Iterable[tuple[int, T]]) -> list[T]:
    """Values in the order in which a HashMap or HashSet goes over them, given as (hash code, value)."""
    table = list(entries)
    buckets = 16
    while len(table) > buckets * 3 // 4:
        buckets *= 2
    return [value for _, value in sorted(table, key=lambda entry: (entry[0] ^ entry[0] >> 16) & (buckets - 1))]


def java_hash(value: JSON) -> int:
    """`hashCode()` of a value held as Java's own types, as 32 unsigned bits. Equal JSON has equal codes."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return 1231 if value else 1237
    if isinstance(value, str):
        return _hash_text(value)
    if isinstance(value, list):
        return _hash_list(value)
    if isinstance(value, dict):
        return sum(java_hash(key) ^ java_hash(item) for key, item in value.items()) & 0xFFFFFFFF
    return _hash_number(value)


def _hash_text(text: str) -> int:
    code, units = 0, text.encode("utf-16-be")
    for high, low in zip(units[::2], units[1::2], strict=True):
        code = (31 * code + (high << 8 | low)) & 0xFFFFFFFF
    return code


def _hash_list(items: list[JSON]) -> int:
    code = 1
    for item in items:
        code = (31 * code + java_hash(item)) & 0xFFFFFFFF
    return code


def _hash_number(number: int | float) -> int:
    if number == int(number) and INT_MIN <= number <= INT_MAX:
        return int(number) & 0xFFFFFFFF
    if isinstance(number, int) or number == int(number):
        bits = int(number) & 0xFFFFFFFFFFFFFFFF
    else:
        (bits,) = struct.unpack(">Q", struct.pack(">d", number))
    return (bits ^ (bits >> 32)) & 0xFFFFFFFF
