"""Numbers and values as text, the way JavaScript writes them: `1e+21`, `{"a":[1,2.5]}`.

Source: ECMAScript, Number::toString and JSON.stringify. Knows no errors: what is too long is the caller's to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from json.encoder import encode_basestring
from math import isfinite
from typing import Final

from kaidan.values import JSON

SHOWN_CHARACTERS: Final = 32_768
"""Values in messages are cut here: no cause is longer (Step Functions API, ExecutionFailedEventDetails)."""


def number_text(value: float | int) -> str:
    """`String(value)`: 100, 0.1, 1e+21, 1e-7, Infinity, NaN."""
    if value.__class__ is int and -(2**53) < value < 2**53:
        return str(value)
    value = float(value)
    if not isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    sign, digits, exponent = _shortest(value)
    return ("-" if sign else "") + _place_point(digits, exponent)


def _shortest(value: float) -> tuple[bool, str, int]:
    """The fewest digits that read back as the value, and the power of ten of the first of them."""
    mantissa, _, power = repr(value).partition("e")
    sign = mantissa.startswith("-")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    exponent = int(power or 0) + (len(whole) - 1 if whole != "0" else -1 - (len(fraction) - len(digits)))
    return sign, digits.rstrip("0"), exponent


def _place_point(digits: str, exponent: int) -> str:
    count = len(digits)
    if count - 1 <= exponent < 21:
        return digits + "0" * (exponent + 1 - count)
    if 0 <= exponent < 21:
        return f"{digits[: exponent + 1]}.{digits[exponent + 1 :]}"
    if -7 < exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    rest = f".{digits[1:]}" if count > 1 else ""
    return f"{digits[0]}{rest}e{'+' if exponent > 0 else '-'}{abs(exponent)}"


def to_precision_15(value: float) -> float:
    """A fraction rounded to 15 significant digits, which is what $string shows of it; whole numbers as they are."""
    if not isfinite(value) or value.is_integer() or len(_shortest(value)[1]) <= 15:
        return value
    exact = Decimal(value)
    return float(exact.quantize(Decimal(1).scaleb(exact.adjusted() - 14), rounding=ROUND_HALF_UP))


def to_fixed(value: float | int, places: int) -> str:
    """`value.toFixed(places)`: ties go away from zero, and no exponent below 1e21."""
    if abs(value) >= 1e21:
        return number_text(value)
    return f"{Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP):f}"


_SURROGATE = re.compile("[\ud800-\udfff]")


def quoted(text: str) -> str:
    """A JSON string; characters beyond ASCII as they are, lone surrogates as escapes."""
    text = encode_basestring(text)
    return text if text.isascii() else _SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def json_text(
    value: JSON,
    leaf: Callable[[JSON], str],
    indent: int = 0,
    charge: Callable[[int], None] | None = None,
) -> str:
    """`JSON.stringify`; `leaf` writes what is neither str, list nor dict; `charge` is told of the characters."""
    parts: list[str] = []

    def write(item: JSON, margin: str) -> None:
        if isinstance(item, dict):
            write_members(item, margin)
        elif isinstance(item, list):
            write_items(item, margin)
        else:
            text = quoted(item) if isinstance(item, str) else leaf(item)
            if charge is not None:
                charge(len(text))
            parts.append(text)

    step = " " * indent
    colon = ": " if indent else ":"

    def write_members(item: dict[str, JSON], margin: str) -> None:
        inner = margin + step
        opening = "{"
        if charge is not None:
            charge(sum(map(len, item)) + 2)
        for name, member in item.items():
            parts.append(f"{opening}{inner}{quoted(name)}{colon}")
            write(member, inner)
            opening = ","
        parts.append("{}" if opening == "{" else margin + "}")

    def write_items(item: list[JSON], margin: str) -> None:
        inner = margin + step
        opening = "["
        if charge is not None:
            charge(len(item) + 2)
        for member in item:
            parts.append(opening + inner)
            write(member, inner)
            opening = ","
        parts.append("[]" if opening == "[" else margin + "]")

    write(value, "\n" if indent else "")
    return "".join(parts)


class _TooLong(Exception):
    pass


def shown(value: JSON) -> str:
    """A value inside a message, as JSON text: `"abc"`, `1`, `null` for numbers that JSON lacks, `undefined`."""
    if not isinstance(value, (str, list, dict)):
        return _shown_leaf(value)
    left = SHOWN_CHARACTERS

    def charge(count: int) -> None:
        nonlocal left
        left -= count + 1
        if left < 0:
            raise _TooLong

    try:
        return json_text(value, _shown_leaf, charge=charge)
    except _TooLong:
        return "[…]" if isinstance(value, list) else "{…}" if isinstance(value, dict) else value[:SHOWN_CHARACTERS]


def _shown_leaf(value: JSON) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return number_text(value) if isfinite(value) else "null"
    return "undefined"
