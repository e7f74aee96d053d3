"""JSON Lines: one JSON value on each line that is not blank."""

from __future__ import annotations

from collections.abc import Iterator

from kaidan.integrations.items.csv_rows import Open, Row
from kaidan.integrations.items.errors import Unreadable
from kaidan.integrations.items.lines import Lines
from kaidan.values import JSON, InvalidJson, loads


def values(open_at: Open, position: JSON) -> Iterator[Row]:
    """The values behind a position: `[byte, number of the line]`."""
    offset, number = position or (0, 0)
    blocks = open_at(0)
    lines = Lines(blocks)
    if position is not None and blocks.compressed:
        for _ in range(number):
            next(lines, None)
    elif position is not None:
        lines = Lines(open_at(offset), offset)
    for line in lines:
        number += 1
        if line and not line.isspace():
            yield _loaded(line, number), [lines.offset, number], None


def _loaded(line: str, number: int) -> JSON:
    try:
        return loads(line)
    except InvalidJson as problem:
        raise Unreadable(f"Line {number} of the file is not JSON: {problem}") from None
