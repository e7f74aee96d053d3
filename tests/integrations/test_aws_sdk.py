"""SDK integrations: what a resource may name, what goes in and comes out, calls of an emulated AWS, and failures."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from typing import Any

import pytest
from botocore import exceptions as boto

from kaidan.errors import StateError
from kaidan.integrations import aws_sdk
from kaidan.integrations.aws_sdk import UnknownAction, UnknownService, call, resolve, unknown_fields
from kaidan.integrations.aws_shapes import iso_time, to_request, to_result
from kaidan.integrations.clients import AwsSettings, ClientFactory
from kaidan.protocol.effects import Role
from kaidan.values import JSON
from tests.integrations.emulated import moto_server

# --------------------------------------------------------------------------------------- services and actions


@pytest.mark.parametrize(
    ("token", "action", "service", "operation", "prefix"),
    [
        ("sfn", "startExecution", "stepfunctions", "StartExecution", "Sfn"),
        ("ec2", "describeImages", "ec2", "DescribeImages", "Ec2"),
        ("rds", "createDBSnapshot", "rds", "CreateDBSnapshot", "Rds"),
        ("cloudwatchlogs", "putLogEvents", "logs", "PutLogEvents", "CloudWatchLogs"),
        ("costexplorer", "getCostAndUsage", "ce", "GetCostAndUsage", "CostExplorer"),
        ("elasticloadbalancingv2", "describeTags", "elbv2", "DescribeTags", "ElasticLoadBalancingV2"),
        ("eventbridge", "putEvents", "events", "PutEvents", "EventBridge"),
        ("cloudfront", "createInvalidation", "cloudfront", "CreateInvalidation", "CloudFront"),
    ],
)
def test_resolve(token: str, action: str, service: str, operation: str, prefix: str) -> None:
    found = resolve(token, action)
    assert found == aws_sdk.Operation(service, operation, token, action, prefix)
    assert aws_sdk.known_service(token)


@pytest.mark.parametrize(
    ("token", "action", "text"),
    [
        ("ec2", "describeImage", "unknown action 'describeImage' of service 'ec2': did you mean 'describeImages'"),
        ("ec2", "DescribeImages", "unknown action 'DescribeImages' of service 'ec2': did you mean 'describeImages'"),
        ("rdsdata", "zzz", "unknown action 'zzz' of service 'rdsdata'"),
        (
            "s3",
            "selectObjectContent",
            "action 'selectObjectContent' of service 's3' streams events: no state can call it",
        ),
        ("sts", "assumeRole", "action 'assumeRole' of service 'sts' is not supported by Step Functions"),
    ],
)
def test_unknown_action(token: str, action: str, text: str) -> None:
    with pytest.raises(UnknownAction) as raised:
        resolve(token, action)
    assert str(raised.value).startswith(text)


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ("dynamo", "unknown service 'dynamo': did you mean 'dynamodb'?"),
        ("stepfunctions", "unknown service 'stepfunctions': did you mean 'sfn'?"),
        ("secrets-manager", "unknown service 'secrets-manager': did you mean 'secretsmanager'?"),
        ("zzz", "unknown service 'zzz'"),
        ("iotanalytics", "service 'iotanalytics' cannot be called: the installed botocore does not model it"),
    ],
)
def test_unknown_service(token: str, text: str) -> None:
    with pytest.raises(UnknownService) as raised:
        resolve(token, "anything")
    assert str(raised.value) == text
    assert aws_sdk.known_service(token) == (token == "iotanalytics")


def test_checking_a_service_imports_nothing_of_aws() -> None:
    code = (
        "import sys; from kaidan.integrations import aws_sdk, clients;"
        "assert aws_sdk.known_service('ec2') and not aws_sdk.known_service('ec3');"
        "clients.ClientFactory(clients.AwsSettings(region='eu-west-1')).region;"
        "sys.exit(any(name.split('.')[0] in ('boto3', 'botocore') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_operations_of_many_models_can_be_resolved_and_read() -> None:
    """Of every 25th service, or with KAIDAN_ALL_MODELS=1 of every one: no operation's shapes surprise us."""
    index = sorted(aws_sdk.services())
    for token in index if os.environ.get("KAIDAN_ALL_MODELS") else index[::25]:
        catalogue = aws_sdk._catalogue(aws_sdk.services()[token])
        barred = catalogue.streaming | aws_sdk.UNSUPPORTED.get(token, frozenset())
        for action in (action for action, name in catalogue.actions.items() if name not in barred):
            operation = resolve(token, action)
            model = aws_sdk.service_model(operation.service).operation_model(operation.operation_name)
            assert unknown_fields(operation, {}) == []
            assert model.output_shape is None or to_result(operation.service, model.output_shape, {}, bytes) == {}


# --------------------------------------------------------------------------------------------------- going in


def of(resource: str) -> aws_sdk.Operation:
    token, action = resource.split(":")
    return resolve(token, action)


def read(resource: str, parameters: JSON) -> tuple[dict[str, Any], list[str]]:
    operation = of(resource)
    shape = aws_sdk.service_model(operation.service).operation_model(operation.operation_name).input_shape
    request, problems = to_request(operation.service, operation.operation_name, shape, parameters)
    return request, [f"{problem.place} {problem.expected or problem.nearest}" for problem in problems]


@pytest.mark.parametrize(
    ("resource", "parameters", "request_"),
    [
        # members by the model's own names, an object as JSON text, null left out: recorded
        (
            "sfn:startExecution",
            {"StateMachineArn": "a", "Input": {"b": 1}},
            {"stateMachineArn": "a", "input": '{"b":1}'},
        ),
        ("sfn:startExecution", {"StateMachineArn": "a", "Input": None}, {"stateMachineArn": "a"}),
        ("sqs:sendMessage", {"MessageBody": {"a": [1, 2.5, None]}}, {"MessageBody": '{"a":[1,2.5,null]}'}),
        ("sqs:sendMessage", {"MessageBody": 1.5}, {"MessageBody": "1.5"}),
        ("sqs:sendMessage", {"MessageBody": True}, {"MessageBody": "true"}),
        # maps keep the user's keys
        ("sfn:startExecution", {}, {}),
        (
            "dynamodb:putItem",
            {"Item": {"equals": {"N": 5}, "Id": {"S": "x"}, "m": {"M": {"a": {"Bool": "true"}, "b": {"Nul": True}}}}},
            {"Item": {"equals": {"N": "5"}, "Id": {"S": "x"}, "m": {"M": {"a": {"BOOL": True}, "b": {"NULL": True}}}}},
        ),
        ("dynamodb:putItem", {"Item": {"a": {"B": "AAH/"}}}, {"Item": {"a": {"B": b"\x00\x01\xff"}}}),
        ("dynamodb:putItem", {"Item": {"a": {"Bs": ["AAH/"]}}}, {"Item": {"a": {"BS": [b"\x00\x01\xff"]}}}),
        ("dynamodb:putItem", {"TableName": "t", "Item": None}, {"TableName": "t"}),
        (
            "lambda:tagResource",
            {"Resource": "r", "Tags": {"camelCase": 1}},
            {"Resource": "r", "Tags": {"camelCase": "1"}},
        ),
        # numbers and booleans, as Jackson takes them
        ("ec2:runInstances", {"MinCount": 1.0, "MaxCount": "2"}, {"MinCount": 1, "MaxCount": 2}),
        (
            "ec2:runInstances",
            {"EbsOptimized": "True", "DisableApiStop": 0},
            {"EbsOptimized": True, "DisableApiStop": False},
        ),
        ("rekognition:detectLabels", {"MinConfidence": "77.5"}, {"MinConfidence": 77.5}),
        ("ec2:describeImages", {"Owners": ["self", None, 1]}, {"Owners": ["self", "1"]}),
        # blobs: text, JSON of what is not text, base64 where no text can be
        ("lambda:invoke", {"Payload": {"a": 1}}, {"Payload": b'{"a":1}'}),
        ("lambda:invoke", {"Payload": '{"a":1}'}, {"Payload": b'{"a":1}'}),
        ("kinesis:putRecord", {"Data": "d\u00e9j\u00e0"}, {"Data": "d\u00e9j\u00e0".encode()}),
        ("kms:decrypt", {"CiphertextBlob": "AAH/"}, {"CiphertextBlob": b"\x00\x01\xff"}),
        ("lambda:updateFunctionCode", {"ZipFile": "UEs="}, {"ZipFile": b"PK"}),
        # a streamed body is JSON text, and called text: recorded
        ("s3:putObject", {"Body": "text data"}, {"Body": b'"text data"', "ContentType": "text/plain; charset=UTF-8"}),
        ("s3:putObject", {"Body": False}, {"Body": b"false", "ContentType": "text/plain; charset=UTF-8"}),
        ("s3:putObject", {"Body": {"a": [1]}, "ContentType": "x/y"}, {"Body": b'{"a":[1]}', "ContentType": "x/y"}),
        ("s3:putObject", {"Key": "k"}, {"Key": "k"}),
        # the Java SDK's own fields
        ("s3:copyObject", {"DestinationBucket": "b", "DestinationKey": "k"}, {"Bucket": "b", "Key": "k"}),
        ("s3:copyObject", {"SourceBucket": "b", "SourceKey": "k/\u00e9 +"}, {"CopySource": "b/k/%C3%A9%20%2B"}),
        (
            "s3:copyObject",
            {"SourceBucket": "b", "SourceKey": "k", "SourceVersionId": "1"},
            {"CopySource": "b/k?versionId=1"},
        ),
        ("s3:copyObject", {"CopySource": "b/a%20b \u00e9"}, {"CopySource": "b/a%20b%20%C3%A9"}),
        # times
        (
            "cloudtrail:lookupEvents",
            {"StartTime": "2024-05-01T10:00:00.5Z", "EndTime": 1714557601},
            {
                "StartTime": datetime(2024, 5, 1, 10, 0, 0, 500_000, tzinfo=UTC),
                "EndTime": datetime(2024, 5, 1, 10, 0, 1, tzinfo=UTC),
            },
        ),
        ("cloudtrail:lookupEvents", {"StartTime": "0"}, {"StartTime": datetime(1970, 1, 1, tzinfo=UTC)}),
        ("cloudtrail:lookupEvents", {"StartTime": "2024-05-01"}, {"StartTime": datetime(2024, 5, 1, tzinfo=UTC)}),
        # documents pass as they are, JSON in a header is read for botocore, which writes it again
        (
            "bedrockruntime:converse",
            {"AdditionalModelRequestFields": {"aB": 1}},
            {"additionalModelRequestFields": {"aB": 1}},
        ),
        ("lexruntime:postContent", {"SessionAttributes": '{"a":1}'}, {"sessionAttributes": {"a": 1}}),
        ("lexruntime:postContent", {"SessionAttributes": {"a": 1}}, {"sessionAttributes": {"a": 1}}),
        # reserved words
        (
            "verifiedpermissions:createPolicy",
            {"Definition": {"StaticValue": {"Statement": "s"}}},
            {"definition": {"static": {"statement": "s"}}},
        ),
        ("sts:getCallerIdentity", {}, {}),
    ],
)
def test_parameters_become_a_request(resource: str, parameters: JSON, request_: dict[str, Any]) -> None:
    assert read(resource, parameters) == (request_, [])


@pytest.mark.parametrize(
    ("resource", "parameters", "problems"),
    [
        ("ec2:describeImages", {"Owner": ["self"]}, ["/Owner ('Owners',)"]),
        ("ec2:describeImages", {"Filters": [{}, {"Nme": "x"}]}, ["/Filters/1/Nme ('Name',)"]),
        ("sfn:startExecution", {"stateMachineArn": "a"}, ["/stateMachineArn ('StateMachineArn',)"]),
        ("batch:submitJob", {"RetryStrategy": {"attempts": 5}}, ["/RetryStrategy/attempts ('Attempts',)"]),
        ("verifiedpermissions:createPolicy", {"Definition": {"Static": {}}}, ["/Definition/Static ('StaticValue',)"]),
        ("dynamodb:putItem", {"Item": {"a": {"BOOL": True}}}, ["/Item/a/BOOL ('Bool',)"]),
        ("ec2:describeImages", {"Owners": "self"}, ["/Owners must be an array but was a string"]),
        ("ec2:runInstances", {"MinCount": "many"}, ["/MinCount must be an integer but was a string"]),
        ("ec2:runInstances", {"MinCount": True}, ["/MinCount must be an integer but was a boolean"]),
        ("ec2:runInstances", {"EbsOptimized": "yes"}, ["/EbsOptimized must be a boolean but was a string"]),
        ("ec2:runInstances", {"Placement": [1]}, ["/Placement must be an object but was an array"]),
        ("rekognition:detectLabels", {"MinConfidence": {}}, ["/MinConfidence must be a number but was an object"]),
        ("lambda:tagResource", {"Tags": "a"}, ["/Tags must be an object but was a string"]),
        ("kms:decrypt", {"CiphertextBlob": "no base64"}, ["/CiphertextBlob must be base64"]),
        (
            "cloudtrail:lookupEvents",
            {"StartTime": "yesterday", "EndTime": 1e300},
            [f"/{name} must be an ISO-8601 time or seconds since 1970" for name in ("StartTime", "EndTime")],
        ),
        ("lexruntime:postContent", {"SessionAttributes": "{"}, ["/sessionAttributes must be JSON text"]),
        ("s3:getObject", [], ["/ must be an object but was an array"]),
    ],
)
def test_parameters_that_do_not_fit(resource: str, parameters: JSON, problems: list[str]) -> None:
    found = read(resource, parameters)[1]
    assert [text.lower() for text in found] == [text.lower() for text in problems]


def test_refused_parameters_are_a_runtime_error_in_aws_words() -> None:
    with pytest.raises(StateError) as raised:
        call(resolve("ec2", "describeImages"), {"Owner": ["x"], "MaxResults": {}}, ClientFactory())
    assert raised.value.error == "States.Runtime"
    assert raised.value.located
    assert raised.value.cause == (
        'The Parameters \'{"Owner":["x"],"MaxResults":{}}\' could not be used to start the Task: '
        '[The field "Owner" is not supported by Step Functions, '
        "The value of the field 'MaxResults' has an invalid format]"
    )


@pytest.mark.parametrize(
    ("parameters", "cause"),
    [
        ({}, "Parameter 'Bucket' must not be null or empty"),
        ({"Bucket": "b"}, "Parameter 'Key' must not be null or empty"),
        ({"Bucket": "b", "Key": ""}, "Parameter 'Key' must not be null or empty"),
    ],
)
def test_a_request_without_an_address_is_not_sent(parameters: JSON, cause: str) -> None:
    with pytest.raises(StateError) as raised:
        call(resolve("s3", "getObject"), parameters, ClientFactory())
    assert (raised.value.error, raised.value.cause) == ("S3.SdkClientException", cause)


@pytest.mark.parametrize(
    ("resource", "template", "places"),
    [
        ("s3:getObject", {"Bucket.$": "$.b", "Key": "{% $k %}"}, []),
        ("s3:getObject", {"Bukket": "b"}, ["/Bukket"]),
        ("s3:getObject", {"Bukket.$": "$.b"}, []),
        ("s3:putObject", {"Body": {"any.$": "$.thing"}, "Metadata": {"a.$": "$.a", "b": "c"}}, []),
        ("s3:copyObject", {"SourceBucket": "b", "SourceKey": "k", "DestinationKey.$": "$.k"}, []),
        ("ec2:describeImages", {"Filters": "{% $f %}", "Owners": ["{% $o %}"]}, []),
        ("ec2:describeImages", {"Filters": [{"Name.$": "$.n", "Value": []}]}, ["/Filters/0/Value"]),
        ("ec2:describeImages", "{% $all %}", []),
        ("ec2:runInstances", {"MinCount": "{% 1 %}", "MaxCount": {"a": 1}}, []),
        ("sts:getCallerIdentity", {"X": 1}, ["/X"]),
    ],
)
def test_checks_before_running(resource: str, template: JSON, places: list[str]) -> None:
    assert [problem.place for problem in unknown_fields(of(resource), template)] == places


# ------------------------------------------------------------------------------------------------- coming out


@pytest.mark.parametrize(
    ("resource", "answer", "result"),
    [
        ("sfn:startExecution", {"executionArn": "a", "ResponseMetadata": {}}, {"ExecutionArn": "a"}),
        ("sfn:startExecution", {"startDate": datetime(2025, 1, 1, tzinfo=UTC)}, {"StartDate": "2025-01-01T00:00:00Z"}),
        ("secretsmanager:listSecrets", {"SecretList": []}, {"SecretList": []}),  # recorded
        ("dynamodb:getItem", {"Item": {"aB": {"BOOL": False}}}, {"Item": {"aB": {"Bool": False}}}),
        ("dynamodb:getItem", {"Item": {"b": {"B": b"text"}}}, {"Item": {"b": {"B": "dGV4dA=="}}}),
        ("lambda:invoke", {"Payload": BytesIO(b'{"a":1}')}, {"Payload": '{"a":1}'}),
        ("s3:getObject", {"Body": BytesIO(b""), "Metadata": {}}, {"Body": "", "Metadata": {}}),  # recorded
        ("s3:getObject", {"Body": BytesIO(b"\xff\x00")}, {"Body": "/wA="}),
        ("kms:decrypt", {"Plaintext": "d\u00e9j\u00e0".encode()}, {"Plaintext": "d\u00e9j\u00e0"}),
        ("ec2:describeImages", {"Images": [{"Public": True}]}, {"Images": [{"PublicLaunchPermissions": True}]}),
        ("rds:describeDBInstances", {"DBInstances": [{"DBName": None}]}, {"DbInstances": [{}]}),
        (
            "bedrockruntime:converse",
            {"additionalModelResponseFields": {"aB": [1]}},
            {"AdditionalModelResponseFields": {"aB": [1]}},
        ),
        ("lexruntime:postContent", {"slots": {"a": None}}, {"Slots": '{"a":null}'}),
        ("s3:headBucket", {"Unmodelled": 1}, {}),
    ],
)
def test_answers_become_results(resource: str, answer: dict[str, Any], result: JSON) -> None:
    operation = of(resource)
    shape = aws_sdk.service_model(operation.service).operation_model(operation.operation_name).output_shape
    assert to_result(operation.service, shape, answer, lambda body: bytes(body.read())) == result


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (datetime(2025, 11, 6, 12, 20, 1, tzinfo=UTC), "2025-11-06T12:20:01Z"),
        (datetime(2025, 11, 6, 12, 20, 1, 120_000, tzinfo=UTC), "2025-11-06T12:20:01.120Z"),
        (datetime(2025, 11, 6, 12, 20, 1, 120_001, tzinfo=UTC), "2025-11-06T12:20:01.120001Z"),
        (datetime(2025, 11, 6, 1, 0, tzinfo=timezone(timedelta(hours=2))), "2025-11-05T23:00:00Z"),
    ],
)
def test_times_are_written_as_java_writes_them(time: datetime, text: str) -> None:
    assert iso_time(time) == text


# ----------------------------------------------------------------------------------- calls of an emulated AWS

CREDENTIALS: dict[str, Any] = {"access_key": "test", "secret_key": "test"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    with moto_server() as url:
        yield url


@pytest.fixture(scope="module")
def aws(url: str) -> ClientFactory:
    return ClientFactory(AwsSettings(region="us-east-1", endpoint_url=url, max_attempts=1, **CREDENTIALS))


def run(clients: ClientFactory, resource: str, parameters: JSON, role: Role | None = None) -> JSON:
    return call(of(resource), parameters, clients, role)


def failure(clients: ClientFactory, resource: str, parameters: JSON, role: Role | None = None) -> tuple[str, str]:
    with pytest.raises(StateError) as raised:
        run(clients, resource, parameters, role)
    assert not raised.value.located
    return raised.value.error or "", raised.value.cause or ""


def test_s3_stores_what_step_functions_stores(aws: ClientFactory) -> None:
    """ETag and checksum are those that AWS answered to the same task (recorded)."""
    run(aws, "s3:createBucket", {"Bucket": "one"})
    put = run(aws, "s3:putObject", {"Bucket": "one", "Key": "a b/\u00e9", "Body": "text data"})
    assert put["ETag"] == '"2b5df3712557f503a9977a8ea893b2c9"'
    assert put["ChecksumCRC32"] == "KUmHvQ=="
    got = run(aws, "s3:getObject", {"Bucket": "one", "Key": "a b/\u00e9"})
    assert got["Body"] == '"text data"'
    assert got["ContentType"] == "text/plain; charset=UTF-8"
    assert got["ContentLength"] == 11
    assert got["LastModified"].endswith("Z")
    assert "ResponseMetadata" not in got
    assert "ChecksumCRC32" not in got
    source = {"SourceBucket": "one", "SourceKey": "a b/\u00e9", "DestinationBucket": "one", "DestinationKey": "copy"}
    run(aws, "s3:copyObject", source)
    listed = run(aws, "s3:listObjectsV2", {"Bucket": "one", "MaxKeys": "10"})
    assert "EncodingType" not in listed
    assert [item["Key"] for item in listed["Contents"]] == ["a b/\u00e9", "copy"]


def test_s3_body_that_no_result_can_hold(aws: ClientFactory) -> None:
    run(aws, "s3:createBucket", {"Bucket": "two"})
    run(aws, "s3:putObject", {"Bucket": "two", "Key": "k", "Body": "0123456789"})
    get = resolve("s3", "getObject")
    assert call(get, {"Bucket": "two", "Key": "k"}, aws, result_bytes_max=12)["Body"] == '"0123456789"'
    with pytest.raises(StateError) as raised:
        call(get, {"Bucket": "two", "Key": "k"}, aws, result_bytes_max=11)
    assert raised.value.error == "States.DataLimitExceeded"
    assert raised.value.cause == (
        "The state/task 'aws-sdk:s3' returned a result with a size exceeding the maximum number of bytes service limit."
    )


def test_dynamodb_items_come_back(aws: ClientFactory) -> None:
    table = {
        "TableName": "t",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    run(aws, "dynamodb:createTable", table)
    item = {
        "id": {"S": "x"},
        "equals": {"N": "5"},
        "data": {"B": "AAH/"},
        "bytes": {"Bs": ["AAH/"]},
        "nothing": {"Nul": True},
        "Nested": {"M": {"default": {"Bool": True}, "list": {"L": [{"S": "a"}]}}},
    }
    assert run(aws, "dynamodb:putItem", {"TableName": "t", "Item": item}) == {}
    query = {
        "TableName": "t",
        "KeyConditionExpression": "id = :id",
        "ExpressionAttributeValues": {":id": {"S": "x"}},
    }
    assert run(aws, "dynamodb:query", query) == {"Items": [item], "Count": 1, "ScannedCount": 1}


def test_sqs_message_of_an_object(aws: ClientFactory) -> None:
    queue = run(aws, "sqs:createQueue", {"QueueName": "q"})["QueueUrl"]
    sent = run(aws, "sqs:sendMessage", {"QueueUrl": queue, "MessageBody": {"a": 1}})
    assert sent.keys() == {"MessageId", "Md5OfMessageBody"}
    received = run(aws, "sqs:receiveMessage", {"QueueUrl": queue})["Messages"][0]
    assert (received["Body"], received["Md5OfBody"]) == ('{"a":1}', sent["Md5OfMessageBody"])


def test_secrets_and_parameters(aws: ClientFactory) -> None:
    assert run(aws, "secretsmanager:listSecrets", {}) == {"SecretList": []}  # recorded
    run(aws, "secretsmanager:createSecret", {"Name": "s", "SecretString": {"a": 1}})
    assert run(aws, "secretsmanager:getSecretValue", {"SecretId": "s"})["SecretString"] == '{"a":1}'
    assert run(aws, "ssm:putParameter", {"Name": "/p", "Value": 5, "Type": "String"})["Version"] == 1
    assert run(aws, "ssm:getParameter", {"Name": "/p"})["Parameter"]["Value"] == "5"


def test_kms_gives_back_what_it_was_given(aws: ClientFactory) -> None:
    key = run(aws, "kms:createKey", {})["KeyMetadata"]["KeyId"]
    secret = run(aws, "kms:encrypt", {"KeyId": key, "Plaintext": "plain \u00e9"})["CiphertextBlob"]
    assert run(aws, "kms:decrypt", {"CiphertextBlob": secret})["Plaintext"] == "plain \u00e9"


def test_values_pass_as_the_java_sdk_passes_them(aws: ClientFactory) -> None:
    """UserData is the caller's base64 and policies are the service's text: botocore would change both."""
    image = {"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1, "UserData": "ZWNobw=="}
    instance = run(aws, "ec2:runInstances", image)["Instances"][0]["InstanceId"]
    asked = {"InstanceId": instance, "Attribute": "userData"}
    assert run(aws, "ec2:describeInstanceAttribute", asked)["UserData"] == {"Value": "ZWNobw=="}
    role = {"RoleName": "r", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}
    assert run(aws, "iam:createRole", role)["Role"]["AssumeRolePolicyDocument"].startswith("%7B%22Version%22")


@pytest.mark.parametrize(
    ("region", "given", "place"),
    [
        ("us-east-1", {}, {}),
        ("eu-west-1", {}, {"LocationConstraint": "eu-west-1"}),
        (
            "eu-west-1",
            {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}},
            {"LocationConstraint": "eu-west-1"},
        ),
    ],
)
def test_a_bucket_is_made_where_its_client_is(
    aws: ClientFactory, region: str, given: dict[str, JSON], place: JSON
) -> None:
    clients = aws.in_region(region)
    name = f"in-{region}-{len(given)}"
    run(clients, "s3:createBucket", {"Bucket": name, **given})
    assert run(clients, "s3:getBucketLocation", {"Bucket": name}) == place


def test_ids_of_route53_have_no_paths(aws: ClientFactory) -> None:
    """As the Java SDK gives them: but for a list by name, which it forgets."""
    made = run(aws, "route53:createHostedZone", {"Name": "example.com.", "CallerReference": "r"})
    zone = made["HostedZone"]["Id"]
    assert "/" not in zone + made["ChangeInfo"]["Id"]
    assert run(aws, "route53:getHostedZone", {"Id": zone})["HostedZone"]["Id"] == zone
    assert [each["Id"] for each in run(aws, "route53:listHostedZones", {})["HostedZones"]] == [zone]
    by_name = run(aws, "route53:listHostedZonesByName", {})["HostedZones"]
    assert [each["Id"] for each in by_name] == [f"/hostedzone/{zone}"]


@pytest.mark.parametrize(
    ("resource", "parameters", "error", "cause"),
    [
        (
            "s3:listObjects",
            {"Bucket": "nowhere"},
            "S3.NoSuchBucketException",
            "The specified bucket does not exist (Service: S3, Status Code: 404, Request ID: ",
        ),  # recorded
        (
            "s3:headBucket",
            {"Bucket": "nowhere"},
            "S3.NoSuchBucketException",
            "(Service: S3, Status Code: 404, Request ID: ",
        ),
        (
            "s3:headObject",
            {"Bucket": "nowhere", "Key": "k"},
            "S3.NoSuchKeyException",
            "(Service: S3, Status Code: 404, Request ID: ",
        ),
        (
            "dynamodb:getItem",
            {"TableName": "nowhere", "Key": {"id": {"S": "x"}}},
            "DynamoDb.ResourceNotFoundException",
            "Requested resource not found (Service: DynamoDb, Status Code: 400, Request ID: ",
        ),
        (
            "ec2:describeInstances",
            {"InstanceIds": ["i-12345678"]},
            "Ec2.Ec2Exception",
            "The instance ID 'i-12345678' does not exist (Service: Ec2, Status Code: 400, Request ID: ",
        ),
        (
            "sqs:getQueueUrl",
            {"QueueName": "nowhere"},
            "Sqs.QueueDoesNotExistException",
            "The specified queue does not exist. (Service: Sqs, Status Code: 400, Request ID: ",
        ),
        (
            "ssm:getParameter",
            {"Name": "/nowhere"},
            "Ssm.ParameterNotFoundException",
            "Parameter /nowhere not found. (Service: Ssm, Status Code: 400, Request ID: ",
        ),
        (
            "secretsmanager:getSecretValue",
            {"SecretId": "nowhere"},
            "SecretsManager.ResourceNotFoundException",
            "Secrets Manager can't find the specified secret. (Service: SecretsManager, Status Code: ",
        ),
        (
            "sfn:describeExecution",
            {"ExecutionArn": "arn:aws:states:us-east-1:123456789012:execution:a:b"},
            "Sfn.ExecutionDoesNotExistException",
            "Execution Does Not Exist: ",
        ),
        (
            "rds:describeDBInstances",
            {"DbInstanceIdentifier": "nowhere"},
            "Rds.DbInstanceNotFoundException",
            "DBInstance nowhere not found. (Service: Rds, Status Code: 404, Request ID: ",
        ),
        (
            "s3:listObjects",
            {"Bucket": "not a bucket"},
            "S3.SdkClientException",
            "Parameter validation failed: Invalid bucket name",
        ),
    ],
)
def test_errors_of_services(aws: ClientFactory, resource: str, parameters: JSON, error: str, cause: str) -> None:
    name, text = failure(aws, resource, parameters)
    assert name == error
    assert text.startswith(cause)
    assert "SdkClient" in name or text.endswith(") (SDK Attempt Count: 1)")


def test_a_role_is_assumed_once(aws: ClientFactory) -> None:
    role = Role("arn:aws:iam::123456789012:role/other")
    assert run(aws, "sts:getCallerIdentity", None)["Arn"].startswith("arn:aws:sts::123456789012:user")
    assumed: list[Role] = []
    aws.client("sts").meta.events.register("before-call.sts.AssumeRole", lambda **_: assumed.append(role))
    for _ in range(2):
        who = run(aws, "sts:getCallerIdentity", {}, role)
        assert who["Arn"] == "arn:aws:sts::123456789012:assumed-role/other/kaidan"
    assert assumed == [role]


def test_clients_are_shared_by_threads(url: str) -> None:
    clients = ClientFactory(AwsSettings(region="us-east-1", endpoint_url=url, **CREDENTIALS))
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: run(clients, "sts:getCallerIdentity", {}), range(16)))
    assert len({result["Account"] for result in results}) == 1
    assert clients.client("sts") is clients.client("sts")
    assert clients.client("sts") is not clients.client("sts", Role("arn:aws:iam::123456789012:role/other"))


# --------------------------------------------------------------------------------------- when no answer comes


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        (
            {"endpoint_url": "http://127.0.0.1:1"},
            "Unable to load credentials from any of the providers in the chain: Unable to locate credentials",
        ),
        (
            {"profile": "nobody"},
            "Unable to load credentials from any of the providers in the chain: "
            "The config profile (nobody) could not be found",
        ),
        (
            {"endpoint_url": "http://127.0.0.1:1", **CREDENTIALS},
            "Unable to execute HTTP request: 127.0.0.1:1: Connection refused",
        ),
    ],
)
@pytest.mark.usefixtures("no_environment")
def test_no_answer(settings: dict[str, Any], cause: str) -> None:
    clients = ClientFactory(AwsSettings(max_attempts=1, **settings))
    assert failure(clients, "sqs:listQueues", {}) == ("Sqs.SdkClientException", cause)


def _with_cause(problem: Exception, cause: Exception) -> Exception:
    problem.__cause__ = cause
    return problem


@pytest.mark.parametrize(
    ("problem", "cause"),
    [
        (
            boto.EndpointConnectionError(
                endpoint_url="https://no-such-queue/",
                error=_with_cause(OSError("in a library"), OSError(-2, "Name or service not known")),
            ),
            "Unable to execute HTTP request: no-such-queue: Name or service not known",  # recorded
        ),
        (
            boto.EndpointConnectionError(endpoint_url="https://h:1/"),
            'Unable to execute HTTP request: Could not connect to the endpoint URL: "https://h:1/"',
        ),
        (
            boto.ReadTimeoutError(endpoint_url="https://h/x"),
            "Unable to execute HTTP request: h: Read timed out",
        ),
        (
            boto.ConnectTimeoutError(endpoint_url="https://h/x"),
            "Unable to execute HTTP request: h: connect timed out",
        ),
        (
            boto.ConnectionClosedError(endpoint_url="https://h/x"),
            "Unable to execute HTTP request: Connection was closed before we received a valid response from "
            'endpoint URL: "https://h/x".',
        ),
        (boto.NoRegionError(), "You must specify a region."),
        (ValueError("two\n  lines"), "two lines"),
        (TypeError(), "TypeError"),
    ],
)
def test_client_errors_are_one_line(problem: Exception, cause: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    error = aws_sdk.translate(resolve("ec2", "describeImages"), problem)
    assert (error.error, error.cause) == ("Ec2.SdkClientException", cause)
    ours = [record for record in caplog.records if record.name == aws_sdk.__name__]
    assert bool(ours) == (not isinstance(problem, boto.BotoCoreError))


def client_error(
    code: str, message: str | None = "m", status: int = 400, query_code: str | None = None, **metadata: Any
) -> boto.ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message, "QueryErrorCode": query_code},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "r", "HTTPHeaders": {}} | metadata,
    }
    return boto.ClientError(response, metadata.get("operation", "X"))


@pytest.mark.parametrize(
    ("resource", "problem", "error", "cause"),
    [
        (
            "sfn:sendTaskFailure",
            client_error("InvalidToken", "Invalid Token: 'Invalid token'"),
            "Sfn.InvalidTokenException",  # recorded
            "Invalid Token: 'Invalid token' (Service: Sfn, Status Code: 400, Request ID: r) (SDK Attempt Count: 1)",
        ),
        (
            "dynamodb:putItem",
            client_error("ValidationException", RetryAttempts=2),
            "DynamoDb.DynamoDbException",  # recorded
            "m (Service: DynamoDb, Status Code: 400, Request ID: r) (SDK Attempt Count: 3)",
        ),
        (
            "s3:getObject",
            client_error("NoSuchKey", status=404, HostId="h"),
            "S3.NoSuchKeyException",
            "m (Service: S3, Status Code: 404, Request ID: r, Extended Request ID: h) (SDK Attempt Count: 1)",
        ),
        (
            "kinesis:putRecord",
            client_error("ResourceNotFoundException", HTTPHeaders={"x-amz-id-2": "h"}),
            "Kinesis.ResourceNotFoundException",
            "m (Service: Kinesis, Status Code: 400, Request ID: r, Extended Request ID: h) (SDK Attempt Count: 1)",
        ),
        (
            "acmpca:deleteCertificateAuthority",
            client_error("ResourceNotFoundException", None),
            "AcmPca.ResourceNotFoundException",  # AWS guide
            "(Service: AcmPca, Status Code: 400, Request ID: r) (SDK Attempt Count: 1)",
        ),
        (
            "s3:createBucket",
            client_error("BucketAlreadyExists", status=409),
            "S3.BucketAlreadyExistsException",  # AWS guide
            "m (Service: S3, Status Code: 409, Request ID: r) (SDK Attempt Count: 1)",
        ),
        (
            "sqs:sendMessage",
            client_error("AWS.SimpleQueueService.NonExistentQueue", query_code="QueueDoesNotExist"),
            "Sqs.QueueDoesNotExistException",
            "m (Service: Sqs, Status Code: 400, Request ID: r) (SDK Attempt Count: 1)",
        ),
    ],
)
def test_error_names_and_causes(resource: str, problem: boto.ClientError, error: str, cause: str) -> None:
    translated = aws_sdk.translate(of(resource), problem)
    assert (translated.error, translated.cause, translated.located) == (error, cause, False)


def test_a_role_that_cannot_be_assumed() -> None:
    problem = client_error("AccessDenied", "not authorized", operation="AssumeRole")
    error = aws_sdk.translate(resolve("s3", "getObject"), problem, Role("arn:aws:iam::1:role/x"))
    assert error.error == "States.Permissions"
    assert error.cause == "The role 'arn:aws:iam::1:role/x' could not be assumed: not authorized"


# --------------------------------------------------------------------------------------------------- settings


@pytest.mark.usefixtures("no_environment")
def test_region(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ClientFactory().region == "us-east-1"
    assert ClientFactory(AwsSettings(profile="nobody")).region == "us-east-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert ClientFactory().region == "eu-west-1"
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    assert ClientFactory().region == "eu-west-2"
    assert ClientFactory(AwsSettings(region="eu-west-3")).region == "eu-west-3"


@pytest.mark.usefixtures("no_environment")
def test_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    def endpoints(**settings: Any) -> list[str]:
        clients = ClientFactory(AwsSettings(**CREDENTIALS, **settings))
        return [clients.client(service).meta.endpoint_url for service in ("sqs", "ssm")]

    assert endpoints() == ["https://sqs.us-east-1.amazonaws.com", "https://ssm.us-east-1.amazonaws.com"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://env")
    assert endpoints() == ["http://all", "http://env"]
    assert endpoints(endpoint_url="http://x", endpoint_urls={"sqs": "http://q"}) == ["http://q", "http://x"]
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert endpoints()[0] == "https://sqs.us-east-1.amazonaws.com"


@pytest.mark.usefixtures("no_environment")
def test_host_prefixes_only_go_before_aws_own_hosts() -> None:
    """StartSyncExecution goes to `sync-states.…`, which no emulator has."""
    prefixed = [
        ClientFactory(AwsSettings(endpoint_url=endpoint, **CREDENTIALS))
        .client("stepfunctions")
        .meta.config.inject_host_prefix
        for endpoint in (None, "http://127.0.0.1:1")
    ]
    assert prefixed == [True, False]


def test_secrets_are_not_printed() -> None:
    assert "hush" not in repr(AwsSettings(access_key="a", secret_key="hush", session_token="hush"))
