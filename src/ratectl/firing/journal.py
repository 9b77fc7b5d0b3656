"""The book of record: installed jobs, firings, quotes, what was quarantined.

One row per (job, slot) and per (job, slot, pair), ever. ``next_due`` is set
only when nothing is due and nothing waits for an output, so a wakeup may trust it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from ratectl.errors import ConfigError
from ratectl.firing.database import Database
from ratectl.firing.rows import (
    Entry,
    Firing,
    Installed,
    Quarantined,
    aware,
    to_firing,
    to_installed,
    to_quote,
    unix,
)

if TYPE_CHECKING:
    import datetime as dt
    import sqlite3
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

    from ratectl.firing.quote import Quote
    from ratectl.model import Job, Pair

__all__ = ["Entry", "Firing", "Installed", "Journal", "Quarantined"]


class Journal:
    """The journal in one state directory: ``with Journal(state_dir) as journal``."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.database = Database(state_dir)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.database.close()

    # What install and remove write

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
    ) -> None:
        """Insert or update the snapshots of *jobs* in one durable transaction.

        Slots count from *now* for a job that is new, was removed or switched off, or
        has another schedule than before; otherwise from where it stood.
        """
        with self.database.transaction(durable=True) as connection:
            for job in jobs:
                known = connection.execute(
                    "SELECT * FROM jobs WHERE name = ? AND enabled AND NOT removed", (job.name,)
                ).fetchone()
                keeps = known is not None and _same_slots(known, job)
                settled = known["settled_until"] if keeps else unix(now)
                since = known["installed_at"] if keeps else unix(now)
                connection.execute(
                    "INSERT INTO jobs (name, snapshot, spec, digest, backend, scope, host_timezone,"
                    " installed_at, settled_until, enabled) VALUES (?,?,?,?,?,?,?,?,?,?)"
                    " ON CONFLICT (name) DO UPDATE SET snapshot = excluded.snapshot,"
                    " spec = excluded.spec, digest = excluded.digest, backend = excluded.backend,"
                    " scope = excluded.scope, host_timezone = excluded.host_timezone,"
                    " settled_until = excluded.settled_until, enabled = excluded.enabled,"
                    " installed_at = excluded.installed_at,"
                    " removed = 0, next_due = NULL",
                    (
                        job.name,
                        json.dumps(job.to_plain()),
                        spec,
                        digest,
                        backend,
                        scope,
                        host_timezone,
                        since,
                        settled,
                        job.enabled,
                    ),
                )

    def forget_jobs(self, names: Iterable[str]) -> None:
        """Mark jobs as removed; their firings and quotes stay."""
        with self.database.transaction(durable=True) as connection:
            connection.executemany(
                "UPDATE jobs SET removed = 1, next_due = NULL WHERE name = ?",
                [(name,) for name in names],
            )

    def purge_jobs(self, names: Iterable[str]) -> None:
        """Delete everything recorded for jobs that are removed: firings, quotes, what was quarantined."""
        with self.database.transaction(durable=True) as connection:
            for name in names:
                for table in ("firings", "quotes", "quarantine", "lines"):
                    connection.execute(f"DELETE FROM {table} WHERE job = ?", (name,))  # noqa: S608 - our names
                connection.execute("DELETE FROM jobs WHERE name = ? AND removed", (name,))

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

    def known(self) -> frozenset[str]:
        """Return the names of all jobs that were ever installed and not purged."""
        return frozenset(row["name"] for row in self.database.rows("SELECT name FROM jobs"))

    def last_firing(self, job: str) -> Firing | None:
        """Return the firing of the newest slot of *job*, whatever became of it."""
        rows = self.database.rows(
            "SELECT * FROM firings WHERE job = ? ORDER BY slot DESC LIMIT 1", (job,)
        )
        return to_firing(rows[0]) if rows else None

    def last_firings(self) -> dict[str, Firing]:
        """Return :meth:`last_firing` of every installed job that has one."""
        rows = self.database.rows(
            "SELECT f.* FROM jobs j JOIN firings f ON f.job = j.name AND NOT j.removed"
            " AND f.slot = (SELECT max(slot) FROM firings WHERE job = j.name)"
        )
        return {row["job"]: to_firing(row) for row in rows}

    def firing(self, job: str, slot: dt.datetime) -> Firing | None:
        """Return what became of one slot."""
        rows = self.database.rows(
            "SELECT * FROM firings WHERE job = ? AND slot = ?", (job, unix(slot))
        )
        return to_firing(rows[0]) if rows else None

    def quotes(self, job: str, slot: dt.datetime | None = None) -> Iterator[Entry]:
        """Yield the quotes of *job* (of one *slot* if given), oldest slot first, in constant memory."""
        where, values = ("", ()) if slot is None else (" AND slot = ?", (unix(slot),))
        sql = f"SELECT * FROM quotes WHERE job = ?{where} ORDER BY slot, base, quote"  # noqa: S608 - no input
        for row in self.database.each(sql, (job, *values)):
            yield Entry(slot=aware(row["slot"]), quote=to_quote(row))

    def nearest_quote(self, pair: Pair, day: dt.date) -> Quote | None:
        """Return the recorded quote of *pair* with the rate date closest before or at *day*, else after."""
        for comparison, order in (("<=", "DESC"), (">", "ASC")):
            rows = self.database.rows(
                "SELECT * FROM quotes WHERE base = ? AND quote = ?"  # noqa: S608 - no input
                f" AND rate_date {comparison} ? ORDER BY rate_date {order} LIMIT 1",
                (pair.base, pair.quote, day.isoformat()),
            )
            if rows:
                return to_quote(rows[0])
        return None

    def held_quote(self, pair: Pair, provider: str, before: dt.date) -> Decimal | None:
        """Return the last quarantined rate of *pair* by *provider* of an earlier rate date."""
        rows = self.database.rows(
            "SELECT rate FROM quarantine WHERE base = ? AND quote = ? AND provider = ?"
            " AND rate <> '' AND rate_date < ? ORDER BY id DESC LIMIT 1",
            (pair.base, pair.quote, provider, before.isoformat()),
        )
        return Decimal(rows[0]["rate"]) if rows else None

    # What a firing writes

    def claim(
        self, job: str, slot: dt.datetime, *, owner: str, now: dt.datetime, lease: int
    ) -> bool:
        """Take one slot for *owner* (``host:pid``) for *lease* seconds; False when it is not to be had.

        A claim of the same host is dead, since the caller holds the job's lock.
        """
        host = owner.rpartition(":")[0]
        with self.database.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO firings (job, slot, state, owner, lease_until, at)"
                " VALUES (?, ?, 'claimed', ?, ?, ?) ON CONFLICT (job, slot) DO UPDATE SET"
                " state = 'claimed', owner = excluded.owner, lease_until = excluded.lease_until,"
                " at = excluded.at WHERE state = 'open' OR state = 'claimed'"
                " AND (substr(owner, 1, length(?)) = ? OR lease_until < excluded.at)",
                (job, unix(slot), owner, unix(now) + lease, unix(now), f"{host}:", f"{host}:"),
            )
            return cursor.rowcount == 1

    def reopen(
        self, job: str, slot: dt.datetime, *, detail: str, now: dt.datetime, judged: bool
    ) -> int:
        """Give a claim back, the slot stays due; return how many answers for it failed a check so far."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE firings SET state = 'open', outcome = 'failed', detail = ?, at = ?,"
                " attempts = attempts + ? WHERE job = ? AND slot = ?",
                (detail, unix(now), int(judged), job, unix(slot)),
            )
            row = connection.execute(
                "SELECT attempts FROM firings WHERE job = ? AND slot = ?", (job, unix(slot))
            ).fetchone()
        return int(row["attempts"])

    def watermark(self, job: str, now: dt.datetime) -> dt.datetime:
        """Return up to where the slots of *job* are settled, as far as *now* can know.

        One that lies ahead was moved there while the clock stood wrong: it goes back to the last
        slot that was settled, and what was given up ahead of now is undone.
        """
        found = self.installed_job(job)
        if not found.installed_at <= now < found.settled_until:
            return found.settled_until
        with self.database.transaction() as connection:
            connection.execute(
                "DELETE FROM firings WHERE job = ? AND at > ?"
                " AND outcome NOT IN ('recorded', 'closed')",
                (job, unix(now)),
            )
            connection.execute(
                "UPDATE jobs SET next_due = NULL, settled_until = max(installed_at, coalesce("
                "(SELECT max(slot) FROM firings WHERE job = name AND slot <= ?"
                " AND state = 'settled'), 0)) WHERE name = ?",
                (unix(now), job),
            )
        return self.installed_job(job).settled_until

    def advance(self, job: str, until: dt.datetime, *, missed: int = 0) -> None:
        """Move the watermark of *job* forward to *until*."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET settled_until = max(settled_until, ?), missed = missed + ?,"
                " next_due = NULL WHERE name = ?",
                (unix(until), missed, job),
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

    def count_failure(self, job: str) -> int:
        """Add one failed firing in a row and return how many there are now."""
        with self.database.transaction() as connection:
            connection.execute("UPDATE jobs SET failures = failures + 1 WHERE name = ?", (job,))
            row = connection.execute("SELECT failures FROM jobs WHERE name = ?", (job,)).fetchone()
        return int(row["failures"])

    def end_failures(self, job: str) -> int:
        """Note a good firing and return how many bad ones came right before it."""
        rows = self.database.rows("SELECT failures FROM jobs WHERE name = ?", (job,))
        if not rows or not rows[0]["failures"]:
            return 0
        with self.database.transaction() as connection:
            connection.execute("UPDATE jobs SET failures = 0 WHERE name = ?", (job,))
        return int(rows[0]["failures"])


def _same_slots(known: sqlite3.Row, job: Job) -> bool:
    plain_job = job.to_plain()
    try:
        before = dict(json.loads(known["snapshot"]))
    except (TypeError, ValueError):
        return False
    return all(
        before.get(key) == plain_job[key] for key in ("schedule_texts", "timezone", "start", "end")
    )
