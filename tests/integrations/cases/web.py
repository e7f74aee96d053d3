"""What is called without a model of botocore: APIs of API Gateway, and the Kubernetes API of EKS clusters.

`{endpoint}` stands for where the server of the tests listens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kaidan.values import JSON, dumps

API = "a1b2c3.execute-api.us-east-1.amazonaws.com"
PETS = {"ApiEndpoint": API, "Method": "GET", "Stage": "prod", "Path": "pets"}
CLUSTER = {"ClusterName": "mine", "CertificateAuthority": "bm9uZQ==", "Endpoint": "{endpoint}"}
PODS = "/api/v1/namespaces/default/pods"
JOBS = "/apis/batch/v1/namespaces/{}/jobs"


@dataclass(frozen=True)
class WebCase:
    """asked: method, path and body. headers: some of those sent; None for one that may not be. answer: status, headers
    and body. result: the task's, or else error: error and cause."""

    name: str
    action: str
    parameters: dict[str, Any]
    asked: tuple[str, str, str]
    headers: dict[str, str | None] = field(default_factory=dict)
    answer: tuple[int, dict[str, str], str] = (200, {}, '{"ok": true}')
    result: JSON = None
    error: tuple[str, str] | None = None
    patterns: tuple[str, ...] = ("",)


def _api(body: JSON = None, status: int = 200, text: str = "OK") -> JSON:
    """Of which the headers are looked at by themselves."""
    return {"ResponseBody": {"ok": True} if body is None else body, "StatusCode": status, "StatusText": text}


APIS = [
    WebCase(
        "the example of the guide",
        "apigateway:invoke",
        {
            **PETS,
            "Headers": {"key": ["value1", "value2"]},
            "QueryParameters": {"billId": ["123456"], "q": ["a b", "c&d"]},
            "AuthType": "NO_AUTH",
        },
        ("GET", "/prod/pets?billId=123456&q=a%20b&q=c%26d", ""),
        {"key": "value1,value2", "host": API, "authorization": None, "content-type": None},
        result=_api(),
    ),
    WebCase(
        "a token in a header",
        "apigateway:invoke",
        {**PETS, "Method": "POST", "Path": "/pets/add", "Headers": {"TaskToken": ["t"]}, "RequestBody": {"id": 7}},
        ("POST", "/prod/pets/add", '{"id":7}'),
        {"tasktoken": "t", "content-type": "application/json"},
        result=_api(),
        patterns=("", ".waitForTaskToken"),
    ),
    WebCase(
        "no stage and no path",
        "apigateway:invoke",
        {"ApiEndpoint": API, "Method": "DELETE", "RequestBody": {"is": "not sent"}},
        ("DELETE", "/", ""),
        {"content-type": None},
        answer=(200, {"Content_Type": "text/plain"}, "gone"),
        result=_api("gone"),
    ),
    WebCase(
        "characters of paths",
        "apigateway:invoke",
        {**PETS, "Path": "pets/a b/\u00e9%2F?"},
        ("GET", "/prod/pets/a%20b/%C3%A9%2F%3F", ""),
        result=_api(),
    ),
    WebCase(
        "nulls are left out",
        "apigateway:invoke",
        {**PETS, "Method": "PUT", "RequestBody": {"NewPet": {"type": "turtle", "category": None}}},
        ("PUT", "/prod/pets", '{"NewPet":{"type":"turtle"}}'),
        result=_api(),
    ),
    WebCase(
        "unless they are allowed",
        "apigateway:invoke",
        {**PETS, "Method": "PATCH", "RequestBody": {"category": None}, "AllowNullValues": True},
        ("PATCH", "/prod/pets", '{"category":null}'),
        result=_api(),
    ),
    WebCase(
        "text, and a type of its own",
        "apigateway:invoke",
        {**PETS, "Method": "POST", "RequestBody": "HelloWorld", "Headers": {"Content-Type": ["text/plain"]}},
        ("POST", "/prod/pets", '"HelloWorld"'),
        {"content-type": "text/plain"},
        answer=(201, {}, "[1]"),
        result=_api([1], 201, "Created"),
    ),
    WebCase(
        "a refusal",
        "apigateway:invoke",
        PETS,
        ("GET", "/prod/pets", ""),
        answer=(403, {}, '{"message":"Missing Authentication Token"}'),
        error=("ApiGateway.403", '{"message":"Missing Authentication Token"}'),
    ),
    WebCase(
        "a redirect is an answer",
        "apigateway:invoke",
        PETS,
        ("GET", "/prod/pets", ""),
        answer=(302, {"Location": "/elsewhere"}, "there"),
        error=("ApiGateway.302", "there"),
    ),
]

KUBERNETES = [
    WebCase(
        "pods of a job",
        "eks:call",
        {**CLUSTER, "Method": "GET", "Path": PODS, "QueryParameters": {"labelSelector": ["job-name=example-job"]}},
        ("GET", f"{PODS}?labelSelector=job-name%3Dexample-job", ""),
        {"content-type": None},
        answer=(200, {}, '{"kind": "PodList", "items": []}'),
        result=_api({"kind": "PodList", "items": []}),
        patterns=("", ".waitForTaskToken"),
    ),
    WebCase(
        "deleting a job",
        "eks:call",
        {
            **CLUSTER,
            "Method": "DELETE",
            "Path": JOBS.format("default") + "/example-job",
            "QueryParameters": {"propagationPolicy": ["Foreground"]},
        },
        ("DELETE", JOBS.format("default") + "/example-job?propagationPolicy=Foreground", ""),
        result=_api(),
    ),
    WebCase(
        "a thing made",
        "eks:call",
        {**CLUSTER, "Method": "POST", "Path": "/api/v1/namespaces", "RequestBody": {"metadata": {"name": "n"}}},
        ("POST", "/api/v1/namespaces", '{"metadata":{"name":"n"}}'),
        {"content-type": "application/json"},
        answer=(201, {}, '{"kind": "Namespace"}'),
        result=_api({"kind": "Namespace"}, 201, "Created"),
    ),
    WebCase(
        "a thing made of text",
        "eks:call",
        {**CLUSTER, "Method": "POST", "Path": "/api/v1/namespaces", "RequestBody": '{"metadata": {"name": "n"}}'},
        ("POST", "/api/v1/namespaces", '{"metadata": {"name": "n"}}'),
        result=_api(),
    ),
    WebCase(
        "a thing changed",
        "eks:call",
        {**CLUSTER, "Method": "PATCH", "Path": f"{PODS}/p", "RequestBody": {"metadata": {"labels": {"a": None}}}},
        ("PATCH", f"{PODS}/p", '{"metadata":{"labels":{"a":null}}}'),
        {"content-type": "application/merge-patch+json"},
        result=_api(),
    ),
    WebCase(
        "text that is no JSON",
        "eks:call",
        {**CLUSTER, "Method": "GET", "Path": "/healthz"},
        ("GET", "/healthz", ""),
        answer=(200, {"Content_Type": "text/plain"}, "ok"),
        result=_api("ok"),
    ),
    WebCase(
        "nobody the cluster knows",
        "eks:call",
        {**CLUSTER, "Method": "GET", "Path": PODS},
        ("GET", PODS, ""),
        answer=(401, {}, '{"kind": "Status", "reason": "Unauthorized"}'),
        error=(
            "EKS.401",
            dumps(
                {
                    "ResponseBody": {"kind": "Status", "reason": "Unauthorized"},
                    "StatusCode": 401,
                    "StatusText": "Unauthorized",
                }
            ),
        ),
    ),
    WebCase(
        "a job",
        "eks:runJob",
        {**CLUSTER, "Job": {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "example-job"}}},
        ("POST", JOBS.format("default"), '{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"example-job"}}'),
        {"content-type": "application/json"},
        answer=(201, {}, '{"kind": "Job"}'),
        result=_api({"kind": "Job"}, 201, "Created"),
        patterns=("", ".waitForTaskToken"),
    ),
    WebCase(
        "a job of text, in a namespace",
        "eks:runJob",
        {**CLUSTER, "Namespace": "nightly", "Job": '{"kind": "Job"}'},
        ("POST", JOBS.format("nightly"), '{"kind": "Job"}'),
        result=_api(),
    ),
    WebCase(
        "a job that is there already",
        "eks:runJob",
        {**CLUSTER, "Job": {"kind": "Job"}},
        ("POST", JOBS.format("default"), '{"kind":"Job"}'),
        answer=(409, {}, "AlreadyExists"),
        error=("EKS.409", dumps({"ResponseBody": "AlreadyExists", "StatusCode": 409, "StatusText": "Conflict"})),
    ),
]

CASES = [*APIS, *KUBERNETES]
