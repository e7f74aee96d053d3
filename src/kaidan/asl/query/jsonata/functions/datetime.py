"""Timestamps by picture strings: $fromMillis and $toMillis, $now and $millis.

A timestamp is a number of milliseconds since 1970-01-01T00:00Z. Source: XPath and XQuery Functions and Operators 3.1,
section 9.8, as far as JSONata 2.0.6 follows it. Knows no clock: the time is that of the event being handled.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from kaidan.asl.query.jsonata.errors import JsonataError, fail
from kaidan.asl.query.jsonata.functions.calendar import (
    DAY_MS,
    DAYS,
    MONTHS,
    Moment,
    fragment,
    millis_of,
    parse_iso,
)
from kaidan.asl.query.jsonata.functions.pictures import (
    IntegerPicture,
    integer_picture,
    integer_text,
    integer_value,
    leading_integer,
    remembered,
)
from kaidan.asl.query.jsonata.functions.words import WORD_VALUES
from kaidan.asl.query.jsonata.limits import Run
from kaidan.asl.query.jsonata.text import shown
from kaidan.asl.query.jsonata.values import UNDEFINED
from kaidan.asl.query.jsonata.values import number as as_number
from kaidan.values import JSON

_DEFAULTS: Final = {
    "Y": "1", "M": "1", "D": "1", "d": "1", "F": "n", "W": "1", "w": "1", "X": "1", "x": "1", "H": "1", "h": "1",
    "P": "n", "m": "01", "s": "01", "f": "1", "Z": "01:01", "z": "01:01", "C": "n", "E": "n",
}  # fmt: skip
"""The components, and how each is presented if the picture does not say."""

_INTEGERS: Final = "YMDdFWwXxHhmsf"
_ISO_PICTURE: Final = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]"
MILLIS_MAX: Final = 8.64e15
"""The last moment that JavaScript knows."""


@dataclass(frozen=True, slots=True)
class Marker:
    """`[M01]`, `[FNn,3-3]`: a component and how it is written.

    `names`: upper, lower or title where it is written by name. `year_digits`: how many digits of a year, -1 for all.
    `digits`: how many are read, where the next component follows without a break.
    """

    component: str
    picture: IntegerPicture | None
    names: str | None
    width: int | None
    modifier: str
    year_digits: int
    digits: int | None = None


Part: TypeAlias = str | Marker


@remembered
def date_picture(picture: str) -> tuple[Part, ...]:
    """Read a picture: literals and markers. Raises JsonataError D3131, D3132, D3135."""
    parts: list[Part] = []
    start = at = 0
    while at < len(picture):
        if picture[at] != "[":
            at += 1
            continue
        _add_literal(parts, picture[start:at])
        if picture.startswith("[[", at):
            parts.append("[")
            start = at = at + 2
            continue
        end = picture.find("]", at)
        if end < 0:
            fail("D3135")
        _add_marker(parts, _marker("".join(picture[at + 1 : end].split())))
        start = at = end + 1
    _add_literal(parts, picture[start:])
    return tuple(parts)


def _add_literal(parts: list[Part], text: str) -> None:
    if text:
        parts.append(text.replace("]]", "]"))


def _add_marker(parts: list[Part], marker: Marker) -> None:
    """Where two numbers meet, the first has a fixed width to be read by."""
    if parts and isinstance(parts[-1], Marker) and marker.picture is not None and marker.component not in "Zz":
        before = parts[-1]
        if before.picture is not None:
            parts[-1] = _replaced(before, digits=before.picture.mandatory)
    parts.append(marker)


def _replaced(marker: Marker, digits: int) -> Marker:
    return Marker(
        marker.component, marker.picture, marker.names, marker.width, marker.modifier, marker.year_digits, digits
    )


def _marker(text: str) -> Marker:
    """The inside of the brackets, without blanks."""
    component, rest = text[:1], text[1:]
    presentation, comma, widths = rest.rpartition(",")
    if not comma:
        presentation, widths = rest, ""
    modifier = presentation[-1:] if len(presentation) > 1 and presentation[-1] in "atco" else ""
    presentation = presentation[: len(presentation) - len(modifier)] or _DEFAULTS.get(component, "")
    if not presentation:
        fail("D3132", value=component)
    minimum, dash, maximum = widths.partition("-")
    least, most = _width(minimum), _width(maximum) if dash else None
    names = {"n": "lower", "N": "title" if presentation[1:2] == "n" else "upper"}.get(presentation[0])
    picture, year_digits = None, -1
    if component in "Zz":
        picture = integer_picture(presentation)
    elif names is None and component in _INTEGERS:
        picture = integer_picture(f"{presentation};{modifier}" if modifier else presentation)
        size = max(picture.mandatory, least or 0)
        if component == "Y":
            size, year_digits = _year_size(picture, size, most)
        picture = _with_mandatory(picture, size)
    return Marker(component, picture, names, most, modifier, year_digits)


def _width(text: str) -> int | None:
    value = leading_integer(text)
    return None if value != value else value


def _year_size(picture: IntegerPicture, size: int, most: int | None) -> tuple[int, int]:
    """(mandatory digits, digits shown)"""
    if most is not None:
        return most, most
    width = size + picture.optional
    return size, width if width >= 2 and picture.style == "decimal" else -1


def _with_mandatory(picture: IntegerPicture, size: int) -> IntegerPicture:
    return IntegerPicture(
        picture.token, picture.style, picture.case, picture.ordinal, picture.zero, size, picture.optional,
        picture.separators, picture.every,
    )  # fmt: skip


# Writing


@dataclass(frozen=True, slots=True)
class _Offset:
    """A time zone: `-0330` is 4 hours and 30 minutes back, as the reference implementation of 2.0.6 has it, which
    rounds the hours towards the past and then subtracts the minutes.
    """

    hours: int
    minutes: int

    @property
    def millis(self) -> int:
        return (60 * self.hours + self.minutes) * 60_000

    @property
    def value(self) -> int:
        return self.hours * 100 + self.minutes


def _offset(timezone: JSON) -> _Offset:
    value = 0 if timezone is UNDEFINED else leading_integer(timezone)
    if value != value:
        raise JsonataError(
            "D3137", message=f"The timezone must be an offset in the form +hhmm. Given {shown(timezone)}"
        )
    return _Offset(math.floor(value / 100), int(math.fmod(value, 100)))


def from_millis(run: Run, millis: JSON, picture: JSON = UNDEFINED, timezone: JSON = UNDEFINED) -> JSON:
    """A timestamp as text; `timezone` is `+hhmm`. Without a picture as ISO 8601."""
    if millis is UNDEFINED:
        return millis
    picture = _ISO_PICTURE if picture is UNDEFINED else picture
    run.charge(len(picture))
    parts = date_picture(picture)
    offset = _offset(timezone)
    if not -MILLIS_MAX <= millis + offset.millis <= MILLIS_MAX:
        fail("D1001", value=millis)
    moment = Moment.of(math.floor(millis) + offset.millis)
    text = "".join(part if isinstance(part, str) else _component(moment, part, offset) for part in parts)
    run.allot(len(text))
    return text


def _component(moment: Moment, marker: Marker, offset: _Offset) -> str:
    component = marker.component
    if component in "Zz":
        return _zone(marker, offset)
    value = fragment(moment, component)
    if isinstance(value, str):
        return value.upper() if component == "P" and marker.names == "upper" else value
    if marker.names is None or component == "f":
        if component == "Y" and 0 <= marker.year_digits < 7:
            value = int(math.fmod(value, 10**marker.year_digits))
        return integer_text(value, marker.picture or integer_picture(_DEFAULTS[component]))
    return _named(value, marker)


def _named(value: int, marker: Marker) -> str:
    if marker.component in "Mx":
        name = MONTHS[value - 1]
    elif marker.component == "F":
        name = DAYS[value - 1]
    else:
        fail("D3133", value=marker.component)
    name = {"upper": name.upper(), "lower": name.lower()}.get(marker.names or "", name)
    return name if marker.width is None else name[: marker.width]


def _zone(marker: Marker, offset: _Offset) -> str:
    picture = marker.picture or integer_picture("01:01")
    if picture.every:
        text = integer_text(offset.value, picture)
    elif picture.mandatory in (1, 2):
        text = integer_text(offset.hours, picture)
        if offset.minutes:
            text += ":" + integer_text(offset.minutes, integer_picture("00"))
    elif picture.mandatory in (3, 4):
        text = integer_text(offset.value, picture)
    else:
        fail("D3134", value=picture.mandatory)
    if offset.value >= 0:
        text = "+" + text
    if marker.component == "z":
        text = "GMT" + text
    return "Z" if offset.value == 0 and marker.modifier == "t" else text


# Reading

_Reader: TypeAlias = Callable[[str], JSON]


def to_millis(run: Run, text: JSON, picture: JSON = UNDEFINED) -> JSON:
    """The timestamp that a text means; nothing, if it does not look like the picture. Raises D3110, D3136."""
    if text is UNDEFINED:
        return text
    if picture is UNDEFINED:
        value = parse_iso(text)
        return fail("D3110", value=text) if value is None else _checked(run, value)
    run.charge(len(picture) + len(text))
    pattern, readers = _reading(picture)
    found = pattern.match(text)
    if found is None:
        return UNDEFINED
    values = {
        component: read(group) for (component, read), group in zip(readers, found.groups(), strict=True) if component
    }
    return _checked(run, _assembled(run, values)) if values else UNDEFINED


def _checked(run: Run, millis: float) -> JSON:
    run.irregular |= millis != millis
    return as_number(millis)


@remembered
def _reading(picture: str) -> tuple[re.Pattern[str], list[tuple[str, _Reader]]]:
    patterns, readers = [], []
    for part in date_picture(picture):
        pattern, component, read = _part_reading(part)
        patterns.append(f"({pattern})")
        readers.append((component, read))
    return re.compile("".join(patterns) + r"\Z", re.IGNORECASE | re.ASCII), readers


def _part_reading(part: Part) -> tuple[str, str, _Reader]:
    """(regular expression without groups, component, what its text means)"""
    if isinstance(part, str):
        return re.escape(part), "", str
    component = part.component
    if component in "Zz":
        return _zone_reading(part)
    if component == "f":
        return "[0-9]+", component, lambda text: float(f"0.{text[:3]}") * 1000
    if part.picture is not None:
        picture = part.picture
        return _integer_pattern(picture, part.digits), component, lambda text: integer_value(text, picture)
    names = _names(part)
    return "[a-zA-Z]+", component, lambda text: names.get(text, UNDEFINED)


def _names(marker: Marker) -> dict[str, int]:
    if marker.component in "Mx":
        return {name[: marker.width or None]: number for number, name in enumerate(MONTHS, 1)}
    if marker.component == "F":
        return {name[: marker.width or None]: number for number, name in enumerate(DAYS, 1)}
    if marker.component != "P":
        fail("D3133", value=marker.component)
    return {"am": 0, "AM": 0, "pm": 1, "PM": 1}


def _integer_pattern(picture: IntegerPicture, digits: int | None) -> str:
    match picture.style:
        case "letters":
            return "[A-Z]+" if picture.case == "upper" else "[a-z]+"
        case "roman":
            return "[MDCLXVI]+" if picture.case == "upper" else "[mdclxvi]+"
        case "words":
            return "(?:" + "|".join([*WORD_VALUES, "and", r"[\-, ]"]) + ")+"
        case "decimal":
            return "[0-9]" + (f"{{{digits}}}" if digits else "+") + ("(?:th|st|nd|rd)" if picture.ordinal else "")
        case _:
            return fail("D3130", value=picture.token)


def _zone_reading(marker: Marker) -> tuple[str, str, _Reader]:
    picture = marker.picture
    separator = picture.separators[0][1] if picture is not None and picture.every else ""
    prefix = "GMT" if marker.component == "z" else ""
    pattern = prefix + "[-+][0-9]+" + (re.escape(separator) + "[0-9]+" if separator else "")

    def read(text: str) -> JSON:
        text = text[len(prefix) :]
        if separator:
            hours, _, minutes = text.partition(separator)
        elif len(text) <= 3:
            hours, minutes = text, "0"
        else:
            hours, minutes = text[:3], text[3:]
        return leading_integer(hours) * 60 + leading_integer(minutes)

    return pattern, marker.component, read


def _assembled(run: Run, values: dict[str, JSON]) -> float:
    """A moment from components: what is more significant than those given is now's, what is less is the least."""
    date, time = _date_components(values), _time_components(values)
    now = Moment.of(run.env.now_ms)
    started = ended = False
    for component in (*date, *time):
        if values.get(component, UNDEFINED) is not UNDEFINED:
            started = True
            if ended:
                fail("D3136")
        elif started:
            values[component] = 1 if component in "MDd" else 0
            ended = True
        else:
            values[component] = fragment(now, component)
    if date in (("X", "x", "w", "F"), ("X", "W", "F")):
        fail("D3136")
    return _moment(values, by_day_of_year=date == ("Y", "d"))


def _given(values: dict[str, JSON], components: str) -> set[str]:
    return {name for name in components if values.get(name, UNDEFINED) not in (UNDEFINED, 0)}


def _date_components(values: dict[str, JSON]) -> tuple[str, ...]:
    """The set of date components that those given belong to; years, months and days if they belong to none."""
    given = _given(values, "YXMxWwdD")
    for components, allowed in ((("Y", "M", "D"), "YMD"), (("Y", "d"), "Yd"), (("X", "x", "w", "F"), "Xxw")):
        if given and given <= set(allowed):
            return components
    return ("X", "W", "F") if given and given <= set("XW") else ("Y", "M", "D")


def _time_components(values: dict[str, JSON]) -> tuple[str, ...]:
    given = _given(values, "PHhmsf")
    if given and not given <= set("Hmsf") and given <= set("Phmsf"):
        return ("P", "h", "m", "s", "f")
    return ("H", "m", "s", "f")


def _moment(values: dict[str, JSON], *, by_day_of_year: bool) -> float:
    month = max(values.get("M", 0) - 1, 0)
    if "h" in values and "H" not in values:
        values["H"] = (0 if values["h"] == 12 else values["h"]) + (12 if values.get("P") == 1 else 0)
    if by_day_of_year:
        millis = millis_of(values["Y"], 0, 1) + (values["d"] - 1) * DAY_MS
    else:
        millis = millis_of(values["Y"], month, values["D"])
    millis += values["H"] * 3_600_000 + values["m"] * 60_000 + values["s"] * 1000 + math.floor(values["f"])
    return float(millis - (values.get("Z") or values.get("z") or 0) * 60_000)


def now(run: Run, picture: JSON = UNDEFINED, timezone: JSON = UNDEFINED) -> JSON:
    return from_millis(run, run.env.now_ms, picture, timezone)


def millis(run: Run) -> JSON:
    return run.env.now_ms
