"""Operations on the aliases of state machines. Source: AWS guide, "State machine aliases"; refusals as recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

from kaidan.service import lookup, refs
from kaidan.service.errors import ApiError, invalid
from kaidan.service.pages import answer, page
from kaidan.service.state import Alias, Service, StateMachine
from kaidan.service.wire import moment

ALIASES_MAX = 100
"""Aliases of one machine (AWS guide, "State machine aliases")."""

Routes: TypeAlias = tuple[tuple[int, int], ...]


def create_state_machine_alias(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """CreateStateMachineAlias: idempotent for the same name, description and routes."""
    machine, routes = _routed(service, params["routingConfiguration"])
    name, description = params["name"], params.get("description")
    alias = machine.aliases.get(name)
    if alias is None:
        _check_room(machine)
        now_ms = service.engine.clock.now_ms()
        alias = machine.aliases[name] = Alias(f"{machine.arn}:{name}", name, routes, description, now_ms, now_ms)
    elif (alias.routes, alias.description) != (routes, description):
        message = (
            "Failed to create alias because an alias with the same name and a different routing configuration "
            "already exists."
        )
        raise ApiError("ConflictException", message)
    return {"stateMachineAliasArn": alias.arn, "creationDate": moment(alias.created_ms)}


def _check_room(machine: StateMachine) -> None:
    if len(machine.aliases) >= ALIASES_MAX:
        message = f"The state machine has {ALIASES_MAX} aliases already: '{machine.arn}'"
        raise ApiError("ServiceQuotaExceededException", message)


def _routed(service: Service, routing: list[dict[str, Any]]) -> tuple[StateMachine, Routes]:
    """The machine whose versions are given, and the routes to them."""
    arns = [route["stateMachineVersionArn"] for route in routing]
    weights = [route["weight"] for route in routing]
    targets = [refs.state_machine(arn) for arn in arns]
    if not all(refs.is_version(qualifier) for _, qualifier in targets):
        raise _bad_routing(f"Routing configuration must contain state machine version ARNs. Received: {_java(arns)}")
    if len(set(arns)) < len(arns):
        message = f"Routing configuration must contain distinct state machine version ARNs. Received: {_java(arns)}"
        raise _bad_routing(message)
    if sum(weights) != 100:
        message = f"Sum of routing configuration weights must equal 100. Received: {_java(weights)}"
        raise _bad_routing(message)
    if len({machine_arn for machine_arn, _ in targets}) > 1:
        message = f"Routing configuration must contain versions of one state machine. Received: {_java(arns)}"
        raise _bad_routing(message)
    return _machine(service, arns), tuple(
        (int(target[1]), weight) for target, weight in zip(targets, weights, strict=True)
    )


def _machine(service: Service, version_arns: list[str]) -> StateMachine:
    """The machine that has all these versions. Raises ResourceNotFound, StateMachineDeleting."""
    for arn in version_arns:
        machine_arn, number = refs.version(arn)
        machine = service.machines.get(machine_arn)
        if machine is None or number not in machine.versions:
            raise lookup.no_resource(arn)
    return lookup.active_machine(service, machine_arn)


def _bad_routing(message: str) -> ApiError:
    return invalid(message, "INVALID_ROUTING_CONFIGURATION")


def _java(values: list[Any]) -> str:
    return f"[{', '.join(map(str, values))}]"


def update_state_machine_alias(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """UpdateStateMachineAlias: description, routes or both. What changes nothing is answered as before."""
    machine, alias = lookup.alias(service, params["stateMachineAliasArn"])
    lookup.active_machine(service, machine.arn)
    if "description" not in params and "routingConfiguration" not in params:
        message = "Either the description or the routingConfiguration must be specified"
        raise invalid(message, "MISSING_REQUIRED_PARAMETER")
    changes: dict[str, Any] = {}
    if "description" in params:
        changes["description"] = params["description"]
    if "routingConfiguration" in params:
        owner, changes["routes"] = _routed(service, params["routingConfiguration"])
        if owner is not machine:
            raise _bad_routing(f"Routing configuration must contain versions of the state machine {machine.arn}.")
    updated = replace(alias, **changes)
    if updated != alias:
        updated = machine.aliases[alias.name] = replace(updated, updated_ms=service.engine.clock.now_ms())
    return {"updateDate": moment(updated.updated_ms)}


def describe_state_machine_alias(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """DescribeStateMachineAlias."""
    machine, alias = lookup.alias(service, params["stateMachineAliasArn"])
    described = {
        "stateMachineAliasArn": alias.arn,
        "name": alias.name,
        "routingConfiguration": [
            {"stateMachineVersionArn": f"{machine.arn}:{number}", "weight": weight} for number, weight in alias.routes
        ],
        "creationDate": moment(alias.created_ms),
        "updateDate": moment(alias.updated_ms),
    }
    return described if alias.description is None else described | {"description": alias.description}


def list_state_machine_aliases(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """ListStateMachineAliases of a machine or of one version, by name (recorded)."""
    arn = params["stateMachineArn"]
    machine_arn, qualifier = refs.state_machine(arn)
    machine = lookup.active_machine(service, machine_arn)
    aliases = sorted(machine.aliases.values(), key=lambda alias: alias.name)
    if qualifier:
        number = lookup.version(service, arn).number
        aliases = [alias for alias in aliases if number in dict(alias.routes)]
    found, token = page(service, f"ListStateMachineAliases {arn}", params, aliases, lambda alias: [alias.name])
    return answer("stateMachineAliases", [_listed(alias) for alias in found], token)


def _listed(alias: Alias) -> dict[str, Any]:
    return {"stateMachineAliasArn": alias.arn, "creationDate": moment(alias.created_ms)}


def delete_state_machine_alias(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """DeleteStateMachineAlias: deleting what is not there is no error (recorded)."""
    machine_arn, name = refs.alias(params["stateMachineAliasArn"])
    machine = service.machines.get(machine_arn)
    if machine is not None:
        machine.aliases.pop(name, None)
    return {}
