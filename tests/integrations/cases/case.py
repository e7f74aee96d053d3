"""The form of a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kaidan.values import JSON
from tests.integrations.modelled import Asked, Members, Refusal

THEN = datetime(2024, 2, 3, 4, 5, 6, 789_000, UTC)
THEN_MS = 1706933106789
THEN_S = THEN.replace(microsecond=0)
THEN_S_MS = 1706933106000
"""A moment, and how results say it: what goes over the wire in whole seconds has lost the rest."""

GONE = Refusal("ResourceNotFoundException", "gone", 404)


@dataclass(frozen=True)
class Ending:
    """What `.sync` does beyond request-response.

    ask: the question. running, succeeded, failed: its answers while the job runs, and once it has ended. result, cause:
    the task's, cause as JSON. stop: what stops the job with its task. marks: members that only `.sync` sends.
    """

    ask: Asked
    running: Members
    succeeded: Members | Refusal
    result: JSON
    failed: Members | None = None
    cause: JSON = None
    stop: Asked | None = None
    marks: Members = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """`asked`: the operations and their requests, the last one the action itself; `answers` in the same order."""

    action: str
    parameters: dict[str, Any]
    asked: list[Asked]
    answers: list[Members]
    result: JSON
    ends: Mapping[str, Ending] = field(default_factory=dict)
    token: bool = False

    @property
    def patterns(self) -> tuple[str, ...]:
        return ("", *self.ends, *((".waitForTaskToken",) if self.token else ()))
