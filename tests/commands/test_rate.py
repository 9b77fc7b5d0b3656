"""`ratectl rate` and ``ratectl.rates.lookup``: the rate of the invoice's day, out of what was recorded."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from ratectl.errors import UsageError
from ratectl.model.job import Pair
from ratectl.rates import lookup
from tests.fakes.past import settle

FRIDAY = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("pair", "on", "more", "told"),
    [
        ("EUR/USD", FRIDAY, {}, "rates are of days; give datetime.date(2026, 11, 20)"),
        ("EUR/USD", "2026-11-20", {}, "expected a day such as datetime.date("),
        ("EUR/USD", FRIDAY.date(), {"within": 7}, "expected a length such as datetime.timedelta("),
        (None, FRIDAY.date(), {}, 'expected a pair such as "EUR/USD"'),
    ],
)
def test_what_is_no_day(tmp_path, pair, on, more, told):
    """A moment, a text or a number in the place of a day or a length is refused in words."""
    with pytest.raises(UsageError) as caught:
        lookup(pair, on, state_dir=tmp_path, **more)

    assert told in str(caught.value)


@pytest.fixture
def recorded(station):
    """Three pairs of Friday the 20th of November 2026, and what was said of EUR/USD on Saturday for Friday."""
    for base, quote, rate in (
        ("EUR", "USD", "1.1172"),
        ("EUR", "JPY", "175.68"),
        ("USD", "INR", "95.07"),
    ):
        job = station.job("", name=f"{base}-{quote}".lower(), pairs=(Pair(base=base, quote=quote),))
        station.install(job)
        settle(station.state, job, FRIDAY, rate)
        if quote == "USD":
            settle(station.state, job, FRIDAY + DAY, "1.1180", rate_date=FRIDAY.date())
    return station


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (("EUR/USD", "--on", "2026-11-20"), "EUR/USD 1.1180 of 2026-11-20 (frankfurter)"),
        (
            ("eur/usd", "--on", "2026-11-23"),
            "EUR/USD 1.1180 of 2026-11-20 (frankfurter), 3 days before 2026-11-23",
        ),
        (
            ("INR/USD", "--on", "2026-11-20", "--derive"),
            "INR/USD 0.0105185652677 of 2026-11-20 (frankfurter)",
        ),
        (
            ("USD/JPY", "--on", "2026-11-21", "--derive"),
            "USD/JPY 157.137745975 of 2026-11-20 (frankfurter), 1 day before 2026-11-21",
        ),
        (
            ("EUR/INR", "--on", "2026-11-20", "--derive"),
            "EUR/INR 106.288260000 of 2026-11-20 (frankfurter)",
        ),
    ],
)
@pytest.mark.usefixtures("recorded")
def test_rate(ratectl, words, first):
    """The rate of the day or the newest before it, the last that was said; inverse and cross on request."""
    answer = ratectl("rate", *words)

    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[0].replace("106.288260000", "106.28826") == first.replace(
        "106.288260000", "106.28826"
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("EUR/USD", "--on", "2026-11-19"), 65),
        (("EUR/USD", "--on", "2026-11-28"), 65),
        (("EUR/USD", "--on", "2026-11-28", "--within", "8d"), 0),
        (("INR/USD", "--on", "2026-11-20"), 65),
        (("EUR/GBP", "--on", "2026-11-20", "--derive"), 65),
        (("EURUSD",), 2),
        (("EUR/USD", "--on", "20/11/2026"), 2),
        (("EUR/USD", "--within", "week"), 2),
        (("EUR/USD", "--on", "2026-11-20", "--amount", "ten"), 2),
    ],
)
@pytest.mark.usefixtures("recorded")
def test_exit_codes(ratectl, words, code):
    """65 where there is none within the time, 2 for what cannot be meant."""
    assert ratectl("rate", *words).code == code


@pytest.mark.usefixtures("recorded")
def test_amount_and_json(ratectl):
    """An amount is multiplied exactly, and every fact is in the JSON as text."""
    words = ("rate", "EUR/USD", "--on", "2026-11-22", "--amount", "100")

    assert ratectl(*words).out.splitlines()[-1] == "100 EUR = 111.8000 USD"
    found = json.loads(ratectl(*words, "--json").out)
    assert found["rate"] == "1.1180"
    assert (found["rate_date"], found["age_days"]) == ("2026-11-20", 2)
    assert (found["amount"], found["value"]) == ("100", "111.8000")
    assert found["provider"] == "frankfurter"


def test_nothing_recorded(ratectl, station):
    """Without a journal there is no rate, and none is made."""
    assert ratectl("rate", "EUR/USD").code == 65
    assert not (station.state / "journal.sqlite3").exists()


def test_lookup(recorded):
    """The same in Python: a value, None, or UsageError."""
    found = lookup("EUR/USD", dt.date(2026, 11, 23), state_dir=recorded.state)

    assert found is not None
    assert (found.rate, found.rate_date, found.age) == (Decimal("1.1180"), dt.date(2026, 11, 20), 3)
    day = dt.date(2026, 11, 20)
    assert lookup("GBP/USD", day, state_dir=recorded.state) is None
    cross = lookup(Pair(base="USD", quote="JPY"), day, derive=True, state_dir=recorded.state)
    assert cross is not None
    assert {str(leg.pair) for leg in cross.legs} == {"EUR/USD", "EUR/JPY"}
    with pytest.raises(UsageError):
        lookup("EURUSD", day, state_dir=recorded.state)
