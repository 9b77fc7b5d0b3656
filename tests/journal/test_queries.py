"""What is read back of a long record: newest quotes, thinned series, how slots went, gaps. In SQLite and PostgreSQL."""

import dataclasses
import datetime as dt
from itertools import pairwise

import pytest

from ratectl.journal import queries
from ratectl.journal.journal import Journal
from ratectl.journal.rows import Span
from ratectl.model.job import Pair
from tests.fakes import past
from tests.fakes.jobs import job as made

UTC = dt.UTC
USD, EUR = Pair(base="USD", quote="INR"), Pair(base="EUR", quote="INR")
MONDAY = dt.datetime(2026, 11, 16, 5, 0, tzinfo=UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.engine)])
def installed(request, state):
    """Record a job as installed, in a journal of each kind."""

    def install(name="usd-inr", since=MONDAY - DAY, **keys):
        job = made(name, **keys)
        if request.param == "postgresql":
            server = request.getfixturevalue("postgres")
            job = dataclasses.replace(job, journal=server.url(server.database()))
        with Journal(state) as journal:
            journal.record_jobs(
                (job,),
                spec="",
                digest="",
                backend="cron",
                scope="user",
                host_timezone="UTC",
                now=since,
            )
        return job

    return install


def reading(state, job, read):
    """Return what *read* gives for the store of *job*."""
    with Journal(state) as journal:
        return read(journal.store(job))


def hear(error):
    """Nothing may be out of reach here."""
    raise error


def test_recent(installed, state):
    """The newest quotes of each pair of each job, oldest first, and no more than were asked for."""
    one, two = installed("one", pairs='["USD/INR", "EUR/INR"]'), installed("two")
    for number in range(5):
        past.settle(state, one, MONDAY + number * DAY, str(90 + number))
    past.settle(state, two, MONDAY, "80")

    with Journal(state) as journal:
        found = queries.recent(journal, journal.installed(), 3, hear)

    rates = {
        name: {p: [str(e.quote.rate) for e in es] for p, es in of.items()}
        for name, of in found.items()
    }
    assert rates == {
        "one": {EUR: ["92", "93", "94"], USD: ["92", "93", "94"]},
        "two": {USD: ["80"]},
    }


def test_recent_of_nothing(installed, state):
    """A job without quotes has none, and is told of all the same."""
    installed()
    with Journal(state) as journal:
        assert queries.recent(journal, journal.installed(), 3, hear) == {"usd-inr": {}}


def test_series_is_whole(installed, state):
    """A series that is no longer than asked for is given rate by rate."""
    job = installed()
    for number in range(4):
        past.settle(state, job, MONDAY + number * DAY, str(90 + number))

    points = reading(state, job, lambda book: queries.series(book, job.name, USD, max_points=4))

    assert [(point.slot, str(point.rate)) for point in points.points] == [
        (MONDAY + number * DAY, str(90 + number)) for number in range(4)
    ]
    assert points.number == 4


def test_series_is_thinned(installed, state):
    """Of a longer one each stretch keeps its lowest, its highest and its last rate, and it is told how many there are."""
    job = installed(schedule='"every 6 hours"')
    rates = [100 + (number * 37) % 80 for number in range(80)]
    for number, rate in enumerate(rates):
        past.settle(state, job, MONDAY + number * DAY / 4, str(rate))

    few = reading(state, job, lambda book: queries.series(book, job.name, USD, max_points=12))

    drawn = [int(point.rate) for point in few.points]
    assert few.number == 80
    assert len(drawn) <= 15
    assert (min(drawn), max(drawn), drawn[-1]) == (min(rates), max(rates), rates[-1])
    assert all(one.slot < other.slot for one, other in pairwise(few.points))


def test_a_rate_that_stays_is_thinned(installed, state):
    """Where all rates of a stretch are equal, its first and its last stay."""
    job = installed(schedule='"every 6 hours"')
    for number in range(80):
        past.settle(state, job, MONDAY + number * DAY / 4, "7.8")

    few = reading(state, job, lambda book: queries.series(book, job.name, USD, max_points=12))

    assert few.number == 80
    assert len(few.points) <= 12


def test_a_short_time_is_drawn_finely(installed, state):
    """A day of a job that runs each minute is more than the point of that day."""
    job = installed(schedule='"every minute"')
    for number in range(300):
        past.settle(state, job, MONDAY + number * DAY / 1440, str(100 + number))

    few = reading(state, job, lambda book: queries.series(book, job.name, USD, max_points=90))

    assert 60 <= len(few.points) <= 100


def test_span(installed, state):
    """Only slots from the start on and before the end count."""
    job = installed()
    for number in range(4):
        past.settle(state, job, MONDAY + number * DAY)
    span = Span(start=MONDAY + DAY, end=MONDAY + 3 * DAY)

    points = reading(
        state, job, lambda b: queries.series(b, job.name, USD, span, max_points=9).points
    )
    newest = reading(state, job, lambda b: queries.newest_slot(b, job.name, span, USD))
    before = reading(state, job, lambda b: queries.newest_slot(b, job.name, span, USD, skip=1))
    none = reading(state, job, lambda b: queries.newest_slot(b, job.name, span, USD, skip=2))

    assert [point.slot for point in points] == [MONDAY + DAY, MONDAY + 2 * DAY]
    assert (newest, before, none) == (MONDAY + 2 * DAY, MONDAY + DAY, None)


def test_courses(installed, state):
    """Each slot is counted as what became of it: punctual or not, backfilled, closed, missed, failed."""
    job = installed()
    past.settle(state, job, MONDAY)
    past.settle(state, job, MONDAY + DAY, after=5000)
    past.settle(state, job, MONDAY + 2 * DAY, after=90_000, kind="backfilled")
    past.settle(state, job, MONDAY + 3 * DAY, outcome="closed")
    past.settle(state, job, MONDAY + 4 * DAY, outcome="missed")
    past.fail(state, job, MONDAY + 5 * DAY, "offline: no way to frankfurter")

    found = reading(state, job, lambda book: list(queries.slot_outcomes(book, job)))

    assert [(count.quarter, count.outcome, count.number) for count in found] == [
        (MONDAY + number * DAY, went, 1)
        for number, went in enumerate(
            ("on time", "late", "backfilled", "closed", "missed", "failed")
        )
    ]


@pytest.mark.parametrize(
    ("how", "went"),
    [
        ({"kind": "imported", "detail": "imported from rates.csv, line 2"}, "backfilled"),
        ({"provider": "by-hand", "detail": "USD/INR was entered by hand"}, "backfilled"),
        ({"detail": "frankfurter: offline, and another provider answered"}, "on time"),
    ],
)
def test_what_was_entered_later(installed, state, how, went):
    """A line of a file may say that it was there at its slot: no firing was punctual for that."""
    job = installed()
    past.settle(state, job, MONDAY, **how)

    [count] = reading(state, job, lambda book: list(queries.slot_outcomes(book, job)))

    assert count.outcome == went


def test_jitter_is_not_late(installed, state):
    """A firing within the job's own jitter was on time."""
    job = installed(jitter='"20m"')
    past.settle(state, job, MONDAY, after=1200)

    [count] = reading(state, job, lambda book: list(queries.slot_outcomes(book, job)))

    assert count.outcome == "on time"


def test_troubles(installed, state):
    """Failed and missed slots with their reason, newest first, no more than asked for."""
    job = installed()
    past.settle(state, job, MONDAY, outcome="missed", detail="seen 700 s late")
    past.settle(state, job, MONDAY + DAY)
    past.fail(state, job, MONDAY + 2 * DAY, "offline: no way to frankfurter")

    found = reading(state, job, lambda book: queries.failures(book, job.name, 9))
    newest = reading(state, job, lambda book: queries.failures(book, job.name, 1))

    assert [firing.detail for firing in found] == [
        "offline: no way to frankfurter",
        "seen 700 s late",
    ]
    assert newest == found[:1]


def test_gaps(installed, state):
    """Slots that are over, and of which the store knows nothing, are gaps; what came before the installation is none."""
    job = installed(since=MONDAY - dt.timedelta(hours=1))
    past.settle(state, job, MONDAY + DAY)
    with Journal(state) as journal:
        journal.advance(job.name, MONDAY + 3 * DAY, missed=3)
        [row] = journal.installed()

        found = queries.gaps(journal.store(job), row, 100)
        cut = queries.gaps(journal.store(job), row, 2)

    assert found == [MONDAY, MONDAY + 2 * DAY, MONDAY + 3 * DAY]
    assert cut == [MONDAY + 2 * DAY, MONDAY + 3 * DAY]
