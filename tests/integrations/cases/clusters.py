"""ECS, and the clusters of EKS with what belongs to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.integrations.cases.case import GONE, THEN_S, THEN_S_MS, Case, Ending

TASK = "arn:aws:ecs:us-east-1:123456789012:task/mine/1"


def _task(status: str, exit_code: int | None = None) -> dict[str, Any]:
    container = {"name": "n", "lastStatus": status} | ({} if exit_code is None else {"exitCode": exit_code})
    stopped = {} if exit_code is None else {"stopCode": "EssentialContainerExited"}
    described = {"taskArn": TASK, "lastStatus": status, "createdAt": THEN_S, "containers": [container], **stopped}
    return {"tasks": [described], "failures": []}


def _task_result(status: str, exit_code: int | None = None) -> dict[str, Any]:
    container = {"LastStatus": status, "Name": "n"} | ({} if exit_code is None else {"ExitCode": exit_code})
    stopped = {} if exit_code is None else {"StopCode": "EssentialContainerExited"}
    return {"Containers": [container], "CreatedAt": THEN_S_MS, "LastStatus": status, "TaskArn": TASK, **stopped}


ECS = Case(
    "ecs:runTask",
    {
        "Cluster": "mine",
        "TaskDefinition": "d",
        "LaunchType": "FARGATE",
        "Overrides": {"ContainerOverrides": [{"Name": "n", "Command": ["a", "b"]}]},
        "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["subnet-1"], "AssignPublicIp": "ENABLED"}},
    },
    [
        (
            "ecs.RunTask",
            {
                "cluster": "mine",
                "taskDefinition": "d",
                "launchType": "FARGATE",
                "overrides": {"containerOverrides": [{"name": "n", "command": ["a", "b"]}]},
                "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}},
            },
        )
    ],
    [_task("PROVISIONING")],
    {"Tasks": [_task_result("PROVISIONING")]},
    {
        ".sync": Ending(
            ask=("ecs.DescribeTasks", {"cluster": "mine", "tasks": [TASK]}),
            running=_task("RUNNING"),
            succeeded=_task("STOPPED", 0),
            result=_task_result("STOPPED", 0),
            failed=_task("STOPPED", 3),
            cause=_task_result("STOPPED", 3),
            stop=("ecs.StopTask", {"cluster": "mine", "task": TASK, "reason": "AWS Step Functions"}),
            marks={"startedBy": "AWS Step Functions"},
        )
    },
    token=True,
)


def _eks() -> Iterator[Case]:
    for thing, names, more in (
        (
            "Cluster",
            {"name": "c"},
            {"roleArn": "arn:r", "resourcesVpcConfig": {"subnetIds": ["subnet-1"], "endpointPublicAccess": True}},
        ),
        ("Nodegroup", {"clusterName": "c", "nodegroupName": "n"}, {"subnets": ["subnet-1"], "nodeRole": "arn:r"}),
        ("FargateProfile", {"clusterName": "c", "fargateProfileName": "n"}, {"podExecutionRoleArn": "arn:r"}),
        ("Addon", {"clusterName": "c", "addonName": "n"}, {"addonVersion": "v1"}),
    ):
        failed = "FAILED" if thing == "Cluster" else "CREATE_FAILED"
        yield _changed("create", thing, names, more, _described(thing, names, "ACTIVE"), failed)
        yield _changed("delete", thing, names, {}, GONE, "FAILED" if thing == "Cluster" else "DELETE_FAILED")


def _changed(verb: str, thing: str, names: Any, more: Any, end: Any, failed: str) -> Case:
    change = {"create": "Create", "delete": "Delete"}[verb] + thing
    under_way = "CREATING" if verb == "create" else "DELETING"
    return Case(
        f"eks:{verb}{thing}",
        _capitals(names) | _capitals(more),
        [(f"eks.{change}", names | more)],
        [_described(thing, names, under_way)],
        _result(thing, names, under_way),
        {
            ".sync": Ending(
                ask=(f"eks.Describe{thing}", names),
                running=_described(thing, names, under_way),
                succeeded=end,
                result=_result(thing, names, "ACTIVE") if verb == "create" else _capitals(names),
                failed=_described(thing, names, failed),
                cause=_result(thing, names, failed),
            )
        },
    )


def _described(thing: str, names: Any, status: str) -> dict[str, Any]:
    return {thing[0].lower() + thing[1:]: {**names, "status": status}}


def _result(thing: str, names: Any, status: str) -> dict[str, Any]:
    return {thing: _capitals({**names, "status": status})}


def _capitals(value: Any) -> Any:
    if isinstance(value, dict):
        return {name[0].upper() + name[1:]: _capitals(item) for name, item in value.items()}
    return value


CASES = [ECS, *_eks()]
