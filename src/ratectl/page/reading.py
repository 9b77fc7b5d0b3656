"""What the page shows of each job, read from the journal: pairs with their past, slots, failures, held answers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING, NamedTuple

from ratectl import schedule
from ratectl.journal import quarantine, queries
from ratectl.journal.rows import EVERY_SLOT, Span
from ratectl.page import standing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from ratectl.journal.journal import Firing, Installed, RecordedQuote
    from ratectl.journal.quarantine import QuarantinedAnswer
    from ratectl.journal.queries import Count, Point, Series, Summary
    from ratectl.journal.rate_store import RateStore
    from ratectl.model.job import Job, Pair

DAY = dt.timedelta(days=1)
CHANGES = (1, 7, 30, 365)
"""Days over which the change of a rate is told."""
SLACK = 5 * DAY
"""How much older than that the other rate may be: a weekend with holidays, and not the week of a weekly job."""
SPARK_DAYS, SPARK_POINTS = 90, 120
YEAR = 365 * DAY
MOST_POINTS = 60_000
"""Of all charts together, which keeps the file below two megabytes."""
FEWEST, MOST = 200, 6_000
"""Points of one chart: no fewer where there are more, and no more than a screen can show."""
MOST_SLOTS = 100_000
"""Past slots of one job that are looked at for gaps."""
MOST_TROUBLES = 200
AHEAD = 7 * DAY
MOST_AHEAD = 20_000


class PairPage(NamedTuple):
    """One row of the table of rates."""

    pair: Pair
    newest: RecordedQuote | None
    changes: Mapping[int, Decimal]
    """Days -> the rate of so many days before, where there is one."""
    year: Summary
    recent: Sequence[Point]
    """Of the last 90 days, as a sparkline shows them."""
    series: Series
    """For the chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """What the page shows of one job; times are aware."""

    job: Job
    word: str
    """How it stands, as ``standing.py`` has it."""
    installed_at: dt.datetime
    failures: int
    """Failed firings in a row."""
    pairs: Sequence[PairPage]
    outcomes: Sequence[Count]
    gaps: Sequence[dt.datetime]
    """Slots that passed without so much as a row in the journal."""
    quarantined: Sequence[QuarantinedAnswer]
    troubles: Sequence[Firing]
    """The newest firings that failed or missed their slot."""
    upcoming: Sequence[dt.datetime]
    """The slots of the next days, or the first of them."""
    following: dt.datetime | None
    """The next slot, however far."""
    notes: Sequence[str] = ()
    """What the schedulers and the spec say against it."""


class Reading(NamedTuple):
    """One job, and how much of it is read."""

    store: RateStore
    row: Installed
    now: dt.datetime
    span: Span = EVERY_SLOT
    max_points: int = MOST

    def page(
        self, *, removed: bool = False, notes: Sequence[str] = (), enabled: bool = True
    ) -> JobPage:
        """Return the job as the page shows it."""
        row, job = self.row, self.row.job
        runs = row.enabled and not row.paused and not removed
        ahead = schedule.after(job.schedule, job.zone, self.now) if runs else iter(())
        first = next(ahead, None)
        near = takewhile(lambda slot: slot < self.now + AHEAD, islice(ahead, MOST_AHEAD))
        is_near = first is not None and first < self.now + AHEAD
        pairs = [self._pair(pair) for pair in job.pairs]
        gaps = queries.gaps(self.store, row, MOST_SLOTS) if row.missed and not removed else []
        return JobPage(
            job=job,
            word="removed" if removed else self._word(pairs, notes, enabled),
            installed_at=row.installed_at,
            failures=row.failures,
            pairs=pairs,
            outcomes=list(queries.slot_outcomes(self.store, job, self.span)),
            gaps=[slot for slot in gaps if self.span.start is None or slot >= self.span.start],
            quarantined=[] if removed else list(quarantine.quarantine(self.store, job=job.name)),
            troubles=queries.failures(self.store, job.name, MOST_TROUBLES),
            upcoming=[first, *near] if first is not None and is_near else [],
            following=first,
            notes=notes,
        )

    def _word(self, pairs: Sequence[PairPage], notes: Sequence[str], enabled: bool) -> str:
        last = self.store.last_firing(self.row.job.name)
        return standing.word(
            failing=self.row.failures > 0,
            drifted=bool(notes),
            paused=self.row.paused,
            enabled=self.row.enabled and enabled,
            missed=last is not None and last.outcome == "missed",
            rated=any(pair.newest for pair in pairs),
        )

    def _pair(self, pair: Pair) -> PairPage:
        store, name = self.store, self.row.job.name
        newest = queries.newest(store, name, pair, self.span)
        series = queries.series(store, name, pair, self.span, max_points=self.max_points)
        if newest is None:
            return PairPage(pair, None, {}, queries.NOTHING, [], series)
        zone = self.row.job.zone
        wall = newest.slot.astimezone(zone)
        changes = {}
        for days in CHANGES:
            then = wall - days * DAY  # the same hour on the job's clocks
            before = queries.newest(
                store, name, pair, Span(then - SLACK, then + dt.timedelta(0, 1))
            )
            if before is not None:
                changes[days] = before.quote.rate
        recent = Span(newest.slot - SPARK_DAYS * DAY)
        spark = queries.series(store, name, pair, recent, max_points=SPARK_POINTS).points
        year = queries.summary(store, name, pair, Span(newest.slot - YEAR))
        return PairPage(pair, newest, changes, year, spark, series)


def points_for(charts: int) -> int:
    """Return how many points each of so many *charts* may have."""
    return max(FEWEST, min(MOST, MOST_POINTS // max(1, charts)))
