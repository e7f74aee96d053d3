"""What moto answers: for each pattern of each integration that it can carry out, parameters and the task's output.

What it cannot is in ABSENT, each with the operation that it lacks or what it does otherwise than AWS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kaidan.values import JSON
from tests.integrations.cases.machine_learning import OUTPUT, PROCESSING, S3_INPUT, TRANSFORM, TUNING
from tests.integrations.emulated import INSTANCES, World

Fields = dict[str, Any]
Parameters = Callable[[World, str], Fields]
"""Of a world, and a name that no other pattern of the resource has."""


@dataclass(frozen=True)
class MotoCase:
    """shows: some of the output; a type stands for any value of it. during: what befalls the job while the task waits
    for it, after which the task fails: `shows` is then of its cause."""

    resource: str
    parameters: Parameters
    shows: JSON
    during: Callable[[World, Fields], object] | None = None


def _both(action: str, parameters: Parameters, shows: Any, ended: Any) -> list[MotoCase]:
    """Request-response and `.sync`."""
    return [MotoCase(action, parameters, shows), MotoCase(f"{action}.sync", parameters, ended)]


def _token(action: str, parameters: Parameters, shows: Any) -> list[MotoCase]:
    return [MotoCase(action, parameters, shows), MotoCase(f"{action}.waitForTaskToken", parameters, shows)]


KEY = {"id": {"S": "1"}}
PLUS_ONE = {
    "UpdateExpression": "SET n = n + :one",
    "ExpressionAttributeValues": {":one": {"N": "1"}},
    "ReturnValues": "UPDATED_NEW",
}
EVENT = {"Source": "shop", "DetailType": "order", "Detail": {"id": 1}}
MESSAGES = [
    *_token("sqs:sendMessage", lambda w, n: {"QueueUrl": w.queue, "MessageBody": {"a": 1}}, {"MessageId": str}),
    *_token("sns:publish", lambda w, n: {"TopicArn": w.topic, "Message": {"a": 1}}, {"MessageId": str}),
    *_token(
        "events:putEvents", lambda w, n: {"Entries": [EVENT]}, {"Entries": [{"EventId": str}], "FailedEntryCount": 0}
    ),
    *_token(
        "lambda:invoke",
        lambda w, n: {"FunctionName": w.function, "Payload": {"a": 1}},
        {"Payload": {"a": 1}, "StatusCode": 200},
    ),
    MotoCase("dynamodb:getItem", lambda w, n: {"TableName": w.table, "Key": KEY}, {"Item": {**KEY, "n": {"N": str}}}),
    MotoCase(
        "dynamodb:putItem",
        lambda w, n: {"TableName": w.table, "Item": {**KEY, "n": {"N": "5"}}, "ReturnValues": "ALL_OLD"},
        {"Attributes": KEY},
    ),
    MotoCase(
        "dynamodb:updateItem",
        lambda w, n: {"TableName": w.table, "Key": KEY, **PLUS_ONE},
        {"Attributes": {"n": {"N": str}}},
    ),
    MotoCase(
        "dynamodb:deleteItem",
        lambda w, n: {"TableName": w.table, "Key": {"id": {"S": "none"}}},
        {"SdkHttpMetadata": {"HttpStatusCode": 200}},
    ),
]


def _child(world: World, handle: Fields) -> object:
    return world.client("stepfunctions").stop_execution(executionArn=handle["ExecutionArn"], error="E")


def _start(world: World, name: str) -> Fields:
    return {"StateMachineArn": world.machine, "Input": {"a": 1}}


EXECUTIONS = [
    *_token("states:startExecution", _start, {"ExecutionArn": str, "StartDate": int}),
    MotoCase("states:startExecution.sync", _start, {"Input": '{"a":1}', "Status": "ABORTED"}, _child),
    MotoCase("states:startExecution.sync:2", _start, {"Input": {"a": 1}, "Status": "ABORTED"}, _child),
]


def _run_task(world: World, name: str) -> Fields:
    return world.ecs_task


CUSTOMISATION = {
    "BaseModelIdentifier": "amazon.titan-text-lite-v1",
    "HyperParameters": {"epochCount": "1"},
}


def _customisation(world: World, name: str) -> Fields:
    places = {"TrainingDataConfig": {"S3Uri": f"s3://{world.bucket}/in"}, "OutputDataConfig": {"S3Uri": "s3://b/out"}}
    return {**CUSTOMISATION, **places, "JobName": name, "CustomModelName": name, "RoleArn": world.role}


JOBS = [
    *_both("athena:startQueryExecution", lambda w, n: {"QueryString": "SELECT 1"}, {"QueryExecutionId": str}, {
        "QueryExecution": {"Query": "SELECT 1", "Status": {"State": "SUCCEEDED"}},
    }),
    MotoCase("athena:getQueryExecution", lambda w, n: {"QueryExecutionId": w.query}, {
        "QueryExecution": {"Query": "SELECT 1"},
    }),
    MotoCase("athena:getQueryResults", lambda w, n: {"QueryExecutionId": w.query}, {"ResultSet": {"Rows": list}}),
    MotoCase("athena:stopQueryExecution", lambda w, n: {"QueryExecutionId": w.query}, {"SdkHttpMetadata": dict}),
    *_both("glue:startJobRun", lambda w, n: {"JobName": w.glue_job}, {"JobName": "nightly", "JobRunId": str}, {
        "JobName": "nightly", "JobRunState": "SUCCEEDED", "StartedOn": int,
    }),
    *_both("batch:submitJob", lambda w, n: w.batch_job, {"JobId": str, "JobName": "n"}, {
        "JobId": str, "JobName": "n", "Status": "SUCCEEDED", "StartedAt": int,
    }),
    *_both("codebuild:startBuild", lambda w, n: {"ProjectName": w.project}, {"Build": {"BuildStatus": "IN_PROGRESS"}}, {
        "Build": {"BuildStatus": "SUCCEEDED", "ProjectName": "site"},
    }),
    MotoCase("codebuild:stopBuild", lambda w, n: {"Id": w.build()}, {"Build": {"BuildStatus": "STOPPED"}}),
    *_token("ecs:runTask", _run_task, {"Tasks": [{"LastStatus": "RUNNING", "TaskArn": str}], "Failures": []}),
    MotoCase(
        "ecs:runTask.sync",
        _run_task,
        {"LastStatus": "STOPPED", "StartedBy": "AWS Step Functions", "Attachments": [{"Type": "eni"}]},
    ),
    *_token("bedrock:invokeModel", lambda w, n: {"ModelId": "m", "Body": {"a": 1}}, {"Body": dict, "ContentType": str}),
    *_token("bedrock:createModelCustomizationJob", _customisation, {"JobArn": str}),
]  # fmt: skip


def _sagemaker(kind: str, parameters: Fields, shows: Fields) -> list[MotoCase]:
    def named(world: World, name: str) -> Fields:
        given = {field: world.role if field == "RoleArn" else value for field, value in parameters.items()}
        return {f"{kind}Name": name, **given}

    ended = {f"{kind}Name": str, f"{kind}Status": "Completed", "CreationTime": int, **shows}
    return _both(f"sagemaker:create{kind}", named, {f"{kind}Arn": str}, ended)


TRAINING = {
    "RoleArn": "",
    "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
    "OutputDataConfig": OUTPUT,
    "ResourceConfig": {"InstanceType": "ml.m4.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
VARIANT = {"VariantName": "v", "InitialInstanceCount": 1, "InstanceType": "ml.t2.medium"}
LEARNING = [
    *_sagemaker("TrainingJob", TRAINING, {"ModelArtifacts": dict}),
    *_sagemaker("TransformJob", {**TRANSFORM, "TransformOutput": OUTPUT}, {"TransformInput": S3_INPUT}),
    *_sagemaker("ProcessingJob", {**PROCESSING, "RoleArn": ""}, {"AppSpecification": {"ImageUri": "i"}}),
    *_sagemaker("HyperParameterTuningJob", TUNING, {"HyperParameterTuningJobConfig": dict}),
    MotoCase(
        "sagemaker:createModel",
        lambda w, n: {"ModelName": "another", "PrimaryContainer": {"Image": "i"}, "ExecutionRoleArn": w.role},
        {"ModelArn": str},
    ),
    MotoCase(
        "sagemaker:createEndpointConfig",
        lambda w, n: {"EndpointConfigName": "another", "ProductionVariants": [{**VARIANT, "ModelName": w.model}]},
        {"EndpointConfigArn": str},
    ),
    MotoCase(
        "sagemaker:createEndpoint",
        lambda w, n: {"EndpointName": "e", "EndpointConfigName": w.endpoint_config},
        {"EndpointArn": str},
    ),
]


def _cluster(world: World, name: str) -> Fields:
    return {"Name": name, "RoleArn": world.role, "ResourcesVpcConfig": {"SubnetIds": [world.subnet]}}


def _nodegroup(world: World, name: str) -> Fields:
    named = {"ClusterName": world.kubernetes, "NodegroupName": name}
    return {**named, "Subnets": [world.subnet], "NodeRole": world.role}


def _profile(world: World, name: str) -> Fields:
    named = {"ClusterName": world.kubernetes, "FargateProfileName": name}
    return {**named, "PodExecutionRoleArn": world.role, "Selectors": [{"Namespace": "x"}]}


CLUSTER = {"Cluster": {"Name": str, "Status": "ACTIVE", "CreatedAt": int, "CertificateAuthority": {"Data": str}}}
NODEGROUP = {"Nodegroup": {"NodegroupName": str, "ClusterName": "main", "Status": "ACTIVE"}}
PROFILE = {"FargateProfile": {"FargateProfileName": str, "Selectors": [{"Namespace": "x"}]}}

EKS = [
    *_both("eks:createCluster", _cluster, CLUSTER, CLUSTER),
    *_both("eks:createNodegroup", _nodegroup, NODEGROUP, NODEGROUP),
    *_both("eks:createFargateProfile", _profile, PROFILE, PROFILE),
    *_both("eks:deleteFargateProfile", lambda w, n: w.fargate_profile(f"to-go-{n}"), {"FargateProfile": dict}, {
        "ClusterName": "main", "FargateProfileName": str,
    }),
    *_both("eks:deleteNodegroup", lambda w, n: w.nodegroup(f"to-go-{n}"), {"Nodegroup": dict}, {
        "ClusterName": "main", "NodegroupName": str,
    }),
    *_both("eks:deleteCluster", lambda w, n: {"Name": w.eks_cluster(f"to-go-{n}")}, {"Cluster": dict}, {"Name": str}),
]  # fmt: skip

NEW = {"Name": "c", "ReleaseLabel": "emr-7.0.0", "Instances": INSTANCES}
STEP = {"Name": "s", "ActionOnFailure": "CONTINUE", "HadoopJarStep": {"Jar": "j", "Args": ["a"]}}
MORE = {"InstanceGroupName": "core", "InstanceGroup": {"InstanceCount": 2}}
SPARK = {"SparkSubmitJobDriver": {"EntryPoint": "s3://b/k"}}


def _spark(world: World, name: str) -> Fields:
    cluster = {"VirtualClusterId": world.virtual_cluster(name), "ExecutionRoleArn": world.role}
    return {**cluster, "Name": name, "ReleaseLabel": "emr-6.3.0-latest", "JobDriver": SPARK}


def _cancelled(world: World, handle: Fields) -> object:
    job = {"id": handle["Id"], "virtualClusterId": handle["VirtualClusterId"]}
    return world.client("emr-containers").cancel_job_run(**job)


def _serverless(world: World, name: str) -> Fields:
    return {**world.application(name), "ExecutionRoleArn": world.role}


RELEASE = {"ReleaseLabel": "emr-6.6.0", "Type": "SPARK"}

EMR = [
    *_both("elasticmapreduce:createCluster", lambda w, n: NEW, {"ClusterId": str}, {
        "ClusterId": str, "Cluster": {"Name": "c", "Status": {"State": "WAITING"}},
    }),
    MotoCase(
        "elasticmapreduce:setClusterTerminationProtection",
        lambda w, n: {"ClusterId": w.emr_cluster(), "TerminationProtected": True},
        {"SdkHttpMetadata": dict},
    ),
    *_both("elasticmapreduce:terminateCluster", lambda w, n: {"ClusterId": w.emr_cluster()}, {"SdkHttpMetadata": dict},
           {"ClusterId": str, "Cluster": {"Status": {"State": "TERMINATED"}}}),
    MotoCase("elasticmapreduce:addStep", lambda w, n: {"ClusterId": w.emr_cluster(), "Step": STEP}, {"StepId": str}),
    MotoCase(
        "elasticmapreduce:modifyInstanceGroupByName",
        lambda w, n: {"ClusterId": w.emr_cluster(), **MORE},
        {"SdkHttpMetadata": dict},
    ),
    MotoCase(
        "emr-containers:createVirtualCluster",
        lambda w, n: {"Name": "v", "ContainerProvider": {
            "Id": w.kubernetes, "Type": "EKS", "Info": {"EksInfo": {"Namespace": "spark"}},
        }},
        {"Arn": str, "Id": str, "Name": "v"},
    ),
    MotoCase("emr-containers:startJobRun", _spark, {"Id": str, "Name": str}),
    MotoCase("emr-containers:startJobRun.sync", _spark, {"Id": str, "State": "CANCELLED"}, _cancelled),
    *_both("emr-containers:deleteVirtualCluster", lambda w, n: {"Id": w.virtual_cluster(f"to-go-{n}")}, {"Id": str}, {
        "Id": str, "State": "TERMINATED",
    }),
    *_both("emr-serverless:createApplication", lambda w, n: {"Name": n, **RELEASE}, {"ApplicationId": str}, {
        "ApplicationId": str, "Name": str, "CreatedAt": int,
    }),
    *_both("emr-serverless:startApplication", lambda w, n: w.application("c"), {"ApplicationId": str}, {
        "State": "STARTED",
    }),
    *_both("emr-serverless:stopApplication", lambda w, n: w.application("d"), {"ApplicationId": str}, {
        "State": "STOPPED",
    }),
    *_both("emr-serverless:deleteApplication", lambda w, n: w.stopped_application("e"), {"ApplicationId": str}, {
        "State": "TERMINATED",
    }),
    *_both("emr-serverless:startJobRun", lambda w, n: _serverless(w, "f"), {"JobRunId": str}, {
        "JobRunId": str, "State": "SUCCESS",
    }),
    *_both("emr-serverless:cancelJobRun", lambda w, n: w.serverless_run(), {"JobRunId": str}, {
        "State": "CANCELLED",
    }),
]  # fmt: skip

CASES = [*MESSAGES, *EXECUTIONS, *JOBS, *LEARNING, *EKS, *EMR]

ABSENT = {
    "apigateway:invoke": "serves no APIs of its own",
    "bedrock:createModelCustomizationJob.sync": "takes the job's ARN in a path for its name, encoded as it came",
    "bedrockagentcore:invokeHarness": "InvokeHarness",
    "codebuild:batchDeleteBuilds": "BatchDeleteBuilds",
    "codebuild:batchGetReports": "BatchGetReports",
    "codebuild:deleteBuildBatch": "DeleteBuildBatch",
    "codebuild:retryBuildBatch": "RetryBuildBatch",
    "codebuild:startBuildBatch": "StartBuildBatch",
    "codebuild:stopBuildBatch": "StopBuildBatch",
    "databrew:startJobRun": "StartJobRun",
    "eks:call": "has no Kubernetes API",
    "eks:createAddon": "CreateAddon",
    "eks:deleteAddon": "DeleteAddon",
    "eks:runJob": "has no Kubernetes API",
    "elasticmapreduce:addStep.sync": "never ends a step, and has no CancelSteps",
    "elasticmapreduce:cancelStep": "CancelSteps",
    "elasticmapreduce:modifyInstanceFleetByName": "ModifyInstanceFleet",
    "http:invoke": "is no AWS service",
    "mediaconvert:createJob": "CreateJob",
    "sagemaker:createAutoMLJob": "CreateAutoMLJob",
    "sagemaker:createLabelingJob": "CreateLabelingJob",
    "sagemaker:updateEndpoint": "UpdateEndpoint",
}
"""Resources that moto cannot carry out, with all their patterns unless one is named."""
