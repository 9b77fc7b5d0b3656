"""Pages of made-up jobs, as the parts of the page are given them."""

import datetime as dt
from decimal import Decimal

import pytest

from ratectl.journal.queries import Count, Point, Series, Summary
from ratectl.page.reading import JobPage, PairPage
from tests.fakes.jobs import job as made
from tests.views.conftest import SLOT, USD, entry

DAY = dt.timedelta(days=1)


def point(rate, slot, rate_date="", provider="ecb", kind="published"):
    """Return one rate of a series."""
    return Point(slot, Decimal(rate), rate_date or slot.date().isoformat(), provider, kind)


@pytest.fixture
def page():
    """Return what the page shows of a job that does well, with changes."""

    def make(**changes):
        points = [point("95.10", SLOT - DAY), point("95.120", SLOT)]
        pair = PairPage(
            USD,
            entry("95.120"),
            {1: Decimal("95.10")},
            Summary(2, 95.1, 95.11, 95.12),
            points,
            Series(2, points),
        )
        values = {
            "job": made(),
            "word": "ok",
            "installed_at": SLOT - 9 * DAY,
            "failures": 0,
            "pairs": [pair],
            "outcomes": [Count(SLOT - DAY, "on time", 1), Count(SLOT, "late", 1)],
            "gaps": [],
            "quarantined": [],
            "troubles": [],
            "upcoming": [SLOT + DAY],
            "following": SLOT + DAY,
        }
        return JobPage(**values | changes)

    return make
