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

SMALL: Final = 2**53
SHORT: Final = 256
SHOWN_CHARACTERS: Final = 32_768
"""Values in messages are cut here: no cause is longer (Step Functions API, ExecutionFailedEventDetails)."""


def number_text(value: float | int) -> str:
    """`String(value)`: 100, 0.1, 1e+21, 1e-7, Infinity, NaN."""
    if value.__class__ is int and -(2**53) < value < 2**53:
        return str(value)
    value = float(value)
    text = repr(value)
    if "e" not in text and "n" not in text and value:
        return text.removesuffix(".0")
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
    if not isfinite(value) or value.is_integer() or len(repr(value)) <= 16 or len(_shortest(value)[1]) <= 15:
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


def json_text(value: JSON, leaf: Callable[[JSON], str], charge: Callable[[int, int], None], indent: int = 0) -> str:
    """`JSON.stringify`; `leaf` writes what is neither string, small number, list nor dict.

    `charge(parts, characters)` is told of every list and dict, and may stop it all by raising.
    """
    step = " " * indent
    colon = ": " if indent else ":"

    def write(item: JSON, margin: str) -> str:
        kind = item.__class__
        if kind is str:
            if len(item) > SHORT:
                charge(1, len(item))
            return quoted(item)
        if kind is int and -SMALL < item < SMALL:
            return str(item)
        if kind is dict:
            inner = margin + step
            parts = [f"{inner}{quoted(name)}{colon}{write(member, inner)}" for name, member in item.items()]
            return enclosed("{", parts, margin, "}")
        if isinstance(item, list):
            inner = margin + step
            return enclosed("[", [inner + write(member, inner) for member in item], margin, "]")
        return leaf(item)

    def enclosed(opening: str, parts: list[str], margin: str, closing: str) -> str:
        charge(len(parts) + 1, sum(map(len, parts)))
        return f"{opening}{','.join(parts)}{margin if parts else ''}{closing}"

    return write(value, "\n" if indent else "")


class _TooLong(Exception):
    pass


def shown(value: JSON) -> str:
    """A value inside a message, as JSON text: `"abc"`, `1`, `null` for numbers that JSON lacks, `undefined`."""
    left = SHOWN_CHARACTERS

    def charge(parts: int, characters: int) -> None:
        nonlocal left
        left -= parts
        if left < 0 or characters > SHOWN_CHARACTERS:
            raise _TooLong

    try:
        return json_text(value, _shown_leaf, charge)
    except _TooLong:
        return "[…]" if isinstance(value, list) else "{…}" if isinstance(value, dict) else value[:SHOWN_CHARACTERS]


def _shown_leaf(value: JSON) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return number_text(value) if isfinite(value) else "null"
    return "undefined"
