"""SageMaker, Bedrock, Bedrock AgentCore."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.integrations.cases.case import THEN, THEN_MS, THEN_S, THEN_S_MS, Case, Ending
from tests.integrations.support import EXECUTION

ROLE = "arn:aws:iam::123456789012:role/learns"
TAGS = [
    {"Key": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"},
    {"Key": "AWS_STEP_FUNCTIONS_EXECUTION_ARN", "Value": EXECUTION},
]
S3_INPUT = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in"}}}
OUTPUT = {"S3OutputPath": "s3://b/out"}
HUMANS = {
    "WorkteamArn": "arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/t",
    "UiConfig": {"UiTemplateS3Uri": "s3://b/ui"},
    "TaskTitle": "t",
    "TaskDescription": "d",
    "NumberOfHumanWorkersPerDataObject": 1,
    "TaskTimeLimitInSeconds": 60,
}
LABELS = {
    "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://b/manifest"}}},
    "OutputConfig": OUTPUT,
    "RoleArn": ROLE,
    "HumanTaskConfig": HUMANS,
}
TUNING = {
    "HyperParameterTuningJobConfig": {"Strategy": "Bayesian", "ResourceLimits": {"MaxParallelTrainingJobs": 2}},
}
AUTO = {
    "InputDataConfig": [{"TargetAttributeName": "y", "DataSource": S3_INPUT["DataSource"]}],
    "OutputDataConfig": OUTPUT,
    "RoleArn": ROLE,
}
TRANSFORM = {
    "ModelName": "m",
    "TransformInput": S3_INPUT,
    "TransformResources": {"InstanceType": "ml.m4.xlarge", "InstanceCount": 1},
}
PROCESSING = {
    "ProcessingResources": {
        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m4.xlarge", "VolumeSizeInGB": 1},
    },
    "AppSpecification": {"ImageUri": "i"},
}

JOBS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    (
        "TrainingJob",
        {"RoleArn": ROLE, "OutputDataConfig": OUTPUT, "StoppingCondition": {"MaxRuntimeInSeconds": 60}},
        {
            "ModelArtifacts": {"S3ModelArtifacts": "s3://b/model"},
            "SecondaryStatus": "Starting",
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        },
        "Stopped",
    ),
    ("TransformJob", {**TRANSFORM, "TransformOutput": OUTPUT}, TRANSFORM, "Failed"),
    ("ProcessingJob", {**PROCESSING, "RoleArn": ROLE}, PROCESSING, "Failed"),
    (
        "LabelingJob",
        {**LABELS, "LabelAttributeName": "l"},
        {**LABELS, "LabelCounters": {"Unlabeled": 3}, "LastModifiedTime": THEN, "JobReferenceCode": "c"},
        "Stopped",
    ),
    (
        "HyperParameterTuningJob",
        TUNING,
        {**TUNING, "TrainingJobStatusCounters": {"Completed": 1}, "ObjectiveStatusCounters": {"Succeeded": 1}},
        "Failed",
    ),
    ("AutoMLJob", AUTO, {**AUTO, "LastModifiedTime": THEN, "AutoMLJobSecondaryStatus": "Starting"}, "Stopped"),
]
"""A kind of job, what it is made with, what its description has, and how it may fail."""


def _jobs() -> Iterator[Case]:
    for kind, given, described, failed in JOBS:
        name = {f"{kind}Name": "n"}
        arn = {f"{kind}Arn": f"arn:aws:sagemaker:us-east-1:123456789012:{kind.lower()}/n"}
        yield Case(
            f"sagemaker:create{kind}",
            {**name, **given},
            [(f"sagemaker.Create{kind}", {**name, **given})],
            [arn],
            arn,
            {".sync": _ended(kind, {**name, **arn, **described, "CreationTime": THEN}, failed)},
        )


def _ended(kind: str, described: dict[str, Any], failed: str) -> Ending:
    name = {f"{kind}Name": "n"}
    result = {member: THEN_MS if value is THEN else value for member, value in described.items()}
    status = f"{kind}Status"
    return Ending(
        ask=(f"sagemaker.Describe{kind}", name),
        running={**described, status: "InProgress"},
        succeeded={**described, status: "Completed"},
        result={**result, status: "Completed"},
        failed={**described, status: failed},
        cause={**result, status: failed},
        stop=(f"sagemaker.Stop{kind}", name),
        marks={"Tags": TAGS},
    )


VARIANT = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m4.xlarge"}

OTHERS: list[tuple[str, dict[str, Any], str]] = [
    ("createModel", {"ModelName": "m", "PrimaryContainer": {"Image": "i"}, "ExecutionRoleArn": ROLE}, "ModelArn"),
    ("createEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [VARIANT]}, "EndpointConfigArn"),
    ("createEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"}, "EndpointArn"),
    ("updateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"}, "EndpointArn"),
]
ARN = "arn:aws:sagemaker:us-east-1:123456789012:thing/n"

# --- Bedrock ----------------------------------------------------------------------------------------------

CUSTOMISED = "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/x"
CUSTOMISATION = {
    "jobArn": CUSTOMISED,
    "jobName": "n",
    "outputModelName": "o",
    "roleArn": ROLE,
    "creationTime": THEN_S,
    "baseModelArn": "arn:m",
    "trainingDataConfig": {"s3Uri": "s3://b/in"},
    "validationDataConfig": {"validators": [{"s3Uri": "s3://b/v"}]},
    "outputDataConfig": {"s3Uri": "s3://b/out"},
}
CUSTOMISATION_RESULT = {
    "BaseModelArn": "arn:m",
    "CreationTime": THEN_S_MS,
    "JobArn": CUSTOMISED,
    "JobName": "n",
    "OutputDataConfig": {"S3Uri": "s3://b/out"},
    "OutputModelName": "o",
    "RoleArn": ROLE,
    "TrainingDataConfig": {"S3Uri": "s3://b/in"},
    "ValidationDataConfig": {"Validators": [{"S3Uri": "s3://b/v"}]},
}

BEDROCK = [
    Case(
        "bedrock:invokeModel",
        {
            "ModelId": "cohere.command-text-v14",
            "Body": {"prompt": "hi", "max_tokens": 20},
            "ContentType": "application/json",
            "Accept": "*/*",
        },
        [
            (
                "bedrock-runtime.InvokeModel",
                {
                    "modelId": "cohere.command-text-v14",
                    "body": b'{"prompt":"hi","max_tokens":20}',
                    "contentType": "application/json",
                    "accept": "*/*",
                },
            )
        ],
        [{"body": b'{"generations": [{"text": "hello"}]}', "contentType": "application/json"}],
        {"Body": {"generations": [{"text": "hello"}]}, "ContentType": "application/json"},
        token=True,
    ),
    Case(
        "bedrock:createModelCustomizationJob",
        {
            "JobName": "n",
            "CustomModelName": "o",
            "RoleArn": ROLE,
            "BaseModelIdentifier": "m",
            "TrainingDataConfig": {"S3Uri": "s3://b/in"},
            "OutputDataConfig": {"S3Uri": "s3://b/out"},
            "HyperParameters": {"epochCount": "1"},
        },
        [
            (
                "bedrock.CreateModelCustomizationJob",
                {
                    "jobName": "n",
                    "customModelName": "o",
                    "roleArn": ROLE,
                    "baseModelIdentifier": "m",
                    "trainingDataConfig": {"s3Uri": "s3://b/in"},
                    "outputDataConfig": {"s3Uri": "s3://b/out"},
                    "hyperParameters": {"epochCount": "1"},
                },
            )
        ],
        [{"jobArn": CUSTOMISED}],
        {"JobArn": CUSTOMISED},
        {
            ".sync": Ending(
                ask=("bedrock.GetModelCustomizationJob", {"jobIdentifier": CUSTOMISED}),
                running={**CUSTOMISATION, "status": "InProgress"},
                succeeded={**CUSTOMISATION, "status": "Completed"},
                result={**CUSTOMISATION_RESULT, "Status": "Completed"},
                failed={**CUSTOMISATION, "status": "Failed", "failureMessage": "m"},
                cause={**CUSTOMISATION_RESULT, "FailureMessage": "m", "Status": "Failed"},
                stop=("bedrock.StopModelCustomizationJob", {"jobIdentifier": CUSTOMISED}),
            )
        },
        token=True,
    ),
]

HARNESS = "arn:aws:bedrock-agentcore:us-east-1:123456789012:harness/order-agent"
SESSION = "0123456789-0123456789-0123456789-012"


def _turn(role: str, *blocks: tuple[int, str], stop: str, tokens: int) -> list[dict[str, Any]]:
    return [
        {"messageStart": {"role": role}},
        *({"contentBlockDelta": {"contentBlockIndex": at, "delta": {"text": text}}} for at, text in blocks),
        {"messageStop": {"stopReason": stop}},
        {
            "metadata": {
                "usage": {"inputTokens": tokens, "outputTokens": 1, "totalTokens": tokens + 1},
                "metrics": {"latencyMs": 10},
            }
        },
    ]


AGENT_CORE = Case(
    "bedrockagentcore:invokeHarness",
    {
        "HarnessArn": HARNESS,
        "RuntimeSessionId": SESSION,
        "Messages": [{"Role": "user", "Content": [{"Text": "Where is order 7?"}]}],
        "SystemPrompt": [{"Text": "You are helpful."}],
        "Model": {"BedrockModelConfig": {"ModelId": "global.model", "Temperature": 0.5}},
        "MaxIterations": 75,
        "TimeoutSeconds": 600,
    },
    [
        (
            "bedrock-agentcore.InvokeHarness",
            {
                "harnessArn": HARNESS,
                "runtimeSessionId": SESSION,
                "messages": [{"role": "user", "content": [{"text": "Where is order 7?"}]}],
                "systemPrompt": [{"text": "You are helpful."}],
                "model": {"bedrockModelConfig": {"modelId": "global.model", "temperature": 0.5}},
                "maxIterations": 75,
                "timeoutSeconds": 600,
            },
        )
    ],
    [
        {
            "stream": [
                *_turn("assistant", (0, "Let me see."), stop="tool_use", tokens=5),
                *_turn("assistant", (0, "On its "), (0, "way."), (1, "Bye."), stop="end_turn", tokens=7),
            ]
        }
    ],
    {
        "Metrics": {"LatencyMs": 20},
        "Output": {"Message": {"Content": [{"Text": "On its way."}, {"Text": "Bye."}], "Role": "assistant"}},
        "StopReason": "end_turn",
        "Usage": {"InputTokens": 12, "OutputTokens": 2, "TotalTokens": 14},
    },
)


def _others() -> Iterator[Case]:
    for action, given, arn in OTHERS:
        operation = f"sagemaker.{action[0].upper()}{action[1:]}"
        yield Case(f"sagemaker:{action}", given, [(operation, given)], [{arn: ARN}], {arn: ARN})


CASES = [*_jobs(), *_others(), *BEDROCK, AGENT_CORE]
