"""Plain values of fields, checked: texts, flags, numbers, timestamps. The words are AWS's where they are known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from kaidan.asl.query.timestamps import parse_ns
from kaidan.asl.states.fields import Integer, Number, Site, Text
from kaidan.values import JSON, type_name


def wrong_type(value: JSON, expected: str, site: Site) -> bool:
    """Reports it; False, for "not of the type"."""
    site.error(f"Expected value of type {expected}", hint=f"it is {_with_article(type_name(value))}")
    return False


def _with_article(name: str) -> str:
    if name == "null":
        return name
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Those that may have been meant, the nearest first; capital and small letters are alike."""
    by_lower = {other.lower(): other for other in known}
    return [by_lower[near] for near in get_close_matches(name.lower(), by_lower, n=3, cutoff=0.7)]


def check_object(value: JSON, site: Site) -> bool:
    return isinstance(value, dict) or wrong_type(value, "[OBJECT]", site)


def check_array(value: JSON, site: Site, *, may_be_empty: bool) -> bool:
    if not isinstance(value, list):
        return wrong_type(value, "[ARRAY]", site)
    if not value and not may_be_empty:
        site.error("Value cannot be empty")
    return True


def check_text(value: JSON, kind: Text, name: str, site: Site) -> bool:
    if not isinstance(value, str):
        return wrong_type(value, "[STRING]", site)
    if kind.allowed and value not in kind.allowed:
        one_of = f"The field '{name}' should have one of these values" if kind.selects else _ONE_OF
        near = nearest(value, kind.allowed)
        site.error(f"{one_of}: [{', '.join(kind.allowed)}]", hint=f"nearest: {near[0]}" if near else None)
    return True


_ONE_OF = "Value should be one of the following"


def check_flag(value: JSON, site: Site) -> bool:
    return isinstance(value, bool) or wrong_type(value, "[BOOLEAN]", site)


def check_integer(value: JSON, kind: Integer, site: Site) -> bool:
    if not _is_number(value) or not (isinstance(value, int) or value.is_integer()):
        return wrong_type(value, "Integer", site)
    return _within(value, kind.minimum, kind.maximum, site)


def check_number(value: JSON, kind: Number, site: Site) -> bool:
    if not _is_number(value):
        return wrong_type(value, "Float", site)
    return _within(value, kind.minimum, kind.maximum, site)


def _is_number(value: JSON) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _within(value: int | float, minimum: float | None, maximum: float | None, site: Site) -> bool:
    if minimum is not None and value < minimum:
        site.error(f"Minimum value is {minimum}", hint=f"it is {value}")
    if maximum is not None and value > maximum:
        site.error(f"Maximum value is {maximum}", hint=f"it is {value}")
    return True


def check_timestamp(value: JSON, site: Site) -> bool:
    if not isinstance(value, str):
        return wrong_type(value, "[STRING]", site)
    if parse_ns(value) is None:
        site.error("String does not match RFC3339 timestamp", hint="for example 2016-03-14T01:59:00Z")
    return True
