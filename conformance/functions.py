"""Lambda functions that do what a case says in words (FORMAT section 2, `Behaviour`), with AWS's stack traces."""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable
from typing import Any

FILE = "/var/task/handler.py"
"""Where AWS runs a function's code, as stack traces show it."""

_IDENTITY = """\
def handler(event, context):
    return event
"""

_RAISE = """\
def handler(event, context):
    raise Exception("{}")
"""

_RAISE_CUSTOM = """\
class CustomException(Exception):
    message: str

    def __init__(self):
        self.message = "CustomException message"


def handler(event, context):
    raise CustomException()
"""

_RETURN = """\
def handler(event, context):
    return {}
"""

SOURCES: tuple[tuple[str, str], ...] = (
    (r"returns the event unchanged", _IDENTITY),
    (r"sleeps \d+ seconds, then returns the event unchanged", _IDENTITY),
    (r"raises Exception\('(.*)'\)", _RAISE),
    (r"raises a custom exception class CustomException .*", _RAISE_CUSTOM),
    (r"returns (\d+\*\d+) letters 'a' as Python bytes .*", _RETURN.format("b'a' * ({})")),
    (r"returns the Python bytes value (b'.*') \(Lambda's JSON .*", _RETURN),
)
"""What is said of a function, and its code with what the words leave open."""

_SLEEP = re.compile(r"sleeps (\d+) seconds")


def handler_of(behaviour: str) -> Callable[[Any, Any], Any]:
    """The function. Raises ValueError for words that nobody knows.

    Traces show the code of the one made last, for all are in the same file.
    """
    for words, source in SOURCES:
        match = re.fullmatch(words, behaviour)
        if match is not None:
            return _compiled(source.format(*match.groups()))
    raise ValueError(f"no function does this: {behaviour}")


def _compiled(source: str) -> Callable[[Any, Any], Any]:
    linecache.cache[FILE] = (len(source), None, source.splitlines(keepends=True), FILE)
    names: dict[str, Any] = {}
    exec(compile(source, FILE, "exec"), names)
    handler: Callable[[Any, Any], Any] = names["handler"]
    return handler


def takes_s(behaviour: str) -> float:
    """Seconds that it sleeps."""
    match = _SLEEP.match(behaviour)
    return float(match[1]) if match else 0.0
