"""Lines in a file that does not grow for ever: when it is full it becomes `name.1`, `name.1` becomes `name.2`, …"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

FILE_BYTES_MAX = 16 * 1024 * 1024
OLD_FILES_MAX = 4
"""Full files that are kept beside the one that is written."""


class RotatedFile:
    """Used by one thread at a time. Raises OSError."""

    def __init__(self, path: Path, bytes_max: int = FILE_BYTES_MAX, old_max: int = OLD_FILES_MAX) -> None:
        self._path = path
        self._bytes_max = bytes_max
        self._old_max = old_max

    def touch(self) -> None:
        """Make sure that it is there and can be written."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.open("ab").close()

    def write(self, lines: Iterable[str]) -> None:
        """Append lines; whoever else writes to the file (or takes it away) is respected."""
        room = self._bytes_max - self._size()
        fitting: list[bytes] = []
        for line in lines:
            data = line.encode() + b"\n"
            if len(data) > room and (fitting or room < self._bytes_max):
                self._append(fitting)
                self._rotate()
                fitting, room = [], self._bytes_max
            fitting.append(data)
            room -= len(data)
        self._append(fitting)

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def _append(self, lines: list[bytes]) -> None:
        if lines:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(b"".join(lines))

    def _rotate(self) -> None:
        names = [self._path, *(self._path.with_name(f"{self._path.name}.{n}") for n in range(1, self._old_max + 1))]
        for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
            if newer.exists():
                newer.replace(older)
        if not self._old_max:
            self._path.unlink(missing_ok=True)
