"""Which handler carries out which task: one visible list. Everything that can be called has a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kaidan.arns import TaskResource
from kaidan.errors import RUNTIME, StateError
from kaidan.integrations import (
    agentcore,
    apigateway,
    athena,
    aws_sdk,
    batch,
    bedrock,
    codebuild,
    databrew,
    dynamodb,
    ecs,
    eks,
    emr,
    emr_containers,
    emr_serverless,
    events,
    glue,
    http_task,
    kubernetes,
    lambda_,
    mediaconvert,
    optimised,
    sagemaker,
    sns,
    sqs,
    states,
)
from kaidan.integrations.agentcore import Harnesses
from kaidan.integrations.apigateway import ApiGateway
from kaidan.integrations.clients import ClientFactory
from kaidan.integrations.connections import Connections
from kaidan.integrations.contract import Reply, RunBlocking, Then
from kaidan.integrations.form import Complaint, Form
from kaidan.integrations.http_task import HttpTask
from kaidan.integrations.kubernetes import Kubernetes
from kaidan.integrations.lambda_ import Lambda
from kaidan.integrations.lambda_targets import LambdaTargets
from kaidan.integrations.naming import did_you_mean, nearest
from kaidan.integrations.optimised import Optimised
from kaidan.integrations.web import WebSettings
from kaidan.protocol.effects import RunTask
from kaidan.values import JSON

Begin = Callable[[RunTask, Reply], None]
"""Begins a task of one kind."""

Resume = Callable[[RunTask, JSON, Reply], None]
"""Goes on with a task by what it noted as its job."""

SERVICES = {
    service.token: service
    for service in (
        agentcore.SERVICE,
        athena.SERVICE,
        batch.SERVICE,
        bedrock.SERVICE,
        codebuild.SERVICE,
        databrew.SERVICE,
        dynamodb.SERVICE,
        ecs.SERVICE,
        eks.SERVICE,
        emr.SERVICE,
        emr_containers.SERVICE,
        emr_serverless.SERVICE,
        events.SERVICE,
        glue.SERVICE,
        mediaconvert.SERVICE,
        sagemaker.SERVICE,
        sns.SERVICE,
        sqs.SERVICE,
        states.SERVICE,
    )
}
"""Optimised integrations whose actions are operations of botocore's models."""

OWN_FORMS: dict[tuple[str, str], tuple[Form, tuple[str, ...]]] = {
    ("apigateway", "invoke"): (apigateway.FORM, apigateway.PATTERNS),
    ("eks", "call"): (kubernetes.FORMS["call"], kubernetes.PATTERNS["call"]),
    ("eks", "runJob"): (kubernetes.FORMS["runJob"], kubernetes.PATTERNS["runJob"]),
    ("http", "invoke"): (http_task.FORM, ("",)),
    ("lambda", "invoke"): (lambda_.FORM, lambda_.PATTERNS),
}
"""Actions with parameters that no model describes, and the patterns that they have."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the world of the tasks is, beside AWS.

    functions: where Lambda functions are. secrets: EventBridge connections, as `connections.read_secrets` gives them.
    web: what addresses tasks may call.
    """

    functions: LambdaTargets = field(default_factory=LambdaTargets)
    secrets: Mapping[str, JSON] = field(default_factory=dict)
    web: WebSettings = field(default_factory=WebSettings)


class Dispatcher:
    """A Handler that finds the handler of each task: by its service, or by its kind for functions and activities."""

    def __init__(
        self, clients: ClientFactory, run_blocking: RunBlocking, surroundings: Surroundings | None = None
    ) -> None:
        world = surroundings or Surroundings()
        self._clients = clients
        self._run_blocking = run_blocking
        self._services = {token: Optimised(service, clients, run_blocking) for token, service in SERVICES.items()}
        self._kubernetes = Kubernetes(clients, run_blocking, world.web)
        self.functions = Lambda(clients, run_blocking, world.functions)
        connections = Connections(clients, world.secrets)
        self.by_service: dict[str, Begin] = {
            **self._services,
            "apigateway": ApiGateway(clients, run_blocking, world.web),
            "bedrockagentcore": Harnesses(clients, run_blocking),
            "eks": self._eks,
            "http": HttpTask(connections, clients, run_blocking, world.web),
            "lambda": self.functions.invoke,
        }
        self.by_kind: dict[str, Begin] = {"lambda": self.functions.resource}
        self.resumers: dict[str, Resume] = {
            **{token: service.resume for token, service in self._services.items()},
            "eks": self._resume_eks,
        }

    def close(self) -> None:
        """End the processes of local functions."""
        self.functions.close()

    def __call__(self, task: RunTask, reply: Reply) -> None:
        self._find(task.resource)(task, reply)

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        """After a restart: by its job where the service can, else the task is begun again."""
        resume = self.resumers.get(task.resource.service)
        if resume is None:
            return self(task, reply)
        return resume(task, job, reply)

    def _find(self, resource: TaskResource) -> Begin:
        if resource.kind != "integration":
            return self.by_kind.get(resource.kind, _unavailable)
        handler = self.by_service.get(resource.service)
        if handler is None and resource.service.startswith("aws-sdk:"):
            return self.sdk
        return handler or _unavailable

    def _eks(self, task: RunTask, reply: Reply) -> None:
        (self._kubernetes if task.resource.action in kubernetes.PATTERNS else self._services["eks"])(task, reply)

    def _resume_eks(self, task: RunTask, job: JSON, reply: Reply) -> None:
        eks_ = self._kubernetes if task.resource.action in kubernetes.PATTERNS else self._services["eks"]
        eks_.resume(task, job, reply)

    def sdk(self, task: RunTask, reply: Reply) -> None:
        """`aws-sdk:…`: the call itself, and with `.waitForTaskToken` the wait for somebody's answer."""

        def call() -> JSON:
            operation = _operation(task.resource)
            return aws_sdk.call(operation, task.parameters.value, self._clients, task.role)

        token = task.resource.pattern == ".waitForTaskToken"
        self._run_blocking(call, Then(reply, reply.submitted, reply.failed) if token else reply)


def _operation(resource: TaskResource) -> aws_sdk.Operation:
    try:
        return aws_sdk.resolve(resource.service.removeprefix("aws-sdk:"), resource.action)
    except ValueError as problem:
        raise StateError(RUNTIME, str(problem)) from None


def _unavailable(task: RunTask, reply: Reply) -> None:
    reply.failed(RUNTIME, f"Nothing here carries out {task.resource.arn}")


# --- before running ---------------------------------------------------------------------------------------


def check_resource(resource: TaskResource) -> str | None:
    """What is wrong with a resource, as far as it can be known before running: unknown services, actions, patterns.

    Services that AWS lists and botocore does not model pass: they fail when they are called.
    """
    if resource.kind != "integration":
        return None
    token = resource.service.removeprefix("aws-sdk:")
    if token == resource.service:
        return _optimised_complaint(resource)
    if resource.pattern not in ("", ".waitForTaskToken"):
        return f"SDK integrations have no '{resource.pattern}'"
    if token in aws_sdk.RETIRED:
        return None
    try:
        aws_sdk.resolve(token, resource.action)
    except ValueError as problem:
        return str(problem)
    return None


def _optimised_complaint(resource: TaskResource) -> str | None:
    services = optimised_actions()
    actions = services.get(resource.service)
    if actions is None:
        return f"unknown service '{resource.service}'{did_you_mean(nearest(resource.service, services))}"
    patterns = actions.get(resource.action)
    if patterns is None:
        hint = did_you_mean(nearest(resource.action, actions))
        return f"unknown action '{resource.action}' of service '{resource.service}'{hint}"
    if resource.pattern not in patterns:
        return f"'{resource.service}:{resource.action}' has no '{resource.pattern}'"
    return None


def optimised_actions() -> dict[str, dict[str, tuple[str, ...]]]:
    """Service to action to patterns, request-response first: `{"sqs": {"sendMessage": ("", ".waitForTaskToken")}}`."""
    listed: dict[str, dict[str, tuple[str, ...]]] = {
        token: {name: action.patterns for name, action in service.actions.items()}
        for token, service in SERVICES.items()
    }
    for (token, name), (_, patterns) in OWN_FORMS.items():
        listed.setdefault(token, {})[name] = patterns
    return listed


def check_parameters(resource: TaskResource, parameters: JSON) -> str | None:
    """Why parameters cannot start a task, or None: for `Machine(check_parameters=…)`. What nobody knows passes."""
    found = _action(resource)
    if found is not None:
        return optimised.check_parameters(*found, parameters)
    if own := OWN_FORMS.get((resource.service, resource.action)):
        return ", ".join(own[0].problems(parameters)) or None
    if operation := _sdk_operation(resource):
        problems = aws_sdk.unfit_parameters(operation, parameters)
        return ", ".join(problem.sentence for problem in problems) or None
    return None


def check_template(resource: TaskResource, template: JSON) -> list[Complaint]:
    """What is wrong with Parameters or Arguments as they stand in a definition: see `form.Complaint`."""
    found = _action(resource)
    if found is not None:
        return optimised.check_template(*found, template)
    if own := OWN_FORMS.get((resource.service, resource.action)):
        return [(sentence, None) for sentence in own[0].template_problems(template)]
    if operation := _sdk_operation(resource):
        return [(each.sentence, each.hint) for each in aws_sdk.unknown_fields(operation, template)]
    return []


def prepare_parameters(resource: TaskResource, parameters: JSON) -> JSON:
    """Parameters as AWS sends them and shows them in TaskScheduled: some services' jobs are marked (recorded: ECS)."""
    found = _action(resource)
    if found is None or found[1].marked is None or not isinstance(parameters, dict):
        return parameters
    return found[1].marked(resource, parameters)


def _action(resource: TaskResource) -> tuple[optimised.Service, optimised.Action] | None:
    service = SERVICES.get(resource.service)
    action = service.actions.get(resource.action) if service is not None else None
    return None if service is None or action is None else (service, action)


def _sdk_operation(resource: TaskResource) -> aws_sdk.Operation | None:
    if not resource.service.startswith("aws-sdk:"):
        return None
    try:
        return aws_sdk.resolve(resource.service.removeprefix("aws-sdk:"), resource.action)
    except ValueError:
        return None
