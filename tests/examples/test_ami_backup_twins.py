"""The AMI backup in JSONPath, in JSONata and in YAML: they ask EC2 the same and end the same.

Once on the emulated AWS, as their README says; once on an EC2 made of a few lines, for answers it seldom gives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
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


def state_count(machine: Any) -> int:
    inner = [state["ItemProcessor"] for state in machine["States"].values() if "ItemProcessor" in state]
    return len(machine["States"]) + sum(map(state_count, inner))


def test_the_readme_knows_them() -> None:
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    assert all(f"| `{file}` |" in readme for file in ALL)
    counts = [state_count(definition(file).source.value) for file in (JSONATA, ORIGINAL)]
    assert "{} states where the original has {}".format(*counts) in readme
    settings = definition(JSONATA).source.value["States"]["Usual settings"]["Assign"]["usual"]
    assert all(f"| `{name}` |" in readme for name in settings)


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
        "calls": sorted(calls, key=in_order),
    }
    alike: dict[str, Any] = json.loads(DIFFERS.sub(lambda found: f"<{found.lastgroup}>", json.dumps(told)))
    return alike


def in_order(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


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
    ("input", "status", "error", "created"),
    [
        (example_input("input.json"), "SUCCEEDED", None, 3),
        (example_input("input-failing.json"), "FAILED", "ImagesFailed", 8),  # one of them refused, five times
        (example_input("input.json", SelectTag={"Key": "Backup", "Value": "never"}), "FAILED", "NoInstanceFound", 0),
        (example_input("input.json", NoReboot=False, PollSeconds=5, MaxPolls=1), "FAILED", "ImagesFailed", 3),
    ],
)
def test_on_the_emulated_aws(clients: ClientFactory, input: Any, status: str, error: str | None, created: int) -> None:
    runs = [on_the_emulator(file, input, clients) for file in ALL]
    first, *others = map(told, runs)
    assert others == [first, first]
    assert (first["status"], first["error"]) == (status, error)
    for run in runs:
        names = image_names(run)
        assert len(names) == created
        assert all(map(IMAGE_NAME.fullmatch, names))


# --- an EC2 of a few lines --------------------------------------------------------------------------------


@dataclass
class Ec2:
    """Instances by id with their name tags (None: it has no tag at all), and what becomes of their images."""

    instances: dict[str, str | None]
    looks: dict[str, list[Any]] = field(default_factory=dict)
    """By name tag, what each look at the image gives, the last one for ever: `{"State": "pending"}`, a StateError,
    or None for no image. Images of other instances are available at once."""
    page: int = 20
    _seen: dict[str, int] = field(default_factory=dict)

    def answer(self, task: RunTask) -> Any:
        action = {
            "describeInstances": self.describe_instances,
            "createImage": self.create_image,
            "describeImages": self.describe_images,
        }
        return action[task.resource.action](task.parameters.value)

    def describe_instances(self, parameters: Any) -> Any:
        assert set(parameters) - {"NextToken"} == {"MaxResults", "Filters"}
        start = int(parameters.get("NextToken", 0))
        end = start + self.page
        reservations = [{"Instances": [_instance(*each)]} for each in list(self.instances.items())[start:end]]
        return {"Reservations": reservations} | ({"NextToken": str(end)} if end < len(self.instances) else {})

    def create_image(self, parameters: Any) -> Any:
        return {"ImageId": "ami-of-" + parameters["InstanceId"]}

    def describe_images(self, parameters: Any) -> Any:
        (image,) = parameters["ImageIds"]
        looks = self.looks.get(self.instances[image.removeprefix("ami-of-")] or "", [{"State": "available"}])
        self._seen[image] = self._seen.get(image, 0) + 1
        seen = looks[min(self._seen[image], len(looks)) - 1]
        if isinstance(seen, StateError):
            raise seen
        return {"Images": [] if seen is None else [{"ImageId": image, "OwnerId": "1", **seen}]}


def _instance(id: str, name: str | None) -> Any:
    tags = [{"Key": "Backup", "Value": "true"}]
    return {
        "InstanceId": id,
        "State": {"Name": "running"},
        "Tags": tags + ([{"Key": "Name", "Value": name}] if name is not None else []),
    }


PENDING = {"State": "pending"}
UNKNOWN = StateError("Ec2.Ec2Exception", "The image id does not exist")

NIGHTS: dict[str, tuple[Ec2, str | None]] = {
    "one instance": (Ec2({"i-1": "web"}), None),
    "none": (Ec2({}), "NoInstanceFound"),
    "pages, the last one full": (Ec2({f"i-{n}": f"web{n}" for n in range(40)}), None),
    "pages, the last one short": (Ec2({f"i-{n}": f"web{n}" for n in range(7)}, page=3), None),
    "no name, an empty name": (Ec2({"i-1": None, "i-2": "", "i-3": "web"}), "ImagesFailed"),
    "not known at first": (Ec2({"i-1": "web"}, {"web": [UNKNOWN, UNKNOWN, PENDING, {"State": "available"}]}), None),
    "never known": (Ec2({"i-1": "web"}, {"web": [UNKNOWN]}), "ImagesFailed"),
    "gone": (Ec2({"i-1": "web"}, {"web": [PENDING, None]}), "ImagesFailed"),
    "failed, EC2 says why": (
        Ec2({"i-1": "web"}, {"web": [PENDING, {"State": "failed", "StateReason": {"Message": "disk: full"}}]}),
        "ImagesFailed",
    ),
    "failed, EC2 does not say why": (Ec2({"i-1": "web"}, {"web": [{"State": "failed"}]}), "ImagesFailed"),
    "too long": (Ec2({"i-1": "web", "i-2": "db"}, {"web": [PENDING]}), "ImagesFailed"),
    "available at the last look": (Ec2({"i-1": "web"}, {"web": [PENDING] * 3 + [{"State": "available"}]}), None),
    "more failures than a cause holds": (Ec2({f"i-{n:02}": None for n in range(30)}), "ImagesFailed"),
}

INPUT = example_input("input.json", MaxPolls=4)


@pytest.mark.parametrize("night", NIGHTS)
def test_on_an_ec2_of_a_few_lines(night: str) -> None:
    ec2, error = NIGHTS[night]
    first, *others = [
        told(simulate(definition(file).program, INPUT, World(1, replace(ec2, _seen={}).answer))) for file in ALL
    ]
    assert others == [first, first]
    assert first["error"] == error


@pytest.mark.parametrize("missing", ["SelectTag", "NameTag", "EnvironmentName"])
@pytest.mark.parametrize("file", ALL)
def test_an_incomplete_input_ends_before_anything_was_made(file: str, missing: str) -> None:
    input = {name: value for name, value in INPUT.items() if name != missing}
    ended = told(simulate(definition(file).program, input))
    assert (ended["status"], ended["calls"]) == ("FAILED", [])
    assert "Prepare" in ended["cause"] and missing in ended["cause"]


@pytest.mark.parametrize("file", ALL)
def test_an_instance_tag_of_ones_own_choice(file: str) -> None:
    ec2 = Ec2({"i-1": "web"})
    run = simulate(definition(file).program, INPUT | {"NameTag": "Backup"}, World(1, ec2.answer))
    assert [name.split("-")[1] for name in image_names(run)] == ["true"]


@pytest.mark.parametrize(
    ("file", "zone", "hours"),
    [
        (ORIGINAL, None, 0),
        (YAML, "+0900", 0),
        (JSONATA, None, 0),
        (JSONATA, "+0000", 0),
        (JSONATA, "+0900", 9),
        (JSONATA, "-0500", -5),
    ],
)
def test_whose_date_and_time(file: str, zone: str | None, hours: int) -> None:
    """Only JSONata knows time zones."""
    input = INPUT if zone is None else INPUT | {"TimeZone": zone}
    run = simulate(definition(file).program, input, World(1, Ec2({"i-1": "web", "i-2": "db"}).answer))
    start = datetime.fromtimestamp(run.execution.start_ms / 1000, UTC) + timedelta(hours=hours)
    found = [IMAGE_NAME.fullmatch(name) for name in image_names(run)]
    assert [each and each[1] for each in found] == [f"{start:%Y%m%d-%H%M}"] * 2
