"""How each job stands: what the engines hold, what the journal knows and its newest quotes, in one value."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ratectl import schedule
from ratectl.model.quote import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ratectl.deploy.inventory import Row
    from ratectl.journal.journal import Firing, Installed, RecordedQuote
    from ratectl.journal.queries import Recent
    from ratectl.model.job import Job, Pair

QUOTES = 30
"""Of each pair, which the sparkline shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """One job as it stands now; times are aware."""

    job: str
    engines: tuple[str, ...]
    """Where it is installed, such as ``cron (user)``."""
    enabled: bool
    """Something wakes it."""
    paused: bool
    next: dt.datetime | None
    """The next slot, in the job's zone."""
    last: Firing | None
    pairs: tuple[Pair, ...]
    recent: Recent
    """The newest quotes of each pair that has any, oldest first."""
    missed: int
    failures: int
    """Failed firings in a row."""
    drift: tuple[str, ...]
    since: dt.datetime | None
    """When it was installed; None where the journal does not know it."""
    switched_off: bool = False
    """By its spec: nothing wakes it, paused or not."""
    is_owed: bool = True
    """The last slot, where it failed, is still due; one that is not may be backfilled."""
    troubles: tuple[str, ...] = ()
    """Why what the engine started came to nothing, as far as it tells."""
    retry_at: dt.datetime | None = None
    """From when on what failed is tried again."""
    page: str = ""
    """Why its report page cannot be written, which changes nothing else."""

    @property
    def newest(self) -> RecordedQuote | None:
        """The newest quote of any pair; the job's first pair where several are as new."""
        last = [self.recent[pair][-1] for pair in self.pairs if self.recent.get(pair)]
        return max(last, key=lambda entry: entry.slot, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """A pair whose newest rate is older than it may be."""

    job: str
    pair: Pair
    seconds: float
    """How old it is, or how long the job has been installed without any."""
    rated: bool


def statuses(
    rows: Sequence[Row],
    installed: Sequence[Installed],
    recent: Mapping[str, Recent],
    pages: Mapping[str, str] | None = None,
) -> tuple[JobStatus, ...]:
    """Return how each job of *rows* (by name) stands; one that two engines hold is one job, and one of another state directory none.

    *pages* says, by job, why a report page cannot be written.
    """
    pages = pages or {}
    rows = [row for row in rows if not row.foreign]
    known = {row.job.name: row for row in installed}
    return tuple(
        _status(name, list(group), known.get(name), recent.get(name, {}), pages.get(name, ""))
        for name, group in groupby(rows, key=lambda row: row.job)
    )


def _status(
    name: str, rows: list[Row], row: Installed | None, recent: Recent, page: str
) -> JobStatus:
    slots = [row.next for row in rows if row.next is not None]
    return JobStatus(
        job=name,
        engines=tuple(row.place or f"{row.backend} ({row.scope})" for row in rows),
        enabled=any(row.enabled for row in rows),
        paused=any(row.paused for row in rows),
        switched_off=any(row.switched_off for row in rows),
        next=min(slots, default=None),
        last=rows[0].last,
        is_owed=_is_owed(rows[0].last, row),
        pairs=row.job.pairs if row else tuple(recent),
        recent=recent,
        missed=row.missed if row else 0,
        failures=row.failures if row else 0,
        drift=tuple(dict.fromkeys(text for row in rows for text in row.drift)),
        since=row.installed_at if row else None,
        retry_at=row.retry_at if row and any(entry.enabled for entry in rows) else None,
        troubles=tuple(dict.fromkeys(text for row in rows for text in row.troubles)),
        page=page,
    )


def _is_owed(last: Firing | None, row: Installed | None) -> bool:
    """Tell whether a firing would settle the slot of *last*, as `ratectl run` says."""
    if last is None or last.settled:
        return False
    return row is None or (last.slot > row.settled_until and _is_slot(last.slot, row.job))


def _is_slot(moment: dt.datetime, job: Job) -> bool:
    """Tell whether the schedule of *job* has *moment*; a run by hand is recorded for its own second."""
    instant = moment.astimezone(dt.UTC)
    slots = schedule.after(job.schedule, job.zone, instant - dt.timedelta(seconds=1))
    return next((slot.astimezone(dt.UTC) for slot in slots), None) == instant


def age(entry: RecordedQuote, now: dt.datetime) -> float:
    """Return for how many seconds a quote has been in the journal."""
    return (now - entry.quote.observed_at).total_seconds()


def stale(found: Sequence[JobStatus], max_age: float, now: dt.datetime) -> Iterator[Stale]:
    """Yield each pair of a job at work whose newest rate is older than *max_age* seconds.

    Before its first rate a job is given as long from its installation.
    """
    for status in found:
        if not status.enabled or status.since is None:
            continue
        for pair in status.pairs:
            entries = status.recent.get(pair)
            seconds = age(entries[-1], now) if entries else (now - status.since).total_seconds()
            if seconds > max_age:
                yield Stale(job=status.job, pair=pair, seconds=seconds, rated=bool(entries))


def as_facts(found: Sequence[JobStatus], now: dt.datetime) -> list[dict[str, Any]]:
    """Return *found* as the contract of ``ratectl status --json`` has it, and what else is known."""
    return [_as_json(status, now) for status in found]


def _as_json(status: JobStatus, now: dt.datetime) -> dict[str, Any]:
    last, newest = status.last, status.newest
    return {
        "job": status.job,
        "engines": list(status.engines),
        "enabled": status.enabled,
        "paused": status.paused,
        "switched_off": status.switched_off,
        "next": status.next.isoformat() if status.next else None,
        "last_slot": last.slot.isoformat() if last else None,
        "last_outcome": (last.outcome or "at work") if last else None,
        "last_detail": last.detail if last else "",
        "newest_rate": _rate(newest, now) if newest else None,
        "rates": [_rate(status.recent[p][-1], now) for p in status.pairs if status.recent.get(p)],
        "missed": status.missed,
        "consecutive_failures": status.failures,
        "next_try": status.retry_at.isoformat() if status.retry_at else None,
        "drift": list(status.drift),
        "troubles": list(status.troubles),
        "page": status.page,
    }


def _rate(entry: RecordedQuote, now: dt.datetime) -> dict[str, Any]:
    quote = entry.quote
    return {
        "pair": str(quote.pair),
        "rate": plain(quote.rate),
        "rate_date": quote.rate_date.isoformat(),
        "provider": quote.provider,
        "age_seconds": int(age(entry, now)),
    }
