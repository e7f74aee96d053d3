"""`python -m conformance.corpus FOLDER`: published definitions and their expected results against the engine.

    io_cases.jsonl      definition and input → what must come out; run in the simulated runtime
    definitions.jsonl   definitions known to be valid or invalid → accepted or refused

Prints each disagreement, then the figures. Exit status 1 when a high-trust case or a known definition disagrees
and is not among `--judged`, a file of ids with the reason for each.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kaidan.asl.language import diagnose, load
from kaidan.errors import DefinitionError, StateError
from kaidan.protocol.effects import RunTask
from kaidan.runtime.run import Run
from kaidan.runtime.simulated import World, simulate
from kaidan.values import dumps, equal

Record = dict[str, Any]

JUDGED = Path(__file__).with_name("judged.json")
"""Disagreements that were looked at one by one, with the reason why the engine is right."""


class Mocks:
    """Tasks answer as the case says: by state, in order where there are several answers."""

    def __init__(self, mocks: list[Record]) -> None:
        self._by_state = {mock["state"]: mock for mock in mocks}
        self._calls: Counter[str] = Counter()

    def __call__(self, task: RunTask) -> Any:
        mock = self._by_state.get(task.state)
        if mock is None:
            raise StateError("Unmocked", f"no answer for {task.state}")
        number = self._calls[task.state]
        self._calls[task.state] += 1
        return self._answer(mock, number, task)

    def _answer(self, mock: Record, number: int, task: RunTask) -> Any:
        if "responses" in mock:
            return _given(mock["responses"][min(number, len(mock["responses"]) - 1)])
        if "conditions" in mock:
            return self._conditional(mock["conditions"], task)
        return _given(mock if "error" in mock else mock.get("response"))

    def _conditional(self, conditions: list[Record], task: RunTask) -> Any:
        for condition in conditions:
            if "when" not in condition:
                return _given(condition.get("default", condition))
            if _contains(task.parameters.value, condition["when"]["input"]):
                return _given(condition if "error" in condition else condition["response"])
        return None


def _given(answer: Any) -> Any:
    """An answer, or the error that it stands for: `{"error": {"type", "cause"}}`."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict) and "type" in error:
        raise StateError(error["type"], error.get("cause"))
    return answer


def _contains(value: Any, part: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(value, dict) and all(key in value and _contains(value[key], part[key]) for key in part)
    return equal(value, part)


def run_case(case: Record) -> str | None:
    """What is wrong with what comes out, or None."""
    expected_status = case.get("expected_status")
    try:
        program = load(json.dumps(case["definition"])).program
    except DefinitionError as problem:
        refusable = expected_status in ("INVALID_DEFINITION", "FAILED") or "expected_error" in case
        return None if refusable else f"refused: {problem}"
    if expected_status == "INVALID_DEFINITION":
        return "accepted"
    run = simulate(program, case["input"], World(answer=Mocks(case.get("mocks") or [])))
    return "; ".join(_problems(case, run)) or None


def _problems(case: Record, run: Run) -> Iterator[str]:
    execution = run.execution
    failed = "expected_error" in case or case.get("expected_status") == "FAILED"
    wanted = "FAILED" if failed else "SUCCEEDED"
    if execution.status != wanted and not ("expected_path" in case and "expected_output" not in case):
        yield f"{execution.status} ({execution.error}: {execution.cause}) instead of {wanted}"
    if case.get("expected_error", "*") not in ("*", execution.error):
        yield f"error {execution.error} instead of {case['expected_error']}"
    output = execution.output.value if execution.output else None
    if "expected_output" in case and not failed and not equal(output, case["expected_output"]):
        yield f"output {dumps(output)} instead of {dumps(case['expected_output'])}"
    if "expected_output_subset" in case and not _contains(output, case["expected_output_subset"]):
        yield f"output {dumps(output)} lacks {dumps(case['expected_output_subset'])}"
    visited = [event.details["name"] for event in run.history if event.type.endswith("StateEntered") and event.details]
    if "expected_path" in case and visited[: len(case["expected_path"])] != case["expected_path"]:
        yield f"visited {visited} instead of {case['expected_path']}"
    yield from _check_values(case, run, output)


def _check_values(case: Record, run: Run, output: Any) -> Iterator[str]:
    for check in case.get("checks", ()):
        found = _pick(output, check["path"])
        if "as_text" in check and _text(found) != check["as_text"]:
            yield f"{check['path']} is {found!r} instead of {check['as_text']}"
        if "equals" in check and not equal(found, check["equals"]):
            yield f"{check['path']} is {found!r} instead of {check['equals']!r}"
    assigned = next((event.details for event in run.history if event.type.endswith("StateExited")), None) or {}
    for check in case.get("expected_variables_after_first", ()):
        text = assigned.get("assignedVariables", {}).get(check["variable"])
        if text is None or _text(json.loads(text)) != check["as_text"]:
            yield f"${check['variable']} is {text} instead of {check['as_text']}"


def _pick(value: Any, path: str) -> Any:
    """A value by a path of names and indexes: `$.output.Param`, `$.a[0]`."""
    for step in path.removeprefix("$").replace("[", ".").replace("]", "").split("."):
        if step:
            value = value[int(step)] if isinstance(value, list) else (value or {}).get(step)
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value)


def check_definition(record: Record) -> str | None:
    """Whether a definition of known worth is taken for what it is."""
    text = record["definition"] if isinstance(record["definition"], str) else json.dumps(record["definition"])
    kind = "EXPRESS" if record.get("machine_type") == "EXPRESS" else "STANDARD"
    errors = [d for d in diagnose(text, workflow_type=kind) if d.severity == "ERROR"]  # type: ignore[arg-type]
    if record["expected"] == "valid" and errors:
        return f"refused: {errors[0]}"
    return "accepted" if record["expected"] == "invalid" and not errors else None


def _read(path: Path) -> list[Record]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="conformance.corpus", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--language", default="any", help="JSONPath, JSONata, mixed or any")
    parser.add_argument("--judged", type=Path, default=JUDGED, help="JSON: id → why the disagreement is right")
    options = parser.parse_args(arguments)
    judged = json.loads(options.judged.read_text(encoding="utf-8"))
    cases = [case for case in _read(options.folder / "io_cases.jsonl") if _speaks(case, options.language)]
    records = [r for r in _read(options.folder / "definitions.jsonl") if _speaks(r, options.language)]
    open_points = _report("io cases", [c for c in cases if c["trust"] == "high"], run_case, judged)
    _report("io cases (medium trust)", [c for c in cases if c["trust"] != "high"], run_case, judged)
    for worth in ("valid", "invalid"):
        chosen = [record for record in records if record["expected"] == worth]
        open_points += _report(f"{worth} definitions", chosen, check_definition, judged)
    return 1 if open_points else 0


def _speaks(record: Record, language: str) -> bool:
    return language in ("any", record["query_language"])


def _report(name: str, records: list[Record], check: Any, judged: dict[str, str]) -> int:
    """Print disagreements and the figure; the number of those that nobody has judged."""
    agreeing = unjudged = 0
    for record in records:
        what = check(record)
        if what is None:
            agreeing += 1
            continue
        reason = judged.get(record["id"])
        unjudged += reason is None
        title = record.get("title") or record.get("origin") or ""
        print(f"{record['id']} {title}: {what[:300]}" + (f"\n    judged: {reason}" if reason else ""))
    share = 100 * agreeing / len(records) if records else 100
    others = len(records) - agreeing - unjudged
    print(f"{name}: {agreeing} of {len(records)} agree ({share:.1f} %), {others} judged, {unjudged} open")
    return unjudged


if __name__ == "__main__":
    sys.exit(main())
