"""Whole numbers in words, Roman numerals and letters, there and back. English only, as JSONata 2.0.6."""

# ruff: noqa: SIM905 (lists of words read best as text)

from __future__ import annotations

import math
import re
from typing import Final

_FEW: Final = (
    "Zero One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve Thirteen Fourteen Fifteen Sixteen Seventeen "
    "Eighteen Nineteen"
).split()
_FEW_ORDINALS: Final = (
    "Zeroth First Second Third Fourth Fifth Sixth Seventh Eighth Ninth Tenth Eleventh Twelfth Thirteenth Fourteenth "
    "Fifteenth Sixteenth Seventeenth Eighteenth Nineteenth"
).split()
_TENS: Final = "Twenty Thirty Forty Fifty Sixty Seventy Eighty Ninety".split()
_GREAT: Final = (("Thousand", 10**3), ("Million", 10**6), ("Billion", 10**9), ("Trillion", 10**12))
_ROMAN: Final = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_ROMAN_DIGITS: Final = {"M": 1000, "D": 500, "C": 100, "L": 50, "X": 10, "V": 5, "I": 1}


def number_to_words(value: int, ordinal: bool) -> str:
    """`One Thousand, Two Hundred and Thirty-Four`; beyond trillions in trillions of trillions."""
    return _words(value, False, ordinal)


def _words(value: int, continued: bool, ordinal: bool) -> str:
    if value < 100:
        return (" and " if continued else "") + _below_hundred(value, ordinal)
    comma = ", " if continued else ""
    if value < 1000:
        count, rest = divmod(value, 100)
        words = f"{comma}{_FEW[count]} Hundred"
    else:
        name, size = next((name, size) for name, size in reversed(_GREAT) if value >= size)
        count, rest = _split(value, size)
        words = f"{comma}{_words(count, False, False)} {name}"
    if rest:
        return words + _words(rest, True, ordinal)
    return words + "th" if ordinal else words


def _split(value: int, size: int) -> tuple[int, int]:
    """Quotient and remainder; of what is beyond JavaScript's exact integers, as floats divide."""
    if value <= 2**53:
        return divmod(value, size)
    count = math.floor(float(value) / size)
    return count, int(float(value) - float(count) * size)


def _below_hundred(value: int, ordinal: bool) -> str:
    if value < 20:
        return (_FEW_ORDINALS if ordinal else _FEW)[value]
    tens, rest = divmod(value, 10)
    word = _TENS[tens - 2]
    if rest:
        return f"{word}-{_below_hundred(rest, ordinal)}"
    return f"{word[:-1]}ieth" if ordinal else word


def _word_values() -> dict[str, int]:
    values = {}
    for words in (_FEW, _FEW_ORDINALS):
        values.update({word.lower(): value for value, word in enumerate(words)})
    for value, word in enumerate([*_TENS, "Hundred"], 2):
        values[word.lower()] = value * 10
        values[f"{word[:-1].lower()}ieth"] = value * 10
    values["hundredth"] = 100
    for word, value in _GREAT:
        values[word.lower()] = values[f"{word.lower()}th"] = value
    return values


WORD_VALUES: Final = _word_values()
_WORD_BREAK = re.compile(r",\s|\sand\s|[\s\\-]")


def words_to_number(text: str) -> float:
    """NaN where a word is no number."""
    segments: list[float] = [0]
    for word in _WORD_BREAK.split(text):
        value = WORD_VALUES.get(word, math.nan)
        if value < 100:
            top = segments.pop()
            if top >= 1000:
                segments.append(top)
                top = 0
            segments.append(top + value)
        else:
            segments.append(segments.pop() * value)
    return sum(segments)


def decimal_to_roman(value: int) -> str:
    text = ""
    for size, digits in _ROMAN:
        count, value = divmod(value, size)
        text += digits * count
    return text


def roman_to_decimal(text: str) -> float:
    """Raises nothing: a letter that is no digit makes NaN."""
    total: float = 0
    highest = 1
    for char in reversed(text):
        if char not in _ROMAN_DIGITS:
            return math.nan
        value = _ROMAN_DIGITS[char]
        highest = max(highest, value)
        total += value if value >= highest else -value
    return total


def decimal_to_letters(value: int) -> str:
    """1 is `a`, 26 is `z`, 27 is `aa`."""
    letters = ""
    while value > 0:
        value, letter = divmod(value - 1, 26)
        letters = chr(ord("a") + letter) + letters
    return letters


def letters_to_decimal(text: str, first: str) -> float:
    """NaN for a text too long to be a number."""
    if len(text) > 200:
        return math.nan
    total = 0
    for char in text:
        total = total * 26 + ord(char) - ord(first) + 1
    return float(total) if abs(total) > 2**53 else total
