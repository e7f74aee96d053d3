"""Function signatures: `<s-n?:s>` read once, and the law of how arguments are fitted to it.

A signature matches the arguments' kinds, one letter each (`SYMBOLS`), like a regular expression; so what is to be done
with the arguments depends on those letters alone, and is remembered by them. Source: JSONata 2.0.6, "Function
signatures".
"""

from __future__ import annotations

import re
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Final

from kaidan.asl.query.jsonata.errors import JsonataError, fail
from kaidan.asl.query.jsonata.values import (
    ARRAYS,
    UNDEFINED,
    Function,
    Undefined,
)
from kaidan.values import JSON

SYMBOLS: Final[dict[type, str]] = {
    str: "s", int: "n", float: "n", bool: "b", type(None): "l", dict: "o", Undefined: "m",
    **dict.fromkeys(ARRAYS, "a"),
}  # fmt: skip

_TYPES: Final = {
    **{letter: f"[{letter}m]" for letter in "snblo"},
    "a": "[asnblfom]",
    "f": "f",
    "j": "[asnblom]",
    "x": "[asnblfom]",
}
_PLURALS: Final = {
    "a": "arrays", "b": "booleans", "f": "functions", "n": "numbers", "o": "objects", "s": "strings",
}  # fmt: skip


def symbol(value: JSON) -> str:
    """The letter of a value's kind."""
    return SYMBOLS.get(value.__class__) or ("f" if isinstance(value, Function) else "o")


class SignatureError(ValueError):
    """A signature that cannot be read: code S0401 or S0402, the offset in the text, the part that is wrong."""

    def __init__(self, code: str, offset: int, value: str) -> None:
        super().__init__(code)
        self.code = code
        self.offset = offset
        self.value = value


@dataclass(slots=True)
class Parameter:
    type: str
    pattern: str
    subtype: str | None = None
    context: re.Pattern[str] | None = None
    """What the context must look like to stand in for a missing argument (`-`)."""


_Plan = list[tuple[Parameter, str]]
"""For each parameter the letters of the arguments it takes."""


class Signature:
    """A readable signature. `text` is it as written."""

    def __init__(self, text: str) -> None:
        """Raises SignatureError."""
        self.text = text
        self.parameters = _parameters(text)
        self._pattern = re.compile("".join(f"({parameter.pattern})" for parameter in self.parameters) + r"\Z")
        self._plans: dict[str, _Plan | None] = {}

    def fit(self, arguments: list[JSON], context: JSON) -> Items[JSON]:
        """The arguments as the function wants them: the context for a missing one, a list for a single member.

        Raises JsonataError T0410, T0411, T0412.
        """
        letters = "".join([SYMBOLS.get(value.__class__) or symbol(value) for value in arguments])
        try:
            plan = self._plans[letters]
        except KeyError:
            plan = self._plans[letters] = self._plan(letters)
        if plan is None:
            raise self._misfit(letters)
        return _fit(plan, arguments, context)

    def _plan(self, letters: str) -> _Plan | None:
        found = self._pattern.match(letters)
        if found is None:
            return None
        return list(zip(self.parameters, (text or "" for text in found.groups()), strict=True))

    def _misfit(self, letters: str) -> JsonataError:
        """T0410, naming the first argument that the parameters cannot take."""
        good, pattern = 0, ""
        for parameter in self.parameters:
            pattern += parameter.pattern
            found = re.match(pattern, letters)
            if found is None:
                break
            good = found.end()
        return JsonataError("T0410", index=good + 1)


def _fit(plan: _Plan, arguments: list[JSON], context: JSON) -> list[JSON]:
    fitted: list[JSON] = []
    at = 0
    for parameter, letters in plan:
        if letters == "":
            if parameter.context is not None:
                fitted.append(_stand_in(parameter, context, at))
            else:
                fitted.append(arguments[at] if at < len(arguments) else UNDEFINED)
                at += 1
        elif parameter.type != "a":
            fitted += arguments[at : at + len(letters)]
            at += len(letters)
        else:
            for letter in letters:
                fitted.append(_array(parameter, letter, letters, arguments[at], at))
                at += 1
    return fitted


def _stand_in(parameter: Parameter, context: JSON, at: int) -> JSON:
    if parameter.context is not None and parameter.context.search(symbol(context)) is None:
        fail("T0411", value=context, index=at + 1)
    return context


def _array(parameter: Parameter, letter: str, letters: str, argument: JSON, at: int) -> JSON:
    if letter == "m":
        return UNDEFINED
    subtype = parameter.subtype
    if subtype is not None:
        fits = _all_of(argument, subtype) if letter == "a" else letters == subtype
        if not fits:
            plural = _PLURALS.get(subtype, UNDEFINED)
            fail("T0412", value=argument, index=at + 1, type=plural)
    return argument if letter == "a" else [argument]


_MEMBERS: Final[dict[str, frozenset[type]]] = {
    letter: frozenset(kind for kind, name in SYMBOLS.items() if name == letter) for letter in "snblao"
}


def _all_of(values: list[JSON], subtype: str) -> bool:
    letter = subtype[:1]
    if not values or set(map(type, values)) <= _MEMBERS.get(letter, frozenset()):
        return True
    return all(symbol(value) == letter for value in values)


def _parameters(text: str) -> list[Parameter]:
    parameters: list[Parameter] = []
    at = 1
    while at < len(text) and text[at] != ":":
        letter = text[at]
        if letter in _TYPES:
            parameters.append(Parameter(letter, _TYPES[letter]))
        elif letter == "(":
            end = _closing(text, at, "()")
            choice = text[at + 1 : end]
            if "<" in choice:
                raise SignatureError("S0402", at, choice)
            parameters.append(Parameter(f"({choice})", f"[{re.escape(choice)}m]"))
            at = end
        else:
            at = _modify(parameters[-1] if parameters else None, text, at)
        at += 1
    return parameters


def _modify(parameter: Parameter | None, text: str, at: int) -> int:
    """Apply what follows a parameter; gives the place where it ends."""
    letter = text[at]
    if parameter is None:
        if letter == "<":
            raise SignatureError("S0401", at, "")
    elif letter == "-":
        parameter.context = re.compile(parameter.pattern)
        parameter.pattern += "?"
    elif letter in "?+":
        parameter.pattern += letter
    elif letter == "<":
        if parameter.type not in "af":
            raise SignatureError("S0401", at, parameter.type)
        end = _closing(text, at, "<>")
        parameter.subtype = text[at + 1 : end]
        return end
    return at


def _closing(text: str, start: int, brackets: str) -> int:
    """Where the bracket that opens at `start` closes, or the end of the text."""
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == brackets[0]) - (text[at] == brackets[1])
        if depth == 0:
            return at
    return len(text)
