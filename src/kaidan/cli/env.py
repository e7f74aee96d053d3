"""`kaidan env`: the variables that lead AWS's clients to a server of Kaidan's, in the words of a shell."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import click

from kaidan.cli.serve import resolved, setting_options
from kaidan.server.settings import Settings

SHELLS: dict[str, Callable[[str, str], str]] = {
    "sh": lambda name, value: f"export {name}={shlex.quote(value)}",
    "fish": lambda name, value: f"set -gx {name} {shlex.quote(value)};",
    "powershell": lambda name, value: f"$Env:{name} = '{value}'",
    "cmd": lambda name, value: f"set {name}={value}",
    "dotenv": lambda name, value: f"{name}={value}",
}
"""Each shell to how it sets a variable. `dotenv` is what `docker run --env-file` reads."""


def variables(settings: Settings, *, no_account: bool) -> dict[str, str]:
    """What has to be set. Clients put `sync-` before the host of two operations, where nothing answers to that name."""
    found = {"AWS_ENDPOINT_URL_SFN": settings.url, "AWS_DISABLE_HOST_PREFIX_INJECTION": "true"}
    if settings.emulate is not False:
        found["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{settings.emulate_port}"
    if no_account or settings.emulate is not False:
        region = settings.region or "us-east-1"
        found |= {"AWS_ACCESS_KEY_ID": "kaidan", "AWS_SECRET_ACCESS_KEY": "kaidan"}
        found |= {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    return found


def _this_shell() -> str:
    shell = PurePath(os.environ.get("SHELL", "")).name
    if os.name == "nt" and not shell:
        return "powershell"
    return shell if shell in SHELLS else "sh"


@click.command()
@setting_options("host", "port", "region", "emulate")
@click.option("--shell", type=click.Choice(list(SHELLS)), help="The shell that reads this. Default: the one in $SHELL.")
@click.option(
    "--no-account",
    is_flag=True,
    help="Set credentials and a region too, for a machine without an AWS account. Other AWS calls do not work then.",
)
def env(config: Path | None, shell: str | None, no_account: bool, **flags: Any) -> None:
    """Print what makes AWS's command line and SDKs call `kaidan serve` for Step Functions, and AWS for all else.

    With --emulate they call the emulated AWS of `kaidan serve --emulate` for all else.

    Use: eval "$(kaidan env)", or in fish: kaidan env | source
    """
    say = SHELLS[shell or _this_shell()]
    for name, value in variables(resolved(flags, config, serving=False), no_account=no_account).items():
        click.echo(say(name, value))
