"""FRED's tables: two directions, blanks, a header that changed, and a week of delay."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.providers import fred
from ratectl.model.providers import PROVIDER_KINDS
from ratectl.spec.readers import currencies

TABLE = b"""observation_date,DEXINUS,DEXUSEU,DEXJPUS
2026-11-09,94.50,1.1600,151.10
2026-11-10,94.61,1.1610,.
2026-11-11,,,
2026-11-12,94.66,,151.30
2026-11-13,.,1.1630,151.40
"""


@pytest.mark.parametrize(
    ("pair", "day", "rate", "legs"),
    [
        ("USD/INR", 12, "94.66", []),
        ("EUR/USD", 13, "1.1630", []),
        ("USD/EUR", 13, "0.859845227859", ["EUR/USD"]),
        ("EUR/INR", 10, "109.84221", ["USD/INR", "EUR/USD"]),
        ("EUR/JPY", 13, "176.07820", ["USD/JPY", "EUR/USD"]),
        ("INR/JPY", 12, "1.59835199662", ["USD/JPY", "USD/INR"]),
    ],
)
def test_newest(parse, pair, day, rate, legs):
    """The newest rate is of the last day on which both legs were observed, in either direction."""
    [one] = parse("fred", TABLE, pair)

    assert (one.rate_date.day, one.rate) == (day, Decimal(rate))
    assert [str(leg.pair) for leg in one.legs] == legs


def test_range(parse):
    """A range gives the observations in it and the last one before it; holidays have none."""
    found = parse("fred", TABLE, "USD/INR", "2026-11-11", "2026-11-12")

    assert [(one.rate_date.day, str(one.rate)) for one in found] == [(10, "94.61"), (12, "94.66")]


def test_every_series_has_a_currency():
    """All of H.10 that is in one ISO 4217 currency is offered, each code once."""
    assert set(fred.SERIES) <= currencies()
    assert len(set(fred.SERIES.values())) == len(fred.SERIES) == 22
    assert all(name.startswith("DEXUS") for name in fred.DOLLARS_FOR_ONE.values())
    assert all(name.endswith("US") for name in fred.UNITS_FOR_A_DOLLAR.values())


def test_no_series_is_no_request(request_for):
    """Without a series for any of the currencies there is nothing to ask for, and it says so."""
    with pytest.raises(FetchError, match="has no USD/KWD, USD/XOF") as caught:
        request_for("fred", "USD/KWD USD/XOF")

    assert caught.value.kind is FailureKind.CONFIG


def test_only_known_series_are_asked_for(request_for):
    """A pair without a series does not spoil the request for the others."""
    assert "?id=DEXINUS&" in request_for("fred", "USD/INR USD/KWD").url


@pytest.mark.parametrize("monday", ["2026-11-09", "2026-11-02"])
def test_weekly_rhythm(monday):
    """From ``out_after`` on a day is out for good, also when its release slips to a Tuesday."""
    day = dt.datetime.fromisoformat(f"{monday}T00:00Z")
    traits = PROVIDER_KINDS["fred"]
    tuesday_evening = day + dt.timedelta(days=8, hours=20, minutes=15)

    assert day + dt.timedelta(hours=traits.out_after) > tuesday_evening


@pytest.mark.parametrize(
    "body",
    [
        b"date,DEXINUS\n2026-11-13,94.70\n",
        b"observation_date,DEXINUS,DEXINUS\n2026-11-13,94.70,94.71\n",
        b"observation_date,DEXINUS\n2026-11-13\n",
        b"observation_date,DEXINUS\n2026-11-13,94.70\n2026-11-13,94.71\n",
        b"observation_date,DEXINUS\n13/11/2026,94.70\n",
        b"observation_date,DEXINUS\n",
        b"observation_date,DEXINUS\n2026-11-13,.\n",
        b"observation_date\n2026-11-13\n",
        b"observation_date,DEXUSEU\n",
    ],
)
def test_not_its_table(parse, body):
    """A table that is not FRED's, or says nothing, gives no rate."""
    with pytest.raises(FetchError) as caught:
        parse("fred", body)

    assert caught.value.kind is FailureKind.DATA
