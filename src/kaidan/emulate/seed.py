"""The AWS API calls that make the world an EmulateConfig describes. Runs in the emulator's process.

Knows boto3 and the configuration, not moto: it would seed any endpoint.
"""

from __future__ import annotations

from typing import Any

from kaidan.emulate.config import Call, EmulateConfig, Instance

IMAGE_ID = "ami-0123456789abcdef0"
"""What the first instances run; nothing asks whether it exists."""

INTO_STATE = {"stopped": "stop_instances", "terminated": "terminate_instances"}


class SeedError(Exception):
    """`emulate.yaml:21: calls[0]: sns.create_topic was refused: …`."""


def apply(config: EmulateConfig, endpoint_url: str) -> None:
    """Make the instances, then the calls, in the order of the file. Raises SeedError at the first refusal."""
    world = _World(config.region, endpoint_url)
    for instance in config.instances:
        _run(world, instance)
    for call in config.calls:
        world.call(call)


def _run(world: _World, instance: Instance) -> None:
    tags = [{"Key": key, "Value": value} for key, value in instance.tags.items()]
    parameters = {
        "ImageId": IMAGE_ID,
        "InstanceType": instance.type,
        "MinCount": instance.count,
        "MaxCount": instance.count,
        "TagSpecifications": [{"ResourceType": "instance", "Tags": tags}] if tags else [],
    }
    result = world.call(Call("ec2", "run_instances", parameters, instance.place))
    if instance.state in INTO_STATE:
        ids = [each["InstanceId"] for each in result["Instances"]]
        world.call(Call("ec2", INTO_STATE[instance.state], {"InstanceIds": ids}, instance.place))


def _line(problem: Exception) -> str:
    return " ".join(str(problem).split())


class _World:
    """boto3 clients of the endpoint, one for each service, made when first needed."""

    def __init__(self, region: str, endpoint_url: str) -> None:
        self._options = {
            "region_name": region,
            "endpoint_url": endpoint_url,
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }
        self._clients: dict[str, Any] = {}

    def call(self, call: Call) -> Any:
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError, UnknownServiceError

        try:
            client = self._client(call.service)
        except UnknownServiceError:
            raise SeedError(f"{call.place}: AWS has no service {call.service!r} (boto3's names, such as ec2)") from None
        operation = getattr(client, xform_name(call.operation), None)
        if operation is None:
            raise SeedError(f"{call.place}: {call.service} has no operation {call.operation!r}")
        try:
            return operation(**call.parameters)
        except (BotoCoreError, ClientError) as problem:
            raise SeedError(f"{call.place}: {call.service}.{call.operation} was refused: {_line(problem)}") from None

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            import boto3
            from botocore.config import Config

            config = Config(
                inject_host_prefix=False, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}
            )
            self._clients[service] = boto3.client(service, config=config, **self._options)
        return self._clients[service]
