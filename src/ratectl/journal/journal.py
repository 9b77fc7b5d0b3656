"""The journal of one machine: its installed jobs, how far each has come, and the way to its store.

``next_due`` is set only when nothing is due and nothing waits for an output, so a wakeup may trust it.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, cast

from ratectl.errors import ConfigError, RatectlError, RemovedJobError
from ratectl.journal import job_names, job_store
from ratectl.journal.job_store import JobStore
from ratectl.journal.rate_store import RateStore
from ratectl.journal.rows import Firing, Installed, RecordedQuote, aware, to_installed, unix
from ratectl.journal.sqlite_database import SqliteDatabase
from ratectl.model.job import ACCOUNT, Job, Pair
from ratectl.model.quote import SuspectQuote
from ratectl.runtime import accounts

if TYPE_CHECKING:
    import datetime as dt
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path
    from types import TracebackType

    from ratectl.journal.account_database import AccountDatabase
    from ratectl.journal.job_store import JobRowBackup
    from ratectl.journal.rate_store import Database

TAKING_UP = "`ratectl install SPEC`, or `ratectl serve SPEC` where no scheduler runs,"
"""What makes a job of one that the journal has not, or no longer."""
REVISIT_REST = 3_000
"""Seconds between two looks for a job's marked days, however often it runs; an hourly job looks each time."""

__all__ = ["Firing", "Installed", "Journal", "RecordedQuote", "SuspectQuote"]


class Journal(JobStore):
    """The journal in one state directory: ``with Journal(state_dir) as journal``."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(SqliteDatabase(state_dir))
        self.state_dir = state_dir
        self._books: dict[str, RateStore] = {}
        self._of_accounts: dict[str, AccountDatabase] = {}

    def store(self, job: Job | None = None) -> RateStore:
        """Return the store that *job* is recorded in; without a job this machine's own."""
        return self.store_at(job.record if job else "")

    def store_at(self, url: str) -> RateStore:
        """Return the store in the database at *url* or of ``account:NAME``; for an empty text this account's own."""
        if url not in self._books:
            self._books[url] = RateStore(self._store(url), self.owner)
        return self._books[url]

    def _store(self, url: str) -> Database:
        name = url.removeprefix(ACCOUNT)
        if name == url and not url:
            return self.database
        if name != url:
            return self._database_of(name)
        from ratectl.journal.postgres_database import PostgresDatabase  # noqa: PLC0415 - most have none

        return PostgresDatabase(url, self.installation)

    def _database_of(self, name: str) -> Database:
        """Return the journal of the account *name*, which may be our own."""
        from ratectl.journal.account_database import AccountDatabase  # noqa: PLC0415 - for root

        if not accounts.is_foreign(name):
            return self.database
        if name not in self._of_accounts:
            self._of_accounts[name] = AccountDatabase(name)
        return self._of_accounts[name]

    def _store_of(self, name: str) -> JobStore:
        """Return the jobs as the account *name* has them."""
        return JobStore(cast("SqliteDatabase", self._database_of(name)))  # as far as that needs one

    def stores(self) -> tuple[RateStore, ...]:
        """Return every store that an installed job is recorded in, this machine's own first."""
        found = dict.fromkeys((self.store(), *(self.store(row.job) for row in self.readable())))
        return tuple(found)

    def shared(self, name: str) -> str:
        """Return the URL of the shared database that the job *name* records in, also of one that was removed; else an empty text."""
        return self._said(name, "journal")

    def account_of(self, name: str) -> str:
        """Return the account that the job *name* runs as, also of one that was removed; empty where that is this one."""
        user = self._said(name, "user")
        return user if accounts.is_foreign(user) else ""

    def _said(self, name: str, key: str) -> str:
        rows = self.database.rows("SELECT snapshot FROM jobs WHERE name = ?", (name,))
        return _text_in(rows[0]["snapshot"], key) if rows else ""

    def store_of_job(self, name: str) -> RateStore:
        """Return the store of the job *name*, also of one that was removed; this machine's own for an unknown one."""
        user = self._said(name, "user")
        return self.store_at(self.shared(name) or (f"{ACCOUNT}{user}" if user else ""))

    def owner(self) -> str:
        """Return who claims slots here: ``host/installation``."""
        import socket  # noqa: PLC0415 - a look asks for no lease

        return f"{socket.gethostname()}/{self.installation()}"

    def installation(self) -> str:
        """Return the name of this state directory, drawn at the first time, since names of hosts are neither unique nor for ever."""
        rows = self.database.rows("SELECT value FROM meta WHERE key = 'installation'")
        if rows:
            return str(rows[0]["value"])
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO meta VALUES ('installation', ?)", (os.urandom(4).hex(),)
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
        for database in self._of_accounts.values():
            database.close()
        self._books.clear()
        self.database.close()

    # What anyone may read

    def installed(self) -> tuple[Installed, ...]:
        """Return every installed job, by name. Raises ConfigError for one of another version of ratectl."""
        return tuple(to_installed(row) for row in self._not_removed())

    def readable(self) -> tuple[Installed, ...]:
        """Return :meth:`installed` without jobs of another version: for those who put them right."""
        return tuple(sorted(self.in_order(), key=lambda row: row.job.name))

    def in_order(self) -> tuple[Installed, ...]:
        """Return :meth:`readable` in the order in which the jobs were first recorded: the spec's, mostly."""
        return self._readable("NOT removed")

    def removed(self) -> tuple[Installed, ...]:
        """Return the jobs that were removed and whose record is kept, in the same order; then those of :meth:`copied_here`."""
        return (*self._readable("removed"), *map(self._by_its_record, sorted(self.copied_here())))

    def copied_here(self) -> frozenset[str]:
        """Return the names of which there is a record in this account's own journal, and never was a job: it was copied."""
        sql = f"SELECT name FROM ({job_names.WITH_A_RECORD}) AS found WHERE name NOT IN (SELECT name FROM jobs)"  # noqa: S608 - ours
        return frozenset(row["name"] for row in self.database.rows(sql))

    def _by_its_record(self, name: str) -> Installed:
        """Return what can be known of a job by its record alone, as of one that was removed."""
        pairs = self.database.rows(
            "SELECT DISTINCT base, quote FROM quotes WHERE job = ? ORDER BY base, quote", (name,)
        )
        job = Job(
            name=name,
            pairs=tuple(Pair(base=row["base"], quote=row["quote"]) for row in pairs),
            schedule_texts=("every day at 00:00",),
            timezone="UTC",
            providers=(),
            outputs=(),
            enabled=False,
        )
        return Installed(
            job=job,
            spec="",
            digest="",
            backend="",
            scope="",
            host_timezone="UTC",
            installed_at=aware(0),
            settled_until=aware(0),
            next_due=None,
            enabled=False,
            missed=0,
            failures=0,
            names_pairs=len(pairs) > 1,
        )

    def _readable(self, which: str) -> tuple[Installed, ...]:
        rows = self.database.rows(f"SELECT * FROM jobs WHERE {which} ORDER BY rowid")  # noqa: S608 - ours
        jobs = []
        for row in rows:
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
        raise self.unknown_job(name)

    def unknown_job(self, name: str) -> ConfigError:
        """Return what to raise for a *name* that is not installed: what became of it, and what to type instead."""
        rows = self.database.rows("SELECT name, removed FROM jobs")
        removed = {row["name"]: bool(row["removed"]) for row in rows}
        if removed.get(name):
            return RemovedJobError(name)
        if name in self.copied_here():
            return ConfigError(
                f"job {name!r} is not installed here, and its record was copied: `ratectl history {name}` shows it; "
                f"{TAKING_UP} makes it the job's where the spec has it, `ratectl remove {name} --purge` deletes it"
            )
        if told := self._what_became_of(name, removed):
            return ConfigError(told)
        from ratectl.wording import did_you_mean  # noqa: PLC0415 - for this message only

        installed = [known for known in removed if not removed[known]]
        hint = did_you_mean(name, installed, otherwise="; `ratectl list` shows what is")
        return ConfigError(f"job {name!r} is not installed{hint}")

    def _what_became_of(self, name: str, known: Collection[str]) -> str:
        """Return that *name* was given up for another, or deleted with its record; empty where neither is noted."""
        gone, now = self._noted(job_store.GONE), self.current_name(name, known)
        if now in known:
            return f"job {name!r} was renamed: it is {now!r} now, with all its record"
        if now not in gone:
            return ""
        renamed = "" if now == name else f"renamed to {now!r}, and that "
        return (
            f"job {name!r} was {renamed}removed, and its record deleted (--purge); "
            f"{TAKING_UP} starts it anew where the spec still has it"
        )

    def current_name(self, name: str, known: Collection[str] = ()) -> str:
        """Return the name that the job *name* has by now, as far as its new names are noted, or the first of them that is *known*."""
        gone, now = self._noted(job_store.GONE), name
        while now not in known and gone.get(now):
            now = gone[now]  # ends: a name that a job gets again is no longer noted
        return now

    def remembered(self, name: str) -> Installed:
        """Return a job that is installed or was, before it was removed. Raises ConfigError for an unknown name."""
        rows = self.database.rows("SELECT * FROM jobs WHERE name = ?", (name,))
        if not rows and name in self.copied_here():
            return self._by_its_record(name)
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
        rows = tuple(map(self._as_it_stands, jobs))
        asked: dict[RateStore, list[str]] = {}
        counted: dict[str, int] = {}
        for row in rows:
            firing = last.get(row.job.name)
            if row.job.journal and firing is not None:  # who records with others is counted there
                counted[row.job.name] = 0
                if firing.outcome not in {"recorded", "closed"}:
                    asked.setdefault(self.store(row.job), []).append(row.job.name)
        for store, names in asked.items():
            with suppress(
                RatectlError
            ):  # who told the last firing has said that it is out of reach
                counted |= store.failures(names)
        return tuple(row._replace(failures=counted.get(row.job.name, row.failures)) for row in rows)

    # Renaming

    def rename_jobs(self, renames: Mapping[str, str]) -> None:
        """Give jobs other names, old to new: their record, position and failures in a row go along.

        Until :meth:`end_renames` the old names are noted, since an engine may still hold them.
        """
        self._rename_in_shared_stores(renames)
        with self.database.transaction(durable=True) as connection:
            for old, new in renames.items():
                job_store.rename_job(connection, old, new)
                for kind in (job_store.NOTE, job_store.GONE):
                    job_store.note(connection, kind, old, new)
                job_store.strike(connection, job_store.GONE, (new,))

    def rename_back(self, renames: Mapping[str, str]) -> None:
        """Undo :meth:`rename_jobs`, after an install that failed."""
        back = {new: old for old, new in renames.items()}
        self._rename_in_shared_stores(back)
        with self.database.transaction(durable=True) as connection:
            for new, old in back.items():
                job_store.rename_job(connection, new, old)
            for kind in (job_store.NOTE, job_store.GONE):
                job_store.strike(connection, kind, renames)

    def end_renames(self, names: Iterable[str]) -> None:
        """Note that no engine holds the old *names* any more."""
        with self.database.transaction(durable=True) as connection:
            job_store.strike(connection, job_store.NOTE, names)

    def renamed(self) -> dict[str, str]:
        """Return the old names that an engine may still hold, each with its new one."""
        return self._noted(job_store.NOTE)

    def _noted(self, kind: str) -> dict[str, str]:
        sql = "SELECT key, value FROM meta WHERE substr(key, 1, ?) = ?"
        rows = self.database.rows(sql, (len(kind), kind))
        return {row["key"].removeprefix(kind): row["value"] for row in rows}

    def _rename_in_shared_stores(self, renames: Mapping[str, str]) -> None:
        """Rename in databases that others share, before this machine's own: what is cut short is then done again."""
        for old, new in renames.items():
            if url := self.shared(old):
                with self.store_at(url).database.transaction(durable=True) as connection:
                    job_store.rename_rows(connection, old, new)

    def _as_it_stands(self, row: Installed) -> Installed:
        """Return *row* with how far the job has come where another account keeps count; root's own copy has no idea."""
        if not accounts.is_foreign(row.job.user):
            return row
        columns = "settled_until, next_due, missed, failures, names_pairs"
        with suppress(RatectlError):  # who asked for the last firing has said so
            rows = self._database_of(row.job.user).rows(
                f"SELECT {columns} FROM jobs WHERE name = ?",  # noqa: S608 - our columns
                (row.job.name,),
            )
            for found in rows:
                due = found["next_due"]
                return row._replace(
                    settled_until=aware(found["settled_until"]),
                    next_due=None if due is None or due > 1 << 36 else aware(due),
                    missed=found["missed"],
                    failures=found["failures"],
                    names_pairs=bool(found["names_pairs"]),
                )
        return row

    # What install and its like write: with each account what concerns it, and here what root goes by

    def record_jobs(self, jobs: Iterable[Job], *, source: str = "", **facts: Any) -> None:
        """Do as :meth:`JobStore.record_jobs`; the account that a job runs as gets it first, one that it ran as loses it."""
        every = list(jobs)
        before = self._accounts()
        left = {
            job.name: before[job.name]
            for job in every
            if job.user != before.get(job.name, job.user)
        }
        for user, group in _by_user(every).items():
            if accounts.is_foreign(user):
                self._store_of(user).record_jobs(group, source=source, **facts)
                place = json.dumps({"account": user})
                super().record_jobs(group, source=place, **facts)
            else:
                super().record_jobs(group, source=source, **facts)
        for name, user in left.items():
            with suppress(RatectlError):  # nothing wakes it there any more
                self._store_of(user).forget_jobs([name])

    def _accounts(self) -> dict[str, str]:
        """Return the accounts of the jobs that run as another one, also of those that were removed."""
        named = """SELECT name, snapshot FROM jobs WHERE snapshot LIKE '%"user"%'"""
        users = {
            row["name"]: _text_in(row["snapshot"], "user") for row in self.database.rows(named)
        }
        return {name: user for name, user in users.items() if accounts.is_foreign(user)}

    def forget_jobs(self, names: Iterable[str]) -> None:
        """Do as :meth:`JobStore.forget_jobs`, here first: no account can keep root from it."""
        self._each(list(names), JobStore.forget_jobs)

    def pause_jobs(self, names: Iterable[str]) -> None:
        """Do as :meth:`JobStore.pause_jobs`."""
        self._each(list(names), JobStore.pause_jobs)

    def resume_jobs(self, names: Iterable[str], now: dt.datetime) -> None:
        """Do as :meth:`JobStore.resume_jobs`."""
        self._each(list(names), lambda store, some: JobStore.resume_jobs(store, some, now))

    def purge_jobs(self, names: Iterable[str]) -> None:
        """Do as :meth:`JobStore.purge_jobs`."""
        self._each(list(names), JobStore.purge_jobs)

    def restore(self, rows: JobRowBackup) -> None:
        """Do as :meth:`JobStore.restore`; the accounts get what they had, as far as root knows it."""
        new = {name: self.account_of(name) for name in rows}
        super().restore(rows)
        for name, row in rows.items():
            with suppress(RatectlError):
                if row is None and new[name]:
                    self._store_of(new[name]).forget_jobs([name])
                elif row is not None and self.account_of(name):
                    self._hand_over(to_installed(row), aware(row["installed_at"]))

    def _hand_over(self, row: Installed, now: dt.datetime) -> None:
        facts = {"backend": row.backend, "scope": row.scope, "host_timezone": row.host_timezone}
        store = self._store_of(row.job.user)
        store.record_jobs([row.job], spec=row.spec, digest=row.digest, now=now, **facts)

    def _each(self, names: list[str], work: Callable[[JobStore, list[str]], None]) -> None:
        """Do *work* here, then with each account that one of the jobs *names* runs as; raise what those say at the end."""
        users: dict[str, list[str]] = {}
        for name in names:
            users.setdefault(self.account_of(name), []).append(name)
        users.pop("", None)
        work(JobStore(self.database), names)
        errors = []
        for user, group in users.items():
            if accounts.find(user) is None:
                continue  # the account is gone, and with it whoever could do anything
            try:
                work(self._store_of(user), group)
            except RatectlError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def lacking(self, jobs: Iterable[Job]) -> frozenset[str]:
        """Return those of *jobs* that the account which they run as does not have as they are: it may have lost them."""
        lost: set[str] = set()
        for user, group in _by_user(jobs).items():
            if accounts.is_foreign(user):
                rows = self._database_of(user).rows("SELECT name, snapshot, removed FROM jobs")
                there = {row["name"]: row["snapshot"] for row in rows if not row["removed"]}
                lost |= {job.name for job in group if there.get(job.name) != job.to_json()}
        return frozenset(lost)

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
        job: Job,
        due: dt.datetime | None,
        *,
        now: dt.datetime,
        zone_file: str,
        zone_stamp: str,
    ) -> None:
        """Store when to look again at *job*; None (no further slot) is stored as the end of time.

        Nothing is stored where another job stands under that name by now: an install came while the firing
        was at work, and what the old schedule says of the next slot would hide slots of the new one.
        """
        far = 1 << 60
        with self.database.transaction() as connection:
            found = connection.execute(
                "SELECT * FROM jobs WHERE name = ? AND NOT removed", (job.name,)
            ).fetchone()
            if found is None or to_installed(found).job != job:
                return
            connection.execute(
                "UPDATE jobs SET next_due = ?, checked_at = ?, zone_file = ?, zone_stamp = ?"
                " WHERE name = ?",
                (far if due is None else unix(due), unix(now), zone_file, zone_stamp, job.name),
            )

    def may_revisit(self, job: str, now: dt.datetime) -> bool:
        """Tell whether nobody looked for days marked with an older rate within REVISIT_REST."""
        rows = self.database.rows("SELECT revisited_at FROM jobs WHERE name = ?", (job,))
        return not rows or not 0 <= unix(now) - rows[0]["revisited_at"] < REVISIT_REST

    def note_revisit(self, job: str, now: dt.datetime) -> None:
        """Note that days marked with an older rate are looked for now."""
        with self.database.transaction() as connection:
            connection.execute("UPDATE jobs SET revisited_at = ? WHERE name = ?", (unix(now), job))

    def count_failure(
        self, job: str, now: dt.datetime, again: Callable[[int], dt.datetime] | None = None
    ) -> int:
        """Add one failed firing in a row and return how many there are now.

        *again* tells, of that number, when to try next; None: at the next wakeup. What an earlier firing left about
        the next slot is forgotten, since something is owed by now: only then is the time of the next try looked at.
        """
        with self.database.transaction() as connection:
            row = connection.execute("SELECT failures FROM jobs WHERE name = ?", (job,)).fetchone()
            failures = int(row["failures"]) + 1 if row else 1  # purged meanwhile
            retry_at = unix(again(failures)) if again else 0
            connection.execute(
                "UPDATE jobs SET failures = ?, failed_at = ?, retry_at = ?, next_due = NULL"
                " WHERE name = ?",
                (failures, unix(now), retry_at, job),
            )
        return failures

    def end_failures(self, job: str) -> int:
        """Note a good firing and return how many bad ones came right before it."""
        rows = self.database.rows("SELECT failures FROM jobs WHERE name = ?", (job,))
        if not rows or not rows[0]["failures"]:
            return 0
        with self.database.transaction() as connection:
            connection.execute("UPDATE jobs SET failures = 0 WHERE name = ?", (job,))
        return int(rows[0]["failures"])


def _by_user(jobs: Iterable[Job]) -> dict[str, list[Job]]:
    found: dict[str, list[Job]] = {}
    for job in jobs:
        found.setdefault(job.user, []).append(job)
    return found


def _text_in(snapshot: str, key: str) -> str:
    try:
        return str(dict(json.loads(snapshot)).get(key, ""))
    except (TypeError, ValueError):
        return ""
