"""One table of settings: flags, environment, file, help and reference are made from it, and none is forgotten."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kaidan.cli.env import env
from kaidan.cli.main import run
from kaidan.cli.serve import serve
from kaidan.server.settings import TABLE, Setting, SettingError, Settings, reference, resolve

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"

VALUES: dict[str, tuple[str, Any]] = {
    "host": ("::1", "::1"),
    "port": ("9000", 9000),
    "data": ("/srv/kaidan", Path("/srv/kaidan")),
    "in-memory": ("true", True),
    "durability": ("power", "power"),
    "retention-days": ("7", 7),
    "account": ("111122223333", "111122223333"),
    "region": ("ap-northeast-1", "ap-northeast-1"),
    "credentials": ("/etc/kaidan/credentials", Path("/etc/kaidan/credentials")),
    "profile": ("ops", "ops"),
    "endpoint-url": ("http://127.0.0.1:4566", "http://127.0.0.1:4566"),
    "emulate": ("/srv/emulate.yaml", Path("/srv/emulate.yaml")),
    "skip-waits": ("true", True),
    "files": ("/srv/items", Path("/srv/items")),
    "log-to": ("cloudwatch, /var/log/kaidan", ("cloudwatch", "/var/log/kaidan")),
    "events-to": ("https://example.com/hook,bus:orders", ("https://example.com/hook", "bus:orders")),
    "traces": ("true", True),
    "metrics": ("all", "all"),
    "mocks": ("mocks.yaml", Path("mocks.yaml")),
    "mock-validation": ("STRICT", "STRICT"),
    "faults": ("faults.yaml", Path("faults.yaml")),
    "functions": ("functions.yaml", Path("functions.yaml")),
    "connections": ("connections.yaml", Path("connections.yaml")),
    "allow-link-local": ("true", True),
}
"""For each setting a text that is not its default, and what it means."""


def test_the_table_is_complete() -> None:
    names = [setting.field for setting in TABLE]
    assert names == [field.name for field in dataclasses.fields(Settings)]
    assert [setting.name for setting in TABLE] == list(VALUES)


def test_the_reference_is_made_from_the_table() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == reference()


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_help_tells_of_every_setting(setting: Setting) -> None:
    said = " ".join(CliRunner().invoke(serve, ["--help"], terminal_width=400).output.split())
    assert f"--{setting.name}" in said
    assert setting.variable in said
    assert setting.help in said


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_every_setting_by_flag_variable_and_file(setting: Setting, tmp_path: Path) -> None:
    text, value = VALUES[setting.name]
    default = setting.default()
    assert value != default
    assert getattr(resolve({}, {}), setting.field) == default
    assert getattr(resolve({setting.field: text}, {}), setting.field) == value
    assert getattr(resolve({}, {setting.variable: text}), setting.field) == value
    file = tmp_path / "kaidan.toml"
    file.write_text(f'{setting.name} = "{text}"\n')
    assert getattr(resolve({}, {}, file), setting.field) == value
    assert getattr(resolve({}, {"KAIDAN_CONFIG": str(file)}), setting.field) == value


def test_mocks_by_the_variable_of_step_functions_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFN_MOCK_CONFIG", "/etc/MockConfigFile.json")
    assert resolve({}, {}).mocks == Path("/etc/MockConfigFile.json")


def test_toml_has_numbers_truth_and_lists(tmp_path: Path) -> None:
    file = tmp_path / "kaidan.toml"
    file.write_text('port = 9000\nin-memory = true\nlog-to = ["stdout", "a,b"]\n')
    settings = resolve({}, {}, file)
    assert (settings.port, settings.in_memory) == (9000, True)
    assert settings.log_to == ("stdout", "a,b")


def test_flags_go_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "kaidan.toml"
    file.write_text("port = 3\nregion = 'eu-west-3'\naccount = '333333333333'\n")
    environ = {"KAIDAN_PORT": "2", "KAIDAN_REGION": "eu-west-2"}
    settings = resolve({"port": "1"}, environ, file)
    assert (settings.port, settings.region, settings.account) == (1, "eu-west-2", "333333333333")


BAD: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({"port": "http"}, {}, "--port: must be a number from 0 to 65535, not 'http'"),
    ({}, {"KAIDAN_PORT": "70000"}, "KAIDAN_PORT: must be a number from 0 to 65535, not '70000'"),
    ({"account": "12"}, {}, "--account: must be 12 digits, not '12'"),
    ({"region": "here"}, {}, "--region: must be a region, such as us-east-1, not 'here'"),
    ({"durability": "none"}, {}, "--durability: must be process or power, not 'none'"),
    ({}, {"KAIDAN_IN_MEMORY": "perhaps"}, "KAIDAN_IN_MEMORY: must be true or false, not 'perhaps'"),
    ({"log_to": "bus:x"}, {}, "--log-to: must be stdout, cloudwatch or a file, not 'bus:x'"),
    ({}, {"KAIDAN_EVENTS_TO": "a,,b"}, "KAIDAN_EVENTS_TO: must be a URL, bus:NAME, stdout or a file, not 'a,,b'"),
    ({"log_to": "s3://b"}, {}, "--log-to: must be stdout, cloudwatch or a file, not 's3://b'"),
    ({"events_to": "ftp://h"}, {}, "--events-to: must be a URL, bus:NAME, stdout or a file, not 'ftp://h'"),
    ({"metrics": "none"}, {}, "--metrics: must be local or all, not 'none'"),
    ({"traces": "x"}, {}, "--traces: must be true or false, not 'x'"),
    (
        {"endpoint_url": "http://[::1"},
        {},
        "--endpoint-url: must be a URL, such as http://127.0.0.1:4566, not 'http://[::1'",
    ),
    ({"endpoint_url": "x"}, {}, "--endpoint-url: must be a URL, such as http://127.0.0.1:4566, not 'x'"),
]


@pytest.mark.parametrize(("flags", "environ", "problem"), BAD, ids=[row[2].partition(":")[0] for row in BAD])
def test_values_that_cannot_be(flags: dict[str, Any], environ: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingError) as refused:
        resolve(flags, environ)
    assert str(refused.value) == problem


BAD_FILES: dict[str, tuple[str, str]] = {
    "an unknown name": ("colour = 1", "colour is no setting; there are: host, port, "),
    "no TOML": ("port", "is not TOML: "),
    "a wrong list": ("log-to = [1]", "log-to: must be a text or a list of texts, not [1]"),
    "a wrong type": ("port = true", "port: must be a number from 0 to 65535, not True"),
}


@pytest.mark.parametrize(("text", "problem"), BAD_FILES.values(), ids=BAD_FILES)
def test_files_that_cannot_be(text: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "kaidan.toml"
    file.write_text(text)
    with pytest.raises(SettingError) as refused:
        resolve({}, {}, file)
    assert str(refused.value).startswith(f"{file}: {problem}")


@pytest.mark.parametrize(
    ("host", "refused"),
    [
        ("127.0.0.1", False),
        ("127.0.0.2", False),
        ("::1", False),
        ("localhost", False),
        ("kaidan.localhost", False),
        ("0.0.0.0", True),
        ("::", True),
        ("192.168.1.4", True),
        ("example.org", True),
    ],
)
def test_others_may_not_call_in_without_credentials(host: str, refused: bool) -> None:
    resolve({"host": host, "credentials": "/etc/kaidan/credentials"}, {})
    if refused:
        with pytest.raises(SettingError, match="configure credentials"):
            resolve({"host": host}, {})
    else:
        resolve({"host": host}, {})


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8083"),
        ("0.0.0.0", "http://127.0.0.1:8083"),
        ("::1", "http://[::1]:8083"),
        ("::", "http://[::1]:8083"),
        ("kaidan.corp", "http://kaidan.corp:8083"),
    ],
)
def test_where_clients_find_it(host: str, url: str) -> None:
    assert resolve({"host": host, "credentials": "/x"}, {}).url == url


# --- kaidan env -------------------------------------------------------------------------------------------

SHELLS: list[tuple[str, str]] = [
    ("sh", "export AWS_ENDPOINT_URL_SFN=http://127.0.0.1:8083"),
    ("fish", "set -gx AWS_ENDPOINT_URL_SFN http://127.0.0.1:8083;"),
    ("powershell", "$Env:AWS_ENDPOINT_URL_SFN = 'http://127.0.0.1:8083'"),
    ("cmd", "set AWS_ENDPOINT_URL_SFN=http://127.0.0.1:8083"),
    ("dotenv", "AWS_ENDPOINT_URL_SFN=http://127.0.0.1:8083"),
]


@pytest.mark.parametrize(("shell", "line"), SHELLS, ids=[row[0] for row in SHELLS])
def test_env_in_the_words_of_a_shell(shell: str, line: str) -> None:
    lines = CliRunner().invoke(env, ["--shell", shell]).output.splitlines()
    assert lines[0] == line
    assert "AWS_DISABLE_HOST_PREFIX_INJECTION" in lines[1] and "true" in lines[1]
    assert len(lines) == 2


def test_env_finds_the_shell_and_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    monkeypatch.setenv("KAIDAN_PORT", "9000")
    assert CliRunner().invoke(env).output.startswith("set -gx AWS_ENDPOINT_URL_SFN http://127.0.0.1:9000;")


def test_env_of_a_server_elsewhere() -> None:
    output = CliRunner().invoke(env, ["--host", "10.0.0.5", "--shell", "dotenv"]).output
    assert output.splitlines()[0] == "AWS_ENDPOINT_URL_SFN=http://10.0.0.5:8083"


def test_env_without_an_account() -> None:
    output = CliRunner().invoke(env, ["--no-account", "--region", "eu-west-1", "--shell", "dotenv"]).output
    assert "AWS_ACCESS_KEY_ID=kaidan\n" in output
    assert "AWS_REGION=eu-west-1\nAWS_DEFAULT_REGION=eu-west-1\n" in output


def test_env_of_an_emulated_aws() -> None:
    output = CliRunner().invoke(env, ["--emulate", "--port", "9000", "--shell", "dotenv"]).output
    assert output == (
        "AWS_ENDPOINT_URL_SFN=http://127.0.0.1:9000\n"
        "AWS_DISABLE_HOST_PREFIX_INJECTION=true\n"
        "AWS_ENDPOINT_URL=http://127.0.0.1:9001\n"
        "AWS_ACCESS_KEY_ID=kaidan\n"
        "AWS_SECRET_ACCESS_KEY=kaidan\n"
        "AWS_REGION=us-east-1\n"
        "AWS_DEFAULT_REGION=us-east-1\n"
    )


@pytest.mark.parametrize(("text", "value"), [("true", True), ("no", False), ("./true", Path("true"))])
def test_emulate_is_a_file_or_just_wanted(text: str, value: bool | Path) -> None:
    assert resolve({"emulate": text}, {}).emulate == value


@pytest.mark.parametrize("other", [{"profile": "ops"}, {"endpoint_url": "http://127.0.0.1:1"}, {"port": "65535"}])
def test_an_emulated_aws_has_no_other_account(other: dict[str, str]) -> None:
    with pytest.raises(SettingError, match=r"exclude each other|there is none"):
        resolve({"emulate": "true"} | other, {})


def test_a_wrong_setting_is_a_wrong_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--port", "http"]) == 2
    assert "--port: must be a number from 0 to 65535, not 'http'" in capsys.readouterr().err
