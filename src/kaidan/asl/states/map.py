"""Map: runs its item processor once per item of an array. Source: States Language spec, "Map State"; AWS guide,
"Map workflow state" (INLINE and DISTRIBUTED modes).

`Iterator` and `Parameters` are the older names of ItemProcessor and ItemSelector. What only the Distributed mode
has is in `distributed.py`.
"""

from __future__ import annotations

from kaidan.asl.states.dataflow import Definition
from kaidan.asl.states.distributed import Distribution
from kaidan.asl.states.numbers import count
from kaidan.asl.states.state import Compiler, State
from kaidan.asl.states.visit import FanOut, Visit
from kaidan.errors import runtime_error
from kaidan.values import JSON, Payload


class Map(State):
    __slots__ = (
        "_concurrency",
        "_items",
        "_selector",
        "distributed",
        "distribution",
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
        self.distribution = Distribution(definition, compiler)
        self.express: bool = config.get("ExecutionType") == "EXPRESS"
        self.label: str | None = definition.get("Label")
        self._items = compiler.items(definition, objects=self.distributed)
        self._selector = compiler.item_selector(definition)
        self._concurrency = compiler.value(definition, "MaxConcurrency")

    @property
    def selects(self) -> bool:
        """Whether children get something else than the item."""
        return self._selector is not None

    def enter(self, visit: Visit) -> FanOut:
        effective = self.flow.arguments(visit)
        if not self.distributed and self.distribution.is_used:
            fields = "The ItemReader, ItemBatcher and ResultWriter fields"
            raise runtime_error(f"{fields} are not supported for INLINE maps")
        concurrency = count(self._concurrency, "MaxConcurrency", visit)
        items = [] if self.distribution.reads else self._items(visit, effective)
        if isinstance(items, dict):
            members = [{"Key": key, "Value": value} for key, value in items.items()]
            return FanOut(effective, (self.processor,), members, concurrency, keyed=True)
        return FanOut(effective, (self.processor,), items, concurrency)

    def item_input(self, visit: Visit, effective: Payload, item: JSON) -> Payload:
        """What one iteration gets: the item, or what ItemSelector makes of it (`visit` sees the item in `$$`)."""
        return self._selector(visit, effective) if self._selector else Payload(item)
