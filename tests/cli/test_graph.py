"""`kaidan graph`: where the picture goes, and in which form."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaidan.cli.exits import Exit
from tests.cli.conftest import Kaidan

TEXT = '{"StartAt": "Wait here", "States": {"Wait here": {"Type": "Wait", "Seconds": 3, "Next": "Nowhere"}}}'


@pytest.fixture(autouse=True)
def files(surroundings: Path) -> None:
    Path("m.asl.json").write_text(TEXT)
    Path("broken.asl.json").write_text("{")


def test_svg_by_default(kaidan: Kaidan) -> None:
    result = kaidan("graph", "m.asl.json")
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("<svg") and result.out.endswith("</svg>\n")
    assert "Wait here" in result.out and "Nowhere" in result.out


def test_a_file_is_written(kaidan: Kaidan) -> None:
    result = kaidan("graph", "m.asl.json", "-o", "m.svg")
    assert (result.status, result.out, result.err) == (0, "", "")
    assert Path("m.svg").read_text() == kaidan("graph", "m.asl.json").out


def test_mermaid_by_the_ending_or_by_name(kaidan: Kaidan) -> None:
    kaidan("graph", "m.asl.json", "-o", "m.mmd")
    text = Path("m.mmd").read_text()
    assert "Wait here" in text and "<svg" not in text
    assert kaidan("graph", "m.asl.json", "--format", "mermaid").out == text


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["nope.asl.json"], Exit.BAD_INPUT, "error: nope.asl.json: no such file"),
        (["broken.asl.json"], Exit.INVALID_DEFINITION, "broken.asl.json:1:2: error INVALID_JSON_DESCRIPTION"),
        (["m.asl.json", "-o", "nope/m.svg"], Exit.BAD_INPUT, "error: nope/m.svg: cannot be written: No such file"),
        (["m.asl.json", "--format", "png"], Exit.BAD_INPUT, "Invalid value for '--format'"),
    ],
)
def test_refused(kaidan: Kaidan, arguments: list[str], status: Exit, message: str) -> None:
    result = kaidan("graph", *arguments)
    assert (result.status, result.out) == (status, "")
    assert message in result.err
