"""The proleptic Gregorian calendar by arithmetic: days, weeks of ISO 8601, and reading ISO timestamps.

Years are not limited to four digits, as Python's are. Source: ECMAScript, Date (UTC); ISO 8601 for weeks, which
XPath and XQuery Functions and Operators 3.1 carries over to weeks of a month.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

DAY_MS: Final = 86_400_000
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def days_of(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a date; `month` counts from 0 and may lie outside a year, `day` outside a month."""
    year, month = year + month // 12, month % 12
    shifted = year - (month < 2)
    era, year_of_era = divmod(shifted, 400)
    day_of_year = (153 * ((month + 10) % 12) + 2) // 5
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year + day - 719_469


def millis_of(year: float, month: float, day: float) -> float:
    """Milliseconds of a date's midnight; NaN if a part is. Years 0 to 99 are those of the 20th century."""
    if not all(math.isfinite(part) for part in (year, month, day)) or abs(year) > 300_000:
        return math.nan
    if 0 <= year <= 99:
        year += 1900
    return days_of(int(year), int(month), int(day)) * DAY_MS


@dataclass(frozen=True, slots=True)
class Moment:
    """A timestamp with its date; `month` from 0, `day` from 1, `day_ms` since midnight."""

    millis: int
    year: int
    month: int
    day: int
    day_ms: int

    @classmethod
    def of(cls, millis: int) -> Moment:
        days, day_ms = divmod(millis, DAY_MS)
        era, day_of_era = divmod(days + 719_468, 146_097)
        year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
        day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
        shifted = (5 * day_of_year + 2) // 153
        month = (shifted + 2) % 12
        return cls(
            millis, era * 400 + year_of_era + (month < 2), month, day_of_year - (153 * shifted + 2) // 5 + 1, day_ms
        )

    @property
    def days(self) -> int:
        return self.millis // DAY_MS

    @property
    def weekday(self) -> int:
        """1 is Monday, 7 is Sunday."""
        return (self.days + 3) % 7 + 1


def fragment(moment: Moment, component: str) -> int | str:
    """The value of a component of a picture: `Y` the year, `M` the month from 1, `H` the hour, and so on."""
    hours = moment.day_ms // 3_600_000
    match component:
        case "Y":
            return moment.year
        case "M":
            return moment.month + 1
        case "D":
            return moment.day
        case "d":
            return moment.days - days_of(moment.year, 0, 1) + 1
        case "F":
            return moment.weekday
        case "W":
            return _week(moment.days, moment.year, 0, 12)
        case "w":
            return _week(moment.days, moment.year, moment.month, 1)
        case "X":
            return moment.year + _side(moment.days, moment.year, 0, 12)
        case "x":
            return (moment.month + _side(moment.days, moment.year, moment.month, 1)) % 12 + 1
        case "H":
            return hours
        case "h":
            return hours % 12 or 12
        case "P":
            return "pm" if hours >= 12 else "am"
        case "m":
            return moment.day_ms // 60_000 % 60
        case "s":
            return moment.day_ms // 1000 % 60
        case "f":
            return moment.day_ms % 1000
        case _:
            return "ISO"


def _first_week(year: int, month: int) -> int:
    """The Monday (in days) of the week that holds the first Thursday of a month."""
    first = days_of(year, month, 1)
    weekday = (first + 3) % 7 + 1
    return first + 8 - weekday if weekday > 4 else first - weekday + 1


def _week(day: int, year: int, month: int, months: int) -> int:
    """The number of a day's week in the period of so many months that it counts to."""
    period = month + months * _side(day, year, month, months)
    return (day - _first_week(year, period)) // 7 + 1


def _side(day: int, year: int, month: int, months: int) -> int:
    """-1, 0 or 1: whether the day's week counts to the period before, this one, or the next."""
    if day < _first_week(year, month):
        return -1
    return 1 if day >= _first_week(year, month + months) else 0


_ISO: Final = re.compile(
    r"(\d{4})(-[01]\d)?(-[0-3]\d)?(T[0-2]\d:[0-5]\d:[0-5]\d)?(\.\d+)?([+-][0-2]\d:?[0-5]\d|Z)?\Z", re.ASCII
)


def parse_iso(text: str) -> float | None:
    """Milliseconds of an ISO 8601 timestamp; None if it is none, NaN if there is no such day."""
    found = _ISO.match(text)
    if found is None:
        return None
    year, month, day, time, fraction, zone = found.groups()
    if (day and not month) or (fraction and not time):
        return math.nan
    number_of_month, number_of_day = int(month[1:]) if month else 1, int(day[1:]) if day else 1
    if not (1 <= number_of_month <= 12 and 1 <= number_of_day <= 31):
        return math.nan
    millis = days_of(int(year), number_of_month - 1, number_of_day) * DAY_MS
    if time:
        hours, minutes, seconds = (int(part) for part in time[1:].split(":"))
        millis += hours * 3_600_000 + minutes * 60_000 + seconds * 1000
        if hours > 24 or (hours == 24 and minutes + seconds > 0):
            return math.nan
    millis += int(f"{fraction[1:]}000"[:3]) if fraction else 0
    return millis - _zone_ms(zone)


def _zone_ms(zone: str | None) -> int:
    if zone is None or zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return (-minutes if zone[0] == "-" else minutes) * 60_000
