"""`kaidan convert`: where the result goes, in which form, and what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kaidan.cli.exits import Exit
from tests.cli.conftest import Kaidan

DEFINITION: dict[str, Any] = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Pass", "InputPath": "$.a", "Next": "B"},
        "B": {"Type": "Pass", "Parameters": {"x.$": "States.ArrayUnique($.x)"}, "End": True},
    },
}
ODD = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Parameters": {"x.$": "$..*"}, "End": True}}}

WHOLE = """\
{
  "QueryLanguage": "JSONata",
  "StartAt": "A",
  "States": {
    "A": {"Type": "Pass", "Output": "{% $states.input.a %}", "Next": "B"},
    "B": {
      "Type": "Pass",
      "Output": {"x": "{% $type($states.input.x) = 'array' ? $distinct($states.input.x) %}"},
      "End": true
    }
  }
}
"""
YAML = """\
QueryLanguage: JSONata
StartAt: A
States:
  A:
    Type: Pass
    Output: '{% $states.input.a %}'
    End: true
"""


@pytest.fixture(autouse=True)
def files(surroundings: Path) -> None:
    Path("m.asl.json").write_text(json.dumps(DEFINITION))
    Path("odd.asl.json").write_text(json.dumps(ODD, indent=2))
    Path("m.asl.yaml").write_text("# c\nStartAt: A\nStates: {A: {Type: Pass, InputPath: $.a, End: true}}\n")
    Path("bad.asl.json").write_text('{"StartAt": "B", "States": {"A": {"Type": "Succeed"}}}')


def test_to_standard_output(kaidan: Kaidan) -> None:
    result = kaidan("convert", "m.asl.json")
    assert (result.status, result.out) == (0, WHOLE)
    assert result.err.splitlines() == ["warning: 1 difference to know of", "  --report shows them"]


def test_the_report(kaidan: Kaidan) -> None:
    result = kaidan("convert", "m.asl.json", "--report")
    first, last = result.err.splitlines()
    assert first.startswith("m.asl.json:1:") and "CONVERTED_WITH_A_DIFFERENCE 'B': $distinct keeps the order" in first
    assert last == "2 of 2 states converted, all is JSONata now"


def test_to_a_file_that_may_be_the_same(kaidan: Kaidan) -> None:
    result = kaidan("convert", "m.asl.json", "-o", "m.asl.json")
    assert (result.status, result.out) == (0, "")
    assert Path("m.asl.json").read_text() == WHOLE
    again = kaidan("convert", "m.asl.json", "--report")
    assert (again.status, again.out, again.err) == (0, WHOLE, "0 of 0 states converted, all is JSONata now\n")


def test_yaml_stays_yaml_unless_the_ending_says_otherwise(kaidan: Kaidan) -> None:
    assert kaidan("convert", "m.asl.yaml").out == YAML
    kaidan("convert", "m.asl.yaml", "-o", "made.asl.json")
    assert json.loads(Path("made.asl.json").read_text())["QueryLanguage"] == "JSONata"
    kaidan("convert", "m.asl.json", "-o", "made.asl.yaml")
    assert Path("made.asl.yaml").read_text().startswith("QueryLanguage: JSONata\nStartAt: A\n")


def test_one_state(kaidan: Kaidan) -> None:
    result = kaidan("convert", "m.asl.json", "--state", "A", "--report")
    states = json.loads(result.out)["States"]
    assert states["A"]["QueryLanguage"] == "JSONata" and states["B"] == DEFINITION["States"]["B"]
    assert result.err == "1 of 1 state converted, some is JSONPath still\n"


def test_what_stays(kaidan: Kaidan) -> None:
    result = kaidan("convert", "odd.asl.json")
    assert (result.status, json.loads(result.out)) == (Exit.FAILED, ODD)
    assert result.err.startswith("odd.asl.json:7:9: warning NOT_CONVERTED 'A' stays JSONPath: the path $..* has no")


def test_placeholders_are_left_for_later(kaidan: Kaidan) -> None:
    task = {"Type": "Task", "Resource": "${Function}", "ResultPath": "$.${Name}", "End": True}
    Path("p.asl.json").write_text(json.dumps({"StartAt": "A", "States": {"A": task}}))
    result = kaidan("convert", "p.asl.json")
    state = json.loads(result.out)["States"]["A"]
    assert (result.status, state["Resource"]) == (0, "${Function}")
    assert state["Output"] == "{% $merge([$states.input, {'${Name}': $states.result}]) %}"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["nope.asl.json"], Exit.BAD_INPUT, "error: nope.asl.json: no such file"),
        (["bad.asl.json"], Exit.INVALID_DEFINITION, "bad.asl.json:1:2: error MISSING_TRANSITION_TARGET"),
        (["m.asl.json", "--state", "C"], Exit.BAD_INPUT, "error: m.asl.json: there is no state 'C'"),
        (["m.asl.json", "-o", "nope/m.json"], Exit.BAD_INPUT, "error: nope/m.json: cannot be written: No such file"),
    ],
)
def test_refused(kaidan: Kaidan, arguments: list[str], status: Exit, message: str) -> None:
    result = kaidan("convert", *arguments)
    assert (result.status, result.out) == (status, "")
    assert message in result.err
