"""One thing that goes wrong does not spoil another: failures belong to the item and the provider that had them."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from ratectl.errors import TryLaterError
from ratectl.journal.journal import Journal
from ratectl.model.job import CatchUp, ClosedDays, Pair
from tests.support.rate_server import Fault

pytestmark = pytest.mark.network
HOUR = dt.timedelta(hours=1)
SATURDAY = dt.datetime(2026, 11, 21, 9, 0, 5, tzinfo=dt.UTC)


def v4(rate, date):
    """Return an answer of exchangerate-api-v4 with one made-up rate."""
    value = {"base": "USD", "date": date, "time_last_updated": 1, "rates": {"INR": rate}}
    return Fault(body=json.dumps(value).encode())


def test_unknown_pair_beside_an_outage(job, installed, fire, rates, lines):
    """A pair that the provider does not have ends as such, although another one's request failed once."""
    rates.misbehave(Fault(status=503), path="/v1/latest?base=EUR")
    pairs = (Pair(base="USD", quote="AED"), Pair(base="EUR", quote="INR"))

    report = fire(installed(job("frankfurter", pairs=pairs)))

    assert report.error.exit_code == 78
    assert "has no USD/AED" in str(report.error)
    assert len(lines()) == 1


def test_days_to_come_beside_an_outage(job, installed, fire, rates, clock):
    """Days that are not out yet stay due, although the request for those that are failed once."""
    rates.misbehave(Fault(status=503), path="/graph")
    usd = job("fred", catch_up=CatchUp.ALL, timeout=20)

    report = fire(installed(usd, since=clock() - dt.timedelta(days=20)), "run_due")

    assert isinstance(report.error, TryLaterError)
    assert "not published yet" in str(report.error)
    assert {settled.outcome for settled in report.settled} == {"recorded", "failed"}


def test_held_day_is_given_up_alone(job, installed, fire, rates, clock, state, monkeypatch):
    """A day whose number is never believed is given up in the end; younger days, which were not out by then, get theirs."""
    honest = rates.answer

    def answer(target, headers):
        status, kind, body = honest(target, headers)
        wrong = [
            b"2026-11-10,950.7" if row.startswith(b"2026-11-10") else row
            for row in body.splitlines()
        ]
        return status, kind, b"\n".join(wrong) if target.startswith("/graph") else body

    monkeypatch.setattr(rates, "answer", answer)
    clock.now = dt.datetime(2026, 11, 20, 12, 30, tzinfo=dt.UTC)
    usd = job("fred", catch_up=CatchUp.ALL, timeout=20, schedule_texts=("every 12 hours",))
    installed(usd, since=clock() - dt.timedelta(days=12))

    for _ in range(24):
        fire(usd, "run_due")
        clock.now += 12 * HOUR

    with Journal(state) as journal:
        missed = journal.database.rows("SELECT slot FROM firings WHERE outcome = 'missed'")
    days = {dt.datetime.fromtimestamp(row["slot"], dt.UTC).date() for row in missed}
    assert dt.date(2026, 11, 10) in days
    assert max(days) < dt.date(2026, 11, 16)


def test_closed_only_when_everyone_said_so(job, installed, fire, rates, clock, lines):
    """A Saturday is not settled as closed while a provider that publishes on Saturdays was out of reach."""
    clock.now = SATURDAY
    rates.misbehave(Fault(status=503), path="/v4", times=99)
    kinds = ("exchangerate-api-v4", "frankfurter")
    usd = installed(job(*kinds, closed_days=ClosedDays.SKIP))

    away = fire(usd)
    rates.faults.clear()
    clock.now += 2 * HOUR
    back = fire(usd)

    assert away.error.exit_code == 75
    assert back.error is None
    assert [line[:10] for line in lines()] == ["21/11/2026"]


def test_left_alone_as_long_as_it_asked(job, installed, fire, rates, clock):
    """A provider that says how long to wait is not asked in between, however eager the others are."""
    begun = clock()
    busy = Fault(status=429, headers={"Retry-After": "1200"})
    rates.misbehave(busy, path="/v4", times=9999)
    rates.misbehave(Fault(status=503), path="/v6", times=9999)

    report = fire(installed(job("exchangerate-api-v4", "exchangerate-api-open", timeout=10)))

    assert report.error.exit_code == 75
    waited = (clock() - begun).total_seconds()  # by the test's clock, on which pauses take no time
    assert 1 <= rates.asked("/v4") <= 1 + waited / 1200 < rates.asked("/v6")


@pytest.mark.parametrize(
    ("status", "word"),
    [(503, "internal-error"), (429, "too-many-requests"), (429, "quota-reached")],
)
def test_status_that_time_mends(job, installed, fire, rates, status, word):
    """Without a key, a 429 or 5xx is exit 75 whatever its body says."""
    body = json.dumps({"result": "error", "error-type": word}).encode()
    rates.misbehave(Fault(status=status, body=body), times=99)

    assert fire(installed(job("exchangerate-api-open"))).error.exit_code == 75


def test_late_answer_does_not_stand_for_the_next_day(job, installed, fire, clock, lines):
    """An answer of yesterday evening is not used for today's slot, however long its max-age is."""
    clock.now = dt.datetime(2026, 11, 19, 18, 0, 40, tzinfo=dt.UTC)
    daily = job("frankfurter", schedule_texts=("every day at 18:00",))
    installed(daily, since=clock() - HOUR)
    assert fire(daily).error is None

    clock.now = dt.datetime(2026, 11, 20, 18, 0, 1, tzinfo=dt.UTC)
    report = fire(daily)

    assert report.error is None
    assert str(report.settled[-1].quotes[0].rate_date) == "2026-11-20"
    assert [line[:10] for line in lines()] == ["19/11/2026", "20/11/2026"]
    assert "of" not in lines()[-1]


def test_tag_that_cannot_be_sent_back(job, installed, fire, rates, clock):
    """An odd entity tag does not keep a provider from being asked again."""
    clock.now = SATURDAY - dt.timedelta(days=1)
    rates.misbehave(Fault(headers={"ETag": "\x0cabc"}), path="/v1")
    usd = job("frankfurter", schedule_texts=("every hour",))
    installed(usd, since=clock() - HOUR / 2)
    assert fire(usd, "run_due").error is None

    clock.now += 16 * HOUR

    assert fire(usd, "run_due").error is None
    assert rates.asked("/v1") == 2


def test_slip_that_lasts(job, installed, fire, rates, clock, lines):
    """A unit slip stays one when the market moves on under it."""
    usd = installed(job())
    for day, rate in (("20", 95), ("21", 950), ("22", 961)):
        rates.misbehave(v4(rate, f"2026-11-{day}"))
        fire(usd)
        clock.now += dt.timedelta(days=1)

    assert [line.partition(" - ")[2] for line in lines()] == ["95"]


def test_collapse(job, installed, fire, rates, clock, lines):
    """A fall is judged like the rise that undoes it, also after a month without a rate."""
    usd = installed(job())
    rates.misbehave(v4(95, "2026-11-20"))
    fire(usd)
    clock.now += dt.timedelta(days=26)
    rates.misbehave(v4(0.001, "2026-12-16"))

    assert fire(usd).error.exit_code == 65
    assert len(lines()) == 1


PAGES = [
    b"<html><title>R\xe9seau h\xf4tel</title></html>",
    b"<!-- log in --><html><body>x<br></body></html>",
    b"<script>location='http://portal.invalid/'</script>",
    b"<HEAD><meta http-equiv=refresh></HEAD>",
    b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x"><html/>',
    b"\xef\xbb\xbf <html>x</html>",
]


@pytest.mark.parametrize("kind", ["exchangerate-api-v4", "ecb", "fred", "currency-api-cdn"])
@pytest.mark.parametrize("page", PAGES)
def test_portal_page(job, installed, fire, rates, state, kind, page):
    """A web page in whatever encoding is a portal, which time mends: nothing of it is kept for review."""
    rates.misbehave(Fault(body=page), times=99)

    report = fire(installed(job(kind, timeout=1)))

    assert report.error.exit_code == 75
    assert "captive portal" in str(report.error)
    with Journal(state) as journal:
        assert journal.database.rows("SELECT 1 FROM quarantine") == []


def test_control_characters_of_a_redirect(job, installed, fire, rates):
    """What a stranger puts into an address does not reach a terminal."""
    rates.misbehave(
        Fault(status=302, headers={"Location": "http://\x1b[31mevil\x07.invalid/"}), times=99
    )

    assert str(fire(installed(job(timeout=1))).error).isprintable()


@pytest.mark.parametrize("status", [200, 401, 403, 429, 500])
def test_an_echoed_key_is_nowhere(job, installed, fire, rates, state, status):
    """A provider that tells our key back puts it neither into an error nor into a file of ours."""
    told = b'{"error": true, "status": 401, "message": "demo-key", "description": "Bearer demo-key: bad"}'
    rates.misbehave(Fault(status=status, body=told), times=50)
    office = installed(job("openexchangerates"))

    report = fire(office)

    assert report.error is not None
    assert "demo-key" not in str(report.error)
    kept = [
        path for path in state.rglob("*") if path.is_file() and b"demo-key" in path.read_bytes()
    ]
    assert kept == []
