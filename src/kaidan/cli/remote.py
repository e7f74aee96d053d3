"""Step Functions somewhere else: AWS, or a server of Kaidan's. Who is called, what names mean there, how long to wait.

What goes wrong on the way is told as a Refusal: nobody answers, no credentials, AWS's own refusals. botocore is
imported with the first call.
"""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import click

from kaidan.cli.console import waiting
from kaidan.cli.exits import Exit
from kaidan.cli.problems import Refusal, say, tell
from kaidan.cli.progress import duration
from kaidan.cli.summary import CAUSE_LINES_MAX, COLOURS, OUTPUT_LINES_MAX, bounded, pretty
from kaidan.integrations.clients import AwsSettings, ClientFactory, environment_endpoint, is_url
from kaidan.server.settings import is_loopback
from kaidan.values import JSON, loads

Answer: TypeAlias = dict[str, Any]

POLL_S_MIN, POLL_S_MAX = 0.2, 2.0
"""How often an execution is looked at: at first, and when it takes its time."""

PAGE_MAX = 1_000
"""API reference, `maxResults`."""

LOCAL = 'for a server of Kaidan\'s: eval "$(kaidan env)", or --endpoint-url http://127.0.0.1:8083'


def api_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say who is called, and as whom."""
    for option in (
        click.option(
            "--endpoint-url",
            metavar="URL",
            help="Where Step Functions is. Default: AWS_ENDPOINT_URL_SFN, AWS_ENDPOINT_URL, or else AWS.",
        ),
        click.option("--region", metavar="NAME", help="The AWS region."),
        click.option("--profile", metavar="NAME", help="The AWS profile whose credentials make the calls."),
    ):
        command = option(command)
    return command


class Remote:
    """`remote("describe_execution", executionArn=…)`, boto3's operations by boto3's names. Raises Refusal."""

    def __init__(self, profile: str | None, region: str | None, endpoint_url: str | None) -> None:
        self._profile = profile
        self._region = region
        self._endpoint_url = endpoint_url
        self._client: Any = None

    def __call__(self, operation: str, **params: Any) -> Answer:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if self._client is None:
                self._client = self._connect()
            answer: Answer = getattr(self._client, operation)(**params)
        except ClientError as refusal:
            if refusal.response["Error"]["Code"].isdigit():  # no error of AWS's: a page of somebody's
                raise self._not_it() from None
            raise _refused(refusal) from None
        except BotoCoreError as problem:
            raise self._unreachable(problem) from None
        answer.pop("ResponseMetadata", None)
        self._check(operation, answer)
        return answer

    def _check(self, operation: str, answer: Answer) -> None:
        """Something else may listen there, and say yes to all."""
        meta = self._client.meta
        output = meta.service_model.operation_model(meta.method_to_api_mapping[operation]).output_shape
        if not answer.keys() >= set(output.required_members):
            raise self._not_it()

    def _not_it(self) -> Refusal:
        return Refusal(f"{self._client.meta.endpoint_url}: what answers there is not Step Functions", LOCAL)

    def pages(self, operation: str, member: str, **params: Any) -> Iterator[Answer]:
        """The items of a list, page by page as they are asked for."""
        while True:
            answer = self(operation, **params)
            yield from answer[member]
            if not answer.get("nextToken"):
                return
            params["nextToken"] = answer["nextToken"]

    def _connect(self) -> Any:
        from botocore.exceptions import BotoCoreError

        endpoint = self._endpoint_url or environment_endpoint("stepfunctions")
        if endpoint is not None and not is_url(endpoint):
            raise Refusal(f"{endpoint}: must be a URL, such as http://127.0.0.1:8083")
        key = _any_key(self._profile, endpoint)
        settings = AwsSettings(
            profile=self._profile,
            region=self._region,
            endpoint_url=endpoint,
            max_attempts=2 if endpoint is not None else None,
            access_key=key,
            secret_key=key,
        )
        try:
            return ClientFactory(settings).client("stepfunctions")
        except BotoCoreError:
            raise
        except ValueError as problem:  # of a host's name that botocore does not take: `my_server`
            raise Refusal(str(problem)) from None

    def _unreachable(self, problem: Exception) -> Refusal:
        from botocore import exceptions as botocore

        where = self._client.meta.endpoint_url if self._client is not None else self._endpoint_url or ""
        if isinstance(problem, (botocore.NoCredentialsError, botocore.PartialCredentialsError)):
            return Refusal(
                "no AWS credentials were found",
                f"use --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; {LOCAL}",
            )
        if isinstance(problem, botocore.ReadTimeoutError):
            return Refusal(f"{where}: no answer came in time")
        if isinstance(problem, (botocore.ConnectionError, botocore.HTTPClientError)):
            return Refusal(f"{where}: nobody answers there", f"is it running? {LOCAL}")
        return Refusal(str(problem))


def _any_key(profile: str | None, endpoint: str | None) -> str | None:
    """A server on this machine asks nobody who he is: for those without credentials, any will do."""
    if profile is not None or endpoint is None or not is_loopback(urlsplit(endpoint).hostname or ""):
        return None
    from botocore.session import Session

    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    return None if Session().get_credentials() is not None else "kaidan"


def _refused(refusal: Any) -> Refusal:
    error = refusal.response["Error"]
    hint = None
    if error["Code"] == "StateMachineTypeNotSupported" or error["Message"].endswith("context: express'"):
        hint = "Express executions are seen in the log that their machine's loggingConfiguration names"
    return Refusal(f"{error['Code']}: {error['Message']}".removesuffix(": "), hint)


# --- what names mean --------------------------------------------------------------------------------------


def machine_arn(remote: Remote, wanted: str) -> str:
    """Of a machine's name, `name:version`, `name:alias`, or an ARN, each with a `#case` or without. Raises Refusal."""
    if wanted.startswith("arn:"):
        return wanted
    unmocked, hash_, case = wanted.partition("#")
    name, colon, qualifier = unmocked.partition(":")
    names: list[str] = []
    for machine in machines(remote):
        if machine["name"] == name:
            return str(machine["stateMachineArn"]) + colon + qualifier + hash_ + case
        names.append(machine["name"])
    raise Refusal(f"{name}: no such state machine", f"there are: {_some(names)}" if names else "there are none")


def machines(remote: Remote) -> Iterator[Answer]:
    return remote.pages("list_state_machines", "stateMachines", maxResults=PAGE_MAX)


def execution_arn(remote: Remote, wanted: str) -> str:
    """Of `last`, an execution's name, `machine:name`, or an ARN. Raises Refusal."""
    if wanted.startswith("arn:"):
        return wanted
    if wanted == "last":
        return _last(remote)
    machine, colon, name = wanted.rpartition(":")
    if colon:
        return _arn_in(machine_arn(remote, machine), name)
    found = [arn for each in standard(machines(remote)) if _exists(remote, arn := _arn_in(each, wanted))]
    if not found:
        raise Refusal(f"{wanted}: no such execution", "`kaidan executions` shows those that there are")
    if len(found) > 1:
        several = _some([":".join(arn.split(":")[6:]) for arn in found])
        raise Refusal(f"{wanted}: several state machines have such an execution", f"say which: {several}")
    return found[0]


def standard(found: Iterable[Answer]) -> list[str]:
    """The ARNs of machines whose executions can be listed and described."""
    return [machine["stateMachineArn"] for machine in found if machine["type"] == "STANDARD"]


def _arn_in(machine_arn: str, name: str) -> str:
    return machine_arn.replace(":stateMachine:", ":execution:", 1) + f":{name}"


def _exists(remote: Remote, arn: str) -> bool:
    try:
        remote("describe_execution", executionArn=arn)
    except Refusal as refusal:
        if refusal.message.startswith("ExecutionDoesNotExist"):
            return False
        raise
    return True


def _last(remote: Remote) -> str:
    found = newest(remote, standard(machines(remote)), limit=1)
    if not found:
        raise Refusal("no execution has been started yet")
    return str(found[0]["executionArn"])


def newest(remote: Remote, machine_arns: Iterable[str], limit: int, **filter: str) -> list[Answer]:
    """The executions of some machines that were started last, the last one first."""
    found: list[Answer] = []
    for arn in machine_arns:
        params = {"stateMachineArn": arn, "maxResults": min(limit, PAGE_MAX), **filter}
        found += islice(remote.pages("list_executions", "executions", **params), limit)
    return sorted(found, key=lambda execution: execution["startDate"], reverse=True)[:limit]


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")


# --- waiting ----------------------------------------------------------------------------------------------


def delays() -> Iterator[float]:
    """Seconds between looks: more and more."""
    delay_s = POLL_S_MIN
    while True:
        yield delay_s
        delay_s = min(POLL_S_MAX, delay_s * 1.3)


def until_ended(remote: Remote, arn: str) -> Answer:
    """Wait until an execution has ended: how it is described then."""
    pauses = delays()
    while (described := remote("describe_execution", executionArn=arn))["status"] in ("RUNNING", "PENDING_REDRIVE"):
        time.sleep(next(pauses))
    return described


def wait_and_report(remote: Remote, arn: str, *, as_json: bool) -> Exit:
    """`--wait`: until the execution has ended, and then say how."""
    try:
        if as_json:
            described = until_ended(remote, arn)
        else:
            with waiting("Waiting for the end of the execution"):
                described = until_ended(remote, arn)
    except KeyboardInterrupt:
        tell("warning", "not waiting any more: the execution goes on", f"kaidan stop {arn}")
        return Exit.INTERRUPTED
    return report(described, as_json=as_json)


# --- saying -----------------------------------------------------------------------------------------------


def plain(value: Any) -> JSON:
    """An answer as JSON, moments as AWS's command line prints them."""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat(timespec="milliseconds")
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def report(described: Answer, *, as_json: bool) -> Exit:
    """How an execution has ended, as `kaidan run` says it; the answer is the exit status."""
    status = described["status"]
    if as_json:
        say(pretty(_outcome(described)))
        return Exit[status]
    took_ms = round((described["stopDate"] - described["startDate"]).total_seconds() * 1000)
    say(f"{styled(status)} in {duration(took_ms)}")
    if "output" in described:
        for line in bounded(pretty(loads(described["output"])), OUTPUT_LINES_MAX):
            say(line)
    for name in ("error", "cause"):
        for number, line in enumerate(bounded(described.get(name, ""), CAUSE_LINES_MAX)):
            named = click.style(f"{'' if number else name:<5}", dim=True)
            say(f"  {named}  {line}")
    return Exit[status]


_SHOWN = ("status", "executionArn", "name", "startDate", "stopDate", "error", "cause")


def _outcome(described: Answer) -> JSON:
    """`{"status": "SUCCEEDED", …, "output": {…}}`"""
    outcome: dict[str, JSON] = {name: plain(described[name]) for name in _SHOWN if name in described}
    return outcome | ({"output": loads(described["output"])} if "output" in described else {})


def styled(status: str) -> str:
    """A status in its colour."""
    colour = "cyan" if status.strip() == "RUNNING" else COLOURS.get(status.strip(), "red")
    return click.style(status, fg=colour, bold=True)
