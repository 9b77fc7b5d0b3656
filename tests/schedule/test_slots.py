"""Slots around clock changes, as literal times, and forward against backward."""

import datetime as dt
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratectl.schedule.parse import parse
from ratectl.schedule.slots import after, before


def on(zone_name, text, start, end):
    """The slots from *start* (inclusive) to *end* (exclusive), both civil, in ISO form without seconds."""
    zone = ZoneInfo(zone_name)
    first, last = (dt.datetime.fromisoformat(t).replace(tzinfo=zone) for t in (start, end))
    limit = last.astimezone(dt.UTC)
    stream = after(parse([text]), zone, first - dt.timedelta(microseconds=1))
    found = takewhile(lambda slot: slot.astimezone(dt.UTC) < limit, stream)
    return [slot.isoformat(timespec="minutes") for slot in found]


def day(zone_name, text, date):
    """The slots of one civil day."""
    following = dt.date.fromisoformat(date) + dt.timedelta(days=1)
    return on(zone_name, text, date, following.isoformat())


@pytest.mark.parametrize(
    ("zone", "text", "date", "slots"),
    [
        ("America/New_York", "30 2 * * *", "2027-03-14", ["2027-03-14T03:00-04:00"]),
        (
            "America/New_York",
            "every day at 02:10 and 02:50",
            "2027-03-14",
            ["2027-03-14T03:00-04:00"],
        ),
        ("America/New_York", "30 1 * * *", "2027-11-07", ["2027-11-07T01:30-04:00"]),
        (
            "America/New_York",
            "30 0-2 * * *",
            "2027-03-14",
            ["2027-03-14T00:30-05:00", "2027-03-14T01:30-05:00", "2027-03-14T03:00-04:00"],
        ),
        (
            "America/New_York",
            "*/30 1 * * *",
            "2027-11-07",
            [
                "2027-11-07T01:00-04:00",
                "2027-11-07T01:30-04:00",
                "2027-11-07T01:00-05:00",
                "2027-11-07T01:30-05:00",
            ],
        ),
        (
            "Australia/Lord_Howe",
            "every day at 02:15",
            "2026-10-04",
            ["2026-10-04T02:30+11:00"],
        ),
        (
            "Australia/Lord_Howe",
            "45 * * * *",
            "2027-04-04",
            [
                "2027-04-04T00:45+11:00",
                "2027-04-04T01:45+11:00",
                "2027-04-04T01:45+10:30",
                *(f"2027-04-04T{hour:02}:45+10:30" for hour in range(2, 24)),
            ],
        ),
        ("Africa/Cairo", "@daily", "2026-04-24", ["2026-04-24T01:00+03:00"]),
        ("America/Santiago", "30 0 * * *", "2026-09-06", ["2026-09-06T01:00-03:00"]),
        ("Asia/Kathmandu", "every day at 10:30", "2026-11-23", ["2026-11-23T10:30+05:45"]),
        ("Africa/Casablanca", "30 2 * * *", "2026-02-15", ["2026-02-15T02:30+01:00"]),
    ],
)
def test_clock_changes(zone, text, date, slots):
    """A gap maps to its end, a fold to its first pass; running slots follow elapsed time."""
    assert day(zone, text, date) == slots


def test_running_slots_skip_the_gap():
    """``15 */2`` has nothing at 02:15 on the day the clocks jump over it."""
    assert day("America/New_York", "15 */2 * * *", "2027-03-14")[:2] == [
        "2027-03-14T00:15-05:00",
        "2027-03-14T04:15-04:00",
    ]


def test_hourly_has_25_slots_on_a_long_day():
    """Both passes of the repeated hour count for an hourly schedule."""
    assert len(day("America/New_York", "0 * * * *", "2027-11-07")) == 25
    assert len(day("America/New_York", "every hour", "2027-03-14")) == 23


def test_skipped_day():
    """Apia had no 30 December 2011: its slot is the first instant after, once with that of the 31st."""
    assert on("Pacific/Apia", "@daily", "2011-12-29T12:00", "2012-01-01T12:00") == [
        "2011-12-31T00:00+14:00",
        "2012-01-01T00:00+14:00",
    ]


def test_elapsed_interval_ignores_the_clocks():
    """Every 50 minutes stays 50 minutes apart through a clock change."""
    zone = ZoneInfo("America/New_York")
    start = dt.datetime(2027, 11, 7, 4, tzinfo=dt.UTC)
    slots = [
        s.astimezone(dt.UTC) for s in islice(after(parse(["every 50 minutes"]), zone, start), 9)
    ]

    assert {b - a for a, b in pairwise(slots)} == {dt.timedelta(minutes=50)}


TEXTS = (
    "every 45 seconds",
    "*/7 1-3 * * *",
    "30 2 * * *",
    "every 36 hours",
    "every 20 to 50 minutes",
    "every 2 weeks on sunday at 01:30",
    "every month on the last sunday at 02:15",
    "every 15 minutes between 00:30 and 03:10",
    "15 0 1,15 * *",
)
ZONES = ("America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago", "UTC")


@settings(max_examples=300, deadline=None)
@given(
    text=st.sampled_from(TEXTS),
    zone_name=st.sampled_from(ZONES),
    start=st.one_of(
        st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2028, 1, 1)),
        st.datetimes(dt.datetime(2026, 10, 30), dt.datetime(2026, 11, 3)),
        st.datetimes(dt.datetime(2026, 4, 3), dt.datetime(2026, 4, 6)),
    ),
)
def test_backward_is_forward_reversed(text, zone_name, start):
    """Going back from the end of a stretch gives the slots that going forward gave, in reverse."""
    zone, value = ZoneInfo(zone_name), parse([text])
    moment = start.replace(tzinfo=dt.UTC)
    forward = [slot.astimezone(dt.UTC) for slot in islice(after(value, zone, moment), 40)]
    assert forward == sorted(set(forward))
    assert forward[0] > moment

    end = forward[-1] + dt.timedelta(microseconds=1)
    stream = (slot.astimezone(dt.UTC) for slot in before(value, zone, end))
    backward = list(takewhile(lambda slot: slot > moment, stream))

    assert backward == forward[::-1]


def test_exclusive_at_a_slot():
    """Asked at a slot, ``after`` and ``before`` leave it out."""
    zone = ZoneInfo("Asia/Kolkata")
    slot = dt.datetime(2026, 11, 23, 10, 30, tzinfo=zone)
    value = parse(["every day at 10:30"])

    assert next(after(value, zone, slot)) == slot + dt.timedelta(days=1)
    assert next(before(value, zone, slot)) == slot - dt.timedelta(days=1)


def test_ended_schedule_has_no_more_slots():
    """After ``until`` there is nothing, and before ``from`` neither."""
    zone = ZoneInfo("UTC")
    value = parse(["every day at 10:30"], start="2026-11-20", end="2026-11-22")
    late, early = dt.datetime(2027, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    assert list(after(value, zone, late)) == []
    assert list(before(value, zone, early)) == []
    assert len(list(before(value, zone, late))) == len(list(after(value, zone, early))) == 2
