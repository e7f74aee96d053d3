"""Text delimited files: a row is an object, its fields are strings.

    name,age        →  {"name": "Yuki", "age": "7"}
    Yuki,7

Source: AWS guide, "How Step Functions parses input CSV files", and as recorded: missing fields are empty, extra ones
are skipped, members stand in the order of Java's HashMap. A backslash escapes a delimiter, a quotation mark or a
backslash and is dropped before anything else; quotation marks repeated are one, outside of quoted fields too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TypeAlias

from kaidan.integrations.items.blocks import Blocks
from kaidan.integrations.items.errors import ITEM_BYTES_MAX, Unreadable, too_large
from kaidan.integrations.items.lines import Lines
from kaidan.values import JSON

DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
HEADER_BYTES_MAX = 10 << 10
"""AWS guide, "ItemReader (Map)": text delimited files have headers of up to 10 KiB."""

Open: TypeAlias = Callable[[int], Blocks]
"""Opens the file at a byte."""

Row: TypeAlias = tuple[JSON, JSON, str | None]
"""An item, the position behind it, and the key that it has as a member of an object."""


def rows(open_at: Open, config: JSON, position: JSON) -> Iterator[Row]:
    """The rows behind a position: `[byte, number of the row]`."""
    separator = DELIMITERS[config.get("CSVDelimiter", "COMMA")]
    blocks = open_at(0)
    records = _records(Lines(blocks), separator)
    header = _header(records, config)
    number = 0
    if position is not None:
        offset, number = position
        if blocks.compressed:
            for _ in range(number):
                next(records, None)
        else:
            records = _records(Lines(open_at(offset), offset), separator)
    columns = [header.index(name) for name in _hash_map_order(header)]
    names, width = [header[index] for index in columns], len(header)
    in_order = columns == list(range(width))
    for fields, offset in records:
        number += 1
        if len(fields) < width:
            fields = fields + [""] * (width - len(fields))
        values = fields if in_order else [fields[index] for index in columns]
        yield dict(zip(names, values, strict=False)), [offset, number], None


def _header(records: Iterator[tuple[list[str], int]], config: JSON) -> list[str]:
    if config.get("CSVHeaderLocation") == "GIVEN":
        header: list[str] = config["CSVHeaders"]
    else:
        header, _ = next(records, ([], 0))
    if sum(len(name.encode()) + 1 for name in header) > HEADER_BYTES_MAX:
        raise Unreadable(f"The CSV headers exceed the maximum size of {HEADER_BYTES_MAX} bytes.")
    if len(set(header)) < len(header):
        raise Unreadable("CSV headers cannot contain duplicates.")
    return header


def _hash_map_order(names: list[str]) -> list[str]:
    """Names in the order in which Java's HashMap goes over them."""
    buckets = 16
    while len(names) > buckets * 3 // 4:
        buckets *= 2
    return sorted(names, key=lambda name: (_hash_code(name) ^ _hash_code(name) >> 16) & (buckets - 1))


def _hash_code(text: str) -> int:
    """Java's String.hashCode."""
    code, units = 0, text.encode("utf-16-be")
    for high, low in zip(units[::2], units[1::2], strict=True):
        code = (31 * code + (high << 8 | low)) & 0xFFFFFFFF
    return code


def _records(lines: Lines, separator: str) -> Iterator[tuple[list[str], int]]:
    """Each record's fields, and the byte behind it. Empty lines are none."""
    for line in lines:
        if not line:
            continue
        if '"' not in line and "\\" not in line:
            yield line.split(separator), lines.offset
        else:
            yield _plainly_quoted(line, separator) or _parsed(line, separator, lines), lines.offset


@lru_cache
def _field(separator: str) -> re.Pattern[str]:
    between = re.escape(separator)
    return re.compile(rf'(?:"((?:[^"\\]|"")*)"|([^"\\{between}]*))({between}|\Z)')


def _plainly_quoted(line: str, separator: str) -> list[str] | None:
    """The fields, if each is either quoted as a whole or not at all, and ends on the line."""
    fields: list[str] = []
    at, match = 0, _field(separator).match
    while True:
        found = match(line, at)
        if found is None:
            return None
        quoted, plain, end = found.groups()
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        at = found.end()
        if not end:
            return fields


def _parsed(line: str, separator: str, lines: Lines) -> list[str]:
    """The fields of any record, character by character; a quoted field may go on on the next line."""
    begin = lines.offset
    fields: list[str] = []
    field, quoted, at = list[str](), False, 0
    while True:
        if at >= len(line):
            end = lines.end
            following = next(lines, None) if quoted else None
            if following is None:
                return [*fields, "".join(field)]
            if lines.offset - begin > ITEM_BYTES_MAX:
                raise too_large()
            field.append(end)
            line, at = following, 0
            continue
        character, next_one = line[at], line[at + 1 : at + 2]
        at += 1
        if character == "\\":
            if next_one in ("\\", '"', separator):
                field.append(next_one)
                at += 1
        elif character == '"':
            if next_one == '"' and (quoted or field):
                field.append('"')
                at += 1
            else:
                quoted = not quoted
        elif character == separator and not quoted:
            fields.append("".join(field))
            field = []
        else:
            field.append(character)
