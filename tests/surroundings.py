"""Where a command or a server is tested: a machine on which nobody has set anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def clear(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No AWS account, no settings of Kaidan, no proxy."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "KAIDAN_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("KAIDAN_HOME", str(tmp_path / "home"))
