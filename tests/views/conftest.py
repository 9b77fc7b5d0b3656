"""Statuses of made-up jobs, as the views are given them."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from ratectl.journal.rows import Firing, RecordedQuote
from ratectl.model.job import Pair
from ratectl.views.status import JobStatus
from tests.fakes.past import quote

NOW = dt.datetime(2026, 11, 23, 13, 0, tzinfo=dt.UTC)
KOLKATA = ZoneInfo("Asia/Kolkata")
USD = Pair(base="USD", quote="INR")
SLOT = dt.datetime(2026, 11, 23, 10, 30, tzinfo=KOLKATA)


def entry(rate="95.12", slot=SLOT, pair=USD, **values):
    """Return what one slot recorded."""
    return RecordedQuote(slot=slot, quote=quote(pair, rate, slot, **values))


def entries(*rates, pair=USD):
    """Return the quotes of as many days, the last of today."""
    days = (dt.timedelta(days=len(rates) - 1 - number) for number in range(len(rates)))
    return [entry(rate, SLOT - day, pair) for rate, day in zip(rates, days, strict=True)]


def fired(outcome="recorded", detail="", slot=SLOT):
    """Return what became of a slot."""
    return Firing(
        "usd-inr", slot, outcome, detail, slot + dt.timedelta(seconds=3), outcome != "failed"
    )


@pytest.fixture
def status():
    """Return a job that does well, with changes."""

    def make(**changes):
        values = {
            "job": "usd-inr",
            "engines": ("cron (user)",),
            "enabled": True,
            "paused": False,
            "next": SLOT + dt.timedelta(days=1),
            "last": fired(),
            "pairs": (USD,),
            "recent": {USD: entries("94.90", "95.00", "95.12")},
            "missed": 0,
            "failures": 0,
            "drift": (),
            "since": SLOT - dt.timedelta(days=9),
        }
        return JobStatus(**values | changes)

    return make
