"""Pages whose examples are run: files are written, commands executed, and what they print compared.

`name.yaml`:              says what the block after it is to be called

```console
$ command                 is run in a shell of its block
expected                  stands somewhere in what the command prints, in this order; … is anything
$ command &               goes on until the end of the page; it is ready when it has printed a line
```

Times, durations and UUIDs may be others. Ports are replaced by free ones.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_FILE = re.compile(r"`([\w./-]+)`:\n\n```\w+\n(.*?)```", re.S)
_CONSOLE = re.compile(r"```console\n(.*?)```", re.S)
_PORT = re.compile(r"(?<=127\.0\.0\.1[:\"])(\d{4})\b|(?<=--port )\d{4}|(?<=127\.0\.0\.1\", )\d{4}")
_VARYING = re.compile(r"\d\d:\d\d:\d\d|\b\d+(\.\d+)?m?s\b|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Command(NamedTuple):
    text: str
    expected: list[str]

    @property
    def stays(self) -> bool:
        return self.text.endswith(" &")


def files(page: str) -> dict[str, str]:
    """Name to text, in the order of the page."""
    return dict(_FILE.findall(page))


def blocks(page: str) -> list[list[Command]]:
    """The commands of each block."""
    return [list(_commands(block)) for block in _CONSOLE.findall(page)]


def _commands(block: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        lines = part.rstrip("\n").split("\n")
        end = next((index for index in range(len(lines)) if _is_whole("\n".join(lines[: index + 1]))), len(lines) - 1)
        yield Command("\n".join(lines[: end + 1]), lines[end + 1 :])


def _is_whole(text: str) -> bool:
    """Whether a command does not go on in the next line."""
    return not text.endswith("\\") and text.count("'") % 2 == 0


def with_free_ports(page: str) -> str:
    ports = sorted({match[0] for match in _PORT.finditer(page)})
    free = dict(zip(ports, _free_ports(len(ports)), strict=True))
    return _PORT.sub(lambda match: free[match[0]], page)


def _free_ports(count: int) -> list[str]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Shell:
    """Runs commands in a directory, with no AWS account."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "KAIDAN_"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
        home = str(directory / "home")
        self._environment = kept | {
            "PATH": path,
            "HOME": home,
            "KAIDAN_HOME": home,
            "SHELL": "/bin/sh",
            "COLUMNS": "200",
        }
        self._staying: list[subprocess.Popen[str]] = []

    def begin(self, command: str) -> None:
        process = subprocess.Popen(
            command.removesuffix(" &").split(),
            cwd=self._directory,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._staying.append(process)
        assert process.stdout is not None
        assert process.stdout.readline(), f"{command} has ended"

    def run(self, commands: list[str]) -> list[str]:
        """What each of them prints."""
        mark = "=== printed ==="
        script = "\n".join(f"{command}\necho '{mark}'" for command in commands)
        done = subprocess.run(
            ["bash", "-c", f"exec 2>&1\n{script}"],
            cwd=self._directory,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.stdout.split(mark + "\n")[: len(commands)]

    def close(self) -> None:
        for process in self._staying:
            process.kill()
            process.communicate()


@contextmanager
def shell(directory: Path) -> Iterator[Shell]:
    made = Shell(directory)
    try:
        yield made
    finally:
        made.close()


def missing(expected: list[str], printed: str) -> str | None:
    """The first expected line that does not come, or None."""
    lines = iter(_plain(line) for line in printed.splitlines())
    for wanted in expected:
        pattern = re.escape(_plain(wanted)).replace("…", ".*")
        if wanted.strip() and not any(re.fullmatch(pattern, line) for line in lines):
            return wanted
    return None


def _plain(line: str) -> str:
    return _VARYING.sub("~", line).rstrip()
