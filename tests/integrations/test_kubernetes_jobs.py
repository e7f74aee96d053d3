"""`eks:runJob.sync`: Jobs of a Kubernetes API with TLS, to their ends, with their logs, stopped, taken up again."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from kaidan.integrations.clients import AwsSettings, ClientFactory
from kaidan.integrations.dispatch import Dispatcher
from kaidan.values import JSON, loads
from tests.integrations.loopback import Exchange, Loopback, loopback, new_certificate
from tests.integrations.support import FakeReply, at_once, task

JOBS = "/apis/batch/v1/namespaces/default/jobs"
PODS = "/api/v1/namespaces/default/pods"
JOB: dict[str, Any] = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "pi"}, "spec": {"backoffLimit": 0}}
ACTIVE = {"active": 1}
COMPLETE = {"conditions": [{"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"}]}
FAILED = {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}
HOLDING = {"conditions": [{"type": "Suspended", "status": "True"}, {"type": "Complete", "status": "False"}]}


@dataclass
class Cluster:
    """A Kubernetes API with one Job. `states`: what its status is when it is asked for, the last one for ever."""

    states: list[dict[str, Any]] = field(default_factory=lambda: [ACTIVE])
    logs: dict[str, tuple[int, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    log_parameters: list[dict[str, list[str]]] = field(default_factory=list)

    def answer(self, exchange: Exchange) -> None:
        method, url = exchange.asked.method, urlsplit(exchange.asked.path)
        self.asked.append(f"{method} {url.path}")
        match method, url.path:
            case "POST", path if path == JOBS:
                made = json.loads(exchange.asked.body)
                made["metadata"] |= {"namespace": "default", "uid": "u"}
                exchange.reply(201, json.dumps(made))
            case "GET", path if path == f"{JOBS}/pi":
                status = self.states.pop(0) if len(self.states) > 1 else self.states[0]
                exchange.reply(200, json.dumps({**JOB, "status": status}))
            case "DELETE", path if path == f"{JOBS}/pi":
                exchange.reply(200, '{"kind": "Status", "status": "Success"}')
            case "GET", path if path == PODS:
                assert parse_qs(url.query) == {"labelSelector": ["job-name=pi"]}
                exchange.reply(200, json.dumps({"items": [_pod("pi-a", "main", "side"), _pod("pi-b", "main")]}))
            case "GET", path if path.startswith(PODS):
                query = parse_qs(url.query)
                self.log_parameters.append(query)
                pod = path.split("/")[-2]
                status_code, text = self.logs.get(f"{pod}.{query['container'][0]}", (200, ""))
                exchange.reply(status_code, text, Content_Type="text/plain")
            case _:
                exchange.reply(404, "{}")


def _pod(name: str, *containers: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"}
    return {"metadata": metadata, "spec": {"containers": [{"name": each} for each in containers]}}


# --- TLS --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_certificate(tmp_path_factory.mktemp("tls") / "certificate.pem")


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def server(cluster: Cluster, certificate: Path) -> Iterator[Loopback]:
    with loopback(cluster.answer, certificate=certificate) as server:
        yield server


def authority(certificate: Path) -> str:
    pem = certificate.read_text()
    return b64encode(pem[pem.index("-----BEGIN CERTIFICATE") :].encode()).decode()


@pytest.fixture
def parameters(server: Loopback, certificate: Path) -> dict[str, Any]:
    return {
        "ClusterName": "mine",
        "CertificateAuthority": authority(certificate),
        "Endpoint": server.url,
        "Job": JOB,
    }


def dispatcher() -> Dispatcher:
    return Dispatcher(ClientFactory(AwsSettings(region="us-east-1", access_key="a", secret_key="s")), at_once)


def begin(parameters: dict[str, Any], resource: str = "eks:runJob.sync") -> FakeReply:
    reply = FakeReply()
    dispatcher()(task(resource, parameters), reply)
    return reply


# --- jobs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "end"),
    [
        ([ACTIVE, HOLDING, {}, COMPLETE], "succeeded"),
        ([COMPLETE], "succeeded"),
        ([ACTIVE, FAILED], "failed"),
    ],
)
def test_its_end(cluster: Cluster, parameters: Any, states: list[Any], end: str) -> None:
    """The Job itself, so that `$.status` is where AWS's sample project looks for it."""
    cluster.states = list(states)
    reply = begin(parameters)
    assert reply.told[1] == ("job", {"Namespace": "default", "Name": "pi"})
    assert reply.told[2][1]["ResponseBody"]["metadata"]["uid"] == "u"
    assert cluster.asked == [f"POST {JOBS}"]
    reply.pass_time()
    assert cluster.asked[1:] == [f"GET {JOBS}/pi"] * len(states)
    ended: JSON = {**JOB, "status": states[-1]}
    if end == "succeeded":
        assert reply.result == ended
    else:
        error, cause = reply.failure
        assert (error, loads(cause)) == ("States.TaskFailed", ended)


def test_it_is_asked_for_by_the_minute(cluster: Cluster, parameters: Any) -> None:
    begin(parameters).pass_time(30 * 60)
    assert cluster.asked.count(f"GET {JOBS}/pi") == 10 + 4


def test_it_is_stopped_with_its_task(cluster: Cluster, server: Loopback, parameters: Any) -> None:
    begin(parameters).cancel()
    assert server.last.method == "DELETE"
    assert server.last.path == f"{JOBS}/pi?propagationPolicy=Foreground"


def test_it_is_taken_up_after_a_restart(cluster: Cluster, parameters: Any) -> None:
    cluster.states = [ACTIVE, COMPLETE]
    reply = FakeReply()
    dispatcher().resume(task("eks:runJob.sync", parameters), {"Namespace": "default", "Name": "pi"}, reply)
    reply.pass_time()
    assert reply.result["status"] == COMPLETE
    assert cluster.asked == [f"GET {JOBS}/pi"] * 2


# --- logs -------------------------------------------------------------------------------------------------

LOGS = {
    "pi-a.main": (200, '{ "pi": 3.14 }'),
    "pi-a.side": (404, "no such container"),
    "pi-b.main": (200, "3.14\nbye\n"),
}


def test_logs(cluster: Cluster, parameters: Any) -> None:
    """JSON where they are; where one cannot be had, error and cause are in its place."""
    cluster.states, cluster.logs = [COMPLETE], LOGS
    reply = begin({**parameters, "LogOptions": {"RetrieveLogs": True, "LogParameters": {"tailLines": ["6"]}}})
    reply.pass_time()
    cause = '{"ResponseBody":"no such container","StatusCode":404,"StatusText":"Not Found"}'
    assert reply.result["logs"] == {
        "pods": {
            "pi-a": {
                "containers": {"main": {"log": {"pi": 3.14}}, "side": {"error": "EKS.404", "cause": cause}},
            },
            "pi-b": {"containers": {"main": {"log": "3.14\nbye\n"}}},
        }
    }
    assert reply.result["status"] == COMPLETE
    assert [query["tailLines"] for query in cluster.log_parameters] == [["6"]] * 3


def test_raw_logs_of_a_job_that_failed(cluster: Cluster, parameters: Any) -> None:
    cluster.states, cluster.logs = [FAILED], LOGS
    reply = begin({**parameters, "LogOptions": {"RetrieveLogs": True, "RawLogs": True}})
    reply.pass_time()
    logs = loads(reply.failure[1])["logs"]["pods"]
    assert logs["pi-a"]["containers"]["main"] == {"log": '{ "pi": 3.14 }'}


def test_logs_are_not_asked_for_unless_they_are_wanted(cluster: Cluster, parameters: Any) -> None:
    cluster.states = [COMPLETE]
    reply = begin({**parameters, "LogOptions": {"RetrieveLogs": False}})
    reply.pass_time()
    assert "logs" not in reply.result
    assert cluster.log_parameters == []


# --- whom it trusts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "more"),
    [("eks:call", {"Method": "GET", "Path": f"{JOBS}/pi"}), ("eks:runJob", {"Job": JOB})],
)
def test_the_certificate_authority(cluster: Cluster, parameters: Any, resource: str, more: Any) -> None:
    given = {name: parameters[name] for name in ("ClusterName", "CertificateAuthority", "Endpoint")} | more
    assert begin(given, resource).result["ResponseBody"]["kind"] == "Job"
    error, cause = begin({**given, "CertificateAuthority": "bm8="}, resource).failure
    assert error.startswith("EKS."), cause
    assert begin({**given, "CertificateAuthority": "!"}, resource).failure == (
        "EKS.SdkClientException",
        "The field 'CertificateAuthority' is not base64",
    )


def test_another_authority(cluster: Cluster, parameters: Any, tmp_path: Path) -> None:
    other = new_certificate(tmp_path / "other.pem")
    error, _ = begin({**parameters, "CertificateAuthority": authority(other)}).failure
    assert error == "EKS.SSLHandshakeException"
    assert cluster.asked == []
