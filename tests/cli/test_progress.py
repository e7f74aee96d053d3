"""What a terminal shows of a run: rows, marks, and how they are made to fit."""

from __future__ import annotations

from typing import Any

import pytest

from kaidan.cli.progress import Row, View, clock_time, duration, fitted
from kaidan.cli.text import cells, cut, one_line, padded
from kaidan.cli.tracks import Tracks
from kaidan.protocol.history import HistoryEvent

NOW_MS = 100_000

Event = tuple[int, str, dict[str, Any] | None]
"""What an event follows, its type and its details."""


def tracks(*rows: Event) -> Tracks:
    """Tracks of events that happen a second apart."""
    made = Tracks()
    for number, (before, type, details) in enumerate(rows, 1):
        made.take(HistoryEvent(number, before, type, number * 1000, details))
    return made


def named(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, **more}


CALL = {"resourceType": "aws-sdk:ec2", "resource": "createImage"}
BEGUN: tuple[Event, ...] = (
    (0, "ExecutionStarted", {}),
    (0, "PassStateEntered", named("Start")),
    (2, "PassStateExited", named("Start")),
)


def test_states_in_the_order_of_their_first_visit() -> None:
    seen = tracks(
        *BEGUN,
        (3, "TaskStateEntered", named("Call")),
        (4, "TaskScheduled", CALL),
        (5, "TaskFailed", {"error": "E"}),
        (6, "TaskStateExited", named("Call")),
        (7, "PassStateEntered", named("Start")),
        (8, "PassStateExited", named("Start")),
        (9, "WaitStateEntered", named("Rest")),
    )
    rest = seen.root.visits["Rest"]
    view = View({id(rest): ("timer", NOW_MS + 5000)}, NOW_MS)
    assert list(view.rows(seen.root)) == [
        Row(0, "done", "Start ×2"),
        Row(0, "caught", "Call", "caught E", 3000),
        Row(0, "waiting", "Rest", f"until {clock_time(NOW_MS + 5000)}", NOW_MS - 10_000),
    ]


def test_a_task_in_its_attempts() -> None:
    begun = (*BEGUN, (3, "TaskStateEntered", named("Call")), (4, "TaskScheduled", CALL))
    running = tracks(*begun)
    assert list(View({}, 6000).rows(running.root))[1] == Row(0, "running", "Call", "ec2:createImage", 2000)
    failed = tracks(*begun, (5, "TaskFailed", {"error": "E"}))
    due = {id(failed.root.visits["Call"]): ("retry", 9000)}
    assert list(View(due, 7000).rows(failed.root))[1] == Row(0, "waiting", "Call", "retry in 2.0s after E", 3000)
    again = tracks(*begun, (5, "TaskFailed", {"error": "E"}), (6, "TaskScheduled", CALL))
    assert list(View({}, 7000).rows(again.root))[1].detail == "ec2:createImage (attempt 2)"


def each(total: int) -> list[Event]:
    """A Map whose first item rests, whose second has succeeded, whose third has failed, and more have begun."""
    rows: list[Event] = [*BEGUN]
    rows += [(3, "MapStateEntered", named("Each")), (4, "MapStateStarted", {"length": total})]
    rows += [(5, "MapIterationStarted", named("Each", index=index)) for index in range(min(total, 40))]
    rows += [(6 + index, "WaitStateEntered", named("Rest")) for index in range(min(total, 40) - 1)]
    second = 6 + min(total, 40) + 1
    rows += [(second, "WaitStateExited", named("Rest"))]
    rows += [(len(rows), "MapIterationSucceeded", named("Each", index=1))]
    rows += [(second + 1, "MapIterationFailed", named("Each", index=2))]
    return rows


def test_few_items_have_a_row_each() -> None:
    seen = tracks(*each(4))
    assert [row[:4] for row in View({}, NOW_MS).rows(seen.root)][1:] == [
        (0, "running", "Each", "2 of 4, 1 failed"),
        (1, "running", "[0] Rest", ""),
        (1, "done", "[1] Rest", ""),
        (1, "failed", "[2] Rest", ""),
        (1, "running", "[3]", ""),
    ]


def test_many_items_have_a_row_for_each_state() -> None:
    seen = tracks(*each(1000))
    assert [row[:4] for row in View({}, NOW_MS).rows(seen.root)][1:] == [
        (0, "running", "Each", "2 of 1,000, 1 failed"),
        (1, "running", "Rest", "37 items"),
    ]


def test_nothing_below_a_map_that_begins_again() -> None:
    seen = tracks(*each(4))
    view = View({id(seen.root.visits["Each"]): ("retry", NOW_MS)}, NOW_MS)
    assert [row.depth for row in view.rows(seen.root)] == [0, 0]


@pytest.mark.parametrize(("end", "mark"), [("Failed", "failed"), ("Aborted", "stopped"), ("TimedOut", "stopped")])
def test_marks_at_the_end(end: str, mark: str) -> None:
    seen = tracks(*BEGUN, (3, "TaskStateEntered", named("Call")), (4, f"Execution{end}", {}))
    assert [row.mark for row in View({}, NOW_MS).rows(seen.root)] == ["done", mark]


def rows(*marks: str) -> list[Row]:
    return [Row(0, mark, str(index)) for index, mark in enumerate(marks)]


@pytest.mark.parametrize(
    ("marks", "height", "names"),
    [
        ("dddr", 4, ["0", "1", "2", "3"]),
        ("dddr", 3, ["2 states before", "2", "3"]),
        ("dddddr", 3, ["4 states before", "4", "5"]),
        ("dcdr", 2, ["2 states before", "2 more"]),
        ("rrrr", 3, ["0", "1", "2 more"]),
    ],
)
def test_fitted(marks: str, height: int, names: list[str]) -> None:
    given = rows(*({"d": "done", "c": "caught", "r": "running"}[mark] for mark in marks))
    assert [row.name for row in fitted(given, height)] == names


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (-5, "0s"), (0, "0s"), (99, "99ms"), (100, "0.1s"), (9_940, "9.9s"), (9_950, "10s"), (59_499, "59s"),
        (59_500, "1m 00s"), (61_000, "1m 01s"), (3_599_499, "59m 59s"), (3_599_500, "1h 00m"), (86_399_000, "23h 59m"),
        (86_400_000, "1d 00h"), (200_000_000, "2d 07h"), (86_400_000 * 400, "400d 00h"),
    ],
)  # fmt: skip
def test_duration(milliseconds: int, text: str) -> None:
    assert duration(milliseconds) == text


def test_clock_time_has_a_date_on_another_day() -> None:
    assert len(clock_time(NOW_MS, NOW_MS + 1)) == 8
    assert len(clock_time(NOW_MS, NOW_MS + 48 * 3_600_000)) == 19


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("ab", 4, "ab  "), ("東京", 4, "東京"), ("東京都", 5, "東京…"),
        ("東京都", 4, "東… "), ("e\u0301te\u0301", 3, "e\u0301te\u0301"), ("a bc", 3, "a… "),
    ],
)  # fmt: skip
def test_padded(text: str, width: int, expected: str) -> None:
    assert padded(text, width) == expected
    assert cells(cut(text, width)) <= width


def test_one_line() -> None:
    assert one_line(" a\n\tb ") == "a b"
