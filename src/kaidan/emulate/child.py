"""The emulator's process: moto's server on a loopback port, seeded, quiet. Started by server.py alone.

Its argument is the port, 0 for any that is free. Reads one line of JSON (an EmulateConfig), writes one line (a port or
a problem), and ends with its input.
"""

from __future__ import annotations

import functools
import gc
import logging
import os
import signal
import socket
import sys
from typing import Any

import msgspec

from kaidan.emulate import images, seed
from kaidan.emulate.config import EmulateConfig
from kaidan.emulate.server import HOST, Ready

SEED = 1
"""moto draws its ids from this, so that the same configuration gives the same instance ids."""


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the owner, who closes our input.
    answer = _take_stdout()
    config = msgspec.json.decode(sys.stdin.buffer.readline(), type=EmulateConfig)
    gc.disable()  # A start only makes objects that stay: collecting them costs a third of it.
    answer.write(msgspec.json.encode(_ready(config, int(sys.argv[1]))) + b"\n")
    answer.flush()
    gc.freeze()
    gc.enable()
    sys.stdin.buffer.read()
    os._exit(0)


def _take_stdout() -> Any:
    """Keep standard output for the answer; whatever moto prints goes to standard error."""
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answer


def _ready(config: EmulateConfig, wanted: int) -> Ready:
    if wanted and _is_taken(wanted):
        return Ready(problem=f"the emulated AWS did not start: another process listens at port {wanted}")
    try:
        port = _serve(config, wanted)
    except seed.SeedError as problem:
        return Ready(problem=str(problem))
    except Exception as problem:
        logging.exception("start")
        return Ready(problem=f"the emulated AWS did not start: {type(problem).__name__}: {problem}")
    return Ready(port=port)


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _serve(config: EmulateConfig, wanted: int) -> int:
    _read_each_model_once()
    from moto.moto_api._internal import mock_random
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    images.install(config.images)
    server = ThreadedMotoServer(ip_address=HOST, port=wanted, verbose=False)
    server.start()
    port: int = server.get_host_and_port()[1]
    mock_random.seed(SEED)
    seed.apply(config, f"http://{HOST}:{port}")
    return port


def _read_each_model_once() -> None:
    """moto makes a botocore session for every region list and service; each would parse the files again."""
    from botocore.loaders import JSONFileLoader

    read = JSONFileLoader.load_file

    @functools.cache
    def load(path: str) -> Any:
        return read(JSONFileLoader(), path)

    JSONFileLoader.load_file = lambda self, path: load(path)


if __name__ == "__main__":
    main()
