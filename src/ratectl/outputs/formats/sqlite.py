"""The table ``quotes`` in a SQLite file, which is the user's: their umask, their journal mode, their columns.

Slots and times are ISO 8601 texts in UTC, rates are texts, since SQLite's numbers are floats.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl import paths
from ratectl.errors import (
    CannotCreateError,
    RatectlError,
    RefusedError,
    StorageError,
    TryLaterError,
)
from ratectl.outputs.formats import quotes_table
from ratectl.outputs.formats.quotes_table import COLUMNS, KEY, lines
from ratectl.runtime import trust

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["insert", "lines"]

CREATE = f"""
CREATE TABLE quotes (
    {" TEXT NOT NULL, ".join(COLUMNS)} TEXT NOT NULL,
    PRIMARY KEY ({", ".join(KEY)})
)"""
INSERT = (
    f"INSERT INTO quotes ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - our names
    f" ON CONFLICT ({', '.join(KEY)}) DO NOTHING"
)
REVISE = quotes_table.REVISE
BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def insert(target: str, rows: Sequence[tuple[str, ...]], *, seconds: float) -> None:
    """Make the file at *target* hold *rows*, durably and all at once; those that it has stay, but for numbers that were revised since.

    Waits *seconds* for another program that writes. Raises TryLaterError when
    it is still writing then, CannotCreateError, or StorageError.
    """
    _make(target)
    with _translated(target, seconds), contextlib.closing(_connect(target, seconds)) as connection:
        connection.execute("PRAGMA synchronous = FULL")  # of this connection; nothing in the file
        connection.execute("BEGIN IMMEDIATE")
        _prepare(connection, target)
        if connection.executemany(INSERT, rows).rowcount < len(rows):
            connection.executemany(REVISE, map(quotes_table.revising, rows))
        connection.execute("COMMIT")


def _make(target: str) -> None:
    """Create an absent file, which SQLite would give a mode of its own choice.

    SQLite opens by name, so nobody else may be able to lay anything on the way, whatever account we are. Nor
    beside it: of a rollback journal it believes that it is its own, whoever wrote it.
    """
    path = Path(target)
    try:
        if untrusted := trust.fault(target, strict=True, alone=True):
            raise RefusedError(f"{target}: cannot be written to: {untrusted}; {KEPT_NOTE}")
        if not paths.exists(path):
            flags = os.O_RDWR | os.O_CREAT  # the user's umask applies
            os.close(trust.open_file(target, flags, strict=True, make=True))
        if not stat.S_ISREG(path.stat().st_mode):
            raise StorageError(
                f"{target}: not a regular file, so it holds no database; {KEPT_NOTE}"
            )
    except trust.UntrustedError as error:
        raise RefusedError(f"{target}: cannot be created: {error}; {KEPT_NOTE}") from error
    except OSError as error:
        raise CannotCreateError(
            f"{target}: cannot be created: {error.strerror}; {KEPT_NOTE}"
        ) from error


def _connect(target: str, seconds: float) -> sqlite3.Connection:
    return sqlite3.connect(target, timeout=seconds, isolation_level=None)


def _prepare(connection: sqlite3.Connection, target: str) -> None:
    """Create the table, or see that the one there is ours in shape; more columns may be the user's."""
    found = {name: kind for _, name, kind, *_ in connection.execute("PRAGMA table_info(quotes)")}
    if not found:
        connection.execute(CREATE)
        return
    lacking = [column for column in COLUMNS if column not in found]
    if lacking:
        raise _misshapen(target, f"it lacks {', '.join(lacking)}")
    if not any(word in found["rate"].upper() for word in ("TEXT", "CHAR")):
        raise _misshapen(target, "its column rate is not TEXT, and would round")
    if not _has_key(connection):
        raise _misshapen(target, f"it is not unique on ({', '.join(KEY)})")


def _has_key(connection: sqlite3.Connection) -> bool:
    indexes = connection.execute(
        "SELECT name FROM pragma_index_list('quotes') WHERE \"unique\" AND NOT partial"
    ).fetchall()
    return any(
        sorted(KEY)
        == sorted(
            str(column)
            for (column,) in connection.execute("SELECT name FROM pragma_index_info(?)", index)
        )
        for index in indexes
    )


def _misshapen(target: str, why: str) -> StorageError:
    return StorageError(
        f"{target}: its table quotes is of another shape: {why}; name another file, or rename "
        f"that table; {KEPT_NOTE}"
    )


KEPT_NOTE = "the rate is kept in the journal and will be written later"


@contextlib.contextmanager
def _translated(target: str, seconds: float) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _meaning(target, seconds, error) from error


def _meaning(target: str, seconds: float, error: sqlite3.Error) -> RatectlError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of it says which kind of busy
    if code in BUSY:
        return TryLaterError(f"{target}: locked by another program for {seconds:g} s; {KEPT_NOTE}")
    if code == sqlite3.SQLITE_NOTADB:
        return StorageError(f"{target}: not a SQLite database; name another file; {KEPT_NOTE}")
    return StorageError(f"{target}: {error}; {KEPT_NOTE}")
