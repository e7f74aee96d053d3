"""AWS Elemental MediaConvert: `mediaconvert:createJob`. Jobs bear a tag by which AWS's policies know them.
Source: AWS guide, "Create an AWS Elemental MediaConvert job"."""

from __future__ import annotations

from kaidan.arns import TaskResource
from kaidan.integrations.jobs import Fields, Job, status
from kaidan.integrations.optimised import Action, Service

TAG = {"ManagedByService": "AWSStepFunctions"}


def _tagged(resource: TaskResource, fields: Fields) -> Fields:
    return {**fields, "Tags": {**(fields.get("Tags") or {}), **TAG}}


ENDED = Job(
    handle=lambda answer, parameters: {"Id": answer["Job"]["Id"]},
    ask=("GetJob", dict),
    path=(),
    verdict=status("Job", "Status", succeeded="COMPLETE", failed="ERROR CANCELED"),
    stop=("CancelJob", dict),
)

SERVICE = Service(
    token="mediaconvert",
    client="mediaconvert",
    prefix="MediaConvert",
    product="AWSMediaConvert",
    exception="AWSMediaConvertException",
    metadata=False,
    actions={"createJob": Action("CreateJob", jobs={".sync": ENDED}, marked=_tagged)},
)
