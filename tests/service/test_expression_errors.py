"""Values of JSONata expressions that a field does not take: States.QueryEvaluationError, which Catch may name.

Source: AWS guide, "Transforming data with JSONata", "Handling expression errors": a value out of range fails of it
as a value of the wrong type does.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.service.support import Service

_ONE = {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": True}}}
_TASK = {"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:work"}
_MAP = {"Type": "Map", "Items": [1], "ItemProcessor": _ONE}
_RUN = {
    "Type": "Map",
    "Items": [1],
    "ItemProcessor": {**_ONE, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}},
}
_CATCH = [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "Caught"}]


def _machine(state: dict[str, Any]) -> dict[str, Any]:
    caught = {"Type": "Pass", "Output": "{% $states.input.Cause %}", "End": True}
    return {"QueryLanguage": "JSONata", "StartAt": "Try", "States": {"Try": {**state, "End": True}, "Caught": caught}}


@pytest.mark.parametrize(
    ("state", "field", "value"),
    [
        (_TASK, "TimeoutSeconds", 0),
        (_TASK, "HeartbeatSeconds", -1),
        (_MAP, "MaxConcurrency", -1),
        (_RUN, "ToleratedFailureCount", -1),
        (_RUN, "ToleratedFailurePercentage", 100.5),
    ],
)
def test_a_value_out_of_range_can_be_caught(service: Service, state: dict[str, Any], field: str, value: float) -> None:
    service("CreateActivity", name="work")
    definition = _machine({**state, field: f"{{% {value} %}}", "Catch": _CATCH})
    arn = service.run(service.machine(definition=definition))
    outcome = service("DescribeExecution", executionArn=arn)
    assert outcome["status"] == "SUCCEEDED", outcome
    assert field in json.loads(outcome["output"])
    events = service("GetExecutionHistory", executionArn=arn)["events"]
    failures = [event["evaluationFailedEventDetails"] for event in events if event["type"] == "EvaluationFailed"]
    assert [failure["location"] for failure in failures] == [field]


@pytest.mark.parametrize(
    ("field", "value"), [("Seconds", "-1"), ("Seconds", "100000000"), ("Timestamp", "'9999-01-01T00:00:00Z'")]
)
def test_a_wait_out_of_range_is_an_evaluation_that_failed(service: Service, field: str, value: str) -> None:
    definition = _machine({"Type": "Wait", field: f"{{% {value} %}}"})
    del definition["States"]["Caught"]
    arn = service.run(service.machine(definition=definition))
    assert service("DescribeExecution", executionArn=arn)["error"] == "States.QueryEvaluationError"
