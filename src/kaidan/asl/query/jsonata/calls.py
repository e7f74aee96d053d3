"""Functions and how they are called: closures, built-in functions, partial application, composition.

A call in tail position does not call: it gives a TailCall, which `invoke` carries out in a loop, so that tail recursion
needs no stack. Depth is counted where a function is entered; inside a function it is known beforehand (compiler.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from kaidan.asl.query.jsonata.errors import STACK_OVERFLOW, TIMEOUT, JsonataError, LimitExceeded, fail
from kaidan.asl.query.jsonata.limits import CALL_STEPS, UNSET, Frame, Run
from kaidan.asl.query.jsonata.signature import Signature
from kaidan.asl.query.jsonata.values import UNDEFINED, Function
from kaidan.values import JSON


class Procedure(Function):
    """A Function that can be applied. `apply` may give a TailCall; everyone but `invoke` calls `invoke`."""

    __slots__ = ()

    def apply(self, run: Run, arguments: list[JSON], context: JSON, depth: int) -> JSON:
        raise NotImplementedError


class TailCall:
    """A call that remains to be made: the function, its arguments, and the name it was called by."""

    __slots__ = ("arguments", "function", "name")

    def __init__(self, function: JSON, arguments: list[JSON], name: str | None) -> None:
        self.function = function
        self.arguments = arguments
        self.name = name


def invoke(
    run: Run, function: JSON, arguments: list[JSON], depth: int, context: JSON = None, name: str | None = None
) -> JSON:
    """Call a function from a place that is `depth` deep. The result may be a Sequence still to be collapsed.

    Raises JsonataError: T1006 if it is no function, T041x if the arguments do not fit, and what the function raises.
    """
    while True:
        try:
            if function.__class__ is Closure and function.code.signature is None:
                result = function.enter(run, arguments, depth)
            elif isinstance(function, Procedure):
                result = function.apply(run, arguments, context, depth)
            else:
                fail("T1006")
        except JsonataError as problem:
            raise problem.within(name) from None
        if result.__class__ is not TailCall:
            return result
        function, arguments, name = result.function, result.arguments, result.name


class Code(Protocol):
    """What all closures of one `function(…){…}` share."""

    parameters: int
    signature: Signature | None
    unset: list[JSON]
    body: Callable[[JSON, Frame], JSON]
    height: int

    def checked_body(self) -> Callable[[JSON, Frame], JSON]:
        """The body made so that every node of it looks how deep it is."""


class Closure(Procedure):
    """A function written in JSONata, with the frame and the context it was made in."""

    __slots__ = ("code", "data", "frame")

    def __init__(self, code: Code, data: JSON, frame: Frame) -> None:
        self.code = code
        self.data = data
        self.frame = frame
        self.arity = code.parameters

    def apply(self, run: Run, arguments: list[JSON], context: JSON, depth: int) -> JSON:
        if self.code.signature is not None:
            arguments = list(self.code.signature.fit(arguments, context))
        return self.enter(run, arguments, depth)

    def enter(self, run: Run, arguments: list[JSON], depth: int) -> JSON:
        """Evaluate the body, whatever the signature says."""
        code = self.code
        run.steps_left -= CALL_STEPS
        if run.steps_left < 0:
            raise LimitExceeded(TIMEOUT)
        if len(arguments) != code.parameters:
            arguments = (arguments + [UNDEFINED] * code.parameters)[: code.parameters]
        frame = [run, self.frame, depth, *arguments, *code.unset]
        if depth + code.height <= run.depth_max:
            return code.body(self.data, frame)
        if depth + 1 > run.depth_max:
            raise LimitExceeded(STACK_OVERFLOW)
        return code.checked_body()(self.data, frame)


class Native(Procedure):
    """A built-in function: `implementation(run, *arguments)` with the arguments its signature has fitted."""

    __slots__ = ("implementation", "name", "signature")

    def __init__(self, name: str, implementation: Callable[..., JSON], signature: Signature | None, arity: int) -> None:
        self.name = name
        self.implementation = implementation
        self.signature = signature
        self.arity = arity

    def apply(self, run: Run, arguments: list[JSON], context: JSON, depth: int) -> JSON:
        fitted = arguments if self.signature is None else self.signature.fit(arguments, context)
        run.depth = depth
        return self.implementation(run, *fitted)


class PartialFunction(Procedure):
    """`f(a, ?)`: `template` holds the arguments given, and UNSET for those to come."""

    __slots__ = ("function", "template")

    def __init__(self, function: Procedure, template: list[JSON]) -> None:
        self.function = function
        self.template = template
        self.arity = template.count(UNSET)

    def apply(self, run: Run, arguments: list[JSON], context: JSON, depth: int) -> JSON:
        coming = iter(arguments)
        filled = [next(coming, UNDEFINED) if value is UNSET else value for value in self.template]
        if isinstance(self.function, Closure):
            return self.function.enter(run, filled, depth)
        return self.function.apply(run, filled, UNDEFINED, depth)


class Composition(Procedure):
    """`f ~> g`"""

    __slots__ = ("first", "second")

    def __init__(self, first: JSON, second: JSON) -> None:
        self.first = first
        self.second = second
        self.arity = 1

    def apply(self, run: Run, arguments: list[JSON], context: JSON, depth: int) -> JSON:
        result = invoke(run, self.first, arguments[:1], depth + 1)
        return TailCall(self.second, [result], None)
