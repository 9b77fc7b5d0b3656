"""Crosses through a hub: exact to twelve digits, out of one day, with the published rates they came from."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratectl.fetch.failures import FetchError
from ratectl.fetch.providers._shared import cross_rates
from ratectl.fetch.providers._shared.query import RateQuery
from ratectl.model.job import Pair

DAY = dt.date(2026, 11, 20)
PRECISION = Decimal("1.1e-11")
"""Two roundings to twelve digits."""

published = st.decimals(
    min_value=Decimal("0.0001"), max_value=Decimal(50000), places=6, allow_nan=False
).filter(bool)


def pair(text):
    return Pair(base=text[:3], quote=text[4:])


def rates(**values):
    """USD_INR="95" -> {USD/INR: 95}."""
    return {pair(name.replace("_", "/")): Decimal(value) for name, value in values.items()}


def through(hub, text, known):
    return cross_rates.through(hub, pair(text), known, day=DAY)


@pytest.mark.parametrize(
    ("text", "rate", "legs"),
    [
        ("USD/INR", "94.70", []),
        ("EUR/USD", "1.1604", []),
        ("INR/USD", "0.0105596620908", ["USD/INR"]),
        ("USD/EUR", "0.861771802827", ["EUR/USD"]),
        ("EUR/INR", "109.88988", ["USD/INR", "EUR/USD"]),
        ("INR/EUR", "0.00910001903724", ["EUR/USD", "USD/INR"]),
        ("EUR/GBP", "0.879757391964", ["GBP/USD", "EUR/USD"]),
        ("INR/JPY", "1.59873284055", ["USD/JPY", "USD/INR"]),
    ],
)
def test_directions(text, rate, legs):
    """Whichever way round the legs are published, the cross is theirs, and it names them as published."""
    known = rates(USD_INR="94.70", USD_JPY="151.40", EUR_USD="1.1604", GBP_USD="1.319")

    found = through("USD", text, known)

    assert found.rate == Decimal(rate)
    assert [str(leg.pair) for leg in found.legs] == legs
    assert all(leg.rate == known[leg.pair] for leg in found.legs)
    assert found.rate_date == DAY


@given(inr=published, eur=published, forward=st.booleans())
def test_there_and_back(inr, eur, forward):
    """A/B times B/A is 1 within the kept digits, however the legs are published."""
    leg = "USD_EUR" if forward else "EUR_USD"
    known = rates(USD_INR=inr, **{leg: eur})

    there, back = through("USD", "EUR/INR", known), through("USD", "INR/EUR", known)

    assert abs(there.rate * back.rate - 1) < PRECISION
    assert set(there.legs) == set(back.legs)


@given(inr=published, jpy=published, eur=published)
def test_triangle(inr, jpy, eur):
    """Going round three currencies ends where it began."""
    known = rates(USD_INR=inr, USD_JPY=jpy, EUR_USD=eur)

    around = [through("USD", text, known).rate for text in ("INR/JPY", "JPY/EUR", "EUR/INR")]

    assert abs(around[0] * around[1] * around[2] - 1) < PRECISION * 2


def test_no_leg_no_rate():
    """A currency that has no rate that day gives none, neither as base nor as quote."""
    known = rates(USD_INR="95")

    assert through("USD", "USD/NPR", known) is None
    assert through("USD", "NPR/INR", known) is None


def test_absurd_cross():
    """A cross beyond the size of any rate is unusable like a published one."""
    found = through("USD", "AAA/BBB", rates(USD_AAA="1e-11", USD_BBB="1e11"))

    assert "AAA/BBB" in found.problem
    assert "outside" in found.problem


DAYS = {
    dt.date(2026, 11, 16): rates(USD_INR="94.60", EUR_USD="1.161"),
    dt.date(2026, 11, 17): rates(USD_INR="94.61", EUR_USD="1.162"),
    dt.date(2026, 11, 18): rates(USD_INR="94.62"),
    dt.date(2026, 11, 19): rates(EUR_USD="1.164"),
}


class TestSeries:
    """Four days, of which the third lacks the euro and the last has nothing but the euro."""

    def found(self, text, since=None, until=None):
        days = [day and dt.date(2026, 11, day) for day in (since, until)]
        query = RateQuery(pairs=(pair(text),), since=days[0], until=days[1])
        return [
            (rate.rate_date.day, str(rate.rate)) for rate in cross_rates.series("USD", query, DAYS)
        ]

    def test_newest_is_of_one_day(self):
        """The newest cross is of the last day that has both legs, never of two days."""
        assert self.found("EUR/INR") == [(17, "109.93682")]
        assert self.found("USD/INR") == [(18, "94.62")]
        assert self.found("EUR/USD") == [(19, "1.164")]

    def test_range(self):
        """A range gives its publications and the last one before it, oldest first, none after it."""
        assert self.found("USD/INR", 17, 17) == [(16, "94.60"), (17, "94.61")]
        assert self.found("EUR/INR", 18, 19) == [(17, "109.93682")]
        assert self.found("EUR/USD", 18, 19) == [(17, "1.162"), (19, "1.164")]

    def test_unknown_currency(self):
        """A pair that no day has is left out."""
        assert self.found("USD/NPR") == []

    def test_nothing_so_early(self):
        """A range that ends before the first publication is an error, not an empty answer."""
        with pytest.raises(FetchError, match="up to 2026-11-15"):
            self.found("USD/INR", 14, 15)
