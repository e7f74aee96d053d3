"""Where Lambda functions are: on AWS, at another endpoint, in a file of Python, behind a command, in this process.

    functions:
      orders: {handler: functions/orders.py:handler, timeout: 10, environment: {TABLE: orders}}
      ship: {command: [node, ship.js]}                    # payload on stdin, result on stdout
      legacy: {endpoint: "http://127.0.0.1:3001"}         # SAM, or the runtime interface emulator
      "report-*": aws
    default: aws                                          # or none: what is not listed does not exist

Functions are listed by name, ARN or pattern. Times are in seconds; paths are relative to the file. Knows how to read
and to choose, not how to call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeAlias

from kaidan.integrations.files import FileError, fields, integer, number, read_value, text
from kaidan.values import JSON, dumps

TIMEOUT_S = 3.0
"""Lambda's own default."""

TIMEOUT_S_MAX = 900
"""Lambda's own maximum."""

CONCURRENCY = 10
"""Invocations of one local function side by side: each has a process."""


@dataclass(frozen=True, slots=True)
class Aws:
    """On AWS, or wherever the clients' settings lead."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Behind a URL that speaks Lambda's API; under another name there, if `name` is given."""

    url: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class PythonFile:
    """`handler(event, context)` of a file, run in processes of its own that stay warm."""

    path: Path
    function: str
    timeout_s: float = TIMEOUT_S
    memory_mb: int = 128
    environment: Mapping[str, str] = field(default_factory=dict)
    concurrency: int = CONCURRENCY


@dataclass(frozen=True, slots=True)
class Command:
    """A command, run for each invocation: the payload on its input, the result on its output."""

    arguments: tuple[str, ...]
    directory: Path
    timeout_s: float = TIMEOUT_S
    environment: Mapping[str, str] = field(default_factory=dict)
    concurrency: int = CONCURRENCY


@dataclass(frozen=True, slots=True)
class InProcess:
    """A function of this process, `function(event, context)`. `takes_s`: of the engine's time, for simulations."""

    function: Callable[[JSON, Any], JSON]
    takes_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Nowhere:
    """There is no such function."""


Target: TypeAlias = Aws | Endpoint | PythonFile | Command | InProcess | Nowhere


@dataclass(frozen=True, slots=True)
class LambdaTargets:
    """Which function is where. Without arguments, all are on AWS."""

    functions: Mapping[str, Target] = field(default_factory=dict)
    default: Target = field(default_factory=Aws)

    def find(self, reference: str) -> Target:
        """By what a task calls it: its ARN, a part of that, or its name, each with a qualifier or without."""
        name = function_name(reference)
        for known in (reference, name):
            if known in self.functions:
                return self.functions[known]
        matching = (pattern for pattern in self.functions if fnmatchcase(name, pattern))
        return next((self.functions[pattern] for pattern in matching), self.default)


def function_name(reference: str) -> str:
    """`arn:aws:lambda:us-east-1:123456789012:function:orders:prod` is orders, and so is `orders:prod`."""
    return reference.rpartition("function:")[2].split(":")[0]


def read_targets(path: str | Path) -> LambdaTargets:
    """Read a file, YAML or JSON. Raises FileError."""
    return parse_targets(read_value(path), Path(path).parent, str(path))


def parse_targets(value: JSON, directory: Path, place: str = "functions") -> LambdaTargets:
    """The same from a value; relative paths are below `directory`."""
    top = fields({} if value is None else value, place, "functions", "default")
    listed = fields(top.get("functions") or {}, f"{place}: functions")
    functions = {name: _target(each, directory, f"{place}: functions.{name}") for name, each in listed.items()}
    return LambdaTargets(functions, _target(top.get("default", "aws"), directory, f"{place}: default"))


def _target(value: JSON, directory: Path, place: str) -> Target:
    if value in ("aws", "none"):
        return Aws() if value == "aws" else Nowhere()
    kinds = [kind for kind in _KINDS if isinstance(value, dict) and kind in value]
    if len(kinds) != 1:
        raise FileError(f"{place}: must be aws, none, or an object with exactly one of: {', '.join(_KINDS)}")
    read, others = _KINDS[kinds[0]]
    return read(fields(value, place, kinds[0], *others), directory, place)


def _python_file(value: dict[str, JSON], directory: Path, place: str) -> Target:
    file, colon, function = text(value["handler"], f"{place}.handler").rpartition(":")
    if not colon or not function.isidentifier():
        raise FileError(f"{place}.handler: must be path/to/file.py:function, not {value['handler']}")
    memory_mb = integer(value.get("memory", 128), f"{place}.memory", 128, 10_240)
    return PythonFile((directory / file).resolve(), function, memory_mb=memory_mb, **_shared(value, place))


def _command(value: dict[str, JSON], directory: Path, place: str) -> Target:
    arguments = value["command"]
    if not isinstance(arguments, list) or not arguments or not all(map(_is_plain, arguments)):
        raise FileError(f"{place}.command: must be an array: the program and its arguments, not {dumps(arguments)}")
    return Command(tuple(map(_written, arguments)), directory.resolve(), **_shared(value, place))


def _endpoint(value: dict[str, JSON], directory: Path, place: str) -> Target:
    url = text(value["endpoint"], f"{place}.endpoint")
    if not url.startswith(("http://", "https://")):
        raise FileError(f"{place}.endpoint: must be a URL, such as http://127.0.0.1:3001, not {url}")
    return Endpoint(url, text(value["name"], f"{place}.name") if "name" in value else None)


def _shared(value: dict[str, JSON], place: str) -> dict[str, Any]:
    environment = fields(value.get("environment") or {}, f"{place}.environment")
    for name, each in environment.items():
        if not _is_plain(each):
            raise FileError(f"{place}.environment.{name}: must be a string, a number, true or false")
    return {
        "timeout_s": number(value.get("timeout", TIMEOUT_S), f"{place}.timeout", 0.001, TIMEOUT_S_MAX),
        "environment": {name: _written(each) for name, each in environment.items()},
        "concurrency": integer(value.get("concurrency", CONCURRENCY), f"{place}.concurrency", 1, 1_000),
    }


def _is_plain(value: JSON) -> bool:
    return isinstance(value, (str, int, float))


def _written(value: JSON) -> str:
    return value if isinstance(value, str) else dumps(value)


_KINDS: dict[str, tuple[Callable[[dict[str, JSON], Path, str], Target], tuple[str, ...]]] = {
    "handler": (_python_file, ("timeout", "memory", "environment", "concurrency")),
    "command": (_command, ("timeout", "environment", "concurrency")),
    "endpoint": (_endpoint, ("name",)),
}
"""What says which kind of target it is, how it is read, and what else it may have."""
