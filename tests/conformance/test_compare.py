"""When two values are the same, and what is said when they are not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.compare import Likeness, differences, likeness, respaced, same


@pytest.mark.parametrize(
    ("recorded", "observed", "expected"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, Likeness.SAME),
        ([1, 2], [2, 1], Likeness.DIFFERENT),
        (1, 1.0, Likeness.DIFFERENT),
        (1, True, Likeness.DIFFERENT),
        ({"a": 1}, {"a": 1, "b": None}, Likeness.DIFFERENT),
        ({"a": "[1, 2]"}, {"a": "[1,2]"}, Likeness.SPACING),
        ({"a": "[1, 2]"}, {"a": "[1,3]"}, Likeness.DIFFERENT),
        ({"a": "[1, 2]"}, {"a": "[1.0,2]"}, Likeness.DIFFERENT),
        ({"a": "x y"}, {"a": "xy"}, Likeness.DIFFERENT),
        ({"a": "[1, 2]", "b": 1}, {"a": "[1,2]", "b": 2}, Likeness.DIFFERENT),
    ],
)
def test_likeness(recorded: Any, observed: Any, expected: Likeness) -> None:
    assert likeness(recorded, observed) is expected


def events(*rows: tuple[int, int, str, dict[str, Any]]) -> dict[str, Any]:
    return {"events": [{"id": id, "previousEventId": before, "type": kind, **more} for id, before, kind, more in rows]}


STARTED: tuple[int, int, str, dict[str, Any]] = (1, 0, "ParallelStateStarted", {})
ONE = events(STARTED, (2, 1, "A", {}), (3, 1, "B", {}), (4, 3, "ParallelStateSucceeded", {}), (5, 4, "C", {}))
OTHER = events(STARTED, (2, 1, "B", {}), (3, 1, "A", {}), (4, 3, "ParallelStateSucceeded", {}), (5, 4, "C", {}))
AFTER = events(STARTED, (2, 1, "B", {}), (3, 1, "A", {}), (4, 3, "ParallelStateSucceeded", {}), (5, 3, "C", {}))


def test_branches_in_another_order() -> None:
    assert likeness(ONE, OTHER) is Likeness.DIFFERENT
    assert likeness(ONE, OTHER, ["Parallel"]) is Likeness.UNORDERED
    assert likeness(ONE, AFTER, ["Parallel"]) is Likeness.DIFFERENT, (
        "what comes after the branches is compared with ids"
    )


def test_branches_and_spacing() -> None:
    left = events(STARTED, (2, 1, "A", {"o": "[1, 2]"}), (3, 1, "B", {}))
    right = events(STARTED, (2, 1, "B", {}), (3, 1, "A", {"o": "[1,2]"}))
    assert likeness(left, right, ["Parallel"]) is Likeness.SPACING


def iteration(index: int, how: str) -> dict[str, Any]:
    return {f"mapIteration{how}EventDetails": {"index": index, "name": "Map"}}


def test_iterations_in_another_order() -> None:
    one = events(
        (1, 0, "MapStateStarted", {}),
        (2, 1, "MapIterationStarted", iteration(0, "Started")),
        (3, 2, "A", {"n": 0}),
        (4, 3, "MapIterationSucceeded", iteration(0, "Succeeded")),
        (5, 3, "MapIterationStarted", iteration(1, "Started")),
        (6, 5, "A", {"n": 1}),
        (7, 6, "MapIterationSucceeded", iteration(1, "Succeeded")),
        (8, 6, "MapStateSucceeded", {}),
        (9, 8, "C", {}),
    )
    other = events(
        (1, 0, "MapStateStarted", {}),
        (2, 1, "MapIterationStarted", iteration(0, "Started")),
        (3, 1, "MapIterationStarted", iteration(1, "Started")),
        (4, 3, "A", {"n": 1}),
        (5, 2, "A", {"n": 0}),
        (6, 4, "MapIterationSucceeded", iteration(1, "Succeeded")),
        (7, 5, "MapIterationSucceeded", iteration(0, "Succeeded")),
        (8, 5, "MapStateSucceeded", {}),
        (9, 8, "C", {}),
    )
    assert likeness(one, other) is Likeness.DIFFERENT
    assert likeness(one, other, ["Map"]) is Likeness.UNORDERED
    other["events"][3]["n"] = 0
    assert likeness(one, other, ["Map"]) is Likeness.DIFFERENT


def test_differences_name_the_place() -> None:
    recorded = {"a": [1, {"b": "x" * 100 + "y"}], "gone": 1}
    observed = {"a": [1, {"b": "x" * 100 + "z"}, 3], "new": 2}
    assert list(differences(recorded, observed)) == [
        "a: recorded 2 items, observed 3",
        'a[1].b: recorded …"' + "x" * 60 + 'y", observed …"' + "x" * 60 + 'z"',
        "gone: missing, recorded 1",
        "new: not recorded, observed 2",
    ]


law = settings(derandomize=True, max_examples=60, deadline=None)
texts = st.sampled_from(["[1, 2]", "[1,2]", "a b", '"q"', "1 ", "{ }"])
leaves = st.none() | st.booleans() | st.integers(0, 2) | st.floats(0, 2, width=16) | texts
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3)
)


@law
@given(values, values)
def test_law_likeness_is_symmetric_and_differences_agree(left: Any, right: Any) -> None:
    assert likeness(left, right) is likeness(right, left)
    assert same(left, right) == (not list(differences(left, right)))


@law
@given(values)
def test_law_a_value_is_like_itself_and_respacing_ends(value: Any) -> None:
    assert same(value, value)
    assert same(respaced(respaced(value)), respaced(value))
