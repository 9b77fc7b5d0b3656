"""What a firing reads of a long record stays little, however many rates of the pair there are, and of whom."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing

import pytest

from ratectl.journal.journal import Journal
from ratectl.journal.rate_store import RateStore
from ratectl.model.job import Pair

USD = Pair(base="USD", quote="INR")
FIRST = dt.date(2020, 1, 1)
RATES = 20_000
SOME = 2_000
"""Steps of SQLite's machine; looking at each rate once takes more than ten times as many."""
EVERY_TWO_HOURS = """
INSERT INTO quotes (job, slot, base, quote, rate, rate_date, provider, observed_at, kind)
WITH RECURSIVE times (slot, n) AS (SELECT ?, 0 UNION ALL SELECT slot + 7200, n + 1 FROM times WHERE n + 1 < ?)
SELECT ?, slot, 'USD', 'INR', CAST(90 + n % 7 AS TEXT), date(slot, 'unixepoch'), 'ecb', slot, 'published' FROM times
"""


class Counted:
    """A database that counts the steps of what is read."""

    def __init__(self, connection):
        connection.row_factory = sqlite3.Row
        self.connection, self.steps = connection, 0
        connection.set_progress_handler(self._count, 100)

    def _count(self):
        self.steps += 100

    def rows(self, sql, values=()):
        return self.connection.execute(sql, values).fetchall()


@pytest.fixture
def long_record(state):
    """Return the store of a journal in which the job `busy` has recorded a pair every two hours for years."""
    with Journal(state) as journal:
        journal.owner()
    with closing(sqlite3.connect(state / "journal.sqlite3")) as connection:
        start = dt.datetime.combine(FIRST, dt.time(), tzinfo=dt.UTC)
        with connection:
            connection.execute(EVERY_TWO_HOURS, (int(start.timestamp()), RATES, "busy"))
        yield RateStore(Counted(connection), lambda: "")


@pytest.mark.parametrize("job", ["busy", "new"])
@pytest.mark.parametrize("day", [FIRST, FIRST + dt.timedelta(days=800), dt.date(2026, 1, 1)])
def test_what_a_rate_is_measured_against(long_record, job, day):
    """The numbers around a day, and what stands beside them, are found without a look at all others."""
    around = list(long_record.nearest_quotes(USD, day, job))
    for near in around:
        beside = list(long_record.beside(near))

        assert {one.quote.rate for one in beside} != {near.quote.rate}
        assert all(abs(one.quote.rate_date - near.quote.rate_date).days <= 1 for one in beside)
    assert {near.job for near in around} == {"busy"}
    assert long_record.database.steps < SOME
