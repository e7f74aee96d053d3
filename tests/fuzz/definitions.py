"""`python -m tests.fuzz.definitions`: definitions changed at random must be refused, or run to an end.

    python -m tests.fuzz.definitions --mutants 100000 --seconds 300 [--seed 1] [--corpus FOLDER] [--only NUMBER]

Mutant n of a seed is always the same: `--only n` makes it again. Exit status 1 when there are failures.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.fuzz.minimise import minimise
from tests.fuzz.mutate import Chaos, Mutant, mutant
from tests.fuzz.seeds import Seed, corpus, repository
from tests.fuzz.trial import REFUSED, Failure, attempt

MEMORY_BYTES_MAX = 4 << 30
"""More than any definition may take: a MemoryError, instead of a machine that stands still."""


@dataclass(slots=True)
class Tally:
    """What came of it. `failures`: by signature, the first mutant's number and how it failed, and how often."""

    mutants: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, 0)
    failures: dict[str, tuple[int, Failure]] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)

    @property
    def accepted(self) -> int:
        return self.outcomes.total() - self.outcomes[REFUSED]


def make(seeds: Sequence[Seed], seed: int, number: int) -> Mutant:
    """One mutant, by its number."""
    return mutant(Chaos(Random(f"{seed}:{number}"), seeds))


def fuzz(seeds: Sequence[Seed], *, mutants: int, seconds: float, seed: int, first: int = 1) -> Tally:
    """So many mutants, or as many as there is time for."""
    tally = Tally()
    deadline = time.monotonic() + seconds
    for number in range(first, first + mutants):
        if time.monotonic() > deadline:
            break
        _try(tally, make(seeds, seed, number), number)
    return tally


def _try(tally: Tally, mutant: Mutant, number: int) -> None:
    began = time.process_time()
    result = attempt(mutant)
    tally.slowest = max(tally.slowest, (time.process_time() - began, number))
    tally.mutants += 1
    if isinstance(result, Failure):
        tally.times[result.signature] += 1
        tally.failures.setdefault(result.signature, (number, result))
    else:
        tally.outcomes[result] += 1


def smallest(failure: Failure) -> Mutant:
    """A mutant that fails alike, as small as can be."""

    def fails(candidate: Mutant) -> bool:
        result = attempt(candidate)
        return isinstance(result, Failure) and result.signature == failure.signature

    return minimise(failure.mutant, fails)


def report(tally: Tally) -> None:
    for signature, (number, failure) in tally.failures.items():
        print(f"--- {signature}: {tally.times[signature]} times, mutant {number}")
        print(failure.trace.rstrip())
        print(f"smallest: {smallest(failure)}\n", flush=True)
    ended = ", ".join(f"{count:,} {status}" for status, count in sorted(tally.outcomes.items()) if status != REFUSED)
    seconds, number = tally.slowest
    print(f"mutants     {tally.mutants:,}")
    print(f"refused     {tally.outcomes[REFUSED]:,}")
    print(f"accepted    {tally.accepted:,}")
    print(f"executions  {ended or 'none'}")
    print(f"slowest     {seconds:.2f} s, mutant {number}")
    print(f"fuzz: {tally.times.total()} failures in {tally.mutants} mutants")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.fuzz.definitions", description=__doc__)
    parser.add_argument("--mutants", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, help="a folder with definitions.jsonl: more to start from")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="print this mutant, and try it alone")
    options = parser.parse_args(arguments)
    seeds = repository() + (corpus(options.corpus) if options.corpus else [])
    if options.only is not None:
        print(make(seeds, options.seed, options.only))
    mutants, first = (options.mutants, 1) if options.only is None else (1, options.only)
    tally = fuzz(seeds, mutants=mutants, seconds=options.seconds, seed=options.seed, first=first)
    report(tally)
    return 1 if tally.failures else 0


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    sys.exit(main())
