"""ARNs to and from parts, and the three kinds of Resource a Task can name.

`arn:aws:states:us-east-1:123456789012:execution:machine:name`. Knows the shape of names, nothing behind them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal


@dataclass(frozen=True, slots=True)
class Arn:
    """The six parts of an ARN; `resource` keeps its own colons: `execution:machine:name`."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Raises ValueError when text is not `arn:partition:service:region:account:resource`."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or not parts[1] or not parts[2] or not parts[5]:
            raise ValueError(f"not an ARN: {text!r} (an ARN is arn:partition:service:region:account:resource)")
        return cls(*parts[1:])

    def __str__(self) -> str:
        return ":".join(("arn", self.partition, self.service, self.region, self.account, self.resource))

    @property
    def name(self) -> str:
        """What stands after the last colon."""
        return self.resource.rsplit(":", 1)[-1]

    def states(self, resource: str) -> str:
        """A Step Functions ARN of the same account and region: `states('stateMachine:x')`."""
        return f"arn:{self.partition}:states:{self.region}:{self.account}:{resource}"


PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
"""How the regions begin that are in another partition than `aws` (botocore's `partitions.json`)."""


def partition_of(region: str) -> str:
    """`partition_of("cn-north-1")` is `aws-cn`."""
    return next((partition for prefix, partition in PARTITIONS.items() if region.startswith(prefix)), "aws")


def states_arn(region: str, account: str, resource: str) -> str:
    """`arn:aws:states:us-east-1:123456789012:stateMachine:orders`, in the partition that the region is in."""
    return f"arn:{partition_of(region)}:states:{region}:{account}:{resource}"


def execution_arn(machine_arn: str, name: str, *, express_id: str | None = None) -> str:
    """The ARN of an execution of a machine; Express executions carry one id more."""
    machine = Arn.parse(machine_arn)
    machine_name = machine.resource.split(":")[1]
    if express_id is not None:
        return machine.states(f"express:{machine_name}:{name}:{express_id}")
    return machine.states(f"execution:{machine_name}:{name}")


TaskKind = Literal["integration", "lambda", "activity"]
Pattern = Literal["", ".sync", ".sync:2", ".waitForTaskToken"]
PATTERNS: tuple[Pattern, ...] = (".sync:2", ".sync", ".waitForTaskToken")


@dataclass(frozen=True, slots=True)
class TaskResource:
    """A Task's Resource, taken apart.

    `arn:aws:states:::aws-sdk:ec2:createImage.waitForTaskToken` is kind "integration", service "aws-sdk:ec2",
    action "createImage", pattern ".waitForTaskToken". A Lambda function's or an activity's ARN has neither
    service nor action.
    """

    arn: str
    kind: TaskKind
    service: str = ""
    action: str = ""
    pattern: Pattern = ""

    @property
    def history_type(self) -> str:
        """`resourceType` in history: `aws-sdk:ec2`, `states`."""
        return self.service

    @property
    def history_resource(self) -> str:
        """`resource` in history: `startExecution.sync:2`; the ARN for functions and activities."""
        return self.action + self.pattern if self.kind == "integration" else self.arn


@lru_cache(maxsize=4096)
def task_resource(arn: str) -> TaskResource:
    """Take a Task's Resource apart. Raises ValueError when it is none of the three kinds."""
    parsed = Arn.parse(arn)
    if parsed.service == "lambda" and parsed.resource.startswith("function:"):
        return TaskResource(arn, "lambda")
    if parsed.service == "states" and parsed.resource.startswith("activity:") and parsed.region:
        return TaskResource(arn, "activity")
    if parsed.service == "states" and not parsed.resource.startswith(("activity:", "stateMachine:", "execution:")):
        return _integration(arn, parsed.resource)
    raise ValueError(f"not a Lambda function, an activity or a service integration: {arn}")


def _integration(arn: str, resource: str) -> TaskResource:
    pattern: Pattern = next((p for p in PATTERNS if resource.endswith(p)), "")
    service, _, action = resource.removesuffix(pattern).rpartition(":")
    if not service or not action:
        raise ValueError(f"a service integration is arn:aws:states:::service:action, not {arn}")
    return TaskResource(arn, "integration", service, action, pattern)
