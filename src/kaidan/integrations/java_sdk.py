"""botocore made to do what the AWS SDK for Java 2 does, which stands behind AWS's SDK integrations.

Its conveniences for Python are taken away, for the Java SDK passes these values on as they are; and what the Java SDK
does by hand, in its services' interceptors, is done here. Knows botocore's events, and no state.
"""

from __future__ import annotations

from typing import Any

ROUTE53_OPERATIONS = """
ChangeResourceRecordSets CreateHealthCheck CreateHostedZone CreateReusableDelegationSet DeleteHostedZone GetChange
GetHealthCheck GetHostedZone GetReusableDelegationSet ListHealthChecks ListHostedZones ListResourceRecordSets
ListReusableDelegationSets
"""
"""Those whose ids lose the path before them, `/hostedzone/Z1`; the others' keep it."""

ROUTE53_IDS = ("Id", "HealthCheckId", "HostedZoneId", "SetIdentifier")


def speak_as_java(session: Any) -> None:
    """Of all clients of a session of botocore's."""
    from botocore import handlers

    for event, convenience in (
        ("after-call.iam", handlers.json_decode_policies),
        ("after-call.ec2.GetConsoleOutput", handlers.decode_console_output),
        ("after-call.cloudformation.GetTemplate", handlers.json_decode_template_body),
        ("before-parameter-build.ec2.RunInstances", handlers.base64_encode_user_data),
        ("before-parameter-build.autoscaling.CreateLaunchConfiguration", handlers.base64_encode_user_data),
        ("before-parameter-build.s3.CopyObject", handlers.handle_copy_source_param),
        ("before-parameter-build.s3.UploadPartCopy", handlers.handle_copy_source_param),
        ("before-parameter-build.s3.ListObjects", handlers.set_list_objects_encoding_type_url),
        ("before-parameter-build.s3.ListObjectsV2", handlers.set_list_objects_encoding_type_url),
        ("before-parameter-build.s3.ListObjectVersions", handlers.set_list_objects_encoding_type_url),
    ):
        session.unregister(event, convenience)
    session.register("before-parameter-build.s3.CreateBucket", _bucket_of_this_region)
    for operation in ROUTE53_OPERATIONS.split():
        session.register(f"after-call.route-53.{operation}", _ids_without_paths)


def _bucket_of_this_region(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """A bucket is made where its client is; S3 refuses to be told us-east-1."""
    region = context["client_region"]
    configuration = params.get("CreateBucketConfiguration") or {}
    if not configuration.get("LocationConstraint") and region != "us-east-1":
        params["CreateBucketConfiguration"] = {**configuration, "LocationConstraint": region}


def _ids_without_paths(parsed: dict[str, Any], **_: Any) -> None:
    _shorten(parsed)


def _shorten(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _shorten(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in ROUTE53_IDS and isinstance(item, str) and item.rfind("/") > 0:
                value[name] = item.rpartition("/")[2]
            else:
                _shorten(item)
