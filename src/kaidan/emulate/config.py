"""emulate.yaml: read, checked, and turned into an EmulateConfig. Knows nothing of moto or processes.

    region: us-east-1
    instances:                        # EC2 instances to start with
      - name: web1                    # short for the tag Name
        count: 2                      # how many alike; 1 when left out
        type: t3.micro
        state: running                # or stopped, terminated
        tags: {Backup: "true"}
    images:                           # how a new image becomes available
      available_after_polls: 3        # the third describeImages that asks for it says "available"
      not_found_polls: 0              # so many describeImages first answer InvalidAMIID.NotFound
      outcomes:                       # the first whose tags the source instance has applies
        - tags: {Name: db1}
          failed: {code: Server.InternalError, message: Internal error}
        - tags: {Name: cache1}
          refused: {code: UnauthorizedOperation, message: You are not authorized to perform this operation.}
        - tags: {Name: slow1}
          available_after_polls: 500
    calls:                            # anything else: AWS API calls, in this order, after the instances
      - service: sns
        operation: create_topic       # CreateTopic and createTopic mean the same
        parameters: {Name: operators}

Every field may be left out but those of a call, of an outcome's tags, and code and message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

FILE_NAME = "emulate.yaml"
INSTANCE_STATES = ("running", "stopped", "terminated")
INSTANCES_MAX = 1000
"""Instances of one entry. Our own bound: a slip of the finger should not make a million."""

T = TypeVar("T")


class ConfigError(Exception):
    """An emulate.yaml that cannot be used: `emulate.yaml:7: images.available_after_polls must be …`."""


@dataclass(frozen=True, slots=True)
class Instance:
    """`count` EC2 instances alike, with tags: `{"Name": "web1", "Backup": "true"}`. `place` as in Call."""

    tags: dict[str, str] = field(default_factory=dict)
    count: int = 1
    type: str = "t3.micro"
    state: str = "running"
    place: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What AWS says went wrong: `{"code": "Server.InternalError", "message": "Internal error"}`."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the image of an instance with all these tags ends; exactly one of the other three is set.

    `failed`: its state becomes failed, with this StateReason. `refused`: createImage itself answers this.
    """

    tags: dict[str, str]
    failed: Problem | None = None
    refused: Problem | None = None
    available_after_polls: int | None = None


@dataclass(frozen=True, slots=True)
class Images:
    """How new images behave. Polls are describeImages calls that ask for the image."""

    available_after_polls: int = 3
    not_found_polls: int = 0
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One AWS API call that seeds something. `place`, said if it is refused: `emulate.yaml:21: calls[0]`."""

    service: str
    operation: str
    parameters: dict[str, Any] = field(default_factory=dict)
    place: str = ""


@dataclass(frozen=True, slots=True)
class EmulateConfig:
    """The world an Emulator starts with. Without arguments: an empty one."""

    region: str = "us-east-1"
    instances: tuple[Instance, ...] = ()
    images: Images = field(default_factory=Images)
    calls: tuple[Call, ...] = ()


def find_config(definition_path: str | Path) -> Path | None:
    """The emulate.yaml beside a definition, or None."""
    path = Path(definition_path).parent / FILE_NAME
    return path if path.is_file() else None


def read_config(path: str | Path) -> EmulateConfig:
    """Read a file. Raises ConfigError, which names the file, the line, the field and what was allowed."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"{path}: {problem}") from None
    return parse_config(text, str(path))


def parse_config(text: str, source: str = FILE_NAME) -> EmulateConfig:
    """The same from text; `source` is the name that errors show."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError

    try:
        value = YAML(typ="rt").load(text)
    except MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise ConfigError(f"{source}:{line}: not YAML: {problem.problem or problem.context}") from None
    return EmulateConfig() if value is None else _config(Node(value, source))


# Each reader below takes a node and gives its part of the configuration; the tables are the fields.


def _config(node: Node) -> EmulateConfig:
    return EmulateConfig(**node.fields(region=Node.text, instances=_all(_instance), images=_images, calls=_all(_call)))


def _instance(node: Node) -> Instance:
    given = node.fields(name=Node.text, count=_count, type=Node.text, state=_state, tags=Node.texts)
    name, tags = given.pop("name", None), given.pop("tags", {})
    if name is not None and "Name" in tags:
        raise node.error("has both a name and a tag Name: give one of them")
    return Instance(tags=tags if name is None else {"Name": name, **tags}, place=node.place, **given)


def _images(node: Node) -> Images:
    return Images(**node.fields(available_after_polls=_polls, not_found_polls=_whole(0), outcomes=_all(_outcome)))


def _outcome(node: Node) -> Outcome:
    ends = {"failed": _problem, "refused": _problem, "available_after_polls": _polls}
    given = node.fields(required=("tags",), tags=Node.texts, **ends)
    if len(given) != 2:
        raise node.error(f"must say how the image ends, with exactly one of {', '.join(ends)}")
    return Outcome(**given)


def _problem(node: Node) -> Problem:
    return Problem(**node.fields(required=("code", "message"), code=Node.text, message=Node.text))


def _call(node: Node) -> Call:
    given = node.fields(
        required=("service", "operation"), service=Node.text, operation=Node.text, parameters=Node.mapping
    )
    return Call(**given, place=node.place)


def _all(read: Callable[[Node], T]) -> Callable[[Node], tuple[T, ...]]:
    return lambda node: tuple(read(item) for item in node.items())


def _whole(least: int, most: int | None = None) -> Callable[[Node], int]:
    return lambda node: node.whole(least, most)


_count = _whole(1, INSTANCES_MAX)
_polls = _whole(1)


def _state(node: Node) -> str:
    return node.one_of(INSTANCE_STATES)


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file with its place, for messages."""

    value: Any
    source: str
    path: str = ""
    line: int = 1

    @property
    def place(self) -> str:
        return f"{self.source}:{self.line}: {self.path or 'the file'}"

    def error(self, what: str) -> ConfigError:
        return ConfigError(f"{self.place} {what}")

    def text(self) -> str:
        if isinstance(self.value, str) and self.value:
            return str(self.value)
        shown = _shown(self.value)
        hint = "" if isinstance(self.value, (dict, list, str, None.__class__)) else f': write "{shown}", in quotes'
        raise self.error(f"must be text, not {shown}{hint}")

    def texts(self) -> dict[str, str]:
        """A mapping of text to text. A value may be empty, as a tag's may."""
        if not isinstance(self.value, dict):
            raise self.error(f"must be a mapping of text to text, not {_shown(self.value)}")
        return {str(key): "" if node.value == "" else node.text() for key, node in self._members()}

    def mapping(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            raise self.error(f"must be a mapping, not {_shown(self.value)}")
        return {str(key): _plain(item) for key, item in self.value.items()}

    def whole(self, least: int, most: int | None = None) -> int:
        value = self.value
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= (most or value):
            return int(value)
        allowed = f"from {least}" + (f" to {most}" if most else "")
        raise self.error(f"must be a whole number {allowed}, not {_shown(value)}")

    def one_of(self, allowed: tuple[str, ...]) -> str:
        if self.value in allowed:
            return str(self.value)
        raise self.error(f"must be one of {', '.join(allowed)}, not {_shown(self.value)}")

    def items(self) -> Iterator[Node]:
        if not isinstance(self.value, list):
            raise self.error(f"must be a list (lines that begin with '- '), not {_shown(self.value)}")
        lines = getattr(self.value, "lc", None)
        for index, item in enumerate(self.value):
            line = lines.item(index)[0] + 1 if lines is not None else self.line
            yield Node(item, self.source, f"{self.path}[{index}]", line)

    def fields(self, required: tuple[str, ...] = (), **readers: Callable[[Node], Any]) -> dict[str, Any]:
        """The known fields that are there, each read by its reader."""
        if not isinstance(self.value, dict):
            raise self.error(f"must be a mapping with {', '.join(readers)}, not {_shown(self.value)}")
        for name in required:
            if name not in self.value:
                raise self.error(f"must have the field {name}")
        return {str(key): self._reader(key, node, readers)(node) for key, node in self._members()}

    def _reader(self, key: object, node: Node, readers: dict[str, Callable[[Node], Any]]) -> Callable[[Node], Any]:
        if isinstance(key, str) and key in readers:
            return readers[key]
        raise node.error(f"is not a field here; allowed: {', '.join(readers)}")

    def _members(self) -> Iterator[tuple[Any, Node]]:
        lines = getattr(self.value, "lc", None)
        for key, item in self.value.items():
            line = lines.key(key)[0] + 1 if lines is not None and key in (lines.data or {}) else self.line
            yield key, Node(item, self.source, f"{self.path}.{key}" if self.path else str(key), line)


def _shown(value: Any) -> str:
    """A value as the file would show it: `true`, `'three'`, `a list`."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return repr(str(value)) if isinstance(value, str) else str(value)


def _plain(value: Any) -> Any:
    """The reader's containers and scalars as plain Python ones."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return None if value is None else str(value)
