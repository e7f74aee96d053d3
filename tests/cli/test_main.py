"""What holds for every command: help, start-up, the exit statuses, and the last line of defence."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from kaidan import __version__
from kaidan.cli import graph, inputs, main
from kaidan.cli.exits import MEANINGS, Exit
from tests.cli.conftest import Kaidan

COMMANDS: dict[str, click.Command] = {
    name: getattr(import_module(f"kaidan.cli.{name}"), name) for name in main.COMMANDS
}


def test_the_table_of_commands_is_what_they_say_themselves() -> None:
    for name, command in COMMANDS.items():
        assert main.COMMANDS[name] == (command.help or "").splitlines()[0]


@pytest.mark.parametrize("arguments", [(), *((name,) for name in COMMANDS)])
def test_help(kaidan: Kaidan, arguments: tuple[str, ...]) -> None:
    result = kaidan(*arguments, "--help")
    assert (result.status, result.err) == (0, "")
    assert "Usage: kaidan" in result.out


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_option_is_explained(command: click.Command) -> None:
    options = [param for param in command.params if isinstance(param, click.Option)]
    assert [option.name for option in options if not option.help and not option.hidden] == []


def test_help_shows_the_exit_statuses(kaidan: Kaidan) -> None:
    assert MEANINGS.keys() == set(Exit)
    for text in (kaidan("--help").out, kaidan("run", "--help").out):
        assert all(f"{status.value:>3}  {meaning}" in text for status, meaning in MEANINGS.items())


def test_version(kaidan: Kaidan) -> None:
    assert kaidan("--version").out == f"kaidan {__version__}\n"


def test_unknown_command(kaidan: Kaidan) -> None:
    result = kaidan("fly")
    assert (result.status, result.out) == (Exit.BAD_INPUT, "")
    assert "No such command 'fly'" in result.err


def broken(*arguments: object) -> Any:
    raise ZeroDivisionError("the wheels\nfell off")


def test_an_error_inside(kaidan: Kaidan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "read_text", broken)
    monkeypatch.setattr(graph, "read_text", broken)
    result = kaidan("graph", "x.asl.json")
    assert (result.status, result.out) == (Exit.INTERNAL_ERROR, "")
    first, second = result.err.splitlines()
    assert first == f"error: an error inside kaidan {__version__}: ZeroDivisionError: the wheels fell off"
    assert "report" in second and "KAIDAN_DEBUG=1" in second
    monkeypatch.setenv("KAIDAN_DEBUG", "1")
    assert "Traceback (most recent call last)" in kaidan("graph", "x.asl.json").err


def test_interrupted_before_anything_began(kaidan: Kaidan, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(graph, "read_text", interrupted)
    result = kaidan("graph", "x.asl.json")
    assert (result.status, result.out, result.err.strip()) == (Exit.INTERRUPTED, "", "Interrupted.")


HEAVY = ("boto3", "botocore", "moto", "rich", "ruamel", "kaidan.asl", "kaidan.runtime", "kaidan.emulate")


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["history", "--list"]])
def test_light_commands_import_nothing_heavy(arguments: list[str]) -> None:
    """The start of a command line is felt at every call; this keeps it where it is."""
    program = (
        "import sys; from kaidan.cli import main; status = main.run(sys.argv[1:])\n"
        f"print([name for name in sys.modules if name.startswith({HEAVY!r})], file=sys.stderr)\n"
        "sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "[]")


def test_a_reader_that_leaves(tmp_path: Path) -> None:
    """`kaidan --help | head -1`."""
    program = (
        f"{sys.executable} -c 'from kaidan.cli.main import main; main()' --help | head -1; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.splitlines()[0].startswith("Usage: kaidan")
