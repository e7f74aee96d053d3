"""`ecs:runTask`: results as they are recorded from AWS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kaidan.integrations import ecs
from kaidan.integrations.dispatch import prepare_parameters
from kaidan.integrations.optimised import Optimised
from tests.integrations.support import FakeReply, Script, at_once, task

CREATED = datetime(2024, 2, 3, 4, 5, 6, 789_000, UTC)


def container(**more: Any) -> dict[str, Any]:
    return {
        "containerArn": "c",
        "taskArn": "t",
        "name": "n",
        "image": "busybox",
        "networkInterfaces": [],
        "cpu": "0",
        **more,
    }


def ecs_task(status: str, containers: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "taskArn": "t",
        "clusterArn": "cluster",
        "attachments": [{"id": "a", "type": "ElasticNetworkInterface", "status": "DELETED", "details": []}],
        "lastStatus": status,
        "containers": containers,
        "overrides": {"containerOverrides": [{"name": "n"}], "inferenceAcceleratorOverrides": []},
        "createdAt": CREATED,
        "platformFamily": "Linux",
        "version": 5,
        **more,
    }


PENDING = ecs_task("PROVISIONING", [container(lastStatus="PENDING")])


def begin(resource: str, *answers: Any, started: Any = None) -> tuple[Script, FakeReply]:
    script = Script(
        {
            "ecs.run_task": [started or {"tasks": [PENDING], "failures": []}],
            "ecs.describe_tasks": [{"tasks": answer} for answer in answers],
            "ecs.stop_task": [{}],
        }
    )
    reply = FakeReply()
    Optimised(ecs.SERVICE, script, at_once)(task(resource, {"Cluster": "mine", "TaskDefinition": "d"}), reply)  # type: ignore[arg-type]
    return script, reply


CONTAINER = {
    "ContainerArn": "c",
    "Cpu": "0",
    "GpuIds": [],
    "Image": "busybox",
    "ManagedAgents": [],
    "Name": "n",
    "NetworkBindings": [],
    "NetworkInterfaces": [],
    "TaskArn": "t",
}
TASK = {
    "Attributes": [],
    "ClusterArn": "cluster",
    "CreatedAt": 1706933106789,
    "InferenceAccelerators": [],
    "Overrides": {
        "ContainerOverrides": [
            {"Command": [], "Environment": [], "EnvironmentFiles": [], "Name": "n", "ResourceRequirements": []}
        ],
        "InferenceAcceleratorOverrides": [],
    },
    "Tags": [],
    "TaskArn": "t",
    "Version": 5,
}
ATTACHMENT = {"Details": [], "Id": "a", "Status": "DELETED"}


def test_lists_that_the_answer_lacks_are_empty() -> None:
    _, reply = begin("ecs:runTask")
    assert reply.result["Failures"] == []
    assert reply.result["Tasks"] == [
        TASK
        | {
            "Attachments": [ATTACHMENT | {"Type": "ElasticNetworkInterface"}],
            "Containers": [CONTAINER | {"LastStatus": "PENDING"}],
            "LastStatus": "PROVISIONING",
            "PlatformFamily": "Linux",
        }
    ]


def test_the_end_of_a_task_has_the_form_of_its_event() -> None:
    stopped = ecs_task("STOPPED", [container(lastStatus="STOPPED", exitCode=0)], stopCode="EssentialContainerExited")
    script, reply = begin("ecs:runTask.sync", [PENDING], [stopped])
    reply.pass_time()
    assert script.asked[0][1]["startedBy"] == "AWS Step Functions"
    assert script.asked[-1] == ("ecs.describe_tasks", {"cluster": "mine", "tasks": ["t"]})
    assert reply.result == TASK | {
        "Attachments": [ATTACHMENT | {"Type": "eni"}],
        "Containers": [CONTAINER | {"ExitCode": 0, "LastStatus": "STOPPED"}],
        "LastStatus": "STOPPED",
        "StopCode": "EssentialContainerExited",
    }


@pytest.mark.parametrize(
    ("containers", "stop_code", "well"),
    [
        ([container(exitCode=0)], "EssentialContainerExited", True),
        ([container(exitCode=0)], None, True),
        ([container(exitCode=1)], "EssentialContainerExited", False),
        ([container()], "TaskFailedToStart", False),
        ([container(exitCode=0), container(exitCode=3)], "EssentialContainerExited", False),
        ([container(exitCode=0)], "UserInitiated", False),
    ],
)
def test_how_a_task_ended(containers: list[Any], stop_code: str | None, well: bool) -> None:
    code = {} if stop_code is None else {"stopCode": stop_code}
    _, reply = begin("ecs:runTask.sync", [ecs_task("STOPPED", containers, **code)])
    reply.pass_time()
    assert (reply.told[-1][0] == "succeeded") is well
    if not well:
        assert reply.failure[0] == "States.TaskFailed"


@pytest.mark.parametrize("pattern", [".sync", ".waitForTaskToken"])
def test_work_that_was_not_taken_on(pattern: str) -> None:
    failures = {"tasks": [], "failures": [{"arn": "i", "reason": "RESOURCE:MEMORY"}]}
    _, reply = begin(f"ecs:runTask{pattern}", started=failures)
    cause = '{"Failures":[{"Arn":"i","Reason":"RESOURCE:MEMORY"}],"Tasks":[]}'
    assert reply.failure == ("AmazonECS.Unknown", cause)


def test_the_same_is_a_result_of_request_response() -> None:
    _, reply = begin("ecs:runTask", started={"tasks": [], "failures": [{"reason": "RESOURCE:MEMORY"}]})
    assert reply.result["Failures"] == [{"Reason": "RESOURCE:MEMORY"}]


def test_stopping() -> None:
    script, reply = begin("ecs:runTask.sync", [PENDING])
    reply.cancel()
    request = {"cluster": "mine", "task": "t", "reason": "AWS Step Functions"}
    assert script.asked[-1] == ("ecs.stop_task", request)


def test_stopping_all_of_them() -> None:
    started = {"tasks": [{"taskArn": name, "clusterArn": "c", "lastStatus": "PENDING"} for name in ("one", "two")]}
    script, reply = begin("ecs:runTask.sync", [PENDING], started=started)
    reply.cancel()
    stopped = [(name, request.get("task")) for name, request in script.asked if name == "ecs.stop_task"]
    assert stopped == [("ecs.stop_task", "one"), ("ecs.stop_task", "two")]


@pytest.mark.parametrize(
    ("resource", "given", "shown"),
    [
        ("ecs:runTask.sync", {"TaskDefinition": "d"}, {"TaskDefinition": "d", "StartedBy": "AWS Step Functions"}),
        ("ecs:runTask.sync", {"StartedBy": "me"}, {"StartedBy": "me"}),
        ("ecs:runTask", {"TaskDefinition": "d"}, {"TaskDefinition": "d"}),
    ],
)
def test_who_started_it_is_shown(resource: str, given: Any, shown: Any) -> None:
    found = prepare_parameters(task(resource).resource, given)
    assert found == shown
    assert prepare_parameters(task(resource).resource, found) == shown
