"""The SQLite file under the journal: created private, opened only at a version we know, never replaced.

Reading where nothing was ever written gives an empty journal and creates nothing.
Every sqlite3 error leaves here as a RatectlError that names the file.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ratectl import paths
from ratectl.errors import CannotCreateError, ConfigError, RefusedError, StorageError, TryLaterError
from ratectl.journal import schema
from ratectl.runtime import trust

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from pathlib import Path

    from ratectl.errors import RatectlError

FILE = "journal.sqlite3"
BUSY_SECONDS = 30


OURS = frozenset({"jobs", "firings", "quotes", "lines"})
"""Tables that every version of the journal has."""
FOREIGN = "holds another program's tables, not ratectl's; move the file away"


class DamagedError(StorageError):
    """The file is a journal, and not all of it can be read."""


class SqliteDatabase:
    """One connection, opened at its first use."""

    queue_prefix = ""
    foreign = FOREIGN

    def __init__(self, state_dir: Path, shown: Path | None = None) -> None:
        self.path = state_dir / FILE
        self.shown = shown or self.path
        """What messages name: the file of which this one is a copy, or itself."""
        self._connection: sqlite3.Connection | None = None
        self._stored = False
        self._inode: int | None = None
        """Of the file that the connection was opened to; None where there is none, or on Windows."""

    @staticmethod
    def clock(now: dt.datetime) -> int:
        """Return the Unix time by which leases are measured: the caller's *now*, as on one machine."""
        return int(now.timestamp())

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def rows(self, sql: str, values: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        """Return what a query finds."""
        with self._translated():
            return self._readable().execute(sql, values).fetchall()

    def check(self) -> None:
        """Read the whole file through. Raises StorageError where it is damaged."""
        problems = [str(row[0]) for row in self.rows("PRAGMA quick_check(1)")]
        if problems != ["ok"]:
            raise self._damaged(problems[0])

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
            try:
                connection.execute("BEGIN IMMEDIATE")  # after which a Ctrl-C may come at once
                yield connection
                connection.execute("COMMIT")
                self._see_that_it_is_there()
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _readable(self) -> sqlite3.Connection:
        if self._connection is None:
            if self._holds_something():
                return self._open()
            self._connection = _connect(":memory:")
            schema.create(self._connection)
            self._stored = False
        return self._connection

    def _holds_something(self) -> bool:
        """Tell whether there is a file with anything in it; an empty one is left to whoever writes."""
        try:
            self.require_private_folder(make=False)
            status = self.path.stat()
        except FileNotFoundError:
            return False
        except NotADirectoryError as error:
            raise StorageError(
                f"{self.path.parent}: is no folder, and the journal needs one; name another in RATECTL_STATE_DIR"
            ) from error
        except PermissionError as error:
            raise RefusedError(
                f"{self.shown}: may not be read by this account; `ratectl doctor` names what ends it"
            ) from error
        except OSError as error:
            raise StorageError(f"{self.shown}: cannot be read: {error.strerror}") from error
        return status.st_size > 0

    def require_private_folder(self, *, make: bool) -> None:
        """Raise RefusedError where the state directory is not this account's alone; with *make* it is made."""
        trust.require_private(str(self.path.parent), make=make)

    def _writable(self) -> sqlite3.Connection:
        if self._connection is None or not self._stored:
            self.close()
            self._create()
            return self._open()
        return self._connection

    def _create(self) -> None:
        try:
            self.require_private_folder(make=True)
            # SQLite's own files copy this mode
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise CannotCreateError(
                f"{self.shown}: cannot create the journal: {error.strerror}"
            ) from error

    def _open(self) -> sqlite3.Connection:
        self._connection = connection = _connect(str(self.path))
        self._stored = True
        self._inode = _inode(self.path)
        try:
            self._make_current(connection)
        except (
            BaseException
        ):  # a full disk, say: what is half made is not used as if it were a journal
            self.close()
            raise
        return connection

    def _make_current(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != schema.VERSION:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
            if tables and not tables >= OURS:
                raise ConfigError(f"{self.shown}: {self.foreign}")
        if version > schema.VERSION:
            raise ConfigError(
                f"{self.shown}: written by a newer ratectl (journal version {version}, this one knows "
                f"{schema.VERSION}); upgrade ratectl"
            )
        if version < schema.VERSION:
            _keep_a_write_ahead_log(connection)
            connection.execute("BEGIN IMMEDIATE")
            _bring_up(connection)
            connection.execute("COMMIT")

    def _see_that_it_is_there(self) -> None:
        """Raise StorageError where the file was deleted or replaced under us: what was committed lies in no file then."""
        if self._stored and _inode(self.path) != self._inode:
            raise StorageError(
                f"{self.shown}: was deleted or replaced while we were at work, and what was just recorded "
                "went with it; put it back, or install the spec again, and run the job"
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            text = str(error)
            if "locked" in text:
                raise TryLaterError(f"{self.shown}: busy for {BUSY_SECONDS} s ({text})") from error
            if "not a database" in text or "malformed" in text:
                raise self._damaged(text) from error
            if "no such table" in text:
                raise ConfigError(f"{self.shown}: {self.foreign}") from error
            if "unable to open" in text:
                raise self._unopenable(text) from error
            if "readonly" in text:
                text = "may not be written to; `ratectl doctor` shows what ends it"
            raise StorageError(f"{self.shown}: {text}") from error

    def _damaged(self, text: str) -> DamagedError:
        return DamagedError(
            f"{self.shown}: damaged ({text}); nothing was changed. Restore it from a backup, or type "
            "what `ratectl doctor` names: it keeps this file, and saves what can be read of it"
        )

    def _unopenable(self, text: str) -> RatectlError:
        """Return what stands in the way of opening, of which SQLite says only that something does."""
        if paths.is_folder(self.path):
            return StorageError(f"{self.shown}: is a folder, not a journal; move it away")
        if not os.access(self.path, os.R_OK):
            return RefusedError(
                f"{self.shown}: may not be read by this account; `ratectl doctor` names what ends it"
            )
        if not os.access(self.path.parent, os.W_OK):
            return StorageError(f"{self.path.parent}: may not be written to by this account")
        return StorageError(f"{self.shown}: {text}; is the disk full, or the folder read-only?")


def _inode(path: Path) -> int | None:
    if sys.platform == "win32":
        return None  # which lets nobody delete an open file
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def _keep_a_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch the file to WAL mode: the one statement for which SQLite does not wait by itself while another writes.

    It already holds a read lock there, and two that waited with one would wait for each other:
    https://www.sqlite.org/c3ref/busy_handler.html
    """
    patience = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > patience:
                raise
            time.sleep(0.01)
        else:
            return


def _bring_up(connection: sqlite3.Connection) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version:  # another process may have been first: then there is nothing left to migrate
        schema.migrate(connection, version)
    else:
        schema.create(connection)
    connection.execute(f"PRAGMA user_version = {schema.VERSION}")
