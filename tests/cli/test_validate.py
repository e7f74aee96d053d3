"""`kaidan validate`: findings with their places, over files and directories."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaidan.cli.exits import Exit
from kaidan.cli.findings import Checked, said, total
from kaidan.cli.formats import FORMATS
from kaidan.errors import Diagnostic
from tests.cli.conftest import Kaidan

GOOD = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
BAD = '{"StartAt": "A",\n "States": {\n  "A": {"Type": "Pass", "Next": "B"}}}'
SYNC = (
    '{"StartAt": "A", "States": {"A": {"Type": "Task", "End": true,\n'
    '  "Resource": "arn:aws:states:::glue:startJobRun.sync", "Parameters": {"JobName": "j"}}}}'
)
PLACEHOLDER = 'StartAt: A\nStates:\n  A: {Type: Pass, Result: "${Name}", End: true}\n'


@pytest.fixture(autouse=True)
def files(surroundings: Path) -> None:
    for name, text in (
        ("good.asl.json", GOOD),
        ("bad.asl.json", BAD),
        ("sync.asl.json", SYNC),
        ("ph.asl.yaml", PLACEHOLDER),
        ("dir/b.asl.json", GOOD),
        ("dir/a/c.asl.yml", PLACEHOLDER),
        ("dir/a/d.asl.yaml", PLACEHOLDER),
        ("dir/.hidden/x.asl.json", "{"),
        ("dir/node_modules/x.asl.json", "{"),
        ("dir/other.json", "{"),
        ("nothing/readme.txt", ""),
        ("empty.asl.json", ""),
    ):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)


@pytest.mark.parametrize(
    ("arguments", "status", "lines"),
    [
        (["good.asl.json"], Exit.SUCCEEDED, ["1 file, 0 errors, 0 warnings"]),
        (
            ["bad.asl.json", "good.asl.json"],
            Exit.INVALID_DEFINITION,
            [
                "bad.asl.json: error MISSING_END_STATE Workflow has no terminal state",
                "bad.asl.json:3:25: error MISSING_TRANSITION_TARGET Missing 'Next' target: B (at /States/A/Next)",
                "2 files, 2 errors, 0 warnings",
            ],
        ),
        (
            ["ph.asl.yaml"],
            Exit.SUCCEEDED,
            [
                "ph.asl.yaml:3:28: warning UNKNOWN_PLACEHOLDER No substitution is given for ${Name}",
                "1 file, 0 errors, 1 warning",
            ],
        ),
        (["ph.asl.yaml", "--var", "Name=x"], Exit.SUCCEEDED, ["1 file, 0 errors, 0 warnings"]),
        (
            ["nope.asl.json", "empty.asl.json", "good.asl.json"],
            Exit.BAD_INPUT,
            [
                "nope.asl.json: error no such file",
                "empty.asl.json: error is empty",
                "3 files, 2 errors, 0 warnings",
            ],
        ),
        (["dir", "--var", "Name=x"], Exit.SUCCEEDED, ["3 files, 0 errors, 0 warnings"]),
    ],
)
def test_validate(kaidan: Kaidan, arguments: list[str], status: Exit, lines: list[str]) -> None:
    result = kaidan("validate", *arguments)
    assert [line for line in result.out.splitlines() if not line.startswith("    ")] == lines
    assert (result.status, result.err) == (status, "")


def test_an_error_counts_more_than_a_file_that_is_not_there(kaidan: Kaidan) -> None:
    assert kaidan("validate", "nope.asl.json", "bad.asl.json").status == Exit.INVALID_DEFINITION


def test_the_order_of_a_directory(kaidan: Kaidan) -> None:
    result = kaidan("validate", "dir")
    places = [line.split(":")[0] for line in result.out.splitlines() if "warning UNKNOWN" in line]
    assert places == ["dir/a/c.asl.yml", "dir/a/d.asl.yaml"]


def test_a_directory_without_definitions(kaidan: Kaidan) -> None:
    result = kaidan("validate", "nothing")
    assert (result.status, result.out) == (Exit.BAD_INPUT, "")
    assert result.err.splitlines() == [
        "error: nothing: no definitions here",
        "  a directory is searched for *.asl.json, *.asl.yaml, *.asl.yml",
    ]


def test_the_type_matters(kaidan: Kaidan) -> None:
    assert kaidan("validate", "sync.asl.json").status == Exit.SUCCEEDED
    result = kaidan("validate", "--type", "express", "sync.asl.json")
    assert result.status == Exit.INVALID_DEFINITION
    assert result.out.startswith("sync.asl.json:2:3: error ")


def test_text_with_every_part() -> None:
    findings = (
        Diagnostic("LATER", "is second", "/States/A", "ERROR", 2, 1),
        Diagnostic("FIRST", "is first", "[Source: …]", "WARNING", 1, 9, "do that"),
    )
    checked = [Checked("x.json", findings), Checked("y.json", unreadable="no such file")]
    assert list(FORMATS["text"](checked)) == [
        "x.json:1:9: \x1b[33m\x1b[1mwarning\x1b[0m FIRST is first",
        "    do that",
        "x.json:2:1: \x1b[31m\x1b[1merror\x1b[0m LATER is second\x1b[2m (at /States/A)\x1b[0m",
        "y.json: \x1b[31m\x1b[1merror\x1b[0m no such file",
    ]
    assert total(checked) == "2 files, 2 errors, 1 warning"


SOURCE = '[Source: (String)"{\n}"; line: 2, column: '


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("one line", "one line"),
        (f"Bad (start at {SOURCE}3])\n at {SOURCE}4]", "Bad (start at line 2, column 3)"),
    ],
)
def test_messages_do_not_repeat_the_definition(message: str, expected: str) -> None:
    assert said(message) == expected
