"""JSON as the language sees it: reading, canonical text, equality and size.

Knows nothing of states, executions or AWS. A *value* is what `json.loads` gives: dict, list, str, int, float,
bool or None. The engine never mutates a value that it did not make itself, so values are shared freely.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, TypeAlias

import orjson

JSON: TypeAlias = Any
"""A JSON value: `dict[str, JSON] | list[JSON] | str | int | float | bool | None`."""


DEPTH_MAX = 254
"""How many arrays and objects may stand inside one another: what the writer of JSON manages. AWS publishes none."""

_TOO_DEEP = f"nested deeper than {DEPTH_MAX} levels"


class InvalidJson(ValueError):
    """Text that is not JSON. The message says what and where: `… at line 1 column 5`."""


class TooDeep(ValueError):
    """A value with more than DEPTH_MAX arrays and objects inside one another: it has no text."""

    def __init__(self) -> None:
        super().__init__(f"The data is {_TOO_DEEP}.")


def loads(text: str | bytes) -> JSON:
    """Read JSON text. Integers beyond 64 bits become floats, as AWS keeps numbers as doubles.

    Raises InvalidJson with the place of the first problem.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as problem:
        value = _loads_lenient(text, problem)
    try:
        check_depth(value, text)
    except TooDeep:
        raise InvalidJson(_TOO_DEEP) from None
    return value


def _loads_lenient(text: str | bytes, problem: orjson.JSONDecodeError) -> JSON:
    """Escaped lone surrogates are JSON by RFC 8259, but not to orjson: keep them as U+FFFD."""
    try:
        return _scrub(json.loads(text, parse_constant=_refused, parse_int=_integer, parse_float=_float))
    except (ValueError, RecursionError):
        raise InvalidJson(f"{problem.msg} at line {problem.lineno} column {problem.colno}") from None


def _refused(digits: str) -> float:
    raise ValueError(f"{digits} is not JSON")


def _float(digits: str) -> float:
    """Numbers beyond doubles are none to orjson either."""
    number = float(digits)
    return number if isfinite(number) else _refused(digits)


def _integer(digits: str) -> int | float:
    number = int(digits) if len(digits) <= 20 else None
    return number if number is not None and -(1 << 63) <= number < (1 << 64) else _float(digits)


def _scrub(value: JSON) -> JSON:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_scrub(item) for item in value]
    if isinstance(value, dict):
        return {_scrub(key): _scrub(item) for key, item in value.items()}
    return value


def check_depth(value: JSON, text: str | bytes) -> None:
    """Raise TooDeep for a value, given with its text, that is nested too deeply. Few brackets need no look."""
    brackets = text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")
    if brackets > DEPTH_MAX:
        dumps(value)


def json_or_text(text: str) -> JSON:
    """The value of JSON text; of any other text, the text itself."""
    try:
        return loads(text)
    except InvalidJson:
        return text


def dumps(value: JSON) -> str:
    """Compact JSON text, members in their order: `{"a":[1,2.5]}`. What histories and outputs carry.

    Raises TooDeep.
    """
    try:
        return orjson.dumps(value).decode()
    except TypeError as problem:
        if str(problem) == "Recursion limit reached":
            raise TooDeep from None
        raise


def equal(left: JSON, right: JSON) -> bool:
    """JSON equality: `true` is not `1`, `1` is `1.0`, member order does not matter."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(equal(item, right[key]) for key, item in left.items())
        )
    if isinstance(left, list):
        return (
            isinstance(right, list)
            and len(left) == len(right)
            and all(equal(a, b) for a, b in zip(left, right, strict=True))
        )
    return bool(left == right)


def type_name(value: JSON) -> str:
    """`object`, `array`, `string`, `number`, `boolean` or `null`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


class Payload:
    """A value with its JSON text, each made at most once and never changed.

    The text is what histories show: data that only passes through a state is never serialised again, and an
    execution's input keeps the text it was sent with.
    """

    __slots__ = ("_text", "value")

    def __init__(self, value: JSON, text: str | None = None) -> None:
        self.value = value
        self._text = text

    @classmethod
    def of_text(cls, text: str) -> Payload:
        """Read text and keep it. Raises InvalidJson."""
        return cls(loads(text), text)

    @property
    def text(self) -> str:
        """The JSON text. Raises TooDeep."""
        text = self._text
        if text is None:
            text = self._text = dumps(self.value)
        return text

    @property
    def line(self) -> str:
        """The text on one line: what was sent may have newlines between values."""
        return self.text if "\n" not in self.text else dumps(self.value)

    @property
    def size_bytes(self) -> int:
        """Length of the text in UTF-8, which is what AWS's payload limits count."""
        text = self.text
        return len(text) if text.isascii() else len(text.encode())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Payload) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Payload({self.text})"
