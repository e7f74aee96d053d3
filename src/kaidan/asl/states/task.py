"""Task: has work done by a service, a function or an activity. Source: States Language spec, "Task State"."""

from __future__ import annotations

import re

from kaidan.arns import TaskResource, task_resource
from kaidan.asl.states.dataflow import Definition
from kaidan.asl.states.fields import (
    ARGUMENTS,
    COMMON,
    INPUT_OUTPUT,
    PARAMETERS,
    RECOVERY,
    RESULT,
    TRANSITION,
    Field,
    Integer,
    Payload,
    Reference,
    Site,
    Text,
    with_path,
)
from kaidan.asl.states.numbers import integer
from kaidan.asl.states.state import Compiler, State
from kaidan.asl.states.visit import Ask, Visit
from kaidan.errors import runtime_error
from kaidan.limits import AWS
from kaidan.values import JSON, dumps

_ARN = re.compile(r"arn:aws(-[a-z]+)*:[a-z0-9-]+:[^:]*:[^:]*:\S+")
_FUNCTION = re.compile(r"arn:[^:]+:lambda:[^:]*:[^:]*:function:[A-Za-z0-9_.-]+(:(\$LATEST|[A-Za-z0-9_-]+))?")
_PLACE = re.compile(r"arn:[^:]+:[^:]+:[a-z]{2}(-[a-z]+)+-[0-9]:[0-9]{12}:.*")


def _resource(arn: JSON, site: Site) -> None:
    """Observed: what is no ARN and what is not known are told apart."""
    if not _is_arn(arn):
        hint = "allowed: the ARN of a Lambda function, of an activity, or arn:aws:states:::service:action"
        site.error("Value is not a valid resource ARN", hint=hint)
        return
    try:
        resource = task_resource(arn)
        complaint = site.resources.complaint(resource)
    except ValueError as problem:
        complaint = str(problem)
    if complaint:
        _unknown(arn, complaint, site)
    else:
        _known(resource, site)


def _is_arn(text: str) -> bool:
    return bool(_FUNCTION.fullmatch(text) if ":function:" in text else _ARN.fullmatch(text))


def _known(resource: TaskResource, site: Site) -> None:
    """Recorded: a function whose region and account are made up is accepted."""
    if site.workflow_type == "EXPRESS":
        _express(resource, site)
    if resource.kind != "integration" and not _PLACE.fullmatch(resource.arn):
        message = "The region or the account of the resource does not look like one of AWS."
        site.warning("INVALID_RESOURCE", message, hint="AWS would not find it, but here it may be found")


def _unknown(arn: str, complaint: str, site: Site) -> None:
    site.error(
        f"The resource provided {arn} is not recognized. The value is not a valid resource ARN, "
        "or the resource is not available in this region.",
        hint=complaint,
    )


def _express(resource: TaskResource, site: Site) -> None:
    """Recorded, with the blank at the end."""
    if resource.kind == "activity":
        site.error("Express state machine does not support Activity ARN")
    elif resource.pattern:
        pattern = resource.pattern.removesuffix(":2")
        site.error(f"Express state machine does not support '{pattern}' service integration ")


def _role(credentials: JSON, site: Site) -> None:
    if "RoleArn" not in credentials and "RoleArn.$" not in credentials:
        site.error("The field 'RoleArn' is required but was missing")


FIELDS = (
    *COMMON,
    *TRANSITION,
    *INPUT_OUTPUT,
    Field("Resource", Text(), required=True, check=_resource),
    PARAMETERS,
    ARGUMENTS,
    Field("Credentials", Payload(("object",)), check=_role),
    *with_path("TimeoutSeconds", Integer(1, AWS.wait_s_max), Reference()),
    *with_path("HeartbeatSeconds", Integer(1, AWS.wait_s_max), Reference()),
    *RESULT,
    *RECOVERY,
)


def check(state: JSON, site: Site) -> None:
    """What spans several fields."""
    timeout, heartbeat = state.get("TimeoutSeconds"), state.get("HeartbeatSeconds")
    if isinstance(timeout, int) and isinstance(heartbeat, int) and heartbeat >= timeout:
        site.error("HeartbeatSeconds must be smaller than TimeoutSeconds", "/HeartbeatSeconds")
    resource = _read(state.get("Resource"))
    if resource and resource.kind == "integration" and not site.resources.complaint(resource):
        _parameters(state, resource, site)
    if resource and resource.kind == "activity" and "Credentials" in state:
        site.error("The field 'Credentials' is not supported for activities", "/Credentials")


def _read(arn: JSON) -> TaskResource | None:
    try:
        return task_resource(arn) if isinstance(arn, str) and _is_arn(arn) else None
    except ValueError:
        return None


def _parameters(state: JSON, resource: TaskResource, site: Site) -> None:
    name = "Arguments" if site.language == "JSONata" else "Parameters"
    if name not in state:
        site.error(f"{name} field is required for resource ARN: {resource.arn}", "/Resource")
        return
    for message, hint in site.resources.complaints(resource, state[name]):
        site.error(message, f"/{name}", hint=hint)


class Task(State):
    __slots__ = ("_heartbeat", "_resource", "_role", "_timeout")

    def __init__(self, definition: Definition, compiler: Compiler) -> None:
        super().__init__(definition, compiler, compiler.flow(definition, parameters="Parameters"))
        self._resource = task_resource(definition["Resource"])
        self.has_token = self._resource.kind == "activity" or self._resource.pattern != ""
        self._timeout = compiler.value(definition, "TimeoutSeconds")
        self._heartbeat = compiler.value(definition, "HeartbeatSeconds")
        self._role = compiler.value(definition.get("Credentials") or {}, "RoleArn")

    def enter(self, visit: Visit) -> Ask:
        parameters = self.flow.arguments(visit)
        return Ask(
            self._resource,
            parameters,
            integer(self._timeout, "TimeoutSeconds", visit, minimum=1),
            integer(self._heartbeat, "HeartbeatSeconds", visit, minimum=1),
            self._role_arn(visit),
        )

    def _role_arn(self, visit: Visit) -> str | None:
        role = self._role.at(visit) if self._role else None
        if self._role is not None and not isinstance(role, str):
            raise runtime_error(f"The RoleArn of Credentials must be a string but was: {dumps(role)}")
        return role
