"""The store in one SQLite file: write-ahead log, one transaction per save, only what changed.

Parts of a history lie in one tree with whole numbers for keys, `_part`: a key of two columns would need an index
beside the table, or a table without row ids, which puts everything above 1,000 bytes into a page of its own.

`synchronous` NORMAL survives the end of the process at any moment; FULL also a power cut, for one fsync a save.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from heapq import merge
from itertools import groupby, islice
from pathlib import Path

import msgspec

from kaidan.protocol.history import HistoryEvent
from kaidan.store.contract import Change, Query, Row, Stored, StoreError

__all__ = ["SqliteStore", "StoreError"]

SCHEMA_VERSION = 3

_SCHEMA = """
CREATE TABLE executions (
    id INTEGER PRIMARY KEY,
    arn TEXT NOT NULL UNIQUE,
    machine_arn TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    start_ms INTEGER NOT NULL,
    stop_ms INTEGER NOT NULL,
    version_arn TEXT,
    alias_arn TEXT,
    map_run_arn TEXT,
    parent_request INTEGER NOT NULL,
    undelivered INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    redriven INTEGER NOT NULL,
    moment_ms INTEGER NOT NULL,
    events INTEGER NOT NULL,
    head BLOB NOT NULL
);
CREATE INDEX executions_by_machine ON executions (machine_arn, status, moment_ms, id) WHERE map_run_arn IS NULL;
CREATE INDEX executions_by_map_run ON executions (map_run_arn, id) WHERE map_run_arn IS NOT NULL;
CREATE INDEX executions_failed ON executions (map_run_arn, id)
    WHERE map_run_arn IS NOT NULL AND status IN ('FAILED', 'TIMED_OUT', 'ABORTED');
CREATE INDEX executions_by_stop ON executions (stop_ms) WHERE stop_ms > 0;
CREATE INDEX executions_pending ON executions (id) WHERE pending;
CREATE INDEX executions_undelivered ON executions (id) WHERE undelivered;
CREATE TABLE frames (
    execution INTEGER NOT NULL, frame INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (execution, frame)
) WITHOUT ROWID;
CREATE TABLE items (
    execution INTEGER NOT NULL, frame INTEGER NOT NULL, item INTEGER NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (execution, frame, item)
) WITHOUT ROWID;
CREATE TABLE history (part INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE timers (
    execution INTEGER NOT NULL, request INTEGER NOT NULL, due_ms INTEGER NOT NULL, PRIMARY KEY (execution, request)
) WITHOUT ROWID;
CREATE TABLE tasks (
    execution INTEGER NOT NULL, request INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (execution, request)
) WITHOUT ROWID;
CREATE TABLE last_number (number INTEGER NOT NULL);
INSERT INTO last_number VALUES (0);
CREATE TABLE documents (
    kind TEXT NOT NULL, key TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
"""

_INSERT = f"INSERT INTO executions VALUES ({', '.join('?' * 17)})"

_UPDATE = """
UPDATE executions SET status = ?, start_ms = ?, stop_ms = ?, parent_request = ?, undelivered = ?, pending = ?,
    redriven = ?, moment_ms = ?, events = events + ?, head = ?
WHERE arn = ? RETURNING id
"""

_COLUMNS = "id, arn, machine_arn, name, status, start_ms, stop_ms, version_arn, alias_arn, map_run_arn, parent_request"

_FLAGS = ("undelivered", "pending", "redriven")

_SELECT_ROWS = f"SELECT {_COLUMNS}, {', '.join(_FLAGS)}, moment_ms, head FROM executions"

_STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")

_OF_OPEN_ONES = ("frames", "items", "timers", "tasks")
"""Tables that hold what an execution needs to go on; also one that failed, which can be redriven."""

_events_encoder = msgspec.msgpack.Encoder()
_events_decoder = msgspec.msgpack.Decoder(list[HistoryEvent])


class SqliteStore:
    """See `Store`."""

    durable = True

    def __init__(self, path: Path | str, *, synchronous: str = "NORMAL") -> None:
        """Open or make the file. Raises StoreError."""
        self.path = Path(path)
        self._documents: dict[tuple[str, str], bytes | None] = {}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=1, isolation_level=None, check_same_thread=False)
            self._prepare(synchronous)
        except (OSError, sqlite3.Error) as problem:
            raise StoreError(f"{self.path}: {problem}") from None

    def _prepare(self, synchronous: str) -> None:
        db = self._db
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {synchronous}")
        db.execute("PRAGMA cache_size = -65536")
        db.execute("PRAGMA wal_autocheckpoint = 4000")
        db.execute("PRAGMA journal_size_limit = 67108864")
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            db.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            db.execute("COMMIT")
        elif version != SCHEMA_VERSION:
            raise StoreError(f"{self.path}: made by another version of Kaidan (schema {version}, not {SCHEMA_VERSION})")
        else:
            db.execute("BEGIN IMMEDIATE")
            db.execute("COMMIT")
        newest = "SELECT max(number, (SELECT coalesce(max(id), 0) FROM executions)) FROM last_number"
        self._last: int = db.execute(newest).fetchone()[0]
        """The number of the newest execution that there ever was; it may be removed by now."""

    # --- writing ------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing. Raises StoreError."""
        db = self._db
        try:
            db.execute("BEGIN IMMEDIATE")
            yield
            db.execute("COMMIT")
        except sqlite3.Error as problem:
            raise StoreError(f"{self.path}: {problem}") from problem
        finally:
            if db.in_transaction:  # SQLite may have rolled back by itself, of a full disk for instance
                db.execute("ROLLBACK")

    def save(self, changes: Iterable[Change]) -> None:
        with self._transaction():
            for are_new, those in groupby(changes, lambda change: change.new):
                (self._insert if are_new else self._update)(list(those))
            self._save_documents()
        self._documents.clear()

    def _insert(self, changes: Sequence[Change]) -> None:
        """In two statements: many executions of Map Runs, and short ones, have ended before they are ever saved."""
        numbered = list(enumerate(changes, self._last + 1))
        self._last += len(numbered)
        self._db.executemany(_INSERT, [(number, *_fields(change)) for number, change in numbered])
        self._write_events([each for each in numbered if each[1].events])
        for number, change in numbered:
            if not change.closed:
                self._write_open(number, change)

    def _update(self, changes: Sequence[Change]) -> None:
        for change in changes:
            (number,) = self._db.execute(_UPDATE, _changed_fields(change)).fetchone()
            if change.events:
                self._write_events([(number, change)])
            if change.closed:
                for table in _OF_OPEN_ONES:
                    self._db.execute(f"DELETE FROM {table} WHERE execution = ?", (number,))
            else:
                self._write_open(number, change)

    def _write_events(self, numbered: Iterable[tuple[int, Change]]) -> None:
        encode = _events_encoder.encode
        parts = [(_part(number, change.events[0].id), encode(change.events)) for number, change in numbered]
        self._db.executemany("INSERT INTO history VALUES (?, ?)", parts)

    def _write_open(self, execution: int, change: Change) -> None:
        """What an execution needs to go on."""
        db = self._db
        _write(db, "frames (execution, frame, data)", execution, change.frames)
        _write(db, "timers (execution, request, due_ms)", execution, change.timers)
        _write(db, "tasks (execution, request, data)", execution, change.tasks)
        if change.items:
            rows = [(execution, *item) for item in change.items]
            db.executemany("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?)", rows)
        _remove(db, "frames", "frame", execution, change.gone_frames)
        _remove(db, "items", "frame", execution, change.gone_frames)
        _remove(db, "timers", "request", execution, change.gone_timers)
        _remove(db, "tasks", "request", execution, change.gone_tasks)

    def put(self, kind: str, key: str, data: bytes) -> None:
        self._documents[kind, key] = data

    def drop(self, kind: str, key: str) -> None:
        self._documents[kind, key] = None

    def _save_documents(self) -> None:
        for (kind, key), data in self._documents.items():
            if data is None:
                self._db.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key))
            else:
                self._db.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", (kind, key, data))

    def forget_closed(self, before_ms: int, limit: int, kept: Iterable[str] = ()) -> int:
        query = (
            "SELECT id FROM executions WHERE stop_ms > 0 AND stop_ms < ? "
            "AND (map_run_arn IS NULL "
            "OR map_run_arn NOT IN (SELECT value FROM json_each(?))) LIMIT ?"
        )
        ids = self._db.execute(query, (before_ms, json.dumps(list(kept)), limit)).fetchall()
        with self._transaction():
            parts = [(_part(execution), _part(execution + 1)) for (execution,) in ids]
            self._db.executemany("DELETE FROM history WHERE part >= ? AND part < ?", parts)
            for table in _OF_OPEN_ONES:
                self._db.executemany(f"DELETE FROM {table} WHERE execution = ?", ids)
            self._db.executemany("DELETE FROM executions WHERE id = ?", ids)
            self._db.execute("UPDATE last_number SET number = ?", (self._last,))
        return len(ids)

    # --- reading ------------------------------------------------------------------------------------------

    def _ask(self, query: str, values: Iterable[object] = ()) -> sqlite3.Cursor:
        """Raises StoreError: a file that cannot be read is no fault of whoever asks."""
        try:
            return self._db.execute(query, tuple(values))
        except sqlite3.Error as problem:
            raise StoreError(f"{self.path}: {problem}") from problem

    def row(self, arn: str) -> Row | None:
        found = self._ask(f"{_SELECT_ROWS} WHERE arn = ?", (arn,)).fetchone()
        return _row(found) if found else None

    def load(self, arn: str) -> Stored | None:
        row = self.row(arn)
        if row is None:
            return None
        execution = self._id(arn)
        frames = dict(self._ask("SELECT frame, data FROM frames WHERE execution = ?", (execution,)))
        items: dict[int, dict[int, str]] = {}
        for frame, item, data in self._ask("SELECT frame, item, data FROM items WHERE execution = ?", (execution,)):
            items.setdefault(frame, {})[item] = data
        return Stored(row=row, frames=frames, items=items)

    def _id(self, arn: str) -> int:
        found = self._ask("SELECT id FROM executions WHERE arn = ?", (arn,)).fetchone()
        return found[0] if found else 0

    def history(self, arn: str, first_id: int, count: int) -> list[HistoryEvent]:
        execution = self._id(arn)
        bounds = _part(execution), _part(execution, first_id)
        (start,) = self._ask("SELECT max(part) FROM history WHERE part >= ? AND part <= ?", bounds).fetchone()
        query = "SELECT data FROM history WHERE part >= ? AND part < ? ORDER BY part"
        events: list[HistoryEvent] = []
        for (data,) in self._ask(query, (start or bounds[1], _part(execution + 1))):
            events += [event for event in _events_decoder.decode(data) if event.id >= first_id]
            if len(events) >= count:
                break
        return events[:count]

    def event_count(self, arn: str) -> int:
        found = self._ask("SELECT events FROM executions WHERE arn = ?", (arn,)).fetchone()
        return found[0] if found else 0

    def children(self, map_run_arn: str, succeeded: bool, after: int, limit: int) -> list[Row]:
        statuses = "'SUCCEEDED'" if succeeded else "'FAILED', 'TIMED_OUT', 'ABORTED'"
        where = f"map_run_arn = ? AND id > ? AND status IN ({statuses})"
        query = f"{_SELECT_ROWS} WHERE {where} ORDER BY id LIMIT ?"
        return [_row(found) for found in self._ask(query, (map_run_arn, after, limit))]

    def list(self, query: Query) -> list[Row]:
        """Of a machine: status by status, as the index has them, so that a page costs no more than its rows."""
        if query.machine_arn is None or query.status is not None:
            return list(self._listed(query))
        found = merge(
            *(self._listed(msgspec.structs.replace(query, status=status)) for status in _STATUSES),
            key=query.place,
            reverse=True,
        )
        return list(islice(found, query.limit))

    def _listed(self, query: Query) -> Iterator[Row]:
        where, values = _where(query)
        columns = "id" if query.machine_arn is None else "moment_ms, id"
        if query.after is not None:
            where += f" AND ({columns}) < (?, ?)" if query.machine_arn else " AND id < ?"
            values += query.after if query.machine_arn else query.after[1:]
        order = ", ".join(f"{column} DESC" for column in columns.split(", "))
        text = f"{_SELECT_ROWS} WHERE {where} ORDER BY {order} LIMIT ?"
        return map(_row, self._ask(text, [*values, query.limit]))

    def last_number(self) -> int:
        return self._last

    def count(self, query: Query) -> int:
        where, values = _where(query)
        return int(self._ask(f"SELECT count(*) FROM executions WHERE {where}", values).fetchone()[0])

    def timers(self) -> Iterator[tuple[str, int, int]]:
        query = "SELECT arn, request, due_ms FROM timers JOIN executions ON id = execution"
        yield from self._ask(query)

    def tasks(self) -> Iterator[tuple[str, int, bytes]]:
        yield from self._ask("SELECT arn, request, data FROM tasks JOIN executions ON id = execution")

    def pending(self) -> Iterator[Row]:
        return self._rows("pending")

    def undelivered(self) -> Iterator[Row]:
        return self._rows("undelivered")

    def _rows(self, flag: str) -> Iterator[Row]:
        return map(_row, self._ask(f"{_SELECT_ROWS} WHERE {flag}").fetchall())

    def documents(self, kind: str) -> Iterator[tuple[str, bytes]]:
        yield from self._ask("SELECT key, data FROM documents WHERE kind = ?", (kind,)).fetchall()

    def get(self, kind: str, key: str) -> bytes | None:
        if (kind, key) in self._documents:
            return self._documents[kind, key]
        query = "SELECT data FROM documents WHERE kind = ? AND key = ?"
        found = self._ask(query, (kind, key)).fetchone()
        return found[0] if found else None

    def close(self) -> None:
        self._db.close()


def _part(execution: int, first_id: int = 0) -> int:
    """The key of what begins with an event: its id is below 65,536, a history having 25,000 events at most."""
    return execution << 16 | first_id


def _write(db: sqlite3.Connection, target: str, execution: int, rows: dict[int, bytes] | dict[int, int]) -> None:
    if rows:
        values = [(execution, key, value) for key, value in rows.items()]
        db.executemany(f"INSERT OR REPLACE INTO {target} VALUES (?, ?, ?)", values)


def _remove(db: sqlite3.Connection, table: str, column: str, execution: int, keys: list[int]) -> None:
    if keys:
        db.executemany(f"DELETE FROM {table} WHERE execution = ? AND {column} = ?", [(execution, key) for key in keys])


def _fields(change: Change) -> tuple[object, ...]:
    row = change.row
    what = (row.arn, row.machine_arn, row.name, row.status, row.start_ms, row.stop_ms)
    whose = (row.version_arn, row.alias_arn, row.map_run_arn, row.parent_request)
    return (*what, *whose, row.undelivered, row.pending, row.redriven, row.moment_ms, len(change.events), row.head)


def _changed_fields(change: Change) -> tuple[object, ...]:
    row = change.row
    what = (row.status, row.start_ms, row.stop_ms, row.parent_request, row.undelivered, row.pending, row.redriven)
    return (*what, row.moment_ms, len(change.events), row.head, row.arn)


def _row(found: tuple[object, ...]) -> Row:
    names = ("number", *_COLUMNS.split(", ")[1:], *_FLAGS, "moment_ms", "head")
    values = dict(zip(names, found, strict=True))
    values |= {flag: bool(values[flag]) for flag in _FLAGS}
    return Row(**values)  # type: ignore[arg-type]


def _where(query: Query) -> tuple[str, list[object]]:
    columns = ("machine_arn", "version_arn", "alias_arn", "map_run_arn", "status", "redriven")
    given = {column: getattr(query, column) for column in columns if getattr(query, column) is not None}
    conditions = ["id > ?", *(f"{column} = ?" for column in given)]
    if query.machine_arn is not None:  # a child's machine is its Map Run's own
        conditions.append("map_run_arn IS NULL")
    return " AND ".join(conditions), [query.since, *given.values()]
