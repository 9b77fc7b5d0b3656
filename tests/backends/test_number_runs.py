"""Sets of numbers as runs, and the time fields of cron and systemd made of them."""

from __future__ import annotations

import crontab
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratectl.backends.cron import fields as cron_fields
from ratectl.backends.number_runs import series
from ratectl.backends.systemd import calendar as systemd_calendar
from ratectl.schedule.values import DAYS, HOURS, MINUTES, MONTHS, WEEKDAYS, Calendar

subsets = st.sets(st.integers(0, 59), min_size=1).map(frozenset)


def those(*values):
    return frozenset(values)


@given(subsets)
def test_series_hold_exactly_the_values(values):
    """The runs of a set hold its numbers, each once, ascending."""
    numbers = [n for run in series(values) for n in range(run.first, run.last + 1, run.step)]

    assert numbers == sorted(values)


@pytest.mark.parametrize(
    ("calendar", "fields"),
    [
        (Calendar(elapsed_time=True), "* * * * *"),
        (Calendar(minutes=those(30), hours=those(10)), "30 10 * * *"),
        (Calendar(minutes=those(0), elapsed_time=True), "0 * * * *"),
        (Calendar(minutes=those(0)), "0 0-23 * * *"),
        (Calendar(hours=those(9)), "0-59 9 * * *"),
        (Calendar(minutes=those(0, 15, 30, 45), elapsed_time=True), "*/15 * * * *"),
        (Calendar(minutes=those(0, 15, 30, 45), hours=those(9)), "0-45/15 9 * * *"),
        (Calendar(minutes=those(0, 45), elapsed_time=True), "*/45 * * * *"),
        (Calendar(minutes=those(5), hours=those(0, 12), elapsed_time=True), "5 */12 * * *"),
        (Calendar(minutes=those(0), hours=those(9), weekdays=those(1, 2, 3, 4, 5)), "0 9 * * 1-5"),
        (Calendar(minutes=those(0), hours=those(9), weekdays=those(6, 7)), "0 9 * * 0,6"),
        (Calendar(minutes=those(0), hours=those(9), days=those(1, 15)), "0 9 1,15 * *"),
        (Calendar(minutes=those(0), hours=those(9), months=those(3, 9)), "0 9 * 3,9 *"),
    ],
)
def test_cron_fields(calendar, fields):
    """Running times begin a field with a star wherever they can, wall-clock times never do."""
    assert cron_fields.spell(calendar) == fields


@given(
    minutes=subsets,
    hours=st.sets(st.integers(0, 23), min_size=1).map(frozenset),
    months=st.sets(st.integers(1, 12), min_size=1).map(frozenset),
    weekdays=st.sets(st.integers(1, 7), min_size=1).map(frozenset),
)
def test_python_crontab_reads_the_same_sets(minutes, hours, months, weekdays):
    """python-crontab, which knows nothing of us, reads back the numbers that were meant."""
    calendar = Calendar(minutes=minutes, hours=hours, months=months, weekdays=weekdays)

    parts = crontab.CronSlices(cron_fields.spell(calendar))

    assert {int(n) for part in parts[0].parts for n in _numbers(part, MINUTES)} == minutes
    assert {int(n) for part in parts[1].parts for n in _numbers(part, HOURS)} == hours
    assert {int(n) for part in parts[3].parts for n in _numbers(part, MONTHS)} == months
    read = {int(n) for part in parts[4].parts for n in _numbers(part, set(range(7)))}
    assert {n or 7 for n in read} == weekdays


def _numbers(part, full):
    if part == "*":
        return full
    if isinstance(part, crontab.CronRange):
        return part.range()
    return [part]


@pytest.mark.parametrize(
    "calendar",
    [
        Calendar(minutes=those(1, 5), hours=those(3), elapsed_time=True),
        Calendar(days=those(1), weekdays=those(1), minutes=those(0), hours=those(0)),
        Calendar(days=those(-1), minutes=those(0), hours=those(0)),
        Calendar(seconds=those(30), minutes=those(0), hours=those(0)),
        Calendar(nth_weekday=those(1), weekdays=those(1), minutes=those(0), hours=those(0)),
    ],
)
def test_cron_cannot_say(calendar):
    """What cron cannot say is a bug of the cover, never an approximation."""
    with pytest.raises(AssertionError):
        cron_fields.spell(calendar)


@pytest.mark.parametrize(
    ("calendar", "zone", "texts"),
    [
        (Calendar(minutes=those(30), hours=those(10)), None, ["*-*-* 10:30:00"]),
        (Calendar(elapsed_time=True), "UTC", ["*-*-* *:*:00 UTC"]),
        (
            Calendar(seconds=those(0, 20, 40), minutes=those(0), hours=those(0)),
            None,
            ["*-*-* 00:00:00..40/20"],
        ),
        (
            Calendar(minutes=those(0), hours=those(8), weekdays=those(1), nth_weekday=those(1, -1)),
            "Asia/Kolkata",
            ["Mon *-*-01..07 08:00:00 Asia/Kolkata", "Mon *-*~07/1 08:00:00 Asia/Kolkata"],
        ),
        (
            Calendar(minutes=those(0), hours=those(8), days=those(1, 15, -1)),
            None,
            ["*-*-01,15 08:00:00", "*-*~01 08:00:00"],
        ),
        (
            Calendar(
                minutes=those(0), hours=those(8), days=DAYS | {-1}, weekdays=those(1, 3, 5, 6, 7)
            ),
            None,
            ["Mon,Wed,Fri..Sun *-*-* 08:00:00"],
        ),
        (
            Calendar(minutes=those(0), hours=those(8), days=those(13), weekdays=WEEKDAYS - {7}),
            None,
            ["Mon..Sat *-*-13 08:00:00"],
        ),
    ],
)
def test_on_calendar(calendar, zone, texts):
    """A calendar becomes the fewest OnCalendar expressions, with its zone behind each."""
    assert list(systemd_calendar.spell(calendar, zone)) == texts
