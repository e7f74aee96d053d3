"""What of a request reaches its operation: members that the API's model has, and that are not null.

AWS ignores members that it does not know, and takes null for absent, at every depth:

    known("CreateStateMachine", {"name": "x", "type": None, "tags": [{"key": "a", "hue": 1}], "colour": 2})
    → {"name": "x", "tags": [{"key": "a"}]}

Compiled once to closures. Values of a wrong type stay as they are: whoever checks the input refuses them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

from kaidan.integrations.clients import model_loader
from kaidan.values import JSON

Keep: TypeAlias = Callable[[JSON], JSON]


def known(operation: str, params: dict[str, Any]) -> dict[str, Any]:
    """The part of an operation's input that its model has."""
    kept: dict[str, Any] = _input(operation)(params)
    return kept


@cache
def _model() -> Mapping[str, Any]:
    model: Mapping[str, Any] = model_loader().load_service_model("stepfunctions", "service-2")
    return model


@cache
def _input(operation: str) -> Keep:
    return _compile(_model()["operations"][operation]["input"]["shape"])


def _compile(name: str) -> Keep:
    shape = _model()["shapes"][name]
    match shape["type"]:
        case "structure":
            return _structure({member: _compile(of["shape"]) for member, of in shape["members"].items()})
        case "list":
            return _list(_compile(shape["member"]["shape"]))
        case _:
            return _scalar


def _structure(members: dict[str, Keep]) -> Keep:
    def keep(value: JSON) -> JSON:
        if type(value) is not dict:
            return value
        return {name: members[name](item) for name, item in value.items() if item is not None and name in members}

    return keep


def _list(keep_item: Keep) -> Keep:
    return lambda value: [keep_item(item) for item in value] if type(value) is list else value


def _scalar(value: JSON) -> JSON:
    return value
