"""Amazon Athena: queries started, stopped and read. Source: AWS guide, "Run Athena queries"; its sample projects, where
`.sync` is followed by `$.QueryExecution.QueryExecutionId`."""

from __future__ import annotations

from kaidan.integrations.jobs import Job, status
from kaidan.integrations.optimised import Action, Service

ENDED = Job(
    handle=lambda answer, parameters: {"QueryExecutionId": answer["QueryExecutionId"]},
    ask=("GetQueryExecution", dict),
    path=(),
    verdict=status("QueryExecution", "Status", "State", succeeded="SUCCEEDED", failed="FAILED CANCELLED"),
    stop=("StopQueryExecution", dict),
)

SERVICE = Service(
    token="athena",
    client="athena",
    prefix="Athena",
    product="AmazonAthena",
    exception="AmazonAthenaException",
    actions={
        "startQueryExecution": Action("StartQueryExecution", jobs={".sync": ENDED}),
        "stopQueryExecution": Action("StopQueryExecution"),
        "getQueryExecution": Action("GetQueryExecution"),
        "getQueryResults": Action("GetQueryResults"),
    },
)
