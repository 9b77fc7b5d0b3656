"""Any other URL, with paths into its body."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from ratectl.fetch.failures import FetchError
from ratectl.fetch.providers import SOURCES
from ratectl.fetch.providers._shared.query import RateQuery
from ratectl.model.job import Pair, Provider
from tests.fetch.providers.conftest import rates_of
from tests.fetch.providers.honest import OFFICE

USD_INR = Pair(base="USD", quote="INR")
EUR_INR = Pair(base="EUR", quote="INR")
EUR_USD = Pair(base="EUR", quote="USD")
FRIDAY = dt.date(2026, 11, 20)


@pytest.fixture
def parse():
    def run(body, **changes):
        provider = dataclasses.replace(OFFICE, **changes)
        return rates_of(SOURCES["http-json"].parse(provider, RateQuery(pairs=(USD_INR,)), body))

    return run


def test_paths(parse):
    """Rate and date are found at their dotted paths."""
    [one] = parse(b'{"date":"2026-11-20","rates":{"INR":95.070}}')

    assert (str(one.rate), one.rate_date) == ("95.070", FRIDAY)


def test_lists_texts_and_unix_dates(parse):
    """A step may pick from a list; rates may be texts and dates Unix times."""
    [one] = parse(b'{"d":[{"v":"95.07","t":1795132801}]}', rate="d.0.v", date="d.0.t")

    assert (str(one.rate), one.rate_date) == ("95.07", FRIDAY)


def test_no_date(parse):
    """An answer without a date gives none."""
    [one] = parse(b'{"rates":{"INR":95.07}}', date="")

    assert one.rate_date is None


@pytest.mark.parametrize("value", [b"true", b"null", b'"95,07"', b'"-1"', b"{}", b'"NaN"', b"-0"])
def test_not_a_rate(parse, value):
    """Anything but a positive number, or its text, is refused."""
    with pytest.raises(FetchError):
        parse(b'{"date":"2026-11-20","rates":{"INR":' + value + b"}}")


def test_absent(parse):
    """A path that leads nowhere gives no rate."""
    with pytest.raises(FetchError, match=r"has no USD/INR: nothing at .rates\.INR."):
        parse(b'{"date":"2026-11-20","rates":{"EUR":1}}')


def test_url():
    """Currencies are filled in, and a URL that names the quote is asked once for each pair."""
    query = RateQuery(pairs=(USD_INR,))
    source = SOURCES["http-json"]
    each = Provider(name="o", kind="http-json", base_url="https://h/{base}/{quote}")

    assert source.request(OFFICE, query, FRIDAY).url == "https://rates.internal/USD.json"
    assert source.request(each, query, FRIDAY).url == "https://h/USD/INR"
    assert len(source.groups(each, (USD_INR, EUR_INR, EUR_USD))) == 3
