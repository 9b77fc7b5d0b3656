"""A job's record under another name: every row goes along, in one transaction of each database.

Where several hosts share a store, the first of them renames what is there; the others find it done.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ratectl.journal.statements import Statements

KEYS: Mapping[str, tuple[str, ...]] = {
    "firings": ("slot",),
    "quotes": ("slot", "base", "quote"),
}
"""The tables in which a row is known by its job and these columns."""
PLAIN = ("quarantine", "lines")
"""Those that have numbers of their own."""
NOTE = "renamed:"
"""How the keys in ``meta`` begin under which a new name stands until no engine holds the old one."""


def rename_rows(connection: Statements, old: str, new: str) -> None:
    """Put what was recorded for *old* under *new*; what stands there for the same slot already is left alone."""
    for table, columns in KEYS.items():
        same = " AND ".join(f"other.{column} = {table}.{column}" for column in columns)
        connection.execute(
            f"UPDATE {table} SET job = ? WHERE job = ? AND NOT EXISTS"  # noqa: S608 - our names
            f" (SELECT 1 FROM {table} AS other WHERE other.job = ? AND {same})",
            (new, old, new),
        )
    for table in PLAIN:
        connection.execute(f"UPDATE {table} SET job = ? WHERE job = ?", (new, old))  # noqa: S608 - our names


def rename_job(connection: Statements, old: str, new: str) -> None:
    """Give the job *old* of this machine the name *new*, with its position and its failures in a row."""
    for row in connection.execute("SELECT snapshot FROM jobs WHERE name = ?", (old,)).fetchall():
        snapshot = json.dumps({**json.loads(row["snapshot"]), "name": new})
        connection.execute(
            "UPDATE jobs SET name = ?, snapshot = ?, next_due = NULL WHERE name = ?",
            (new, snapshot, old),
        )
    rename_rows(connection, old, new)


def note(connection: Statements, old: str, new: str) -> None:
    """Note that an engine may still hold *old*, which is *new* by now."""
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (f"{NOTE}{old}", new),
    )


def strike(connection: Statements, names: Iterable[str]) -> None:
    """Strike the notes of old *names*: no engine holds them any more."""
    for name in names:
        connection.execute("DELETE FROM meta WHERE key = ?", (f"{NOTE}{name}",))
