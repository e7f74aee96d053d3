"""Step Functions on AWS, called from a state machine here: `states:startExecution`, where this service does not answer
it itself. Source: AWS guide, "Start a new AWS Step Functions state machine"; recordings of AWS."""

from __future__ import annotations

from kaidan.integrations.jobs import Fields, Job, no_metadata, status
from kaidan.integrations.optimised import Action, Service
from kaidan.values import JSON, loads

JSON_TEXTS = ("Input", "Output")


def _as_json(answer: Fields, execution: Fields) -> JSON:
    """`.sync:2`: data as JSON, which `.sync` leaves text."""
    return {
        name: loads(value) if name in JSON_TEXTS and isinstance(value, str) else value
        for name, value in no_metadata(answer).items()
    }


def _ended(*, as_json: bool) -> Job:
    return Job(
        handle=lambda answer, parameters: {"ExecutionArn": answer["ExecutionArn"]},
        ask=("DescribeExecution", lambda execution: {"executionArn": execution["ExecutionArn"]}),
        path=(),
        verdict=status("Status", succeeded="SUCCEEDED", failed="FAILED TIMED_OUT ABORTED"),
        result=_as_json if as_json else None,
        stop=("StopExecution", lambda execution: {"executionArn": execution["ExecutionArn"]}),
    )


SERVICE = Service(
    token="states",
    client="stepfunctions",
    prefix="StepFunctions",
    product="AWSStepFunctions",
    exception="AWSStepFunctionsException",
    actions={
        "startExecution": Action(
            "StartExecution", token=True, jobs={".sync": _ended(as_json=False), ".sync:2": _ended(as_json=True)}
        )
    },
)
