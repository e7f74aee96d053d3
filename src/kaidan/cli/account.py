"""Who answers a run's AWS calls, and as whom they are made: the user's own account, an endpoint, or an emulated AWS.

What cannot work is said before the run, in one line, instead of by a task that fails in it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kaidan.cli.inputs import read_text
from kaidan.cli.problems import Refusal
from kaidan.emulate import ConfigError, EmulateConfig, Emulator, EmulatorError, find_config, parse_config
from kaidan.emulate.server import child_environment
from kaidan.integrations.clients import AwsSettings, ClientFactory, is_url
from kaidan.protocol.effects import Role

# --- an emulated AWS --------------------------------------------------------------------------------------


@contextmanager
def emulated(definition: Path | None, config_file: Path | None, port: int = 0) -> Iterator[Emulator]:
    """Start an emulated AWS and do not wait for it. Until the end this process has no other account.

    Without a file, the emulate.yaml beside the definition counts, and without that the account is empty.
    Raises Refusal for a file that cannot be used, and where moto is not installed.
    """
    beside = find_config(definition) if definition is not None else None
    config = _config(config_file or beside)
    try:
        emulator = Emulator.launch(config, port=port)
    except EmulatorError as problem:
        raise Refusal(str(problem)) from None
    with emulator, _no_account():
        yield emulator


def _config(path: Path | None) -> EmulateConfig:
    if path is None:
        return EmulateConfig()
    try:
        return parse_config(read_text(path), str(path))
    except ConfigError as problem:
        raise Refusal(str(problem)) from None


@contextmanager
def _no_account() -> Iterator[None]:
    """This process without the user's AWS settings, and with no proxy on the way to this machine."""
    before = dict(os.environ)
    _replace_environment(child_environment(before))
    try:
        yield
    finally:
        _replace_environment(before)


def _replace_environment(variables: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


def clients_of(emulator: Emulator, services: Iterable[str]) -> ClientFactory:
    """Clients of an emulated AWS, once it answers. `services` are those that will be needed, by botocore's names.

    Raises Refusal when it did not start, or a call that seeds it was refused.
    """
    _warm_up(emulator.region, services)
    try:
        endpoint_url = emulator.endpoint_url
    except EmulatorError as problem:
        raise Refusal(str(problem)) from None
    return _clients_at(endpoint_url, emulator.region, *emulator.credentials)


def _clients_at(endpoint_url: str, region: str, access_key: str, secret_key: str) -> ClientFactory:
    """One attempt: what an emulated AWS refuses it will refuse again, and botocore would wait in real time."""
    return ClientFactory(
        AwsSettings(
            region=region,
            endpoint_url=endpoint_url,
            access_key=access_key,
            secret_key=secret_key,
            max_attempts=1,
        )
    )


def _warm_up(region: str, services: Iterable[str]) -> None:
    """Make clients that nobody uses: botocore reads its models for them while the emulated AWS starts."""
    nowhere = _clients_at("http://127.0.0.1:9", region, "none", "none")
    for service in services:
        nowhere.client(service)


# --- AWS itself, or an endpoint ---------------------------------------------------------------------------

CONNECT_TIMEOUT_S = 5.0
PORTS = {"http": 80, "https": 443}
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def own_clients(settings: AwsSettings, role_arn: str | None, *, needed: bool) -> ClientFactory:
    """Clients with the user's own credentials, or with those of a role that these may assume.

    `needed`: the definition calls AWS. Raises Refusal when such a call could not work: an endpoint that does not
    answer, an unknown profile, no credentials.
    """
    if settings.endpoint_url is not None:
        _check_endpoint(settings.endpoint_url)
    if needed or settings.profile is not None:
        _check_credentials(settings.profile)
    return ClientFactory(settings) if role_arn is None else RoleClients(settings, role_arn)


class RoleClients(ClientFactory):
    """Clients that act as the execution's role; as a task's own, this one assumes that."""

    def __init__(self, settings: AwsSettings, role_arn: str) -> None:
        super().__init__(settings)
        self._own = ClientFactory(settings)
        self._role = Role(role_arn)

    def session(self, role: Role | None) -> Any:
        return super().session(role) if role is not None else self._own.session(self._role)


def _check_credentials(profile: str | None) -> None:
    """Looks where the AWS command line looks, down to the machine's own role."""
    from botocore.exceptions import BotoCoreError, ProfileNotFound
    from botocore.session import Session

    session = Session(profile=profile)
    try:
        found = session.get_credentials() is not None
    except ProfileNotFound as problem:
        known = ", ".join(sorted(session.available_profiles)) or "none"
        raise Refusal(str(problem), f"profiles there are: {known}") from None
    except BotoCoreError as problem:
        raise Refusal(f"the AWS credentials cannot be read: {problem}") from None
    if not found:
        raise Refusal(
            "no AWS credentials: the definition calls AWS, and none were found",
            "use --profile, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or try it with --emulate",
        )


def _check_endpoint(url: str) -> None:
    host, port = _host_and_port(url)
    if host not in LOOPBACK and any(os.environ.get(name) for name in PROXIES):
        return  # The way leads through a proxy: only the call itself can tell.
    try:
        socket.create_connection((host, port), CONNECT_TIMEOUT_S).close()
    except OSError as problem:
        raise Refusal(f"--endpoint-url {url}: nobody answers there: {problem.strerror or problem}") from None


def _host_and_port(url: str) -> tuple[str, int]:
    if not is_url(url):
        raise Refusal(f"--endpoint-url {url}: must be a URL, such as http://127.0.0.1:4566")
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or PORTS[parts.scheme]
