"""The functions that Step Functions adds: $partition, $range, $hash, $random, $uuid and $parse.

Source: AWS guide, "JSONata functions provided by Step Functions"; what becomes of unusual arguments as observed on AWS:
some of it is an error, some of it nothing. There is no $eval.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Final

from kaidan.asl.query.javarandom import JavaRandom
from kaidan.asl.query.jsonata.errors import JsonataError, fail
from kaidan.asl.query.jsonata.limits import Run
from kaidan.asl.query.jsonata.values import ARRAYS, NUMBERS, UNDEFINED, Sequence
from kaidan.asl.query.jsonata.values import number as as_number
from kaidan.values import JSON

_DIGESTS: Final = {
    "MD5": hashlib.md5,
    "SHA-1": hashlib.sha1,
    "SHA-256": hashlib.sha256,
    "SHA-384": hashlib.sha384,
    "SHA-512": hashlib.sha512,
}


def _refuse(message: str) -> JsonataError:
    return JsonataError("D3137", message=message)


def _whole(value: JSON, index: int) -> int:
    """The argument as a whole number, rounded towards zero. Raises JsonataError T0410."""
    is_number = value.__class__ in NUMBERS
    return int(value) if is_number and math.isfinite(value) else fail("T0410", index=index)


def partition(run: Run, values: JSON = UNDEFINED, size: JSON = UNDEFINED) -> JSON:
    """`$partition([1,2,3], 2)` is `[[1,2],[3]]`; nothing for an empty array or a size of 0."""
    if values is UNDEFINED:
        return values
    if values.__class__ not in ARRAYS:
        fail("T0412", index=1, type=UNDEFINED)
    if not values or size is UNDEFINED:
        return [list(values)] if values else UNDEFINED
    count = _whole(size, 2)
    if count < 0:
        raise _refuse("Second argument must be zero or greater")
    if count == 0:
        return UNDEFINED
    run.allot_members(2 * len(values))
    return [list(values[at : at + count]) for at in range(0, len(values), count)]


def number_range(run: Run, first: JSON = UNDEFINED, last: JSON = UNDEFINED, step: JSON = UNDEFINED) -> JSON:
    """`$range(0, 6, 2)` is `[0,2,4,6]`; a single number for a range of one; nothing where the step leads away."""
    start, end = _whole(first, 1), _whole(last, 2)
    if step is UNDEFINED:
        return step
    delta = _whole(step, 3)
    if delta == 0 or (end - start) * delta < 0:
        return UNDEFINED
    count = (end - start) // delta + 1
    run.allot_members(count)
    return Sequence(range(start, start + count * delta, delta))


def digest(run: Run, text: JSON = UNDEFINED, algorithm: JSON = UNDEFINED) -> JSON:
    """`$hash`: in hexadecimal, of the text in UTF-8."""
    if text.__class__ is not str:
        fail("T0410", index=1)
    if algorithm is UNDEFINED:
        return algorithm
    if algorithm.__class__ is not str:
        fail("T0410", index=2)
    if algorithm not in _DIGESTS:
        raise _refuse(f"Hash algorithm '{algorithm}' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5")
    run.charge(len(text) >> 4)
    return _DIGESTS[algorithm](text.encode("utf-8", "replace")).hexdigest()


def random(run: Run, seed: JSON = UNDEFINED) -> JSON:
    """A number in [0, 1); with a seed always the same one, that of java.util.Random."""
    if seed is UNDEFINED:
        return run.env.source.random()
    return JavaRandom(_whole(seed, 1)).next_double()


def uuid(run: Run) -> JSON:
    return run.env.source.uuid4()


def parse(run: Run, text: JSON) -> JSON:
    """The value of a JSON text, which may not name a member twice."""
    if text is UNDEFINED:
        return text
    run.allot(len(text))
    try:
        return json.loads(text, object_pairs_hook=_members, parse_int=_integer, parse_float=_float, parse_constant=_no)
    except (ValueError, RecursionError):
        raise _refuse("Invalid JSON") from None


def _members(pairs: list[tuple[str, JSON]]) -> JSON:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name occurs twice")
    return members


def _integer(digits: str) -> JSON:
    """Exact as far as 64 bits go."""
    if len(digits) < 20:
        value = int(digits)
        if -(2**63) <= value < 2**63:
            return value
    return _float(digits)


def _float(digits: str) -> JSON:
    value = float(digits)
    return as_number(value) if math.isfinite(value) else _no(digits)


def _no(name: str) -> JSON:
    raise ValueError(f"{name} is no JSON number")
