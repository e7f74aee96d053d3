"""Amazon EMR, `elasticmapreduce:…`: clusters and steps, by the action's own fields. A cluster outlives the execution
that made it. Source: AWS guide, "Create and manage Amazon EMR clusters"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kaidan.errors import StateError
from kaidan.integrations.form import UNKNOWN
from kaidan.integrations.jobs import Fields, Job, by_the_minute, status
from kaidan.integrations.optimised import Action, Service, Situation
from kaidan.values import JSON

CLUSTER = ("DescribeCluster", lambda cluster: {"ClusterId": cluster["ClusterId"]})


def _with_id(answer: Fields, cluster: Fields) -> JSON:
    return dict(sorted({**answer, **cluster}.items()))


WAITING = Job(
    handle=lambda answer, parameters: {"ClusterId": answer["ClusterId"]},
    ask=CLUSTER,
    path=(),
    verdict=status(
        "Cluster", "Status", "State", succeeded="WAITING", failed="TERMINATING TERMINATED TERMINATED_WITH_ERRORS"
    ),
    result=_with_id,
    delay_s=by_the_minute,
)

TERMINATED = Job(
    handle=lambda answer, parameters: {"ClusterId": parameters["ClusterId"]},
    ask=CLUSTER,
    path=(),
    verdict=status("Cluster", "Status", "State", succeeded="TERMINATED TERMINATED_WITH_ERRORS"),
    result=_with_id,
    delay_s=by_the_minute,
)

STEP = Job(
    handle=lambda answer, parameters: {"ClusterId": parameters["ClusterId"], "StepId": answer["StepId"]},
    ask=("DescribeStep", dict),
    path=(),
    verdict=status("Step", "Status", "State", succeeded="COMPLETED", failed="CANCELLED FAILED INTERRUPTED"),
    result=lambda answer, step: answer,
    stop=("CancelSteps", lambda step: {"ClusterId": step["ClusterId"], "StepIds": [step["StepId"]]}),
    delay_s=by_the_minute,
)


def _metadata(answer: Fields) -> Fields:
    return {name: value for name, value in answer.items() if name.startswith("Sdk")}


def _cluster_id(answer: Fields, parameters: Fields, situation: Situation) -> JSON:
    return {"ClusterId": answer["JobFlowId"], **_metadata(answer)}


def _step_id(answer: Fields, parameters: Fields, situation: Situation) -> JSON:
    return {**_metadata(answer), "StepId": answer["StepIds"][0]}


def _cancelled(answer: Fields, parameters: Fields, situation: Situation) -> JSON:
    return {"CancelStepsInfo": answer["CancelStepsInfoList"][0], **_metadata(answer)}


def _dies_without_steps(fields: Fields) -> str | None:
    instances = fields.get("Instances")
    if isinstance(instances, dict) and instances.get("KeepJobFlowAliveWhenNoSteps") is True:
        return None
    return "The field 'Instances.KeepJobFlowAliveWhenNoSteps' must be true"


# --- instances by name ------------------------------------------------------------------------------------


def _without_id(thing: str) -> Callable[[Fields], str | None]:
    """Who names an instance fleet or group does not give its id as well."""

    def complaint(fields: Fields) -> str | None:
        inner = fields.get(thing)
        return UNKNOWN.format(f"{thing}Id") if isinstance(inner, dict) and f"{thing}Id" in inner else None

    return complaint


def _fleet(fields: Fields, situation: Situation) -> Fields:
    name, cluster = fields.get("InstanceFleetName"), fields.get("ClusterId")
    fleets = _all(situation, "ListInstanceFleets", "InstanceFleets", cluster)
    found = _named(name, fleets, "instance fleet")
    return _fleet_fields(fields) | {"InstanceFleet": {**fields["InstanceFleet"], "InstanceFleetId": found}}


def _fleet_fields(fields: Fields) -> Fields:
    return _without("InstanceFleetName", fields)


def _group(fields: Fields, situation: Situation) -> Fields:
    name = fields.get("InstanceGroupName") or fields["InstanceGroup"].get("InstanceGroupName")
    groups = _all(situation, "ListInstanceGroups", "InstanceGroups", fields.get("ClusterId"))
    found = _named(name, groups, "instance group")
    known = _group_fields(fields)
    return known | {"InstanceGroup": {**known["InstanceGroup"], "InstanceGroupId": found}}


def _group_fields(fields: Fields) -> Fields:
    """The name may be in the InstanceGroup, as AWS's guide says, or beside it, as it shows."""
    known = _without("InstanceGroupName", fields)
    if isinstance(known.get("InstanceGroup"), dict):
        known["InstanceGroup"] = _without("InstanceGroupName", known["InstanceGroup"])
    return known


def _without(name: str, fields: Fields) -> Fields:
    return {key: value for key, value in fields.items() if key.removesuffix(".$") != name}


def _all(situation: Situation, operation: str, listed: str, cluster: JSON) -> list[Fields]:
    found: list[Fields] = []
    request: dict[str, Any] = {"ClusterId": cluster}
    while True:
        page = situation.call(operation, request)
        found += page.get(listed, [])
        if not page.get("Marker"):
            return found
        request["Marker"] = page["Marker"]


def _named(name: JSON, items: list[Fields], kind: str) -> str:
    for item in items:
        if item.get("Name") == name:
            return str(item["Id"])
    raise StateError("ElasticMapReduce.InvalidRequestException", f"The {kind} '{name}' does not exist in the cluster")


TO_JOB_FLOWS = {"ClusterId": "JobFlowIds"}

SERVICE = Service(
    token="elasticmapreduce",
    client="emr",
    prefix="ElasticMapReduce",
    product="AmazonElasticMapReduce",
    exception="AmazonElasticMapReduceException",
    empty_lists=True,
    actions={
        "createCluster": Action(
            "RunJobFlow",
            jobs={".sync": WAITING},
            barred=("Steps",),
            complaint=_dies_without_steps,
            result=_cluster_id,
        ),
        "setClusterTerminationProtection": Action("SetTerminationProtection", renamed=TO_JOB_FLOWS),
        "terminateCluster": Action("TerminateJobFlows", jobs={".sync": TERMINATED}, renamed=TO_JOB_FLOWS),
        "addStep": Action(
            "AddJobFlowSteps",
            jobs={".sync": STEP},
            renamed={"ClusterId": "JobFlowId", "Step": "Steps"},
            result=_step_id,
        ),
        "cancelStep": Action("CancelSteps", renamed={"StepId": "StepIds"}, result=_cancelled),
        "modifyInstanceFleetByName": Action(
            "ModifyInstanceFleet",
            known=_fleet_fields,
            complaint=_without_id("InstanceFleet"),
            completed=_fleet,
        ),
        "modifyInstanceGroupByName": Action(
            "ModifyInstanceGroups",
            renamed={"InstanceGroup": "InstanceGroups"},
            known=_group_fields,
            complaint=_without_id("InstanceGroup"),
            completed=_group,
        ),
    },
)
