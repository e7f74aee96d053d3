"""What can be set: one table, which flags, environment, file, `--help` and the reference page are made from.

    kaidan serve --port 9000    KAIDAN_PORT=9000 kaidan serve    port = 9000   (in the file that --config names)

A flag goes before the environment, the environment before the file, the file before the default. Knows no click and
no socket. `python -m kaidan.server.settings` prints the reference page.
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from kaidan.integrations.clients import is_url
from kaidan.observe.targets import event_target, log_target
from kaidan.server.home import home

Value: TypeAlias = str | int | bool | Path | tuple[str, ...] | None
Read: TypeAlias = Callable[[Any], Value]
"""From a text or a TOML value to what the setting holds. Raises ValueError that says what was allowed."""


class SettingError(Exception):
    """A setting that cannot be: `KAIDAN_PORT: must be a number from 0 to 65535, not 'http'`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its value. The table below says what they mean."""

    host: str
    port: int
    data: Path
    in_memory: bool
    durability: Literal["process", "power"]
    retention_days: int
    account: str
    region: str | None
    credentials: Path | None
    profile: str | None
    endpoint_url: str | None
    emulate: Path | bool
    skip_waits: bool
    files: Path | None
    log_to: tuple[str, ...]
    events_to: tuple[str, ...]
    traces: bool
    metrics: Literal["local", "all"]
    mocks: Path | None
    mock_validation: Literal["NONE", "PRESENT", "STRICT"]
    faults: Path | None
    functions: Path | None
    connections: Path | None
    allow_link_local: bool

    @property
    def emulate_port(self) -> int:
        """Where the emulated AWS is: at the next port, or any where the server's own is any."""
        return self.port + 1 if self.port else 0

    @property
    def url(self) -> str:
        """Where clients on this machine find the server."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `shown`: how the reference calls a default that depends on the machine."""

    name: str
    metavar: str
    help: str
    read: Read
    default: Callable[[], Value]
    shown: str

    @property
    def field(self) -> str:
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        return "KAIDAN_" + self.field.upper()

    @property
    def is_flag(self) -> bool:
        return self.read is _yes_or_no

    @property
    def may_be_bare(self) -> bool:
        """Whether the flag can stand alone, and means `true` then."""
        return self.read is _yes_or_path


# --- reading values ---------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text")
    return value


def _path(value: Any) -> Path:
    return Path(_text(value)).expanduser()


def _yes_or_no(value: Any) -> bool:
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    found = known.get(str(value).lower())
    if found is None:
        raise ValueError("must be true or false")
    return found


def _yes_or_path(value: Any) -> bool | Path:
    """`true`, or a file: `./true` for one of that name."""
    try:
        return _yes_or_no(value)
    except ValueError:
        return _path(value)


def _number(least: int, most: int) -> Read:
    def read(value: Any) -> int:
        text = str(value)
        if isinstance(value, bool) or not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
            raise ValueError(f"must be a number from {least} to {most}")
        return int(text)

    return read


def _like(pattern: str, words: str) -> Read:
    def read(value: Any) -> str:
        if not isinstance(value, str) or re.fullmatch(pattern, value, re.ASCII) is None:
            raise ValueError(f"must be {words}")
        return value

    return read


def _url(value: Any) -> str:
    if not isinstance(value, str) or not is_url(value):
        raise ValueError("must be a URL, such as http://127.0.0.1:4566")
    return value


def _several(check: Callable[[str], str]) -> Read:
    """A list, or a text with commas between."""

    def read(value: Any) -> tuple[str, ...]:
        given = value.split(",") if isinstance(value, str) else value
        if not isinstance(given, (list, tuple)) or not all(isinstance(each, str) for each in given):
            raise ValueError("must be a text or a list of texts")
        return tuple(check(each.strip()) for each in given)

    return read


def _fixed(value: Value) -> Callable[[], Value]:
    return lambda: value


# --- defaults that depend on the machine ------------------------------------------------------------------


_REGION = r"[a-z]{2,}(-[a-z]+)+-\d"


def is_region(text: str) -> bool:
    """Whether a text looks like the name of a region."""
    return re.fullmatch(_REGION, text, re.ASCII) is not None


def _mock_config() -> Path | None:
    given = os.environ.get("SFN_MOCK_CONFIG")
    return Path(given) if given else None


# --- the table --------------------------------------------------------------------------------------------

TABLE: tuple[Setting, ...] = (
    Setting(
        "host", "ADDRESS", "The address to listen on. On any but this machine's own, credentials are needed.",
        _text, _fixed("127.0.0.1"), "127.0.0.1",
    ),
    Setting(
        "port", "NUMBER", "The port to listen on; 0 for any that is free.",
        _number(0, 65_535), _fixed(8083), "8083",
    ),
    Setting(
        "data", "DIRECTORY", "Where state machines and executions are kept: a file for each account and region.",
        _path, lambda: home() / "server", "`server` in $KAIDAN_HOME, or where programs keep their data",
    ),
    Setting(
        "in-memory", "", "Keep nothing: everything is forgotten at the end.",
        _yes_or_no, _fixed(False), "false",
    ),
    Setting(
        "durability", "process|power",
        "What survives: the end of the process, or a power cut too; for the latter, answers wait for the disk.",
        _like("process|power", "process or power"), _fixed("process"), "process",
    ),
    Setting(
        "retention-days", "NUMBER", "How long executions are kept after their end; 0 for ever.",
        _number(0, 36_500), _fixed(90), "90",
    ),
    Setting(
        "account", "ID", "The account of everything, unless credentials say otherwise.",
        _like(r"\d{12}", "12 digits"), _fixed("123456789012"), "123456789012",
    ),
    Setting(
        "region", "NAME", "The only region there is, whatever clients sign for.",
        _like(_REGION, "a region, such as us-east-1"), _fixed(None),
        "the one that each request is signed for",
    ),
    Setting(
        "credentials", "FILE",
        "Who may call: a file like AWS's shared credentials file, whose sections may have aws_account_id. "
        "Without it nobody is asked.",
        _path, _fixed(None), "none",
    ),
    Setting(
        "profile", "NAME", "The AWS profile whose credentials tasks call AWS with.",
        _text, _fixed(None), "as AWS's command line",
    ),
    Setting(
        "endpoint-url", "URL", "Where tasks find every AWS service, instead of at AWS.",
        _url, _fixed(None), "none",
    ),
    Setting(
        "emulate", "[FILE]",
        "Emulate AWS on this machine, at the next port: tasks call that and need no account. FILE: what there is.",
        _yes_or_path, _fixed(False), "false",
    ),
    Setting(
        "skip-waits", "",
        "Waits and the intervals between retries take no time, and jobs are looked at often: for development.",
        _yes_or_no, _fixed(False), "false",
    ),
    Setting(
        "files", "DIRECTORY",
        "A folder that Distributed Maps may read from and write to, as they do buckets: `file:///` and its path.",
        _path, _fixed(None), "none",
    ),
    Setting(
        "log-to", "TARGET,…",
        "Where the records go that state machines log: stdout, a file, or cloudwatch for the log groups they name.",
        _several(log_target), _fixed(()), "nowhere",
    ),
    Setting(
        "events-to", "TARGET,…",
        "Where status changes of executions go, as EventBridge events: a URL, bus:NAME, stdout or a file.",
        _several(event_target), _fixed(()), "nowhere",
    ),
    Setting(
        "traces", "", "Export executions as OpenTelemetry traces, where OTEL_EXPORTER_OTLP_ENDPOINT says.",
        _yes_or_no, _fixed(False), "false",
    ),
    Setting(
        "metrics", "local|all", "Who may read GET /metrics: clients on this machine, or whoever reaches the server.",
        _like("local|all", "local or all"), _fixed("local"), "local",
    ),
    Setting(
        "mocks", "FILE",
        "Answers of test cases, as Step Functions Local's MockConfigFile.json has them; SFN_MOCK_CONFIG says it too.",
        _path, _mock_config, "none",
    ),
    Setting(
        "mock-validation", "NONE|PRESENT|STRICT",
        "How strictly mocked results are held against what the service can answer: not at all, the fields that are "
        "there, or required ones too.",
        _like("NONE|PRESENT|STRICT", "NONE, PRESENT or STRICT"), _fixed("NONE"), "NONE",
    ),
    Setting(
        "faults", "FILE", "Faults on purpose: which share of which tasks fails, is throttled or is late.",
        _path, _fixed(None), "none",
    ),
    Setting(
        "functions", "FILE", "Where Lambda functions are: at AWS, an endpoint, in a file of Python, behind a command.",
        _path, _fixed(None), "none",
    ),
    Setting(
        "connections", "FILE", "What HTTP tasks authorise themselves with: EventBridge connections and their secrets.",
        _path, _fixed(None), "none",
    ),
    Setting(
        "allow-link-local", "", "HTTP tasks may call link-local addresses, where a machine's metadata are.",
        _yes_or_no, _fixed(False), "false",
    ),
)  # fmt: skip

CONFIG_VARIABLE = "KAIDAN_CONFIG"


def resolve(
    flags: Mapping[str, Any], environ: Mapping[str, str], config: Path | None = None, *, serving: bool = True
) -> Settings:
    """All settings. `flags` are by field, None for those not given. Raises SettingError.

    `serving`: for a server of one's own, and not for calling one that is perhaps elsewhere.
    """
    path = config or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    file = {} if path is None else _file(path)
    values = {setting.field: _value(setting, flags, environ, file, str(path)) for setting in TABLE}
    settings = Settings(**values)  # type: ignore[arg-type]
    _check(settings)
    if serving and settings.credentials is None and not is_loopback(settings.host):
        raise SettingError(
            f"host {settings.host}: others could call in without being asked who they are: configure credentials"
        )
    return settings


def _value(
    setting: Setting, flags: Mapping[str, Any], environ: Mapping[str, str], file: Mapping[str, Any], path: str
) -> Value:
    for place, given in (
        (f"--{setting.name}", flags.get(setting.field)),
        (setting.variable, environ.get(setting.variable)),
        (f"{path}: {setting.name}", file.get(setting.name)),
    ):
        if given not in (None, ""):
            try:
                return setting.read(given)
            except ValueError as problem:
                raise SettingError(f"{place}: {problem}, not {given!r}") from None
    return setting.default()


def _file(path: Path) -> dict[str, Any]:
    try:
        file = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as problem:
        raise SettingError(f"{path}: cannot be read: {problem.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SettingError(f"{path}: is not TOML: {problem}") from None
    names = [setting.name for setting in TABLE]
    for name in file:
        if name not in names:
            raise SettingError(f"{path}: {name} is no setting; there are: {', '.join(names)}")
    return file


def _check(settings: Settings) -> None:
    """What makes no sense together."""
    if settings.emulate is not False:
        for name, given in (("profile", settings.profile), ("endpoint-url", settings.endpoint_url)):
            if given is not None:
                raise SettingError(f"{name} and emulate exclude each other: an emulated AWS has no other account")
        if settings.port == 65_535:
            raise SettingError("port 65535: the emulated AWS is at the next port, and there is none")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


# --- the reference page -----------------------------------------------------------------------------------


def reference() -> str:
    """docs/reference/settings.md."""
    rows = (f"| `--{each.name}` | `{each.variable}` | {each.shown} | {each.help} |" for each in TABLE)
    return (
        f"{_HEAD}\n| Flag | Variable | Default | What it says |\n| --- | --- | --- | --- |\n" + "\n".join(rows) + _TAIL
    )


_HEAD = """\
# Settings of the server

Made from the table in `src/kaidan/server/settings.py`: `python -m kaidan.server.settings > docs/reference/settings.md`

Each setting can be given as a flag of `kaidan serve`, as a variable of the environment, or in a TOML file that
`--config FILE` or `KAIDAN_CONFIG` names, where it has the flag's name: `retention-days = 30`. A flag goes before the
environment, the environment before the file.
"""

_TAIL = """

## Who may call

Without `credentials` the server listens to this machine only, and takes any credentials that a client sends. With them,
every request must be signed (Signature Version 4) with one of the keys in the file:

```ini
[ops]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
aws_account_id = 111122223333
```

A client can use the same file: `AWS_SHARED_CREDENTIALS_FILE=… aws --profile ops stepfunctions list-state-machines`.
Each account has state machines, executions and files of its own; nothing leads from one to another. The server speaks
plain HTTP: put it behind a proxy that speaks TLS where the network is not to be trusted.

## Regions

As on AWS, a client gets what is in the region that it signs for: ARNs name it, tasks call AWS there, and nothing leads
from one region to another. A request that names none is for the region where AWS's command line finds it (`AWS_REGION`,
the profile), or us-east-1. With `region` there is one region, and every request is for that.

`GET /health`, `/ready` and `/metrics` are not signed. The first two tell nothing; metrics name the state machines of
all accounts, so that only clients on this machine get them unless `metrics` says `all`. Clients of a proxy on this
machine look like those: let the proxy keep `/metrics` to itself.

## Without an account

With `emulate` an AWS emulated by moto runs beside the server, at the next port (8084), for as long as the server does.
Tasks call it, and so can you: `eval "$(kaidan env --emulate)"` leads AWS's command line and SDKs to Kaidan for Step
Functions and to the emulated AWS for all else. It forgets everything at the end. FILE says what there is at the
beginning, as with `kaidan run --emulate`: see the example's [emulate.yaml](../../examples/ami-backup/emulate.yaml).

AWS's command line, version 1, calls the services `docdb`, `emr`, `health`, `neptune`, `rds` and `sqs` by old names of
its own in most regions, whatever variables say: there, say it once more, `aws --endpoint-url "$AWS_ENDPOINT_URL" sqs
list-queues`. Version 2 and SDKs need no such thing.

## Without waiting

With `skip-waits` a Wait state ends at once, whatever it waits for, and so does an interval between retries; a job that
a task waits for (`.sync`) is looked at ten times a second. Time is the real one all the same: dates in histories are
those at which things happened, time-outs and heartbeats are as long as ever, and so is what a task takes, so that
somebody can still answer a callback. (`kaidan run --skip-waits` has a clock of its own, which jumps: there a time-out
comes before a Wait that is longer.) A loop that waits, looks and waits again goes round as fast as it can: it is meant
for an emulated AWS. Waits that began before the server was started with it last as long as they were to.

## Folders as buckets

Where `files` is `/data`, an ItemReader or a ResultWriter may have the Bucket `file:///data`, or that of a folder below
it, and keys are paths in there: neither S3 nor its permissions are needed. The folder is open to every account of the
server.

## What is told, and where

[observability.md](observability.md) says what log records, events, metrics and traces contain. `log-to` and `events-to`
take several targets, with commas between or as a list in the file: `log-to = ["cloudwatch", "/var/log/kaidan.jsonl"]`.

## What is kept, and for how long

Each account and region is one SQLite file in the data directory, `123456789012.us-east-1.db`, with its write-ahead log
beside it; a copy of both, made while the server is stopped, is a backup. An execution that has ended takes the room of
its history and its data: about 1.5 KB for one of three small states, about 25 KB for one of a hundred. After
`retention-days` it is removed in the background, with all that belongs to it: its history, its data, its Map Runs and
their children; the file does not shrink by that, its room is used again. So the file grows to what the busiest
`retention-days` need, and no further.
The write-ahead log has 16 MB, or as much as the largest save; after that it is cut to 64 MB at most. Express executions
leave no history, only their outcome; after a restart one that was running goes on from what was saved last, and tasks
that were under way are begun again: at least once, as on AWS.

While the disk is full, every operation is answered with `ServiceUnavailable` (503), and what has happened is saved as
soon as there is room again. After a minute the server ends with the reason, to go on from the file when it is started.
"""


if __name__ == "__main__":
    print(reference(), end="")
