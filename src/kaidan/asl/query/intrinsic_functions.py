"""The 18 intrinsic functions of the JSONPath dialect, as functions of JSON values.

Each takes a source of chance and its arguments, and gives a value or raises Refusal. Nothing here knows how
calls are written, where arguments come from or what a state is: that is for `intrinsics.py`.

Sources: AWS guide, "Intrinsic functions for JSONPath states"; States Language spec, appendix B. Where AWS was
recorded or seen to do otherwise, AWS is followed and the place says so. Its traits are Java's: so are numbers
cut and rounded, texts made and sets ordered.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Callable
from typing import TypeAlias

from kaidan.asl.query.env import Source
from kaidan.asl.query.java import INT_MAX, INT_MIN, hash_table_order, java_hash, java_text
from kaidan.asl.query.javarandom import JavaRandom
from kaidan.values import JSON, dumps, equal, loads

Function: TypeAlias = Callable[..., JSON]
"""`(source, *arguments) -> value`. Raises Refusal."""

RANGE_ITEMS_MAX = 1000
"""Guide, "States.ArrayRange"."""

TEXT_CHARACTERS_MAX = 10_000
"""Guide, "States.Base64Encode", "States.Base64Decode", "States.Hash"."""


class Refusal(Exception):
    """Arguments that a function does not take, in AWS's words around the name of the function, which it adds.

    `Refusal().of("States.MathAdd")` is `Invalid arguments in States.MathAdd`.
    """

    def __init__(self, what: str = "Invalid arguments", more: str = "") -> None:
        super().__init__(what, more)
        self.what = what
        self.more = more

    def of(self, name: str) -> str:
        return f"{self.what} in {name}{self.more}"


# Reading arguments


def _array(value: JSON) -> list[JSON]:
    if not isinstance(value, list):
        raise Refusal
    return value


def _object(value: JSON) -> dict[str, JSON]:
    if not isinstance(value, dict):
        raise Refusal
    return value


def _string(value: JSON, characters_max: int | None = None) -> str:
    if not isinstance(value, str) or (characters_max is not None and len(value) > characters_max):
        raise Refusal
    return value


def _number(value: JSON) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Refusal
    return value


def _int(number: int) -> int:
    if not INT_MIN <= number <= INT_MAX:
        raise Refusal
    return number


def _cut(value: JSON) -> int:
    """An integer; a fraction is cut off: 2.6 is 2, -0.6 is 0.

    The guide speaks of the nearest integer, but AWS gave 1 among the values of MathRandom(1.6, 5.4), refused
    MathRandom(1.4, 1.6), and did likewise in ArrayRange, ArrayPartition and ArrayGetItem.
    """
    return _int(int(_number(value)))


def _rounded(value: JSON) -> int:
    """The nearest integer, halves upwards: 1.5 is 2, -1.5 is -1 (recorded from AWS for MathAdd)."""
    number = _number(value)
    floor = math.floor(number)
    return _int(floor + (number - floor >= 0.5))


# Arrays


def array(_: Source, *items: JSON) -> JSON:
    return list(items)


def array_partition(_: Source, items: JSON, size: JSON) -> JSON:
    """`[1,2,3]` by 2 is `[[1,2],[3]]`."""
    values, step = _array(items), _cut(size)
    if step < 1:
        raise Refusal
    return [values[start : start + step] for start in range(0, len(values), step)]


def array_contains(_: Source, items: JSON, wanted: JSON) -> JSON:
    return any(equal(item, wanted) for item in _array(items))


def array_range(_: Source, first: JSON, last: JSON, step: JSON) -> JSON:
    """Both ends belong to the range: 1 to 9 by 2 is `[1,3,5,7,9]`; against the step it is empty."""
    start, end, stride = _cut(first), _cut(last), _cut(step)
    if stride == 0:
        raise Refusal
    numbers = range(start, end + (1 if stride > 0 else -1), stride)
    if len(numbers) > RANGE_ITEMS_MAX:
        raise Refusal
    return list(numbers)


def array_get_item(_: Source, items: JSON, index: JSON) -> JSON:
    """Counts from 0. An empty array gives null for any index, as seen on AWS; else the index must exist."""
    values, position = _array(items), _cut(index)
    if not values:
        return None
    if not 0 <= position < len(values):
        raise Refusal
    return values[position]


def array_length(_: Source, items: JSON) -> JSON:
    return len(_array(items))


def array_unique(_: Source, items: JSON) -> JSON:
    """Each value once, in the order of a Java HashSet: AWS made `[false,true]` of `[true,false,true]`."""
    seen: dict[int, list[JSON]] = {}
    unique: list[tuple[int, JSON]] = []
    for item in _array(items):
        code = java_hash(item)
        same_code = seen.setdefault(code, [])
        if not any(equal(item, other) for other in same_code):
            same_code.append(item)
            unique.append((code, item))
    return hash_table_order(unique)


# Encoding, hashing, JSON

_NO_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_URL_SAFE = str.maketrans("-_", "+/")


def base64_encode(_: Source, text: JSON) -> JSON:
    return base64.b64encode(_string(text, TEXT_CHARACTERS_MAX).encode()).decode()


def base64_decode(_: Source, text: JSON) -> JSON:
    """Lenient, as AWS is: what is no Base64 character is skipped, padding may lack and ends the text.

    Bytes that are no UTF-8 become U+FFFD.
    """
    encoded = _string(text, TEXT_CHARACTERS_MAX).partition("=")[0]
    digits = _NO_BASE64.sub("", encoded.translate(_URL_SAFE))
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return base64.b64decode(digits + "=" * (-len(digits) % 4)).decode("utf-8", "replace")


HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
"""Names of algorithms, which must be written so (guide, "States.Hash"), and hashlib's names for them."""


def hash_(_: Source, data: JSON, algorithm: JSON) -> JSON:
    """Lower-case hexadecimal digits of the hash of the UTF-8 text."""
    text, name = _string(data, TEXT_CHARACTERS_MAX), HASHES.get(_string(algorithm))
    if name is None:
        raise Refusal
    return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


def json_merge(_: Source, left: JSON, right: JSON, deep: JSON) -> JSON:
    """Members of the right object win. The guide allows only `false` for `deep`."""
    if deep is not False:
        raise Refusal
    return {**_object(left), **_object(right)}


def json_to_string(_: Source, value: JSON) -> JSON:
    return dumps(value)


def string_to_json(_: Source, text: JSON) -> JSON:
    """Blank text is null, as seen on AWS."""
    json_text = _string(text)
    if not json_text.strip(" \t\r\n"):
        return None
    try:
        return loads(json_text)
    except ValueError as problem:
        raise Refusal("Cannot convert String to Json", f", caused by: {problem}") from None


# Numbers


def math_random(source: Source, start: JSON, end: JSON, *seed: JSON) -> JSON:
    """An integer from `start` up to, not including, `end`. A seed decides it by `java.util.Random`.

    AWS gave 63 for (1, 100, 42), 106 for (1, 1000, 1), 1 for (1, 10, -10).
    """
    lowest, width = _cut(start), _int(_cut(end) - _cut(start))
    if width < 1:
        raise Refusal
    if not seed:
        return lowest + int(source.random() * width)
    return lowest + JavaRandom(int(_number(seed[0]))).next_int(width)


def math_add(_: Source, left: JSON, right: JSON) -> JSON:
    return _int(_rounded(left) + _rounded(right))


# Texts


def string_split(_: Source, text: JSON, delimiters: JSON) -> JSON:
    """Each character of `delimiters` splits, empty parts are left out: `,a,,b` is `["a","b"]` (recorded)."""
    words, characters = _string(text), _string(delimiters)
    if not characters:
        return [words] if words else []
    return [part for part in re.split(f"[{re.escape(characters)}]", words) if part]


_TEMPLATE_TOKENS = re.compile(r"\\[\\'{}]|\{\}|[{}]|[^\\{}]+|\\")
_UNMATCHED = {"{": ": matching '}' not found for '{'.", "}": ": matching '{' not found for '}'."}


def format_(_: Source, template: JSON, *values: JSON) -> JSON:
    r"""`{}` stands for the next value; `\{`, `\}`, `\'` and `\\` for the character itself.

    The template comes with its escapes, whether it is written in the call or found in the data.
    """
    parts = [_template_part(token) for token in _TEMPLATE_TOKENS.findall(_string(template))]
    if parts.count(None) != len(values):
        raise Refusal(more=": number of arguments do not match the occurrences of {}.")
    texts = map(java_text, values)
    return "".join(next(texts) if part is None else part for part in parts)


def _template_part(token: str) -> str | None:
    """The text that a piece of a template stands for; None where a value goes."""
    if token in _UNMATCHED:
        raise Refusal("Invalid template", _UNMATCHED[token])
    if token == "{}":
        return None
    return token[1] if len(token) == 2 and token[0] == "\\" else token


def uuid(source: Source, *_: JSON) -> JSON:
    return source.uuid4()


FUNCTIONS: dict[str, tuple[int, int | None, Function]] = {
    "States.Array": (0, None, array),
    "States.ArrayContains": (2, 2, array_contains),
    "States.ArrayGetItem": (2, 2, array_get_item),
    "States.ArrayLength": (1, 1, array_length),
    "States.ArrayPartition": (2, 2, array_partition),
    "States.ArrayRange": (3, 3, array_range),
    "States.ArrayUnique": (1, 1, array_unique),
    "States.Base64Decode": (1, 1, base64_decode),
    "States.Base64Encode": (1, 1, base64_encode),
    "States.Format": (1, None, format_),
    "States.Hash": (2, 2, hash_),
    "States.JsonMerge": (3, 3, json_merge),
    "States.JsonToString": (1, 1, json_to_string),
    "States.MathAdd": (2, 2, math_add),
    "States.MathRandom": (2, 3, math_random),
    "States.StringSplit": (2, 2, string_split),
    "States.StringToJson": (1, 1, string_to_json),
    "States.UUID": (0, None, uuid),
}
"""Name -> fewest and most arguments (None: no end), function. AWS lets UUID have arguments (recorded)."""

COUNT_NOTES = {"States.JsonToString": ": only a single argument is allowed."}
"""What AWS adds when the number of arguments is wrong; the other functions say nothing more (recorded)."""
