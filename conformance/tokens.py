"""`@@..@@` tokens: run-time values inside recorded text (FORMAT section 2), and the paths they use.

Knows nothing of who answers the calls.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from conformance.cases import ACCOUNT

_TOKEN = re.compile(r"@@([^@]+)@@")
_PART = re.compile(r"^(?P<name>.*?)(?:\|part\((?P<part>-?\d+)\))?$", re.DOTALL)
_ROLE = re.compile(r"^role_arn(?::\d+)?$")
_NOW = re.compile(r"^now(?:\+(?P<days>\d+)d)?$")
_OF_CALL = re.compile(r"^(?P<n>\d+)(?:\.(?P<path>.*))?$", re.DOTALL)
_STEP = re.compile(r"\[(-?\d+|\*)\]|([^.\[\]]+)")


class Unresolved(Exception):
    """A token or path that names nothing observed. The message says which and where it ended."""


def lookup(value: Any, path: str) -> Any:
    """Follow `events[-1].executionSucceededEventDetails.output` or `Messages[*].Body`.

    A step that lands on text reads it as JSON first; `[*]` gives the list of what the rest of the path finds.
    Raises Unresolved.
    """
    steps = [(index, name) for index, name in _STEP.findall(path)]
    return _follow(value, steps, path)


def _follow(value: Any, steps: list[tuple[str, str]], path: str) -> Any:
    for position, (index, name) in enumerate(steps):
        if isinstance(value, str):
            value = _parsed(value, path)
        if index == "*":
            return [_follow(item, steps[position + 1 :], path) for item in value]
        try:
            value = value[int(index)] if index else value[name]
        except (KeyError, IndexError, TypeError):
            raise Unresolved(f"{path}: nothing at {index or name}") from None
    return value


def _parsed(text: str, path: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise Unresolved(f"{path}: leads into text that is not JSON") from None


class Tokens:
    """The values of one case's tokens.

    responses: call number → response, filled as the case is replayed.
    now: what `@@now@@` is, the same instant for the whole case.
    """

    def __init__(self, responses: Mapping[int, Any], now: datetime) -> None:
        self._responses = responses
        self._now = now
        self._roles: dict[str, str] = {}

    def resolve(self, value: Any) -> Any:
        """The value with every token in every text replaced; member names hold none. Raises Unresolved."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if isinstance(value, dict):
            return {name: self.resolve(item) for name, item in value.items()}
        return value

    def _text(self, text: str) -> str:
        return _TOKEN.sub(lambda found: self._value(found[1]), text) if "@@" in text else text

    def _value(self, token: str) -> str:
        parsed = _PART.match(token)
        assert parsed is not None
        value = self._named(parsed["name"])
        text = value if isinstance(value, str) else json.dumps(value)
        if parsed["part"] is None:
            return text
        try:
            return re.split("[:/]", text)[int(parsed["part"])]
        except IndexError:
            raise Unresolved(f"@@{token}@@: {text} has no such part") from None

    def _named(self, name: str) -> Any:
        if _ROLE.match(name):
            return self._role(name)
        if now := _NOW.match(name):
            return (self._now + timedelta(days=int(now["days"] or 0))).strftime("%Y-%m-%dT%H:%M:%S")
        if (of_call := _OF_CALL.match(name)) and int(of_call["n"]) in self._responses:
            return lookup(self._responses[int(of_call["n"])], of_call["path"] or "")
        raise Unresolved(f"@@{name}@@ names nothing that was answered")

    def _role(self, name: str) -> str:
        """Every role token is a different ARN and, having equal lengths, none is a prefix of another."""
        number = len(self._roles) + 1
        return self._roles.setdefault(name, f"arn:aws:iam::{ACCOUNT}:role/conformance-role-{number:04d}")
