"""`kaidan serve`: the Step Functions API over HTTP, until somebody stops it."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from kaidan import __version__
from kaidan.cli.exits import Exit, epilog
from kaidan.cli.problems import Refusal, tell
from kaidan.server.settings import CONFIG_VARIABLE, TABLE, Setting, SettingError, Settings, resolve

if TYPE_CHECKING:
    from kaidan.server.process import Server

COLLECTED_AFTER = (10_000, 20, 50)
"""Python looks for garbage seldom: it looks at every execution in memory, and few objects here refer to each other."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def setting_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Options for the settings of these names (all of them, if none are given), and `--config`."""

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for setting in reversed([each for each in TABLE if not names or each.name in names]):
            command = _option(setting)(command)
        help = f"A TOML file with any of these settings. [{CONFIG_VARIABLE}]"
        return click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help=help)(command)

    return add


def _option(setting: Setting) -> Callable[[Callable[..., None]], Callable[..., None]]:
    help = f"{setting.help} [{setting.variable}; default: {setting.shown}]"
    if setting.is_flag:
        return click.option(f"--{setting.name}", setting.field, flag_value="true", help=help)
    if setting.may_be_bare:
        return click.option(
            f"--{setting.name}", setting.field, is_flag=False, flag_value="true", metavar=setting.metavar, help=help
        )
    return click.option(f"--{setting.name}", setting.field, metavar=setting.metavar, help=help)


def resolved(flags: dict[str, Any], config: Path | None, *, serving: bool = True) -> Settings:
    """Flags, environment and file together. Raises Refusal."""
    try:
        return resolve(flags, os.environ, config, serving=serving)
    except SettingError as problem:
        raise Refusal(str(problem)) from None


@click.command(epilog=epilog())
@setting_options()
@click.pass_context
def serve(ctx: click.Context, /, config: Path | None, **flags: Any) -> None:
    """Answer the API of AWS Step Functions on this machine, for AWS's command line, SDKs and tools.

    State machines and executions are kept, and go on after a restart. Tasks call AWS with your own credentials;
    with --emulate they call an emulated AWS and need none. In the shell of the clients, say: eval "$(kaidan env)"
    """
    settings = resolved(flags, config)
    with ExitStack() as cleanup:
        emulated_at = None
        if settings.emulate is not False:
            settings = _emulated(settings, cleanup)
            emulated_at = settings.endpoint_url
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            ctx.exit(runner.run(_serve(settings, emulated_at)))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where there is one (not on Windows): a request costs a third less of the processor's time."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return None
    return new_event_loop


def _emulated(settings: Settings, cleanup: ExitStack) -> Settings:
    """Start an emulated AWS; from now on it is all of AWS that this process knows. Raises Refusal."""
    from kaidan.cli.account import emulated
    from kaidan.emulate import EmulatorError

    file = settings.emulate if isinstance(settings.emulate, Path) else None
    emulator = cleanup.enter_context(emulated(None, file, settings.emulate_port))
    try:
        endpoint_url = emulator.endpoint_url
    except EmulatorError as problem:
        raise Refusal(str(problem)) from None
    access_key, secret_key = emulator.credentials
    os.environ |= {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key}
    os.environ["AWS_REGION"] = emulator.region
    return replace(settings, endpoint_url=endpoint_url)


async def _serve(settings: Settings, emulated_at: str | None) -> Exit:
    from kaidan.server.process import Server, StartError

    stopped = _until_signalled()
    try:
        server = await Server.start(settings)
    except StartError as problem:
        raise Refusal(str(problem)) from None
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)
    click.echo(_greeting(server))
    if emulated_at is not None:
        click.echo(f'An emulated AWS at {emulated_at}; clients of both: eval "$(kaidan env --emulate)"')
    failure = await server.failure_or(stopped)
    click.echo("Stopping")
    await server.stop()
    if failure is None:
        return Exit.SUCCEEDED
    tell("error", f"stopped: {type(failure).__name__}: {failure}", "Executions go on from what was saved last.")
    return Exit.INTERNAL_ERROR


def _greeting(server: Server) -> str:
    kept = ", ".join(map(str, server.files)) or "memory: nothing is kept"
    return f"Kaidan {__version__} at {server.url}, data in {kept}"


def _until_signalled() -> asyncio.Future[None]:
    """Done by the first signal; the second one ends the process at once."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    received: list[int] = []

    def act(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            os._exit(Exit.INTERRUPTED)
        loop.call_soon_threadsafe(future.set_result, None)

    for number in SIGNALS:
        signal.signal(number, act)
    return future
