"""Pause and resume: a removal that is for a while, and an install of the same snapshots where they stood."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from ratectl import schedule
from ratectl.backends import BACKENDS
from ratectl.deploy import install, plan, uninstall
from ratectl.deploy.install import SpecSource
from ratectl.deploy.targets import Target, cluster_of, located, recorded_target, stage
from ratectl.errors import RatectlError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from ratectl.backends.host import Host
    from ratectl.backends.protocol import Found, InstalledEntry
    from ratectl.backends.reader import Reader
    from ratectl.backends.steps import Step
    from ratectl.deploy.install_lock import InstallLock
    from ratectl.journal.journal import Installed, Journal

MADE_UP = dt.timedelta(hours=1)
"""How old a slot may be at most that an engine makes up for when it wakes."""


def prepare(
    found_at: Mapping[Target, Found], installed: Sequence[Installed], names: Collection[str]
) -> uninstall.Removal:
    """Return what a pause of the jobs *names* will do: a removal, but where an engine lets its entries sleep."""
    removal = uninstall.prepare(found_at, installed, names)
    parts = tuple(
        stage(part.target, part.found, plan.pauses(part.found.entries, names))
        if part.target.backend.SUSPENDS
        else part
        for part in removal.parts
    )
    return replace(removal, parts=tuple(part for part in parts if part.changes))


def resume(
    rows: Sequence[Installed],
    journal: Journal,
    lock: InstallLock,
    host: Host,
    reader: Reader,
    *,
    perform: Callable[[Sequence[Step]], None],
    clock: Callable[[], dt.datetime],
) -> None:
    """Bring all of *rows* back, or none: what one spec or engine is refused takes the others back with it.

    Slots count from now. What an earlier change left half done is put in place again.
    """
    names = [row.job.name for row in rows]
    before = journal.backup(names)
    rewrite_all = lock.interrupted
    done: list[install.Prepared] = []
    with lock.in_parts():
        try:
            journal.resume_jobs(names, clock())
            for target, source in _sources(rows, host, reader):
                lock.in_progress = rewrite_all  # until a part begins, nothing of it is half done
                prepared = _awakened(target, source, journal, clock(), rewrite_all=rewrite_all)
                install.apply(prepared, journal, lock, perform=perform, clock=clock)
                done.append(prepared)
        except RatectlError as error:
            whole = not lock.in_progress
            lock.in_progress = True
            install.undo(done, journal, error, perform=perform)
            lock.in_progress = not whole
            journal.restore(before)
            raise


def _awakened(
    target: Target, source: SpecSource, journal: Journal, now: dt.datetime, *, rewrite_all: bool
) -> install.Prepared:
    """Return what brings *source* back to *target*."""
    prepared = install.prepare(target, source, journal, rewrite_all=rewrite_all)
    found = prepared.main.found.entries
    asleep = [found[job.name] for job in source.jobs if job.name in found]
    awaken = target.backend.resuming(asleep, left_out(source, found, now), target.host)
    return replace(prepared, after=(*prepared.after, *awaken))


def _sources(
    rows: Sequence[Installed], host: Host, reader: Reader
) -> Iterator[tuple[Target, SpecSource]]:
    """Yield where jobs stood before they were paused, with their snapshots as what to install there.

    Jobs that no engine of ours woke (those of ``serve``) are left out.
    """
    key = _group_key
    for _, group in itertools.groupby(sorted(rows, key=key), key):
        first, *_ = together = list(group)
        if first.backend in BACKENDS:
            jobs = tuple(row.job for row in together)
            source = SpecSource(jobs=jobs, path=first.spec, digest=first.digest, whole=False)
            yield located(recorded_target(first, host, reader)), source


def left_out(
    source: SpecSource, found: Mapping[str, InstalledEntry], now: dt.datetime
) -> dict[str, str]:
    """Return, for jobs of *source* whose engine would at once make up for a slot of their pause, from when slots count."""
    since = f"{now.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    missed: dict[str, str] = {}
    for job in source.jobs:
        runs = found[job.name].runs if job.name in found else None
        if runs is not None:
            known = [moment for moment in (runs.created, runs.woken) if moment is not None]
            looked = max(*known, now - MADE_UP) if known else now - MADE_UP
            slot = next(schedule.after(job.schedule, job.zone, looked), None)
            if slot is not None and slot <= now:
                missed[job.name] = since
    return missed


def _group_key(row: Installed) -> tuple[object, ...]:
    return row.backend, row.scope, cluster_of(row) or (), row.spec, row.digest
