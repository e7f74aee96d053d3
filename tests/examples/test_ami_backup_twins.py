"""The AMI backup in JSONPath, in JSONata and in YAML: they ask EC2 the same and end the same.

Once on the emulated AWS, as their README says; once on an EC2 made of a few lines, for answers it seldom gives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kaidan.asl.language import Definition, load
from kaidan.cli.account import clients_of, emulated
from kaidan.cli.compose import Embedded
from kaidan.errors import StateError
from kaidan.integrations.clients import ClientFactory
from kaidan.integrations.dispatch import check_resource
from kaidan.protocol.effects import RunTask
from kaidan.runtime.run import Run
from kaidan.runtime.simulated import World, simulate
from kaidan.values import Payload

EXAMPLE = Path(__file__).parents[2] / "examples" / "ami-backup"
ORIGINAL, JSONATA, YAML = "ami-backup.asl.json", "ami-backup-jsonata.asl.json", "ami-backup.asl.yaml"
ALL = (ORIGINAL, JSONATA, YAML)

IMAGE_NAME = re.compile(r"ami-[^-]+-[^-]+-(\d{8}-\d{4})-[0-9a-f-]{36}")
DIFFERS = re.compile(rf"(?P<name>{IMAGE_NAME.pattern})|(?P<image>ami-[0-9a-f]{{17}})|(?P<run>arn:aws:states:[^\"]+)")


@cache
def definition(file: str) -> Definition:
    return load((EXAMPLE / file).read_text(encoding="utf-8"), file, check_resource=check_resource)


@pytest.mark.parametrize("file", ALL)
def test_nothing_to_complain_of(file: str) -> None:
    assert definition(file).warnings == ()


def without_comments(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_comments(item) for key, item in value.items() if key != "Comment"}
    return [without_comments(item) for item in value] if isinstance(value, list) else value


def test_the_yaml_is_the_json() -> None:
    assert without_comments(definition(YAML).source.value) == without_comments(definition(ORIGINAL).source.value)


# --- what came of an execution ----------------------------------------------------------------------------


def told(run: Run) -> dict[str, Any]:
    """How it ended and what it asked EC2, without what no two executions have in common."""
    execution = run.execution
    calls = [each for each in map(_call, run.history) if each]
    told = {
        "status": execution.status,
        "output": execution.output.value if execution.output else None,
        "error": execution.error,
        "cause": execution.cause,
        "calls": sorted(calls, key=json.dumps),
    }
    alike: dict[str, Any] = json.loads(DIFFERS.sub(lambda found: f"<{found.lastgroup}>", json.dumps(told)))
    return alike


def _call(event: Any) -> Any:
    """What a task was scheduled with: `["createImage", {"InstanceId": …}]`."""
    details = event.details or {}
    if event.type != "TaskScheduled":
        return None
    return [details["resource"], json.loads(details["parameters"])]


def image_names(run: Run) -> list[str]:
    return [each[1]["Name"] for each in map(_call, run.history) if each and each[0] == "createImage"]


# --- the emulated AWS -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clients() -> Iterator[ClientFactory]:
    with emulated(EXAMPLE / ORIGINAL, None) as emulator:
        yield clients_of(emulator, ["ec2"])


def on_the_emulator(file: str, input: Any, clients: ClientFactory) -> Run:
    with closing(Embedded(clients, skip_waits=True)) as embedded:
        run = embedded.start(definition(file).program, Payload(input), machine_name="m", name=None, role_arn=None)
        assert embedded.engine.run_until(lambda: run.execution.status != "RUNNING", 60)
    return run


def example_input(name: str, **more: Any) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((EXAMPLE / name).read_text(encoding="utf-8"))
    return value | more


@pytest.mark.parametrize(
    ("input", "status", "error", "images"),
    [
        (example_input("input.json"), "SUCCEEDED", None, 3),
        (example_input("input-failing.json"), "FAILED", "ImagesFailed", 8),  # cache1's is refused five times
        (example_input("input.json", SelectTag={"Key": "Backup", "Value": "never"}), "FAILED", "NoInstanceFound", 0),
        (example_input("input.json", EnvironmentName="a:b", MaxPolls=1), "FAILED", "ImagesFailed", 15),
    ],
)
def test_on_the_emulated_aws(
    clients: ClientFactory, input: Any, status: str, error: str | None, images: int
) -> None:
    runs = [on_the_emulator(file, input, clients) for file in ALL]
    first, *others = map(told, runs)
    assert (first["status"], first["error"]) == (status, error)
    assert others == [first, first]
    if input["EnvironmentName"] == "dev":
        assert all(IMAGE_NAME.fullmatch(name) for run in runs for name in image_names(run))
    assert len(image_names(runs[0])) * 1 == len(set(image_names(runs[0]))) or images
