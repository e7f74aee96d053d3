"""Queues, topics, events and functions; executions of other state machines."""

from __future__ import annotations

from tests.integrations.cases.case import THEN, THEN_MS, Case, Ending
from tests.integrations.support import EXECUTION

QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/orders"
TOPIC = "arn:aws:sns:us-east-1:123456789012:orders"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:Orders"
OTHER = "arn:aws:states:us-east-1:123456789012:stateMachine:Other"
CHILD = "arn:aws:states:us-east-1:123456789012:execution:Other:c"
STARTED = {"executionArn": CHILD, "startDate": THEN}
DESCRIBED = {"executionArn": CHILD, "stateMachineArn": OTHER, "startDate": THEN}
DESCRIPTION = {"ExecutionArn": CHILD, "StartDate": THEN_MS, "StateMachineArn": OTHER}


def _execution(*, as_json: bool) -> Ending:
    return Ending(
        ask=("stepfunctions.DescribeExecution", {"executionArn": CHILD}),
        running={**DESCRIBED, "status": "RUNNING"},
        succeeded={**DESCRIBED, "status": "SUCCEEDED", "output": '{"b": 2}'},
        result={**DESCRIPTION, "Output": {"b": 2} if as_json else '{"b": 2}', "Status": "SUCCEEDED"},
        failed={**DESCRIBED, "status": "FAILED", "input": "{}", "error": "E"},
        cause={**DESCRIPTION, "Error": "E", "Input": {} if as_json else "{}", "Status": "FAILED"},
        stop=("stepfunctions.StopExecution", {"executionArn": CHILD}),
    )


CASES = [
    Case(
        "sqs:sendMessage",
        {
            "QueueUrl": QUEUE,
            "MessageBody": {"a": 1},
            "DelaySeconds": 3,
            "MessageAttributes": {"kind": {"DataType": "String", "StringValue": "new"}},
        },
        [
            (
                "sqs.SendMessage",
                {
                    "QueueUrl": QUEUE,
                    "MessageBody": '{"a":1}',
                    "DelaySeconds": 3,
                    "MessageAttributes": {"kind": {"DataType": "String", "StringValue": "new"}},
                },
            )
        ],
        [{"MessageId": "m", "MD5OfMessageBody": "5d"}],
        {"MD5OfMessageBody": "5d", "MessageId": "m"},
        token=True,
    ),
    Case(
        "sns:publish",
        {
            "TopicArn": TOPIC,
            "Message": {"default": "hello"},
            "MessageStructure": "json",
            "MessageAttributes": {"n": {"DataType": "Number", "StringValue": "1"}},
        },
        [
            (
                "sns.Publish",
                {
                    "TopicArn": TOPIC,
                    "Message": '{"default":"hello"}',
                    "MessageStructure": "json",
                    "MessageAttributes": {"n": {"DataType": "Number", "StringValue": "1"}},
                },
            )
        ],
        [{"MessageId": "m", "SequenceNumber": "7"}],
        {"MessageId": "m", "SequenceNumber": "7"},
        token=True,
    ),
    Case(
        "events:putEvents",
        {"Entries": [{"Source": "shop", "DetailType": "order", "Detail": {"id": 7}, "EventBusName": "shop"}]},
        [
            (
                "events.PutEvents",
                {
                    "Entries": [
                        {
                            "Source": "shop",
                            "DetailType": "order",
                            "Detail": '{"id":7}',
                            "EventBusName": "shop",
                            "Resources": [MACHINE, EXECUTION],
                        }
                    ]
                },
            )
        ],
        [{"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]}],
        {"Entries": [{"EventId": "e"}], "FailedEntryCount": 0},
        token=True,
    ),
    Case(
        "lambda:invoke",
        {"FunctionName": "orders", "Payload": {"id": 7}, "Qualifier": "live"},
        [("lambda.Invoke", {"FunctionName": "orders", "Payload": b'{"id":7}', "Qualifier": "live"})],
        [{"StatusCode": 200, "ExecutedVersion": "3", "Payload": b'{"done": true}'}],
        {"ExecutedVersion": "3", "Payload": {"done": True}, "StatusCode": 200},
        token=True,
    ),
    Case(
        "states:startExecution",
        {"StateMachineArn": OTHER, "Name": "c", "Input": {"a": 1}},
        [("stepfunctions.StartExecution", {"stateMachineArn": OTHER, "name": "c", "input": '{"a":1}'})],
        [STARTED],
        {"ExecutionArn": CHILD, "StartDate": THEN_MS},
        {".sync": _execution(as_json=False), ".sync:2": _execution(as_json=True)},
        token=True,
    ),
]
