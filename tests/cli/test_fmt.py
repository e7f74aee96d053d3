"""`kaidan fmt`: which files are written, which are left alone, and what is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaidan.cli.exits import Exit
from tests.cli.conftest import Kaidan

LOOSE = '{"States": {"A": {"End": true, "Type": "Pass"}}, // note\n"StartAt": "A"}'
NEAT = """\
{
  "StartAt": "A",
  "States": {
    "A": {"Type": "Pass", "End": true}
  } // note
}
"""
YAML = "States:\n    A: {Type: Succeed}\nStartAt: A\n"
NEAT_YAML = "StartAt: A\nStates:\n  A: {Type: Succeed}\n"


@pytest.fixture(autouse=True)
def files(surroundings: Path) -> None:
    Path("loose.asl.json").write_text(LOOSE)
    Path("neat.asl.json").write_text(NEAT)
    Path("deep").mkdir()
    Path("deep/m.asl.yaml").write_text(YAML)


def test_files_are_written(kaidan: Kaidan) -> None:
    result = kaidan("fmt", ".")
    assert (result.status, result.out) == (0, "deep/m.asl.yaml: formatted\nloose.asl.json: formatted\n")
    assert result.err == "2 files formatted, 1 as they should be\n"
    assert (Path("loose.asl.json").read_text(), Path("deep/m.asl.yaml").read_text()) == (NEAT, NEAT_YAML)
    again = kaidan("fmt", ".")
    assert (again.status, again.out, again.err) == (0, "", "0 files formatted, 3 as they should be\n")


def test_check(kaidan: Kaidan) -> None:
    result = kaidan("fmt", "--check", "loose.asl.json", "neat.asl.json")
    assert (result.status, result.out) == (Exit.FAILED, "loose.asl.json: would be formatted\n")
    assert result.err == "1 file to be formatted, 1 as they should be\n"
    assert Path("loose.asl.json").read_text() == LOOSE
    assert kaidan("fmt", "--check", "neat.asl.json").status == 0


def test_diff(kaidan: Kaidan) -> None:
    result = kaidan("fmt", "--diff", "deep")
    assert result.status == 0
    assert result.out == (
        "--- deep/m.asl.yaml\n+++ deep/m.asl.yaml (formatted)\n@@ -1,3 +1,3 @@\n"
        "+StartAt: A\n States:\n-    A: {Type: Succeed}\n-StartAt: A\n+  A: {Type: Succeed}\n"
    )
    assert Path("deep/m.asl.yaml").read_text() == YAML
    assert kaidan("fmt", "--diff", "--check", "deep").status == Exit.FAILED


def test_what_surrounds_a_file_stays(kaidan: Kaidan) -> None:
    """Its mode, and the link that leads to it."""
    Path("loose.asl.json").chmod(0o640)
    Path("link.asl.json").symlink_to("loose.asl.json")
    kaidan("fmt", "link.asl.json")
    assert Path("link.asl.json").is_symlink()
    assert Path("loose.asl.json").read_text() == NEAT
    assert Path("loose.asl.json").stat().st_mode & 0o777 == 0o640
    assert {path.name for path in Path().iterdir()} == {"deep", "link.asl.json", "loose.asl.json", "neat.asl.json"}


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        ('{"StartAt": "A"', Exit.INVALID_DEFINITION, "odd.asl.json:1:16: error INVALID_JSON_DESCRIPTION"),
        ("[1]", Exit.INVALID_DEFINITION, "odd.asl.json:1:1: error SCHEMA_VALIDATION_FAILED"),
        ("", Exit.BAD_INPUT, "error: odd.asl.json: is empty"),
        ("\0", Exit.BAD_INPUT, "error: odd.asl.json: is not text"),
    ],
)
def test_what_cannot_be_read_is_not_touched(kaidan: Kaidan, content: str, status: Exit, message: str) -> None:
    Path("odd.asl.json").write_text(content)
    result = kaidan("fmt", "odd.asl.json", "loose.asl.json")
    assert result.status == status
    assert message in result.err
    assert Path("odd.asl.json").read_text() == content
    assert Path("loose.asl.json").read_text() == NEAT


def test_what_is_better_left_alone(kaidan: Kaidan) -> None:
    Path("odd.asl.yaml").write_text("? StartAt\n: A\nStates: {}\n")
    result = kaidan("fmt", "odd.asl.yaml")
    assert result.status == Exit.BAD_INPUT
    assert "error: odd.asl.yaml: left as it is: it has a key with '?'" in result.err


def test_no_such_file(kaidan: Kaidan) -> None:
    result = kaidan("fmt", "nope.asl.json")
    assert (result.status, result.out) == (Exit.BAD_INPUT, "")
    assert "error: nope.asl.json: no such file" in result.err
