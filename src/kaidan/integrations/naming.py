"""How Step Functions spells the AWS SDKs: services, actions, members and exceptions.

The names are those of the AWS SDK for Java 2, worked out from the names in the API models (AWS guide,
"Learning to use AWS service SDK integrations"):

    serviceId    CloudWatch Logs                service  CloudWatchLogs, in ARNs cloudwatchlogs
    operation    DescribeDBInstances            action   describeDBInstances
    member       DBInstanceIdentifier, equals   field    DbInstanceIdentifier, EqualsValue
    error shape  DBInstanceNotFoundFault        error    DbInstanceNotFoundException

Text to text: knows no model, no botocore, no state.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

WORD_BOUNDARIES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"[^A-Za-z0-9]+", " "),  # "acm-pca": acm pca
        (r"([^a-z]{2,})v([0-9]+)", r"\1 v\2 "),  # "WAFv2": WAF v2
        (r"([^A-Z]{2,})V([0-9]+)", r"\1 V\2 "),  # "ApiGatewayV2": ApiGateway V2
        (r"(?<=[a-z])(?=[A-Z][A-Za-z0-9])", " "),  # "DynamoDB": Dynamo DB, but "IoT" is one word
        (r"([A-Z]+)([A-Z][a-z])", r"\1 \2"),  # "DBInstance": DB Instance
        (r"([0-9])([A-Za-z])", r"\1 \2"),  # "b2bi": b2 bi
    )
)
"""What separates two words, in the order in which it is looked for."""

JAVA_KEYWORDS = """
abstract assert boolean break byte case catch char class const continue default do double else enum extends
false final finally float for goto if implements import instanceof int interface long native new null package
private protected public return short static strictfp super switch synchronized this throw throws transient
true try void volatile while
"""
JAVA_METHODS = """
equals finalize getClass hashCode notify notifyAll toString wait
builder sdkFields toBuilder overrideConfiguration sdkHttpResponse
"""
RESERVED_WORDS = frozenset(JAVA_KEYWORDS.split())
"""A member of such a name is a field with `Value` behind it, whatever its capitals."""

RESERVED_METHODS = frozenset(JAVA_METHODS.split())
"""Names that the Java SDK's data classes have already: the same, with these capitals only."""

RENAMED_MEMBERS = {
    ("cloudformation", "ListStacksInput", "StackStatusFilter"): "StackStatusFilters",
    ("dynamodb", "AttributeValue", "NULL"): "Nul",
    ("dynamodbstreams", "AttributeValue", "NULL"): "Nul",
    ("ec2", "Image", "Public"): "PublicLaunchPermissions",
    ("ec2", "FpgaImage", "Public"): "IsPublic",
    ("elasticbeanstalk", "CreatePlatformVersionResult", "Builder"): "PlatformBuilder",
    ("sns", "AddPermissionInput", "AWSAccountId"): "AwsAccountIds",
    ("sns", "AddPermissionInput", "ActionName"): "ActionNames",
}
"""(service, shape, member) that the Java SDK renames by hand (its services' customization.config)."""


def words(name: str) -> list[str]:
    """`WorkSpacesThinClient` is Work, Spaces, Thin, Client."""
    for boundary, replacement in WORD_BOUNDARIES:
        name = boundary.sub(replacement, name)
    return name.split()


def pascal_case(name: str) -> str:
    """Every word with one capital: `DynamoDB` is DynamoDb, `Cost and Usage Report` CostAndUsageReport."""
    return "".join(word.capitalize() for word in words(name))


def uncapitalize(name: str) -> str:
    """The first capitals made small, but for one that begins the next word: `DBInstance` is dbInstance."""
    end = 1
    while end < len(name) and name[end].isupper() and not name[end + 1 : end + 2].islower():
        end += 1
    return name[:end].lower() + name[end:]


def service_name(service_id: str) -> str:
    """The service in error names: `SFN` is Sfn, `Database Migration Service` is DatabaseMigration."""
    name = pascal_case(service_id)
    return name.removeprefix("Amazon").removeprefix("Aws").removesuffix("Service")


def service_token(service_id: str) -> str:
    """The service in a resource: `CloudWatch Logs` is cloudwatchlogs."""
    return service_name(service_id).lower()


def action_name(operation: str) -> str:
    """The action in a resource: `ListSecrets` is listSecrets, `DescribeDBInstances` describeDBInstances."""
    return uncapitalize(operation)


def member_name(member: str, *, union: bool = False) -> str:
    """The field for a member: `stateMachineArn` is StateMachineArn, `SNSTopicArn` is SnsTopicArn."""
    name = uncapitalize(member)
    if name.lower() in RESERVED_WORDS or name in RESERVED_METHODS or (union and name == "type"):
        name += "Value"
    return name[:1].upper() + name[1:]


def member_names(service: str, shape: str, members: Iterable[str], *, union: bool = False) -> dict[str, str]:
    """Field to member, for one structure of a service (botocore's name): `{"Arn": "arn", "Name": "name"}`."""
    return {
        RENAMED_MEMBERS.get((service, shape, member)) or member_name(member, union=union): member for member in members
    }


def exception_name(shape: str) -> str:
    """The error, without its service: `NoSuchBucket` is NoSuchBucketException, `DBSubnetGroupNotFoundFault`
    is DbSubnetGroupNotFoundException."""
    if shape.endswith("Exception"):
        return pascal_case(shape)
    return pascal_case(shape.removesuffix("Fault")) + "Exception"


def nearest(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """Up to three of the names that are spelled like this one, capitals aside."""
    by_lower = {known.lower(): known for known in names}
    return tuple(by_lower[near] for near in get_close_matches(name.lower(), by_lower, n=3, cutoff=0.7))


def did_you_mean(names: Iterable[str]) -> str:
    """`: did you mean 'describeImages' or 'describeImageAttribute'?`, or nothing."""
    listed = " or ".join(f"'{name}'" for name in names)
    return f": did you mean {listed}?" if listed else ""
