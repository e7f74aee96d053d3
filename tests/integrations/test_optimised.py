"""What optimised integrations have in common: checks of parameters, requests, results, errors, and the patterns."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest

from kaidan.arns import task_resource
from kaidan.integrations import (
    batch,
    bedrock,
    codebuild,
    dispatch,
    dynamodb,
    ecs,
    eks,
    emr,
    events,
    glue,
    optimised,
    sns,
    sqs,
    states,
)
from kaidan.integrations.contract import Then
from kaidan.integrations.dispatch import SERVICES
from kaidan.integrations.jobs import by_the_minute
from kaidan.integrations.optimised import Optimised, Service, http_metadata, request_of, service_error, to_result
from kaidan.protocol.effects import Role
from tests.integrations.support import EXECUTION, FakeReply, Script, at_once, refusal, task

# --- parameters -------------------------------------------------------------------------------------------

UNKNOWN = 'The field "{}" is not supported by Step Functions'
REQUIRED = "The field '{}' is required but was missing"


@pytest.mark.parametrize(
    ("service", "action", "parameters", "request_"),
    [
        (sqs, "sendMessage", {"QueueUrl": "u", "MessageBody": "b"}, {"QueueUrl": "u", "MessageBody": "b"}),
        (sqs, "sendMessage", {"QueueUrl": "u", "MessageBody": {"a": 1}}, {"QueueUrl": "u", "MessageBody": '{"a":1}'}),
        (sns, "publish", {"Message": {"a": [1]}, "TopicArn": "t"}, {"Message": '{"a":[1]}', "TopicArn": "t"}),
        (
            batch,
            "submitJob",
            {"JobName": "n", "JobQueue": "q", "JobDefinition": "d", "RetryStrategy": {"attempts": 1}},
            {"jobName": "n", "jobQueue": "q", "jobDefinition": "d", "retryStrategy": {"attempts": 1}},
        ),
        (
            dynamodb,
            "getItem",
            {"TableName": "t", "Key": {"id": {"S": "1"}}},
            {"TableName": "t", "Key": {"id": {"S": "1"}}},
        ),
        (emr, "terminateCluster", {"ClusterId": "j-1"}, {"JobFlowIds": ["j-1"]}),
        (
            emr,
            "addStep",
            {"ClusterId": "j-1", "Step": {"Name": "s", "HadoopJarStep": {"Jar": "x.jar"}}},
            {"JobFlowId": "j-1", "Steps": [{"Name": "s", "HadoopJarStep": {"Jar": "x.jar"}}]},
        ),
        (sqs, "sendMessage", {"QueueUrl": "u", "MessageBody": "b", "DelaySeconds": None}, None),
    ],
)
def test_requests(service: Any, action: str, parameters: Any, request_: Any) -> None:
    request, problems = request_of(service.SERVICE, service.SERVICE.actions[action], parameters)
    assert problems == []
    assert {name: value for name, value in request.items() if value is not None} == (
        request_ or {"QueueUrl": "u", "MessageBody": "b"}
    )


@pytest.mark.parametrize(
    ("service", "action", "parameters", "complaint"),
    [
        (sqs, "sendMessage", {"QueueUrl": "u", "MessageBody": "b", "Nonsense": 1}, UNKNOWN.format("Nonsense")),
        (dynamodb, "getItem", {"TableName": "t", "Key": {"id": {"S": "1"}}, "A": 1, "B": 2}, "A and B"),
        (emr, "terminateCluster", {"JobFlowIds": ["j-1"]}, UNKNOWN.format("JobFlowIds")),
        (emr, "createCluster", {"Name": "c"}, "The field 'Instances.KeepJobFlowAliveWhenNoSteps' must be true"),
        (emr, "createCluster", {"Name": "c", "Instances": {"KeepJobFlowAliveWhenNoSteps": True}}, None),
        (sns, "publish", {"Message": "m"}, None),
        (ecs, "runTask", {"Count": "two"}, "The value of the field 'Count' has an invalid format"),
        (bedrock, "invokeModel", {"ModelId": "m"}, bedrock.BODY_OR_INPUT),
        (bedrock, "invokeModel", {"ModelId": "m", "Body": {}, "Input": {"S3Uri": "s3://b/k"}}, bedrock.BODY_OR_INPUT),
        (bedrock, "invokeModel", {"ModelId": "m", "Input": {"S3Uri": "s3://b/k"}}, None),
    ],
)
def test_parameters_that_cannot_start_a_task(service: Any, action: str, parameters: Any, complaint: str | None) -> None:
    if complaint == "A and B":
        complaint = ", ".join(map(UNKNOWN.format, "AB"))
    assert optimised.check_parameters(service.SERVICE, service.SERVICE.actions[action], parameters) == complaint


@pytest.mark.parametrize(
    ("service", "action", "template", "complaints"),
    [
        (sqs, "sendMessage", {"QueueUrl": "u", "MessageBody.$": "$.b"}, []),
        (sqs, "sendMessage", {"QueueUrl": "u"}, [(REQUIRED.format("MessageBody"), None)]),
        (sqs, "sendMessage", "{% $all %}", []),
        (
            sqs,
            "sendMessage",
            {"QueueUrl.$": "$", "MessageBody": "{% $x %}", "X": "{% $y %}", "Y.$": "$.y"},
            [(UNKNOWN.format("X"), "at /X")],
        ),
        (emr, "terminateCluster", {}, [(REQUIRED.format("ClusterId"), None)]),
        (glue, "startJobRun", {"JobName": "j", "Arguments.$": "$.a"}, []),
    ],
)
def test_templates(service: Any, action: str, template: Any, complaints: list[tuple[str, str | None]]) -> None:
    assert optimised.check_template(service.SERVICE, service.SERVICE.actions[action], template) == complaints


def test_what_the_client_itself_refuses() -> None:
    reply = begin(eks.SERVICE, "eks:deleteCluster", {"Name": ""}, Script({}))
    assert reply.failure == ("EKS.SdkClientException", "Parameter 'Name' must not be null or empty")


# --- results ----------------------------------------------------------------------------------------------

BY_NUMBER_OF_BUCKETS = [
    (
        "Content-Type Content-Length Connection Date x-amzn-RequestId x-amzn-Remapped-Content-Length "
        "X-Amz-Executed-Version X-Amzn-Trace-Id",
        "X-Amz-Executed-Version x-amzn-Remapped-Content-Length Connection x-amzn-RequestId Content-Length Date "
        "X-Amzn-Trace-Id Content-Type",
        "Connection Content-Length Content-Type Date X-Amz-Executed-Version x-amzn-Remapped-Content-Length "
        "x-amzn-RequestId X-Amzn-Trace-Id",
    ),
    (
        "x-amzn-RequestId Content-Type Content-Length Date connection",
        "x-amzn-RequestId connection Content-Length Date Content-Type",
        "connection Content-Length Content-Type Date x-amzn-RequestId",
    ),
    (
        "Content-Type Content-Length Date x-amzn-RequestId",
        "x-amzn-RequestId Content-Length Date Content-Type",
        "Content-Length Content-Type Date x-amzn-RequestId",
    ),
]


@pytest.mark.parametrize(("headers", "all_of_them", "one_each"), BY_NUMBER_OF_BUCKETS)
def test_headers_have_their_recorded_order(headers: str, all_of_them: str, one_each: str) -> None:
    found: Any = http_metadata([(name, "v") for name in headers.split()], 200)
    assert list(found["AllHttpHeaders"]) == all_of_them.split()
    assert list(found["HttpHeaders"]) == one_each.split()
    assert found["HttpStatusCode"] == 200
    assert set(map(tuple, found["AllHttpHeaders"].values())) == {("v",)}


def output(service: Service, operation: str) -> Any:
    return optimised.model_of(service.client, operation).output_shape


@pytest.mark.parametrize(
    ("service", "operation", "answer", "result"),
    [
        (batch.SERVICE, "SubmitJob", {"jobId": "i", "jobName": "n"}, {"JobId": "i", "JobName": "n"}),
        (sqs.SERVICE, "SendMessage", {"MD5OfMessageBody": "m", "Unknown": 1}, {"MD5OfMessageBody": "m"}),
        (
            states.SERVICE,
            "StartExecution",
            {"startDate": datetime(2020, 6, 6, 1, 2, 3, 456_700, UTC), "executionArn": "a"},
            {"ExecutionArn": "a", "StartDate": 1591405323457},
        ),
        (
            glue.SERVICE,
            "GetJobRun",
            {"JobRun": {"Id": "i", "Arguments": {"--b": "1", "--a": "2"}, "PredecessorRuns": []}},
            {"JobRun": {"Arguments": {"--b": "1", "--a": "2"}, "Id": "i", "PredecessorRuns": []}},
        ),
        (
            SERVICES["bedrock"],
            "GetModelCustomizationJob",
            {"jobArn": "a", "status": None, "trainingMetrics": {"trainingLoss": 0.5}},
            {"JobArn": "a", "TrainingMetrics": {"TrainingLoss": 0.5}},
        ),
    ],
)
def test_results(service: Service, operation: str, answer: Any, result: Any) -> None:
    found = to_result(output(service, operation), answer)
    assert found == result
    assert list(found) == sorted(found)


def test_lists_that_are_absent() -> None:
    found: Any = to_result(output(ecs.SERVICE, "RunTask"), {"tasks": [{"taskArn": "t"}]}, empty_lists=True)
    assert found["Failures"] == []
    assert found["Tasks"][0] == {
        name: [] for name in ("Attachments", "Attributes", "Containers", "InferenceAccelerators", "Tags")
    } | {"TaskArn": "t"}


@pytest.mark.parametrize(("body", "text"), [(b"bytes", "bytes"), (BytesIO(b"a stream"), "a stream"), ("text", "text")])
def test_blobs(body: Any, text: str) -> None:
    shape = optimised.model_of("bedrock-runtime", "InvokeModel").output_shape
    assert to_result(shape, {"body": body}) == {"Body": text}


# --- errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "code", "error"),
    [
        (sns.SERVICE, "NotFound", "SNS.NotFoundException"),
        (sns.SERVICE, "InvalidParameter", "SNS.InvalidParameterException"),
        (dynamodb.SERVICE, "ResourceNotFoundException", "DynamoDB.ResourceNotFoundException"),
        (dynamodb.SERVICE, "ValidationException", "DynamoDB.AmazonDynamoDBException"),
        (ecs.SERVICE, "ClusterNotFoundException", "ECS.ClusterNotFoundException"),
        (states.SERVICE, "ExecutionAlreadyExists", "StepFunctions.ExecutionAlreadyExistsException"),
        (batch.SERVICE, "ClientException", "Batch.ClientException"),
    ],
)
def test_errors(service: Service, code: str, error: str) -> None:
    metadata = {"HTTPStatusCode": 404, "RequestId": "r"}
    response = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": metadata}
    found = service_error(service, service.client, response)
    assert found.error == error
    assert found.cause == (
        f"m (Service: {service.product}; Status Code: 404; Error Code: {code}; Request ID: r; Proxy: null)"
    )


def test_a_code_of_the_older_protocol() -> None:
    """Which SQS sends beside the new one."""
    codes = {"Code": "AWS.SimpleQueueService.NonExistentQueue", "QueryErrorCode": "QueueDoesNotExist"}
    found = service_error(sqs.SERVICE, "sqs", {"Error": {**codes, "Message": "m"}})
    assert found.error == "SQS.QueueDoesNotExistException"
    assert "Error Code: AWS.SimpleQueueService.NonExistentQueue;" in str(found.cause)


# --- patterns ---------------------------------------------------------------------------------------------


def begin(service: Service, resource: str, parameters: Any, script: Script, arn: str = EXECUTION) -> FakeReply:
    reply = FakeReply(arn)
    handler = Optimised(service, script, at_once)  # type: ignore[arg-type]
    try:
        handler(task(resource, parameters), reply)
    except Exception as problem:
        reply.failed(type(problem).__name__, str(problem))
    return reply


MESSAGE = {"QueueUrl": "u", "MessageBody": "b"}
SENT = {"MessageId": "m", "ResponseMetadata": {"RequestId": "r", "HTTPStatusCode": 200, "HTTPHeaders": {"date": "d"}}}
RESULT = {
    "MessageId": "m",
    "SdkHttpMetadata": {"AllHttpHeaders": {"date": ["d"]}, "HttpHeaders": {"date": "d"}, "HttpStatusCode": 200},
    "SdkResponseMetadata": {"RequestId": "r"},
}


def test_request_response() -> None:
    script = Script({"sqs.send_message": [SENT]})
    reply = begin(sqs.SERVICE, "sqs:sendMessage", MESSAGE, script)
    assert reply.told == [("started",), ("succeeded", RESULT)]
    assert script.asked == [("sqs.send_message", MESSAGE)]


def test_wait_for_task_token() -> None:
    reply = begin(sqs.SERVICE, "sqs:sendMessage.waitForTaskToken", MESSAGE, Script({"sqs.send_message": [SENT]}))
    assert reply.told == [("started",), ("submitted", RESULT)]


def test_a_refusal() -> None:
    script = Script({"sqs.send_message": [refusal("QueueDoesNotExist", "none")]})
    reply = begin(sqs.SERVICE, "sqs:sendMessage", MESSAGE, script)
    assert reply.failure[0] == "SQS.QueueDoesNotExistException"


def test_what_the_role_may_not() -> None:
    reply, script = FakeReply(), Script({"sqs.send_message": [refusal("AccessDenied", "no", operation="AssumeRole")]})
    Optimised(sqs.SERVICE, script, at_once)(task("sqs:sendMessage", MESSAGE, role=Role("role")), reply)  # type: ignore[arg-type]
    assert reply.failure == ("States.Permissions", "The role 'role' could not be assumed: no")
    assert script.roles == [Role("role")]


@pytest.mark.parametrize("resource", ["sqs:receiveMessage", "sqs:sendMessage.sync", "batch:submitJob.sync:2"])
def test_what_no_service_does(resource: str) -> None:
    service = SERVICES[resource.partition(":")[0]]
    reply = begin(service, resource, MESSAGE, Script({}))
    assert reply.told == [("failed", "StateError", reply.told[0][2])]
    assert f"Nothing here carries out arn:aws:states:::{resource}" in reply.told[0][2]


def test_a_request_that_is_sent_twice_has_the_same_name() -> None:
    def token(arn: str) -> str | None:
        script = Script({"ecs.run_task": [{"tasks": []}]})
        begin(ecs.SERVICE, "ecs:runTask", {"TaskDefinition": "t"}, script, arn)
        name: str | None = script.asked[0][1].get("clientToken")
        return name

    assert token(EXECUTION) == token(EXECUTION) is not None
    assert token(EXECUTION) != token(EXECUTION + "2")
    assert token("") is None
    assert Then(FakeReply(), print, print).execution_arn == EXECUTION


def test_sending_once_more() -> None:
    left, gone = {"buildsNotDeleted": [{"id": "b"}]}, {"buildsDeleted": ["b"]}
    script = Script({"codebuild.batch_delete_builds": [left, left, gone]})
    reply = begin(codebuild.SERVICE, "codebuild:batchDeleteBuilds", {"Ids": ["b"]}, script)
    assert reply.told == [("started",)]
    reply.pass_time(10)
    assert reply.result["BuildsDeleted"] == ["b"]
    assert len(script.asked) == 3


def test_not_for_ever() -> None:
    script = Script({"codebuild.batch_delete_builds": [{"buildsNotDeleted": [{"id": "b"}]}]})
    reply = begin(codebuild.SERVICE, "codebuild:batchDeleteBuilds", {"Ids": ["b"]}, script)
    reply.pass_time()
    assert reply.result["BuildsNotDeleted"] == [{"Id": "b"}]
    assert reply.now_s < 90


# --- entries of events ------------------------------------------------------------------------------------


def test_events_name_their_execution() -> None:
    script = Script({"events.put_events": [{"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]}]})
    entry = {"Detail": {"a": 1}, "Source": "s", "Resources": ["mine"]}
    reply = begin(events.SERVICE, "events:putEvents", {"Entries": [entry, {"Source": "t"}]}, script)
    origin = ["arn:aws:states:us-east-1:123456789012:stateMachine:Orders", EXECUTION]
    assert script.asked[0][1]["Entries"] == [
        {"Detail": '{"a":1}', "Source": "s", "Resources": ["mine", *origin]},
        {"Source": "t", "Resources": origin},
    ]
    assert reply.result == {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]}


def test_an_entry_that_fails() -> None:
    answer = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "MalformedDetail", "ErrorMessage": "m"}]}
    reply = begin(events.SERVICE, "events:putEvents", {"Entries": [{}]}, Script({"events.put_events": [answer]}))
    cause = '{"Entries":[{"ErrorCode":"MalformedDetail","ErrorMessage":"m"}],"FailedEntryCount":1}'
    assert reply.failure == ("EventBridge.FailedEntry", cause)


# --- hosts of queues --------------------------------------------------------------------------------------


def test_a_queue_of_a_host_that_is_not_there() -> None:
    parameters = {"QueueUrl": "http://no-such-queue.invalid/1/q", "MessageBody": "b"}
    reply = begin(sqs.SERVICE, "sqs:sendMessage", parameters, Script({}))
    cause = "Unable to execute HTTP request: no-such-queue.invalid: Name or service not known"
    assert reply.failure == ("SQS.SdkClientException", cause)


@pytest.mark.parametrize("url", ["https://sqs.us-east-1.amazonaws.com/1/q", "http://my-aws.invalid:4566/1/q", "q"])
def test_queues_that_are_asked_without_a_look(url: str) -> None:
    script = Script({"sqs.send_message": [SENT]}, endpoint_url="http://my-aws.invalid:4566")
    assert begin(sqs.SERVICE, "sqs:sendMessage", {"QueueUrl": url, "MessageBody": "b"}, script).names[-1] == "succeeded"


def test_every_service_has_its_operations() -> None:
    """Of botocore's models, with the members that actions name."""
    for service in SERVICES.values():
        for name, action in service.actions.items():
            members = optimised.model_of(action.client or service.client, action.operation).input_shape.members
            assert {*action.renamed.values(), *action.barred, *action.spare} <= set(members), name
            for job in action.jobs.values():
                for operation, _ in filter(None, (job.ask, job.stop)):
                    optimised.model_of(service.client, operation)
                assert job.delay_s(0) > 0
            assert task_resource(f"arn:aws:states:::{service.token}:{name}").action == name
    assert emr.WAITING.delay_s is by_the_minute


def test_the_methods_of_a_cluster() -> None:
    """Kubernetes has no OPTIONS (AWS guide: EKS)."""
    cluster = {"ClusterName": "c", "CertificateAuthority": "LS0t", "Endpoint": "https://c.eks.amazonaws.com"}
    parameters = {**cluster, "Path": "/api/v1/pods", "Method": "OPTIONS"}
    complaint = dispatch.check_parameters(task("eks:call").resource, parameters)
    assert complaint == "The value of the field 'Method' has an invalid format"
    assert dispatch.check_parameters(task("eks:call").resource, {**parameters, "Method": "PATCH"}) is None
