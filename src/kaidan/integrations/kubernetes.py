"""The Kubernetes API of an EKS cluster: `eks:call` sends one request, `eks:runJob` runs a batch/v1 Job, with `.sync` to
its end and with its logs.

    {"ClusterName": "c", "CertificateAuthority": "LS0t…", "Endpoint": "https://….eks.amazonaws.com",
     "Method": "GET", "Path": "/api/v1/pods", "QueryParameters": {"labelSelector": ["a=b"]}}
    {"ResponseBody": {…}, "StatusCode": 200, "StatusText": "OK"}

The result of `.sync` is the Job itself, with its logs beside its status (AWS's sample project, "Manage an Amazon EKS
cluster", goes on with `$.status` and `$.logs..pi`):

    {"apiVersion": "batch/v1", "kind": "Job", …, "status": {…}, "logs": {"pods": {…}}}

The bearer token is a presigned request to STS, as `aws eks get-token` makes it. Any other status than 2xx is the error
`EKS.401`, with the answer as its cause. Source: AWS guide, "Create and manage Amazon EKS clusters".
"""

from __future__ import annotations

import binascii
from base64 import b64decode, urlsafe_b64encode
from dataclasses import replace
from typing import Any

from kaidan.errors import DATA_LIMIT_EXCEEDED, RUNTIME, StateError
from kaidan.integrations import form, web
from kaidan.integrations.clients import ClientFactory
from kaidan.integrations.contract import Reply, RunBlocking, Then
from kaidan.integrations.form import Form
from kaidan.integrations.jobs import Fields, Job, Watch, by_the_minute
from kaidan.limits import AWS
from kaidan.protocol.effects import Role, RunTask
from kaidan.values import JSON, dumps, json_or_text

TIMEOUT_S = 60.0
TOKEN_S = 60
METHODS = tuple(method for method in web.METHODS if method != "OPTIONS")
PATTERNS = {"call": ("", ".waitForTaskToken"), "runJob": ("", ".sync", ".waitForTaskToken")}


# --- parameters -------------------------------------------------------------------------------------------


CLUSTER: dict[str, form.Fits] = dict.fromkeys(("ClusterName", "CertificateAuthority", "Endpoint"), form.text)

FORMS = {
    "call": Form(
        {
            **CLUSTER,
            "Method": form.one_of(*METHODS),
            "Path": form.text,
            "QueryParameters": form.lists,
            "RequestBody": form.anything,
        },
        required=(*CLUSTER, "Method", "Path"),
    ),
    "runJob": Form(
        {
            **CLUSTER,
            "Namespace": form.text,
            "Job": lambda value: isinstance(value, (dict, str)),
            "LogOptions": form.object_,
        },
        required=(*CLUSTER, "Job"),
    ),
}


# --- the calls --------------------------------------------------------------------------------------------


class Kubernetes:
    """Carries out `eks:call` and `eks:runJob`."""

    def __init__(self, clients: ClientFactory, run_blocking: RunBlocking, settings: web.WebSettings) -> None:
        self._clients = clients
        self._run_blocking = run_blocking
        self._settings = settings

    def __call__(self, task: RunTask, reply: Reply) -> None:
        if task.resource.pattern not in PATTERNS.get(task.resource.action, ()):
            raise StateError(RUNTIME, f"Nothing here carries out {task.resource.arn}")
        cluster = self._cluster(task)
        parameters = task.parameters.value
        send = cluster.call if task.resource.action == "call" else cluster.create
        if task.resource.pattern == ".sync":
            Watch(JOB, cluster.ask, reply, self._run_blocking).submit(lambda: send(parameters), parameters)
        else:
            to = Then(reply, reply.submitted, reply.failed) if task.resource.pattern else reply
            self._run_blocking(lambda: send(parameters), to)

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        """After a restart: go on watching a Job."""
        Watch(JOB, self._cluster(task).ask, reply, self._run_blocking).resume(job)

    def _cluster(self, task: RunTask) -> Cluster:
        return Cluster(task.parameters.value, self._clients, task.role, self._settings)


class Cluster:
    """Requests to one cluster's API, on behalf of one role."""

    def __init__(
        self, parameters: Fields, clients: ClientFactory, role: Role | None, settings: web.WebSettings
    ) -> None:
        self._parameters = parameters
        self._clients = clients
        self._role = role
        self._settings = settings

    def call(self, parameters: Fields) -> Fields:
        query = parameters.get("QueryParameters") or {}
        return self._send(parameters["Method"], parameters["Path"], query, parameters.get("RequestBody"))

    def create(self, parameters: Fields) -> Fields:
        namespace = parameters.get("Namespace") or "default"
        return self._send("POST", f"/apis/batch/v1/namespaces/{namespace}/jobs", {}, parameters["Job"])

    def ask(self, operation: str, handle: Fields) -> Fields:
        """A question of a Watch: GET or DELETE of the Job; when it has ended, with its logs."""
        path = f"/apis/batch/v1/namespaces/{handle['Namespace']}/jobs/{handle['Name']}"
        query = {"propagationPolicy": "Foreground"} if operation == "DELETE" else {}
        answer = self._send(operation, path, query, None)
        options = self._parameters.get("LogOptions") or {}
        if operation == "GET" and options.get("RetrieveLogs") and _verdict(answer) is not None:
            return {**answer, "logs": self._logs(handle, options)}
        return answer

    def _logs(self, handle: Fields, options: Fields) -> JSON:
        """`{"pods": {pod: {"containers": {container: {"log": …}}}}}`; where a log cannot be had, error and cause."""
        pods = self._send(
            "GET",
            f"/api/v1/namespaces/{handle['Namespace']}/pods",
            {"labelSelector": f"job-name={handle['Name']}"},
            None,
        )["ResponseBody"].get("items", [])
        return {"pods": {pod["metadata"]["name"]: {"containers": self._containers(pod, options)} for pod in pods}}

    def _containers(self, pod: Fields, options: Fields) -> JSON:
        metadata = pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/log"
        logs: Fields = {}
        for container in pod["spec"]["containers"]:
            query = {**(options.get("LogParameters") or {}), "container": [container["name"]]}
            try:
                log = self._send("GET", path, query, None, raw=bool(options.get("RawLogs")))["ResponseBody"]
                logs[container["name"]] = {"log": log}
            except StateError as problem:
                logs[container["name"]] = {"error": problem.error, "cause": problem.cause}
        return logs

    def _send(self, method: str, path: str, query: Fields, body: JSON, *, raw: bool = False) -> Fields:
        url = web.with_query(self._parameters["Endpoint"].rstrip("/") + path, query)
        headers = [("Authorization", f"Bearer {self._token()}"), ("Accept", "application/json, */*")]
        content = None if body is None else body.encode() if isinstance(body, str) else web.json_bytes(body)
        if content is not None:
            kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
            headers.append(("Content-Type", kind))
        try:
            response = web.send(
                web.Request(method, url, headers, content),
                timeout_s=TIMEOUT_S,
                bytes_max=AWS.payload_bytes_max,
                settings=replace(self._settings, ca_data=self._certificate()),
            )
        except web.WebError as problem:
            raise StateError(f"EKS.{problem.kind}", problem.reason) from problem
        except web.TooLarge:
            raise StateError(DATA_LIMIT_EXCEEDED, web.TOO_LARGE.format("eks")) from None
        return _answer(response, raw)

    def _certificate(self) -> str | None:
        if not self._parameters["Endpoint"].startswith("https:"):
            return None
        try:
            return b64decode(self._parameters["CertificateAuthority"], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise StateError("EKS.SdkClientException", "The field 'CertificateAuthority' is not base64") from None

    def _token(self) -> str:
        """`k8s-aws-v1.…`: a GetCallerIdentity that names the cluster and is signed for a minute."""
        from botocore.signers import RequestSigner

        client = self._clients.client("sts", self._role)
        credentials: Any = self._clients.session(self._role).get_credentials()
        service_id, region = client.meta.service_model.service_id, client.meta.region_name
        signer = RequestSigner(service_id, region, "sts", "v4", credentials, client.meta.events)
        request = {
            "method": "GET",
            "url": f"{client.meta.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": self._parameters["ClusterName"]},
            "context": {},
        }
        url = signer.generate_presigned_url(request, region_name=region, expires_in=TOKEN_S, operation_name="")
        return "k8s-aws-v1." + urlsafe_b64encode(url.encode()).decode().rstrip("=")


def _answer(response: web.Response, raw: bool) -> Fields:
    text = response.body.decode("utf-8", "replace")
    answer = {
        "ResponseBody": text if raw else json_or_text(text),
        "StatusCode": response.status,
        "StatusText": response.reason,
    }
    if not 200 <= response.status < 300:
        raise StateError(f"EKS.{response.status}", dumps(answer))
    return answer


def _verdict(answer: Fields) -> bool | None:
    """By the conditions of a Job that are true: Complete or Failed."""
    for condition in answer["ResponseBody"].get("status", {}).get("conditions", []):
        if condition.get("status") == "True" and condition.get("type") in ("Complete", "Failed"):
            return bool(condition["type"] == "Complete")
    return None


def _handle(answer: Fields, parameters: Fields) -> Fields:
    metadata = answer["ResponseBody"]["metadata"]
    return {
        "Namespace": metadata.get("namespace") or parameters.get("Namespace") or "default",
        "Name": metadata["name"],
    }


def _job(answer: Fields, handle: Fields) -> JSON:
    logs = {"logs": answer["logs"]} if "logs" in answer else {}
    return {**answer["ResponseBody"], **logs}


JOB = Job(
    handle=_handle,
    ask=("GET", dict),
    path=(),
    verdict=_verdict,
    result=_job,
    stop=("DELETE", dict),
    delay_s=by_the_minute,
)
