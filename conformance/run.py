"""One case from beginning to end: a target made, the calls replayed, the answers normalised and compared."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Literal, TypeAlias

from conformance.cases import Case, JsonObject
from conformance.checks import observe
from conformance.compare import Likeness, differences, likeness
from conformance.normalise import CONSTANT, NotNormalisable, derived_replaced, in_force, normalise, without
from conformance.replay import Replay, ReplayFailed
from conformance.targets import Factory, Target
from conformance.tokens import Unresolved

Verdict: TypeAlias = Literal["passed", "failed", "spacing only"]

DIFFERENCES_MAX = 8
"""Lines of difference kept per case."""


@dataclass(frozen=True, slots=True)
class Result:
    """unordered: passed only after concurrent children were put into one order.

    predates: recorded before all of the constant replacements were in force.
    reason: why nothing could be compared, or which waits were in vain.
    differences: the first places that differ.
    """

    id: str
    area: str
    verdict: Verdict
    unordered: bool = False
    predates: bool = False
    reason: str = ""
    differences: tuple[str, ...] = ()


class TooLong(BaseException):
    """The case took longer than its limit of real time. Not an Exception: no engine code shall catch it."""


def run_case(case: Case, factory: Factory, limit_s: float = 120, exempt: bool = False, letter: bool = False) -> Result:
    """Never raises for what the target does wrong: that is a failed case with the reason.

    exempt: leave out the paths that the recording exempts. letter: all constant replacements, whatever the
    recording's age.
    """
    try:
        with _limited(limit_s):
            return _run(case, factory, exempt, letter)
    except (ReplayFailed, Unresolved, NotNormalisable) as problem:
        reason = str(problem)
    except TooLong:
        reason = f"took longer than {limit_s} s"
    except Exception as crash:
        reason = f"crashed: {type(crash).__name__}: {crash}\n{traceback.format_exc(limit=-6).strip()}"
    return Result(case.id, case.area, "failed", reason=reason)


def _run(case: Case, factory: Factory, exempt: bool, letter: bool) -> Result:
    target = factory(case.as_of, case.mock_config)
    try:
        lacking = [] if case.mock_config else [need for need in case.needs if not target.supports(need)]
        if lacking:
            return Result(case.id, case.area, "failed", reason=f"needs {', '.join(lacking)}")
        return _compared(case, _replayed(case, target), exempt, letter)
    finally:
        target.close()


@dataclass(frozen=True, slots=True)
class _Replayed:
    observed: JsonObject
    rules: list[JsonObject]
    unmet: list[str]


def _replayed(case: Case, target: Target) -> _Replayed:
    replay = Replay(case, target)
    replay.run()
    try:
        observed = {check.key: observe(check.source, replay.outcomes, replay.tokens) for check in case.checks}
    except Unresolved as problem:
        raise Unresolved("; ".join([*replay.unmet, str(problem)])) from None
    return _Replayed(observed, [replay.tokens.resolve(rule) for rule in case.rules], replay.unmet)


def _compared(case: Case, replayed: _Replayed, exempt: bool, letter: bool) -> Result:
    paths = case.exempt if exempt else ()
    constant = CONSTANT if letter else in_force(case.recorded)
    predates = len(constant) < len(CONSTANT)
    observed = derived_replaced(normalise(replayed.observed, replayed.rules, paths, constant))
    recorded = derived_replaced(without({key: case.recorded[key] for key in observed}, paths))
    likes = {key: likeness(recorded[key], observed[key], case.concurrent.get(key, ())) for key in observed}
    worst = max(likes.values(), key=lambda like: like.rank, default=Likeness.SAME)
    if worst in (Likeness.SAME, Likeness.UNORDERED):
        return Result(case.id, case.area, "passed", unordered=worst is Likeness.UNORDERED, predates=predates)
    unlike = [key for key, like in likes.items() if like in (Likeness.SPACING, Likeness.DIFFERENT)]
    places = [line for key in unlike for line in differences(recorded[key], observed[key], key)]
    return Result(
        case.id,
        case.area,
        "spacing only" if worst is Likeness.SPACING else "failed",
        reason="; ".join(replayed.unmet),
        differences=_first(places),
    )


def _first(places: list[str]) -> tuple[str, ...]:
    more = len(places) - DIFFERENCES_MAX
    return (*places[:DIFFERENCES_MAX], f"… {more} more") if more > 0 else tuple(places)


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """0: no limit. Only in a process's main thread, on systems that have alarms."""
    if not seconds or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
