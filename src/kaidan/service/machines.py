"""Operations on state machines."""

from __future__ import annotations

from typing import Any

from kaidan.asl.language import load
from kaidan.errors import DefinitionError
from kaidan.service.errors import ApiError
from kaidan.service.state import Service, StateMachine
from kaidan.service.wire import moment


def create_state_machine(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """CreateStateMachine: idempotent for the same name, definition, role and type."""
    arn = service.arn(f"stateMachine:{params['name']}")
    kind = params.get("type", "STANDARD")
    existing = service.machines.get(arn)
    if existing is not None:
        return _created_before(existing, params, kind)
    try:
        definition = load(params["definition"], workflow_type=kind)
    except DefinitionError as problem:
        raise ApiError("InvalidDefinition", str(problem)) from None
    machine = StateMachine(
        arn=arn,
        name=params["name"],
        type=kind,
        definition=params["definition"],
        role_arn=params["roleArn"],
        program=definition.program,
        created_ms=service.engine.clock.now_ms(),
    )
    service.machines[arn] = machine
    return {"stateMachineArn": arn, "creationDate": moment(machine.created_ms)}


def _created_before(existing: StateMachine, params: dict[str, Any], kind: str) -> dict[str, Any]:
    same = (existing.definition, existing.role_arn, existing.type) == (
        params["definition"],
        params["roleArn"],
        kind,
    )
    if not same:
        message = f"State Machine Already Exists: '{existing.arn}'"
        raise ApiError("StateMachineAlreadyExists", message)
    return {"stateMachineArn": existing.arn, "creationDate": moment(existing.created_ms)}


def describe_state_machine(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """DescribeStateMachine."""
    machine = find(service, params["stateMachineArn"])
    return {
        "stateMachineArn": machine.arn,
        "name": machine.name,
        "status": "ACTIVE",
        "definition": machine.definition,
        "roleArn": machine.role_arn,
        "type": machine.type,
        "creationDate": moment(machine.created_ms),
    }


def delete_state_machine(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """DeleteStateMachine: deleting what is not there is no error."""
    service.machines.pop(params["stateMachineArn"], None)
    return {}


def find(service: Service, arn: str) -> StateMachine:
    """The machine of an ARN, or StateMachineDoesNotExist."""
    try:
        return service.machines[arn]
    except KeyError:
        raise ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'") from None


def validate_state_machine_definition(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """ValidateStateMachineDefinition: every finding, errors first asked for, `maxResults` at most."""
    from kaidan.asl.language import diagnose

    findings = diagnose(params["definition"], workflow_type=params.get("type", "STANDARD"))
    failed = any(finding.severity == "ERROR" for finding in findings)
    if params.get("severity", "ERROR") == "ERROR":
        findings = [finding for finding in findings if finding.severity == "ERROR"]
    most = params.get("maxResults") or 100
    diagnostics = []
    for finding in findings[:most]:
        diagnostic = {"severity": finding.severity, "code": finding.code, "message": finding.message}
        if finding.location is not None:
            diagnostic["location"] = finding.location
        diagnostics.append(diagnostic)
    answer: dict[str, Any] = {"result": "FAIL" if failed else "OK", "diagnostics": diagnostics}
    answer["truncated"] = len(findings) > most
    return answer
