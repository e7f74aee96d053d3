"""Clients of AWS services: whose credentials, which region, which endpoint. Made once, shared by all threads.

botocore is imported with the first client, not before: that costs half a second, which no command line should
pay at its start. Knows no state machine and no operation.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from threading import RLock
from typing import Any
from urllib.parse import urlsplit

from kaidan.integrations import calls
from kaidan.integrations.java_sdk import speak_as_java
from kaidan.protocol.effects import Role

DEFAULT_REGION = "us-east-1"
CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 910
"""Longer than the longest answer: a Lambda function may take 15 minutes, a long poll takes one."""

ROLE_SESSION_NAME = "kaidan"


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Where AWS is and who calls it. What is None is found where the AWS command line finds it.

    `endpoint_urls` is by botocore's service name, `{"s3": "http://127.0.0.1:9000"}`, and goes before
    `endpoint_url`, which is for every service. `max_attempts` counts the first try.
    """

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    endpoint_urls: Mapping[str, str] = field(default_factory=dict)
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    max_pool_connections: int = 64
    max_attempts: int | None = None


@lru_cache(maxsize=1)
def model_loader() -> Any:
    """botocore's store of API models, one for the process: each model is read once."""
    from botocore.loaders import create_loader

    return create_loader()


class ClientFactory:
    """Clients by service and role: `factory.client("ec2").describe_images()`. Safe in any thread."""

    def __init__(self, settings: AwsSettings | None = None) -> None:
        self.settings = settings or AwsSettings()
        self._lock = RLock()
        self._clients: dict[tuple[str, Role | None], Any] = {}
        self._sessions: dict[Role | None, Any] = {}
        self._elsewhere: dict[str, ClientFactory] = {}

    @cached_property
    def region(self) -> str:
        """Of the settings, of AWS_REGION, of the profile; us-east-1 when none of them says."""
        named = self.settings.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        return named or self._configured_region() or DEFAULT_REGION

    def in_region(self, region: str) -> ClientFactory:
        """The same clients in another region."""
        if region == self.region:
            return self
        with self._lock:
            if region not in self._elsewhere:
                self._elsewhere[region] = ClientFactory(replace(self.settings, region=region))
            return self._elsewhere[region]

    def client(self, service: str, role: Role | None = None) -> Any:
        """The client of a service (botocore's name), with the credentials of `role` if one is given.

        Raises botocore's exceptions: ProfileNotFound, UnknownServiceError, PartialCredentialsError, …
        """
        client = self._clients.get((service, role))
        if client is None:
            with self._lock:
                client = self._clients.get((service, role)) or self._create(service, role)
                self._clients[service, role] = client
        return client

    def _create(self, service: str, role: Role | None) -> Any:
        settings = self.settings
        endpoint = settings.endpoint_urls.get(service) or settings.endpoint_url or environment_endpoint(service)
        client = self.session(role).create_client(
            service, region_name=self.region, endpoint_url=endpoint, config=self._config(endpoint)
        )
        _let_calls_be_given_up(client)
        if endpoint is not None:
            _stay_at(client, endpoint)
        return client

    def _config(self, endpoint: str | None) -> Any:
        """Parameters are not checked here: the service answers, as on AWS. Answers come without checksums
        that nobody asked for (recorded: S3 GetObject)."""
        from botocore.config import Config

        settings = self.settings
        attempts = {} if settings.max_attempts is None else {"total_max_attempts": settings.max_attempts}
        config = Config(
            parameter_validation=False,
            retries={"mode": "standard", **attempts},
            max_pool_connections=settings.max_pool_connections,
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            tcp_keepalive=True,
            response_checksum_validation="when_required",
            user_agent_extra="kaidan",
        )
        if endpoint is None:
            return config
        # One host serves all: neither "sync-states." nor a bucket's name may come before it.
        return config.merge(Config(inject_host_prefix=False, s3={"addressing_style": "path"}))

    def session(self, role: Role | None) -> Any:
        """botocore's Session of a role, or of who runs this: for what no client does."""
        with self._lock:
            if role not in self._sessions:
                self._sessions[role] = self._new_session(role)
            return self._sessions[role]

    def _new_session(self, role: Role | None) -> Any:
        from botocore.session import Session

        settings = self.settings
        session = Session(profile=settings.profile)
        session.register_component("data_loader", model_loader())
        if role is not None:
            session.register_component("credential_provider", _AssumedRole(self, role))
        elif settings.access_key is not None:
            session.set_credentials(settings.access_key, settings.secret_key, settings.session_token)
        speak_as_java(session)
        return session

    def _configured_region(self) -> str | None:
        """As botocore finds it, which is not imported where there is nothing to be found."""
        if not any(_exists(*place) for place in _CONFIGURATION):
            return None
        from botocore.exceptions import BotoCoreError

        try:
            return self.session(None).get_config_variable("region") or None
        except BotoCoreError:  # a profile that is not there: the first call says so, with its name
            return None


_CONFIGURATION = (("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"))
"""Variables that name AWS's files, and where these are otherwise."""


def _exists(variable: str, default: str) -> bool:
    return Path(os.environ.get(variable) or default).expanduser().exists()


def is_url(text: str) -> bool:
    """Whether something can be called at a text: `http://127.0.0.1:4566`."""
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").encode("idna")
        return parts.scheme in ("http", "https") and bool(host) and parts.port != 0 and " " not in text
    except ValueError:
        return False


def environment_endpoint(service: str) -> str | None:
    """AWS_ENDPOINT_URL_DYNAMODB, or else AWS_ENDPOINT_URL (AWS SDKs guide, "Service-specific endpoints")."""
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    service_id: str = model_loader().load_service_model(service, "service-2")["metadata"]["serviceId"]
    variable = "AWS_ENDPOINT_URL_" + service_id.replace(" ", "_").replace("-", "_").upper()
    return os.environ.get(variable) or os.environ.get("AWS_ENDPOINT_URL") or None


class _AssumedRole:
    """botocore's provider of credentials for a role: assumed on first use, again before they expire."""

    def __init__(self, clients: ClientFactory, role: Role) -> None:
        self._clients = clients
        self._role = role

    def load_credentials(self) -> Any:
        from botocore.credentials import DeferredRefreshableCredentials

        return DeferredRefreshableCredentials(self._assume, "sts-assume-role")

    def _assume(self) -> dict[str, str]:
        request = {"RoleArn": self._role.arn, "RoleSessionName": ROLE_SESSION_NAME}
        if self._role.external_id is not None:
            request["ExternalId"] = self._role.external_id
        answer = self._clients.client("sts").assume_role(**request)["Credentials"]
        return {
            "access_key": answer["AccessKeyId"],
            "secret_key": answer["SecretAccessKey"],
            "token": answer["SessionToken"],
            "expiry_time": answer["Expiration"].isoformat(),
        }


def _stay_at(client: Any, endpoint: str) -> None:
    """Send everything to the endpoint that was named: the rules of some services (s3control, signin) put an account
    before its host, or go to AWS all the same."""
    host = urlsplit(endpoint)

    def stay(params: dict[str, Any], **_: Any) -> None:
        params["url"] = urlsplit(params["url"])._replace(scheme=host.scheme, netloc=host.netloc).geturl()

    client.meta.events.register("before-call", stay)


def _let_calls_be_given_up(client: Any) -> None:
    """See calls.py: connections are shut, and nothing is tried again."""
    pools = client._endpoint.http_session._pool_classes_by_scheme
    pools.update(calls.abortable(pools))
    client.meta.events.register("before-send", lambda **request: calls.check())
