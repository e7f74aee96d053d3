"""Recorded cases: reading a folder of them and choosing among them (FORMAT sections 1 and 2).

Knows how a case is written, not how it is replayed or compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]

ACCOUNT = "111111111111"
REGION = "us-east-1"
"""Literal in the recordings, so the service under test must have them."""

INDEX = "index.json"
MOCKED = " (mocked)"
"""What the id of a case ends with when it runs with its mock configuration."""


@dataclass(frozen=True, slots=True)
class Call:
    """One step: `{"n": 3, "service": "stepfunctions", "operation": "StartExecution", "params": {..}}`.

    expect: None (must succeed), "error" (the service refuses) or "client_side_error" (boto3 itself refuses).
    actor: None (the test proper), "helper" or "background-N".
    """

    n: int
    service: str
    operation: str
    params: JsonObject
    expect: str | None = None
    actor: str | None = None
    account: str | None = None
    polling: bool = False

    @property
    def background(self) -> str | None:
        return self.actor if self.actor is not None and self.actor.startswith("background-") else None

    def __str__(self) -> str:
        return f"call {self.n} {self.operation}"


@dataclass(frozen=True, slots=True)
class Check:
    """`source` says how to build an observed value, `key` which recorded value it must equal (section 3)."""

    key: str
    source: JsonObject


@dataclass(frozen=True, slots=True)
class Case:
    """One recording.

    as_of: the day AWS last gave these answers.
    concurrent: history key → container types ("Parallel", "Map") whose children interleaved when recorded.
    nonterminal: numbers of the StartExecution calls whose execution was recorded while still running.
    exempt: JSONPaths that whoever made the recordings does not compare.
    mock_config: a Step Functions Local mock configuration, when the case runs with mocked tasks.
    """

    id: str
    area: str
    kind: str
    calls: tuple[Call, ...]
    checks: tuple[Check, ...]
    rules: tuple[JsonObject, ...]
    recorded: JsonObject
    needs: tuple[str, ...] = ()
    as_of: date | None = None
    concurrent: dict[str, list[str]] = field(default_factory=dict)
    nonterminal: frozenset[int] = frozenset()
    exempt: tuple[str, ...] = ()
    mock_config: JsonObject | None = None

    @property
    def mentions_jsonata(self) -> bool:
        return any("JSONata" in json.dumps(call.params, ensure_ascii=False) for call in self.calls)


def load(folder: Path) -> list[Case]:
    """Every case of every `*.json` of the folder but its index, each followed by its mocked form if any."""
    files = sorted(path for path in folder.glob("*.json") if path.name != INDEX)
    return [case for path in files for raw in json.loads(path.read_text())["cases"] for case in read(raw)]


def read(raw: JsonObject) -> Iterator[Case]:
    """A case as it stands in the file; then, where there is one, the same with mocked tasks."""
    yield _case(raw, raw)
    if mocked := raw.get("mocked"):
        yield _case(raw, mocked, MOCKED)


def _case(raw: JsonObject, acts: JsonObject, suffix: str = "") -> Case:
    executions: list[JsonObject] = raw.get("executions", [])
    unmocked = [e for e in executions if acts is raw]
    return Case(
        id=raw["id"] + suffix,
        area=raw["area"],
        kind=raw["kind"],
        calls=tuple(map(_call, acts["calls"])),
        checks=tuple(Check(check["key"], check["source"]) for check in acts["checks"]),
        rules=tuple(acts["normalise"]),
        recorded=raw["recorded"],
        needs=tuple(raw.get("needs", ())),
        as_of=_as_of(raw),
        concurrent={e["history_key"]: e["concurrent"] for e in executions if e.get("concurrent")},
        nonterminal=frozenset(e["start"] for e in unmocked if e.get("nonterminal")),
        exempt=tuple(raw.get("localstack_exempt_paths", ())),
        mock_config=acts.get("mock_config"),
    )


def _call(raw: JsonObject) -> Call:
    return Call(
        n=raw["n"],
        service=raw["service"],
        operation=raw["operation"],
        params=raw["params"],
        expect=raw.get("expect"),
        actor=raw.get("actor"),
        account=raw.get("account"),
        polling=bool(raw.get("polling")),
    )


def _as_of(raw: JsonObject) -> date | None:
    """`last_validated` is ISO 8601, `recorded_date` is `17-03-2024, 11:09:25`."""
    if validated := raw.get("last_validated"):
        return datetime.fromisoformat(validated).date()
    if recorded := raw.get("recorded_date"):
        return datetime.strptime(recorded, "%d-%m-%Y, %H:%M:%S").date()
    return None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which cases to run. None means all.

    needs: the outside services that may be needed (`frozenset()`: none); a mocked case has its original's.
    language: "jsonata" for the cases whose calls mention JSONata, "jsonpath" for the others.
    only: a regular expression that must be found in the id.
    """

    kinds: frozenset[str] | None = None
    needs: frozenset[str] | None = None
    language: str | None = None
    only: str | None = None

    def __contains__(self, case: Case) -> bool:
        return (
            (self.kinds is None or case.kind in self.kinds)
            and (self.needs is None or self.needs.issuperset(case.needs))
            and (self.language is None or (self.language == "jsonata") == case.mentions_jsonata)
            and (self.only is None or re.search(self.only, case.id) is not None)
        )

    def of(self, cases: Iterable[Case]) -> list[Case]:
        return [case for case in cases if case in self]
