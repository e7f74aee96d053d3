"""Optimised integrations against an emulated AWS, over HTTP: what only a real answer shows."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from kaidan.integrations.clients import AwsSettings, ClientFactory
from kaidan.integrations.dispatch import SERVICES
from kaidan.integrations.optimised import Optimised
from kaidan.values import JSON
from tests.integrations.support import EXECUTION, FakeReply, at_once, task

ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def aws() -> Iterator[ClientFactory]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield ClientFactory(
        AwsSettings(
            region="us-east-1",
            endpoint_url=f"http://{host}:{port}",
            max_attempts=1,
            access_key="test",
            secret_key="test",
        )
    )
    server.stop()


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


def test_queries(aws: ClientFactory) -> None:
    parameters = {"QueryString": "SELECT 1", "ResultConfiguration": {"OutputLocation": "s3://results/"}}
    result = run(aws, "athena:startQueryExecution.sync", parameters).result
    assert result["QueryExecution"]["Status"]["State"] == "SUCCEEDED"
    query = {"QueryExecutionId": result["QueryExecution"]["QueryExecutionId"]}
    rows = run(aws, "athena:getQueryResults", query).result["ResultSet"]["Rows"]
    assert isinstance(rows, list)


def test_runs(aws: ClientFactory) -> None:
    aws.client("glue").create_job(Name="nightly", Role="r", Command={"Name": "glueetl"})
    reply = run(aws, "glue:startJobRun.sync", {"JobName": "nightly", "Arguments": {"--day": "1"}})
    assert reply.told[2][1]["JobName"] == "nightly"
    assert isinstance(reply.result["StartedOn"], int)
    error, _ = run(aws, "glue:startJobRun", {"JobName": "none"}).failure
    assert error == "Glue.EntityNotFoundException"


def test_builds(aws: ClientFactory) -> None:
    aws.client("iam").create_role(RoleName="build", AssumeRolePolicyDocument="{}")
    aws.client("codebuild").create_project(
        name="site",
        source={"type": "S3", "location": "bucket/path"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "LINUX_CONTAINER", "image": "i", "computeType": "BUILD_GENERAL1_SMALL"},
        serviceRole=f"arn:aws:iam::{ACCOUNT}:role/build",
    )
    reply = run(aws, "codebuild:startBuild.sync", {"ProjectName": "site"})
    assert reply.told[2][1]["Build"]["BuildStatus"] == "IN_PROGRESS"
    assert reply.result["Build"]["BuildStatus"] == "SUCCEEDED"


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
