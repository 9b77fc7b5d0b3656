"""Past days: which observation answers which day, and which moves are believed. Over HTTP, with invented bodies."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from ratectl.journal import quarantine
from ratectl.journal.journal import Journal
from ratectl.model.job import CatchUp, ClosedDays
from tests.support.rate_server import Fault

pytestmark = pytest.mark.network
UTC = dt.UTC
MONDAY = dt.date(2026, 11, 9)


def days(**rates):
    """Return an answer of frankfurter with a rate for each ``dNN`` of November 2026."""
    found = {f"2026-11-{day[1:]}": {"INR": rate} for day, rate in rates.items()}
    body = {"amount": 1.0, "base": "USD", "start_date": min(found), "end_date": max(found)}
    return Fault(body=json.dumps(body | {"rates": found}).encode())


@pytest.fixture
def week(job, installed, fire, rates, state):
    """Fire a job whose slots of Monday 9th to Sunday 15th November are due, with a given answer."""

    def run(answer, **values):
        rates.misbehave(answer, times=100, path="/v1/2026")
        end = "2026-11-16T00:00"
        usd = job("frankfurter", catch_up=CatchUp.ALL, end=end, **values)
        report = fire(installed(usd, since=dt.datetime(2026, 11, 9, tzinfo=UTC)))
        with Journal(state) as journal:
            quotes = {e.slot.day: str(e.quote.rate) for e in journal.store().quotes("usd-inr")}
            kept = [
                (quarantined.quote.rate_date.day, quarantined.reason)
                for quarantined in quarantine.quarantine(journal.store())
            ]
        return report, quotes, kept

    return run


WEEK = {"d09": 95.1, "d10": 95.2, "d11": 95.3, "d12": 95.4, "d13": 95.5}


def test_closed_days_carry_the_last_rate(week, lines):
    """Saturday and Sunday have Friday's rate, and their lines say so."""
    report, quotes, _ = week(days(**WEEK))

    assert report.error is None
    assert quotes == {
        9: "95.1",
        10: "95.2",
        11: "95.3",
        12: "95.4",
        13: "95.5",
        14: "95.5",
        15: "95.5",
    }
    assert lines()[-2:] == [
        "14/11/2026 - 95.5 (of 13/11/2026)",
        "15/11/2026 - 95.5 (of 13/11/2026)",
    ]


def test_closed_days_skipped(week):
    """With `skip`, a day without a publication of its own has no rate."""
    report, quotes, _ = week(days(**WEEK), closed_days=ClosedDays.SKIP)

    assert report.error is None
    assert sorted(quotes) == [9, 10, 11, 12, 13]


def test_slip_of_one_day(week):
    """A day whose number is a hundred times too large is held; the days around it are not."""
    report, quotes, kept = week(days(**WEEK | {"d11": 9530.0}))

    assert report.error.exit_code == 65
    assert sorted(quotes) == [9, 10, 12, 13, 14, 15]
    assert [day for day, _ in kept] == [11]
    assert "unit slip" in kept[0][1]


def test_move_that_stays(week):
    """A move of 40 % which the next publication confirms is believed, with a warning."""
    report, quotes, kept = week(days(**WEEK | {"d11": 135.0, "d12": 136.0, "d13": 135.5}))

    assert report.error is None
    assert len(quotes) == 7
    assert kept == []
    assert any("%" in warning for settled in report.settled for warning in settled.warnings)


def test_move_on_the_last_day(week):
    """A move of 40 % that nothing confirms yet is held."""
    _, quotes, kept = week(days(**WEEK | {"d13": 135.5}))

    assert sorted(quotes) == [9, 10, 11, 12]
    assert {day for day, _ in kept} == {13}


def test_before_the_first_publication(week):
    """Days before a currency was published are settled without a rate, and without an error."""
    report, quotes, _ = week(days(d12=95.4, d13=95.5))

    assert report.error is None
    assert sorted(quotes) == [12, 13, 14, 15]
    assert [settled.outcome for settled in report.settled][:3] == ["closed"] * 3


def test_answer_that_ends_early(week):
    """Days after the last publication that the answer has are no gap: they stay due."""
    report, quotes, _ = week(days(d01=95.0, d02=95.1), closed_days=ClosedDays.MARK)

    assert report.error.exit_code == 65
    assert "no rate of USD/INR" in str(report.error)
    assert quotes == {}


def test_held_once_however_often_it_is_seen(week, fire, state, job):
    """What is held is counted when it comes again, not stored again."""
    _, _, kept = week(days(**WEEK | {"d11": 9530.0}))
    assert len(kept) == 1

    for _ in range(3):
        fire(job("frankfurter"))

    with Journal(state) as journal:
        [quarantined] = quarantine.quarantine(journal.store())
        assert quarantined.seen == 4
        assert quarantined.slot == dt.datetime(2026, 11, 11, 9, tzinfo=UTC)
        assert quarantine.body(journal.store(), quarantined.id).startswith(b'{"amount"')


def test_days_are_asked_one_by_one_where_it_must_be(job, installed, fire, rates, lines):
    """A provider without ranges gets a dated request for each day."""
    usd = job("currency-api-cdn", catch_up=CatchUp.ALL)

    report = fire(installed(usd, since=dt.datetime(2026, 11, 17, tzinfo=UTC)))

    assert report.error is None
    dated = [path for path, _ in rates.requests if "@2026-11-1" in path]
    assert [path.split("@")[2][:10] for path in dated] == ["2026-11-17", "2026-11-18", "2026-11-19"]
    assert len(lines()) == 4


def test_a_revision_names_what_it_supersedes(job, installed, fire, rates, clock, state):
    """The same provider says another number for the same day: both are kept, and the later names the earlier."""
    usd = installed(job("ecb", schedule_texts=("every day at 09:00", "every day at 10:00")))
    assert fire(usd).error is None
    first = rates.answer("/stats/eurofxref/eurofxref-daily.xml", {})[-1]
    rates.misbehave(
        Fault(body=first.replace(b'currency="INR" rate="11', b'currency="INR" rate="12'))
    )
    clock.now += dt.timedelta(hours=1)

    assert fire(usd).error is None

    with Journal(state) as journal:
        recorded, other = journal.store().quotes("usd-inr")
    assert recorded.supersedes is None
    assert recorded.quote.rate_date == other.quote.rate_date
    assert other.supersedes == recorded.quote.rate != other.quote.rate
