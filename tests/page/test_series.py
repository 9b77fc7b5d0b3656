"""The series that charts are drawn from, as the page packs them."""

import datetime as dt

from ratectl.journal.queries import Series
from ratectl.page import series
from tests.page.conftest import DAY, point
from tests.views.conftest import SLOT


def test_series(page):
    """Minutes on the job's clocks, each as the step from the one before, and rates with all their digits."""
    [packed] = series.data([page()])
    wall = dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.UTC).timestamp() // 60

    assert packed == {
        "id": "usd-inr/USD-INR",
        "job": "usd-inr",
        "zone": "Asia/Kolkata",
        "pair": "USD/INR",
        "told": "2 rates",
        "times": [wall, 1440],
        "rates": ["95.10", "95.120"],
        "from": [[2, 0, "ecb", "published"]],
    }


def test_origins(page):
    """Of each stretch of rates it is told how far its days lie from the slots', from whom it is, and how."""
    points = [
        point("95", SLOT - 2 * DAY, "2026-11-20"),
        point("95", SLOT - DAY, "2026-11-20"),
        point("95", SLOT, "2026-11-23", "boc", "backfilled"),
    ]
    [pair] = page().pairs
    [packed] = series.data([page(pairs=[pair._replace(series=Series(900, points))])])

    assert packed["from"] == [
        [1, -1, "ecb", "published"],
        [1, -2, "ecb", "published"],
        [1, 0, "boc", "backfilled"],
    ]
    assert packed["told"] == "900 rates, 3 drawn"


def test_a_pair_without_rates_has_no_chart(page):
    """Nothing is invented for it."""
    [pair] = page().pairs

    assert series.data([page(pairs=[pair._replace(series=Series(0, []))])]) == []
