"""Checks before a job switches journals: the new one is usable, the old one has nothing left to deliver."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ratectl import paths
from ratectl.errors import ConfigError, RatectlError, TryLaterError
from ratectl.journal.rows import unix
from ratectl.outputs.foreign import foreign_files
from ratectl.outputs.formats import FILES
from ratectl.runtime import accounts, postgres

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from ratectl.journal.journal import Installed, Journal
    from ratectl.journal.rate_store import Database, RateStore
    from ratectl.model.job import Job


LOGIN = "login"
"""A column that templates/postgresql/hosts.sql adds, and that belongs to its database alone."""


def out_of_reach(journal: Journal, jobs: Iterable[Job], now: dt.datetime) -> list[TryLaterError]:
    """Make the stores of *jobs* ready to use; return why some cannot be reached now, which time may mend.

    Raises RatectlError for one that cannot be used at all.
    """
    errors = []
    for store in dict.fromkeys(journal.store(job) for job in jobs):
        try:
            store.database.clock(now)
        except TryLaterError as error:
            errors.append(error)
    return errors


def unseen_from_here(journal: Journal, jobs: Iterable[Job], now: dt.datetime) -> list[str]:
    """Make the stores of *jobs*, which only pods write to, ready to use as far as this machine can; return what it cannot see.

    Raises RatectlError for one that cannot be used at all.
    """
    notices = []
    stores: dict[RateStore, Job] = {}
    for job in jobs:
        stores.setdefault(journal.store(job), job)
    for store, job in stores.items():
        url = postgres.redacted(job.journal)
        try:
            store.database.clock(now)
        except postgres.DriverAbsentError:
            notices.append(
                f"{url}: not looked at from here, where psycopg is not installed; the image has it"
            )
        except postgres.NotLetInError as error:
            secret = job.kubernetes.secret if job.kubernetes else ""
            own = f"the pods have PGPASSWORD out of the Secret {secret}" if secret else _WITHOUT
            notices.append(
                f"not let in from here ({error}); {own}, and PGPASSWORD in this shell lets it be looked at"
            )
        except TryLaterError as error:
            notices.append(
                f"out of reach from here, which is no fault if the pods reach it: {error}"
            )
    return notices


_WITHOUT = "the pods have no password either, since [kubernetes] names no secret"


def require_driver(jobs: Iterable[Job]) -> None:
    """Raise ConfigError where *jobs*, which this machine fires, need psycopg and it is not installed."""
    if any(job.journal or any(o.kind == "postgresql" for o in job.outputs) for job in jobs):
        postgres.require_driver()


def refuse_shared_files(journal: Journal, jobs: Iterable[Job]) -> None:
    """Raise ConfigError where one file would be appended to out of two journals, of which neither knows what the other began."""
    together = {row.job.name: row.job for row in journal.readable()}
    together |= {job.name: job for job in jobs}
    if len({job.record for job in together.values()}) < 2:
        return
    writers: dict[str, Job] = {}
    for job in together.values():
        for output in job.outputs:
            other = writers.setdefault(os.path.realpath(output.target), job)
            if output.kind in FILES and other.record != job.record:
                raise ConfigError(
                    f"{output.target}: {job.name!r} and {other.name!r} write to it and have different "
                    "journals; give each an output of its own, or one journal"
                )


def refuse_foreign_files(jobs: Iterable[Job]) -> None:
    """Raise ConfigError where an output of *jobs* is a file of somebody else's."""
    wrong = foreign_files(jobs)
    if wrong:
        raise ConfigError("\n".join(f"{job}: {problem}" for (job, _), problem in wrong.items()))


def refuse_two_formats(journal: Journal, jobs: Sequence[Job]) -> None:
    """Raise ConfigError where one file would be written to in two formats, by jobs of several specs, too."""
    installed = {row.job.name: row.job for row in journal.readable()}
    together = installed | {job.name: job for job in jobs}
    if len(together) == len(jobs):
        return  # the jobs of one spec were compared with each other when it was read
    writers: dict[object, tuple[str, str]] = {}
    for job in together.values():
        for output in job.outputs:
            if output.kind == "postgresql":
                continue
            kind, name = writers.setdefault(paths.identity(output.target), (output.kind, job.name))
            if kind != output.kind:
                raise ConfigError(
                    f"{output.target}: {name!r} writes {kind} to it and {job.name!r} {output.kind}; "
                    "give each format a file of its own"
                )


def move(journal: Journal, jobs: Iterable[Job]) -> None:
    """Prepare those of *jobs* that leave a store: what waits there is delivered, slots that are still looked at go along.

    Raises what stands in the way.
    """
    from ratectl.outputs.delivery import Delivery  # noqa: PLC0415 - for a move, not for each look before one

    before = {row.job.name: row for row in journal.readable()}
    for job in jobs:
        row = before.get(job.name)
        if row is None or row.job.record == job.record:
            continue
        if accounts.is_foreign(row.job.user):
            continue  # what waits there waits for that account
        old, new = journal.store(row.job).database, journal.store(job).database
        try:
            error = Delivery(row.job, old, journal.state_dir).rest()
            if not accounts.is_foreign(job.user):  # else its slots count from now
                _carry(old, new, row)
        except RatectlError as failure:
            error = failure
        if error is not None:
            raise error.saying(
                f"job {job.name!r} is to change its journal, and what the old one still owes cannot be "
                f"moved: {error}; mend that, or `ratectl remove {job.name}` first"
            ) from error


def _carry(old: Database, new: Database, row: Installed) -> None:
    """Copy what became of the slots after the watermark, so that none of them is recorded again."""
    since = (row.job.name, unix(row.settled_until))
    for table in ("quotes", "firings"):  # a settled slot must not come before its quotes
        found = old.rows(f"SELECT * FROM {table} WHERE job = ? AND slot > ?", since)  # noqa: S608 - our names
        if not found:
            continue
        columns = [column for column in found[0].keys() if column != LOGIN]  # noqa: SIM118 - a Row
        marks = ", ".join("?" for _ in columns)
        with new.transaction(durable=True) as connection:
            connection.executemany(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our names
                " ON CONFLICT DO NOTHING",
                [tuple(row[column] for column in columns) for row in found],
            )
