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

from kaidan.integrations.files import FileError, read_value
from kaidan.values import JSON

TIMEOUT_S = 3.0
"""Lambda's own default."""

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
    given = value or {}
    if not isinstance(given, dict) or not isinstance(given.get("functions") or {}, dict):
        raise FileError(f"{place}: must be an object with `functions`, and may have a `default`")
    unknown = sorted(given.keys() - {"functions", "default"})
    if unknown:
        raise FileError(f"{place}: unknown field '{unknown[0]}' (allowed: functions, default)")
    functions = {
        str(name): _target(each, directory, f"{place}: {name}") for name, each in (given.get("functions") or {}).items()
    }
    return LambdaTargets(functions, _target(given.get("default", "aws"), directory, f"{place}: default"))


def _target(value: JSON, directory: Path, place: str) -> Target:
    if value in ("aws", "none"):
        return Aws() if value == "aws" else Nowhere()
    if not isinstance(value, dict):
        raise FileError(f"{place}: must be aws, none, or an object with one of: {', '.join(_KINDS)}")
    kinds = [kind for kind in _KINDS if kind in value]
    if len(kinds) != 1:
        raise FileError(f"{place}: must have exactly one of: {', '.join(_KINDS)}")
    read, fields = _KINDS[kinds[0]]
    unknown = sorted(value.keys() - {kinds[0], *fields})
    if unknown:
        raise FileError(f"{place}: unknown field '{unknown[0]}' (allowed: {', '.join((kinds[0], *fields))})")
    try:
        return read(value, directory)
    except (TypeError, ValueError) as problem:
        raise FileError(f"{place}: {problem}") from None


def _python_file(value: dict[str, JSON], directory: Path) -> Target:
    file, colon, function = str(value["handler"]).rpartition(":")
    if not colon or not function.isidentifier():
        raise ValueError(f"a handler is path/to/file.py:function, not {value['handler']}")
    return PythonFile((directory / file).resolve(), function, memory_mb=int(value.get("memory", 128)), **_shared(value))


def _command(value: dict[str, JSON], directory: Path) -> Target:
    arguments = value["command"]
    if not isinstance(arguments, list) or not arguments:
        raise ValueError("a command is a list: the program and its arguments")
    return Command(tuple(map(str, arguments)), directory.resolve(), **_shared(value))


def _endpoint(value: dict[str, JSON], directory: Path) -> Target:
    name = value.get("name")
    return Endpoint(str(value["endpoint"]), None if name is None else str(name))


def _shared(value: dict[str, JSON]) -> dict[str, Any]:
    environment = value.get("environment") or {}
    if not isinstance(environment, dict):
        raise ValueError("environment must be an object")
    timeout_s, concurrency = float(value.get("timeout", TIMEOUT_S)), int(value.get("concurrency", CONCURRENCY))
    if timeout_s <= 0 or concurrency <= 0:
        raise ValueError("timeout and concurrency must be positive")
    texts = {str(name): str(each) for name, each in environment.items()}
    return {"timeout_s": timeout_s, "environment": texts, "concurrency": concurrency}


_KINDS: dict[str, tuple[Callable[[dict[str, JSON], Path], Target], tuple[str, ...]]] = {
    "handler": (_python_file, ("timeout", "memory", "environment", "concurrency")),
    "command": (_command, ("timeout", "environment", "concurrency")),
    "endpoint": (_endpoint, ("name",)),
}
"""What says which kind of target it is, how it is read, and what else it may have."""
