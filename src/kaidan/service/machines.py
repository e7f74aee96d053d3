"""Operations on state machines."""

from __future__ import annotations

from typing import Any

from kaidan.limits import AWS
from kaidan.service import configuration, deletion, lookup, refs, tags, versions
from kaidan.service.configuration import Type
from kaidan.service.errors import ApiError, invalid
from kaidan.service.pages import answer, page
from kaidan.service.state import Service, StateMachine, Version
from kaidan.service.wire import moment


def create_state_machine(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """CreateStateMachine: idempotent for the same name and configuration; a role and tags may differ."""
    _check_publishing(params)
    refs.check_name(params["name"])
    arn = service.arn(f"stateMachine:{params['name']}")
    type: Type = params.get("type", "STANDARD")
    existing = service.machines.get(arn)
    if existing is not None:
        return _created(_same(service, existing, params, type))
    if len(service.machines) >= AWS.state_machines_max:
        raise lookup.limit_exceeded("StateMachine", f"There are {AWS.state_machines_max} state machines")
    machine = StateMachine(
        arn=arn,
        name=params["name"],
        type=type,
        executions_before=service.engine.last_number(),
        created_ms=service.engine.clock.now_ms(),
        current=configuration.create(service, params, type),
        published=_publishing(params),
        tags=tags.first(arn, params),
    )
    service.machines[arn] = machine
    if params.get("publish"):
        versions.publish(service, machine, params.get("versionDescription"))
    return _created(machine)


def _check_publishing(params: dict[str, Any]) -> None:
    if params.get("versionDescription") and not params.get("publish"):
        raise invalid("Version description can only be set when publish is true")


def _publishing(params: dict[str, Any]) -> tuple[bool, str | None]:
    return params.get("publish", False), params.get("versionDescription")


def _same(service: Service, existing: StateMachine, params: dict[str, Any], type: Type) -> StateMachine:
    """The machine that is there, if the request asks for the same (API reference: all but roleArn and tags count)."""
    lookup.active_machine(service, existing.arn)
    asked = configuration.settings(params)
    current = existing.current
    same = (current.definition, current.logging, current.tracing, current.encryption) == (
        asked["definition"],
        asked["logging"],
        asked["tracing"],
        asked["encryption"],
    )
    if not same or existing.type != type or existing.published != _publishing(params):
        raise ApiError("StateMachineAlreadyExists", f"State Machine Already Exists: '{existing.arn}'")
    return existing


def _created(machine: StateMachine) -> dict[str, Any]:
    created = {"stateMachineArn": machine.arn, "creationDate": moment(machine.created_ms)}
    if machine.published[0]:
        created["stateMachineVersionArn"] = f"{machine.arn}:1"
    return created


def update_state_machine(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """UpdateStateMachine: a new revision, unless nothing changes. Running executions keep theirs."""
    arn = refs.unqualified(params["stateMachineArn"])
    if not any(member in params for member in configuration.MEMBERS):
        message = (
            "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration "
            "must be specified"
        )
        raise ApiError("MissingRequiredParameter", message)
    _check_publishing(params)
    machine = lookup.active_machine(service, arn)
    machine.current = configuration.revise(service, machine.current, params, machine.type)
    updated: dict[str, Any] = {"updateDate": moment(machine.current.updated_ms)}
    if machine.current.revision_id is not None:
        updated["revisionId"] = machine.current.revision_id
    if params.get("publish"):
        version = versions.publish(service, machine, params.get("versionDescription"))
        updated["stateMachineVersionArn"] = version.arn
    return updated


def describe_state_machine(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """DescribeStateMachine: of a machine, of a version, or of the version that an alias points to first."""
    arn = params["stateMachineArn"]
    machine_arn, qualifier = refs.state_machine(arn)
    if machine_arn not in service.machines:
        raise lookup.no_machine(arn)
    machine = service.machines[machine_arn]
    described, created_ms, description = machine.current, machine.created_ms, None
    if qualifier:
        version = _qualified(machine, qualifier, arn)
        described, created_ms, description = version.configuration, version.created_ms, version.description
    details = {
        "stateMachineArn": arn,
        "name": machine.name,
        "status": "DELETING" if machine.deleting else "ACTIVE",
        "type": machine.type,
        "creationDate": moment(created_ms),
        **configuration.describe(service, described, params.get("includedData")),
    }
    return details if description is None else details | {"description": description}


def _qualified(machine: StateMachine, qualifier: str, arn: str) -> Version:
    """A version, or the one that an alias points to first. Raises StateMachineDoesNotExist for what is neither."""
    alias = machine.aliases.get(qualifier)
    number = alias.routes[0][0] if alias else int(qualifier) if refs.is_version(qualifier) else 0
    if number not in machine.versions:
        raise lookup.no_machine(arn)
    return machine.versions[number]


def list_state_machines(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """ListStateMachines, by name (recorded)."""
    machines = sorted(service.machines.values(), key=lambda machine: machine.name)
    found, token = page(service, "ListStateMachines", params, machines, lambda machine: [machine.name])
    return answer("stateMachines", [_listed(machine) for machine in found], token)


def _listed(machine: StateMachine) -> dict[str, Any]:
    return {
        "stateMachineArn": machine.arn,
        "name": machine.name,
        "type": machine.type,
        "creationDate": moment(machine.created_ms),
    }


def delete_state_machine(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """DeleteStateMachine: deleting what is not there is no error. While executions run, it is DELETING."""
    machine = service.machines.get(refs.unqualified(params["stateMachineArn"]))
    if machine is not None and not machine.deleting:
        deletion.delete(service, machine)
    return {}
