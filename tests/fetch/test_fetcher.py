"""Which quotes are believed: fallback, agreement, jumps, dates. Over HTTP, with invented bodies."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from ratectl.fetch import plausibility
from ratectl.journal.journal import Journal
from ratectl.model.job import CatchUp, Pair
from ratectl.model.quote import Quote
from tests.support.rate_server import Fault

FRIDAY = dt.date(2026, 11, 20)
USD_INR = Pair(base="USD", quote="INR")
network = pytest.mark.network


def quote(rate, day=FRIDAY):
    return Quote(
        pair=USD_INR,
        rate=Decimal(rate),
        rate_date=day,
        provider="p",
        provider_time=None,
        observed_at=dt.datetime(2026, 11, 20, tzinfo=dt.UTC),
        kind="published",
    )


@pytest.mark.parametrize(
    ("before", "after", "days", "held", "word"),
    [
        ("95", "95", 1, None, ""),
        ("95", "99.7", 1, None, ""),
        ("95", "101", 1, False, "%"),
        ("95", "101", 4, None, ""),
        ("95", "120", 1, True, "%"),
        ("95", "120", 30, None, ""),
        ("95.07", "9507", 1, True, "factor of 100"),
        ("95.07", "950.7", 1, True, "factor of 10"),
        ("95.07", "9.507", 1, True, "factor of 0.1"),
        ("95.07", "0.9507", 1, True, "factor of 0.01"),
        ("95.07", "0.010518", 1, True, "inverse"),
        ("1.08", "0.926", 1, True, "inverse"),
        ("0.97", "1.03", 9, None, ""),
        ("1.2024", "1.0409", 1, False, "%"),
    ],
)
def test_jump(before, after, days, held, word):
    """Moves over 5 % warn, over 20 % hold (scaled by the days between), and slips are named."""
    found = plausibility.jump(quote(after), quote(before, FRIDAY - dt.timedelta(days=days)))

    assert (found.is_suspect if found else None) is held
    assert not word or word in found.reason


def test_first_quote_has_nothing_to_jump_from():
    """The first quote of a pair is believed as far as its date is."""
    assert plausibility.jump(quote("1"), None) is None


@pytest.mark.parametrize(
    ("day", "asked", "wrong"),
    [
        ("2026-11-20", None, False),
        ("2026-11-22", None, False),
        ("2026-11-23", None, True),
        ("2026-11-14", None, False),
        ("2026-11-13", None, True),
        ("2026-11-11", "2026-11-11", False),
        ("2026-11-12", "2026-11-11", True),
        ("2026-11-04", "2026-11-11", True),
    ],
)
def test_dates(day, asked, wrong):
    """Up to two days ahead and the provider's longest gap behind; a past day is never answered with a later one."""
    problem = plausibility.date_problem(
        quote("95", dt.date.fromisoformat(day)),
        today=FRIDAY,
        longest_gap=6,
        past_day=dt.date.fromisoformat(asked) if asked else None,
    )

    assert bool(problem) is wrong


def v4(rate, date="2026-11-20"):
    """Return an answer of exchangerate-api-v4 with one made-up rate."""
    value = {"base": "USD", "date": date, "time_last_updated": 1, "rates": {"INR": rate}}
    return Fault(body=json.dumps(value).encode())


def v6(rate):
    """Return an answer of exchangerate-api-open with one made-up rate."""
    stamp = int(dt.datetime(2026, 11, 20, tzinfo=dt.UTC).timestamp())
    value = {"result": "success", "base_code": "USD", "time_last_update_unix": stamp}
    return Fault(body=json.dumps(value | {"rates": {"INR": rate}}).encode())


BOTH = ("exchangerate-api-v4", "exchangerate-api-open")


@network
class TestBelief:
    """A job of two providers; the day before, 95 was recorded."""

    @pytest.fixture(autouse=True)
    def _yesterday(self, job, installed, fire, clock, rates):
        clock.now -= dt.timedelta(days=1)
        installed(job())
        assert fire(job()).error is None
        clock.now += dt.timedelta(days=1)
        rates.requests.clear()

    def test_fallback(self, job, installed, fire, rates, lines):
        """When the first provider is down, the second is asked at once."""
        rates.misbehave(Fault(status=503), path="/v4")

        assert fire(installed(job(*BOTH))).error is None

        assert lines()[-1] == "20/11/2026 - 95"
        assert [path for path, _ in rates.requests] == ["/v4/latest/USD", "/v6/latest/USD"]

    def test_slip_of_the_first(self, job, installed, fire, rates, lines, state):
        """A number that is a hundred times too large is held, and the second provider's recorded."""
        rates.misbehave(v4(9500), path="/v4")

        assert fire(installed(job(*BOTH))).error is None

        assert lines()[-1] == "20/11/2026 - 95"
        with Journal(state) as journal:
            [row] = journal.database.rows("SELECT provider, reason, rate FROM quarantine")
        assert (row["provider"], row["rate"]) == ("exchangerate-api-v4", "9500")
        assert "unit slip" in row["reason"]

    def test_slip_alone(self, job, installed, fire, rates, lines):
        """With nobody to ask, a slip is exit 65, however often it is repeated."""
        rates.misbehave(v4(9500), times=5)
        usd = installed(job())

        assert [fire(usd).error.exit_code for _ in range(3)] == [65, 65, 65]
        assert len(lines()) == 1

    def test_announced_end(self, job, installed, fire, rates, lines, sample):
        """A provider that says when it will shut down is used until then, with a warning."""
        body = sample("exchangerate-api-open/latest-USD-eol-announced.json")
        rates.misbehave(Fault(body=body))

        report = fire(installed(job("exchangerate-api-open")))

        assert lines()[-1] == "20/11/2026 - 95.071842"
        told = "exchangerate-api-open announces that it shuts down on 2027-01-01"
        assert report.settled[0].warnings == (told,)

    def test_real_move_is_confirmed_by_the_second(self, job, installed, fire, rates, lines):
        """A move of 30 % that two providers tell of is recorded, with a warning."""
        rates.misbehave(v4(123.5), path="/v4")
        rates.misbehave(v6(123.9), path="/v6")

        report = fire(installed(job(*BOTH)))

        assert report.error is None
        assert lines()[-1] == "20/11/2026 - 123.5"
        assert "confirmed by exchangerate-api-open" in report.settled[0].warnings[0]

    def test_real_move_is_confirmed_by_the_next_publication(
        self, job, installed, fire, rates, lines, clock
    ):
        """A move that the same provider still tells of the day after is recorded then."""
        usd = installed(job())
        rates.misbehave(v4(123.5))
        assert fire(usd).error.exit_code == 65
        clock.sleep(86_400)
        rates.misbehave(v4(124.1, "2026-11-21"))

        assert fire(usd).error is None

        assert lines()[-1] == "21/11/2026 - 124.1"

    @pytest.mark.parametrize("date", ["2026-10-20", "2027-11-20"])
    def test_wrong_date(self, job, installed, fire, rates, lines, date):
        """A rate of last month, or of next year, is not recorded."""
        rates.misbehave(v4(95, date), path="/v4")

        fire(installed(job(*BOTH)))

        assert lines()[-1] == "20/11/2026 - 95"
        assert len(rates.requests) == 2

    def test_agreement(self, job, installed, fire, rates, lines):
        """Two providers that agree give the first one's number."""
        rates.misbehave(v4(95.5), path="/v4")

        assert fire(installed(job(*BOTH, agree=Decimal("0.01")))).error is None

        assert lines()[-1] == "20/11/2026 - 95.5"

    def test_disagreement(self, job, installed, fire, rates, lines, state):
        """Two that do not agree are both quarantined, and nothing is recorded."""
        rates.misbehave(v4(97), path="/v4")

        report = fire(installed(job(*BOTH, agree=Decimal("0.01"))))

        assert report.error.exit_code == 65
        assert "not within 1" in str(report.error)
        assert len(lines()) == 1
        with Journal(state) as journal:
            assert len(journal.database.rows("SELECT 1 FROM quarantine")) == 2

    def test_majority(self, job, installed, fire, rates, lines):
        """Of three providers, two that agree are believed."""
        rates.misbehave(v4(97), path="/v4")
        three = (*BOTH, "frankfurter")

        assert fire(installed(job(*three, agree=Decimal("0.01")))).error is None

        assert lines()[-1] == "20/11/2026 - 95"

    def test_nobody_to_agree(self, job, installed, fire, rates, lines):
        """While the second provider is down, agreement is a matter of trying later."""
        rates.misbehave(Fault(status=503), times=1000, path="/v6")

        report = fire(installed(job(*BOTH, agree=Decimal("0.01"), timeout=1)))

        assert report.error.exit_code == 75
        assert len(lines()) == 1

    def test_unknown_currency(self, job, installed, fire):
        """A pair that no provider has is a matter of configuration."""
        report = fire(installed(job(*BOTH, pairs=(Pair(base="USD", quote="NPR"),))))

        assert report.error.exit_code == 78
        assert "has no USD/NPR" in str(report.error)


@network
def test_derived_quote_keeps_its_legs(job, installed, fire, state):
    """A cross of the ECB's is recorded as derived, with both published legs."""
    fire(installed(job("ecb")))

    with Journal(state) as journal:
        [entry] = journal.store().quotes("usd-inr")
    assert entry.quote.kind == "derived"
    assert [str(leg.pair) for leg in entry.quote.legs] == ["EUR/INR", "EUR/USD"]


@network
def test_several_bases(job, installed, fire, lines, rates):
    """Pairs of one base share a request; each line names its pair."""
    pairs = tuple(
        Pair(base=b, quote=q) for b, q in (("USD", "INR"), ("EUR", "INR"), ("USD", "JPY"))
    )

    fire(installed(job("frankfurter", pairs=pairs)))

    assert [line.split(" - ")[1].split()[0] for line in lines()] == [
        "USD/INR",
        "EUR/INR",
        "USD/JPY",
    ]
    assert len(rates.requests) == 2


@network
def test_history_is_asked_once(job, installed, fire, rates):
    """Several past slots of several days share one request."""
    usd = job("ecb", schedule_texts=("0 */6 * * *",), catch_up=CatchUp.ALL)

    fire(installed(usd, since=dt.datetime(2026, 11, 18, tzinfo=dt.UTC)), "run_due")

    history = [path for path, _ in rates.requests if "hist-90d" in path]
    assert len(history) == 1
