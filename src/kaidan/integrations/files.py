"""Files that describe the world of the tasks, JSON or YAML by their ending, as JSON values.

    read_value(Path("mocks.yaml"))  →  {"MockedResponses": {"charged": {"0": {"Return": {"paid": True}}}}, …}

In YAML keys may be numbers and come as texts, and dates stay texts: what is read could have been written as JSON.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kaidan.values import JSON, InvalidJson, dumps, loads


class FileError(Exception):
    """A file that cannot be used: it is named, the place in it, what is wrong there and what was allowed:
    `functions.yaml: functions.orders.timeout: must be a number from 0.001 to 900, not -1`."""


def read_value(path: str | Path) -> JSON:
    """Raises FileError."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        return _yaml(text, path) if str(path).endswith((".yaml", ".yml")) else loads(text)
    except OSError as problem:
        raise FileError(f"{path}: cannot be read: {problem.strerror}") from None
    except (UnicodeDecodeError, InvalidJson) as problem:
        raise FileError(f"{path}: is not JSON: {problem}") from None


def _yaml(text: str, path: str | Path) -> JSON:
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import SafeConstructor
    from ruamel.yaml.error import YAMLError

    class Constructor(SafeConstructor):
        """Without dates, which JSON has no word for."""

    Constructor.add_constructor("tag:yaml.org,2002:timestamp", Constructor.construct_yaml_str)
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = Constructor
    try:
        return _json(yaml.load(text), str(path))
    except YAMLError as problem:
        raise FileError(f"{path}: is not YAML: {_said(problem)}") from None


def _said(problem: Any) -> str:
    """`line 3, column 7: mapping values are not allowed here`."""
    mark = getattr(problem, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return where + str(getattr(problem, "problem", None) or problem)


def _json(value: Any, place: str) -> JSON:
    match value:
        case dict():
            return {_key(key, place): _json(item, f"{place}: {key}") for key, item in value.items()}
        case list():
            return [_json(item, f"{place}[{index}]") for index, item in enumerate(value)]
        case None | bool() | int() | float() | str():
            return value
    raise FileError(f"{place}: {type(value).__name__} is nothing that JSON has")


def _key(key: Any, place: str) -> str:
    if isinstance(key, (str, int)) and not isinstance(key, bool):
        return str(key)
    raise FileError(f"{place}: the key {key!r} must be a text: put it in quotes")


# --- what may be there ------------------------------------------------------------------------------------


def fields(value: JSON, place: str, *allowed: str) -> dict[str, JSON]:
    """An object that has no other fields than these; any, when none are named. Raises FileError, as all below."""
    if not isinstance(value, dict):
        raise FileError(f"{place}: must be an object, not {dumps(value)}")
    for unknown in sorted(value.keys() - set(allowed)) if allowed else ():
        raise FileError(f"{place}: unknown field '{unknown}' (allowed: {', '.join(allowed)})")
    return value


def text(value: JSON, place: str) -> str:
    if not isinstance(value, str):
        raise FileError(f"{place}: must be a string, not {dumps(value)}")
    return value


def boolean(value: JSON, place: str) -> bool:
    if not isinstance(value, bool):
        raise FileError(f"{place}: must be true or false, not {dumps(value)}")
    return value


def number(value: JSON, place: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise FileError(f"{place}: must be a number from {least} to {most}, not {dumps(value)}")
    return value


def integer(value: JSON, place: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise FileError(f"{place}: must be a whole number from {least} to {most}, not {dumps(value)}")
    return value
