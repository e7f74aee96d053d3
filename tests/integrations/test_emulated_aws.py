"""Optimised integrations against an emulated AWS, over HTTP: what only a real answer shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from kaidan.integrations.clients import ClientFactory
from kaidan.integrations.dispatch import SERVICES
from kaidan.integrations.optimised import Optimised
from kaidan.values import JSON
from tests.integrations.emulated import ACCOUNT, emulated_aws
from tests.integrations.modelled import modelled_aws
from tests.integrations.support import EXECUTION, FakeReply, at_once, task


@pytest.fixture(scope="module")
def aws() -> Iterator[ClientFactory]:
    with emulated_aws() as world:
        yield world.clients


def run(aws: ClientFactory, resource: str, parameters: JSON) -> FakeReply:
    reply = FakeReply()
    Optimised(SERVICES[resource.partition(":")[0]], aws, at_once)(task(resource, parameters), reply)
    reply.pass_time()
    return reply


@pytest.fixture(scope="module")
def queue(aws: ClientFactory) -> str:
    url: str = aws.client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    return url


def received(aws: ClientFactory, queue: str) -> str:
    message = aws.client("sqs").receive_message(QueueUrl=queue)["Messages"][0]
    aws.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    body: str = message["Body"]
    return body


def test_messages(aws: ClientFactory, queue: str) -> None:
    result = run(aws, "sqs:sendMessage", {"QueueUrl": queue, "MessageBody": {"a": 1}}).result
    assert received(aws, queue) == '{"a":1}'
    assert list(result) == ["MD5OfMessageBody", "MessageId", "SdkHttpMetadata", "SdkResponseMetadata"]
    metadata = result["SdkHttpMetadata"]
    assert metadata["HttpStatusCode"] == 200
    assert metadata["AllHttpHeaders"] == {name: [value] for name, value in metadata["HttpHeaders"].items()}
    assert metadata["HttpHeaders"]["Server"].startswith("Werkzeug")
    assert "Content-Length" in metadata["HttpHeaders"]
    assert result["SdkResponseMetadata"]["RequestId"]


def test_a_queue_that_is_not_there(aws: ClientFactory, queue: str) -> None:
    error, cause = run(aws, "sqs:sendMessage", {"QueueUrl": queue + "x", "MessageBody": "b"}).failure
    assert error == "SQS.QueueDoesNotExistException"
    assert "(Service: AmazonSQS; Status Code: 400; Error Code: AWS.SimpleQueueService.NonExistentQueue; " in cause
    assert cause.endswith("; Proxy: null)")


def test_notifications(aws: ClientFactory, queue: str) -> None:
    topic = aws.client("sns").create_topic(Name="orders")["TopicArn"]
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders"
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    attributes = {"kind": {"DataType": "String", "StringValue": "new"}}
    parameters = {"TopicArn": topic, "Message": {"a": 1}, "MessageAttributes": attributes}
    assert run(aws, "sns:publish.waitForTaskToken", parameters).names == ["started", "submitted"]
    notification = json.loads(received(aws, queue))
    assert notification["Message"] == '{"a":1}'
    assert notification["MessageAttributes"] == {"kind": {"Type": "String", "Value": "new"}}


def test_items(aws: ClientFactory) -> None:
    aws.client("dynamodb").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = {"TableName": "orders", "Key": {"id": {"S": "1"}}}
    item = {"id": {"S": "1"}, "n": {"N": "1"}, "l": {"L": [{"BOOL": True}, {"NULL": True}]}}

    put = run(aws, "dynamodb:putItem", {"TableName": "orders", "Item": item}).result
    assert set(put) == {"SdkHttpMetadata", "SdkResponseMetadata"}
    assert run(aws, "dynamodb:getItem", key).result["Item"] == item

    more = {"UpdateExpression": "SET n = n + :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    updated = run(aws, "dynamodb:updateItem", {**key, **more, "ReturnValues": "UPDATED_NEW"}).result
    assert updated["Attributes"] == {"n": {"N": "2"}}

    assert run(aws, "dynamodb:deleteItem", key).names[-1] == "succeeded"
    assert "Item" not in run(aws, "dynamodb:getItem", key).result

    error, _ = run(aws, "dynamodb:getItem", {"TableName": "none", "Key": {"id": {"S": "1"}}}).failure
    assert error == "DynamoDB.ResourceNotFoundException"


def test_events(aws: ClientFactory, queue: str) -> None:
    events = aws.client("events")
    events.put_rule(Name="all", EventPattern='{"source": ["shop"]}')
    events.put_targets(Rule="all", Targets=[{"Id": "q", "Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders"}])
    entry = {"Source": "shop", "DetailType": "order", "Detail": {"id": 1}}
    result = run(aws, "events:putEvents", {"Entries": [entry]}).result
    assert result["FailedEntryCount"] == 0
    event = json.loads(received(aws, queue))
    assert event["detail"] == {"id": 1}
    assert event["resources"][1] == EXECUTION

    error, cause = run(aws, "events:putEvents", {"Entries": [{"DetailType": "d", "Detail": "{}"}]}).failure
    assert error == "EventBridge.FailedEntry"
    assert json.loads(cause)["Entries"][0]["ErrorCode"] == "InvalidArgument"


def test_executions(aws: ClientFactory) -> None:
    definition = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
    role = f"arn:aws:iam::{ACCOUNT}:role/r"
    machine = aws.client("stepfunctions").create_state_machine(name="other", definition=definition, roleArn=role)
    parameters = {"StateMachineArn": machine["stateMachineArn"], "Input": {"a": 1}}
    result = run(aws, "states:startExecution", parameters).result
    assert result["ExecutionArn"].startswith(f"arn:aws:states:us-east-1:{ACCOUNT}:execution:other:")
    assert isinstance(result["StartDate"], int)
    error, _ = run(aws, "states:startExecution", {"StateMachineArn": machine["stateMachineArn"] + "x"}).failure
    assert error == "StepFunctions.StateMachineDoesNotExistException"


def test_models_read_from_s3_and_write_there(aws: ClientFactory) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="prompts")
    s3.put_object(Bucket="prompts", Key="in/1.json", Body=b'{"prompt": "hi"}', ContentType="application/x-prompt")
    places = {"Input": {"S3Uri": "s3://prompts/in/1.json"}, "Output": {"S3Uri": "s3://prompts/out/1.json"}}
    with modelled_aws() as bedrock:
        bedrock.begin({"bedrock-runtime.InvokeModel": [{"body": b'{"text": "yo"}', "contentType": "application/json"}]})
        endpoints = {"bedrock-runtime": bedrock.clients.settings.endpoint_urls["bedrock-runtime"]}
        both = ClientFactory(replace(aws.settings, endpoint_urls=endpoints))
        result = run(both, "bedrock:invokeModel", {"ModelId": "m", **places}).result
        assert result == {"Body": "s3://prompts/out/1.json", "ContentType": "application/json"}
        sent = {"modelId": "m", "body": b'{"prompt": "hi"}', "contentType": "application/x-prompt"}
        assert bedrock.asked == [("bedrock-runtime.InvokeModel", sent)]
        assert bedrock.faults == []

        run(both, "bedrock:invokeModel", {"ModelId": "m", "ContentType": "text/plain", **places})
        assert bedrock.asked[-1][1]["contentType"] == "text/plain"
        absent = {"Input": {"S3Uri": "s3://prompts/none"}}
        assert run(both, "bedrock:invokeModel", {"ModelId": "m", **absent}).failure[0] == "S3.NoSuchKeyException"
    written = s3.get_object(Bucket="prompts", Key="out/1.json")
    assert (written["Body"].read(), written["ContentType"]) == (b'{"text": "yo"}', "application/json")
