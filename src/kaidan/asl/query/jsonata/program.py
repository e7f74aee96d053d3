"""A compiled expression: what it is evaluated with, and how its result becomes plain JSON again."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Final

from kaidan.asl.query.env import Env
from kaidan.asl.query.jsonata.analysis import free_variables, parts
from kaidan.asl.query.jsonata.compiler import Settings, compile_root
from kaidan.asl.query.jsonata.errors import MEMORY_LIMIT, STACK_OVERFLOW, LimitExceeded
from kaidan.asl.query.jsonata.functions.table import BUILTINS
from kaidan.asl.query.jsonata.limits import Limits, Run
from kaidan.asl.query.jsonata.nodes import Bind, Call, Lambda, Literal, Node, Partial, Regex, Transform, Variable
from kaidan.asl.query.jsonata.parser import parse
from kaidan.asl.query.jsonata.scope import Evaluate
from kaidan.asl.query.jsonata.text import number_text
from kaidan.asl.query.jsonata.values import ARRAYS, UNDEFINED, Function, Outer
from kaidan.values import JSON

DEFAULT_LIMITS: Final = Limits()


def compile_expression(text: str, *, strict: bool = True, limits: Limits = DEFAULT_LIMITS) -> Program:
    """Compile JSONata (the text between `{%` and `%}`). Raises JsonataSyntaxError.

    `strict`: as Step Functions has it, without the operators `??` and `?:` of JSONata 2.1.
    """
    return Program(text, parse(text, extended=not strict), limits)


class Program:
    """A compiled expression. It keeps nothing between evaluations."""

    def __init__(self, text: str, ast: Node, limits: Limits) -> None:
        self.text = text
        self.ast = ast
        self.limits = limits
        self._builtins = sorted(free_variables(ast) & BUILTINS.keys())
        self._walks = _may_hold_functions(ast)
        self._plain = compile_root(ast, Settings(limits.depth))
        self._shadowed: dict[frozenset[str], tuple[Evaluate, list[JSON]]] = {}

    def evaluate(self, data: JSON, bindings: Mapping[str, JSON], env: Env) -> JSON:
        """The value, UNDEFINED where there is none, or a Function (is_function), also for a value that holds one.

        `data` is the input, `$` and `$$`: UNDEFINED in Step Functions. `bindings` gives the variables by name, without
        `$`, and hides built-in functions of the same name. Raises JsonataError.
        """
        evaluate, unset = self._code(bindings)
        run = Run(self.limits, data, bindings, env)
        context = Outer((data,)) if data.__class__ is list else data
        try:
            result = evaluate(context, [run, None, 0, *unset])
            return _finished(run, result, self._walks or run.irregular)
        except RecursionError:
            raise LimitExceeded(STACK_OVERFLOW) from None
        except MemoryError:
            raise LimitExceeded(MEMORY_LIMIT) from None

    def _code(self, bindings: Mapping[str, JSON]) -> tuple[Evaluate, list[JSON]]:
        hidden = [name for name in self._builtins if name in bindings]
        if not hidden:
            return self._plain
        shadowed = frozenset(hidden)
        if shadowed not in self._shadowed:
            self._shadowed[shadowed] = compile_root(self.ast, Settings(self.limits.depth, shadowed))
        return self._shadowed[shadowed]


def _may_hold_functions(ast: Node) -> bool:
    """Whether the result has to be looked through: for functions, for text that is no Unicode, or for its sheer size.

    Values that share parts can be small in memory and endless as text; it takes variables or functions to make them.
    """
    waiting = [ast]
    called: set[Node] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, Call):
            called.add(node.procedure)
        if isinstance(node, (Lambda, Partial, Transform, Regex, Bind)):
            return True
        if isinstance(node, Variable) and node.name in BUILTINS and node not in called:
            return True
        if isinstance(node, Literal) and isinstance(node.value, str) and not _is_unicode(node.value):
            return True
        waiting += parts(node)
    return False


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def _finished(run: Run, result: JSON, walk: bool) -> JSON:
    """The result as plain JSON: Sequences become lists."""
    if walk:
        return _walked(run, result)
    for holder in run.holders:
        for at, value in holder.items() if holder.__class__ is dict else enumerate(holder):
            if value.__class__ is not list and value.__class__ in ARRAYS:
                holder[at] = list(value)
    return list(result) if result.__class__ is not list and result.__class__ in ARRAYS else result


def _walked(run: Run, result: JSON) -> JSON:
    """The same, looking at every part: numbers that JSON lacks become text, as on AWS, and lone surrogates U+FFFD."""
    whole = [result]
    waiting: list[JSON] = [whole]
    left = run.value_bytes_max >> 3
    while waiting:
        holder = waiting.pop()
        left -= len(holder)
        if left < 0:
            raise LimitExceeded(MEMORY_LIMIT)
        for at, value in _entries(holder):
            kind = value.__class__
            if kind is dict or kind is list:
                waiting.append(value)
            elif kind is int or kind is bool or value is None or (kind is str and _is_unicode(value)):
                continue
            elif kind in ARRAYS:
                holder[at] = list(value)
                waiting.append(holder[at])
            elif isinstance(value, Function):
                return value
            elif kind is str:
                holder[at] = _scrubbed(value)
            elif kind is float and not isfinite(value):
                holder[at] = number_text(value)
            elif value is UNDEFINED and holder is not whole:
                holder[at] = None
    return whole[0]


def _entries(holder: JSON) -> list[tuple[JSON, JSON]]:
    """The places of a container with their values. Names that are no Unicode are put right on the way."""
    if holder.__class__ is not dict:
        return list(enumerate(holder))
    for name in [name for name in holder if not _is_unicode(name)]:
        holder[_scrubbed(name)] = holder.pop(name)
    return list(holder.items())


def _scrubbed(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
