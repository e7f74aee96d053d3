"""A small AWS on this machine, for trying definitions without an account.

    config.py   emulate.yaml: what shall exist, and how images behave
    server.py   Emulator: the process as its owner sees it (start, endpoint, close)
    child.py    what runs in that process: moto's server, seeded
    seed.py     the calls that make the world of the configuration
    images.py   how images become available, which moto leaves out

The rest of Kaidan needs only an endpoint URL, credentials and a region, as for the real service. This room
may not know of definitions or executions, and importing it imports neither moto nor boto3.
"""

from kaidan.emulate.config import ConfigError, EmulateConfig, find_config, parse_config, read_config
from kaidan.emulate.server import Emulator, EmulatorError

__all__ = [
    "ConfigError",
    "EmulateConfig",
    "Emulator",
    "EmulatorError",
    "find_config",
    "parse_config",
    "read_config",
]
