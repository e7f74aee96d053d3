"""An AWS on loopback that answers any operation as a test says, in the shapes of botocore's models.

    aws.answers = {"batch.SubmitJob": [{"jobId": "j", "jobName": "n"}]}     the last answer holds for ever
    aws.asked == [("batch.SubmitJob", {"jobName": "n", …})]

What is callable is called for the answer: it may take its time.

Requests and answers go over HTTP: what botocore has sent is read back by moto's readers of AWS's protocols, and both
must fit the model, required members and all. Knows nothing of Kaidan but where its clients get their settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.validate import ParamValidator
from moto.core.eventstream import EventStream, EventStreamEncoder
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request
from moto.core.routing import get_service_router
from moto.core.serialize import EventStreamJSONSerializer, get_serializer_class

from kaidan.integrations.clients import AwsSettings, ClientFactory
from tests.integrations.loopback import Exchange, Loopback, loopback

Members = dict[str, Any]
Asked = tuple[str, Members]


@dataclass(frozen=True)
class Refusal:
    """An answer that refuses: `Refusal("ResourceNotFoundException", "gone", 404)`."""

    code: str
    message: str
    status: int = 400


class _Endpoints(Mapping[str, str]):
    """`http://127.0.0.1:4711/batch`: the path says which service is asked."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __getitem__(self, service: str) -> str:
        return f"{self._url}/{service}"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class ModelledAws:
    """`clients` call it."""

    def __init__(self, server: Loopback) -> None:
        self.answers: dict[str, list[Any]] = {}
        self.asked: list[Asked] = []
        self.faults: list[str] = []
        self.clients = ClientFactory(
            AwsSettings(
                region="us-east-1",
                endpoint_urls=_Endpoints(server.url),
                max_attempts=1,
                access_key="test",
                secret_key="test",
            )
        )

    def begin(self, answers: dict[str, list[Any]]) -> None:
        """Forget what was, and answer so from now on."""
        self.answers = {operation: list(listed) for operation, listed in answers.items()}
        self.asked, self.faults = [], []

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.asked]

    def take(self, exchange: Exchange) -> None:
        service, _, path = exchange.asked.path.lstrip("/").partition("/")
        asked = exchange.asked
        request = Request.from_primitives(asked.method, f"http://aws/{path}", asked.headers, asked.body.encode())
        operation, labels = get_service_router(service).match(request)
        parsed = _read(operation, request, labels)
        name = f"{service}.{operation.name}"
        self.asked.append((name, parsed))
        self._check(f"request of {name}", parsed, operation.input_shape)
        answer = self._answer(name)
        if isinstance(answer, Refusal):
            body = f'{{"__type":"{answer.code}","message":"{answer.message}"}}'
            return exchange.reply(answer.status, body, x_amzn_RequestId="r", x_amzn_ErrorType=answer.code)
        if operation.has_event_stream_output:
            stream = b"".join(_stream(operation, answer))
            return exchange.reply(200, stream, Content_Type="application/vnd.amazon.eventstream")
        self._check(f"answer of {name}", answer, operation.output_shape)
        written = get_serializer_class(service, _protocol(operation))(operation).serialize(answer)
        headers = {key.replace("-", "_"): str(value) for key, value in written["headers"].items()}
        return exchange.reply(written["status_code"], written["body"], x_amzn_RequestId="r", **headers)

    def _answer(self, name: str) -> Any:
        answers = self.answers.get(name) or [Refusal("Unscripted", f"nobody said what {name} answers", 500)]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer() if callable(answer) else answer

    def _check(self, what: str, value: Any, shape: Any) -> None:
        if shape is not None and (report := ParamValidator().validate(value, shape)).has_errors():
            self.faults.append(f"{what}: {report.generate_report()}")


def _protocol(operation: Any) -> str:
    return str(operation.service_model.resolved_protocol)


def _read(operation: Any, request: Any, labels: Members) -> Members:
    given: Any = {
        "method": request.method,
        "values": request.values,
        "headers": request.headers,
        "body": request.data,
        "url_path": request.path,
        "url_params": labels,
    }
    parsed: Members = PROTOCOL_PARSERS[_protocol(operation)](operation).parse(given)
    return {name: value for name, value in parsed.items() if value is not None}


def _stream(operation: Any, answer: Any) -> Iterator[bytes]:
    """Events, `{"stream": [{"messageStop": {…}}, …]}`; those that the model calls exceptions end a stream."""
    shape = operation.output_shape
    members = shape.members[shape.event_stream_name].members
    for message in EventStream(answer, shape, EventStreamJSONSerializer(operation)):
        name = str(message.headers[":event-type"])
        if members[name].metadata.get("exception"):
            message.headers |= {":message-type": "exception", ":exception-type": name}
        yield EventStreamEncoder().encode_event(message)


@contextmanager
def modelled_aws() -> Iterator[ModelledAws]:
    with loopback(lambda exchange: aws.take(exchange)) as server:
        aws = ModelledAws(server)
        yield aws
