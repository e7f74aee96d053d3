"""AWS CodeBuild: builds and batches of builds. Source: AWS guide, "Manage AWS CodeBuild builds"; its sample projects,
where `.sync` is followed by `$.Build.…`.

What has just been stopped cannot be deleted at once: deleting is tried again for about a minute.
"""

from __future__ import annotations

from kaidan.integrations.jobs import Fields, Job, status
from kaidan.integrations.optimised import Action, Service

FAILED = "FAILED FAULT TIMED_OUT STOPPED"

BUILD = Job(
    handle=lambda answer, parameters: {"Id": answer["Build"]["Id"]},
    ask=("BatchGetBuilds", lambda build: {"ids": [build["Id"]]}),
    path=("Builds", 0),
    verdict=status("BuildStatus", succeeded="SUCCEEDED", failed=FAILED),
    result=lambda answer, build: {"Build": answer["Builds"][0]},
    stop=("StopBuild", lambda build: {"id": build["Id"]}),
)

BUILD_BATCH = Job(
    handle=lambda answer, parameters: {"Id": answer["BuildBatch"]["Id"]},
    ask=("BatchGetBuildBatches", lambda batch: {"ids": [batch["Id"]]}),
    path=("BuildBatches", 0),
    verdict=status("BuildBatchStatus", succeeded="SUCCEEDED", failed=FAILED),
    result=lambda answer, batch: {"BuildBatch": answer["BuildBatches"][0]},
    stop=("StopBuildBatch", lambda batch: {"id": batch["Id"]}),
)


def _some_were_not_deleted(answer: Fields) -> bool:
    return bool(answer.get("BuildsNotDeleted"))


SERVICE = Service(
    token="codebuild",
    client="codebuild",
    prefix="CodeBuild",
    product="AWSCodeBuild",
    exception="AWSCodeBuildException",
    actions={
        "startBuild": Action("StartBuild", jobs={".sync": BUILD}),
        "stopBuild": Action("StopBuild"),
        "batchDeleteBuilds": Action("BatchDeleteBuilds", again=_some_were_not_deleted),
        "batchGetReports": Action("BatchGetReports"),
        "startBuildBatch": Action("StartBuildBatch", jobs={".sync": BUILD_BATCH}),
        "stopBuildBatch": Action("StopBuildBatch"),
        "retryBuildBatch": Action("RetryBuildBatch", jobs={".sync": BUILD_BATCH}),
        "deleteBuildBatch": Action("DeleteBuildBatch", again=_some_were_not_deleted),
    },
)
