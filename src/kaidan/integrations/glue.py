"""AWS Glue: `glue:startJobRun`. Source: AWS guide, "Start an AWS Glue job"; published histories and causes."""

from __future__ import annotations

from kaidan.integrations.jobs import Fields, Job, status
from kaidan.integrations.optimised import Action, Service, Situation
from kaidan.values import JSON


def _with_job_name(answer: Fields, parameters: Fields, situation: Situation) -> JSON:
    """The request's JobName is put behind what Glue answers."""
    return {**answer, "JobName": parameters.get("JobName")}


ENDED = Job(
    handle=lambda answer, parameters: {"JobName": parameters["JobName"], "JobRunId": answer["JobRunId"]},
    ask=("GetJobRun", lambda run: {"JobName": run["JobName"], "RunId": run["JobRunId"]}),
    path=("JobRun",),
    verdict=status("JobRunState", succeeded="SUCCEEDED", failed="FAILED STOPPED TIMEOUT ERROR EXPIRED"),
    stop=("BatchStopJobRun", lambda run: {"JobName": run["JobName"], "JobRunIds": [run["JobRunId"]]}),
)

SERVICE = Service(
    token="glue",
    client="glue",
    prefix="Glue",
    product="AWSGlue",
    exception="AWSGlueException",
    actions={"startJobRun": Action("StartJobRun", jobs={".sync": ENDED}, result=_with_job_name)},
)
