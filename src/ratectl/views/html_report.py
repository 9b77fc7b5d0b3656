"""The report page: everything that its charts and tables are drawn from, as JSON-ready values.

Times of a chart are minutes on the job's own clocks, as if these were UTC: a browser then shows the job's
wall time wherever it stands. Rates are texts, with the provider's own digits.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from ratectl.fetch.failures import FailureKind
from ratectl.fetch.providers.catalog import INFO
from ratectl.model.quote import plain
from ratectl.schedule.language.explain import explain
from ratectl.views.format import clock, count, number_told, relative_time
from ratectl.views.status_screen import word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ratectl.fetch.providers.catalog import ProviderInfo
    from ratectl.journal.journal import Firing
    from ratectl.journal.quarantine import QuarantinedAnswer
    from ratectl.journal.queries import Count, Series
    from ratectl.model.job import Job, Pair
    from ratectl.views.status import JobStatus

COURSES = {
    "on time": "o",
    "late": "l",
    "backfilled": "b",
    "closed": "c",
    "open": "w",
    "quarantined": "q",
    "failed": "f",
    "missed": "m",
}
"""How slots go, the better first, each with its letter in the page's data."""
DAYS_AHEAD = 30
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - wall time, of whichever zone


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """What the page tells of one job; slots are aware."""

    job: Job
    status: JobStatus | None
    """None for a job that was removed."""
    series: Mapping[Pair, Series]
    outcomes: Sequence[Count]
    gaps: Sequence[dt.datetime]
    """Slots that passed without so much as a row in the journal."""
    quarantined: Sequence[QuarantinedAnswer]
    failures: Sequence[Firing]
    upcoming: Sequence[dt.datetime]
    """The slots of the next 30 days, or the first of them."""
    is_cut: bool = False
    """There are more slots than *upcoming* holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One line of the table of what failed."""

    job: str
    slot: dt.datetime
    kind: str
    """The class of the failure, as ``fetch/failures.py`` names it, or missed, or quarantined."""
    detail: str


def data(dossiers: Sequence[JobReport]) -> dict[str, Any]:
    """Return what the page's script draws."""
    return {"letters": COURSES, "jobs": [_job(job_report) for job_report in dossiers]}


def _job(job_report: JobReport) -> dict[str, Any]:
    zone = job_report.job.zone
    return {
        "name": job_report.job.name,
        "zone": job_report.job.timezone,
        "schedule": explain(job_report.job.schedule),
        "series": [_series(p, one, zone) for p, one in job_report.series.items() if one.number],
        "days": _days(job_report),
        "next": [_minute(slot, zone) for slot in job_report.upcoming],
        "more": job_report.is_cut,
    }


def _series(pair: Pair, series: Series, zone: dt.tzinfo) -> dict[str, Any]:
    """Return one line of a chart; each time but the first is the minutes since the one before."""
    points = series.points
    minutes = [_minute(point.slot, zone) for point in points]
    steps = [after - before for before, after in pairwise(minutes)]
    return {
        "pair": str(pair),
        "told": number_told(series),
        "times": [minutes[0], *steps],
        "rates": [plain(point.rate) for point in points],
    }


def _minute(slot: dt.datetime, zone: dt.tzinfo) -> int:
    return int((slot.astimezone(zone).replace(tzinfo=None) - EPOCH).total_seconds() // 60)


def _days(job_report: JobReport) -> dict[str, Any]:
    """Return how the slots of each day went: the first day, then stretches of days that went alike, with their length.

    A day is shown in letters, with how often behind each where that is not once; empty where it had no slot.
    """
    zone = job_report.job.zone
    days: dict[dt.date, Counter[str]] = {}

    def add(slot: dt.datetime, outcome: str, number: int = 1) -> None:
        days.setdefault(slot.astimezone(zone).date(), Counter())[outcome] += number

    for course in job_report.outcomes:
        add(course.quarter, course.outcome, course.number)
    for slot in job_report.gaps:
        add(slot, "missed")
    for answer in job_report.quarantined:
        add(answer.slot, "quarantined")
    if not days:
        return {"first": None, "runs": []}
    first, last = min(days), max(days)
    span = (first + dt.timedelta(days=number) for number in range((last - first).days + 1))
    letters = (_letters(days[day]) if day in days else "" for day in span)
    runs = [[letters, sum(1 for _ in group)] for letters, group in groupby(letters)]
    return {"first": first.isoformat(), "runs": runs}


def _letters(counts: Counter[str]) -> str:
    return "".join(
        f"{letter}{counts[outcome] if counts[outcome] > 1 else ''}"
        for outcome, letter in COURSES.items()
        if counts[outcome]
    )


def failures(dossiers: Sequence[JobReport], limit: int) -> list[Trouble]:
    """Return the newest *limit* failures of all jobs with their class, newest first."""
    found = [trouble for job_report in dossiers for trouble in _failures(job_report)]
    return sorted(found, key=lambda trouble: trouble.slot, reverse=True)[:limit]


def _failures(job_report: JobReport) -> Iterable[Trouble]:
    name, zone = job_report.job.name, job_report.job.zone
    for firing in job_report.failures:
        kind = kind_of(firing.detail) or firing.outcome
        yield Trouble(job=name, slot=firing.slot.astimezone(zone), kind=kind, detail=firing.detail)
    local = (slot.astimezone(zone) for slot in job_report.gaps)
    for _, group in groupby(local, key=dt.datetime.date):
        slots = list(group)
        detail = (
            f"{count(len(slots), 'slot')} from then on passed that day, and nothing ran in time"
        )
        yield Trouble(job=name, slot=slots[0], kind="missed", detail=detail)
    for answer in job_report.quarantined:
        detail = f"{answer.provider}: {answer.reason} (`ratectl review` decides)"
        yield Trouble(
            job=name, slot=answer.slot.astimezone(zone), kind="quarantined", detail=detail
        )


def kind_of(detail: str) -> str:
    """Return the class of the failure that a firing's *detail* tells of, an empty text where it names none."""
    return next((kind.value for kind in FailureKind if f"{kind.value}:" in detail), "")


def rows(dossiers: Sequence[JobReport], now: dt.datetime) -> list[dict[str, Any]]:
    """Return a row for each job: how it stands now, in words."""
    return [_row(job_report, now) for job_report in dossiers]


def _row(job_report: JobReport, now: dt.datetime) -> dict[str, Any]:
    status = job_report.status
    newest = status.newest if status else None
    return {
        "job": job_report.job.name,
        "schedule": explain(job_report.job.schedule).removesuffix("."),
        "zone": job_report.job.timezone,
        "word": word(status) if status else "removed",
        "next": _told(status.next, now) if status and status.next else None,
        "rate": f"{newest.quote.pair} {plain(newest.quote.rate)}" if newest else "-",
        "received": _told(newest.quote.observed_at.astimezone(job_report.job.zone), now)
        if newest
        else None,
        "missed": status.missed if status else 0,
        "failures": status.failures if status else 0,
        "drift": status.drift if status else (),
    }


def _told(moment: dt.datetime, now: dt.datetime) -> dict[str, str]:
    """Return *moment* for people, how far it lies from *now*, and as ISO 8601, from which a script tells that anew."""
    return {
        "clock": clock(moment),
        "relative": relative_time(moment, now),
        "iso": moment.astimezone(dt.UTC).isoformat(),
    }


def outdated_from(dossiers: Sequence[JobReport]) -> dt.datetime | None:
    """Return the first slot after the page was written: from then on there is something that it does not know."""
    return min((slot for report in dossiers for slot in report.upcoming[:1]), default=None)


def sources(dossiers: Sequence[JobReport]) -> dict[str, ProviderInfo]:
    """Return the kinds of providers that the jobs ask, each with what its terms want said."""
    kinds = {
        provider.kind: None for job_report in dossiers for provider in job_report.job.providers
    }
    return {kind: INFO[kind] for kind in kinds if kind in INFO}
