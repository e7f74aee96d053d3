"""The AMI backup's README against its definition: permissions, errors and settings it promises."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parents[2] / "examples" / "ami-backup"
DEFINITION = json.loads((EXAMPLE / "ami-backup.asl.json").read_text(encoding="utf-8"))
README = (EXAMPLE / "README.md").read_text(encoding="utf-8")


def states(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for state in machine["States"].values():
        yield state
        if "ItemProcessor" in state:
            yield from states(state["ItemProcessor"])


def test_the_policy_allows_what_is_called_and_no_more() -> None:
    policy = next(p for p in map(json.loads, re.findall(r"```json\n(.*?)```", README, re.S)) if "Statement" in p)
    allowed = {action for each in policy["Statement"] for action in [each["Action"]] for action in listed(action)}
    resources = {state["Resource"].rsplit(":", 1)[1] for state in states(DEFINITION) if state["Type"] == "Task"}
    assert allowed == {f"ec2:{name[0].upper()}{name[1:]}" for name in resources} | {"ec2:CreateTags"}


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_every_error_is_explained() -> None:
    named = {each.get("Error") for state in states(DEFINITION) for each in (state, state.get("Parameters", {}))}
    assert all(f"`{error}`" in README for error in named - {None})


def test_every_setting_is_explained() -> None:
    settings = DEFINITION["States"]["Usual settings"]["Result"]
    inputs = json.loads((EXAMPLE / "input-failing.json").read_text(encoding="utf-8"))
    assert all(f"| `{name}` |" in README for name in {*settings, *inputs})


def test_nothing_but_states_does_the_work() -> None:
    """No Lambda function, no activity, no script: only calls of the EC2 API."""
    resources = [state["Resource"] for state in states(DEFINITION) if state["Type"] == "Task"]
    assert all(each.startswith("arn:aws:states:::aws-sdk:ec2:") for each in resources)
