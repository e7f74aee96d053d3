"""What a Map in Distributed mode has beside an Inline one: ItemReader, ItemBatcher, ResultWriter and the failures it
tolerates. Source: AWS guide, "ItemReader (Map)", "ItemBatcher (Map)", "ResultWriter (Map)", "Setting failure
thresholds".

The fields are compiled once; each Map Run evaluates them to its `Terms`, which are plain data. Nothing is read or
written here.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from kaidan.asl.states.dataflow import Definition
from kaidan.asl.states.numbers import count, integer, percentage
from kaidan.asl.states.state import Compiler, Template
from kaidan.asl.states.visit import Visit
from kaidan.values import JSON, Payload


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How many items of a Distributed Map may fail before the state does. 0 says nothing, unless both do."""

    count: int
    percentage: float

    def exceeded(self, failures: int, total: int | None) -> bool:
        """Where both are given, either is exceeded (AWS guide). `total` None: nobody knows yet how many items there
        are, so no share of them is exceeded."""
        if not self.count and not self.percentage:
            return failures > 0
        if self.count and failures > self.count:
            return True
        return bool(self.percentage) and total is not None and failures * 100 > self.percentage * total


class Terms(msgspec.Struct, kw_only=True, frozen=True):
    """The fields of one Map Run, evaluated.

    `reader` as in `effects.FetchItems`, None when the items are in the state's data; `writer` as in
    `effects.StartMapRun`. `batch_items` 0 means any number, `batch_bytes` bounds a batch's input as text.
    """

    tolerated_count: int = 0
    tolerated_percentage: float = 0
    reader: JSON = None
    batched: bool = False
    batch_items: int = 0
    batch_bytes: int = 0
    batch_input: Payload | None = None
    writer: JSON = None
    transformation: str = "COMPACT"
    lines: bool = False
    """The state's output is to be JSON Lines, as text (OutputType JSONL without a Resource)."""

    def batch(self, items: list[JSON]) -> Payload:
        """The input of the child that gets these items: `{"BatchInput": …, "Items": […]}`."""
        fixed = {} if self.batch_input is None else {"BatchInput": self.batch_input.value}
        return Payload({**fixed, "Items": items})

    def empty_batch_bytes(self) -> int:
        """The size of a batch without items."""
        fixed = self.batch_input
        return len('{"Items":[]}') + (fixed.size_bytes + len('"BatchInput":,') if fixed is not None else 0)


class Distribution:
    """The fields, compiled."""

    __slots__ = (
        "_batch_bytes",
        "_batch_input",
        "_batch_items",
        "_batched",
        "_max_items",
        "_reader",
        "_tolerated_count",
        "_tolerated_percentage",
        "_writer",
    )

    def __init__(self, definition: Definition, compiler: Compiler) -> None:
        self._tolerated_count = compiler.value(definition, "ToleratedFailureCount")
        self._tolerated_percentage = compiler.value(definition, "ToleratedFailurePercentage")
        self._reader = _S3(definition["ItemReader"], "ItemReader", compiler) if "ItemReader" in definition else None
        config = definition.get("ItemReader", {}).get("ReaderConfig", {})
        self._max_items = compiler.value(config, "MaxItems")
        batcher = definition.get("ItemBatcher", {})
        self._batched = "ItemBatcher" in definition
        self._batch_items = compiler.value(batcher, "MaxItemsPerBatch")
        self._batch_bytes = compiler.value(batcher, "MaxInputBytesPerBatch")
        self._batch_input: Template | None = None
        if "BatchInput" in batcher:
            self._batch_input = compiler.template(batcher["BatchInput"], "ItemBatcher/BatchInput")
        writer = definition.get("ResultWriter")
        self._writer = None if writer is None else _S3(writer, "ResultWriter", compiler)

    @property
    def reads(self) -> bool:
        """Whether the items come from elsewhere."""
        return self._reader is not None

    @property
    def is_used(self) -> bool:
        """Whether the definition has any of the fields that only this mode has."""
        return self._reader is not None or self._batched or self._writer is not None

    def terms(self, visit: Visit, effective: Payload, payload_bytes_max: int) -> Terms:
        """Evaluated once the Map has started (recorded: its errors come after MapStateStarted)."""
        tolerance = self.tolerance(visit)
        most_items = count(self._batch_items, "MaxItemsPerBatch", visit)
        most_bytes = count(self._batch_bytes, "MaxInputBytesPerBatch", visit)
        return Terms(
            tolerated_count=tolerance.count,
            tolerated_percentage=tolerance.percentage,
            reader=self._read(visit, effective),
            batched=self._batched,
            batch_items=most_items,
            batch_bytes=min(most_bytes or payload_bytes_max, payload_bytes_max),
            batch_input=self._batch_input(visit, effective) if self._batch_input else None,
            **self._written(visit, effective),
        )

    def _written(self, visit: Visit, effective: Payload) -> Definition:
        """What ResultWriter says. Without a Resource it only shapes the state's output."""
        writer = self._writer.evaluated(visit, effective) if self._writer else {}
        exported = "Resource" in writer
        config = {"Transformation": "NONE" if exported else "COMPACT", "OutputType": "JSON"}
        config |= writer.get("WriterConfig", {})
        return {
            "writer": {"Parameters": writer["Parameters"], **config} if exported else None,
            "transformation": config["Transformation"],
            "lines": config["OutputType"] == "JSONL" and not exported,
        }

    def tolerance(self, visit: Visit) -> Tolerance:
        failures = count(self._tolerated_count, "ToleratedFailureCount", visit)
        return Tolerance(failures, percentage(self._tolerated_percentage, "ToleratedFailurePercentage", visit))

    def _read(self, visit: Visit, effective: Payload) -> JSON:
        if self._reader is None:
            return None
        reader = self._reader.evaluated(visit, effective)
        config = {key: value for key, value in reader.get("ReaderConfig", {}).items() if key != "MaxItemsPath"}
        most = integer(self._max_items, "MaxItems", visit)
        return reader | {"ReaderConfig": config if most is None else config | {"MaxItems": most}}


_CONFIGS = ("ReaderConfig", "WriterConfig")


class _S3:
    """ItemReader or ResultWriter: a Resource, its configuration, and Parameters or Arguments."""

    __slots__ = ("_config", "_given", "_parameters")

    def __init__(self, field: Definition, name: str, compiler: Compiler) -> None:
        parameters = "Arguments" if "Arguments" in field else "Parameters"
        self._parameters: Template = compiler.template(field.get(parameters, {}), f"{name}/{parameters}")
        self._config: dict[str, Template] = {
            key: compiler.template(field[key], f"{name}/{key}") for key in _CONFIGS if key in field
        }
        self._given = {"Resource": field["Resource"]} if "Resource" in field else {}

    def evaluated(self, visit: Visit, effective: Payload) -> Definition:
        config = {key: template(visit, effective).value for key, template in self._config.items()}
        return {**self._given, "Parameters": self._parameters(visit, effective).value, **config}
