"""Definitions to check, built from pieces, and findings in few words."""

from __future__ import annotations

from typing import Any

from kaidan.asl.language import check
from kaidan.asl.states.fields import parts
from kaidan.values import JSON

LAMBDA = "arn:aws:lambda:eu-west-1:123456789012:function:f"
ACTIVITY = "arn:aws:states:eu-west-1:123456789012:activity:a"
INVOKE = "arn:aws:states:::lambda:invoke"
PASS: dict[str, JSON] = {"Type": "Pass", "End": True}
SCOPE: dict[str, JSON] = {"StartAt": "I", "States": {"I": PASS}}
JSONATA: dict[str, JSON] = {"QueryLanguage": "JSONata"}


CATCHER: dict[str, JSON] = {"ErrorEquals": ["E"], "Next": "N"}
CHOICE_NEEDS = "The object must have only one of the following fields, [And, Or, Not, Variable, Condition]"


def machine(state: JSON, **rest: JSON) -> dict[str, JSON]:
    """A machine of state S, and N that S may lead to."""
    states: dict[str, JSON] = {"S": state}
    if any(value == "N" for _, _, value in parts(state)):
        states["N"] = PASS
    return {"StartAt": "S", "States": states, **rest}


def found(definition: JSON, severity: str = "ERROR", **options: Any) -> list[str]:
    findings = [finding for finding in check(definition, **options) if finding.severity == severity]
    return [str(finding).removeprefix("SCHEMA_VALIDATION_FAILED: ") for finding in findings]


def in_state(definition: JSON, **options: Any) -> list[str]:
    """Findings about state S by places in it."""
    return [line.replace("/States/S", "", 1) for line in found(definition, **options)]


def going(**targets: str | None) -> dict[str, JSON]:
    """States by where they lead; None ends."""
    states: dict[str, JSON] = {
        name: {"Type": "Pass", "Next": target} if target else PASS for name, target in targets.items()
    }
    return {"StartAt": next(iter(targets)), "States": states}


INNER = {"Type": "Parallel", "Branches": [{"StartAt": "I", "States": {"I": PASS}}], "End": True}


def choice(*rules: JSON, **rest: JSON) -> dict[str, JSON]:
    return {"Type": "Choice", "Choices": list(rules), **rest}


def task(**fields: JSON) -> dict[str, JSON]:
    return {"Type": "Task", "Resource": LAMBDA, "End": True, **fields}


def retry(**fields: JSON) -> dict[str, JSON]:
    return task(Retry=[{"ErrorEquals": ["E"], **fields}])


def map_(**fields: JSON) -> dict[str, JSON]:
    return {"Type": "Map", "ItemProcessor": SCOPE, "End": True, **fields}


def mode(**config: JSON) -> dict[str, JSON]:
    return {"ItemProcessor": {"ProcessorConfig": config, **SCOPE}}


READER = "arn:aws:states:::s3:getObject"
WRITER = "arn:aws:states:::s3:putObject"


def reader(**config: JSON) -> dict[str, JSON]:
    return map_(ItemReader={"Resource": READER, "ReaderConfig": config, "Parameters": {"Bucket": "b"}})
