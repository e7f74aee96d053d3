"""A file's lines, and where each ends. What is in memory is a block and the line that it breaks off in."""

from __future__ import annotations

from collections.abc import Iterator

from kaidan.integrations.items.blocks import Blocks
from kaidan.integrations.items.errors import ITEM_BYTES_MAX, too_large

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Lines(Iterator[str]):
    """Lines without their ends, in UTF-8. `offset`: the byte behind the line that came last; `end`: its end."""

    def __init__(self, blocks: Blocks, offset: int = 0) -> None:
        self.offset = offset
        self.end = "\n"
        self._blocks = iter(blocks)
        self._lines: Iterator[bytes] = iter(())
        self._rest = b""
        self._ended = False

    def __next__(self) -> str:
        line = next(self._lines, None)
        while line is None:
            if self._ended:
                raise StopIteration
            self._read()
            line = next(self._lines, None)
        self.offset += len(line) + 1
        if line.endswith(b"\r"):
            line, self.end = line[:-1], "\r\n"
        else:
            self.end = "\n"
        return line.decode(errors="replace")

    def _read(self) -> None:
        block = next(self._blocks, None)
        if block is None:
            self._ended = True
            self._lines = iter([self._rest] if self._rest else ())
            return
        if not self.offset and not self._rest and block.startswith(_BYTE_ORDER_MARK):
            self.offset, block = len(_BYTE_ORDER_MARK), block[len(_BYTE_ORDER_MARK) :]
        lines = (self._rest + block).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > ITEM_BYTES_MAX:
            raise too_large()
        self._lines = iter(lines)
