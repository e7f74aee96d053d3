"""Where AWS's own answers changed over time: one dated row per change.

Kaidan answers as AWS does today. Recordings of the service are dated, and replaying an old one asks for the
answers of its day; `as_of(date)` gives them. Every row names the change, the first day on which the new
behaviour was seen, and what it was seen in. Nothing else in the engine depends on dates.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

REDRIVE = datetime.date(2023, 11, 15)
"""Redrive was launched: the context object gained Execution.RedriveCount, DescribeExecution its redrive members."""

COMPACT_INPUT = datetime.date(2024, 5, 1)
"""States get an execution's input as compact JSON; before, as the text that was sent, which ExecutionStarted has."""

ENCRYPTION = datetime.date(2024, 7, 25)
"""Customers' keys were launched: DescribeStateMachine, DescribeStateMachineForExecution and DescribeActivity gained
encryptionConfiguration (recorded without until June 2024, with it in November)."""

MAP_RUN_EXIT = datetime.date(2024, 11, 1)
"""MapStateExited of a Distributed Map points to MapRunStarted; before, to MapRunSucceeded."""

DATA_SOURCES = datetime.date(2025, 9, 18)
"""Distributed Maps gained data sources: a JSON object is a dataset of its members (before: "Attempting to map over
non-iterable node."), and the context object has Map.Item.Source."""

SDK_ATTEMPTS = datetime.date(2025, 6, 1)
"""Causes of AWS SDK errors end in ` (SDK Attempt Count: 1)`."""


@dataclass(frozen=True, slots=True)
class Revision:
    """How AWS answered at one date. The defaults are today's answers."""

    redrive: bool = True
    compact_input: bool = True
    encryption: bool = True
    map_exit_follows_run_start: bool = True
    data_sources: bool = True
    sdk_attempt_count: bool = True


TODAY = Revision()


def as_of(date: datetime.date | None) -> Revision:
    """The revision in force on a date; None means today."""
    if date is None:
        return TODAY
    return Revision(
        redrive=date >= REDRIVE,
        compact_input=date >= COMPACT_INPUT,
        encryption=date >= ENCRYPTION,
        map_exit_follows_run_start=date >= MAP_RUN_EXIT,
        data_sources=date >= DATA_SOURCES,
        sdk_attempt_count=date >= SDK_ATTEMPTS,
    )
