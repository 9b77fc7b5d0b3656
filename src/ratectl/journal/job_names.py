"""Which jobs the journal tells of, and their names for shell completion, read without creating or locking any file.

For that no file is made or changed, no older journal is brought up, nothing is waited for;
whatever stands in the way gives no names.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from ratectl import paths
from ratectl.journal.sqlite_database import FILE

if TYPE_CHECKING:
    from pathlib import Path


WITH_A_RECORD = " UNION ".join(
    f"SELECT * FROM (WITH RECURSIVE found(job) AS (SELECT min(job) FROM {table} UNION ALL"  # noqa: S608 - our names
    f" SELECT (SELECT min(job) FROM {table} WHERE job > found.job) FROM found WHERE job IS NOT NULL)"
    " SELECT job AS name FROM found WHERE job IS NOT NULL)"
    for table in ("quotes", "firings", "revisions", "quarantine")
)
"""The names of the jobs that something was recorded of: from one to the next by the index, not through all rows."""


def installed(state_dir: Path) -> tuple[str, ...]:
    """Return the names of the jobs that are installed, in order."""
    return _names(state_dir, "SELECT name FROM jobs WHERE NOT removed ORDER BY name")


def known(state_dir: Path) -> tuple[str, ...]:
    """Return the names of the jobs that are installed, were and not purged, or were copied here, in order."""
    return _names(state_dir, f"SELECT name FROM jobs UNION {WITH_A_RECORD} ORDER BY name")  # noqa: S608 - ours


def _names(state_dir: Path, query: str) -> tuple[str, ...]:
    try:
        with closing(sqlite3.connect(_address(state_dir), uri=True, timeout=0)) as connection:
            return tuple(str(row[0]) for row in connection.execute(query))
    except (sqlite3.Error, OSError):
        return ()


def _address(state_dir: Path) -> str:
    """Return the file as SQLite is to open it: to read, and as it lies there where nobody has it open.

    A reader alone with a file in WAL mode would make the log and its index, even read-only.
    """
    file = state_dir.absolute() / FILE
    beside = (file.with_name(f"{FILE}-{suffix}") for suffix in ("wal", "shm"))
    alone = "" if all(map(paths.exists, beside)) else "&immutable=1"
    return f"{file.as_uri()}?mode=ro{alone}"
