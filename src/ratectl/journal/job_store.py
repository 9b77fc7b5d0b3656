"""The jobs of one machine as install, pause, resume and remove write them: one durable transaction each.

Slots count from now when a job is new, re-enabled, resumed or rescheduled; earlier slots are never due.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ratectl.journal.rows import unix

if TYPE_CHECKING:
    import datetime as dt
    import sqlite3
    from collections.abc import Iterable, Mapping

    from ratectl.journal.sqlite_database import SqliteDatabase
    from ratectl.journal.statements import Statements
    from ratectl.model.job import Job

    JobRowBackup = dict[str, sqlite3.Row | None]
    """The rows of jobs by name, None where there was none."""


RECORD = """
INSERT INTO jobs (name, snapshot, spec, digest, backend, scope, host_timezone,
                  place, installed_at, settled_until, enabled, names_pairs)
    VALUES (?,?,?,?,?,?,?,?,?,?,?,?)
    ON CONFLICT (name) DO UPDATE SET
        snapshot = excluded.snapshot, spec = excluded.spec, digest = excluded.digest,
        backend = excluded.backend, scope = excluded.scope, host_timezone = excluded.host_timezone,
        place = excluded.place,
        installed_at = excluded.installed_at, settled_until = excluded.settled_until,
        enabled = excluded.enabled, paused = paused AND NOT removed, removed = 0, next_due = NULL,
        retry_at = 0
"""


class JobStore:
    """What is installed according to the journal, for those who change it."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.database = database

    def record_job(
        self,
        job: Job,
        *,
        spec: str,
        digest: str,
        backend: str,
        scope: str,
        host_timezone: str,
        now: dt.datetime,
        place: str = "",
    ) -> None:
        """Insert or update the snapshot of *job*; see :meth:`record_jobs`."""
        self.record_jobs(
            (job,),
            spec=spec,
            digest=digest,
            backend=backend,
            scope=scope,
            host_timezone=host_timezone,
            now=now,
            source=place,
        )

    def record_jobs(
        self,
        jobs: Iterable[Job],
        *,
        spec: str,
        digest: str,
        backend: str,
        scope: str,
        host_timezone: str,
        now: dt.datetime,
        source: str = "",
    ) -> None:
        """Insert or update the snapshots of *jobs* in one durable transaction.

        Slots count from *now* for a job that is new, was removed or switched off, or
        has another schedule than before; otherwise from where it stood. Whether lines of text name
        their pair was decided when the job was first recorded.
        """
        jobs = tuple(jobs)
        with self.database.transaction(durable=True) as connection:
            query = "SELECT * FROM jobs WHERE enabled AND NOT removed"
            known = {row["name"]: row for row in connection.execute(query)}
            rows = []
            where = (spec, digest, backend, scope, host_timezone, source)
            for job in jobs:
                row = known.get(job.name)
                settled = since = unix(now)
                if row is not None and _same_slots(row, job):
                    settled, since = row["settled_until"], row["installed_at"]
                rows.append(
                    (
                        job.name,
                        job.to_json(),
                        *where,
                        since,
                        settled,
                        job.enabled,
                        len(job.pairs) > 1,
                    )
                )
            connection.executemany(RECORD, rows)
            strike(connection, GONE, (job.name for job in jobs))

    def forget_jobs(self, names: Iterable[str]) -> None:
        """Mark jobs as removed; their firings and quotes stay."""
        with self.database.transaction(durable=True) as connection:
            connection.executemany(
                "UPDATE jobs SET removed = 1, next_due = NULL WHERE name = ?",
                [(name,) for name in names],
            )

    def pause_jobs(self, names: Iterable[str]) -> None:
        """Mark jobs as paused: they stay installed, and no firing settles their slots."""
        with self.database.transaction(durable=True) as connection:
            connection.executemany(
                "UPDATE jobs SET paused = 1, next_due = NULL WHERE name = ?",
                [(name,) for name in names],
            )

    def resume_jobs(self, names: Iterable[str], now: dt.datetime) -> None:
        """End the pause of jobs; their slots count from *now*."""
        with self.database.transaction(durable=True) as connection:
            connection.executemany(
                "UPDATE jobs SET paused = 0, next_due = NULL, retry_at = 0, installed_at = ?,"
                " settled_until = ?"
                " WHERE name = ? AND paused",
                [(unix(now), unix(now), name) for name in names],
            )

    def backup(self, names: Iterable[str]) -> JobRowBackup:
        """Return the current rows of jobs, for :meth:`restore`."""
        rows = {row["name"]: row for row in self.database.rows("SELECT * FROM jobs")}
        return {name: rows.get(name) for name in names}

    def restore(self, rows: JobRowBackup) -> None:
        """Bring jobs back to what :meth:`backup` returned, after an install that failed."""
        with self.database.transaction(durable=True) as connection:
            for name, row in rows.items():
                connection.execute("DELETE FROM jobs WHERE name = ?", (name,))
                if row is not None:
                    placeholders = ", ".join("?" * len(row))
                    connection.execute(
                        f"INSERT INTO jobs ({', '.join(row.keys())}) VALUES ({placeholders})",  # noqa: S608 - our columns
                        tuple(row),
                    )

    def purge_jobs(self, names: Iterable[str]) -> None:
        """Delete everything recorded for jobs that are removed: firings, quotes, what was quarantined."""
        with self.database.transaction(durable=True) as connection:
            for name in names:
                for table in ("firings", "quotes", "revisions", "quarantine", "lines"):
                    connection.execute(f"DELETE FROM {table} WHERE job = ?", (name,))  # noqa: S608 - our names
                connection.execute("DELETE FROM jobs WHERE name = ? AND removed", (name,))
                note(connection, GONE, name, "")
            connection.execute(
                "DELETE FROM bodies WHERE digest NOT IN (SELECT digest FROM quarantine)"
            )


def _same_slots(known: sqlite3.Row, job: Job) -> bool:
    try:
        before = dict(json.loads(known["snapshot"]))
    except (TypeError, ValueError):
        return False
    counted = {
        "schedule_texts": list(job.schedule_texts),
        "timezone": job.timezone,
        "start": job.start,
        "end": job.end,
    }
    return counted.items() <= before.items()


RENAMED: Mapping[str, tuple[str, ...]] = {
    "firings": ("slot",),
    "quotes": ("slot", "base", "quote"),
}
"""The tables in which a row is known by its job and these columns."""
RENAMED_PLAIN = ("quarantine", "lines")
"""Those that have numbers of their own."""
NOTE = "renamed:"
"""How the keys in ``meta`` begin under which a new name stands until no engine holds the old one."""
GONE = "gone:"
"""How those begin under which it stands until another job gets the old name, for people who ask for that."""


def rename_rows(connection: Statements, old: str, new: str) -> None:
    """Put what was recorded for *old* under *new*; what stands there for the same slot already is left alone."""
    for table, columns in RENAMED.items():
        same = " AND ".join(f"other.{column} = {table}.{column}" for column in columns)
        connection.execute(
            f"UPDATE {table} SET job = ? WHERE job = ? AND NOT EXISTS"  # noqa: S608 - our names
            f" (SELECT 1 FROM {table} AS other WHERE other.job = ? AND {same})",
            (new, old, new),
        )
    for table in RENAMED_PLAIN:
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


def note(connection: Statements, kind: str, old: str, new: str) -> None:
    """Note of *kind* that the job *old* is *new* by now, which is empty where its record was deleted."""
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (f"{kind}{old}", new),
    )


def strike(connection: Statements, kind: str, names: Iterable[str]) -> None:
    """Strike what was noted of old *names* under *kind*."""
    noted = {row["key"] for row in connection.execute("SELECT key FROM meta")}
    keys = [(key,) for name in names if (key := f"{kind}{name}") in noted]
    connection.executemany("DELETE FROM meta WHERE key = ?", keys)
