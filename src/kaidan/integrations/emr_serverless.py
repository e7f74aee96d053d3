"""Amazon EMR Serverless: applications and their job runs. Answers that would be empty name the application; what
`.sync` gives has the fields of these answers too, at its top. Source: AWS guide, "Create and manage Amazon EMR
Serverless applications"; published machines, which go on with `$.ApplicationId`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kaidan.integrations.jobs import Fields, Job, status
from kaidan.integrations.optimised import Action, Service, Situation
from kaidan.values import JSON


def _named(answer: Fields, parameters: Fields, situation: Situation) -> JSON:
    return {"ApplicationId": parameters.get("ApplicationId"), **answer}


def _application(application: Fields) -> dict[str, Any]:
    return {"applicationId": application["ApplicationId"]}


def _job_run(run: Fields) -> dict[str, Any]:
    return {"applicationId": run["ApplicationId"], "jobRunId": run["JobRunId"]}


Stop = tuple[str, Callable[[Fields], dict[str, Any]]]


ONCE_CREATED = "CREATED STARTING STARTED STOPPING STOPPED"
"""Somebody's job may have started an application before the first question about it."""


def _until(state: str, failed: str = "", stop: Stop | None = None) -> Job:
    """Of an application: until it is in a state."""
    return Job(
        handle=lambda answer, parameters: {"ApplicationId": answer["ApplicationId"]},
        ask=("GetApplication", _application),
        path=("Application",),
        verdict=status("State", succeeded=state, failed=failed),
        gone=frozenset({"EMRServerless.ResourceNotFoundException"}) if state == "TERMINATED" else frozenset(),
        stop=stop,
    )


def _run_until(state: str, failed: str, stop: Stop | None = None) -> Job:
    return Job(
        handle=lambda answer, parameters: {"ApplicationId": answer["ApplicationId"], "JobRunId": answer["JobRunId"]},
        ask=("GetJobRun", _job_run),
        path=("JobRun",),
        verdict=status("State", succeeded=state, failed=failed),
        stop=stop,
    )


SERVICE = Service(
    token="emr-serverless",
    client="emr-serverless",
    prefix="EMRServerless",
    product="AWSEMRServerless",
    exception="AWSEMRServerlessException",
    metadata=False,
    actions={
        "createApplication": Action(
            "CreateApplication",
            jobs={".sync": _until(ONCE_CREATED, "TERMINATED", ("DeleteApplication", _application))},
        ),
        "startApplication": Action(
            "StartApplication",
            jobs={".sync": _until("STARTED", "STOPPED TERMINATED", ("StopApplication", _application))},
            result=_named,
        ),
        "stopApplication": Action("StopApplication", jobs={".sync": _until("STOPPED", "TERMINATED")}, result=_named),
        "deleteApplication": Action("DeleteApplication", jobs={".sync": _until("TERMINATED")}, result=_named),
        "startJobRun": Action(
            "StartJobRun", jobs={".sync": _run_until("SUCCESS", "FAILED CANCELLED", ("CancelJobRun", _job_run))}
        ),
        "cancelJobRun": Action("CancelJobRun", jobs={".sync": _run_until("CANCELLED", "SUCCESS FAILED")}),
    },
)
