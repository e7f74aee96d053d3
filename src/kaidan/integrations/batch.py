"""AWS Batch: `batch:submitJob`. Source: AWS guide, "Run AWS Batch workloads"; published causes of failed jobs."""

from __future__ import annotations

from kaidan.arns import TaskResource
from kaidan.integrations.jobs import Fields, Job, status
from kaidan.integrations.optimised import Action, Service

MARK = {"Name": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}
"""By this variable of the job's container AWS tells the jobs of `.sync` from others."""

OTHER_OVERRIDES = ("EcsPropertiesOverride", "EksPropertiesOverride", "NodeOverrides")


def _mark(resource: TaskResource, fields: Fields) -> Fields:
    if resource.pattern != ".sync" or any(fields.get(name) for name in OTHER_OVERRIDES):
        return fields
    overrides = fields.get("ContainerOverrides") or {}
    environment = [item for item in overrides.get("Environment") or [] if item != MARK]
    return {**fields, "ContainerOverrides": {**overrides, "Environment": [*environment, MARK]}}


ENDED = Job(
    handle=lambda answer, parameters: {"JobId": answer["JobId"]},
    ask=("DescribeJobs", lambda job: {"jobs": [job["JobId"]]}),
    path=("Jobs", 0),
    verdict=status("Status", succeeded="SUCCEEDED", failed="FAILED"),
    stop=("TerminateJob", lambda job: {"jobId": job["JobId"], "reason": "The state machine's task was stopped"}),
)

SERVICE = Service(
    token="batch",
    client="batch",
    prefix="Batch",
    product="AWSBatch",
    exception="AWSBatchException",
    actions={"submitJob": Action("SubmitJob", jobs={".sync": ENDED}, marked=_mark)},
)
