"""`python -m conformance FOLDER`: replay a folder of recordings against the engine in this process."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from conformance import report
from conformance.cases import Case, Selection, load
from conformance.run import Result, run_case
from conformance.targets import Factory, InProcess


def main(arguments: Sequence[str] | None = None, factory: Factory = InProcess) -> int:
    """0 when everything passed (or --minimum was reached), 1 when not, 2 when there is nothing to replay."""
    options = _parser().parse_args(arguments)
    cases = _selection(options).of(load(options.folder))
    if not cases:
        print(f"no case chosen from {options.folder}", file=sys.stderr)
        print(report.figure([]))
        return 2
    if options.http:
        factory = _over_http()
    elif factory is InProcess and any(case.needs or case.mock_config for case in cases):
        factory = _emulated()
    run = partial(run_case, factory=factory, limit_s=options.limit, exempt=options.exempt, letter=options.letter)
    results = list(_results(cases, run, options.jobs))
    for line in report.lines(results, options.verbose):
        print(line)
    return 0 if report.passed(results) * 100 >= options.minimum * len(results) else 1


def _results(cases: list[Case], run: partial[Result], jobs: int) -> Iterator[Result]:
    if jobs <= 1:
        yield from map(run, cases)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(run, cases, chunksize=4)


def _over_http() -> Factory:
    from conformance.http_target import OverHttp

    return OverHttp


def _emulated() -> Factory:
    from conformance.emulated import Emulated

    return Emulated


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    add = parser.add_argument
    add("folder", type=Path, help="holds the recordings, one JSON file per area")
    add("--kinds", default="", help="execution,validate,… (all)")
    add("--needs", default="any", help="none, any, or the services that may be needed: lambda,sqs (any)")
    add(
        "--language",
        default="any",
        choices=("jsonpath", "jsonata", "any", ""),
        help="of the definitions (any)",
    )
    add("--only", default="", help="regular expression that the id must contain")
    add("--minimum", type=float, default=100.0, help="percentage that makes the exit status 0 (100)")
    add("--exempt", action="store_true", help="leave out the paths each recording exempts (step 4 of FORMAT)")
    add("--letter", action="store_true", help="apply all constant replacements, whatever a recording's age")
    add("--limit", type=float, default=120, help="seconds of real time per case, 0 for none (120)")
    add("--http", action="store_true", help="call a server process with boto3, instead of the engine in this one")
    add("-j", "--jobs", type=int, default=1, help="processes (1)")
    add("-v", "--verbose", action="store_true", help="show where each case differs")
    return parser


def _selection(options: argparse.Namespace) -> Selection:
    """An empty option means its default, so that a Makefile can always pass them all."""
    needs = {"any": None, "": None, "none": frozenset[str]()}
    return Selection(
        kinds=frozenset(options.kinds.split(",")) if options.kinds not in ("", "any") else None,
        needs=needs[options.needs] if options.needs in needs else frozenset(options.needs.split(",")),
        language=options.language if options.language in ("jsonpath", "jsonata") else None,
        only=options.only or None,
    )


if __name__ == "__main__":
    sys.exit(main())
