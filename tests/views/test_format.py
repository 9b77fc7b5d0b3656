"""Moments and amounts as people read them."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from ratectl.views import format as words

NOW = dt.datetime(2026, 11, 23, 13, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "now"),
        (1, "in 1 s"),
        (119, "in 119 s"),
        (120, "in 2 min"),
        (-119 * 60, "119 min ago"),
        (-2 * 3600, "2 h ago"),
        (47 * 3600, "in 47 h"),
        (48 * 3600, "in 2 d"),
        (-400 * 86400, "400 d ago"),
    ],
)
def test_away(seconds, text):
    """A distance is told in the largest unit that it is at least two of."""
    assert words.relative_time(NOW + dt.timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("zone", "viewer", "text"),
    [
        ("Asia/Kolkata", "Asia/Kolkata", "Mon 2026-11-23 18:30 IST"),
        ("Asia/Kolkata", "Europe/Berlin", "Mon 2026-11-23 18:30 IST (14:00 CET)"),
        ("Asia/Kolkata", "Pacific/Auckland", "Mon 2026-11-23 18:30 IST (Tue 02:00 NZDT)"),
        ("Europe/Berlin", "Europe/Paris", "Mon 2026-11-23 14:00 CET"),
    ],
)
def test_clocks(zone, viewer, text):
    """The viewer's own time stands beside the job's where their clocks differ, with its day where that differs."""
    assert words.clocks(NOW.astimezone(ZoneInfo(zone)), ZoneInfo(viewer)) == text


def test_seconds_are_shown_where_there_are_any():
    """A slot on a full minute is shown without seconds."""
    assert words.clock(NOW.replace(second=15)) == "Mon 2026-11-23 13:00:15 UTC"


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ((), ""),
        (("95",), "▄"),
        (("95", "95"), "▄▄"),
        (("1", "8"), "▁█"),
        (("1", "2", "3", "4", "5", "6", "7", "8"), "▁▂▃▄▅▆▇█"),
        (("0.0000000001", "0.0000000002"), "▁█"),
    ],
)
def test_sparkline(values, drawn):
    """A block for each value, from the lowest to the highest."""
    assert words.sparkline([Decimal(value) for value in values]) == drawn
