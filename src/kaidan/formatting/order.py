"""The order in which the members of a definition's objects are written. Walks the field tables; names no state type.

What a state has for its data (Parameters, Output, Assign, …) keeps the order in which it was written, and so do the
states themselves. Knows nothing of text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from kaidan.asl.states import TABLES
from kaidan.asl.states.fields import MACHINE, Field, Items, Kind, Record, States

ORDER: Final = (
    # what it is
    *("<<", "Type", "Comment", "QueryLanguage", "Version", "Label", "ProcessorConfig", "StartAt"),
    *("ErrorEquals", "Mode", "ExecutionType", "InputType", "Transformation", "OutputType", "ManifestType"),
    # its input
    *("InputPath", "ItemReader", "ItemsPath", "Items", "ItemSelector", "ItemBatcher"),
    # its work
    *("Resource", "Parameters", "Arguments", "Credentials", "ReaderConfig", "WriterConfig"),
    *("CSVHeaderLocation", "CSVHeaders", "CSVDelimiter", "ItemsPointer", "MaxItems", "MaxItemsPath"),
    *("MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath", "BatchInput"),
    *("Result", "Seconds", "SecondsPath", "Timestamp", "TimestampPath", "Error", "ErrorPath", "Cause", "CausePath"),
    *("Variable", "And", "Or", "Not", "Condition"),
    *("TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath"),
    *("MaxConcurrency", "MaxConcurrencyPath", "ToleratedFailureCount", "ToleratedFailureCountPath"),
    *("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
    *("IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy"),
    *("Choices", "Default", "ItemProcessor", "Iterator", "Branches", "States"),
    # what is not listed, such as the operators of a choice rule, comes here; then its output
    *("ResultWriter", "ResultSelector", "ResultPath", "OutputPath", "Output", "Assign"),
    # what comes next
    *("Retry", "Catch", "Next", "End"),
)
"""One order for all objects: no two fields are in one object in this order and in another in the opposite one."""

_RANKS: Final = {name: 2 * rank for rank, name in enumerate(ORDER)}
_OTHERS: Final = _RANKS["ResultWriter"] - 1

Text: TypeAlias = Callable[[str], str | None]
"""The text of a member that is a string."""


class Place:
    """One object or array of a definition: what its members are, and in which order they go."""

    __slots__ = ("_kind",)

    def __init__(self, kind: Kind | None = MACHINE) -> None:
        self._kind = kind

    @property
    def ordered(self) -> bool:
        """Whether its members have an order of their own."""
        return isinstance(self._kind, Record)

    @property
    def broad(self) -> bool:
        """Whether each member gets a line of its own, even if all of them would fit on one."""
        kind = self._kind
        if isinstance(kind, Items):
            return isinstance(kind.of, Record)
        return isinstance(kind, States) or (isinstance(kind, Record) and kind.scope)

    def arranged(self, names: Sequence[str]) -> list[int]:
        """The indexes of the members in their order. Names that are not known stay beside each other."""
        indexes = list(range(len(names)))
        return sorted(indexes, key=lambda at: _RANKS.get(names[at], _OTHERS)) if self.ordered else indexes

    def member(self, name: str, text: Text) -> Place:
        """The place of a member. `text` gives the strings in it: a state is known by its Type."""
        if isinstance(self._kind, States):
            return Place(TABLES.get(text("Type") or ""))
        if isinstance(self._kind, Record):
            fields: dict[str, Field] = {field.name: field for field in self._kind.table}
            return Place(fields[name].kind if name in fields else None)
        return Place(None)

    def item(self) -> Place:
        return Place(self._kind.of if isinstance(self._kind, Items) else None)
