"""The in-process service among emulated neighbours: moto for most of AWS, and functions that do what a case says.

A Target like `InProcess`, which it is as long as a case needs nothing else. Setup calls go to the neighbours through
boto3, in their own accounts; what the service calls goes to the same place.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

from conformance import functions, gateway, neighbours
from conformance.cases import ACCOUNT, REGION, JsonObject
from conformance.targets import ApiError

_NEIGHBOURS = """
apigateway dynamodb ec2 ecs events iam lambda logs s3 second-account secretsmanager sns sqs sts
"""
NEIGHBOURS = frozenset(_NEIGHBOURS.split())
"""What is there, as the cases' `needs` call it."""


class Emulated:
    """`kaidan.service` in this process, on a virtual clock, with neighbours."""

    def __init__(self, as_of: date | None = None, mock_config: JsonObject | None = None) -> None:
        self._as_of = as_of
        self._mock_config = mock_config
        sources = importlib.import_module("kaidan.runtime.sources")
        self._clock = sources.SimulatedClock(int(time.time()) * 1000 + 123)
        self._world: World | None = None
        self._apis: dict[str, Any] = {}
        self._api(ACCOUNT)

    # --- the service ------------------------------------------------------------------------------------------

    def _api(self, account: str) -> Any:
        """The service of an account."""
        if account not in self._apis:
            module = importlib.import_module("kaidan.service.api")
            self._apis[account] = module.Api(
                account=account,
                region=REGION,
                clock=self._clock,
                as_of=self._as_of,
                clients=_clients(self),
                world=self._mocked(),
            )
            self._settle_in(account)
        return self._apis[account]

    def _mocked(self) -> Any:
        if self._mock_config is None:
            return None
        mocks, world = (importlib.import_module(f"kaidan.integrations.{name}") for name in ("mocks", "world"))
        return world.World(mocks=mocks.parse_mock_config(self._mock_config))

    def _settle_in(self, account: str) -> None:
        """Its tasks: functions of this world, test cases, state machines of other accounts."""
        engine = self._apis[account].service.engine
        dispatcher = engine.handler.dispatcher
        dispatcher.functions.targets = Functions(self)
        own = dispatcher.by_service["states"]
        dispatcher.by_service["states"] = lambda task, reply: self._start_elsewhere(own, task, reply)
        self._observe(self._apis[account].service)

    def _observe(self, service: Any) -> None:
        """Log records and status changes go to the neighbours at once, so that whoever asks finds them there."""
        logs, log_sinks = (importlib.import_module(f"kaidan.observe.{name}") for name in ("logs", "log_sinks"))
        status, sinks = (importlib.import_module(f"kaidan.observe.{name}") for name in ("status", "status_sinks"))
        clients = _clients(self)
        to_logs = log_sinks.CloudWatchLog(clients)
        to_bus = sinks.EventBus(clients, "default", lambda seconds: False, status.SOURCE)

        def logging(execution: Any) -> Any:
            return service.configurations[execution.definition].logging

        def tell(changes: Any) -> None:
            if self._world is not None:
                _try(to_bus, changes)

        logs.Logs(service.engine, logging, [lambda entries: _try(to_logs, entries)])
        status.StatusChanges(service.engine, [tell])

    def _start_elsewhere(self, own: Callable[[Any, Any], None], task: Any, reply: Any) -> None:
        account = str(task.parameters.value.get("StateMachineArn")).split(":")[4:5]
        if not task.role or account in ([], [ACCOUNT]):
            return own(task, reply)
        local = importlib.import_module("kaidan.service.local")
        api = self._api(account[0])
        tasks = local.StepFunctionsTasks(api.service, api.call, api.begin, _clients(self), api._pool.run)
        return tasks._start_execution(task, reply)  # type: ignore[no-any-return]

    # --- the target -------------------------------------------------------------------------------------------

    def call(self, service: str, operation: str, params: JsonObject, account: str | None = None) -> JsonObject:
        if service != "stepfunctions":
            return self.world.call(service, operation, params, account or ACCOUNT)
        account = account or ACCOUNT
        refusal = importlib.import_module("kaidan.service.errors").ApiError
        try:
            answer: JsonObject = self._api(account).call(operation, params)
        except refusal as problem:
            raise ApiError(problem.code, problem.message, problem.status) from None
        return answer

    def settle(self, until: Callable[[], bool], timeout_s: float) -> None:
        if len(self._apis) == 1:
            return self._apis[ACCOUNT].settle(lambda: self._calm() and until(), timeout_s)  # type: ignore[no-any-return]
        horizon_ms = self._clock.now_ms() + int(timeout_s * 1000)
        engines = [api.service.engine for api in self._apis.values()]
        while not until():
            if any(engine.step() for engine in engines):
                continue
            due = [next_ms for engine in engines if (next_ms := engine.next_ms()) is not None]
            if any(engine.busy for engine in engines):
                time.sleep(0.001)
            elif due and min(due) <= horizon_ms:
                self._clock.skip_to(min(due))
            else:
                return None
        return None

    def _calm(self) -> bool:
        """Nothing is under way. Who waits for a message sees it no earlier than the service knows that it was sent."""
        engine = self._apis[ACCOUNT].service.engine
        while not engine.busy and engine.step():
            pass
        return not engine.busy

    def supports(self, service: str) -> bool:
        return service in NEIGHBOURS

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)

    def close(self) -> None:
        for api in self._apis.values():
            api.close()
        if self._world is not None:
            self._world.close()

    @property
    def world(self) -> World:
        if self._world is None:
            self._world = World()
        return self._world


# --- the neighbours ---------------------------------------------------------------------------------------


class World:
    """What is around the service in one case."""

    def __init__(self) -> None:
        self.url = neighbours.start()
        neighbours.forget(self.url)
        self.functions: dict[str, str] = {}
        """Function to what it does, in words."""
        self.gateway = gateway.Gateway(self.invoke)
        self._clients: dict[tuple[str, str], Any] = {}

    def call(self, service: str, operation: str, params: JsonObject, account: str) -> JsonObject:
        if service == "lambda":
            return self._lambda(operation, params)
        if service == "apigateway":
            return self.gateway.call(operation, params)
        if operation == "CrossAccountRole":
            return {}
        return self._aws(service, operation, params, account)

    def _lambda(self, operation: str, params: JsonObject) -> JsonObject:
        if operation != "CreateFunction":
            return {}
        name = params["FunctionName"]
        self.functions[name] = params["Behaviour"]
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        return {"CreateFunctionResponse": {"FunctionArn": arn}, "FunctionArn": arn}

    def invoke(self, name: str, event: Any) -> Any:
        return functions.handler_of(self.functions[name])(event, None)

    def _aws(self, service: str, operation: str, params: JsonObject, account: str) -> JsonObject:
        from botocore import xform_name
        from botocore.exceptions import ClientError

        try:
            answer: JsonObject = getattr(self._client(service, account), xform_name(operation))(**params)
        except ClientError as refusal:
            error, metadata = refusal.response["Error"], refusal.response["ResponseMetadata"]
            raise ApiError(error["Code"], error["Message"], metadata["HTTPStatusCode"]) from None
        answer.pop("ResponseMetadata", None)
        return {name: value.read().decode() if hasattr(value, "read") else value for name, value in answer.items()}

    def _client(self, service: str, account: str) -> Any:
        if (service, account) not in self._clients:
            import boto3
            from botocore.config import Config

            self._clients[service, account] = boto3.client(
                service,
                endpoint_url=self.url,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, proxies={}),
            )
        return self._clients[service, account]

    def close(self) -> None:
        self.gateway.close()


class Settings:
    """The service's `AwsSettings`: they find the neighbours when the first client is made."""

    profile = session_token = None
    region = REGION
    access_key = secret_key = "test"
    max_pool_connections = 10
    max_attempts = 1

    def __init__(self, target: Emulated) -> None:
        self._target = target

    @property
    def endpoint_url(self) -> str:
        return self._target.world.url

    @property
    def endpoint_urls(self) -> dict[str, str]:
        return {"execute-api": self._target.world.gateway.url}


def _clients(target: Emulated) -> Any:
    module = importlib.import_module("kaidan.integrations.clients")
    return module.ClientFactory(Settings(target))


def _try(sink: Callable[[Any], object], items: Any) -> None:
    """Observing is best effort: a log group that is gone loses its records."""
    with suppress(Exception):
        sink(items)


class Functions:
    """The service's `LambdaTargets`: the functions of a case, by name."""

    def __init__(self, target: Emulated) -> None:
        self._target = target

    def find(self, reference: str) -> Any:
        module = importlib.import_module("kaidan.integrations.lambda_targets")
        behaviour = self._target.world.functions.get(module.function_name(reference))
        if behaviour is None:
            return module.Nowhere()
        return module.InProcess(functions.handler_of(behaviour), functions.takes_s(behaviour))
