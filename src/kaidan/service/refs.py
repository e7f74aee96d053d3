"""What requests name: ARNs of Step Functions' own kinds, and names of new things. Text only; knows nothing that exists.

    state_machine("arn:aws:states:us-east-1:123456789012:stateMachine:orders:PROD")
    → ("arn:aws:states:us-east-1:123456789012:stateMachine:orders", "PROD")

Source: messages as recorded from AWS; the characters of names from the API reference (CreateStateMachine, `name`).
"""

from __future__ import annotations

import re

from kaidan.service.errors import ApiError, invalid, invalid_arn

_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U0010ffff]+")


def check_name(name: str) -> None:
    """The name of a state machine, an activity or an execution. Raises InvalidName."""
    if _NAME.fullmatch(name) is None:
        raise ApiError("InvalidName", f"Invalid Name: '{name}'")


def _resource(arn: str, *types: str) -> list[str]:
    """`["execution", "machine", "name"]`. Raises InvalidArn for what is no ARN of these types."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        raise invalid_arn(f"Invalid ARN prefix: {arn}")
    resource = parts[5].split(":")
    if resource[0] not in types:
        raise invalid_arn(f"Resource type not valid in this context: {resource[0]}")
    return resource


def state_machine(arn: str) -> tuple[str, str]:
    """The unqualified ARN, and the version number or alias behind it ("" for none).

    Raises InvalidArn, and ValidationException for the ARN of a Distributed Map state.
    """
    resource = _resource(arn, "stateMachine")
    if len(resource) not in (2, 3) or not resource[1]:
        raise invalid_arn(f"Invalid ARN: {arn}")
    if "/" in resource[1]:
        reason = "API_DOES_NOT_SUPPORT_LABELED_ARNS"
        raise invalid(f"The API does not support labeled state machine ARNs. Received: {arn}", reason)
    if len(resource) == 2:
        return arn, ""
    return arn[: -len(resource[2]) - 1], resource[2]


def unqualified(arn: str) -> str:
    """A state machine's own ARN. Raises as `state_machine`, and ValidationException for a version or an alias."""
    machine, qualifier = state_machine(arn)
    if qualifier:
        raise invalid(f"The state machine ARN must be unqualified. Received: {arn}")
    return machine


def version(arn: str) -> tuple[str, int]:
    """A state machine and the number of a version of it."""
    machine, qualifier = state_machine(arn)
    if not is_version(qualifier):
        raise invalid(f"The ARN of a state machine version is needed. Received: {arn}")
    return machine, int(qualifier)


def alias(arn: str) -> tuple[str, str]:
    """A state machine and the name of an alias of it."""
    machine, qualifier = state_machine(arn)
    if not qualifier or is_version(qualifier):
        raise invalid(f"The ARN of a state machine alias is needed. Received: {arn}")
    return machine, qualifier


def is_version(qualifier: str) -> bool:
    """Aliases are never just digits (API reference, CreateStateMachineAlias)."""
    return qualifier.isascii() and qualifier.isdigit()


def execution(arn: str) -> None:
    """Check an execution's ARN. Express executions are known only where a Map Run started them."""
    resource = _resource(arn, "execution", "express")
    if resource[0] == "express" and "/" not in resource[1]:
        raise invalid_arn("Resource type not valid in this context: express")


def standard_execution(arn: str) -> None:
    """Check the ARN of an execution that is not Express, not even one that a Map Run started."""
    _resource(arn, "execution")


def activity(arn: str) -> None:
    _resource(arn, "activity")


def map_run(arn: str) -> None:
    _resource(arn, "mapRun")


def taggable(arn: str) -> None:
    _resource(arn, "stateMachine", "activity")


_ROLE = re.compile(r"arn:[^:]+:iam::[0-9]{12}:role/.+")


def check_role(arn: str) -> None:
    """Raises InvalidArn for what is no IAM role."""
    if _ROLE.fullmatch(arn) is None:
        raise ApiError("InvalidArn", f"Invalid Role Arn: '{arn}'")
