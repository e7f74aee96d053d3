"""Where what is observed can go, as settings name it. Imports nothing that takes its time."""

from __future__ import annotations

from kaidan.integrations.clients import is_url

STDOUT = "stdout"
CLOUDWATCH = "cloudwatch"
BUS = "bus:"
WEB = ("http://", "https://")


def log_target(text: str) -> str:
    """Check where logs are to go: `stdout`, `cloudwatch`, or a file. Raises ValueError."""
    if not text or text.startswith(BUS) or "://" in text:
        raise ValueError("must be stdout, cloudwatch or a file")
    return text


def event_target(text: str) -> str:
    """Check where events are to go: a URL, `bus:NAME`, `stdout`, or a file. Raises ValueError."""
    if not text or text in (BUS, CLOUDWATCH) or ("://" in text and not is_url(text)):
        raise ValueError("must be a URL, bus:NAME, stdout or a file")
    return text
