"""Tables, queries, and the jobs that work on data."""

from __future__ import annotations

from typing import Any

from tests.integrations.cases.case import THEN, THEN_MS, Case, Ending

KEY = {"TableName": "orders", "Key": {"id": {"S": "7"}}}
ITEM: dict[str, Any] = {"id": {"S": "7"}, "n": {"N": "1"}, "tags": {"SS": ["a", "b"]}, "gone": {"NULL": True}}
SET = {
    "UpdateExpression": "SET n = n + :one",
    "ExpressionAttributeValues": {":one": {"N": "1"}},
    "ReturnValues": "UPDATED_NEW",
}
QUERY = {"QueryExecutionId": "q-1"}
RUN = {"JobName": "nightly", "RunId": "jr_1"}


def _query(state: str, **more: str) -> dict[str, Any]:
    return {"QueryExecution": {**QUERY, "Status": {"State": state, "SubmissionDateTime": THEN, **more}}}


def _query_result(state: str, **more: str) -> dict[str, Any]:
    return {"QueryExecution": {**QUERY, "Status": {"State": state, "SubmissionDateTime": THEN_MS, **more}}}


def _glue(state: str, **more: Any) -> dict[str, Any]:
    return {"JobRun": {"Id": "jr_1", "JobRunState": state, "StartedOn": THEN, "Arguments": {"--day": "1"}, **more}}


def _glue_result(state: str, **more: Any) -> dict[str, Any]:
    return {"Arguments": {"--day": "1"}, "Id": "jr_1", "JobRunState": state, "StartedOn": THEN_MS, **more}


CASES = [
    Case(
        "dynamodb:getItem",
        {**KEY, "ConsistentRead": True},
        [("dynamodb.GetItem", {**KEY, "ConsistentRead": True})],
        [{"Item": ITEM}],
        {"Item": ITEM},
    ),
    Case(
        "dynamodb:putItem",
        {"TableName": "orders", "Item": ITEM, "ReturnValues": "ALL_OLD"},
        [("dynamodb.PutItem", {"TableName": "orders", "Item": ITEM, "ReturnValues": "ALL_OLD"})],
        [{"Attributes": {"id": {"S": "7"}}}],
        {"Attributes": {"id": {"S": "7"}}},
    ),
    Case(
        "dynamodb:updateItem",
        {**KEY, **SET},
        [("dynamodb.UpdateItem", {**KEY, **SET})],
        [{"Attributes": {"n": {"N": "2"}}}],
        {"Attributes": {"n": {"N": "2"}}},
    ),
    Case("dynamodb:deleteItem", KEY, [("dynamodb.DeleteItem", KEY)], [{}], {}),
    Case(
        "athena:startQueryExecution",
        {"QueryString": "SELECT 1", "WorkGroup": "primary", "ResultConfiguration": {"OutputLocation": "s3://b/"}},
        [
            (
                "athena.StartQueryExecution",
                {
                    "QueryString": "SELECT 1",
                    "WorkGroup": "primary",
                    "ResultConfiguration": {"OutputLocation": "s3://b/"},
                },
            )
        ],
        [QUERY],
        QUERY,
        {
            ".sync": Ending(
                ask=("athena.GetQueryExecution", QUERY),
                running=_query("QUEUED"),
                succeeded=_query("SUCCEEDED"),
                result=_query_result("SUCCEEDED"),
                failed=_query("FAILED", StateChangeReason="SYNTAX_ERROR"),
                cause=_query_result("FAILED", StateChangeReason="SYNTAX_ERROR"),
                stop=("athena.StopQueryExecution", QUERY),
            )
        },
    ),
    Case("athena:stopQueryExecution", QUERY, [("athena.StopQueryExecution", QUERY)], [{}], {}),
    Case(
        "athena:getQueryExecution",
        QUERY,
        [("athena.GetQueryExecution", QUERY)],
        [_query("RUNNING")],
        _query_result("RUNNING"),
    ),
    Case(
        "athena:getQueryResults",
        {**QUERY, "MaxResults": 2},
        [("athena.GetQueryResults", {**QUERY, "MaxResults": 2})],
        [{"NextToken": "t", "ResultSet": {"Rows": [{"Data": [{"VarCharValue": "1"}]}]}}],
        {"NextToken": "t", "ResultSet": {"Rows": [{"Data": [{"VarCharValue": "1"}]}]}},
    ),
    Case(
        "glue:startJobRun",
        {"JobName": "nightly", "Arguments": {"--day": "1"}},
        [("glue.StartJobRun", {"JobName": "nightly", "Arguments": {"--day": "1"}})],
        [{"JobRunId": "jr_1"}],
        {"JobName": "nightly", "JobRunId": "jr_1"},
        {
            ".sync": Ending(
                ask=("glue.GetJobRun", RUN),
                running=_glue("RUNNING"),
                succeeded=_glue("SUCCEEDED", CompletedOn=THEN),
                result=_glue_result("SUCCEEDED", CompletedOn=THEN_MS),
                failed=_glue("TIMEOUT", ErrorMessage="slow"),
                cause=_glue_result("TIMEOUT", ErrorMessage="slow"),
                stop=("glue.BatchStopJobRun", {"JobName": "nightly", "JobRunIds": ["jr_1"]}),
            )
        },
    ),
    Case(
        "databrew:startJobRun",
        {"Name": "clean"},
        [("databrew.StartJobRun", {"Name": "clean"})],
        [{"RunId": "db_1"}],
        {"RunId": "db_1"},
        {
            ".sync": Ending(
                ask=("databrew.DescribeJobRun", {"Name": "clean", "RunId": "db_1"}),
                running={"JobName": "clean", "RunId": "db_1", "State": "STARTING"},
                succeeded={"JobName": "clean", "RunId": "db_1", "State": "SUCCEEDED", "StartedOn": THEN},
                result={"JobName": "clean", "RunId": "db_1", "StartedOn": THEN_MS, "State": "SUCCEEDED"},
                failed={"JobName": "clean", "RunId": "db_1", "State": "TIMEOUT"},
                cause={"JobName": "clean", "RunId": "db_1", "State": "TIMEOUT"},
                stop=("databrew.StopJobRun", {"Name": "clean", "RunId": "db_1"}),
            )
        },
    ),
    Case(
        "mediaconvert:createJob",
        {"Role": "arn:aws:iam::123456789012:role/r", "Settings": {"Inputs": [{"FileInput": "s3://b/k"}]}},
        [
            (
                "mediaconvert.CreateJob",
                {
                    "Role": "arn:aws:iam::123456789012:role/r",
                    "Settings": {"Inputs": [{"FileInput": "s3://b/k"}]},
                    "Tags": {"ManagedByService": "AWSStepFunctions"},
                },
            )
        ],
        [{"Job": {"Id": "mc-1", "Role": "r", "Settings": {}, "Status": "SUBMITTED"}}],
        {"Job": {"Id": "mc-1", "Role": "r", "Settings": {}, "Status": "SUBMITTED"}},
        {
            ".sync": Ending(
                ask=("mediaconvert.GetJob", {"Id": "mc-1"}),
                running={"Job": {"Id": "mc-1", "Role": "r", "Settings": {}, "Status": "PROGRESSING"}},
                succeeded={"Job": {"Id": "mc-1", "Role": "r", "Settings": {}, "Status": "COMPLETE"}},
                result={"Job": {"Id": "mc-1", "Role": "r", "Settings": {}, "Status": "COMPLETE"}},
                failed={"Job": {"Id": "mc-1", "Role": "r", "Settings": {}, "Status": "ERROR", "ErrorCode": 1040}},
                cause={"Job": {"ErrorCode": 1040, "Id": "mc-1", "Role": "r", "Settings": {}, "Status": "ERROR"}},
                stop=("mediaconvert.CancelJob", {"Id": "mc-1"}),
            )
        },
    ),
]
