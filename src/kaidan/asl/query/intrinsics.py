r"""Calls of intrinsic functions: text parsed once and compiled to closures.

    States.Format('{}-{}', $.name, States.ArrayGetItem(States.StringSplit($$.Execution.StartTime, 'T'), 0))

    call     = name "(" [ argument { "," argument } ] ")"
    argument = "'" text "'" | number | true | false | null | path | call
    text     = any characters; \' \{ \} \\ stand for ' { } \

What the functions do is in `intrinsic_functions.py`, what paths mean in `jsonpath.py`.
Knows nothing of states.

Source: States Language spec, "Intrinsic Functions"; AWS guide, "Intrinsic functions for JSONPath states".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from math import inf
from typing import NoReturn, TypeAlias

from kaidan.asl.query.env import Env, Expression, Source
from kaidan.asl.query.intrinsic_functions import COUNT_NOTES, FUNCTIONS, Function, Refusal
from kaidan.asl.query.jsonpath import JsonPathSyntaxError, PathNotApplicable, PathNotFound, compile_path
from kaidan.errors import runtime_error
from kaidan.values import JSON, InvalidJson, dumps, loads

__all__ = [
    "FUNCTIONS",
    "Argument",
    "Call",
    "IntrinsicSyntaxError",
    "Literal",
    "PathText",
    "compile_intrinsic",
    "is_intrinsic",
    "parse_intrinsic",
    "variable_names",
]

NESTING_MAX = 10
"""How many calls may stand inside one another (guide, top of the page; it may mean all calls of a field)."""

FOUND_CHARACTERS_MAX = 12
"""How much of the text an error shows."""


class IntrinsicSyntaxError(ValueError):
    """Text that is no intrinsic call. Says what, at which character (from 1), and what was allowed there."""


def is_intrinsic(text: str) -> bool:
    """Whether the text means to be a call: paths begin with `$`, calls with `States.`."""
    return text.startswith("States.")


def variable_names(text: str) -> list[str]:
    """Names of the variables that the arguments read, each once: `["x"]` of `States.Array($x.a, $.b, $x)`.

    Raises IntrinsicSyntaxError for text that means to be a call and is none.
    """
    if not is_intrinsic(text):
        return []
    names = (_VARIABLE.match(path.text) for path in _paths(parse_intrinsic(text)))
    return list(dict.fromkeys(match[1] for match in names if match))


def compile_intrinsic(text: str) -> Expression:
    """The call as an expression.

    Raises IntrinsicSyntaxError. A wrong number of arguments is none: AWS accepts the definition and fails the
    state. The expression raises StateError: States.Runtime in every case, as recorded from AWS.
    """
    return _compile_call(parse_intrinsic(text), text)


# The tree


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as it is. The template of States.Format keeps its escapes, which the function reads."""

    value: JSON


@dataclass(frozen=True, slots=True)
class PathText:
    """A path, not parsed yet: `$.a`, `$$.Execution.Name`, `$variable`. `position`: its first character, from 0."""

    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the function `name`, `States.Array`."""

    name: str
    arguments: list[Argument]


Argument: TypeAlias = Literal | PathText | Call


def parse_intrinsic(text: str) -> Call:
    """The tree of a call. Raises IntrinsicSyntaxError."""
    return _Parser(text).parse()


def _paths(node: Argument) -> Iterator[PathText]:
    if isinstance(node, PathText):
        yield node
    elif isinstance(node, Call):
        for argument in node.arguments:
            yield from _paths(argument)


# Compiling


def _compile(node: Argument, text: str) -> Expression:
    match node:
        case Call():
            return _compile_call(node, text)
        case PathText():
            return _compile_path(node, text)
        case Literal(value):
            return lambda data, env: value


def _compile_call(call: Call, text: str) -> Expression:
    name, function = call.name, _function(call)
    arguments = [_compile(argument, text) for argument in call.arguments]

    def evaluate(data: JSON, env: Env) -> JSON:
        values = [argument(data, env) for argument in arguments]
        try:
            return function(env.source, *values)
        except Refusal as refusal:
            raise runtime_error(
                f"There was an error while evaluating the intrinsic function: {text}. {refusal.of(name)}"
            ) from None

    return evaluate


def _function(call: Call) -> Function:
    fewest, most, function = FUNCTIONS[call.name]
    fits = len(call.arguments) >= fewest and (most is None or len(call.arguments) <= most)
    if fits and all(map(_is_json, call.arguments)):
        return function

    def refuse(source: Source, *arguments: JSON) -> JSON:
        raise Refusal(more=COUNT_NOTES.get(call.name, ""))

    return refuse


def _is_json(argument: Argument) -> bool:
    """Not so a number beyond doubles: `1e309`."""
    return not isinstance(argument, Literal) or argument.value not in (inf, -inf)


def _compile_path(path: PathText, text: str) -> Expression:
    try:
        select = compile_path(path.text)
    except JsonPathSyntaxError as problem:
        raise IntrinsicSyntaxError(f"{problem}, in the path at character {path.position + 1}") from None

    def evaluate(data: JSON, env: Env) -> JSON:
        try:
            return select(data, env)
        except PathNotFound as problem:
            raise runtime_error(
                f"The function '{text}' had the following error: {_reason(path.text, data, problem)}"
            ) from None

    return evaluate


def _reason(path: str, data: JSON, problem: PathNotFound) -> str:
    """AWS names a path into the Context object as one into the input, and shows the input."""
    if isinstance(problem, PathNotApplicable):
        return problem.reason
    field = path[1:] if path.startswith("$$") else path
    return f"The JsonPath argument for the field '{field}' could not be found in the input '{dumps(data)}'"


# Parsing

_VARIABLE = re.compile(r"\$([^\W\d]\w*)")
_NAME = re.compile(r"[A-Za-z0-9._]+")
_SPACE = re.compile(r"\s*")
_STRING_BODY = re.compile(r"(?:[^'\\]|\\['{}\\])*")
_ESCAPE = re.compile(r"\\(.)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PATH_TOKEN = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|.""", re.DOTALL)
_CLOSING = {"(": ")", "[": "]"}
_WORDS: dict[str, JSON] = {"true": True, "false": False, "null": None}
_ARGUMENT = "an argument: 'text', a number, true, false, null, a $.path or States.Function(…)"
_TEMPLATE_FUNCTION = "States.Format"


def _number(digits: str) -> int | float:
    try:
        number: int | float = loads(digits)
    except InvalidJson:
        return float(digits)
    return number


class _Parser:
    """One pass over the text by recursive descent; `position` is where it stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def parse(self) -> Call:
        call = self._call(1)
        self._skip_space()
        if self.position < len(self.text):
            self._expected("the end")
        return call

    def _call(self, depth: int) -> Call:
        start = self.position
        name = self._take(_NAME)
        if name not in FUNCTIONS:
            self._fail(_unknown(name), start)
        if depth > NESTING_MAX:
            self._fail(f"calls nested deeper than {NESTING_MAX}", start)
        if not self.text.startswith("(", self.position):
            self._expected(f"'(' right after {name}")
        self.position += 1
        return Call(name, self._arguments(name, depth))

    def _arguments(self, name: str, depth: int) -> list[Argument]:
        arguments: list[Argument] = []
        if self._accept(")"):
            return arguments
        while True:
            # The function reads the escapes of a template, so that one from the data is read alike.
            is_template = name == _TEMPLATE_FUNCTION and not arguments
            arguments.append(self._argument(depth, is_template))
            if self._accept(")"):
                return arguments
            if not self._accept(","):
                self._expected("',' or ')'")

    def _argument(self, depth: int, is_template: bool) -> Argument:
        self._skip_space()
        start = self.position
        if self._accept("'"):
            return Literal(self._string(is_template))
        if self.text.startswith("$", start):
            return self._path()
        if number := _NUMBER.match(self.text, start):
            self.position = number.end()
            return Literal(_number(number[0]))
        word = self._take(_NAME)
        if word in _WORDS:
            return Literal(_WORDS[word])
        self.position = start
        if not is_intrinsic(word):
            self._expected(_ARGUMENT)
        return self._call(depth + 1)

    def _string(self, is_template: bool) -> str:
        start = self.position
        body = self._take(_STRING_BODY)
        if self.text.startswith("\\", self.position):
            self._expected("one of the escapes \\' \\{ \\} \\\\")
        if not self.text.startswith("'", self.position):
            self._fail("text without its closing '", start - 1)
        self.position += 1
        return body if is_template else _ESCAPE.sub(r"\1", body)

    def _path(self) -> PathText:
        """Up to the `,` or `)` that belongs to the call, not to a filter or a quoted name."""
        start = self.position
        awaited: list[str] = []
        for token in _PATH_TOKEN.finditer(self.text, start):
            if not awaited and token[0] in ",)":
                break
            if token[0] in _CLOSING:
                awaited.append(_CLOSING[token[0]])
            elif awaited and token[0] == awaited[-1]:
                awaited.pop()
            self.position = token.end()
        if awaited:
            self._fail(f"path without its closing {awaited[-1]}", start)
        return PathText(self.text[start : self.position].rstrip(), start)

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.position)
        if match is None:
            return ""
        self.position = match.end()
        return match[0]

    def _accept(self, character: str) -> bool:
        """Whether the next character but space is this one, and steps over it."""
        self._skip_space()
        found = self.text.startswith(character, self.position)
        self.position += found
        return found

    def _skip_space(self) -> None:
        self._take(_SPACE)

    def _expected(self, what: str) -> NoReturn:
        rest = self.text[self.position :]
        found = repr(rest if len(rest) <= FOUND_CHARACTERS_MAX else rest[:FOUND_CHARACTERS_MAX] + "…")
        self._fail(f"expected {what}, but found {found if rest else 'the end'}", self.position)

    def _fail(self, problem: str, position: int) -> NoReturn:
        raise IntrinsicSyntaxError(f"{problem}, at character {position + 1}")


def _unknown(name: str) -> str:
    known = {function.removeprefix("States.").lower(): function for function in FUNCTIONS}
    near = get_close_matches(name.removeprefix("States.").lower(), known, n=3, cutoff=0)
    return f"unknown intrinsic function '{name}' (nearest: {', '.join(known[word] for word in near)})"
