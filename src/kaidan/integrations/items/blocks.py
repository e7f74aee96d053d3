"""A file as blocks of bytes, decompressed on the way, with a count of what has come out.

GZIP and ZSTD are known by their first bytes, whatever the file is called.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from kaidan.integrations.items.errors import Unreadable, package
from kaidan.integrations.storage import Readable, chunks

BLOCK_BYTES = 256 << 10

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class Blocks:
    """Iterates over a file. `count`: bytes that have come out so far; `compressed`: they were unpacked."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._raw = chunks(file, BLOCK_BYTES)
        first = b""
        while len(first) < len(_ZSTD) and (block := next(self._raw, b"")):
            first += block
        self.count = 0
        self.compressed = first.startswith((_GZIP, _ZSTD))
        self._blocks = _unpacked(first, self._raw) if self.compressed else _chained(first, self._raw)

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self.count += len(block)
            yield block

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _unpacked(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    unpack = _gunzip if first.startswith(_GZIP) else _unzstd
    return unpack(_chained(first, rest))


def _gunzip(packed: Iterator[bytes]) -> Iterator[bytes]:
    """A gzip file may have several members, one behind the other."""
    member, begun = zlib.decompressobj(wbits=31), False
    for data in packed:
        while data:
            try:
                yield member.decompress(data, BLOCK_BYTES)
            except zlib.error as problem:
                raise Unreadable(f"The file is not valid GZIP: {problem}") from None
            data, begun = member.unconsumed_tail, not member.eof
            if member.eof:
                data = member.unused_data
                member = zlib.decompressobj(wbits=31)
    yield member.flush()
    if begun and not member.eof:
        raise Unreadable("The file is not valid GZIP: it ends too early")


def _unzstd(packed: Iterator[bytes]) -> Iterator[bytes]:
    zstandard = package("zstandard", "zstd", "ZSTD files")
    reader = zstandard.ZstdDecompressor().stream_reader(_Joined(packed), read_across_frames=True)
    try:
        yield from chunks(reader, BLOCK_BYTES)
    except zstandard.ZstdError as problem:
        raise Unreadable(f"The file is not valid ZSTD: {problem}") from None


class _Joined:
    """Blocks as a file, for a library that wants to read."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        while len(self._left) < size and (block := next(self._blocks, b"")):
            self._left += block
        data, self._left = self._left[:size], self._left[size:]
        return data
