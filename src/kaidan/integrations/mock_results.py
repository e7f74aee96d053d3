"""Mocked results of tasks against the shapes of the services' answers, as botocore models them.

    check_result(task_resource("arn:aws:states:::events:putEvents"), {"Entries": [{"EventId": 5}]}, "STRICT")
    → UnfitResult: Mock result schema validation error: Field 'EventId' must be a string

Field names are Step Functions' (`ExecutionArn`); fields that the model does not know are ignored; what has no model
(HTTP, API Gateway, callbacks, functions, activities) may be anything. Times are strings, and blobs may be any JSON
(Lambda's Payload). Source: AWS guide, "Mock validation modes"; messages as recorded from AWS.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal, TypeAlias

from kaidan.arns import TaskResource
from kaidan.integrations import aws_sdk
from kaidan.integrations.naming import member_names
from kaidan.values import JSON

Shape: TypeAlias = Any
"""A botocore.model.Shape; botocore has no types."""

Validation = Literal["NONE", "PRESENT", "STRICT"]
"""TestState's `fieldValidationMode`: nothing is checked, the fields that are there, or required fields too."""


class UnfitResult(ValueError):
    """A result that the service cannot give, in AWS's words. `allowed`: what it could, where that is a list or a
    bound, or ""."""

    def __init__(self, sentence: str, allowed: str = "") -> None:
        super().__init__(sentence)
        self.allowed = allowed


SDK_TOKENS = {
    "athena": "athena",
    "batch": "batch",
    "bedrock": "bedrock",
    "codebuild": "codebuild",
    "databrew": "databrew",
    "dynamodb": "dynamodb",
    "ecs": "ecs",
    "eks": "eks",
    "elasticmapreduce": "emr",
    "emr-containers": "emrcontainers",
    "emr-serverless": "emrserverless",
    "events": "eventbridge",
    "glue": "glue",
    "lambda": "lambda",
    "mediaconvert": "mediaconvert",
    "sagemaker": "sagemaker",
    "sns": "sns",
    "sqs": "sqs",
    "states": "sfn",
}
"""Optimised integrations whose actions are operations of a service: the service as SDK integrations call it."""

RENAMED = {
    ("bedrock", "invokeModel"): ("bedrockruntime", "invokeModel"),
    ("elasticmapreduce", "addStep"): ("emr", "addJobFlowSteps"),
    ("elasticmapreduce", "createCluster"): ("emr", "runJobFlow"),
    ("elasticmapreduce", "terminateCluster"): ("emr", "terminateJobFlows"),
}
"""Optimised actions that go by another name than the operation behind them."""

POLLED = {
    ("athena", "startQueryExecution"): "getQueryExecution",
    ("batch", "submitJob"): "describeJobs",
    ("bedrock", "createModelCustomizationJob"): "getModelCustomizationJob",
    ("codebuild", "startBuild"): "batchGetBuilds",
    ("codebuild", "startBuildBatch"): "batchGetBuildBatches",
    ("databrew", "startJobRun"): "describeJobRun",
    ("ecs", "runTask"): "describeTasks",
    ("eks", "createAddon"): "describeAddon",
    ("eks", "createCluster"): "describeCluster",
    ("eks", "createFargateProfile"): "describeFargateProfile",
    ("eks", "createNodegroup"): "describeNodegroup",
    ("eks", "deleteAddon"): "describeAddon",
    ("eks", "deleteCluster"): "describeCluster",
    ("eks", "deleteFargateProfile"): "describeFargateProfile",
    ("eks", "deleteNodegroup"): "describeNodegroup",
    ("elasticmapreduce", "addStep"): "describeStep",
    ("elasticmapreduce", "createCluster"): "describeCluster",
    ("elasticmapreduce", "terminateCluster"): "describeCluster",
    ("emr-containers", "deleteVirtualCluster"): "describeVirtualCluster",
    ("emr-containers", "startJobRun"): "describeJobRun",
    ("emr-serverless", "createApplication"): "getApplication",
    ("emr-serverless", "deleteApplication"): "getApplication",
    ("emr-serverless", "startApplication"): "getApplication",
    ("emr-serverless", "startJobRun"): "getJobRun",
    ("emr-serverless", "stopApplication"): "getApplication",
    ("glue", "startJobRun"): "getJobRun",
    ("mediaconvert", "createJob"): "getJob",
    ("sagemaker", "createAutoMLJob"): "describeAutoMLJob",
    ("sagemaker", "createHyperParameterTuningJob"): "describeHyperParameterTuningJob",
    ("sagemaker", "createLabelingJob"): "describeLabelingJob",
    ("sagemaker", "createProcessingJob"): "describeProcessingJob",
    ("sagemaker", "createTrainingJob"): "describeTrainingJob",
    ("sagemaker", "createTransformJob"): "describeTransformJob",
    ("states", "startExecution"): "describeExecution",
}
"""`.sync`: the operation that Step Functions polls, whose answer is the result (AWS guide, "Testing Activity, .sync,
and .waitForTaskToken states")."""


OLDER_MAXIMA = {("lambda", "MemorySize"): 10_240}
"""Numbers that Step Functions' own models hold lower than botocore's (recorded in December 2025; functions on managed
instances, which may have more, came the week before)."""


def check_result(resource: TaskResource, result: JSON, validation: Validation) -> None:
    """Raises UnfitResult."""
    operation = _operation(resource) if validation != "NONE" else None
    if operation is None:
        return
    shape = aws_sdk.service_model(operation.service).operation_model(operation.operation_name).output_shape
    if shape is None:
        return
    if not isinstance(result, dict):
        raise UnfitResult("Mocked result must be a JSON object.")
    _Checker(operation.service, validation == "STRICT").check(shape, result, "")


@cache
def _operation(resource: TaskResource) -> aws_sdk.Operation | None:
    """Whose answer a task's result is; None when nobody models it."""
    if resource.kind != "integration" or resource.pattern == ".waitForTaskToken":
        return None
    token, action = resource.service.removeprefix("aws-sdk:"), resource.action
    if token == resource.service:
        key = (resource.service, resource.action)
        token, action = RENAMED.get(key, (SDK_TOKENS.get(resource.service, ""), resource.action))
        if resource.pattern:
            action = POLLED.get(key, "")
    try:
        return aws_sdk.resolve(token, action)
    except ValueError:
        return None


class _Checker:
    """Walks a value along its shape; the first problem ends the walk."""

    def __init__(self, service: str, strict: bool) -> None:
        self._service = service
        self._strict = strict

    def check(self, shape: Shape, value: JSON, field: str) -> None:
        match shape.type_name:
            case "structure":
                if not shape.is_document_type:
                    self._structure(shape, value, field)
            case "list":
                _expect(isinstance(value, list), field, "must be an array")
                _within(len(value), shape, field, *_LENGTH)
                for item in value:
                    self.check(shape.member, item, field)
            case "map":
                _expect(isinstance(value, dict), field, "must be an object")
                for item in value.values():
                    self.check(shape.value, item, field)
            case "blob":
                pass
            case scalar:
                _SCALARS[scalar](shape, value, field)
                most = OLDER_MAXIMA.get((self._service, shape.name))
                _expect(most is None or value <= most, field, _VALUE[1], f"at most {most}")

    def _structure(self, shape: Shape, value: JSON, field: str) -> None:
        _expect(isinstance(value, dict), field, "must be an object")
        names = member_names(self._service, shape.name, shape.members, union=shape.is_tagged_union)
        if self._strict:
            for name, member in names.items():
                if member in shape.required_members and value.get(name) is None:
                    raise _problem(f"Required field '{name}' is missing")
        for name, member in names.items():
            if value.get(name) is not None:
                self.check(shape.members[member], value[name], name)


_LENGTH = ("is shorter than the minimum length", "exceeds the maximum length")
_VALUE = ("is less than the minimum value", "exceeds the maximum value")


def _string(shape: Shape, value: JSON, field: str) -> None:
    _expect(isinstance(value, str), field, "must be a string")
    _expect(not shape.enum or value in shape.enum, field, "is not an expected value", ", ".join(shape.enum))
    _within(len(value), shape, field, *_LENGTH)


def _number(shape: Shape, value: JSON, field: str) -> None:
    _expect(isinstance(value, (int, float)) and not isinstance(value, bool), field, "must be a number")
    _within(value, shape, field, *_VALUE)


def _boolean(shape: Shape, value: JSON, field: str) -> None:
    _expect(isinstance(value, bool), field, "must be a boolean")


def _timestamp(shape: Shape, value: JSON, field: str) -> None:
    _expect(isinstance(value, str), field, "must be a string")


_SCALARS: dict[str, Callable[[Shape, JSON, str], None]] = {
    "string": _string,
    "character": _string,
    "integer": _number,
    "long": _number,
    "float": _number,
    "double": _number,
    "boolean": _boolean,
    "timestamp": _timestamp,
}


def _expect(holds: bool, field: str, what: str, allowed: str = "") -> None:
    if not holds:
        raise _problem(f"Field '{field}' {what}", allowed)


def _within(number: float, shape: Shape, field: str, too_little: str, too_much: str) -> None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    _expect(least is None or number >= least, field, too_little, f"at least {least}")
    _expect(most is None or number <= most, field, too_much, f"at most {most}")


def _problem(text: str, allowed: str = "") -> UnfitResult:
    return UnfitResult(f"Mock result schema validation error: {text}", allowed)
