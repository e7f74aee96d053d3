"""The configuration of a state machine: read from requests, completed, compiled, described.

Source: defaults and refusals as recorded from AWS (CreateStateMachine, DescribeStateMachine); that of a log group
without `:*` as users of Terraform quote it; encryption from the API reference (EncryptionConfiguration).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from kaidan.asl.language import load
from kaidan.asl.language.variables import variable_references
from kaidan.errors import DefinitionError
from kaidan.integrations.dispatch import check_resource, check_template
from kaidan.service import refs
from kaidan.service.errors import ApiError
from kaidan.service.state import AWS_OWNED_KEY, Configuration, Service

Type = Literal["STANDARD", "EXPRESS"]

DATA_KEY_REUSE_S = 300
"""kmsDataKeyReusePeriodSeconds of a customer's key when nobody gives it."""

MEMBERS = ("definition", "roleArn", "loggingConfiguration", "tracingConfiguration", "encryptionConfiguration")
"""What an update can replace."""


def create(service: Service, params: dict[str, Any], type: Type) -> Configuration:
    """The first revision. Raises ApiError."""
    given = settings(params) | _compiled(service, params["definition"], type)
    arn, now_ms = service.arn(f"stateMachine:{params['name']}"), service.engine.clock.now_ms()
    return _kept(service, Configuration(key="", machine_arn=arn, revision_id=None, updated_ms=now_ms, **given))


def revise(service: Service, current: Configuration, params: dict[str, Any], type: Type) -> Configuration:
    """The next revision; the same one when the request changes nothing (recorded: the revision id stays, or stays
    absent). Raises ApiError."""
    asked = changes(params)
    if all(getattr(current, name) == value for name, value in asked.items()):
        return current
    if asked.get("definition", current.definition) != current.definition:
        asked |= _compiled(service, asked["definition"], type)
    revision_id, now_ms = service.source.uuid4(), service.engine.clock.now_ms()
    return _kept(service, replace(current, **asked, revision_id=revision_id, updated_ms=now_ms))


def _kept(service: Service, configuration: Configuration) -> Configuration:
    """Under a key of its own: the number after the last one's."""
    last = next(reversed(service.configurations), "0")
    kept = replace(configuration, key=str(int(last) + 1))
    service.configurations[kept.key] = kept
    return kept


def settings(params: dict[str, Any]) -> dict[str, Any]:
    """What a request for a new machine says and leaves to defaults, by the fields of Configuration."""
    return {"logging": logging({}), "tracing": tracing({}), "encryption": dict(AWS_OWNED_KEY)} | changes(params)


def changes(params: dict[str, Any]) -> dict[str, Any]:
    """What a request says, by the fields of Configuration. Raises ApiError."""
    given: dict[str, Any] = {}
    if "definition" in params:
        given["definition"] = params["definition"]
    if "roleArn" in params:
        refs.check_role(params["roleArn"])
        given["role_arn"] = params["roleArn"]
    if "loggingConfiguration" in params:
        given["logging"] = logging(params["loggingConfiguration"])
    if "tracingConfiguration" in params:
        given["tracing"] = tracing(params["tracingConfiguration"])
    if "encryptionConfiguration" in params:
        given["encryption"] = encryption(params["encryptionConfiguration"])
    return given


def _compiled(service: Service, definition: str, type: Type) -> dict[str, Any]:
    """What follows from a definition, by the fields of Configuration. Raises InvalidDefinition."""
    try:
        loaded = load(
            definition, workflow_type=type, check_resource=check_resource, check_template=check_template, strict=True
        )
    except DefinitionError as problem:
        raise ApiError("InvalidDefinition", str(problem)) from None
    service.programs.keep(definition, loaded.program)
    return {"variables": variable_references(loaded.source.value)}


def logging(given: dict[str, Any]) -> dict[str, Any]:
    """A log level needs the one place that the log goes to: a log group, whatever stream in it."""
    destinations = given.get("destinations", [])
    level = given.get("level", "OFF")
    if len(destinations) > 1 or (level != "OFF" and not destinations):
        raise _invalid_logging("Must specify exactly one Log Destination.")
    for destination in destinations:
        if not destination.get("cloudWatchLogsLogGroup", {}).get("logGroupArn", "").endswith(":*"):
            raise _invalid_logging("Log Group ARN must be provided with '*' qualifier.")
    return {"level": level, "includeExecutionData": False} | given


def _invalid_logging(problem: str) -> ApiError:
    return ApiError("InvalidLoggingConfiguration", f"Invalid Logging Configuration: {problem}")


def tracing(given: dict[str, Any]) -> dict[str, Any]:
    return {"enabled": False} | given


def encryption(given: dict[str, Any]) -> dict[str, Any]:
    """A customer's key needs its id; AWS's own takes nothing."""
    if given["type"] == "CUSTOMER_MANAGED_KMS_KEY":
        if "kmsKeyId" not in given:
            raise _invalid_encryption("kmsKeyId must be specified for CUSTOMER_MANAGED_KMS_KEY")
        return {"kmsDataKeyReusePeriodSeconds": DATA_KEY_REUSE_S} | given
    if len(given) > 1:
        raise _invalid_encryption("AWS_OWNED_KEY takes neither kmsKeyId nor kmsDataKeyReusePeriodSeconds")
    return given


def _invalid_encryption(problem: str) -> ApiError:
    return ApiError("InvalidEncryptionConfiguration", f"Invalid Encryption Configuration: {problem}")


def describe(service: Service, configuration: Configuration, included_data: str | None) -> dict[str, Any]:
    """What the Describe operations say of a configuration. METADATA_ONLY leaves the definition out: `{}`."""
    metadata_only = included_data == "METADATA_ONLY"
    answer = {
        "definition": "{}" if metadata_only else configuration.definition,
        "roleArn": configuration.role_arn,
        "loggingConfiguration": configuration.logging,
        "tracingConfiguration": configuration.tracing,
    }
    if service.revision.encryption:
        answer["encryptionConfiguration"] = configuration.encryption
    if configuration.variables and not metadata_only:
        answer["variableReferences"] = configuration.variables
    if configuration.revision_id is not None:
        answer["revisionId"] = configuration.revision_id
    return answer
