"""Map: runs its item processor once per item of an array. Source: States Language spec, "Map State"; AWS guide,
"Map workflow state" (INLINE and DISTRIBUTED modes).

`Iterator` and `Parameters` are the older names of ItemProcessor and ItemSelector.
"""

from __future__ import annotations

from dataclasses import dataclass

from kaidan.asl.states.dataflow import Definition
from kaidan.asl.states.numbers import floating, integer
from kaidan.asl.states.state import Compiler, State
from kaidan.asl.states.visit import FanOut, Visit
from kaidan.errors import runtime_error
from kaidan.values import JSON, Payload


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How many children of a Distributed Map may fail before the state does."""

    count: int
    percentage: float

    def exceeded(self, failures: int, total: int) -> bool:
        """The threshold is passed when both allowances are (a missing one is zero)."""
        return failures > self.count and failures * 100 > self.percentage * total


class Map(State):
    __slots__ = (
        "_concurrency",
        "_items",
        "_selector",
        "_tolerated_count",
        "_tolerated_percentage",
        "distributed",
        "express",
        "label",
        "processor",
    )

    def __init__(self, definition: Definition, compiler: Compiler) -> None:
        super().__init__(definition, compiler, compiler.flow(definition))
        name = "ItemProcessor" if "ItemProcessor" in definition else "Iterator"
        config = definition[name].get("ProcessorConfig", {})
        self.processor = compiler.scope(definition[name], f"{compiler.pointer}/{name}")
        self.distributed: bool = config.get("Mode") == "DISTRIBUTED"
        self.express: bool = config.get("ExecutionType") == "EXPRESS"
        self.label: str | None = definition.get("Label")
        self._items = compiler.items(definition)
        self._selector = compiler.item_selector(definition)
        self._concurrency = compiler.value(definition, "MaxConcurrency")
        self._tolerated_count = compiler.value(definition, "ToleratedFailureCount")
        self._tolerated_percentage = compiler.value(definition, "ToleratedFailurePercentage")

    def enter(self, visit: Visit) -> FanOut:
        effective = self.flow.arguments(visit)
        concurrency = integer(self._concurrency, "MaxConcurrency", visit) or 0
        if concurrency < 0:
            raise runtime_error("MaxConcurrency cannot be negative.")
        return FanOut(effective, (self.processor,), self._items(visit, effective), concurrency)

    def tolerance(self, visit: Visit) -> Tolerance:
        """Evaluated once the Map has started (recorded: its errors come after MapStateStarted)."""
        count = integer(self._tolerated_count, "ToleratedFailureCount", visit) or 0
        percentage = floating(self._tolerated_percentage, "ToleratedFailurePercentage", visit) or 0
        if count < 0:
            raise runtime_error("ToleratedFailureCount cannot be negative.")
        if not 0 <= percentage <= 100:
            raise runtime_error("ToleratedFailurePercentage must be between 0 and 100.")
        return Tolerance(count, percentage)

    def item_input(self, visit: Visit, effective: Payload, item: JSON) -> Payload:
        """What one iteration gets: the item, or what ItemSelector makes of it (`visit` sees the item in `$$`)."""
        return self._selector(visit, effective) if self._selector else Payload(item)
