"""The journal of one machine: its installed jobs, how far each has come, and the way to its store.

``next_due`` is set only when nothing is due and nothing waits for an output, so a wakeup may trust it.
"""

from __future__ import annotations

import json
import secrets
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from ratectl.errors import ConfigError, RatectlError
from ratectl.journal import renaming
from ratectl.journal.job_store import JobStore
from ratectl.journal.rate_store import RateStore
from ratectl.journal.rows import Firing, Installed, RecordedQuote, to_installed, unix
from ratectl.journal.sqlite_database import SqliteDatabase
from ratectl.model.quote import SuspectQuote

if TYPE_CHECKING:
    import datetime as dt
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from types import TracebackType

    from ratectl.journal.rate_store import Database
    from ratectl.model.job import Job

__all__ = ["Firing", "Installed", "Journal", "RecordedQuote", "SuspectQuote"]


class Journal(JobStore):
    """The journal in one state directory: ``with Journal(state_dir) as journal``."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(SqliteDatabase(state_dir))
        self.state_dir = state_dir
        self._books: dict[str, RateStore] = {}

    def store(self, job: Job | None = None) -> RateStore:
        """Return the store that *job* is recorded in; without a job this machine's own."""
        return self.book_at(job.journal if job else "")

    def book_at(self, url: str) -> RateStore:
        """Return the store in the database at *url*; for an empty text this machine's own."""
        if url not in self._books:
            self._books[url] = RateStore(self._store(url), self.owner)
        return self._books[url]

    def _store(self, url: str) -> Database:
        if not url:
            return self.database
        from ratectl.journal.postgres_database import PostgresDatabase  # noqa: PLC0415 - most have none

        return PostgresDatabase(url, self.installation)

    def stores(self) -> tuple[RateStore, ...]:
        """Return every store that an installed job is recorded in, this machine's own first."""
        found = dict.fromkeys((self.store(), *(self.store(row.job) for row in self.readable())))
        return tuple(found)

    def shared(self, name: str) -> str:
        """Return the URL of the database that the job *name* records in, also of one that was removed; else an empty text."""
        rows = self.database.rows("SELECT snapshot FROM jobs WHERE name = ?", (name,))
        return _url_in(rows[0]["snapshot"]) if rows else ""

    def book_of(self, name: str) -> RateStore:
        """Return the store of the job *name*, also of one that was removed; this machine's own for an unknown one."""
        return self.book_at(self.shared(name))

    def owner(self) -> str:
        """Return who claims slots here: ``host/installation``."""
        return f"{socket.gethostname()}/{self.installation()}"

    def installation(self) -> str:
        """Return the name of this state directory, drawn at the first time, since names of hosts are neither unique nor for ever."""
        rows = self.database.rows("SELECT value FROM meta WHERE key = 'installation'")
        if rows:
            return str(rows[0]["value"])
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO meta VALUES ('installation', ?)", (secrets.token_hex(4),)
            )
        return self.installation()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for store in self._books.values():
            store.database.close()
        self._books.clear()
        self.database.close()

    # What anyone may read

    def installed(self) -> tuple[Installed, ...]:
        """Return every installed job, by name. Raises ConfigError for one of another version of ratectl."""
        return tuple(to_installed(row) for row in self._not_removed())

    def readable(self) -> tuple[Installed, ...]:
        """Return :meth:`installed` without jobs of another version: for those who put them right."""
        jobs = []
        for row in self._not_removed():
            with suppress(ConfigError):
                jobs.append(to_installed(row))
        return tuple(jobs)

    def _not_removed(self) -> list[sqlite3.Row]:
        return self.database.rows("SELECT * FROM jobs WHERE NOT removed ORDER BY name")

    def installed_job(self, name: str) -> Installed:
        """Return one installed job. Raises ConfigError for a name that is not installed."""
        rows = self.database.rows("SELECT * FROM jobs WHERE name = ? AND NOT removed", (name,))
        if rows:
            return to_installed(rows[0])
        names = [
            row["name"] for row in self.database.rows("SELECT name FROM jobs WHERE NOT removed")
        ]
        import difflib  # noqa: PLC0415 - for this message only

        close = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "; `ratectl list` shows what is"
        raise ConfigError(f"job {name!r} is not installed{hint}")

    def remembered(self, name: str) -> Installed:
        """Return a job that is installed or was, before it was removed. Raises ConfigError for an unknown name."""
        rows = self.database.rows("SELECT * FROM jobs WHERE name = ?", (name,))
        return to_installed(rows[0]) if rows else self.installed_job(name)

    def known(self) -> frozenset[str]:
        """Return the names of all jobs that were ever installed and not purged."""
        return frozenset(row["name"] for row in self.database.rows("SELECT name FROM jobs"))

    def last_firings(
        self, jobs: Iterable[Installed], on_unreachable: Callable[[RatectlError], None]
    ) -> dict[str, Firing]:
        """Return the newest firing of each of *jobs* that has one; *on_unreachable* is called with the error of each shared store out of reach."""
        names: dict[RateStore, list[str]] = {}
        for row in jobs:
            names.setdefault(self.store(row.job), []).append(row.job.name)
        found: dict[str, Firing] = {}
        for store, group in names.items():
            try:
                found |= store.last_firings(group)
            except RatectlError as error:
                if store.database is self.database:
                    raise
                on_unreachable(error)
        return found

    def counting_together(
        self, jobs: Iterable[Installed], last: Mapping[str, Firing]
    ) -> tuple[Installed, ...]:
        """Return *jobs* with their failures in a row, given the *last* firing of each.

        Those that several hosts or pods record together are counted in their store, not by this machine.
        """
        told = tuple(jobs)
        asked: dict[RateStore, list[str]] = {}
        counted: dict[str, int] = {}
        for row in told:
            firing = last.get(row.job.name)
            if row.job.journal and firing is not None:
                counted[row.job.name] = 0
                if firing.outcome not in {"recorded", "closed"}:
                    asked.setdefault(self.store(row.job), []).append(row.job.name)
        for store, names in asked.items():
            with suppress(
                RatectlError
            ):  # who told the last firing has said that it is out of reach
                counted |= store.failures(names)
        return tuple(row._replace(failures=counted.get(row.job.name, row.failures)) for row in told)

    # Renaming

    def rename_jobs(self, renames: Mapping[str, str]) -> None:
        """Give jobs other names, old to new: their record, position and failures in a row go along.

        Until :meth:`end_renames` the old names are noted, since an engine may still hold them.
        """
        self._rename_in_shared_stores(renames)
        with self.database.transaction(durable=True) as connection:
            for old, new in renames.items():
                renaming.rename_job(connection, old, new)
                renaming.note(connection, old, new)

    def rename_back(self, renames: Mapping[str, str]) -> None:
        """Undo :meth:`rename_jobs`, after an install that failed."""
        back = {new: old for old, new in renames.items()}
        self._rename_in_shared_stores(back)
        with self.database.transaction(durable=True) as connection:
            for new, old in back.items():
                renaming.rename_job(connection, new, old)
            renaming.strike(connection, renames)

    def end_renames(self, names: Iterable[str]) -> None:
        """Note that no engine holds the old *names* any more."""
        with self.database.transaction(durable=True) as connection:
            renaming.strike(connection, names)

    def renamed(self) -> dict[str, str]:
        """Return the old names that an engine may still hold, each with its new one."""
        sql = "SELECT key, value FROM meta WHERE substr(key, 1, ?) = ?"
        rows = self.database.rows(sql, (len(renaming.NOTE), renaming.NOTE))
        return {row["key"].removeprefix(renaming.NOTE): row["value"] for row in rows}

    def _rename_in_shared_stores(self, renames: Mapping[str, str]) -> None:
        """Rename in databases that others share, before this machine's own: what is cut short is then done again."""
        for old, new in renames.items():
            if url := self.shared(old):
                with self.book_at(url).database.transaction(durable=True) as connection:
                    renaming.rename_rows(connection, old, new)

    # What a firing writes

    def watermark(self, installed: Installed, now: dt.datetime) -> dt.datetime:
        """Return up to where the slots of a job are settled, as far as *now* can know.

        One that lies ahead was moved there while the clock stood wrong: it goes back to the last
        slot that was settled, and what was given up ahead of now is undone.
        """
        found = self.installed_job(installed.job.name)
        if not found.installed_at <= now < found.settled_until:
            return found.settled_until
        settled = self.store(installed.job).forget_ahead(found.job.name, now)
        until = max(found.installed_at, settled or found.installed_at)
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET next_due = NULL, settled_until = ? WHERE name = ?",
                (unix(until), found.job.name),
            )
        return until

    def advance(self, job: str, until: dt.datetime, *, missed: int = 0) -> None:
        """Move the watermark of *job* forward to *until*."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET settled_until = max(settled_until, ?), missed = missed + ?,"
                " next_due = NULL WHERE name = ?",
                (unix(until), missed, job),
            )

    def unmiss(self, job: str, count: int) -> None:
        """Count so many slots of *job* as missed no more."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET missed = max(0, missed - ?) WHERE name = ?", (count, job)
            )

    def set_next_due(
        self,
        job: str,
        due: dt.datetime | None,
        *,
        now: dt.datetime,
        zone_file: str,
        zone_stamp: str,
    ) -> None:
        """Store when to look again; None (no further slot) is stored as the end of time."""
        far = 1 << 60
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET next_due = ?, checked_at = ?, zone_file = ?, zone_stamp = ?"
                " WHERE name = ?",
                (far if due is None else unix(due), unix(now), zone_file, zone_stamp, job),
            )

    def count_failure(self, job: str, now: dt.datetime) -> int:
        """Add one failed firing in a row and return how many there are now."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET failures = failures + 1, failed_at = ? WHERE name = ?",
                (unix(now), job),
            )
            row = connection.execute("SELECT failures FROM jobs WHERE name = ?", (job,)).fetchone()
        return int(row["failures"]) if row else 1  # purged meanwhile

    def end_failures(self, job: str) -> int:
        """Note a good firing and return how many bad ones came right before it."""
        rows = self.database.rows("SELECT failures FROM jobs WHERE name = ?", (job,))
        if not rows or not rows[0]["failures"]:
            return 0
        with self.database.transaction() as connection:
            connection.execute("UPDATE jobs SET failures = 0 WHERE name = ?", (job,))
        return int(rows[0]["failures"])


def _url_in(snapshot: str) -> str:
    try:
        return str(dict(json.loads(snapshot)).get("journal", ""))
    except (TypeError, ValueError):
        return ""
