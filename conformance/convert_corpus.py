"""`python -m conformance.convert_corpus FOLDER`: published JSONPath definitions converted, and both forms run.

    definitions.jsonl   each one that is valid, on inputs made up from the paths that it mentions (`shapes.py`)
    io_cases.jsonl      each one, on its own input with its own answers

Prints what was not converted and which runs end differently, then the figures; the last line is
`convert: P of N whole, Q of R runs equal`. Exit status 1 when a converted definition is not valid.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.corpus import Mocks
from conformance.shapes import Tasks, input_for, shape_of
from kaidan.asl.language import Program, compile_definition, diagnose
from kaidan.convert import NOT_CONVERTED, Conversion, convert
from kaidan.limits import Limits
from kaidan.protocol.effects import RunTask
from kaidan.runtime.simulated import World, simulate
from kaidan.values import dumps, equal

Record = dict[str, Any]
Answer = Callable[[RunTask], Any]

LIMITS = Limits(history_events_max=400)
"""Loops on made-up data seldom end by themselves."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@dataclass(slots=True)
class Figures:
    definitions: int = 0
    whole: int = 0
    invalid: int = 0
    runs: int = 0
    equal: int = 0
    succeeded: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Outcome:
    status: str
    output: Any
    why: str

    def agrees(self, other: Outcome) -> bool:
        return self.status == other.status and equal(self.output, other.output)


def outcome(program: Program, data: Any, answer: Answer, seed: int) -> Outcome:
    execution = simulate(program, data, World(seed=seed, answer=answer), limits=LIMITS).execution
    output = execution.output.value if execution.output else None
    return Outcome(execution.status, _without_uuids(output), f"{execution.error}: {execution.cause}")


def _without_uuids(value: Any) -> Any:
    return json.loads(_UUID.sub("<uuid>", json.dumps(value)))


def examine(
    name: str, definition: Any, figures: Figures, runs: Iterator[tuple[Any, Callable[[], Answer], int]]
) -> None:
    """Convert one definition, and run it and what became of it side by side."""
    figures.definitions += 1
    conversion = convert(definition)
    figures.whole += conversion.whole
    _tell(name, conversion, figures)
    errors = [found for found in diagnose(json.dumps(conversion.definition)) if found.severity == "ERROR"]
    if errors:
        figures.invalid += 1
        print(f"{name}: invalid after conversion: {errors[0]}")
        return
    before, after = compile_definition(definition), compile_definition(conversion.definition)
    for data, answers, seed in runs:
        _compare(name, before, after, (data, answers, seed), figures)


def _tell(name: str, conversion: Conversion, figures: Figures) -> None:
    for found in conversion.findings:
        if found.code == NOT_CONVERTED:
            figures.reasons[found.message.partition(": ")[2]] += 1
            print(f"{name}: {found}")


def _compare(
    name: str, before: Program, after: Program, run: tuple[Any, Callable[[], Answer], int], figures: Figures
) -> None:
    data, answers, seed = run
    given, made = (outcome(program, data, answers(), seed) for program in (before, after))
    figures.runs += 1
    figures.succeeded += given.status == "SUCCEEDED"
    if given.agrees(made):
        figures.equal += 1
        return
    figures.kinds[f"{given.status} → {made.status}"] += 1
    print(f"{name} seed {seed}: {_shown(given)}\n    → {_shown(made)}\n    input {dumps(data)[:300]}")


def _shown(found: Outcome) -> str:
    return f"{found.status} {dumps(found.output)[:300] if found.status == 'SUCCEEDED' else found.why[:400]}"


def _made_up(definition: Any, count: int) -> Iterator[tuple[Any, Callable[[], Answer], int]]:
    shape = shape_of(definition)
    for seed in range(count):
        yield input_for(shape, seed), (lambda seed=seed: Tasks(shape, seed)), seed  # type: ignore[misc]


def _definitions(folder: Path) -> Iterator[tuple[str, Any]]:
    for record in _read(folder / "definitions.jsonl"):
        text = record["definition"] if isinstance(record["definition"], str) else json.dumps(record["definition"])
        kind = "EXPRESS" if record.get("machine_type") == "EXPRESS" else "STANDARD"
        if record["query_language"] != "JSONata" and _is_valid(text, kind):
            yield record["id"], json.loads(text)


def _is_valid(text: str, kind: Any = "STANDARD") -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return not any(found.severity == "ERROR" for found in diagnose(text, workflow_type=kind))


def _read(path: Path) -> list[Record]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="conformance.convert_corpus", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--inputs", type=int, default=6, help="how many for each definition")
    parser.add_argument("--only", default="", help="ids that contain this")
    options = parser.parse_args(arguments)
    made_up, cases = Figures(), Figures()
    for name, definition in _definitions(options.folder):
        if options.only in name:
            examine(name, definition, made_up, _made_up(definition, options.inputs))
    for case in _read(options.folder / "io_cases.jsonl"):
        text = json.dumps(case["definition"])
        if options.only in case["id"] and case["query_language"] != "JSONata" and _is_valid(text):
            mocks = case.get("mocks") or []
            run = (case["input"], lambda mocks=mocks: Mocks(mocks), 0)
            examine(case["id"], case["definition"], cases, iter([run]))
    _summary("definitions", made_up)
    _summary("io cases", cases)
    total = [getattr(made_up, name) + getattr(cases, name) for name in ("whole", "definitions", "equal", "runs")]
    print("convert: {} of {} whole, {} of {} runs equal".format(*total))
    return 1 if made_up.invalid or cases.invalid else 0


def _summary(name: str, figures: Figures) -> None:
    print(
        f"{name}: {figures.whole} of {figures.definitions} whole, {figures.invalid} invalid after conversion; ", end=""
    )
    print(f"{figures.equal} of {figures.runs} runs equal ({figures.succeeded} of the originals succeed)")
    for title, counts in (("not converted", figures.reasons), ("different", figures.kinds)):
        for what, count in counts.most_common():
            print(f"    {title}: {count} × {what}")


if __name__ == "__main__":
    sys.exit(main())
