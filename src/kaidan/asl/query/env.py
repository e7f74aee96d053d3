"""What an expression may see while it is evaluated: the context object, the variables, and a source of chance.

Every compiled expression is a callable `(data, env) -> value`: `data` is what `$` means at that place
(JSONPath), or what `$states` is built from (JSONata). Expressions know nothing of states or frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from kaidan.values import JSON


class Source(Protocol):
    """Where UUIDs and random numbers come from: handed in by the runtime, so that the core stays pure."""

    def uuid4(self) -> str:
        """A random UUID in its text form, `f47ac10b-58cc-4372-a567-0e02b2c3d479`."""

    def random(self) -> float:
        """A number in [0, 1)."""


class Env:
    """The surroundings of one evaluation.

    `context()` gives the Context object (`$$`), made on first use; `variables` maps names (without `$`) to
    values, inner scopes first; `now_ms` is the time of the event that is being handled (Unix milliseconds).
    """

    __slots__ = ("_context", "_make_context", "now_ms", "source", "variables")

    def __init__(
        self,
        make_context: Callable[[], JSON],
        variables: Mapping[str, JSON],
        source: Source,
        now_ms: int,
    ) -> None:
        self._make_context = make_context
        self._context: JSON = None
        self.variables = variables
        self.source = source
        self.now_ms = now_ms

    def context(self) -> JSON:
        if self._context is None:
            self._context = self._make_context()
        return self._context


Expression: TypeAlias = Callable[[JSON, Env], JSON]
"""A compiled expression. Raises StateError when it cannot give a value."""
