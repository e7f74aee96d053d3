"""Amazon EMR: fields of its own, and instances by their names."""

from __future__ import annotations

from typing import Any

import pytest

from kaidan.integrations import emr
from kaidan.integrations.dispatch import check_parameters, check_template
from kaidan.integrations.optimised import Optimised
from tests.integrations.support import FakeReply, Script, at_once, task


def begin(resource: str, parameters: Any, answers: dict[str, list[Any]]) -> tuple[Script, FakeReply]:
    script, reply = Script(answers), FakeReply()
    Optimised(emr.SERVICE, script, at_once)(task(f"elasticmapreduce:{resource}", parameters), reply)  # type: ignore[arg-type]
    return script, reply


def test_cancelling_a_step() -> None:
    info = {"StepId": "s-1", "Status": "SUBMITTED"}
    script, reply = begin(
        "cancelStep",
        {"ClusterId": "j-1", "StepId": "s-1"},
        {"emr.cancel_steps": [{"CancelStepsInfoList": [info]}]},
    )
    assert script.asked == [("emr.cancel_steps", {"ClusterId": "j-1", "StepIds": ["s-1"]})]
    assert reply.result["CancelStepsInfo"] == info


def test_protection() -> None:
    parameters = {"ClusterId": "j-1", "TerminationProtected": True}
    script, _ = begin("setClusterTerminationProtection", parameters, {"emr.set_termination_protection": [{}]})
    assert script.asked[0][1] == {"JobFlowIds": ["j-1"], "TerminationProtected": True}


FLEET = {"ClusterId": "j-1", "InstanceFleetName": "b", "InstanceFleet": {"TargetOnDemandCapacity": 8}}
GROUP = {"ClusterId": "j-1", "InstanceGroupName": "b", "InstanceGroup": {"InstanceCount": 8}}


def test_a_fleet_by_its_name_on_the_second_page() -> None:
    pages: list[Any] = [
        {"InstanceFleets": [{"Id": "if-1", "Name": "a"}], "Marker": "next"},
        {"InstanceFleets": [{"Id": "if-2", "Name": "b"}]},
    ]
    answers: dict[str, list[Any]] = {"emr.list_instance_fleets": pages, "emr.modify_instance_fleet": [{}]}
    script, _ = begin("modifyInstanceFleetByName", FLEET, answers)
    assert script.operations == ["emr.list_instance_fleets"] * 2 + ["emr.modify_instance_fleet"]
    fleet = {"InstanceFleetId": "if-2", "TargetOnDemandCapacity": 8}
    assert script.asked[-1][1] == {"ClusterId": "j-1", "InstanceFleet": fleet}


@pytest.mark.parametrize(
    "parameters",
    [GROUP, {"ClusterId": "j-1", "InstanceGroup": {"InstanceGroupName": "b", "InstanceCount": 8}}],
)
def test_a_group_by_its_name(parameters: Any) -> None:
    answers: dict[str, list[Any]] = {
        "emr.list_instance_groups": [{"InstanceGroups": [{"Id": "ig-1", "Name": "b"}]}],
        "emr.modify_instance_groups": [{}],
    }
    script, _ = begin("modifyInstanceGroupByName", parameters, answers)
    group = {"InstanceGroupId": "ig-1", "InstanceCount": 8}
    assert script.asked[-1][1] == {"ClusterId": "j-1", "InstanceGroups": [group]}


@pytest.mark.parametrize("action", ["modifyInstanceFleetByName", "modifyInstanceGroupByName"])
def test_a_name_that_nobody_has(action: str) -> None:
    answers: dict[str, list[Any]] = {
        "emr.list_instance_fleets": [{"InstanceFleets": []}],
        "emr.list_instance_groups": [{"InstanceGroups": []}],
    }
    parameters = FLEET if "Fleet" in action else GROUP
    _, reply = begin(action, parameters, answers)
    assert reply.failure[0].startswith("ElasticMapReduce.")
    assert "'b'" in reply.failure[1]


@pytest.mark.parametrize(
    ("action", "parameters", "complaints"),
    [
        ("modifyInstanceFleetByName", FLEET, []),
        ("modifyInstanceGroupByName", GROUP, []),
        ("addStep", {"ClusterId.$": "$.id", "Step": {"Name": "s", "HadoopJarStep": {"Jar": "j"}}}, []),
        ("createCluster", {"Name": "c", "Instances": {"KeepJobFlowAliveWhenNoSteps": True}}, []),
    ],
)
def test_templates(action: str, parameters: Any, complaints: list[tuple[str, str | None]]) -> None:
    resource = task(f"elasticmapreduce:{action}").resource
    assert check_template(resource, parameters) == complaints
    if not any(name.endswith(".$") for name in parameters):
        assert check_parameters(resource, parameters) is None


def test_steps_belong_to_add_step() -> None:
    resource = task("elasticmapreduce:createCluster").resource
    parameters = {"Name": "c", "Instances": {"KeepJobFlowAliveWhenNoSteps": True}, "Steps": []}
    assert check_parameters(resource, parameters) == 'The field "Steps" is not supported by Step Functions'


@pytest.mark.parametrize(("action", "thing"), [("Fleet", "InstanceFleet"), ("Group", "InstanceGroup")])
def test_a_name_goes_without_an_id(action: str, thing: str) -> None:
    parameters = {"ClusterId": "j-1", f"{thing}Name": "b", thing: {f"{thing}Id": "i-1"}}
    complaint = check_parameters(task(f"elasticmapreduce:modifyInstance{action}ByName").resource, parameters)
    assert complaint == f'The field "{thing}Id" is not supported by Step Functions'
