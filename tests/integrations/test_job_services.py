"""Every `.sync` there is: what is submitted, asked, answered and stopped, service by service, by scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from kaidan.integrations.dispatch import SERVICES
from kaidan.integrations.optimised import Optimised
from kaidan.values import JSON
from tests.integrations.support import FakeReply, Script, at_once, refusal, task

JsonObject = dict[str, Any]


@dataclass
class Case:
    """submit: the operation, its request and its answer. ask: the operation, its request, and its answers when the job
    runs, succeeds and fails. result: of `.sync`. stop: operation and request."""

    resource: str
    parameters: JSON
    submit: tuple[str, JsonObject, JsonObject]
    ask: tuple[str, JsonObject]
    running: JsonObject
    succeeded: JsonObject | Exception
    result: JSON
    failed: JsonObject | None = None
    cause: str = ""
    stop: tuple[str, JsonObject] | None = None
    submitted: JsonObject = field(default_factory=dict)


MARK = {"name": "MANAGED_BY_AWS", "value": "STARTED_BY_STEP_FUNCTIONS"}
SAGEMAKER_TAGS = [
    {"Key": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"},
    {
        "Key": "AWS_STEP_FUNCTIONS_EXECUTION_ARN",
        "Value": "arn:aws:states:us-east-1:123456789012:execution:Orders:one",
    },
]

CASES = [
    Case(
        "batch:submitJob.sync",
        {"JobName": "n", "JobQueue": "q", "JobDefinition": "d"},
        (
            "batch.submit_job",
            {"jobName": "n", "jobQueue": "q", "jobDefinition": "d", "containerOverrides": {"environment": [MARK]}},
            {"jobId": "i", "jobName": "n"},
        ),
        ("batch.describe_jobs", {"jobs": ["i"]}),
        {"jobs": [{"jobId": "i", "status": "RUNNABLE"}]},
        {"jobs": [{"jobId": "i", "status": "SUCCEEDED", "startedAt": 5}]},
        {"JobId": "i", "StartedAt": 5, "Status": "SUCCEEDED"},
        {"jobs": [{"jobId": "i", "status": "FAILED", "statusReason": "Task failed to start"}]},
        '{"JobId":"i","Status":"FAILED","StatusReason":"Task failed to start"}',
        ("batch.terminate_job", {"jobId": "i", "reason": "The state machine's task was stopped"}),
    ),
    Case(
        "glue:startJobRun.sync",
        {"JobName": "j"},
        ("glue.start_job_run", {"JobName": "j"}, {"JobRunId": "r"}),
        ("glue.get_job_run", {"JobName": "j", "RunId": "r"}),
        {"JobRun": {"Id": "r", "JobRunState": "RUNNING"}},
        {"JobRun": {"Id": "r", "JobRunState": "SUCCEEDED"}},
        {"Id": "r", "JobRunState": "SUCCEEDED"},
        {"JobRun": {"Id": "r", "JobRunState": "FAILED", "ErrorMessage": "m"}},
        '{"ErrorMessage":"m","Id":"r","JobRunState":"FAILED"}',
        ("glue.batch_stop_job_run", {"JobName": "j", "JobRunIds": ["r"]}),
        submitted={"JobName": "j", "JobRunId": "r"},
    ),
    Case(
        "databrew:startJobRun.sync",
        {"Name": "j"},
        ("databrew.start_job_run", {"Name": "j"}, {"RunId": "r"}),
        ("databrew.describe_job_run", {"Name": "j", "RunId": "r"}),
        {"RunId": "r", "State": "RUNNING"},
        {"RunId": "r", "State": "SUCCEEDED"},
        {"RunId": "r", "State": "SUCCEEDED"},
        {"RunId": "r", "State": "TIMEOUT"},
        '{"RunId":"r","State":"TIMEOUT"}',
        ("databrew.stop_job_run", {"Name": "j", "RunId": "r"}),
    ),
    Case(
        "athena:startQueryExecution.sync",
        {"QueryString": "SELECT 1"},
        ("athena.start_query_execution", {"QueryString": "SELECT 1"}, {"QueryExecutionId": "q"}),
        ("athena.get_query_execution", {"QueryExecutionId": "q"}),
        {"QueryExecution": {"Status": {"State": "QUEUED"}}},
        {"QueryExecution": {"QueryExecutionId": "q", "Status": {"State": "SUCCEEDED"}}},
        {"QueryExecution": {"QueryExecutionId": "q", "Status": {"State": "SUCCEEDED"}}},
        {"QueryExecution": {"Status": {"State": "FAILED", "StateChangeReason": "why"}}},
        '{"QueryExecution":{"Status":{"State":"FAILED","StateChangeReason":"why"}}}',
        ("athena.stop_query_execution", {"QueryExecutionId": "q"}),
    ),
    Case(
        "codebuild:startBuild.sync",
        {"ProjectName": "p"},
        ("codebuild.start_build", {"projectName": "p"}, {"build": {"id": "p:1", "buildStatus": "IN_PROGRESS"}}),
        ("codebuild.batch_get_builds", {"ids": ["p:1"]}),
        {"builds": [{"id": "p:1", "buildStatus": "IN_PROGRESS"}]},
        {"builds": [{"id": "p:1", "buildStatus": "SUCCEEDED"}]},
        {"Build": {"BuildStatus": "SUCCEEDED", "Id": "p:1"}},
        {"builds": [{"id": "p:1", "buildStatus": "TIMED_OUT"}]},
        '{"Build":{"BuildStatus":"TIMED_OUT","Id":"p:1"}}',
        ("codebuild.stop_build", {"id": "p:1"}),
        submitted={"Build": {"Id": "p:1", "BuildStatus": "IN_PROGRESS"}},
    ),
    Case(
        "codebuild:startBuildBatch.sync",
        {"ProjectName": "p"},
        ("codebuild.start_build_batch", {"projectName": "p"}, {"buildBatch": {"id": "p:b"}}),
        ("codebuild.batch_get_build_batches", {"ids": ["p:b"]}),
        {"buildBatches": [{"id": "p:b", "buildBatchStatus": "IN_PROGRESS"}]},
        {"buildBatches": [{"id": "p:b", "buildBatchStatus": "SUCCEEDED"}]},
        {"BuildBatch": {"BuildBatchStatus": "SUCCEEDED", "Id": "p:b"}},
        {"buildBatches": [{"id": "p:b", "buildBatchStatus": "STOPPED"}]},
        '{"BuildBatch":{"BuildBatchStatus":"STOPPED","Id":"p:b"}}',
        ("codebuild.stop_build_batch", {"id": "p:b"}),
        submitted={"BuildBatch": {"Id": "p:b"}},
    ),
    Case(
        "codebuild:retryBuildBatch.sync",
        {"Id": "p:a"},
        ("codebuild.retry_build_batch", {"id": "p:a"}, {"buildBatch": {"id": "p:b"}}),
        ("codebuild.batch_get_build_batches", {"ids": ["p:b"]}),
        {"buildBatches": [{"id": "p:b", "buildBatchStatus": "IN_PROGRESS"}]},
        {"buildBatches": [{"id": "p:b", "buildBatchStatus": "SUCCEEDED"}]},
        {"BuildBatch": {"BuildBatchStatus": "SUCCEEDED", "Id": "p:b"}},
        submitted={"BuildBatch": {"Id": "p:b"}},
    ),
    Case(
        "elasticmapreduce:createCluster.sync",
        {"Name": "c", "Instances": {"KeepJobFlowAliveWhenNoSteps": True}},
        (
            "emr.run_job_flow",
            {"Name": "c", "Instances": {"KeepJobFlowAliveWhenNoSteps": True}},
            {"JobFlowId": "j-1", "ClusterArn": "a"},
        ),
        ("emr.describe_cluster", {"ClusterId": "j-1"}),
        {"Cluster": {"Id": "j-1", "Status": {"State": "BOOTSTRAPPING"}}},
        {"Cluster": {"Id": "j-1", "Status": {"State": "WAITING"}}},
        "ClusterId j-1",
        {"Cluster": {"Id": "j-1", "Status": {"State": "TERMINATED_WITH_ERRORS"}}},
        '"State":"TERMINATED_WITH_ERRORS"',
        submitted={"ClusterId": "j-1"},
    ),
    Case(
        "elasticmapreduce:terminateCluster.sync",
        {"ClusterId": "j-1"},
        ("emr.terminate_job_flows", {"JobFlowIds": ["j-1"]}, {}),
        ("emr.describe_cluster", {"ClusterId": "j-1"}),
        {"Cluster": {"Id": "j-1", "Status": {"State": "TERMINATING"}}},
        {"Cluster": {"Id": "j-1", "Status": {"State": "TERMINATED"}}},
        "ClusterId j-1",
    ),
    Case(
        "elasticmapreduce:addStep.sync",
        {"ClusterId": "j-1", "Step": {"Name": "s"}},
        ("emr.add_job_flow_steps", {"JobFlowId": "j-1", "Steps": [{"Name": "s"}]}, {"StepIds": ["s-1"]}),
        ("emr.describe_step", {"ClusterId": "j-1", "StepId": "s-1"}),
        {"Step": {"Id": "s-1", "Status": {"State": "PENDING"}}},
        {"Step": {"Id": "s-1", "Status": {"State": "COMPLETED"}}},
        {"Step": {"Id": "s-1", "Status": {"State": "COMPLETED"}}},
        {"Step": {"Id": "s-1", "Status": {"State": "CANCELLED"}}},
        '"State":"CANCELLED"',
        ("emr.cancel_steps", {"ClusterId": "j-1", "StepIds": ["s-1"]}),
        submitted={"StepId": "s-1"},
    ),
    Case(
        "emr-containers:startJobRun.sync",
        {"VirtualClusterId": "v", "Name": "n"},
        ("emr-containers.start_job_run", {"virtualClusterId": "v", "name": "n"}, {"id": "r", "virtualClusterId": "v"}),
        ("emr-containers.describe_job_run", {"id": "r", "virtualClusterId": "v"}),
        {"jobRun": {"id": "r", "state": "SUBMITTED"}},
        {"jobRun": {"id": "r", "state": "COMPLETED"}},
        {"Id": "r", "State": "COMPLETED"},
        {"jobRun": {"id": "r", "state": "FAILED", "failureReason": "USER_ERROR"}},
        '{"FailureReason":"USER_ERROR","Id":"r","State":"FAILED"}',
        ("emr-containers.cancel_job_run", {"id": "r", "virtualClusterId": "v"}),
        submitted={"Id": "r", "VirtualClusterId": "v"},
    ),
    Case(
        "emr-containers:deleteVirtualCluster.sync",
        {"Id": "v"},
        ("emr-containers.delete_virtual_cluster", {"id": "v"}, {"id": "v"}),
        ("emr-containers.describe_virtual_cluster", {"id": "v"}),
        {"virtualCluster": {"id": "v", "state": "TERMINATING"}},
        refusal("ResourceNotFoundException", "gone", 404),
        {"Id": "v"},
        submitted={"Id": "v"},
    ),
    Case(
        "emr-serverless:createApplication.sync",
        {"ReleaseLabel": "emr-7", "Type": "SPARK"},
        ("emr-serverless.create_application", {"releaseLabel": "emr-7", "type": "SPARK"}, {"applicationId": "a"}),
        ("emr-serverless.get_application", {"applicationId": "a"}),
        {"application": {"applicationId": "a", "state": "CREATING"}},
        {"application": {"applicationId": "a", "state": "CREATED"}},
        {"ApplicationId": "a", "State": "CREATED"},
        {"application": {"applicationId": "a", "state": "TERMINATED"}},
        '{"ApplicationId":"a","State":"TERMINATED"}',
        ("emr-serverless.delete_application", {"applicationId": "a"}),
    ),
    Case(
        "emr-serverless:startApplication.sync",
        {"ApplicationId": "a"},
        ("emr-serverless.start_application", {"applicationId": "a"}, {}),
        ("emr-serverless.get_application", {"applicationId": "a"}),
        {"application": {"applicationId": "a", "state": "STARTING"}},
        {"application": {"applicationId": "a", "state": "STARTED"}},
        {"ApplicationId": "a", "State": "STARTED"},
        {"application": {"applicationId": "a", "state": "STOPPED"}},
        '{"ApplicationId":"a","State":"STOPPED"}',
        ("emr-serverless.stop_application", {"applicationId": "a"}),
        submitted={"ApplicationId": "a"},
    ),
    Case(
        "emr-serverless:stopApplication.sync",
        {"ApplicationId": "a"},
        ("emr-serverless.stop_application", {"applicationId": "a"}, {}),
        ("emr-serverless.get_application", {"applicationId": "a"}),
        {"application": {"state": "STOPPING"}},
        {"application": {"state": "STOPPED"}},
        {"State": "STOPPED"},
    ),
    Case(
        "emr-serverless:deleteApplication.sync",
        {"ApplicationId": "a"},
        ("emr-serverless.delete_application", {"applicationId": "a"}, {}),
        ("emr-serverless.get_application", {"applicationId": "a"}),
        {"application": {"state": "STOPPED"}},
        refusal("ResourceNotFoundException", "gone", 404),
        {"ApplicationId": "a"},
    ),
    Case(
        "emr-serverless:startJobRun.sync",
        {"ApplicationId": "a", "ExecutionRoleArn": "r"},
        (
            "emr-serverless.start_job_run",
            {"applicationId": "a", "executionRoleArn": "r"},
            {"applicationId": "a", "jobRunId": "j"},
        ),
        ("emr-serverless.get_job_run", {"applicationId": "a", "jobRunId": "j"}),
        {"jobRun": {"state": "RUNNING"}},
        {"jobRun": {"state": "SUCCESS"}},
        {"State": "SUCCESS"},
        {"jobRun": {"state": "FAILED"}},
        '{"State":"FAILED"}',
        ("emr-serverless.cancel_job_run", {"applicationId": "a", "jobRunId": "j"}),
    ),
    Case(
        "emr-serverless:cancelJobRun.sync",
        {"ApplicationId": "a", "JobRunId": "j"},
        (
            "emr-serverless.cancel_job_run",
            {"applicationId": "a", "jobRunId": "j"},
            {"applicationId": "a", "jobRunId": "j"},
        ),
        ("emr-serverless.get_job_run", {"applicationId": "a", "jobRunId": "j"}),
        {"jobRun": {"state": "CANCELLING"}},
        {"jobRun": {"state": "CANCELLED"}},
        {"State": "CANCELLED"},
        {"jobRun": {"state": "SUCCESS"}},
        '{"State":"SUCCESS"}',
    ),
    Case(
        "mediaconvert:createJob.sync",
        {"Role": "r", "Settings": {}},
        (
            "mediaconvert.create_job",
            {"Role": "r", "Settings": {}, "Tags": {"ManagedByService": "AWSStepFunctions"}},
            {"Job": {"Id": "j"}},
        ),
        ("mediaconvert.get_job", {"Id": "j"}),
        {"Job": {"Id": "j", "Status": "PROGRESSING"}},
        {"Job": {"Id": "j", "Status": "COMPLETE"}},
        {"Job": {"Id": "j", "Status": "COMPLETE"}},
        {"Job": {"Id": "j", "Status": "ERROR", "ErrorCode": 1040}},
        '{"Job":{"ErrorCode":1040,"Id":"j","Status":"ERROR"}}',
        ("mediaconvert.cancel_job", {"Id": "j"}),
        submitted={"Job": {"Id": "j"}},
    ),
    Case(
        "bedrock:createModelCustomizationJob.sync",
        {"JobName": "n", "BaseModelIdentifier": "m"},
        (
            "bedrock.create_model_customization_job",
            {"jobName": "n", "baseModelIdentifier": "m"},
            {"jobArn": "a"},
        ),
        ("bedrock.get_model_customization_job", {"jobIdentifier": "a"}),
        {"jobArn": "a", "status": "InProgress"},
        {"jobArn": "a", "status": "Completed"},
        {"JobArn": "a", "Status": "Completed"},
        {"jobArn": "a", "status": "Failed"},
        '{"JobArn":"a","Status":"Failed"}',
        ("bedrock.stop_model_customization_job", {"jobIdentifier": "a"}),
    ),
    Case(
        "states:startExecution.sync",
        {"StateMachineArn": "m", "Input": {"a": 1}},
        ("stepfunctions.start_execution", {"stateMachineArn": "m", "input": '{"a":1}'}, {"executionArn": "e"}),
        ("stepfunctions.describe_execution", {"executionArn": "e"}),
        {"executionArn": "e", "status": "RUNNING"},
        {"executionArn": "e", "status": "SUCCEEDED", "output": '{"b": 2}'},
        {"ExecutionArn": "e", "Output": '{"b": 2}', "Status": "SUCCEEDED"},
        {"executionArn": "e", "status": "ABORTED", "input": "{}"},
        '{"ExecutionArn":"e","Input":"{}","Status":"ABORTED"}',
        ("stepfunctions.stop_execution", {"executionArn": "e"}),
    ),
    Case(
        "states:startExecution.sync:2",
        {"StateMachineArn": "m"},
        ("stepfunctions.start_execution", {"stateMachineArn": "m"}, {"executionArn": "e"}),
        ("stepfunctions.describe_execution", {"executionArn": "e"}),
        {"executionArn": "e", "status": "RUNNING"},
        {"executionArn": "e", "status": "SUCCEEDED", "output": '{"b": 2}'},
        {"ExecutionArn": "e", "Output": {"b": 2}, "Status": "SUCCEEDED"},
        {"executionArn": "e", "status": "FAILED", "input": "{}", "error": "E"},
        '{"Error":"E","ExecutionArn":"e","Input":{},"Status":"FAILED"}',
        ("stepfunctions.stop_execution", {"executionArn": "e"}),
    ),
]


def sagemaker_cases() -> Iterator[Case]:
    for kind, operation in (
        ("TrainingJob", "training_job"),
        ("TransformJob", "transform_job"),
        ("ProcessingJob", "processing_job"),
        ("LabelingJob", "labeling_job"),
        ("HyperParameterTuningJob", "hyper_parameter_tuning_job"),
        ("AutoMLJob", "auto_ml_job"),
    ):
        name = {f"{kind}Name": "n"}
        yield Case(
            f"sagemaker:create{kind}.sync",
            name,
            (f"sagemaker.create_{operation}", name | {"Tags": SAGEMAKER_TAGS}, {f"{kind}Arn": "a"}),
            (f"sagemaker.describe_{operation}", name),
            name | {f"{kind}Status": "InProgress"},
            name | {f"{kind}Status": "Completed"},
            name | {f"{kind}Status": "Completed"},
            name | {f"{kind}Status": "Stopped"},
            f'"{kind}Status":"Stopped"',
            (f"sagemaker.stop_{operation}", name),
        )


def eks_cases() -> Iterator[Case]:
    for thing, operation, path, names in (
        ("Cluster", "cluster", "cluster", {"name": "c"}),
        ("Nodegroup", "nodegroup", "nodegroup", {"clusterName": "c", "nodegroupName": "n"}),
        ("FargateProfile", "fargate_profile", "fargateProfile", {"clusterName": "c", "fargateProfileName": "n"}),
        ("Addon", "addon", "addon", {"clusterName": "c", "addonName": "n"}),
    ):
        parameters = {name[0].upper() + name[1:]: value for name, value in names.items()}
        failed = "FAILED" if thing == "Cluster" else "CREATE_FAILED"
        yield Case(
            f"eks:create{thing}.sync",
            parameters,
            (f"eks.create_{operation}", names, {path: {"status": "CREATING"}}),
            (f"eks.describe_{operation}", names),
            {path: {"status": "CREATING"}},
            {path: {"status": "ACTIVE"}},
            {thing: {"Status": "ACTIVE"}},
            {path: {"status": failed}},
            f'{{"{thing}":{{"Status":"{failed}"}}}}',
        )
        yield Case(
            f"eks:delete{thing}.sync",
            parameters,
            (f"eks.delete_{operation}", names, {path: {"status": "DELETING"}}),
            (f"eks.describe_{operation}", names),
            {path: {"status": "DELETING"}},
            refusal("ResourceNotFoundException", "gone", 404),
            parameters,
        )


ALL = [*CASES, *sagemaker_cases(), *eks_cases()]
NAMES = [case.resource for case in ALL]


def begin(case: Case, *answers: Any) -> tuple[Script, FakeReply]:
    operation, _, answer = case.submit
    script = Script({operation: [answer], case.ask[0]: list(answers), **({case.stop[0]: [{}]} if case.stop else {})})
    reply = FakeReply()
    service = SERVICES[case.resource.partition(":")[0]]
    Optimised(service, script, at_once)(task(case.resource, case.parameters), reply)  # type: ignore[arg-type]
    return script, reply


def without_tokens(request: JsonObject) -> JsonObject:
    return {name: value for name, value in request.items() if "token" not in name.lower()}


def plain(value: JSON) -> JSON:
    """Without what is said of HTTP, and without the empty lists that EMR's results are full of."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if item != [] and not name.startswith("Sdk")}
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("case", ALL, ids=NAMES)
def test_it_succeeds(case: Case) -> None:
    script, reply = begin(case, case.running, case.running, case.succeeded)
    assert reply.names == ["started", "job", "submitted"]
    assert case.submitted.items() <= plain(reply.told[2][1]).items()
    reply.pass_time()
    operation, request, _ = case.submit
    assert [(name, without_tokens(asked)) for name, asked in script.asked] == [(operation, request)] + [case.ask] * 3
    if case.result == "ClusterId j-1":
        assert reply.result["ClusterId"] == "j-1"
        assert plain(reply.result["Cluster"])["Id"] == "j-1"
    else:
        assert plain(reply.result) == case.result


@pytest.mark.parametrize("case", [case for case in ALL if case.failed], ids=lambda case: case.resource)
def test_it_fails(case: Case) -> None:
    _, reply = begin(case, case.running, case.failed)
    reply.pass_time()
    error, cause = reply.failure
    assert error == "States.TaskFailed"
    assert cause == case.cause if case.cause.startswith("{") else case.cause in cause


@pytest.mark.parametrize("case", ALL, ids=NAMES)
def test_it_is_stopped_with_its_task(case: Case) -> None:
    script, reply = begin(case, case.running)
    before = len(script.asked)
    reply.cancel()
    service = SERVICES[case.resource.partition(":")[0]]
    action, _, pattern = case.resource.partition(":")[2].partition(".")
    stops = service.actions[action].jobs["." + pattern].stop is not None  # type: ignore[index]
    assert len(script.asked) == before + stops
    if case.stop is not None:
        assert script.asked[-1] == case.stop


@pytest.mark.parametrize("case", ALL, ids=NAMES)
def test_it_is_picked_up_after_a_restart(case: Case) -> None:
    _, first = begin(case, case.running)
    handle = first.told[1][1]
    script, reply = Script({case.ask[0]: [case.running, case.succeeded]}), FakeReply()
    service = SERVICES[case.resource.partition(":")[0]]
    Optimised(service, script, at_once).resume(task(case.resource, case.parameters), handle, reply)  # type: ignore[arg-type]
    reply.pass_time()
    assert script.asked == [case.ask] * 2
    assert reply.names == ["succeeded"]


def test_all_of_them_are_here() -> None:
    there = {
        f"{service.token}:{name}{pattern}"
        for service in SERVICES.values()
        for name, action in service.actions.items()
        for pattern in action.jobs
    }
    assert there - {"ecs:runTask.sync"} == set(NAMES)
