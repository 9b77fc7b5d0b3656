"""Looking back at what was recorded: the newest quotes, long series thinned out, how slots went, what failed.

Reads only. Every query is bounded by what is shown, or aggregates inside the database, so that ten
million quotes do not pass through here.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import islice, takewhile
from typing import TYPE_CHECKING, NamedTuple

from ratectl import schedule
from ratectl.errors import RatectlError
from ratectl.journal.rate_store import NAMES_AT_ONCE
from ratectl.journal.rows import EVERY_SLOT, Firing, Span, aware, to_firing, to_recorded_quote, unix
from ratectl.model.job import ON_TIME, Pair
from ratectl.model.quote import BACKFILLED, BY_HAND, IMPORTED
from ratectl.schedule.occurrences.zones import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ratectl.journal.journal import Journal
    from ratectl.journal.rate_store import RateStore
    from ratectl.journal.rows import Installed, RecordedQuote, Row
    from ratectl.model.job import Job

POINT = "slot, rate, rate_date, provider, kind"
"""The columns of a :class:`Point`."""
KEPT_OF_A_STRETCH = 3
"""The lowest rate, the highest, the last."""
QUARTER = 900
"""Seconds in which slots are counted together: every offset from UTC since 1972 is a multiple of it."""

Recent = dict[Pair, list["RecordedQuote"]]
"""The newest entries of each pair, oldest first."""


class Point(NamedTuple):
    """One rate of a series, and where it is from."""

    slot: dt.datetime
    rate: Decimal
    rate_date: str = ""
    """As ISO 8601."""
    provider: str = ""
    kind: str = ""


class Series(NamedTuple):
    """The rates of one pair."""

    number: int
    """How many were recorded."""
    points: list[Point]
    """All of them, or of many some, with the extremes."""


class Summary(NamedTuple):
    """The rates of a stretch of time, as the database sums them up."""

    number: int
    low: float
    mean: float
    high: float


NOTHING = Summary(0, 0, 0, 0)


class Count(NamedTuple):
    """How many slots of one quarter of an hour went the same way."""

    quarter: dt.datetime
    outcome: str
    """on time, late, backfilled, closed, missed, failed or open."""
    number: int


def by_store(journal: Journal, rows: Iterable[Installed]) -> dict[RateStore, list[Installed]]:
    """Return *rows* by the store that each is recorded in."""
    found: dict[RateStore, list[Installed]] = {}
    for row in rows:
        found.setdefault(journal.store(row.job), []).append(row)
    return found


def recent(
    journal: Journal,
    rows: Iterable[Installed],
    count: int,
    on_unreachable: Callable[[RatectlError], None],
) -> dict[str, Recent]:
    """Return the newest *count* entries of each pair of each job; *on_unreachable* is called with the error of each store out of reach."""
    found: dict[str, Recent] = {}
    for store, group in by_store(journal, rows).items():
        try:
            found |= _recent(store, {row.job.name: row.job for row in group}, count)
        except RatectlError as error:
            if store.database is journal.database:
                raise
            on_unreachable(error)
    return found


def _recent(store: RateStore, jobs: Mapping[str, Job], count: int) -> dict[str, Recent]:
    found: dict[str, Recent] = {name: {} for name in jobs}
    names = list(jobs)
    for start in range(0, len(names), NAMES_AT_ONCE):
        part = names[start : start + NAMES_AT_ONCE]
        rows = count * max(len(jobs[name].pairs) for name in part)
        found_rows = store.database.rows(
            f"WITH wanted (job) AS (VALUES {', '.join(['(?)'] * len(part))})"  # noqa: S608 - no input
            " SELECT q.* FROM wanted w JOIN quotes q ON q.job = w.job AND q.slot >= COALESCE("
            "(SELECT slot FROM quotes WHERE job = w.job ORDER BY slot DESC LIMIT 1 OFFSET ?), ?)"
            " ORDER BY q.job, q.slot",
            (*part, rows - 1, -(1 << 60)),
        )
        for row in found_rows:
            entry = to_recorded_quote(row)
            entries = found[row["job"]].setdefault(entry.quote.pair, [])
            entries.append(entry)
            del entries[:-count]
    return found


def newest_slot(
    store: RateStore, job: str, span: Span, pair: Pair | None, skip: int = 0
) -> dt.datetime | None:
    """Return the slot of the (skip+1)-th newest quote in *span*, or None."""
    which, values = span.condition(pair)
    rows = store.database.rows(
        f"SELECT slot FROM quotes WHERE job = ?{which} ORDER BY slot DESC LIMIT 1 OFFSET ?",  # noqa: S608 - no input
        (job, *values, skip),
    )
    return aware(rows[0]["slot"]) if rows else None


def series(
    store: RateStore, job: str, pair: Pair, span: Span = EVERY_SLOT, *, max_points: int
) -> Series:
    """Return the rates of *pair*, oldest first, thinned where they are more than about *max_points*.

    Of each stretch of time the lowest, the highest and the last stay, so that no extreme is lost.
    """
    condition, bounds = span.condition(pair)
    [size] = store.database.rows(
        "SELECT count(*) AS number, min(slot) AS first, max(slot) AS last FROM quotes"  # noqa: S608 - no input
        f" WHERE job = ?{condition}",
        (job, *bounds),
    )
    if size["number"] <= max_points:
        sql = f"SELECT {POINT} FROM quotes WHERE job = ?{condition} ORDER BY slot"  # noqa: S608 - no input
        rows = store.database.each(sql, (job, *bounds))
        return Series(size["number"], [_point(row) for row in rows])
    stretch = (size["last"] - size["first"]) // max(1, max_points // KEPT_OF_A_STRETCH) + 1
    sql = (
        f"WITH part AS (SELECT {POINT}, CAST(rate AS DOUBLE PRECISION) AS value,"  # noqa: S608 - no input
        f" slot / {stretch} AS stretch FROM quotes WHERE job = ?{condition}),"
        " ends AS (SELECT stretch, max(slot) AS last, min(value) AS low, max(value) AS high"
        " FROM part GROUP BY stretch)"
        " SELECT part.*, ends.last, ends.low, ends.high FROM part JOIN ends USING (stretch)"
        " WHERE slot = last OR value = low OR value = high ORDER BY slot"
    )
    return Series(size["number"], list(_ends(store.database.each(sql, (job, *bounds)))))


def _ends(rows: Iterable[Row]) -> Iterator[Point]:
    """Yield of each stretch the first of its lowest and of its highest rates, and its last one."""
    stretch, seen = None, set[float]()
    for row in rows:
        if row["stretch"] != stretch:
            stretch, seen = row["stretch"], set()
        extreme = row["value"] in {row["low"], row["high"]} and row["value"] not in seen
        if extreme or row["slot"] == row["last"]:
            seen.add(row["value"])
            yield _point(row)


def _point(row: Row) -> Point:
    where = (row["rate_date"], row["provider"], row["kind"])
    return Point(aware(row["slot"]), Decimal(row["rate"]), *where)


def newest(store: RateStore, job: str, pair: Pair, span: Span = EVERY_SLOT) -> RecordedQuote | None:
    """Return the newest rate of *pair* in *span*, or None."""
    condition, bounds = span.condition(pair)
    sql = f"SELECT * FROM quotes WHERE job = ?{condition} ORDER BY slot DESC LIMIT 1"  # noqa: S608 - no input
    rows = store.database.rows(sql, (job, *bounds))
    return to_recorded_quote(rows[0]) if rows else None


def summary(store: RateStore, job: str, pair: Pair, span: Span) -> Summary:
    """Return how many rates *pair* has in *span*, the lowest, the mean and the highest, of all of them."""
    condition, bounds = span.condition(pair)
    value = "CAST(rate AS DOUBLE PRECISION)"
    [row] = store.database.rows(
        f"SELECT count(*) AS number, min({value}) AS low, avg({value}) AS mean, max({value}) AS high"  # noqa: S608 - no input
        f" FROM quotes WHERE job = ?{condition}",
        (job, *bounds),
    )
    return (
        Summary(row["number"], row["low"], row["mean"], row["high"]) if row["number"] else NOTHING
    )


def slot_outcomes(store: RateStore, job: Job, span: Span = EVERY_SLOT) -> Iterator[Count]:
    """Yield how the slots of *job* went, counted by quarters of an hour, oldest first.

    What was backfilled, imported or entered by hand counts as backfilled, whatever time stands in an imported line;
    a slot is punctual where one of its rates is.
    """
    condition, bounds = span.condition()
    rated = "EXISTS (SELECT 1 FROM quotes q WHERE q.job = firings.job AND q.slot = firings.slot AND"
    afterwards = "(q.kind IN (?, ?) OR q.provider = ?)"
    sql = (
        f"SELECT slot / {QUARTER} AS quarter, went, count(*) AS number FROM (SELECT slot, CASE"  # noqa: S608 - no input
        " WHEN state <> 'settled' AND outcome = 'failed' THEN 'failed'"
        " WHEN state <> 'settled' THEN 'open'"
        " WHEN outcome IN ('closed', 'missed', 'failed') THEN outcome"
        " WHEN outcome <> 'recorded' THEN 'failed'"
        f" WHEN at - slot <= ? AND (detail = '' OR {rated} NOT {afterwards})) THEN 'on time'"
        f" WHEN {rated} {afterwards}) THEN 'backfilled' ELSE 'late' END AS went"
        f" FROM firings WHERE job = ?{condition}) AS told GROUP BY quarter, went ORDER BY quarter"
    )
    entered = BACKFILLED, IMPORTED, BY_HAND
    values = (ON_TIME + job.jitter, *entered, *entered, job.name, *bounds)
    for row in store.database.each(sql, values):
        yield Count(aware(row["quarter"] * QUARTER), row["went"], row["number"])


def failures(store: RateStore, job: str, limit: int) -> list[Firing]:
    """Return the newest firings of *job* that ended without a rate and should not have, newest first."""
    rows = store.database.rows(
        "SELECT * FROM firings WHERE job = ? AND outcome IN ('failed', 'missed')"
        " ORDER BY slot DESC LIMIT ?",
        (job, limit),
    )
    return [to_firing(row) for row in rows]


def gaps(store: RateStore, row: Installed, max_slots: int) -> list[dt.datetime]:
    """Return slots that are over and that nothing became of, oldest first; only the newest *max_slots* slots are looked at."""
    timetable = schedule.before(row.job.schedule, row.job.zone, row.settled_until + SECOND)
    slots = list(takewhile(lambda slot: slot > row.installed_at, islice(timetable, max_slots)))
    if not slots:
        return []
    rows = store.database.rows(
        "SELECT slot FROM firings WHERE job = ? AND slot >= ? AND slot <= ?",
        (row.job.name, unix(slots[-1]), unix(slots[0])),
    )
    settled = {row["slot"] for row in rows}
    return [slot for slot in reversed(slots) if unix(slot) not in settled]


def of_days(store: RateStore, pair: Pair, first: dt.date, last: dt.date) -> Iterator[RecordedQuote]:
    """Yield the quotes of *pair* for the days from *first* to *last*, of every job; of one day that of the newest slot comes last."""
    sql = (
        "SELECT * FROM quotes WHERE base = ? AND quote = ? AND rate_date >= ? AND rate_date <= ?"
        " ORDER BY rate_date, slot, observed_at, job"
    )
    values = (pair.base, pair.quote, first.isoformat(), last.isoformat())
    for row in store.database.each(sql, values):
        yield to_recorded_quote(row)


def first_day(store: RateStore, pair: Pair) -> dt.date | None:
    """Return the oldest day that *pair* has a rate of, None where it has none."""
    [row] = store.database.rows(
        "SELECT MIN(rate_date) AS first FROM quotes WHERE base = ? AND quote = ?",
        (pair.base, pair.quote),
    )
    return dt.date.fromisoformat(row["first"]) if row["first"] else None


def partners(store: RateStore, code: str) -> set[str]:
    """Return the currencies that *code* was recorded with, as base or as quote."""
    rows = store.database.rows(
        "SELECT DISTINCT quote AS other FROM quotes WHERE base = ?"
        " UNION SELECT DISTINCT base AS other FROM quotes WHERE quote = ?",
        (code, code),
    )
    return {row["other"] for row in rows}
