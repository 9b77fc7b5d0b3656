"""Which slots are owed: watermark, clock and policy in, slots out. No clock, no journal."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from ratectl.errors import UsageError
from ratectl.firing import due
from ratectl.firing.due import Timetable
from ratectl.model.job import CatchUp, Job, Output, Pair, Provider
from ratectl.schedule.occurrences.zones import SECOND

UTC = dt.UTC
MONDAY = dt.datetime(2026, 11, 16, 12, tzinfo=UTC)
FRIDAY = dt.datetime(2026, 11, 20, 9, 0, 30, tzinfo=UTC)


def timetable(text="every day at 09:00", **values):
    return Timetable(
        Job(
            name="usd-inr",
            pairs=(Pair(base="USD", quote="INR"),),
            schedule_texts=(text,),
            timezone="UTC",
            providers=(Provider(name="ecb", kind="ecb"),),
            outputs=(Output(kind="text", target="/o.txt"),),
            **values,
        )
    )


def days(owed):
    return [slot.day for slot in owed.slots]


@pytest.mark.parametrize(
    ("policy", "slots", "missed"),
    [(CatchUp.LATEST, [20], 3), (CatchUp.ALL, [17, 18, 19, 20], 0), (CatchUp.NONE, [20], 3)],
)
def test_on_time(policy, slots, missed):
    """Half a minute after the newest slot, with three older ones open."""
    owed = due.due(timetable(catch_up=policy), MONDAY, FRIDAY)

    assert (days(owed), owed.missed) == (slots, missed)


@pytest.mark.parametrize(
    ("policy", "slots", "missed"),
    [(CatchUp.LATEST, [20], 3), (CatchUp.ALL, [17, 18, 19, 20], 0), (CatchUp.NONE, [], 4)],
)
def test_late(policy, slots, missed):
    """The same some hours later."""
    owed = due.due(timetable(catch_up=policy), MONDAY, FRIDAY + dt.timedelta(hours=5))

    assert (days(owed), owed.missed) == (slots, missed)


@pytest.mark.parametrize("policy", CatchUp)
def test_nothing_owed(policy):
    """Right after a slot was settled nothing is owed until the next one."""
    settled = FRIDAY.replace(second=0)
    tomorrow = settled + dt.timedelta(days=1)

    assert days(due.due(timetable(catch_up=policy), settled, FRIDAY)) == []
    assert days(due.due(timetable(catch_up=policy), settled, tomorrow - SECOND)) == []
    assert days(due.due(timetable(catch_up=policy), settled, tomorrow)) == [21]


def test_missed_are_counted_up_to_a_limit():
    """A year of minutes is not walked to be counted."""
    table = timetable("every minute")

    assert due.due(table, MONDAY - dt.timedelta(days=300), FRIDAY).missed == due.MOST_COUNTED


def test_delay_is_deterministic_and_inside_its_window():
    """The same host and job always start by the same offset; others by another."""
    delays = {due.start_delay("usd-inr", f"host{n}", 600) for n in range(50)}

    assert due.start_delay("usd-inr", "host1", 600) == due.start_delay("usd-inr", "host1", 600)
    assert len(delays) > 30
    assert all(dt.timedelta(0) <= delay <= dt.timedelta(minutes=10) for delay in delays)
    assert due.start_delay("usd-inr", "host1", 0) == dt.timedelta(0)


def test_named_slot():
    """A slot without an offset is meant in the job's zone."""
    zone = Timetable(timetable().job).zone

    assert due.parse_moment("2026-11-20T09:00", zone).utcoffset() == dt.timedelta(0)
    assert due.parse_moment("2026-11-20T09:00+05:30", zone).utcoffset() == dt.timedelta(hours=5.5)
    with pytest.raises(UsageError, match="ISO 8601"):
        due.parse_moment("tomorrow", zone)


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31T23:59:59-14:00", "soon"])
def test_moment_that_cannot_be_meant(text):
    """A moment at the ends of the calendar, where no arithmetic is possible, is a wrong argument."""
    with pytest.raises(UsageError, match="--slot"):
        due.parse_moment(text, ZoneInfo("Asia/Kolkata"))
