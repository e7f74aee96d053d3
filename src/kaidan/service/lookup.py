"""Finding what an ARN names, or the error that AWS answers with. Source: messages as recorded from AWS."""

from __future__ import annotations

from kaidan.limits import AWS
from kaidan.runtime.run import MapRun, Run
from kaidan.service import refs
from kaidan.service.errors import ApiError, resource_not_found
from kaidan.service.state import Activity, Alias, Beginning, Service, StateMachine, Version


def no_machine(arn: str) -> ApiError:
    return ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")


def no_resource(arn: str) -> ApiError:
    """A version or an alias that a request refers to is not there."""
    return resource_not_found("Request references a resource that does not exist.", arn)


def machine(service: Service, arn: str) -> StateMachine:
    """By its unqualified ARN. Raises StateMachineDoesNotExist."""
    try:
        return service.machines[arn]
    except KeyError:
        raise no_machine(arn) from None


def active_machine(service: Service, arn: str) -> StateMachine:
    """A machine that is not being deleted. Raises StateMachineDoesNotExist, StateMachineDeleting."""
    found = machine(service, arn)
    if found.deleting:
        raise ApiError("StateMachineDeleting", f"State Machine is being deleted: '{arn}'")
    return found


def version(service: Service, arn: str) -> Version:
    """Raises StateMachineDoesNotExist, for a missing version too."""
    machine_arn, number = refs.version(arn)
    owner = service.machines.get(machine_arn)
    if owner is None or number not in owner.versions:
        raise no_machine(arn)
    return owner.versions[number]


def alias(service: Service, arn: str) -> tuple[StateMachine, Alias]:
    """Raises ResourceNotFound."""
    machine_arn, name = refs.alias(arn)
    owner = service.machines.get(machine_arn)
    if owner is None or name not in owner.aliases:
        raise no_resource(arn)
    return owner, owner.aliases[name]


def beginning(service: Service, arn: str) -> Beginning:
    """What an execution is started from: a machine's current revision, a version, or the version that an alias
    chooses. Raises StateMachineDoesNotExist, StateMachineDeleting."""
    machine_arn, qualifier = refs.state_machine(arn)
    if machine_arn not in service.machines:
        raise no_machine(arn)
    found = active_machine(service, machine_arn)
    if not qualifier:
        return Beginning(found, found.current)
    alias = None if refs.is_version(qualifier) else found.aliases.get(qualifier)
    number = _chosen(service, alias) if alias else int(qualifier) if refs.is_version(qualifier) else 0
    if number not in found.versions:
        raise no_machine(arn)
    chosen = found.versions[number]
    return Beginning(found, chosen.configuration, chosen.arn, alias.arn if alias else None)


def _chosen(service: Service, alias: Alias) -> int:
    """One of an alias's versions, by their shares."""
    point = service.source.random() * 100
    for number, weight in alias.routes:
        point -= weight
        if point < 0:
            return number
    return alias.routes[-1][0]


def activity(service: Service, arn: str) -> Activity:
    """Raises InvalidArn, ActivityDoesNotExist."""
    refs.activity(arn)
    try:
        return service.activities[arn]
    except KeyError:
        raise ApiError("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'") from None


def execution(service: Service, arn: str) -> Run:
    """Raises InvalidArn, ExecutionDoesNotExist."""
    refs.execution(arn)
    run = service.engine.find(arn)
    if run is None:
        raise ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
    return run


def standard_execution(service: Service, arn: str) -> Run:
    """Raises InvalidArn for Express ones (recorded), ExecutionDoesNotExist."""
    refs.standard_execution(arn)
    return execution(service, arn)


def check_room_for_execution(service: Service) -> None:
    """Raises ExecutionLimitExceeded. An engine that has not so many executions in memory is not asked to count."""
    most = AWS.open_executions_max
    runs = service.engine.runs.values()
    if len(runs) >= most and sum(run.execution.status == "RUNNING" for run in runs) >= most:
        raise limit_exceeded("Execution", f"{most} executions are running")


def limit_exceeded(kind: str, problem: str) -> ApiError:
    """ExecutionLimitExceeded, StateMachineLimitExceeded, ActivityLimitExceeded."""
    words = "State Machine" if kind == "StateMachine" else kind
    return ApiError(f"{kind}LimitExceeded", f"{words} Limit Exceeded: '{problem}'")


def map_run(service: Service, arn: str) -> MapRun:
    """Raises InvalidArn, ResourceNotFound."""
    refs.map_run(arn)
    try:
        return service.engine.map_runs[arn]
    except KeyError:
        raise resource_not_found(f"Resource not found: '{arn}'", arn) from None
