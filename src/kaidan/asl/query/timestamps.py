"""ISO-8601 date-times with an offset, to and from numbers. Pure arithmetic: it never asks what time it is."""

from __future__ import annotations

import datetime
import re

_PATTERN = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:([Zz])|([+-])(\d{2}):(\d{2}))"
)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def parse_ns(text: object) -> int | None:
    """Nanoseconds since 1970 of `2016-03-14T01:59:00.25+09:00`; None when text is no such date-time.

    The form is RFC 3339 as the States Language asks for it (spec, "Timestamps"), with `T` and a zone.
    """
    match = _PATTERN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, _, sign, offset_h, offset_m = match.groups()
    try:
        moment = datetime.datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=datetime.UTC
        )
    except ValueError:
        return None
    offset_s = (int(offset_h) * 3600 + int(offset_m) * 60) * (-1 if sign == "-" else 1) if sign else 0
    seconds = (moment - _EPOCH) // datetime.timedelta(seconds=1) - offset_s
    return seconds * 1_000_000_000 + int((fraction or "0").ljust(9, "0"))


def format_ms(moment_ms: int) -> str:
    """`2024-11-06T09:42:03.123Z`, and `2024-11-06T09:42:03Z` on the second: the form of timestamps in the context
    object (AWS guide, "Timestamp format with fractional seconds")."""
    moment = _EPOCH + datetime.timedelta(milliseconds=moment_ms)
    fraction = f".{moment_ms % 1000:03d}" if moment_ms % 1000 else ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"
