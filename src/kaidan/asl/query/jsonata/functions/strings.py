"""The functions on strings, without those that use regular expressions (matching.py) or pictures (pictures.py).

Every function takes the run it is part of and its arguments as fitted to its signature; a missing one is UNDEFINED.
Source: JSONata 2.0.6, "String functions".
"""

from __future__ import annotations

import base64
import binascii
import re
from math import isfinite
from typing import Final, NoReturn
from urllib.parse import quote

from kaidan.asl.query.jsonata.errors import JsonataError, fail
from kaidan.asl.query.jsonata.limits import Run
from kaidan.asl.query.jsonata.text import json_text, number_text, to_precision_15
from kaidan.asl.query.jsonata.values import UNDEFINED, Function, Outer
from kaidan.values import JSON

_COMPONENT_SAFE: Final = "-_.!~*'()"
_URL_SAFE: Final = _COMPONENT_SAFE + ";/?:@&=+$,#"


def string(run: Run, value: JSON, prettify: JSON = UNDEFINED) -> JSON:
    """`$string`: strings as they are, functions as nothing, everything else as JSON text."""
    if value is UNDEFINED or value.__class__ is str:
        return value
    if isinstance(value, Function):
        return ""
    if value.__class__ is float and not isfinite(value):
        fail("D3001", value=value)
    if value.__class__ is Outer:
        value = value[0]

    def charge(parts: int, characters: int) -> None:
        run.charge(parts)
        run.allot(characters)

    return json_text(value, _leaf, charge, 2 if prettify is True else 0)


def _leaf(value: JSON) -> str:
    if value.__class__ is bool:
        return "true" if value else "false"
    if value is None:
        return "null"
    if value.__class__ is int:
        return number_text(value)
    if value.__class__ is not float:
        return '""' if isinstance(value, Function) else "null"
    if value == value and not isfinite(value):
        fail("D1001", value=value)
    return number_text(to_precision_15(value)) if value == value else "null"


def _made(run: Run, text: str) -> str:
    run.allot(len(text))
    return text


def substring(run: Run, text: JSON, start: JSON, length: JSON = UNDEFINED) -> JSON:
    """Characters from `start`, counted from the end where it is negative."""
    if text is UNDEFINED:
        return text
    if start is UNDEFINED:
        return text if length is UNDEFINED else ""
    size = len(text)
    if size + start < 0:
        start = 0
    if length is UNDEFINED:
        return _made(run, text[_index(start) :])
    if length <= 0:
        return ""
    end = start + length if start >= 0 else size + start + length
    return _made(run, text[_index(start) : _index(end)])


def _index(value: float) -> int:
    """A place in a list: JavaScript cuts off fractions, and what lies beyond every list stays beyond."""
    return int(max(min(value, 2**53), -(2**53))) if value == value else 0


def substring_before(run: Run, text: JSON, chars: JSON) -> JSON:
    if text is UNDEFINED or chars is UNDEFINED:
        return text
    at = text.find(chars)
    return _made(run, text[:at]) if at >= 0 else text


def substring_after(run: Run, text: JSON, chars: JSON) -> JSON:
    if text is UNDEFINED or chars is UNDEFINED:
        return text
    at = text.find(chars)
    return _made(run, text[at + len(chars) :]) if at >= 0 else text


def lowercase(run: Run, text: JSON) -> JSON:
    return text if text is UNDEFINED else _made(run, text.lower())


def uppercase(run: Run, text: JSON) -> JSON:
    return text if text is UNDEFINED else _made(run, text.upper())


def length(run: Run, text: JSON) -> JSON:
    return text if text is UNDEFINED else len(text)


_BLANKS = re.compile(r"[ \t\n\r]+")


def trim(run: Run, text: JSON) -> JSON:
    """Blanks become single, and go from both ends."""
    if text is UNDEFINED:
        return text
    return _made(run, _BLANKS.sub(" ", text).removeprefix(" ").removesuffix(" "))


def pad(run: Run, text: JSON, width: JSON, char: JSON = UNDEFINED) -> JSON:
    """Padding to the right, or to the left where the width is negative."""
    if text is UNDEFINED or width is UNDEFINED:
        return text
    missing = _index(abs(width)) - len(text)
    if missing <= 0:
        return text
    run.allot(len(text) + missing)
    char = char or " "
    padding = (char * (missing // len(char) + 1))[:missing]
    return text + padding if width > 0 else padding + text


def join(run: Run, texts: JSON, separator: JSON = UNDEFINED) -> JSON:
    if texts is UNDEFINED:
        return texts
    separator = "" if separator is UNDEFINED else separator
    run.allot(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def base64_encode(run: Run, text: JSON) -> JSON:
    """The characters' low bytes, as the reference implementation does."""
    if text is UNDEFINED:
        return text
    run.allot(len(text) * 4 // 3)
    return base64.b64encode(bytes(ord(char) & 0xFF for char in text)).decode()


def base64_decode(run: Run, text: JSON) -> JSON:
    if text is UNDEFINED:
        return text
    cleaned = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(cleaned + "=" * (-len(cleaned) % 4), validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        raise JsonataError("", message="The string to be decoded is not correctly encoded") from None


def encode_url_component(run: Run, text: JSON) -> JSON:
    return _encode(run, text, _COMPONENT_SAFE, "encodeUrlComponent")


def encode_url(run: Run, text: JSON) -> JSON:
    return _encode(run, text, _URL_SAFE, "encodeUrl")


def _encode(run: Run, text: JSON, safe: str, name: str) -> JSON:
    if text is UNDEFINED:
        return text
    run.allot(3 * len(text))
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError:
        _malformed(text, name)


def decode_url_component(run: Run, text: JSON) -> JSON:
    return _decode(text, "", "decodeUrlComponent")


def decode_url(run: Run, text: JSON) -> JSON:
    return _decode(text, ";/?:@&=+$,#", "decodeUrl")


_ESCAPED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def _decode(text: JSON, reserved: str, name: str) -> JSON:
    """Escapes become characters, except those of `reserved` characters."""
    if text is UNDEFINED:
        return text
    if "%" in _ESCAPED.sub("", text):
        _malformed(text, name)

    def characters(found: re.Match[str]) -> str:
        escapes = found.group()
        decoded = bytes.fromhex(escapes.replace("%", "")).decode()
        if not any(char in reserved for char in decoded):
            return decoded
        kept, at = [], 0
        for char in decoded:
            size = 3 * len(char.encode())
            kept.append(escapes[at : at + size] if char in reserved else char)
            at += size
        return "".join(kept)

    try:
        return _ESCAPED.sub(characters, text)
    except UnicodeDecodeError:
        _malformed(text, name)


def _malformed(text: str, name: str) -> NoReturn:
    raise JsonataError("D3140", value=text, token=name)
