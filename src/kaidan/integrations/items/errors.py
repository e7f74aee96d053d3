"""What can go wrong while items are read; packages that only some formats need."""

from __future__ import annotations

import importlib
from typing import Any


class Unreadable(Exception):
    """States.ItemReaderFailed; the message is the cause."""


ITEM_BYTES_MAX = 8 << 20
"""AWS guide, "ItemReader (Map)": one item of a text delimited, JSON or JSON Lines file has 8 MB at most."""


def too_large() -> Unreadable:
    """An item has more than that."""
    return Unreadable(f"An item of the file is larger than {ITEM_BYTES_MAX} bytes.")


def package(name: str, extra: str, what: str) -> Any:
    """A package that comes with one of Kaidan's extras. Raises Unreadable."""
    try:
        return importlib.import_module(name)
    except ImportError:
        needed = name.partition(".")[0]
        raise Unreadable(f"Reading {what} needs the package {needed}: pip install 'kaidan[{extra}]'") from None
