"""A JSON file: an array of items, or an object whose members are, `{"Key": …, "Value": …}`. ItemsPointer leads to it.

The file is read value by value: what is in memory is one item and the block that it ends in. What a pointer leads past
is not kept.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from itertools import count, islice

from kaidan.integrations.items.blocks import Blocks
from kaidan.integrations.items.csv_rows import Open, Row
from kaidan.integrations.items.errors import ITEM_BYTES_MAX, Unreadable, too_large
from kaidan.values import JSON, InvalidJson, loads

NOT_ITERABLE = "Attempting to map over non-iterable node."
NO_SUCH_PATH = "The provided ReaderConfig.ItemsPointer does not match any valid path in the JSON structure."
"""AWS's words, as measured by others."""

_GOES_ON = ("", ".", "e", "E")
"""What is behind a number, perhaps, of which only the first part is there."""

_BLANK = " \t\n\r\ufeff"


def values(open_at: Open, config: JSON, position: JSON, *, arrays_only: bool = False) -> Iterator[Row]:
    """The items behind a position: how many come before it."""
    text = _Text(open_at(0))
    for step in _steps(config.get("ItemsPointer", "")):
        _enter(text, step)
    match text.peek():
        case "[":
            items: Iterator[tuple[JSON, str | None]] = ((value, None) for value in text.elements())
        case "{" if not arrays_only:
            items = (({"Key": key, "Value": text.value()}, key) for key in text.names())
        case _:
            text.value()
            raise Unreadable(NOT_ITERABLE)
    number = position or 0
    for value, key in islice(items, number, None):
        number += 1
        yield value, number, key


def pointed(value: JSON, pointer: str) -> JSON:
    """What a JSON pointer (RFC 6901) leads to in a value that is there."""
    for step in _steps(pointer):
        try:
            value = value[_index(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, ValueError, TypeError):
            raise Unreadable(NO_SUCH_PATH) from None
    return value


_INDEX = re.compile(r"0|[1-9][0-9]*")


def _steps(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise Unreadable(NO_SUCH_PATH)
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _index(step: str) -> int:
    """Raises ValueError."""
    if not _INDEX.fullmatch(step):
        raise ValueError(step)
    return int(step)


def _enter(text: _Text, step: str) -> None:
    """Go to a member or an element, past those before it."""
    match text.peek():
        case "{":
            for key in text.names():
                if key == step:
                    return
                text.skip()
        case "[" if _INDEX.fullmatch(step):
            for number in text.places():
                if number == int(step):
                    return
                text.skip()
    raise Unreadable(NO_SUCH_PATH)


class _Text:
    """JSON text of which a part is there."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = iter(blocks)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._decoder = json.JSONDecoder(parse_int=float, parse_constant=_refuse)
        self._text = ""
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """The next character that is not blank, "" at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _BLANK:
                self._at += 1
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def take(self, expected: str) -> None:
        found = self.peek()
        if found != expected:
            raise Unreadable(f"The file is not JSON: '{expected}' expected, found '{found}'" if found else _CUT_OFF)
        self._at += 1

    def value(self) -> JSON:
        """The value that begins here."""
        self.peek()
        while True:
            try:
                end = self._end()
            except json.JSONDecodeError as problem:
                self._check_size(len(self._text))
                if not self._more():
                    raise Unreadable(f"The file is not JSON: {problem.msg}") from None
                continue
            self._check_size(end)
            if self._text[end : end + 1] not in _GOES_ON or not self._more():
                text, self._at = self._text[self._at : end], end
                return _loaded(text)

    def _end(self) -> int:
        """Of the value that begins here. Raises JSONDecodeError, as where it is not all there."""
        try:
            return self._decoder.raw_decode(self._text, self._at)[1]
        except RecursionError:
            raise Unreadable("The file is not JSON: nested too deeply") from None

    def _check_size(self, end: int) -> None:
        if end - self._at > ITEM_BYTES_MAX:
            raise too_large()

    def elements(self) -> Iterator[JSON]:
        """Of the array that begins here."""
        return (self.value() for _ in self.places())

    def places(self) -> Iterator[int]:
        """Numbers of the elements of the array that begins here; who iterates takes or skips each."""
        self.take("[")
        if self.peek() == "]":
            self._at += 1
            return
        for number in count():
            yield number
            if self.peek() == "]":
                self._at += 1
                return
            self.take(",")

    def names(self) -> Iterator[str]:
        """Of the object that begins here; who iterates takes or skips each value."""
        self.take("{")
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            key = self.value()
            self.take(":")
            yield key
            if self.peek() == "}":
                self._at += 1
                return
            self.take(",")

    def skip(self) -> None:
        """Pass a value. Of one that goes on behind what is there nothing is kept, however large it is."""
        opening = self.peek()
        if opening not in ("[", "{"):
            self.value()
            return
        try:
            self._at = self._end()
        except json.JSONDecodeError:
            for _ in self.places() if opening == "[" else self.names():
                self.skip()

    def _more(self) -> bool:
        """Read on, by as much as there is: a long item is not scanned again for each block."""
        if self._ended:
            return False
        self._text, self._at = self._text[self._at :], 0
        wanted, parts = max(1, len(self._text)), [self._text]
        while wanted > 0:
            block = next(self._blocks, None)
            part = self._decode(block or b"", final=block is None)
            self._ended = block is None
            parts.append(part)
            wanted -= len(part)
            if self._ended:
                break
        self._text = "".join(parts)
        return len(self._text) > len(parts[0])


_CUT_OFF = "The file is not JSON: it ends too early"


def _loaded(text: str) -> JSON:
    try:
        return loads(text)
    except InvalidJson as problem:
        raise Unreadable(f"The file is not JSON: {problem}") from None


def _refuse(name: str) -> float:
    raise Unreadable(f"The file is not JSON: {name}")
