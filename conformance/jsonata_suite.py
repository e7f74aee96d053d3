"""The official JSONata cases, and the speed of three expressions: `python -m conformance.jsonata_suite FOLDER`.

FOLDER holds `groups/*/case*.json` and `datasets/` as in the test suite of jsonata-js. The cases are those of the newest
version; what Step Functions does differently is named in `AWS_DIFFERENCES`. `--strict` compiles as Step Functions does,
so that the operators of JSONata 2.1 are refused and their cases counted as failures.

Prints a line for every failing case, the totals, and in the end `jsonata: P of N`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kaidan.asl.query.env import Env
from kaidan.asl.query.jsonata import (
    UNDEFINED,
    JsonataError,
    JsonataSyntaxError,
    LimitExceeded,
    Limits,
    compile_expression,
    is_function,
)
from kaidan.values import JSON, equal

AWS_DIFFERENCES = {
    "function-eval/": "T1006",
    "tail-recursion/case002": "",
    "tail-recursion/case005": "",
    "tail-recursion/case006": "",
}
"""Case (or group) to the error code expected instead of what the case says.

There is no `$eval` on Step Functions: calling it is calling nothing. Its bounds have texts without a code (U1001).
"""

STACK = 40_000
"""Python's recursion limit for cases that want 500 levels of JSONata."""


class Chance:
    """The source the cases get: they do not depend on it."""

    def uuid4(self) -> str:
        return "00000000-0000-4000-8000-000000000000"

    def random(self) -> float:
        return 0.5


def environment() -> Env:
    return Env(lambda: None, {}, Chance(), int(time.time() * 1000))


@dataclass(frozen=True)
class Case:
    """One case: `expected` is a value, UNDEFINED, or a code."""

    id: str
    expression: str
    data: JSON
    bindings: dict[str, JSON]
    depth: int | None
    expected: JSON
    code: str | None
    unordered: bool


def load_cases(folder: Path) -> Iterator[Case]:
    """All cases of a copy of the suite, in the order of their names."""
    datasets = {path.stem: json.loads(path.read_text("utf-8")) for path in (folder / "datasets").glob("*.json")}
    for path in sorted((folder / "groups").glob("*/*.json")):
        group = path.parent.name
        content = json.loads(path.read_text("utf-8"))
        for number, raw in enumerate(content if isinstance(content, list) else [content]):
            name = f"{group}/{path.stem}" + (f"[{number}]" if isinstance(content, list) else "")
            yield _case(name, raw, path.parent, datasets)


def _case(name: str, raw: dict[str, Any], folder: Path, datasets: dict[str, JSON]) -> Case:
    expression = raw["expr"] if "expr" in raw else (folder / raw["expr-file"]).read_text("utf-8")
    data = raw["data"] if "data" in raw else datasets.get(raw.get("dataset") or "", UNDEFINED)
    code = raw.get("code") or raw.get("error", {}).get("code")
    expected = UNDEFINED if raw.get("undefinedResult") else raw.get("result")
    return Case(
        name, expression, data, raw.get("bindings") or {}, raw.get("depth"), expected, code, raw.get("unordered", False)
    )


def expected_code(case: Case) -> str | None:
    """The code the case must fail with, as Step Functions would have it."""
    for name, code in AWS_DIFFERENCES.items():
        if case.id.startswith(name):
            return code
    return case.code


def run_case(case: Case, *, strict: bool) -> str | None:
    """What is wrong with the outcome, or None."""
    limits = Limits(steps=60_000_000, depth=case.depth or 500, value_bytes=120_000_000, total_bytes=1_000_000_000)
    code = expected_code(case)
    try:
        program = compile_expression(case.expression, strict=strict, limits=limits)
        result = program.evaluate(case.data, case.bindings, environment())
    except LimitExceeded as problem:
        return None if code == "" else f"{problem}"
    except (JsonataSyntaxError, JsonataError) as problem:
        return None if problem.code == code else f"{problem.code}: {problem}"
    if code is not None:
        return f"no error {code}, but {_shown(result)}"
    return None if _agrees(case, result) else f"{_shown(result)}, but expected {_shown(case.expected)}"


def _agrees(case: Case, result: JSON) -> bool:
    if case.expected is UNDEFINED or result is UNDEFINED:
        return result is case.expected
    if case.unordered:
        return sorted(map(json.dumps, result)) == sorted(map(json.dumps, case.expected))
    return not is_function(result) and equal(result, case.expected)


def _shown(value: JSON) -> str:
    return json.dumps(value, default=repr, ensure_ascii=True)[:120]


# Speed

ITEMS = [
    {"id": number, "name": f"item {number}", "price": number % 97 + 0.5, "qty": number % 7, "cat": f"c{number % 10}"}
    for number in range(1000)
]
SPEED = {
    "path": "$states.input.order.customer.name",
    "sum(price*qty) of 1000": "$sum($states.input.items.(price * qty))",
    "group 1000": "$states.input.items{cat: $sum(price)}",
    "filter and construct 1000": '$states.input.items[price > 50].{"id": id, "total": price * qty}',
}
STATES = {"states": {"input": {"order": {"customer": {"name": "Ada"}}, "items": ITEMS}}}


def microseconds(evaluate: Callable[[], object]) -> float:
    """The best of some rounds of at least 50 ms."""
    evaluate()
    best = float("inf")
    for _ in range(5):
        count, started = 0, time.perf_counter()
        while time.perf_counter() - started < 0.05:
            evaluate()
            count += 1
        best = min(best, (time.perf_counter() - started) / count)
    return best * 1e6


def print_speed() -> None:
    """Microseconds for each expression, beside jsonatapy if that can be imported."""
    other = _jsonatapy()
    print("microseconds per evaluation" + ("" if other is None else " (jsonatapy in brackets)"))
    for name, text in SPEED.items():
        program, env = compile_expression(text), environment()
        own = microseconds(partial(program.evaluate, UNDEFINED, STATES, env))
        theirs = "" if other is None else f" ({microseconds(other(text)):.1f})"
        print(f"  {name:28} {own:9.1f}{theirs}")
    print(f"  {'compile':28} {microseconds(lambda: compile_expression(SPEED['group 1000'])):9.1f}")


def _jsonatapy() -> Callable[[str], Callable[[], object]] | None:
    try:
        jsonatapy = importlib.import_module("jsonatapy")
    except ImportError:
        return None

    def prepare(text: str) -> Callable[[], object]:
        compiled = jsonatapy.compile(text)
        return lambda: compiled.evaluate(None, STATES)

    return prepare


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--strict", action="store_true", help="refuse the operators of JSONata 2.1, as Step Functions")
    parser.add_argument("--no-speed", action="store_true")
    options = parser.parse_args()
    sys.setrecursionlimit(STACK)
    passed = total = 0
    for case in load_cases(options.folder):
        total += 1
        problem = run_case(case, strict=options.strict)
        passed += problem is None
        if problem is not None:
            print(f"FAIL {case.id}: {case.expression[:100]!r}: {problem}")
    if not options.no_speed:
        print_speed()
    print(f"jsonata: {passed} of {total}")
    return 0 if passed == total else 1


if __name__ == "__main__":
    raise SystemExit(main())
