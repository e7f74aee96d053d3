"""The emulated AWS, seen through boto3 as any client sees it; and emulate.yaml's messages."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from kaidan.emulate import (
    ConfigError,
    EmulateConfig,
    Emulator,
    EmulatorError,
    find_config,
    parse_config,
    read_config,
)
from kaidan.emulate.config import Call, Images, Instance, Outcome, Problem
from kaidan.emulate.server import child_environment

WORLD = """\
region: eu-west-1
instances:
  - {name: web1, count: 2, tags: {Backup: "true"}}
  - {name: db1, state: stopped, type: m5.large, tags: {Backup: "true"}}
  - {name: old1, state: terminated, tags: {Backup: "true"}}
  - {name: bad1, tags: {Tier: data}}
  - {name: shut1, tags: {Tier: data, Locked: ""}}
  - {name: slow1}
  - {}
images:
  available_after_polls: 3
  not_found_polls: 1
  outcomes:
    - {tags: {Tier: data, Locked: ""}, refused: {code: UnauthorizedOperation, message: Not you.}}
    - {tags: {Tier: data}, failed: {code: Server.InternalError, message: It broke}}
    - {tags: {Name: slow1}, available_after_polls: 5}
calls:
  - {service: sns, operation: CreateTopic, parameters: {Name: operators}}
  - service: s3
    operation: createBucket
    parameters: {Bucket: lists, CreateBucketConfiguration: {LocationConstraint: eu-west-1}}
  - {service: s3, operation: put_object, parameters: {Bucket: lists, Key: a.txt, Body: hello}}
"""

NO_RETRIES = Config(retries={"total_max_attempts": 1})
names = itertools.count()


@pytest.fixture(scope="module")
def aws() -> Iterator[Emulator]:
    with Emulator.start(parse_config(WORLD)) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def ec2(aws: Emulator) -> Any:
    return boto3.client("ec2", config=NO_RETRIES, **aws.client_options)


def instances(ec2: Any, **filters: str) -> list[dict[str, Any]]:
    wanted = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]
    pages = ec2.describe_instances(Filters=wanted)["Reservations"]
    return [instance for page in pages for instance in page["Instances"]]


def by_name(ec2: Any, name: str) -> str:
    return str(instances(ec2, **{"tag:Name": name})[0]["InstanceId"])


def create(ec2: Any, instance: str, **parameters: Any) -> str:
    name = f"image-{next(names)}"
    return str(ec2.create_image(InstanceId=by_name(ec2, instance), **{"Name": name, **parameters})["ImageId"])


def look(ec2: Any, image_id: str) -> str:
    try:
        return str(ec2.describe_images(ImageIds=[image_id])["Images"][0]["State"])
    except ClientError as problem:
        return code(problem)


def code(problem: ClientError) -> str:
    return str(problem.response["Error"]["Code"])


class TestWorld:
    """What the configuration says is there, and nothing else."""

    def test_region_and_endpoint(self, aws: Emulator, ec2: Any) -> None:
        assert aws.region == "eu-west-1"
        assert aws.endpoint_url.startswith("http://127.0.0.1:")
        assert ec2.describe_images(Owners=["self", "amazon"])["Images"] == []

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({}, ["web1", "web1", "db1", "old1", "bad1", "shut1", "slow1", None]),
            ({"tag:Backup": "true"}, ["web1", "web1", "db1", "old1"]),
            ({"tag:Backup": "true", "instance_state_name": "running"}, ["web1", "web1"]),
            ({"instance_state_name": "stopped"}, ["db1"]),
            ({"instance_state_name": "terminated"}, ["old1"]),
            ({"instance_type": "m5.large"}, ["db1"]),
            ({"tag:Backup": "weekly"}, []),
        ],
    )
    def test_instances(self, ec2: Any, filters: dict[str, str], expected: list[str | None]) -> None:
        found = [{t["Key"]: t["Value"] for t in each.get("Tags", [])} for each in instances(ec2, **filters)]
        assert [tags.get("Name") for tags in found] == expected

    def test_calls(self, aws: Emulator) -> None:
        topics = boto3.client("sns", **aws.client_options).list_topics()["Topics"]
        assert [topic["TopicArn"].rsplit(":", 1)[1] for topic in topics] == ["operators"]
        text = boto3.client("s3", **aws.client_options).get_object(Bucket="lists", Key="a.txt")["Body"].read()
        assert text == b"hello"

    def test_the_same_configuration_gives_the_same_instances(self, ec2: Any) -> None:
        with Emulator.start(parse_config(WORLD)) as other:
            again = boto3.client("ec2", **other.client_options)
            assert [i["InstanceId"] for i in instances(again)] == [i["InstanceId"] for i in instances(ec2)]


class TestImages:
    """An image takes its time, counted in the describeImages calls that ask for it."""

    @pytest.mark.parametrize(
        ("instance", "seen"),
        [
            ("web1", ["InvalidAMIID.NotFound", "pending", "pending", "available", "available"]),
            ("bad1", ["InvalidAMIID.NotFound", "pending", "pending", "failed", "failed"]),
            ("slow1", ["InvalidAMIID.NotFound", "pending", "pending", "pending", "pending", "available"]),
        ],
    )
    def test_states(self, ec2: Any, instance: str, seen: list[str]) -> None:
        image = create(ec2, instance)
        assert [look(ec2, image) for _ in seen] == seen

    def test_polls_of_one_image_leave_another_alone(self, ec2: Any) -> None:
        first, second = create(ec2, "web1"), create(ec2, "web1")
        assert [look(ec2, first) for _ in range(4)][-1] == "available"
        assert look(ec2, second) == "InvalidAMIID.NotFound"

    def test_a_failed_image_has_a_reason(self, ec2: Any) -> None:
        image = create(ec2, "bad1")
        for _ in range(4):
            look(ec2, image)
        described = ec2.describe_images(ImageIds=[image])["Images"][0]
        assert described["StateReason"] == {"Code": "Server.InternalError", "Message": "It broke"}

    def test_state_filter_follows(self, ec2: Any) -> None:
        image = create(ec2, "web1")
        pending = ec2.describe_images(Filters=[{"Name": "state", "Values": ["pending"]}])["Images"]
        assert image in [each["ImageId"] for each in pending]

    def test_refused(self, ec2: Any) -> None:
        with pytest.raises(ClientError, match="Not you") as problem:
            create(ec2, "shut1")
        assert code(problem.value) == "UnauthorizedOperation"

    def test_a_copy_takes_its_time_too(self, ec2: Any) -> None:
        copy = ec2.copy_image(SourceImageId=create(ec2, "web1"), SourceRegion="eu-west-1", Name="copy-1")
        assert [look(ec2, copy["ImageId"]) for _ in range(4)][1:] == ["pending", "pending", "available"]

    @pytest.mark.parametrize(
        ("name", "refusal"),
        [
            ("taken", "InvalidAMIName.Duplicate"),
            ("名前は使えない", "InvalidAMIName.Malformed"),
            ("a:b:c", "InvalidAMIName.Malformed"),
            ("x" * 129, "InvalidAMIName.Malformed"),
            ("it's [fine] (v1.0)/a_b@c-d", None),
            ("x" * 128, None),
        ],
    )
    def test_names(self, ec2: Any, name: str, refusal: str | None) -> None:
        if not ec2.describe_images(Filters=[{"Name": "name", "Values": ["taken"]}])["Images"]:
            create(ec2, "web1", Name="taken")
        try:
            create(ec2, "web1", Name=name)
            assert refusal is None
        except ClientError as problem:
            assert code(problem) == refusal

    def test_image_and_snapshot_are_tagged(self, ec2: Any) -> None:
        tags = {kind: [{"Key": "For", "Value": kind}] for kind in ("image", "snapshot")}
        specifications = [{"ResourceType": kind, "Tags": each} for kind, each in tags.items()]
        image_id = create(ec2, "web1", TagSpecifications=specifications)
        look(ec2, image_id)
        image = ec2.describe_images(ImageIds=[image_id])["Images"][0]
        snapshot = ec2.describe_snapshots(SnapshotIds=[image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]])
        assert image["Tags"] == tags["image"]
        assert snapshot["Snapshots"][0]["Tags"] == tags["snapshot"]


class TestProcess:
    """Its life: quiet, apart from the owner's AWS settings, gone when the owner is."""

    def test_starts_empty_and_keeps_a_log(self, tmp_path: Path) -> None:
        with (tmp_path / "log").open("wb") as log, Emulator.start(log=log) as emulator:
            assert instances(boto3.client("ec2", **emulator.client_options)) == []
        assert (tmp_path / "log").read_bytes() == b""

    def test_close_ends_it(self) -> None:
        emulator = Emulator.start()
        emulator.close()
        emulator.close()
        assert emulator._process.returncode == 0

    def test_it_ends_with_its_owner(self) -> None:
        """Both write to our pipe, so run() returns only when both are gone."""
        script = (
            "import os, sys; from kaidan.emulate import Emulator; Emulator.start(log=sys.stderr.buffer); os._exit(9)"
        )
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, timeout=60)
        assert (ended.returncode, ended.stderr) == (9, b"")

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (
                Call("sns", "create_topic", {"Nam": "x"}, "e.yaml:3: calls[0]"),
                r"e.yaml:3: calls\[0\]: sns.create_topic was refused: .*Nam",
            ),
            (Call("s3", "get_object", {"Bucket": "no", "Key": "x"}, "e.yaml:3: calls[0]"), "NoSuchBucket"),
            (Call("s4", "get", {}, "e.yaml:3: calls[0]"), r"e.yaml:3: calls\[0\]: AWS has no service 's4'"),
            (
                Call("s3", "fetch", {}, "e.yaml:3: calls[0]"),
                r"e.yaml:3: calls\[0\]: s3 has no operation 'fetch'",
            ),
        ],
    )
    def test_a_refused_seed_is_named(self, call: Call, message: str) -> None:
        emulator = Emulator.launch(EmulateConfig(calls=(call,)))
        for _ in range(2):
            with pytest.raises(EmulatorError, match=message):
                emulator.wait()
        assert emulator._process.returncode == 0

    def test_a_process_that_dies_is_told(self) -> None:
        emulator = Emulator.launch()
        emulator._process.kill()
        with pytest.raises(EmulatorError, match="did not start"):
            _ = emulator.endpoint_url

    def test_without_moto(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("kaidan.emulate.server.find_spec", lambda name: None)
        with pytest.raises(EmulatorError, match=r"kaidan\[emulate\]"):
            Emulator.launch()

    def test_no_aws_setting_of_the_owner_goes_in(self) -> None:
        environment = child_environment({"PATH": "/bin", "AWS_PROFILE": "prod", "MOTO_PORT": "1"})
        assert environment["PATH"] == "/bin"
        assert "AWS_PROFILE" not in environment
        assert "MOTO_PORT" not in environment


class TestConfig:
    def test_everything(self) -> None:
        config = parse_config(WORLD)
        assert config.instances[0] == Instance(
            {"Name": "web1", "Backup": "true"}, 2, place="emulate.yaml:3: instances[0]"
        )
        assert config.images == Images(
            available_after_polls=3,
            not_found_polls=1,
            outcomes=(
                Outcome({"Tier": "data", "Locked": ""}, refused=Problem("UnauthorizedOperation", "Not you.")),
                Outcome({"Tier": "data"}, failed=Problem("Server.InternalError", "It broke")),
                Outcome({"Name": "slow1"}, available_after_polls=5),
            ),
        )
        assert config.calls[0] == Call("sns", "CreateTopic", {"Name": "operators"}, "emulate.yaml:18: calls[0]")

    @pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "---\n"])
    def test_nothing(self, text: str) -> None:
        assert parse_config(text) == EmulateConfig()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("- a", "e.yaml:1: the file must be a mapping with region, instances, images, calls, not a list"),
            ("a: [", "e.yaml:1: not YAML: "),
            ("region: us\nregion: eu", "e.yaml:2: not YAML: found duplicate key"),
            ("region: 3", 'e.yaml:1: region must be text, not 3: write "3", in quotes'),
            ("region:", "e.yaml:1: region must be text, not nothing"),
            (
                "regions: [eu]",
                "e.yaml:1: regions is not a field here; allowed: region, instances, images, calls",
            ),
            (
                "instances: {a: 1}",
                "e.yaml:1: instances must be a list (lines that begin with '- '), not a mapping",
            ),
            (
                "instances:\n- name: a\n- b",
                "e.yaml:3: instances[1] must be a mapping with name, count, type, state, tags, not 'b'",
            ),
            (
                "instances:\n- tags:\n    Backup: true",
                'e.yaml:3: instances[0].tags.Backup must be text, not true: write "true", in quotes',
            ),
            (
                "instances:\n- tags: [a]",
                "e.yaml:2: instances[0].tags must be a mapping of text to text, not a list",
            ),
            (
                "instances:\n- {name: a, tags: {Name: b}}",
                "e.yaml:2: instances[0] has both a name and a tag Name: give one of them",
            ),
            (
                "instances:\n- count: 0",
                "e.yaml:2: instances[0].count must be a whole number from 1 to 1000, not 0",
            ),
            (
                "instances:\n- count: true",
                "e.yaml:2: instances[0].count must be a whole number from 1 to 1000, not true",
            ),
            (
                "instances:\n- state: asleep",
                "e.yaml:2: instances[0].state must be one of running, stopped, terminated, not 'asleep'",
            ),
            (
                "images: {available_after_polls: 0}",
                "e.yaml:1: images.available_after_polls must be a whole number from 1, not 0",
            ),
            (
                "images: {not_found_polls: -1}",
                "e.yaml:1: images.not_found_polls must be a whole number from 0, not -1",
            ),
            (
                "images:\n  outcomes:\n  - failed: {code: a, message: b}",
                "e.yaml:3: images.outcomes[0] must have the field tags",
            ),
            (
                "images:\n  outcomes:\n  - tags: {a: b}",
                "e.yaml:3: images.outcomes[0] must say how the image ends, with exactly one of ",
            ),
            (
                "images:\n  outcomes:\n  - tags: {a: b}\n    failed: {code: a}",
                "e.yaml:4: images.outcomes[0].failed must have the field message",
            ),
            ("calls:\n- service: s3", "e.yaml:2: calls[0] must have the field operation"),
            (
                "calls:\n- {service: s3, operation: a, parameters: []}",
                "e.yaml:2: calls[0].parameters must be a mapping, not a list",
            ),
        ],
    )
    def test_messages(self, text: str, message: str) -> None:
        with pytest.raises(ConfigError) as problem:
            parse_config(text, "e.yaml")
        assert str(problem.value).startswith(message)

    def test_find_and_read(self, tmp_path: Path) -> None:
        definition = tmp_path / "job.asl.json"
        assert find_config(definition) is None
        (tmp_path / "emulate.yaml").write_text("region: eu-west-1")
        found = find_config(definition)
        assert found == tmp_path / "emulate.yaml"
        assert read_config(found) == EmulateConfig(region="eu-west-1")

    def test_an_unreadable_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"none\.yaml"):
            read_config(tmp_path / "none.yaml")

    def test_the_example(self) -> None:
        example = Path(__file__).parents[2] / "examples/ami-backup/ami-backup.asl.json"
        found = find_config(example)
        assert found is not None
        assert {i.tags.get("Backup") for i in read_config(found).instances} == {"true", "weekly", None}
