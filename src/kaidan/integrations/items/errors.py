"""What can go wrong while items are read; packages that only some formats need."""

from __future__ import annotations

import importlib
from typing import Any


class Unreadable(Exception):
    """States.ItemReaderFailed; the message is the cause."""


def package(name: str, extra: str, what: str) -> Any:
    """A package that comes with one of Kaidan's extras. Raises Unreadable."""
    try:
        return importlib.import_module(name)
    except ImportError:
        needed = name.partition(".")[0]
        raise Unreadable(f"Reading {what} needs the package {needed}: pip install 'kaidan[{extra}]'") from None
