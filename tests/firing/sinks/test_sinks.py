"""Quotes in, whole lines out: the exact forms that other programs read."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from ratectl.firing.quote import Leg, Quote
from ratectl.firing.sinks import SINKS
from ratectl.model import Job, Output, Pair, Provider

USD_INR, USD_EUR = Pair(base="USD", quote="INR"), Pair(base="USD", quote="EUR")
SLOT = dt.datetime(2026, 11, 22, 20, 0, tzinfo=dt.UTC)


def job(*pairs):
    return Job(
        name="usd-inr",
        pairs=pairs or (USD_INR,),
        schedule_texts=("every day at 01:30",),
        timezone="Asia/Kolkata",
        providers=(Provider(name="ecb", kind="ecb"),),
        outputs=(Output(kind="text", target="/o.txt"),),
    )


def quote(pair=USD_INR, rate="95.10", day="2026-11-23", **values):
    defaults = {
        "pair": pair,
        "rate": Decimal(rate),
        "rate_date": dt.date.fromisoformat(day),
        "provider": "ecb",
        "provider_time": None,
        "observed_at": SLOT,
        "kind": "published",
    }
    return Quote(**defaults | values)


@pytest.mark.parametrize(
    ("quotes", "lines"),
    [
        ([quote()], [b"23/11/2026 - 95.10\n"]),
        ([quote(day="2026-11-20")], [b"23/11/2026 - 95.10 (of 20/11/2026)\n"]),
        ([quote(rate="1E+2")], [b"23/11/2026 - 100\n"]),
        ([quote(rate="2.43E-7")], [b"23/11/2026 - 0.000000243\n"]),
    ],
)
def test_text(quotes, lines):
    """The date is the slot's in the job's zone, the digits are the provider's, another rate date is marked."""
    assert list(SINKS["text"].lines(job(), SLOT, quotes)) == lines


def test_text_of_several_pairs():
    """With more than one pair each line names its own, also when only one of them was found."""
    both = job(USD_INR, USD_EUR)

    assert SINKS["text"].lines(both, SLOT, [quote(), quote(USD_EUR, "0.86")]) == (
        b"23/11/2026 - USD/INR 95.10\n",
        b"23/11/2026 - USD/EUR 0.86\n",
    )


def test_csv():
    """Prices under pricehist's header, dated with the rate date."""
    sink = SINKS["csv"]

    assert sink.HEADER == b"date,base,quote,amount,source,type\n"
    assert sink.lines(job(), SLOT, [quote(day="2026-11-20")]) == (
        b"2026-11-20,USD,INR,95.10,ecb,published\n",
    )


def test_jsonl():
    """Everything that is known, rates as texts, the slot with the offset of the job's zone."""
    leg = Leg(pair=Pair(base="EUR", quote="INR"), rate=Decimal("110.3770"))

    [line] = SINKS["jsonl"].lines(job(), SLOT, [quote(kind="derived", legs=(leg,))])

    assert json.loads(line) == {
        "job": "usd-inr",
        "slot": "2026-11-23T01:30:00+05:30",
        "base": "USD",
        "quote": "INR",
        "rate": "95.10",
        "rate_date": "2026-11-23",
        "provider": "ecb",
        "provider_time": None,
        "observed_at": "2026-11-22T20:00:00+00:00",
        "kind": "derived",
        "legs": ["EUR/INR 110.3770"],
    }
