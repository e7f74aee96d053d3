"""`kaidan history`: what is kept, how it is found, how it reads; and histories that others wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from kaidan.cli import history, runs
from kaidan.cli.exits import Exit
from kaidan.protocol.history import HistoryEvent
from kaidan.server.home import home
from tests.cli.conftest import Kaidan

ECHO = '{"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": true}}}'
BAD = '{"StartAt": "Bad", "States": {"Bad": {"Type": "Fail", "Error": "Oops", "Cause": "two\\nlines"}}}'


@pytest.fixture(autouse=True)
def files(surroundings: Path) -> None:
    Path("echo.asl.json").write_text(ECHO)
    Path("bad.asl.json").write_text(BAD)


def test_table(kaidan: Kaidan) -> None:
    kaidan("run", "bad.asl.json", "--name", "first", "--input", '{"a": "b c"}')
    result = kaidan("history")
    heading, *lines = result.out.splitlines()
    assert heading == f"FAILED  {Path('bad.asl.json').absolute()}  first"
    assert [(line[:4], line[20:]) for line in lines] == [
        ("1  0", 'ExecutionStarted       {"a": "b c"}'),
        ("2  0", 'FailStateEntered  Bad  {"a":"b c"}'),
        ("3  2", "ExecutionFailed   Bad  Oops: two lines"),
    ]


def test_json_is_what_aws_gives(kaidan: Kaidan) -> None:
    kaidan("run", "echo.asl.json", "--input", "[1]")
    events = json.loads(kaidan("history", "last", "--json").out)["events"]
    assert [(event["id"], event["previousEventId"]) for event in events] == [(1, 0), (2, 0), (3, 2), (4, 3)]
    assert events[1]["stateEnteredEventDetails"] == {
        "name": "Echo",
        "input": "[1]",
        "inputDetails": {"truncated": False},
    }


def test_names(kaidan: Kaidan) -> None:
    assert kaidan("history").err.startswith("error: no execution is kept yet")
    for name in ("abc", "abcd", "xyz"):
        kaidan("run", "echo.asl.json", "--name", name)
    arn = "arn:aws:states:us-east-1:123456789012:execution:echo:xyz"
    for wanted, found in (("last", "xyz"), ("xy", "xyz"), ("abc", "abc"), ("abcd", "abcd"), (arn, "xyz")):
        assert kaidan("history", wanted).out.splitlines()[0].endswith(f"  {found}"), wanted
    for wanted, message in (("ab", "ab: begins the names of 2 executions"), ("q", "q: no such execution")):
        result = kaidan("history", wanted)
        assert (result.status, result.out) == (Exit.BAD_INPUT, "")
        assert result.err.startswith(f"error: {message}\n")


def test_list(kaidan: Kaidan) -> None:
    assert kaidan("history", "--list").out == "no execution is kept yet\n"
    kaidan("run", "echo.asl.json", "--name", "one")
    kaidan("run", "bad.asl.json", "--name", "two")
    (home() / "runs" / "0000000000000-broken.json").write_text("{")
    lines = kaidan("history", "--list").out.splitlines()
    words = [line.split() for line in lines]
    assert [(line[2], line[4], line[5]) for line in words] == [("FAILED", "bad", "two"), ("SUCCEEDED", "echo", "one")]


def test_the_newest_hundred_are_kept(kaidan: Kaidan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "KEPT_MAX", 3)
    for number in range(5):
        kaidan("run", "echo.asl.json", "--name", f"n{number}")
    kept = sorted(path.name.partition("-")[2] for path in (home() / "runs").iterdir())
    assert kept == ["n2.json", "n3.json", "n4.json"]


def test_nobody_else_reads_them(kaidan: Kaidan) -> None:
    kaidan("run", "echo.asl.json")
    folder = home() / "runs"
    assert [path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())] == [0, 0]


EVENT = {"id": 1, "previousEventId": 0, "type": "ExecutionStarted", "timestamp": 1_700_000_000.123}


@pytest.mark.parametrize(
    "content",
    [
        {"events": [EVENT]},
        [EVENT],
        [EVENT | {"timestamp": "2023-11-14T22:13:20.123000+00:00", "executionStartedEventDetails": {"input": "{}"}}],
    ],
)
def test_files_of_others(kaidan: Kaidan, content: Any) -> None:
    Path("h.json").write_text(json.dumps(content))
    result = kaidan("history", "h.json")
    assert (result.status, result.err) == (0, "")
    assert result.out.split()[2].endswith(":20.123")
    assert json.loads(kaidan("history", "h.json", "--json").out)["events"] == (
        content["events"] if isinstance(content, dict) else content
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "h.json:1:2: not JSON"),
        ("3", "h.json: is no history"),
        ('{"events": 3}', "h.json: is no history"),
        ("[3]", "h.json: is no history"),
        ('[{"id": "x", "type": "y"}]', "this is no event of a history: Expected `int`, got `str` - at `$.id`"),
        ('[{"id": 1}]', "this is no event of a history: Object missing required field `type`"),
        ('[{"id": 1, "type": "x", "timestamp": "never"}]', "this is no event of a history: "),
    ],
)
def test_files_that_are_none(kaidan: Kaidan, content: str, message: str) -> None:
    Path("h.json").write_text(content)
    result = kaidan("history", "h.json")
    assert (result.status, result.out) == (Exit.BAD_INPUT, "")
    assert message in result.err and "Traceback" not in result.err


def test_a_file_that_is_not_there(kaidan: Kaidan) -> None:
    assert kaidan("history", "nope.json").err == "error: nope.json: no such file\n"


def test_columns_line_up_and_fit() -> None:
    events = [
        HistoryEvent(9, 0, "WaitStateEntered", 0, {"name": "東京の倉庫", "input": '{"long": "' + "x" * 300 + '"}'}),
        HistoryEvent(10, 9, "WaitStateExited", 61_000, {"name": "東京の倉庫", "output": "{}"}),
        HistoryEvent(11, 10, "MapStateEntered", 61_000, {"name": "Each", "input": "[]"}),
        HistoryEvent(12, 11, "MapStateStarted", 61_000, {"length": 1234}),
    ]
    lines = [click.unstyle(line) for line in history.table(events, 90)]
    assert [line[:6] for line in lines] == [" 9   0", "10   9", "11  10", "12  11"]
    assert lines[0].endswith("…") and len(lines[0]) + 5 == 90  # five characters of two cells
    assert [line.split()[3:5] for line in lines[1:3]] == [
        ["WaitStateExited", "東京の倉庫"],
        ["MapStateEntered", "Each"],
    ]
    assert lines[3].endswith("  1,234 items")
