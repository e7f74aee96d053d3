"""What a request may hold: read from the API's model, compiled once to closures, and told in AWS's words.

    check("StartExecution", {"stateMachineArn": "arn:…", "name": "a" * 81})
    → ValidationException: 1 validation error detected: Value 'aaa…' at 'name' failed to satisfy constraint:
      Member must have length less than or equal to 80

The model is botocore's (`data/stepfunctions/…/service-2.json`): types, required members, `min`, `max`, `enum`,
`pattern`, `sensitive`. Knows no operation by name, and nothing that the model does not say.

Source: messages as recorded from AWS; those of wrong types as users quote AWS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

from kaidan.integrations.clients import model_loader
from kaidan.service.errors import ApiError, invalid
from kaidan.values import JSON

Shape: TypeAlias = Mapping[str, Any]
Check: TypeAlias = Callable[[JSON, str, list[str]], None]
"""Looks at a value that is not None. Takes where it stands, `tags.1.member.key`, and adds what is wrong with it."""

Limit: TypeAlias = tuple[str, Callable[[Any], bool]]
"""AWS's words for a constraint, and whether a value breaks it."""

_PAYLOADS = ("SensitiveData", "SensitiveDataJobInput")
"""The strings whose length AWS counts in bytes (API reference: "expressed as bytes in UTF-8 encoding")."""


def check(operation: str, params: JSON) -> None:
    """Check the input of an operation. Raises ApiError: SerializationException, ValidationException."""
    found: list[str] = []
    _input_check(operation)(params, "", found)
    if found:
        noun = "error" if len(found) == 1 else "errors"
        raise invalid(f"{len(found)} validation {noun} detected: {'; '.join(found)}")


@cache
def operation_names() -> frozenset[str]:
    """Every operation that the model has."""
    return frozenset(_model()["operations"])


@cache
def _model() -> Shape:
    model: Shape = model_loader().load_service_model("stepfunctions", "service-2")
    return model


@cache
def _input_check(operation: str) -> Check:
    return _compile(_model()["operations"][operation]["input"]["shape"])


def _compile(name: str) -> Check:
    shape: Shape = _model()["shapes"][name]
    match shape["type"]:
        case "structure":
            return _structure(shape)
        case "list":
            return _list(name, shape)
        case kind:
            return _scalar(name, kind, tuple(_limits(name, shape)))


# Structures and lists


def _structure(shape: Shape) -> Check:
    required = shape.get("required", ())
    members = [(name, name in required, _compile(m["shape"]), m["shape"]) for name, m in shape["members"].items()]

    def check(value: JSON, place: str, found: list[str]) -> None:
        if type(value) is not dict:
            raise _wrong_type(value, "structure")
        prefix = place + "." if place else ""
        for name, needed, check_member, member_shape in members:
            member = value.get(name)
            if member is not None:
                check_member(member, prefix + name, found)
            elif needed:
                found.append(_failed(None, member_shape, prefix + name, "Member must not be null"))

    return check


def _list(name: str, shape: Shape) -> Check:
    of: str = shape["member"]["shape"]
    inner: Shape = _model()["shapes"][of]
    limits = list(_limits(name, shape))
    if inner["type"] == "structure":
        check_item = _structure(inner)
    else:
        check_item = _scalar(of, inner["type"], ())
        limits.append(_for_all(list(_limits(of, inner))))

    def check(value: JSON, place: str, found: list[str]) -> None:
        if type(value) is not list:
            raise _wrong_type(value, "list")
        inside: list[str] = []
        for number, item in enumerate(value, 1):
            check_item(item, f"{place}.{number}.member", inside)
        found += [_failed(value, name, place, words) for words, broken in limits if broken(value)]
        found += inside

    return check


def _for_all(limits: list[Limit]) -> Limit:
    """A bad item of a list of scalars is reported for the list as a whole, with all that items have to fulfil."""
    words = f"Member must satisfy constraint: [{', '.join(words for words, _ in reversed(limits))}]"
    return words, lambda value: any(broken(item) for item in value for _, broken in limits)


# Scalars

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (float, int),
    "boolean": (bool,),
}


def _scalar(name: str, kind: str, limits: tuple[Limit, ...]) -> Check:
    types = _TYPES[kind]

    def check(value: JSON, place: str, found: list[str]) -> None:
        if type(value) not in types:
            raise _wrong_type(value, kind)
        for words, broken in limits:
            if broken(value):
                found.append(_failed(value, name, place, words))

    return check


def _limits(name: str, shape: Shape) -> Iterator[Limit]:
    """The constraints of a shape, in the order in which AWS reports them."""
    least, most = shape.get("min"), shape.get("max")
    if shape["type"] in ("integer", "long", "float"):
        if least is not None:
            yield f"Member must have value greater than or equal to {least}", lambda value: value < least
        if most is not None:
            yield f"Member must have value less than or equal to {most}", lambda value: value > most
        return
    if least:
        yield f"Member must have length greater than or equal to {least}", lambda value: len(value) < least
    if most is not None:
        yield _longest(name, most)
    if "pattern" in shape:
        pattern = re.compile(shape["pattern"].replace(r"\p{ASCII}", r"[\x00-\x7f]"))
        words = f"Member must satisfy regular expression pattern: {shape['pattern']}"
        yield words, lambda value: pattern.fullmatch(value) is None
    if "enum" in shape:
        allowed = frozenset(shape["enum"])
        words = f"Member must satisfy enum value set: [{', '.join(shape['enum'])}]"
        yield words, lambda value: value not in allowed


def _longest(name: str, most: int) -> Limit:
    if name not in _PAYLOADS:
        return f"Member must have length less than or equal to {most}", lambda value: len(value) > most
    words = f"Member must have size less than or equal to {most} bytes in UTF-8 encoding"

    def broken(value: str) -> bool:
        return len(value) * 4 > most and len(value if value.isascii() else value.encode(errors="replace")) > most

    return words, broken


# What AWS says


def _failed(value: JSON, shape: str, place: str, constraint: str) -> str:
    return f"Value{_quoted(value, shape)} at '{place}' failed to satisfy constraint: {constraint}"


def _quoted(value: JSON, shape: str) -> str:
    """Sensitive values are not repeated, not even that they are missing."""
    if _model()["shapes"][shape].get("sensitive"):
        return ""
    return " null" if value is None else f" '{_shown(value, shape)}'"


def _shown(value: JSON, name: str) -> str:
    """A value as Java prints it: `[RoutingConfigurationListItem(stateMachineVersionArn=arn:…, weight=50)]`."""
    shape = _model()["shapes"][name]
    if value is None:
        return "null"
    if shape.get("sensitive"):
        return "***Sensitive Data Redacted***"
    if shape["type"] == "list":
        return "[" + ", ".join(_shown(item, shape["member"]["shape"]) for item in value) + "]"
    if shape["type"] == "structure":
        shown = (f"{key}={_shown(value.get(key), of['shape'])}" for key, of in shape["members"].items())
        return f"{name}({', '.join(shown)})"
    if shape["type"] == "float":
        return str(float(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


_JAVA = {
    "string": "a String",
    "integer": "an Integer",
    "long": "a Long",
    "float": "a Float",
    "boolean": "a Boolean",
}


def _wrong_type(value: JSON, expected: str) -> ApiError:
    """JSON of a type that the member cannot have: the request could not be read at all."""
    if expected == "list":
        message = "Expected list or null"
    elif isinstance(value, dict):
        message = "Start of structure or map found where not expected."
    elif isinstance(value, list):
        message = "Start of list found where not expected"
    elif expected == "structure":
        message = "Unexpected field type"
    else:
        message = f"{_found(value)} can not be converted to {_JAVA[expected]}"
    return ApiError("SerializationException", message)


def _found(value: JSON) -> str:
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    return "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"
