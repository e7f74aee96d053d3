"""Manifests: files that name the files that have the items.

An Athena data manifest has an address on each line, `s3://bucket/key`. An S3 inventory's manifest.json says what its
CSV files are called and what their columns mean:

    {"destinationBucket": "arn:aws:s3:::inventory", "fileFormat": "CSV", "fileSchema": "Bucket, Key, Size",
     "files": [{"key": "data/1.csv.gz"}]}
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from kaidan.integrations.items.blocks import Blocks
from kaidan.integrations.items.errors import Unreadable
from kaidan.integrations.items.lines import Lines
from kaidan.integrations.storage import LOCAL
from kaidan.values import JSON, InvalidJson, loads

_KEPT = ("ExpectedBucketOwner", "RequestPayer")


def athena_files(blocks: Blocks, parameters: JSON) -> list[JSON]:
    """What GetObject is to be called with for each file."""
    return [_of_address(line.strip().strip('"'), parameters) for line in Lines(blocks) if line.strip()]


def _of_address(address: str, parameters: JSON) -> JSON:
    if address.startswith(LOCAL):
        folder, _, key = address.rpartition("/")
        return {"Bucket": folder, "Key": key}
    parts = urlsplit(address)
    if parts.scheme.lower() != "s3" or not parts.netloc or not parts.path.strip("/"):
        raise Unreadable(f"The manifest has a line that is no address of an object in S3: '{address}'")
    return {"Bucket": parts.netloc, "Key": address[len("s3://") + len(parts.netloc) + 1 :], **_kept(parameters)}


def inventory(blocks: Iterable[bytes], parameters: JSON) -> tuple[list[JSON], list[str]]:
    """What GetObject is to be called with for each file, and the names of their columns."""
    try:
        manifest = loads(b"".join(blocks))
        if manifest["fileFormat"] != "CSV":
            raise Unreadable(f"The output format of an S3 inventory must be CSV, not {manifest['fileFormat']}.")
        columns = [name.strip() for name in manifest["fileSchema"].split(",")]
        keys = [file["key"] for file in manifest["files"]]
    except (InvalidJson, KeyError, TypeError, AttributeError):
        raise Unreadable("The file is not a manifest of an S3 inventory.") from None
    bucket = manifest.get("destinationBucket", "").rpartition(":::")[2] or parameters["Bucket"]
    if parameters["Bucket"].startswith(LOCAL):
        bucket = parameters["Bucket"]
    return [{"Bucket": bucket, "Key": key, **_kept(parameters)} for key in keys], columns


def _kept(parameters: JSON) -> JSON:
    return {key: parameters[key] for key in _KEPT if key in parameters}
