"""Small conversions between the engine's numbers and the API's values."""

from __future__ import annotations

import datetime


def moment(milliseconds: int) -> datetime.datetime:
    """A point in time as boto3 gives it: an aware datetime."""
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)


def epoch_text(milliseconds: int) -> str:
    """A point in time as AWS writes it into JSON: `1.762424242123E9`."""
    digits = str(milliseconds).rstrip("0").ljust(2, "0")
    return f"{digits[0]}.{digits[1:]}E{len(str(milliseconds)) - 4}"
