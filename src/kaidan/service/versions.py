"""Operations on the versions of state machines. Source: AWS guide, "State machine versions"."""

from __future__ import annotations

from typing import Any

from kaidan.service import lookup, refs
from kaidan.service.errors import ApiError
from kaidan.service.pages import answer, page
from kaidan.service.state import Service, StateMachine, Version
from kaidan.service.wire import moment

VERSIONS_MAX = 1_000
"""Published versions of one machine (AWS guide, "State machine versions")."""

INITIAL = "INITIAL"
"""What the first revision, which has no id, is called in PublishStateMachineVersion."""


def publish(service: Service, machine: StateMachine, description: str | None) -> Version:
    """The version of the current revision; it is published once. Raises ServiceQuotaExceededException."""
    for version in reversed(machine.versions.values()):
        if version.configuration is machine.current:
            return version
    if len(machine.versions) >= VERSIONS_MAX:
        message = f"The state machine has {VERSIONS_MAX} versions already: '{machine.arn}'"
        raise ApiError("ServiceQuotaExceededException", message)
    number = machine.last_version = machine.last_version + 1
    now_ms = service.engine.clock.now_ms()
    version = Version(f"{machine.arn}:{number}", number, machine.current, description, now_ms)
    machine.versions[number] = version
    return version


def publish_state_machine_version(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """PublishStateMachineVersion: `revisionId` guards against an update that came between."""
    machine = lookup.active_machine(service, refs.unqualified(params["stateMachineArn"]))
    current = machine.current.revision_id
    asked = params.get("revisionId")
    if asked is not None and asked != (current or INITIAL):
        message = (
            f"Failed to publish the State Machine version for revision {asked}. "
            f"The current State Machine revision is {current or INITIAL}."
        )
        raise ApiError("ConflictException", message)
    version = publish(service, machine, params.get("description"))
    return {"stateMachineVersionArn": version.arn, "creationDate": moment(version.created_ms)}


def list_state_machine_versions(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """ListStateMachineVersions, the newest first."""
    machine = lookup.machine(service, refs.unqualified(params["stateMachineArn"]))
    versions = list(reversed(machine.versions.values()))
    question = f"ListStateMachineVersions {machine.arn}"
    found, token = page(service, question, params, versions, lambda version: [-version.number])
    return answer("stateMachineVersions", [_listed(version) for version in found], token)


def _listed(version: Version) -> dict[str, Any]:
    return {"stateMachineVersionArn": version.arn, "creationDate": moment(version.created_ms)}


def delete_state_machine_version(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """DeleteStateMachineVersion: deleting what is not there is no error (recorded); an alias holds its versions."""
    machine_arn, number = refs.version(params["stateMachineVersionArn"])
    machine = service.machines.get(machine_arn)
    if machine is None:
        return {}
    holders = [alias.name for alias in machine.aliases.values() if number in dict(alias.routes)]
    if holders:
        message = (
            "Version to be deleted must not be referenced by an alias. "
            f"Current list of aliases referencing this version: [{', '.join(holders)}]"
        )
        raise ApiError("ConflictException", message)
    machine.versions.pop(number, None)
    return {}
