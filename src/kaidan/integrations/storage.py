"""Where Distributed Maps read their items from and write their results to: S3, or folders of this machine.

A bucket of the form `file:///data` is the folder /data (`file://data` is relative to where the process runs), and keys
are paths below it. All calls block; a Storage is safe in any thread. Failures are StorageErrors, S3's in the words of
AWS's SDK.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from kaidan.integrations import aws_sdk
from kaidan.integrations.clients import ClientFactory
from kaidan.values import JSON

PART_BYTES = 8 << 20
"""What is uploaded in one part; S3 wants 5 MiB at least."""

LOCAL = "file://"


class StorageError(Exception):
    """Something cannot be read or written; the message says why."""


class _NothingThere(StorageError):
    """A range that begins behind an object's end."""


Call: TypeAlias = Callable[[str, str, JSON], Any]
"""Calls an action of S3 by the client's method with parameters. Raises StorageError."""


class Readable(Protocol):
    """An object being read."""

    def read(self, size: int = -1, /) -> bytes:
        """At most so many bytes; none at the end."""

    def close(self) -> None:
        """Let go of it."""


class Sink(Protocol):
    """An object being written. It is there once it is closed, and not before."""

    def write(self, data: bytes) -> None:
        """Add to the object."""

    def close(self) -> None:
        """The object is complete."""

    def abort(self) -> None:
        """Leave nothing behind."""


class Storage:
    """Opens, lists and creates objects. `folders`: which local folders may be used, all when it is None."""

    def __init__(self, clients: ClientFactory, folders: Sequence[Path] | None = None) -> None:
        self._clients = clients
        self._folders = None if folders is None else [folder.resolve() for folder in folders]
        self._listed: tuple[Path | None, str, list[str]] = None, "", []

    def open(self, parameters: JSON, offset: int = 0, length: int | None = None) -> Readable:
        """An object's bytes from `offset` on. `parameters`: Bucket, Key, and what else S3's GetObject takes."""
        if _is_local(parameters):
            return self._open_file(parameters, offset)
        try:
            return _S3Object(self._call, parameters, offset, length)
        except _NothingThere:
            return BytesIO()

    def size(self, parameters: JSON) -> int:
        """An object's length in bytes."""
        if _is_local(parameters):
            return self._stat(parameters).st_size
        return int(self._call("headObject", "head_object", parameters)["ContentLength"])

    def listing(self, parameters: JSON, token: str | None) -> tuple[list[dict[str, Any]], str | None]:
        """A page of a listing, `Contents` as in S3's ListObjectsV2, and where it goes on."""
        if _is_local(parameters):
            return self._list_files(parameters, token)
        more = {} if token is None else {"ContinuationToken": token}
        page = self._call("listObjectsV2", "list_objects_v2", {**parameters, **more})
        return page.get("Contents", []), page.get("NextContinuationToken")

    def create(self, parameters: JSON) -> Sink:
        """A new object, in place of one of the same key."""
        if _is_local(parameters):
            return _FileSink(self._path(parameters))
        return _S3Sink(self._call, parameters)

    # --- S3 -----------------------------------------------------------------------------------------------

    def _call(self, action: str, method: str, parameters: JSON) -> Any:
        try:
            return getattr(self._clients.client("s3"), method)(**parameters)
        except Exception as problem:
            cause = aws_sdk.translate(aws_sdk.resolve("s3", action), problem).cause
            code = getattr(problem, "response", {}).get("Error", {}).get("Code")
            raise (_NothingThere if code == "InvalidRange" else StorageError)(cause or str(problem)) from None

    # --- folders ------------------------------------------------------------------------------------------

    def _root(self, parameters: JSON) -> Path:
        root = Path(parameters["Bucket"].removeprefix(LOCAL)).resolve()
        if self._folders is not None and not any(root.is_relative_to(folder) for folder in self._folders):
            raise StorageError(f"The folder '{root}' is not one of those that may be used")
        return root

    def _path(self, parameters: JSON) -> Path:
        root = self._root(parameters)
        path = (root / str(parameters["Key"]).lstrip("/")).resolve()
        if not path.is_relative_to(root):
            raise StorageError(f"The key '{parameters['Key']}' leads out of the folder '{root}'")
        return path

    def _open_file(self, parameters: JSON, offset: int) -> Readable:
        path = self._path(parameters)
        try:
            file = path.open("rb", buffering=0)
            file.seek(offset)
            return file
        except OSError as problem:
            raise StorageError(f"{path}: {problem.strerror}") from None

    def _stat(self, parameters: JSON) -> os.stat_result:
        path = self._path(parameters)
        try:
            return path.stat()
        except OSError as problem:
            raise StorageError(f"{path}: {problem.strerror}") from None

    def _list_files(self, parameters: JSON, token: str | None) -> tuple[list[dict[str, Any]], str | None]:
        root, prefix = self._root(parameters), parameters.get("Prefix", "")
        if not root.is_dir():
            raise StorageError(f"{root}: it is not a folder")
        keys = self._keys(root, prefix, anew=token is None)
        first = bisect_right(keys, token or parameters.get("StartAfter", ""))
        page = keys[first : first + int(parameters.get("MaxKeys", 1000))]
        entries = [entry for key in page if (entry := _entry(root, key)) is not None]
        return entries, page[-1] if first + len(page) < len(keys) else None

    def _keys(self, root: Path, prefix: str, *, anew: bool) -> list[str]:
        """All keys of a folder with a prefix, sorted. From page to page they are kept, unless others are listed too."""
        if anew or self._listed[:2] != (root, prefix):
            files = (Path(folder, name) for folder, _, names in os.walk(root) for name in names)
            keys = (path.relative_to(root).as_posix() for path in files if not _is_partial(path))
            self._listed = root, prefix, sorted(key for key in keys if key.startswith(prefix))
        return self._listed[2]


def _is_local(parameters: JSON) -> bool:
    return str(parameters.get("Bucket", "")).startswith(LOCAL)


def _ranged(parameters: JSON, offset: int, length: int | None) -> JSON:
    if offset == 0 and length is None:
        return parameters
    return {**parameters, "Range": f"bytes={offset}-{'' if length is None else offset + length - 1}"}


def _entry(root: Path, key: str) -> dict[str, Any] | None:
    """None: it is gone, or leads nowhere."""
    try:
        stat = (root / key).stat()
    except OSError:
        return None
    tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    return {"ETag": tag, "Key": key, "LastModified": stat.st_mtime, "Size": stat.st_size, "StorageClass": "STANDARD"}


REOPENED_MAX = 3
"""How often in a row an object is opened again before its reader hears that it cannot be read."""


class _S3Object:
    """The body of an answer, as a file. Who reads items pauses while their children run, perhaps for hours: where the
    connection breaks off meanwhile, another goes on at that byte, if the object is still the same."""

    def __init__(self, call: Call, parameters: JSON, offset: int, length: int | None) -> None:
        self._call = call
        self._parameters = parameters
        self._at = offset
        self._end = None if length is None else offset + length
        self._body: Any = None
        self._open()

    def _open(self) -> None:
        length = None if self._end is None else self._end - self._at
        answer = self._call("getObject", "get_object", _ranged(self._parameters, self._at, length))
        self._body = answer["Body"]
        self._parameters = {**self._parameters, "IfMatch": answer["ETag"]}

    def read(self, size: int = -1) -> bytes:
        for _ in range(REOPENED_MAX):
            try:
                return self._read(size)
            except Exception:
                self.close()
                self._open()
        try:
            return self._read(size)
        except Exception as problem:
            raise StorageError(f"Reading broke off: {problem}") from None

    def _read(self, size: int) -> bytes:
        data: bytes = self._body.read(size if size >= 0 else None)
        self._at += len(data)
        return data

    def close(self) -> None:
        self._body.close()


_PARTIAL = ".part"


def _is_partial(path: Path) -> bool:
    return path.name.startswith(".") and path.suffix == _PARTIAL


class _FileSink:
    """A file under another name, until it is complete. It is open only while something is written: who writes results
    may be interrupted between two parts for good."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(f".{path.name}{_PARTIAL}")
        self._do(lambda: path.parent.mkdir(parents=True, exist_ok=True))
        self._do(lambda: self._partial.write_bytes(b""))

    def write(self, data: bytes) -> None:
        self._do(lambda: self._append(data))

    def _append(self, data: bytes) -> None:
        with self._partial.open("ab") as file:
            file.write(data)

    def close(self) -> None:
        self._do(self._publish)

    def _publish(self) -> None:
        with self._partial.open("rb") as file:
            os.fsync(file.fileno())
        self._partial.replace(self._path)

    def abort(self) -> None:
        self._do(lambda: self._partial.unlink(missing_ok=True))

    def _do(self, work: Callable[[], object]) -> None:
        try:
            work()
        except OSError as problem:
            raise StorageError(f"{self._path}: {problem.strerror}") from None


class _S3Sink:
    """An object put at once, or in parts when it is large."""

    def __init__(self, call: Call, parameters: JSON) -> None:
        self._call = call
        self._parameters = parameters
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._upload: JSON = None
        self._parts: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        self._buffer.append(data)
        self._buffered += len(data)
        if self._buffered >= PART_BYTES:
            self._send_part()

    def _send_part(self) -> None:
        if self._upload is None:
            started = self._call("createMultipartUpload", "create_multipart_upload", self._parameters)
            self._upload = {**_owned(self._parameters), "UploadId": started["UploadId"]}
        number = len(self._parts) + 1
        sent = {**self._upload, "PartNumber": number, "Body": b"".join(self._buffer)}
        tag = self._call("uploadPart", "upload_part", sent)["ETag"]
        self._parts.append({"ETag": tag, "PartNumber": number})
        self._buffer, self._buffered = [], 0

    def close(self) -> None:
        if self._upload is None:
            self._call("putObject", "put_object", {**self._parameters, "Body": b"".join(self._buffer)})
            return
        if self._buffered:
            self._send_part()
        done = {**self._upload, "MultipartUpload": {"Parts": self._parts}}
        self._call("completeMultipartUpload", "complete_multipart_upload", done)

    def abort(self) -> None:
        if self._upload is not None:
            self._call("abortMultipartUpload", "abort_multipart_upload", self._upload)


def _owned(parameters: JSON) -> JSON:
    """What every request about an upload repeats."""
    return {key: parameters[key] for key in ("Bucket", "Key", "ExpectedBucketOwner") if key in parameters}


def chunks(file: Readable, size: int) -> Iterator[bytes]:
    """A file's bytes, block by block."""
    while data := file.read(size):
        yield data
