"""The SQLite file under the journal: created private, opened only at a version we know, never replaced.

Reading where nothing was ever written gives an empty journal and creates nothing.
Every sqlite3 error leaves here as a RatectlError that names the file.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ratectl.errors import CannotCreateError, ConfigError, RefusedError, StorageError, TryLaterError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "journal.sqlite3"
VERSION = 1
BUSY_SECONDS = 30
SCHEMA = """
CREATE TABLE jobs (
    name TEXT PRIMARY KEY,
    snapshot TEXT NOT NULL,            -- Job.to_plain() as JSON
    spec TEXT NOT NULL,                -- path of the spec file
    digest TEXT NOT NULL,              -- of the spec file when it was installed
    backend TEXT NOT NULL,
    scope TEXT NOT NULL,
    host_timezone TEXT NOT NULL,
    installed_at INTEGER NOT NULL,     -- instants are Unix seconds
    settled_until INTEGER NOT NULL,    -- watermark: no slot up to here is due any more
    enabled INTEGER NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0,
    missed INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,  -- in a row
    next_due INTEGER,                  -- NULL: look; set only when nothing is due or undelivered
    checked_at INTEGER,                -- when next_due was computed
    zone_file TEXT,                    -- what next_due was computed with
    zone_stamp TEXT
) STRICT;
CREATE TABLE firings (
    job TEXT NOT NULL,
    slot INTEGER NOT NULL,
    state TEXT NOT NULL,               -- claimed, open or settled
    owner TEXT NOT NULL,               -- host:pid
    lease_until INTEGER NOT NULL,
    outcome TEXT NOT NULL DEFAULT '',  -- recorded, closed, missed, failed
    detail TEXT NOT NULL DEFAULT '',
    at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,  -- that ended in an answer which failed a check
    PRIMARY KEY (job, slot)
) STRICT, WITHOUT ROWID;
CREATE TABLE quotes (
    job TEXT NOT NULL,
    slot INTEGER NOT NULL,
    base TEXT NOT NULL,
    quote TEXT NOT NULL,
    rate TEXT NOT NULL,
    rate_date TEXT NOT NULL,
    provider TEXT NOT NULL,
    provider_time INTEGER,
    observed_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    legs TEXT NOT NULL DEFAULT '[]',   -- [[base, quote, rate], ...]
    PRIMARY KEY (job, slot, base, quote)
) STRICT, WITHOUT ROWID;
CREATE INDEX quotes_by_pair ON quotes (base, quote, rate_date);
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    job TEXT NOT NULL,
    slot INTEGER NOT NULL,
    provider TEXT NOT NULL,
    base TEXT NOT NULL DEFAULT '',
    quote TEXT NOT NULL DEFAULT '',
    rate TEXT NOT NULL DEFAULT '',     -- empty where the body gave none
    rate_date TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL,
    body BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE lines (
    id INTEGER PRIMARY KEY,
    target TEXT NOT NULL,              -- absolute path of a file, "sqlite:PATH" or a database's URL
    job TEXT NOT NULL,                 -- empty for what a rotation dropped and is written again
    slot INTEGER NOT NULL,
    data BLOB NOT NULL                 -- a line of the file, or a row as JSON
) STRICT;
CREATE INDEX lines_by_target ON lines (target, id);
CREATE TABLE sinks (                   -- one row for each file that we append to
    target TEXT PRIMARY KEY,
    start INTEGER,                     -- in flight: the append begins here; NULL: none
    inode TEXT NOT NULL DEFAULT '',    -- in flight: of the file then
    changed INTEGER NOT NULL DEFAULT 0,  -- in flight: when it had last changed, in nanoseconds
    before_it BLOB NOT NULL DEFAULT x'',  -- in flight: the bytes before the append
    head BLOB NOT NULL DEFAULT x'',    -- in flight: what goes before the lines
    last_line INTEGER,                 -- in flight: the last line's id
    position INTEGER NOT NULL DEFAULT 0,  -- end of our last confirmed append
    sent BLOB NOT NULL DEFAULT x'',    -- that append, in case a rotation drops it; empty: none
    sent_inode TEXT NOT NULL DEFAULT '',
    sent_changed INTEGER NOT NULL DEFAULT 0,
    sent_before BLOB NOT NULL DEFAULT x'',
    sent_since INTEGER NOT NULL DEFAULT 0  -- when it was written, or the first of those joined in it
) STRICT;
"""


class Database:
    """One connection, opened at its first use."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / FILE
        self._connection: sqlite3.Connection | None = None
        self._stored = False

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def rows(self, sql: str, values: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        """Return what a query finds."""
        with self._translated():
            return self._readable().execute(sql, values).fetchall()

    def each(self, sql: str, values: tuple[object, ...] = ()) -> Iterator[sqlite3.Row]:
        """Yield what a query finds, in constant memory."""
        with self._translated():
            yield from self._readable().execute(sql, values)

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """Give a connection whose writes happen together or not at all.

        A *durable* one survives a loss of power once the block has ended; any
        other survives the death of this process.
        """
        with self._translated():
            connection = self._writable()
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _readable(self) -> sqlite3.Connection:
        if self._connection is None:
            if self._exists():
                return self._open()
            self._connection = _connect(":memory:")
            self._connection.executescript(SCHEMA)
            self._stored = False
        return self._connection

    def _exists(self) -> bool:
        try:
            self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except PermissionError as error:
            raise RefusedError(f"{self.path}: may not be read by this account") from error
        except OSError as error:
            raise StorageError(f"{self.path}: cannot be read: {error.strerror}") from error
        return True

    def _writable(self) -> sqlite3.Connection:
        if self._connection is None or not self._stored:
            self.close()
            _create_private(self.path)
            return self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        self._connection = connection = _connect(str(self.path))
        self._stored = True
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            self.close()
            raise ConfigError(
                f"{self.path}: written by a newer ratectl (journal version {version}, this one knows "
                f"{VERSION}); upgrade ratectl"
            )
        if version < VERSION:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("PRAGMA user_version").fetchone()[0] < VERSION:
                _create_tables(connection, self.path)
            connection.execute("COMMIT")
        return connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            text = str(error)
            if "locked" in text:
                raise TryLaterError(f"{self.path}: busy for {BUSY_SECONDS} s ({text})") from error
            if "not a database" in text or "malformed" in text:
                raise StorageError(
                    f"{self.path}: damaged ({text}); nothing was changed. Restore it from a backup, "
                    "or move it away and install the spec again (output files stay as they are)"
                ) from error
            raise StorageError(f"{self.path}: {text}") from error


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def _create_private(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite's own files copy this mode
    except OSError as error:
        raise CannotCreateError(f"{path}: cannot create the journal: {error.strerror}") from error


def _create_tables(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        connection.execute("ROLLBACK")
        raise ConfigError(f"{path}: holds tables that are not ratectl's; move the file away")
    for statement in SCHEMA.split(";\n"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")
