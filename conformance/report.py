"""Printing results: a table per area, the failures, and the figure on the last line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from conformance.run import Result, Verdict

COLUMNS: tuple[Verdict, ...] = ("passed", "failed", "spacing only")


def lines(results: Sequence[Result], verbose: bool = False) -> Iterator[str]:
    """verbose: with the first differing places of each case that did not pass."""
    yield from _table(results)
    yield ""
    for verdict in ("failed", "spacing only"):
        for result in results:
            if result.verdict == verdict:
                yield from _one(result, verbose)
    unordered = sum(result.unordered for result in results)
    if unordered:
        yield f"{unordered} of those that passed did so without regard to the order of concurrent children"
    predating = sum(result.predates for result in results)
    if predating:
        yield f"{predating} of those that passed were recorded before all constant replacements were in force"
    yield figure(results)


def figure(results: Sequence[Result]) -> str:
    return f"conformance: {passed(results)} of {len(results)}"


def passed(results: Sequence[Result]) -> int:
    return sum(result.verdict == "passed" for result in results)


def _table(results: Sequence[Result]) -> Iterator[str]:
    counts = Counter((result.area, result.verdict) for result in results)
    areas = sorted({result.area for result in results})
    width = max([len(area) for area in areas] + [len("total")])
    yield f"{'area':<{width}}  {'passed':>7} {'failed':>7} {'spacing only':>13} {'total':>6}"
    for area in areas:
        yield _row(area, width, [counts[area, verdict] for verdict in COLUMNS])
    yield _row("total", width, [sum(counts[area, verdict] for area in areas) for verdict in COLUMNS])


def _row(name: str, width: int, numbers: list[int]) -> str:
    ok, bad, spacing = numbers
    return f"{name:<{width}}  {ok:>7} {bad:>7} {spacing:>13} {sum(numbers):>6}"


def _one(result: Result, verbose: bool) -> Iterator[str]:
    yield f"{result.verdict}: {result.id}"
    if result.reason:
        text = result.reason if verbose else result.reason.splitlines()[0]
        yield from (f"    {line}" for line in text.splitlines())
    if verbose:
        yield from (f"    {line}" for line in result.differences)
