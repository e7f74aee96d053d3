"""Numbers by picture strings: $formatNumber, $formatBase, $formatInteger and $parseInteger.

Source: XPath and XQuery Functions and Operators 3.1, section 4.7 (format-number) and 4.6 (format-integer), as far as
JSONata 2.0.6 follows them. datetime.py uses the integer pictures too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar

from kaidan.asl.query.jsonata.errors import STACK_OVERFLOW, LimitExceeded, fail
from kaidan.asl.query.jsonata.functions.numbers import rounded
from kaidan.asl.query.jsonata.functions.words import (
    decimal_to_letters,
    decimal_to_roman,
    letters_to_decimal,
    number_to_words,
    roman_to_decimal,
    words_to_number,
)
from kaidan.asl.query.jsonata.limits import Run
from kaidan.asl.query.jsonata.text import number_text, to_fixed
from kaidan.asl.query.jsonata.values import UNDEFINED
from kaidan.asl.query.jsonata.values import number as as_number
from kaidan.values import JSON

PICTURE_SHORT: Final = 100
"""Pictures up to this length are read once and remembered."""

T = TypeVar("T")


def remembered(read: Callable[[str], T]) -> Callable[[str], T]:
    """The reader of a picture, with a memory for short ones."""
    known = lru_cache(maxsize=512)(read)
    return lambda picture: known(picture) if len(picture) <= PICTURE_SHORT else read(picture)


# $formatNumber

_PROPERTIES: Final = {
    "decimal-separator": ".",
    "grouping-separator": ",",
    "exponent-separator": "e",
    "infinity": "Infinity",
    "minus-sign": "-",
    "NaN": "NaN",
    "percent": "%",
    "per-mille": "\u2030",
    "zero-digit": "0",
    "digit": "#",
    "pattern-separator": ";",
}


class _Alphabet:
    """The characters that mean something in a picture."""

    def __init__(self, options: dict[str, str]) -> None:
        signs = {**_PROPERTIES, **options}
        self.decimal = signs["decimal-separator"]
        self.grouping = signs["grouping-separator"]
        self.exponent = signs["exponent-separator"]
        self.minus = signs["minus-sign"]
        self.percent = signs["percent"]
        self.per_mille = signs["per-mille"]
        self.digit = signs["digit"]
        self.separator = signs["pattern-separator"]
        zero = ord(signs["zero-digit"][:1] or "0")
        self.digits = [chr(zero + value) for value in range(10)]
        self.active = {*self.digits, self.decimal, self.exponent, self.grouping, self.digit, self.separator}

    def mandatory(self, text: str) -> int:
        return sum(char in self.digits for char in text)

    def places(self, text: str) -> int:
        return sum(char in self.digits or char == self.digit for char in text)


@dataclass(slots=True)
class _Picture:
    """A sub-picture, taken apart."""

    text: str
    prefix: str
    suffix: str
    active: str
    mantissa: str
    exponent: str | None
    integer: str
    fraction: str


def format_number(run: Run, value: JSON, picture: JSON, options: JSON = UNDEFINED) -> JSON:
    if value is UNDEFINED or picture is UNDEFINED:
        return UNDEFINED
    run.charge(len(picture))
    signs = _Alphabet({} if options is UNDEFINED else {key: str(text) for key, text in options.items()})
    texts = picture.split(signs.separator) if signs.separator else [picture]
    if len(texts) > 2:
        fail("D3080")
    pictures = [_take_apart(text, signs) for text in texts]
    for part in pictures:
        problem = _first_problem(part, signs)
        if problem:
            fail(problem)
    chosen = pictures[0] if value >= 0 or len(pictures) == 1 else pictures[1]
    prefix = signs.minus + chosen.prefix if value < 0 and len(pictures) == 1 else chosen.prefix
    result = prefix + _formatted(value, chosen, signs) + chosen.suffix
    run.allot(len(result))
    return result


def _take_apart(text: str, signs: _Alphabet) -> _Picture:
    marks = [at for at, char in enumerate(text) if char in signs.active and char != signs.exponent]
    prefix = text[: marks[0]] if marks else ""
    suffix = text[marks[-1] + 1 :] if marks else ""
    active = text[len(prefix) : len(text) - len(suffix)]
    mantissa, exponent = active, None
    at = text.find(signs.exponent, len(prefix))
    if 0 <= at <= len(text) - len(suffix):
        mantissa, exponent = active[:at], active[at + 1 :]
    integer, point, fraction = mantissa.partition(signs.decimal)
    return _Picture(text, prefix, suffix, active, mantissa, exponent, integer, fraction if point else suffix)


def _first_problem(picture: _Picture, signs: _Alphabet) -> str | None:
    """The rule that is broken; of several, the one that comes last."""
    text, integer, fraction, exponent = picture.text, picture.integer, picture.fraction, picture.exponent
    point = text.find(signs.decimal)
    around = (text[max(point - 1, 0) : point], text[point + 1 : point + 2])
    before_optional = integer[: max(integer.find(signs.digit), 0)]
    after_optional = fraction[fraction.rfind(signs.digit) :] if signs.digit in fraction else ""
    scaled = signs.percent in text or signs.per_mille in text
    rules = {
        "D3081": text.count(signs.decimal) > 1,
        "D3082": text.count(signs.percent) > 1,
        "D3083": text.count(signs.per_mille) > 1,
        "D3084": signs.percent in text and signs.per_mille in text,
        "D3085": signs.places(picture.mantissa) == 0,
        "D3086": any(char not in signs.active for char in picture.active),
        "D3087": point >= 0 and signs.grouping in around,
        "D3088": point < 0 and integer.endswith(signs.grouping),
        "D3089": signs.grouping * 2 in text,
        "D3090": signs.mandatory(before_optional) > 0,
        "D3091": signs.mandatory(after_optional) > 0,
        "D3092": bool(exponent) and scaled,
        "D3093": exponent is not None and (not exponent or signs.mandatory(exponent) < len(exponent)),
    }
    broken = [code for code, is_broken in rules.items() if is_broken]
    return broken[-1] if broken else None


def _formatted(value: float, picture: _Picture, signs: _Alphabet) -> str:
    """The number between prefix and suffix (F&O 4.7.5)."""
    minimum_integer, minimum_fraction, maximum_fraction = _sizes(picture, signs)
    factor = 100 if signs.percent in picture.text else 1000 if signs.per_mille in picture.text else 1
    mantissa, exponent = value * factor, None
    if picture.exponent is not None:
        mantissa, exponent = _normalised(mantissa, signs.mandatory(picture.integer))
    digits = _digits(rounded(mantissa, maximum_fraction), maximum_fraction, signs)
    whole, _, fraction = digits.partition(".")
    zero = signs.digits[0]
    whole = whole.lstrip(zero).rjust(minimum_integer, zero)
    fraction = fraction.rstrip(zero).ljust(minimum_fraction, zero)
    text = _grouped(whole + signs.decimal + fraction, picture, signs)
    if signs.decimal not in picture.text or text.endswith(signs.decimal):
        text = text[:-1]
    if exponent is None:
        return text
    power = _digits(exponent, 0, signs).rjust(signs.mandatory(picture.exponent or ""), zero)
    return text + signs.exponent + (signs.minus if exponent < 0 else "") + power


def _sizes(picture: _Picture, signs: _Alphabet) -> tuple[int, int, int]:
    """How many digits there are at least before the point, and at least and at most behind it (F&O 4.7.4)."""
    integer, fraction = signs.mandatory(picture.integer), signs.mandatory(picture.fraction)
    maximum = signs.places(picture.fraction)
    exponent = picture.exponent is not None
    if integer == 0 and maximum == 0:
        if exponent:
            fraction = maximum = 1
        else:
            integer = 1
    if exponent and integer == 0 and signs.digit in picture.integer:
        integer = 1
    if integer == 0 and fraction == 0:
        fraction = 1
    return integer, fraction, maximum


def _normalised(value: float, scale: int) -> tuple[float, int]:
    """A mantissa with `scale` digits before its point, and the exponent."""
    exponent = 0
    if value == 0 or not math.isfinite(value):
        return value, exponent
    high, low = 10.0**scale, 10.0 ** (scale - 1)
    while abs(value) < low:
        value, exponent = value * 10, exponent - 1
    while abs(value) > high:
        value, exponent = value / 10, exponent + 1
    return value, exponent


def _digits(value: float, places: int, signs: _Alphabet) -> str:
    text = to_fixed(abs(value), places) if math.isfinite(value) else number_text(abs(value))
    if signs.digits[0] == "0":
        return text
    return "".join(signs.digits[int(char)] if char.isdigit() else char for char in text)


def _group_positions(picture: _Picture, signs: _Alphabet, *, fraction: bool) -> list[int]:
    """How many places lie between each separator and the decimal point.

    Only the first separator of a fraction counts, unless the integer part has more: so the reference implementation.
    """
    part = picture.fraction if fraction else picture.integer
    positions = []
    at = part.find(signs.grouping)
    while at >= 0:
        positions.append(signs.places(part[:at] if fraction else part[at:]))
        at = picture.integer.find(signs.grouping, at + 1)
    return positions


def _regular(positions: list[int]) -> int:
    """The distance between separators, where they all keep it; else 0."""
    factor = math.gcd(*positions) if positions else 0
    regular = factor > 0 and all(number * factor in positions for number in range(1, len(positions) + 1))
    return factor if regular else 0


def _grouped(text: str, picture: _Picture, signs: _Alphabet) -> str:
    """The separators put in, counted from the decimal point."""
    point = text.index(signs.decimal)
    positions = _group_positions(picture, signs, fraction=False)
    distance = _regular(positions)
    if distance:
        for position in range(distance, point, distance):
            text = _insert(text, point - position, signs.grouping)
    else:
        for number, position in enumerate(positions):
            text = _insert(text, point + number - position, signs.grouping)
    point = text.index(signs.decimal)
    for position in _group_positions(picture, signs, fraction=True):
        text = _insert(text, point + 1 + position, signs.grouping)
    return text


def _insert(text: str, at: int, part: str) -> str:
    return text[:at] + part + text[at:]


def format_base(run: Run, value: JSON, radix: JSON = UNDEFINED) -> JSON:
    """A whole number in another base, 2 to 36."""
    if value is UNDEFINED:
        return value
    base = 10 if radix is UNDEFINED else rounded(radix)
    if not 2 <= base <= 36:
        fail("D3100", value=base)
    if not math.isfinite(value):
        return number_text(value)
    whole = int(rounded(value))
    if base == 10:
        return number_text(as_number(whole))
    digits, rest = "", abs(whole)
    while rest:
        rest, digit = divmod(rest, int(base))
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return ("-" if whole < 0 else "") + (digits or "0")


# $formatInteger


_DIGIT_ZEROS: Final = (
    0x30, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6,
    0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
    0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
)  # fmt: skip
"""The zeros of Unicode's decimal digits."""

ROMAN_MAX: Final = 5_000_000
"""Beyond this the reference implementation runs out of stack."""

_PRESENTATIONS: Final = {
    "A": ("letters", "upper"), "a": ("letters", "lower"), "I": ("roman", "upper"), "i": ("roman", "lower"),
    "W": ("words", "upper"), "Ww": ("words", "title"), "w": ("words", "lower"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class IntegerPicture:
    """`style`: decimal, letters, roman, words, or sequence (which nobody can format).

    `separators` are (places from the right, character); `every` is their distance if it is always the same.
    """

    token: str
    style: str
    case: str = "lower"
    ordinal: bool = False
    zero: int = 0x30
    mandatory: int = 0
    optional: int = 0
    separators: tuple[tuple[int, str], ...] = ()
    every: int = 0


@remembered
def integer_picture(picture: str) -> IntegerPicture:
    """Read a picture. Raises JsonataError D3131."""
    token, semicolon, modifier = picture.rpartition(";")
    if not semicolon:
        token, modifier = picture, ""
    ordinal = modifier.startswith("o")
    if token in _PRESENTATIONS:
        style, case = _PRESENTATIONS[token]
        return IntegerPicture(token, style, case, ordinal)
    return _decimal_picture(token, ordinal)


def _decimal_picture(token: str, ordinal: bool) -> IntegerPicture:
    zeros: list[int] = []
    optional = places = 0
    separators: list[tuple[int, str]] = []
    for char in reversed(token):
        zero = next((zero for zero in _DIGIT_ZEROS if zero <= ord(char) <= zero + 9), None)
        if zero is not None:
            zeros.append(zero)
        elif char == "#":
            optional += 1
        else:
            separators.append((places, char))
            continue
        places += 1
    if not zeros:
        return IntegerPicture(token, "sequence", ordinal=ordinal)
    if len(set(zeros)) > 1:
        fail("D3131")
    alike = len({char for _, char in separators}) == 1
    every = _regular([position for position, _ in separators]) if alike else 0
    return IntegerPicture(token, "decimal", "lower", ordinal, zeros[0], len(zeros), optional, tuple(separators), every)


def format_integer(run: Run, value: JSON, picture: JSON) -> JSON:
    if value is UNDEFINED or picture is UNDEFINED:
        return UNDEFINED
    run.charge(len(picture))
    if not math.isfinite(value):
        return number_text(value)
    return integer_text(math.floor(value), integer_picture(picture))


def integer_text(value: int, picture: IntegerPicture) -> str:
    """Raises JsonataError D3130."""
    sign, value = "-" if value < 0 else "", abs(value)
    match picture.style:
        case "letters":
            text = decimal_to_letters(value)
        case "roman":
            if value > ROMAN_MAX:
                raise LimitExceeded(STACK_OVERFLOW)
            text = decimal_to_roman(value)
        case "words":
            text = number_to_words(value, picture.ordinal)
            return sign + (text if picture.case == "title" else _cased(text, picture))
        case "decimal":
            return sign + _decimal_text(value, picture)
        case _:
            fail("D3130", value=picture.token)
    return sign + _cased(text, picture)


def _cased(text: str, picture: IntegerPicture) -> str:
    return text.upper() if picture.case == "upper" else text.lower()


def _decimal_text(value: int, picture: IntegerPicture) -> str:
    digits = number_text(value).rjust(picture.mandatory, "0")
    text = "".join(chr(ord(char) - 0x30 + picture.zero) for char in digits) if picture.zero != 0x30 else digits
    if picture.every:
        char = picture.separators[0][1]
        size = picture.every
        first = len(text) % size or size
        text = char.join([text[:first], *(text[at : at + size] for at in range(first, len(text), size))])
    else:
        for position, char in reversed(picture.separators):
            at = len(text) - position
            text = text[: max(at, 0)] + char + text[at:]
    return text + _ordinal_suffix(text) if picture.ordinal else text


def _ordinal_suffix(text: str) -> str:
    suffix = {"1": "st", "2": "nd", "3": "rd"}.get(text[-1:])
    return suffix if suffix and text[-2:-1] != "1" else "th"


def parse_integer(run: Run, text: JSON, picture: JSON) -> JSON:
    if text is UNDEFINED or picture is UNDEFINED:
        return UNDEFINED
    run.charge(len(picture) + len(text))
    value = integer_value(text, integer_picture(picture))
    run.irregular |= value != value
    return value


def integer_value(text: str, picture: IntegerPicture) -> JSON:
    """The number that the text stands for, NaN if it stands for none. Raises JsonataError D3130."""
    match picture.style:
        case "letters":
            return as_number(letters_to_decimal(text, "A" if picture.case == "upper" else "a"))
        case "roman":
            return roman_to_decimal(text if picture.case == "upper" else text.upper())
        case "words":
            return as_number(words_to_number(text.lower()))
        case "decimal":
            return _decimal_value(text, picture)
        case _:
            return fail("D3130", value=picture.token)


def _decimal_value(text: str, picture: IntegerPicture) -> JSON:
    digits = text[:-2] if picture.ordinal else text
    for char in {"," if picture.every else char for _, char in picture.separators}:
        digits = digits.replace(char, "")
    if picture.zero != 0x30:
        digits = "".join(chr(max(ord(char) - picture.zero + 0x30, 0)) for char in digits)
    return leading_integer(digits)


def leading_integer(text: str) -> JSON:
    """`parseInt`: the number a text begins with, or NaN."""
    text = text.strip()
    sign = text[:1] if text[:1] in ("-", "+") else ""
    rest = text[len(sign) :]
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return as_number(int(sign + digits) if len(digits) < 400 else float(sign + digits)) if digits else math.nan
