"""Amazon SageMaker AI: jobs, models and endpoints. The result of `.sync` is the job's description. Jobs bear two tags,
as AWS's events of them show. Source: AWS guide, "Create and manage Amazon SageMaker AI jobs"."""

from __future__ import annotations

from kaidan.integrations.jobs import Fields, Job, status
from kaidan.integrations.optimised import Action, Service, Situation

MARK = {"Key": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}


def _tagged(fields: Fields, situation: Situation) -> Fields:
    if situation.resource.pattern != ".sync":
        return fields
    tags = [MARK]
    if situation.arn:
        tags.append({"Key": "AWS_STEP_FUNCTIONS_EXECUTION_ARN", "Value": situation.arn})
    return {**fields, "Tags": [*(fields.get("Tags") or []), *tags]}


def _job(kind: str, name: str | None = None, status_of: str | None = None) -> Action:
    """CreateXxx, and `.sync` by DescribeXxx and StopXxx, which all name the job the same way."""
    name = name or f"{kind}Name"
    ended = Job(
        handle=lambda answer, parameters: {name: parameters[name]},
        ask=(f"Describe{kind}", dict),
        path=(),
        verdict=status(status_of or f"{kind}Status", succeeded="Completed", failed="Failed Stopped"),
        stop=(f"Stop{kind}", dict),
    )
    return Action(f"Create{kind}", jobs={".sync": ended}, completed=_tagged)


SERVICE = Service(
    token="sagemaker",
    client="sagemaker",
    prefix="SageMaker",
    product="AmazonSageMaker",
    exception="AmazonSageMakerException",
    actions={
        "createTrainingJob": _job("TrainingJob"),
        "createTransformJob": _job("TransformJob"),
        "createProcessingJob": _job("ProcessingJob"),
        "createLabelingJob": _job("LabelingJob"),
        "createHyperParameterTuningJob": _job("HyperParameterTuningJob"),
        "createAutoMLJob": _job("AutoMLJob"),
        "createModel": Action("CreateModel"),
        "createEndpoint": Action("CreateEndpoint"),
        "createEndpointConfig": Action("CreateEndpointConfig"),
        "updateEndpoint": Action("UpdateEndpoint"),
    },
)
