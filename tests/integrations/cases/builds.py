"""Batch and CodeBuild."""

from __future__ import annotations

from typing import Any

from tests.integrations.cases.case import Case, Ending

REPORT = "arn:aws:codebuild:us-east-1:123456789012:report/site:1"
JOB = {"JobName": "n", "JobQueue": "q", "JobDefinition": "d"}
MARK = {"name": "MANAGED_BY_AWS", "value": "STARTED_BY_STEP_FUNCTIONS"}


def _job(status: str, **more: Any) -> dict[str, Any]:
    return {
        "jobs": [
            {
                "jobId": "i",
                "jobName": "n",
                "jobQueue": "q",
                "jobDefinition": "d",
                "status": status,
                "startedAt": 5,
                "container": {"environment": [MARK], "vcpus": 1},
                **more,
            }
        ]
    }


JOB_RESULT = {
    "Container": {"Environment": [{"Name": MARK["name"], "Value": MARK["value"]}], "Vcpus": 1},
    "JobDefinition": "d",
    "JobId": "i",
    "JobName": "n",
    "JobQueue": "q",
    "StartedAt": 5,
}


def _build(status: str) -> dict[str, Any]:
    return {"id": "site:1", "projectName": "site", "buildStatus": status}


def _build_result(status: str) -> dict[str, Any]:
    return {"Build": {"BuildStatus": status, "Id": "site:1", "ProjectName": "site"}}


def _batch(status: str) -> dict[str, Any]:
    return {"id": "site:b", "projectName": "site", "buildBatchStatus": status}


def _batch_result(status: str) -> dict[str, Any]:
    return {"BuildBatch": {"BuildBatchStatus": status, "Id": "site:b", "ProjectName": "site"}}


BATCH_ENDS = {
    ".sync": Ending(
        ask=("codebuild.BatchGetBuildBatches", {"ids": ["site:b"]}),
        running={"buildBatches": [_batch("IN_PROGRESS")]},
        succeeded={"buildBatches": [_batch("SUCCEEDED")]},
        result=_batch_result("SUCCEEDED"),
        failed={"buildBatches": [_batch("STOPPED")]},
        cause=_batch_result("STOPPED"),
        stop=("codebuild.StopBuildBatch", {"id": "site:b"}),
    )
}

CASES = [
    Case(
        "batch:submitJob",
        {**JOB, "Parameters": {"day": "1"}, "RetryStrategy": {"Attempts": 2}},
        [
            (
                "batch.SubmitJob",
                {
                    "jobName": "n",
                    "jobQueue": "q",
                    "jobDefinition": "d",
                    "parameters": {"day": "1"},
                    "retryStrategy": {"attempts": 2},
                },
            )
        ],
        [{"jobId": "i", "jobName": "n", "jobArn": "arn"}],
        {"JobArn": "arn", "JobId": "i", "JobName": "n"},
        {
            ".sync": Ending(
                ask=("batch.DescribeJobs", {"jobs": ["i"]}),
                running=_job("RUNNABLE"),
                succeeded=_job("SUCCEEDED"),
                result={**JOB_RESULT, "Status": "SUCCEEDED"},
                failed=_job("FAILED", statusReason="Task failed to start"),
                cause={**JOB_RESULT, "Status": "FAILED", "StatusReason": "Task failed to start"},
                stop=("batch.TerminateJob", {"jobId": "i", "reason": "The state machine's task was stopped"}),
                marks={"containerOverrides": {"environment": [MARK]}},
            )
        },
    ),
    Case(
        "codebuild:startBuild",
        {"ProjectName": "site", "EnvironmentVariablesOverride": [{"Name": "A", "Value": "1", "Type": "PLAINTEXT"}]},
        [
            (
                "codebuild.StartBuild",
                {
                    "projectName": "site",
                    "environmentVariablesOverride": [{"name": "A", "value": "1", "type": "PLAINTEXT"}],
                },
            )
        ],
        [{"build": _build("IN_PROGRESS")}],
        _build_result("IN_PROGRESS"),
        {
            ".sync": Ending(
                ask=("codebuild.BatchGetBuilds", {"ids": ["site:1"]}),
                running={"builds": [_build("IN_PROGRESS")]},
                succeeded={"builds": [_build("SUCCEEDED")]},
                result=_build_result("SUCCEEDED"),
                failed={"builds": [_build("TIMED_OUT")]},
                cause=_build_result("TIMED_OUT"),
                stop=("codebuild.StopBuild", {"id": "site:1"}),
            )
        },
    ),
    Case(
        "codebuild:stopBuild",
        {"Id": "site:1"},
        [("codebuild.StopBuild", {"id": "site:1"})],
        [{"build": _build("STOPPED")}],
        _build_result("STOPPED"),
    ),
    Case(
        "codebuild:batchDeleteBuilds",
        {"Ids": ["site:1"]},
        [("codebuild.BatchDeleteBuilds", {"ids": ["site:1"]})],
        [{"buildsDeleted": ["site:1"], "buildsNotDeleted": []}],
        {"BuildsDeleted": ["site:1"], "BuildsNotDeleted": []},
    ),
    Case(
        "codebuild:batchGetReports",
        {"ReportArns": [REPORT]},
        [("codebuild.BatchGetReports", {"reportArns": [REPORT]})],
        [{"reports": [{"arn": REPORT, "type": "TEST", "status": "SUCCEEDED"}], "reportsNotFound": [REPORT + "9"]}],
        {"Reports": [{"Arn": REPORT, "Status": "SUCCEEDED", "Type": "TEST"}], "ReportsNotFound": [REPORT + "9"]},
    ),
    Case(
        "codebuild:startBuildBatch",
        {"ProjectName": "site"},
        [("codebuild.StartBuildBatch", {"projectName": "site"})],
        [{"buildBatch": _batch("IN_PROGRESS")}],
        _batch_result("IN_PROGRESS"),
        BATCH_ENDS,
    ),
    Case(
        "codebuild:stopBuildBatch",
        {"Id": "site:b"},
        [("codebuild.StopBuildBatch", {"id": "site:b"})],
        [{"buildBatch": _batch("STOPPED")}],
        _batch_result("STOPPED"),
    ),
    Case(
        "codebuild:retryBuildBatch",
        {"Id": "site:a", "RetryType": "RETRY_FAILED_BUILDS"},
        [("codebuild.RetryBuildBatch", {"id": "site:a", "retryType": "RETRY_FAILED_BUILDS"})],
        [{"buildBatch": _batch("IN_PROGRESS")}],
        _batch_result("IN_PROGRESS"),
        BATCH_ENDS,
    ),
    Case(
        "codebuild:deleteBuildBatch",
        {"Id": "site:b"},
        [("codebuild.DeleteBuildBatch", {"id": "site:b"})],
        [{"statusCode": "OK", "buildsDeleted": ["site:1"]}],
        {"BuildsDeleted": ["site:1"], "StatusCode": "OK"},
    ),
]
