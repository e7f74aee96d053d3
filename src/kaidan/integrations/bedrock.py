"""Amazon Bedrock: models invoked and customised. `invokeModel` can read its body from S3 and write the answer there.
Source: AWS guide, "Invoke and customize Amazon Bedrock models"; published results: `{"Body": {…}, "ContentType": …}`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from kaidan.errors import StateError
from kaidan.integrations import aws_sdk
from kaidan.integrations.jobs import Fields, Job, status
from kaidan.integrations.optimised import Action, Service, Situation
from kaidan.values import JSON, json_or_text

BODY_OR_INPUT = "Exactly one of the fields 'Body' and 'Input' is required"


def _without_places(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if name.removesuffix(".$") not in ("Input", "Output")}


def _body_or_input(fields: Fields) -> str | None:
    return None if (fields.get("Body") is None) != (fields.get("Input") is None) else BODY_OR_INPUT


def _with_body(fields: Fields, situation: Situation) -> Fields:
    known = _without_places(fields)
    if fields.get("Input") is not None:
        answer = _s3(situation, "get_object", _place(fields["Input"]))
        known["Body"] = answer["Body"].read().decode()
        known.setdefault("ContentType", answer.get("ContentType"))
    return known


def _result(answer: Fields, parameters: Fields, situation: Situation) -> JSON:
    if parameters.get("Output") is None:
        return {**answer, "Body": json_or_text(answer.get("Body", ""))}
    place = _place(parameters["Output"])
    content = {"Body": str(answer.get("Body", "")).encode(), "ContentType": answer.get("ContentType")}
    _s3(situation, "put_object", {**place, **content})
    return {**answer, "Body": parameters["Output"]["S3Uri"]}


def _place(source: JSON) -> dict[str, Any]:
    uri = urlsplit(str(source.get("S3Uri") if isinstance(source, dict) else source))
    if uri.scheme != "s3" or not uri.netloc or not uri.path.strip("/"):
        raise StateError("Bedrock.ValidationException", f"'{uri.geturl()}' is not an S3 URI, s3://bucket/key")
    return {"Bucket": uri.netloc, "Key": uri.path.removeprefix("/")}


def _s3(situation: Situation, method: str, request: dict[str, Any]) -> Any:
    try:
        return getattr(situation.clients.client("s3", situation.role), method)(**request)
    except Exception as problem:  # the edge: whatever a client raises is something a state can catch
        operation = aws_sdk.Operation("s3", method, "s3", method, "S3")
        raise aws_sdk.translate(operation, problem, situation.role) from problem


CUSTOMISED = Job(
    handle=lambda answer, parameters: {"JobArn": answer["JobArn"]},
    ask=("GetModelCustomizationJob", lambda job: {"jobIdentifier": job["JobArn"]}),
    path=(),
    verdict=status("Status", succeeded="Completed", failed="Failed Stopped"),
    stop=("StopModelCustomizationJob", lambda job: {"jobIdentifier": job["JobArn"]}),
)

SERVICE = Service(
    token="bedrock",
    client="bedrock",
    prefix="Bedrock",
    product="AmazonBedrock",
    exception="AmazonBedrockException",
    metadata=False,
    actions={
        "invokeModel": Action(
            "InvokeModel",
            token=True,
            client="bedrock-runtime",
            known=_without_places,
            complaint=_body_or_input,
            completed=_with_body,
            result=_result,
        ),
        "createModelCustomizationJob": Action("CreateModelCustomizationJob", token=True, jobs={".sync": CUSTOMISED}),
    },
)
