"""AWS Glue DataBrew: `databrew:startJobRun`. Source: AWS guide, "Start AWS Glue DataBrew jobs"."""

from __future__ import annotations

from kaidan.integrations.jobs import Job, status
from kaidan.integrations.optimised import Action, Service

ENDED = Job(
    handle=lambda answer, parameters: {"Name": parameters["Name"], "RunId": answer["RunId"]},
    ask=("DescribeJobRun", lambda run: {"Name": run["Name"], "RunId": run["RunId"]}),
    path=(),
    verdict=status("State", succeeded="SUCCEEDED", failed="FAILED STOPPED TIMEOUT"),
    stop=("StopJobRun", lambda run: {"Name": run["Name"], "RunId": run["RunId"]}),
)

SERVICE = Service(
    token="databrew",
    client="databrew",
    prefix="DataBrew",
    product="AWSGlueDataBrew",
    exception="AWSGlueDataBrewException",
    metadata=False,
    actions={"startJobRun": Action("StartJobRun", jobs={".sync": ENDED})},
)
