"""ValidateStateMachineDefinition: how findings are told. What is found is the language's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.service.support import PASS, Service, text

WARNED = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Parameters": {"x": "$.y"}, "End": True}}}
BROKEN = {"StartAt": "A", "States": {name: {"Type": "Pass", "Next": "Nowhere" + name} for name in "AB"}}


def validate(service: Service, definition: dict[str, Any], **params: Any) -> dict[str, Any]:
    return service("ValidateStateMachineDefinition", definition=json.dumps(definition), **params)


def test_a_good_definition(service: Service) -> None:
    assert validate(service, PASS) == {"result": "OK", "diagnostics": [], "truncated": False}


def test_warnings_are_for_those_who_ask(service: Service) -> None:
    assert validate(service, WARNED)["diagnostics"] == []
    asked = validate(service, WARNED, severity="WARNING")
    assert (asked["result"], [found["code"] for found in asked["diagnostics"]]) == ("OK", ["NO_DOLLAR"])
    assert asked["diagnostics"][0]["severity"] == "WARNING"


def test_findings_are_cut_off(service: Service) -> None:
    every = validate(service, BROKEN)
    assert (every["result"], every["truncated"]) == ("FAIL", False)
    assert len(every["diagnostics"]) > 1
    assert every["diagnostics"][0]["location"].startswith("/States/")
    one = validate(service, BROKEN, maxResults=1)
    assert (one["diagnostics"], one["truncated"]) == (every["diagnostics"][:1], True)
    assert validate(service, BROKEN, maxResults=0) == every


@pytest.mark.parametrize("definition", ["StartAt: A", text(PASS) + "// done", "[]", " "])
def test_the_api_takes_plain_json_only(service: Service, definition: str) -> None:
    assert service("ValidateStateMachineDefinition", definition=definition)["result"] == "FAIL"
