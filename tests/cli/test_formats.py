"""`kaidan validate --format`: the same findings as JSON, as SARIF, and as GitHub's workflow commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kaidan import __version__
from kaidan.cli.exits import Exit
from kaidan.cli.findings import Checked
from kaidan.cli.formats import FORMATS
from kaidan.errors import Diagnostic
from tests.cli.conftest import Kaidan

BAD = '{"StartAt": "A",\n "States": {\n  "A": {"Type": "Pass", "Next": "B", "Result": {"a.$": 1}}}}'

CHECKED = [
    Checked(
        "two words/ä:1.asl.json",
        (
            Diagnostic("LATER", "100% bad, a:b", "/States/Ü", "ERROR", 2, 1, "do this\nor that"),
            Diagnostic("FIRST", "is first", "[Source: …]", "WARNING", 1, 9),
            Diagnostic("PLACELESS", "is nowhere"),
            Diagnostic("LATER", "once more", "/States/B", "ERROR", 7, None),
        ),
    ),
    Checked("good.asl.json"),
    Checked("/gone.asl.json", unreadable="no such file"),
]

FIELDS = ("file", "line", "column", "severity", "code", "message", "location", "hint")

ROWS = [
    ("two words/ä:1.asl.json", None, None, "ERROR", "PLACELESS", "is nowhere", None, None),
    ("two words/ä:1.asl.json", 1, 9, "WARNING", "FIRST", "is first", None, None),
    ("two words/ä:1.asl.json", 2, 1, "ERROR", "LATER", "100% bad, a:b", "/States/Ü", "do this\nor that"),
    ("two words/ä:1.asl.json", 7, None, "ERROR", "LATER", "once more", "/States/B", None),
    ("/gone.asl.json", None, None, "ERROR", "UNREADABLE_FILE", "no such file", None, None),
]


def said(form: str, checked: list[Checked] = CHECKED) -> str:
    return "\n".join(FORMATS[form](checked))


def test_json() -> None:
    assert json.loads(said("json")) == [dict(zip(FIELDS, row, strict=True)) for row in ROWS]
    assert said("json").isascii()
    assert said("json", []) == said("json", [Checked("good.asl.json")]) == "[]"


def test_github() -> None:
    at = "file=two words/ä%3A1.asl.json"
    assert said("github").splitlines() == [
        f"::error {at},title=PLACELESS::is nowhere",
        f"::warning {at},line=1,col=9,title=FIRST::is first",
        f"::error {at},line=2,col=1,title=LATER::100%25 bad, a:b%0Ado this%0Aor that",
        f"::error {at},line=7,title=LATER::once more",
        "::error file=/gone.asl.json,title=UNREADABLE_FILE::no such file",
    ]
    assert said("github", []) == ""


class TestSarif:
    def test_the_log(self) -> None:
        log = json.loads(said("sarif"))
        assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
        run = log["runs"][0]
        rules = run["tool"]["driver"].pop("rules")
        assert run["tool"] == {"driver": {"name": "Kaidan", "version": __version__}}
        assert [rule["id"] for rule in rules] == ["PLACELESS", "FIRST", "LATER", "UNREADABLE_FILE"]
        assert rules[3]["shortDescription"] == {"text": "Unreadable file"}
        assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in run["results"])

    def test_results(self) -> None:
        placeless, first, later, again, gone = json.loads(said("sarif"))["runs"][0]["results"]
        encoded = {"uri": "two%20words/%C3%A4%3A1.asl.json"}
        assert placeless["locations"] == [{"physicalLocation": {"artifactLocation": encoded}}]
        assert (first["level"], first["message"]) == ("warning", {"text": "is first"})
        assert later == {
            "ruleId": "LATER",
            "ruleIndex": 2,
            "level": "error",
            "message": {"text": "100% bad, a:b\ndo this\nor that"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": encoded,
                        "region": {"startLine": 2, "startColumn": 1},
                    },
                    "logicalLocations": [{"fullyQualifiedName": "/States/Ü"}],
                }
            ],
        }
        assert again["locations"][0]["physicalLocation"]["region"] == {"startLine": 7, "startColumn": 1}
        assert gone["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "file:///gone.asl.json"}}}]

    @pytest.mark.parametrize("checked", [CHECKED, [], [Checked("good.asl.json")]])
    def test_by_the_schema(self, checked: list[Checked]) -> None:
        conforms(json.loads(said("sarif", checked)), SARIF)


SARIF: dict[str, Any] = {
    "!version": ["2.1.0"],
    "$schema": str,
    "!runs": [[
        {
            "!tool": {
                "!driver": {"!name": str, "version": str, "rules": [[{"!id": str, "shortDescription": {"!text": str}}]]}
            },
            "columnKind": ["utf16CodeUnits", "unicodeCodePoints"],
            "results": [[
                {
                    "ruleId": str,
                    "ruleIndex": int,
                    "level": ["none", "note", "warning", "error"],
                    "!message": {"text": str},
                    "locations": [[
                        {
                            "physicalLocation": {
                                "artifactLocation": {"uri": str},
                                "region": {"startLine": int, "startColumn": int},
                            },
                            "logicalLocations": [[{"fullyQualifiedName": str}]],
                        }
                    ]],
                }
            ]],
        }
    ]],
}  # fmt: skip
"""What SARIF 2.1.0's schema says of the parts used: `!` is required, `[[…]]` an array of, `[…]` one of these."""


def conforms(value: Any, schema: Any) -> None:
    match schema:
        case dict():
            fields = {name.lstrip("!"): inner for name, inner in schema.items()}
            assert value.keys() <= fields.keys()
            assert {name[1:] for name in schema if name.startswith("!")} <= value.keys()
            for name, item in value.items():
                conforms(item, fields[name])
        case [[inner]]:
            assert isinstance(value, list)
            for item in value:
                conforms(item, inner)
        case list():
            assert value in schema
        case _:
            assert type(value) is schema and value not in ("", -1)


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_the_command(kaidan: Kaidan, form: str) -> None:
    """The exit status is that of the text, and nothing is said beside the format."""
    Path("bad.asl.json").write_text(BAD)
    result = kaidan("validate", "--format", form, "bad.asl.json", "nope.asl.json")
    assert (result.status, result.err) == (Exit.INVALID_DEFINITION, "")
    if form == "github":
        assert all(line.startswith(("::error file=", "::warning file=")) for line in result.out.splitlines())
        assert "::error file=bad.asl.json,line=3,col=25,title=MISSING_TRANSITION_TARGET::Missing" in result.out
    else:
        assert json.loads(result.out)


def test_a_good_definition_says_nothing(kaidan: Kaidan) -> None:
    Path("good.asl.json").write_text('{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}')
    for form, expected in (("json", "[]\n"), ("github", "")):
        result = kaidan("validate", "--format", form, "good.asl.json")
        assert (result.status, result.out) == (Exit.SUCCEEDED, expected)
