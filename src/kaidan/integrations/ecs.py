"""Amazon ECS and Fargate: `ecs:runTask`. Source: AWS guide, "Run Amazon ECS or Fargate tasks"; recordings of AWS.

AWS learns of a task's end by an event, whose form the result of `.sync` has: it differs a little from DescribeTasks.
"""

from __future__ import annotations

from kaidan.arns import TaskResource
from kaidan.errors import StateError
from kaidan.integrations.jobs import Fields, Job, no_metadata
from kaidan.integrations.optimised import Action, Service
from kaidan.values import JSON, dumps

STARTED_BY = "AWS Step Functions"


def _started_by(resource: TaskResource, fields: Fields) -> Fields:
    """`.sync` tells its tasks from others by who started them (recorded in TaskScheduled)."""
    if resource.pattern != ".sync":
        return fields
    return {**fields, "StartedBy": fields.get("StartedBy") or STARTED_BY}


def _without_failures(answer: Fields) -> None:
    if answer.get("Failures"):
        raise StateError("AmazonECS.Unknown", dumps(no_metadata(answer)))


def _handle(answer: Fields, parameters: Fields) -> Fields:
    return {
        "Cluster": parameters.get("Cluster") or answer["Tasks"][0]["ClusterArn"],
        "Tasks": [task["TaskArn"] for task in answer["Tasks"]],
    }


def _verdict(answer: Fields) -> bool | None:
    """All tasks have stopped, and no container of theirs has failed or never run."""
    tasks = answer["Tasks"]
    if not tasks or any(task.get("LastStatus") != "STOPPED" for task in tasks):
        return None
    return all(map(_succeeded, tasks))


def _succeeded(task: Fields) -> bool:
    codes = [container.get("ExitCode") for container in task.get("Containers", [])]
    ran_out = task.get("StopCode", "EssentialContainerExited") == "EssentialContainerExited"
    return ran_out and 0 in codes and not any(codes)


def _result(answer: Fields, handle: Fields) -> JSON:
    tasks = [_as_event(task) for task in answer["Tasks"]]
    return tasks[0] if len(tasks) == 1 else {"Tasks": tasks}


def _as_event(task: Fields) -> Fields:
    attachments = [
        attachment | {"Type": "eni"} if attachment.get("Type") == "ElasticNetworkInterface" else attachment
        for attachment in task.get("Attachments", [])
    ]
    return {key: value for key, value in task.items() if key != "PlatformFamily"} | {"Attachments": attachments}


STOPPED = Job(
    handle=_handle,
    ask=("DescribeTasks", lambda job: {"cluster": job["Cluster"], "tasks": job["Tasks"]}),
    path=(),
    verdict=_verdict,
    result=_result,
    stop=("StopTask", lambda job: {"cluster": job["Cluster"], "task": job["Tasks"][0], "reason": STARTED_BY}),
    parts=lambda job: [{**job, "Tasks": [task]} for task in job["Tasks"]],
)


SERVICE = Service(
    token="ecs",
    client="ecs",
    prefix="ECS",
    product="AmazonECS",
    exception="AmazonECSException",
    empty_lists=True,
    actions={
        "runTask": Action(
            "RunTask", token=True, jobs={".sync": STOPPED}, marked=_started_by, taken_on=_without_failures
        )
    },
)
