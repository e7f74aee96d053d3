"""Parquet files, a batch of rows at a time. Values that JSON does not have become text: times in ISO 8601, bytes in
Base64; decimals become numbers.

pyarrow reads them: the one library of Apache Arrow's own, in the extra `parquet`.
"""

from __future__ import annotations

import base64
import datetime
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from kaidan.integrations.items.csv_rows import Row
from kaidan.integrations.items.errors import Unreadable, package
from kaidan.integrations.storage import Storage
from kaidan.values import JSON

BATCH_ROWS = 1_000


def rows(storage: Storage, parameters: JSON, position: JSON, count: list[int]) -> Iterator[Row]:
    """The rows behind a position: `[row group, row in it]`. `count[0]` is told how many bytes they had, about."""
    arrow, library = (package(name, "parquet", "PARQUET files") for name in ("pyarrow", "pyarrow.parquet"))
    try:
        file = library.ParquetFile(_Ranges(storage, parameters))
        first_group, done = position or (0, 0)
        for group in range(first_group, file.num_row_groups):
            number = 0
            for batch in file.iter_batches(batch_size=BATCH_ROWS, row_groups=[group]):
                if number + batch.num_rows <= done:
                    number += batch.num_rows
                    continue
                count[0] += batch.nbytes
                for row in batch.to_pylist():
                    number += 1
                    if number > done:
                        yield _plain(row), [group, number], None
            done = 0
    except arrow.ArrowException as problem:
        raise Unreadable(f"The file is not valid Parquet: {problem}") from None


def _plain(value: Any) -> JSON:
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case bytes():
            return base64.b64encode(value).decode()
        case Decimal():
            return int(value) if value == value.to_integral_value() and value.adjusted() < 18 else float(value)
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat().replace("+00:00", "Z")
        case datetime.timedelta():
            return value.total_seconds()
        case _:
            return value


class _Ranges(io.RawIOBase):
    """An object that can be read anywhere: what the format needs, its directory being at the end."""

    def __init__(self, storage: Storage, parameters: JSON) -> None:
        self._storage = storage
        self._parameters = parameters
        self._size = storage.size(parameters)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        wanted = self._size - self._at if size < 0 else min(size, self._size - self._at)
        if wanted <= 0:
            return b""
        file = self._storage.open(self._parameters, self._at, wanted)
        try:
            data = file.read(wanted)
        finally:
            file.close()
        self._at += len(data)
        return data

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
