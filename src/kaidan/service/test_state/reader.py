"""What a Map's ItemReader has read, out of the text of its source, by its ReaderConfig.

    read_data("name,age\nYuki,7", {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"})
    → [{"name": "Yuki", "age": "7"}]

Source: AWS guide, "ItemReader (Map)". Reads no storage; raises ValidationException for text of another kind.
"""

from __future__ import annotations

import csv
from typing import Any

from kaidan.service.errors import invalid
from kaidan.values import JSON, InvalidJson, loads

DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}


def read_data(text: str, config: dict[str, Any]) -> JSON:
    """The items, or with InputType JSON whatever ItemsPointer leads to."""
    try:
        match config.get("InputType", "JSON"):
            case "CSV":
                return _rows(text, config)
            case "JSONL":
                return [loads(line) for line in text.splitlines() if line.strip()]
            case _:
                return _pointed(loads(text), config.get("ItemsPointer", ""))
    except InvalidJson as problem:
        raise _unreadable(str(problem)) from None


def items_of(data: JSON, most: int | None) -> list[JSON]:
    """MaxItems items at most. An object gives one item per member: `{"Key": …, "Value": …}`."""
    if isinstance(data, dict):
        data = [{"Key": key, "Value": item} for key, item in data.items()]
    if not isinstance(data, list):
        raise _unreadable("an array or an object is expected")
    return data[: most or None]


def _rows(text: str, config: dict[str, Any]) -> list[JSON]:
    rows = list(csv.reader(text.splitlines(), delimiter=DELIMITERS[config.get("CSVDelimiter", "COMMA")]))
    given = config.get("CSVHeaderLocation") == "GIVEN"
    header = config["CSVHeaders"] if given else next(iter(rows), [])
    return [dict(zip(header, row, strict=False)) for row in (rows if given else rows[1:]) if row]


def _pointed(value: JSON, pointer: str) -> JSON:
    """ItemsPointer: a JSON pointer (RFC 6901)."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(name)] if isinstance(value, list) else value[name]
        except (KeyError, IndexError, ValueError, TypeError):
            raise _unreadable(f"'{pointer}' points to nothing") from None
    return value


def _unreadable(problem: str) -> Exception:
    return invalid(f"Invalid MapItemReaderData provided: {problem}")
