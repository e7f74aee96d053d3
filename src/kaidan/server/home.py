"""The folder that the server's data and the histories of `kaidan run` are in. Knows nothing of either."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def home() -> Path:
    """Where Kaidan keeps what it keeps: $KAIDAN_HOME, or where programs keep their data on this system."""
    given = os.environ.get("KAIDAN_HOME")
    if given:
        return Path(given)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "kaidan"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "kaidan"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "kaidan"
