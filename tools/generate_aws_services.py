"""Write src/kaidan/integrations/aws_services.json: the service of a resource to botocore's name for it.

    {"cloudwatchlogs": "logs", "sfn": "stepfunctions", …}

Run it after botocore was updated: `python tools/generate_aws_services.py`. With `--check` it writes nothing
and ends with 1 when the file is out of date.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from botocore.loaders import create_loader

from kaidan.integrations.naming import service_token

TARGET = Path(__file__).parents[1] / "src/kaidan/integrations/aws_services.json"

SUPERSEDED = {"sms-voice"}
"""Models of which AWS keeps a newer one under the same service id (`pinpoint-sms-voice`)."""


def services() -> dict[str, str]:
    """Every service that the installed botocore models. Raises ValueError when two share a token."""
    loader = create_loader()
    found: dict[str, str] = {}
    for name in sorted(set(loader.list_available_services("service-2")) - SUPERSEDED):
        token = service_token(loader.load_service_model(name, "service-2")["metadata"]["serviceId"])
        if token in found:
            raise ValueError(f"{token} is both {found[token]} and {name}: name the older one in SUPERSEDED")
        found[token] = name
    return dict(sorted(found.items()))


def main() -> int:
    text = json.dumps(services(), indent=0) + "\n"
    if "--check" in sys.argv[1:]:
        return 0 if TARGET.read_text() == text else 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
