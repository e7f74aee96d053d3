"""Parquet files, a batch of rows at a time. Values that JSON does not have become text: times in ISO 8601 to the
microsecond, bytes in Base64, NaN and infinities by name, all else as it prints; decimals become numbers, maps objects.

pyarrow reads them: the one library of Apache Arrow's own, in the extra `parquet`.
"""

from __future__ import annotations

import base64
import datetime
import io
from collections.abc import Callable, Iterator
from decimal import Decimal
from math import isfinite, isnan
from typing import Any

from kaidan.integrations.items.csv_rows import Row
from kaidan.integrations.items.errors import Unreadable, package
from kaidan.integrations.storage import Storage
from kaidan.values import JSON

BATCH_ROWS = 1_000

ROW_GROUP_BYTES_MAX = 256 << 20
FOOTER_BYTES_MAX = 5 << 20
"""AWS guide, "ItemReader (Map)": what a Parquet file may have, else it is a runtime error. Row groups are counted as
their own directory does, unpacked."""


def rows(storage: Storage, parameters: JSON, position: JSON, count: list[int]) -> Iterator[Row]:
    """The rows behind a position: `[row group, row in it]`. `count[0]` is told how many bytes they had, about."""
    if "VersionId" in parameters:  # AWS guide, "ItemReader (Map)"
        raise Unreadable("The field 'VersionId' is not supported for Parquet files.")
    arrow, library = (package(name, "parquet", "PARQUET files") for name in ("pyarrow", "pyarrow.parquet"))
    try:
        file = library.ParquetFile(_Ranges(storage, parameters))
        _check_sizes(file.metadata)
        schema = _in_microseconds(arrow, file.schema_arrow)
        first_group, done = position or (0, 0)
        for group in range(first_group, file.num_row_groups):
            number = 0
            for batch in file.iter_batches(batch_size=BATCH_ROWS, row_groups=[group]):
                if number + batch.num_rows <= done:
                    number += batch.num_rows
                    continue
                count[0] += batch.nbytes
                for row in batch.cast(schema, safe=False).to_pylist(maps_as_pydicts="lossy"):
                    number += 1
                    if number > done:
                        yield _plain(row), [group, number], None
            done = 0
    except arrow.ArrowException as problem:
        raise Unreadable(f"The file is not valid Parquet: {problem}") from None


def _check_sizes(metadata: Any) -> None:
    if metadata.serialized_size > FOOTER_BYTES_MAX:
        raise Unreadable(f"The footer of the Parquet file is larger than {FOOTER_BYTES_MAX} bytes.")
    if any(metadata.row_group(each).total_byte_size > ROW_GROUP_BYTES_MAX for each in range(metadata.num_row_groups)):
        raise Unreadable(f"A row group of the Parquet file is larger than {ROW_GROUP_BYTES_MAX} bytes.")


def _in_microseconds(arrow: Any, schema: Any) -> Any:
    """The same columns without nanoseconds, which Python's times do not have."""

    def coarse(kind: Any) -> Any:
        types = arrow.types
        if types.is_timestamp(kind) and kind.unit == "ns":
            return arrow.timestamp("us", kind.tz)
        if types.is_time64(kind) and kind.unit == "ns":
            return arrow.time64("us")
        if types.is_duration(kind) and kind.unit == "ns":
            return arrow.duration("us")
        if types.is_struct(kind):
            return arrow.struct([field.with_type(coarse(field.type)) for field in kind])
        if types.is_map(kind):
            return arrow.map_(coarse(kind.key_type), coarse(kind.item_type))
        if types.is_list(kind):
            return arrow.list_(kind.value_field.with_type(coarse(kind.value_type)))
        return kind

    return arrow.schema([field.with_type(coarse(field.type)) for field in schema])


def _plain(value: Any) -> JSON:
    plain = _PLAIN.get(type(value), str)
    return value if plain is None else plain(value)


def _moment(value: Any) -> JSON:
    return value.isoformat().replace("+00:00", "Z")


def _number(value: Decimal) -> JSON:
    return int(value) if value == value.to_integral_value() and value.adjusted() < 18 else float(value)


def _float(value: float) -> JSON:
    if isfinite(value):
        return value
    return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"


_PLAIN: dict[type, Callable[[Any], JSON] | None] = {
    type(None): None,
    bool: None,
    int: None,
    str: None,
    float: _float,
    dict: lambda value: {str(key): _plain(item) for key, item in value.items()},
    list: lambda value: [_plain(item) for item in value],
    bytes: lambda value: base64.b64encode(value).decode(),
    Decimal: _number,
    datetime.datetime: _moment,
    datetime.date: _moment,
    datetime.time: _moment,
    datetime.timedelta: lambda value: value.total_seconds(),
}
"""By type, what it becomes; None: itself."""


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
