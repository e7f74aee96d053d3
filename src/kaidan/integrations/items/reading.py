"""One ItemReader: from its fields to its items, whatever they are read from.

    object          an S3 object in one of the formats                        position of an item in it
    manifest        the objects that a manifest names, one after the other    [number of the file, position in it]
    listing         what ListObjectsV2 says of each object                    [token of the page, number in it]
    flattened       the contents of those objects                             [token, number, position in it]

An item's position as others see it is `[number of items before the next, position]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, TypeVar

from kaidan.integrations.items import csv_rows, json_file, json_lines, manifests, parquet
from kaidan.integrations.items.ahead import Opening, opened
from kaidan.integrations.items.blocks import Blocks
from kaidan.integrations.items.csv_rows import Row
from kaidan.integrations.items.errors import Unreadable
from kaidan.integrations.storage import LOCAL, Storage, StorageError
from kaidan.protocol.events import Item
from kaidan.values import JSON

Place = TypeVar("Place")

Sourced = tuple[JSON, JSON, str | None, str]
"""An item, the position behind it, its key, and where it is from."""


class Reading:
    """Items, and how many bytes were read for them so far. Raises Unreadable."""

    def __init__(self, items: Callable[[Counted], Iterator[Item]]) -> None:
        self._count = Counted()
        self.items = _in_words(items(self._count), self._count)

    @property
    def bytes(self) -> int:
        return self._count.bytes


class Counted:
    """The file being read, one at a time, and the bytes that have come out of all."""

    def __init__(self) -> None:
        self._before = [0]
        self._blocks: Blocks | None = None

    @property
    def bytes(self) -> int:
        return self._before[0] + (self._blocks.count if self._blocks is not None else 0)

    @property
    def extra(self) -> list[int]:
        """Where those count that read no blocks."""
        return self._before

    def open(self, file: Any) -> Blocks:
        self.close()
        self._blocks = Blocks(file)
        return self._blocks

    def close(self) -> None:
        """Let go of the file."""
        if self._blocks is not None:
            self._blocks.close()
            self._before[0], self._blocks = self.bytes, None


def open_items(reader: JSON, position: JSON, storage: Storage) -> Reading:
    """The items of a reader behind a position (None: from the beginning). See `effects.FetchItems`."""
    return Reading(lambda count: _limited(reader, position, storage, count))


def _in_words(items: Iterator[Item], count: Counted) -> Iterator[Item]:
    try:
        yield from items
    except StorageError as problem:
        raise Unreadable(str(problem)) from None
    finally:
        count.close()


def _limited(reader: JSON, position: JSON, storage: Storage, count: Counted) -> Iterator[Item]:
    config = reader.get("ReaderConfig", {})
    most = config.get("MaxItems", 0)
    if most < 0:
        raise Unreadable("field MaxItems must be positive")
    number, inner = position or (0, None)
    source = _Reader(reader, storage, count)
    if most and number >= most:
        return
    for value, inside, key, name in source.items(inner):
        number += 1
        yield Item(value, [number, inside], name, key)
        if number == most:
            return


class _Reader:
    """The four ways."""

    def __init__(self, reader: JSON, storage: Storage, count: Counted) -> None:
        self._resource: str = reader["Resource"].rpartition(":")[2]
        self._parameters: JSON = reader["Parameters"]
        self._config: JSON = reader.get("ReaderConfig", {})
        self._arrays_only: bool = reader.get("ArraysOnly", False)
        self._storage = storage
        self._count = count
        _check(self._parameters, ("Bucket",) if self._resource == "listObjectsV2" else ("Bucket", "Key"))

    def items(self, position: JSON) -> Iterator[Sourced]:
        if self._resource == "listObjectsV2":
            flat = self._config.get("Transformation") == "LOAD_AND_FLATTEN"
            return self._flattened(position) if flat else self._listing(position)
        if self._config.get("ManifestType") == "ATHENA_DATA":
            files = manifests.athena_files(self._open(self._parameters, 0), self._parameters)
            return self._files(files, self._config, position)
        if self._config.get("ManifestType") == "S3_INVENTORY" or self._config.get("InputType") == "MANIFEST":
            files, columns = manifests.inventory(self._open(self._parameters, 0), self._parameters)
            given = {name: value for name, value in self._config.items() if name.startswith("CSV")}
            config = {"CSVHeaderLocation": "GIVEN", "CSVHeaders": columns, **given, "InputType": "CSV"}
            return self._files(files, config, position)
        return _from(_address(self._parameters), self._object(self._parameters, self._config, position))

    def _open(self, parameters: JSON, offset: int) -> Blocks:
        return self._count.open(self._storage.open(parameters, offset))

    def _object(self, parameters: JSON, config: JSON, position: JSON, opening: Opening | None = None) -> Iterator[Row]:
        """`opening`: of the object from its beginning on, to be used once."""

        def open_at(offset: int) -> Blocks:
            nonlocal opening
            if opening is None or offset:
                return self._open(parameters, offset)
            file, opening = opening.result(), None
            return self._count.open(file)

        match config.get("InputType", "JSON"):
            case "CSV":
                return csv_rows.rows(open_at, config, position)
            case "JSONL":
                return json_lines.values(open_at, position)
            case "PARQUET":
                return parquet.rows(self._storage, parameters, position, self._count.extra)
            case _:
                return json_file.values(open_at, config, position, arrays_only=self._arrays_only)

    def _files(self, files: list[JSON], config: JSON, position: JSON) -> Iterator[Sourced]:
        first, inner = position or (0, None)
        following = ((files[number], number) for number in range(first, len(files)))
        for parameters, number, opening in self._ahead(following, config):
            for value, inside, key in self._object(parameters, config, inner, opening):
                yield value, [number, inside], key, _address(parameters)
            inner = None

    def _ahead(self, files: Iterator[tuple[JSON, Place]], config: JSON) -> Iterator[tuple[JSON, Place, Opening | None]]:
        """Files, being opened where they are read from their beginning on."""
        if config.get("InputType") == "PARQUET":
            return ((parameters, place, None) for parameters, place in files)
        return opened(self._storage, files)

    def _entries(self, position: JSON) -> Iterator[tuple[dict[str, Any], JSON, int]]:
        """What a listing has: each entry, the token of its page, and its number in it."""
        token, first = position or (None, 0)
        while True:
            page, following = self._storage.listing(self._parameters, token)
            for number in range(first, len(page)):
                yield page[number], token, number
            if following is None:
                return
            token, first = following, 0

    def _listing(self, position: JSON) -> Iterator[Sourced]:
        address = _address({"Bucket": self._parameters["Bucket"]})
        for entry, token, number in self._entries(position):
            yield _metadata(entry), [token, number + 1], None, address

    def _flattened(self, position: JSON) -> Iterator[Sourced]:
        first_token, first, inner = position or (None, 0, None)
        kept = {key: self._parameters[key] for key in ("Bucket", "ExpectedBucketOwner") if key in self._parameters}
        following = (
            ({**kept, "Key": entry["Key"]}, (token, number))
            for entry, token, number in self._entries([first_token, first])
            if not entry["Key"].endswith("/")
        )
        for parameters, place, opening in self._ahead(following, self._config):
            for value, inside, key in self._object(parameters, self._config, inner, opening):
                yield value, [*place, inside], key, _address(parameters)
            inner = None


def _from(source: str, rows: Iterator[Row]) -> Iterator[Sourced]:
    for value, position, key in rows:
        yield value, position, key, source


def _check(parameters: JSON, names: tuple[str, ...]) -> None:
    for name in names:
        if not isinstance(parameters, dict) or not isinstance(parameters.get(name), str) or not parameters[name]:
            raise Unreadable(f"The field '{name}' of the ItemReader must be a string.")


def _address(parameters: JSON) -> str:
    """`s3://bucket/key`, as `Map.Item.Source` has it (recorded)."""
    bucket = parameters["Bucket"]
    root = bucket.rstrip("/") if bucket.startswith(LOCAL) else f"s3://{bucket}"
    return f"{root}/{parameters['Key']}" if "Key" in parameters else root


def _metadata(entry: dict[str, Any]) -> JSON:
    """An entry as AWS shows it: `{"Etag", "Key", "LastModified": 1790204286.0, "Size", "StorageClass"}` (recorded)."""
    modified = entry["LastModified"]
    return {
        "Etag": entry["ETag"],
        "Key": entry["Key"],
        "LastModified": float(modified if isinstance(modified, (int, float)) else modified.timestamp()),
        "Size": entry["Size"],
        "StorageClass": entry.get("StorageClass", "STANDARD"),
    }


def read_text(text: str, config: JSON, parameters: JSON = None) -> list[Item]:
    """The items of a text instead of an object's: what TestState is told that was read. `parameters`: where from."""
    manifest = "ManifestType" in config or config.get("InputType") == "MANIFEST"
    config = {key: value for key, value in config.items() if not manifest or key not in ("ManifestType", "InputType")}
    parameters = parameters or {"Bucket": "text", "Key": "text"}
    reader = {"Resource": "getObject", "Parameters": parameters, "ReaderConfig": config}
    return list(open_items(reader, None, _TextStorage(text)).items)


class _TextStorage(Storage):
    """One object, whatever it is called."""

    def __init__(self, text: str) -> None:
        self._text = text

    def open(self, parameters: JSON, offset: int = 0, length: int | None = None) -> Any:
        return BytesIO(self._text.encode()[offset:])
