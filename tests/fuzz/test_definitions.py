"""A few seconds of `python -m tests.fuzz.definitions`, always the same; and that it would find something."""

from __future__ import annotations

import json

import pytest

from kaidan.asl.query import intrinsic_functions
from tests.fuzz import definitions, trial
from tests.fuzz.mutate import INPUT, Mutant
from tests.fuzz.seeds import JSONATA, JSONPATH, Seed, machine, repository
from tests.fuzz.trial import ENDS, Failure, attempt

SEEDS = repository()
EACH = list({seed.text: seed for seed in SEEDS}.values())


@pytest.mark.parametrize("seed", EACH, ids=range(len(EACH)))
def test_what_mutants_are_made_of_runs(seed: Seed) -> None:
    assert attempt(Mutant(seed.text, seed.name, substitutions={"S": 3}, input=INPUT)) in ENDS


@pytest.mark.parametrize("number", range(4))
def test_no_mutant_fails(number: int) -> None:
    tally = definitions.fuzz(SEEDS, mutants=400, seconds=60, seed=1, first=400 * number + 1)
    assert tally.failures == {}
    assert tally.accepted > 60


def test_a_mutant_is_known_by_its_number() -> None:
    assert definitions.make(SEEDS, 1, 77) == definitions.make(SEEDS, 1, 77) != definitions.make(SEEDS, 2, 77)


# --- faults that are there on purpose ---------------------------------------------------------------------


def failure_of(value: object) -> Failure:
    failure = attempt(Mutant(json.dumps(value), input=INPUT, strict=True))
    assert isinstance(failure, Failure)
    return failure


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> object:
        raise KeyError("broken")

    low, high, _ = intrinsic_functions.FUNCTIONS["States.MathAdd"]
    monkeypatch.setitem(intrinsic_functions.FUNCTIONS, "States.MathAdd", (low, high, fail))


@pytest.mark.usefixtures("broken")
def test_an_exception_is_found_and_its_mutant_made_small(capsys: pytest.CaptureFixture[str]) -> None:
    failure = failure_of(JSONPATH[1])
    assert failure.signature == "KeyError in asl/query/intrinsics.py, evaluate"
    small = definitions.smallest(failure)
    assert len(small.text) < 140 and "States.MathAdd" in small.text
    assert (small.strict, small.input) != (True, INPUT)
    tally = definitions.Tally(1, failures={failure.signature: (7, failure)})
    tally.times[failure.signature] += 1
    definitions.report(tally)
    said = capsys.readouterr().out
    assert said.startswith("--- KeyError in asl/query/intrinsics.py, evaluate: 1 times, mutant 7\nTraceback")
    assert said.endswith("fuzz: 1 failures in 1 mutants\n")


def test_a_hang_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "HANG_S", 0.05)

    def busy(mutant: Mutant) -> str:
        while True:
            pass

    monkeypatch.setattr(trial, "outcome", busy)
    assert failure_of(JSONATA[0]).signature.startswith("Hang")


def test_a_stuck_execution_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "ENDS", ())
    assert "nothing is left that could happen" in failure_of(machine({"Type": "Pass"})).signature


@pytest.mark.usefixtures("broken")
def test_the_exit_status_tells(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definitions, "repository", lambda: [Seed(json.dumps(JSONPATH[1]), JSONPATH[1])])
    arguments = ["--mutants", "40", "--seed", "1"]
    assert definitions.main(arguments) == 1
    monkeypatch.undo()
    assert definitions.main(arguments) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "fuzz: 0 failures in 40 mutants"
