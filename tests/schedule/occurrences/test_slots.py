"""Slots around clock changes, as literal times, and forward against backward."""

import datetime as dt
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratectl.schedule.language.parse import parse
from ratectl.schedule.occurrences.slots import after, before


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
        ("Africa/Casablanca", "30 2 * * *", "2026-03-22", ["2026-03-22T03:00+01:00"]),
        ("Australia/Lord_Howe", "45 1 * * *", "2027-04-04", ["2027-04-04T01:45+11:00"]),
        (
            "Australia/Lord_Howe",
            "*/10 2 * * *",
            "2026-10-04",
            ["2026-10-04T02:30+11:00", "2026-10-04T02:40+11:00", "2026-10-04T02:50+11:00"],
        ),
        (
            "Australia/Lord_Howe",
            "10-32/9 */7 * * *",
            "2027-04-04",
            [
                *(f"2027-04-04T00:{minute}+11:00" for minute in (10, 19, 28)),
                *(f"2027-04-04T{h:02}:{m}+10:30" for h in (7, 14, 21) for m in (10, 19, 28)),
            ],
        ),
        (
            "America/Santiago",
            "*/30 0-1 * * *",
            "2026-09-06",
            ["2026-09-06T01:00-03:00", "2026-09-06T01:30-03:00"],
        ),
        (
            "Asia/Kathmandu",
            "0 */6 * * *",
            "2026-11-23",
            [f"2026-11-23T{hour:02}:00+05:45" for hour in (0, 6, 12, 18)],
        ),
    ],
)
def test_clock_changes(zone, text, date, slots):
    """A gap maps to its end, a fold to its first pass; running slots follow elapsed time."""
    assert day(zone, text, date) == slots


@pytest.mark.parametrize(
    ("text", "start", "end", "slots"),
    [
        (
            "every 90 minutes",
            "2027-11-07",
            "2027-11-07T04:00",
            ["11-07T00:00-04", "11-07T01:30-04", "11-07T01:30-05", "11-07T03:00-05"],
        ),
        (
            "every 36 hours",
            "1970-01-05",
            "1970-01-09",
            ["01-05T00:00-05", "01-06T12:00-05", "01-08T00:00-05"],
        ),
        ("every 3 days", "1970-01-03", "1970-01-09", ["01-05T00:00-05", "01-08T00:00-05"]),
        ("every week", "2026-11-01", "2026-11-10", ["11-02T00:00-05", "11-09T00:00-05"]),
        ("@weekly", "2026-11-01", "2026-11-10", ["11-01T00:00-04", "11-08T00:00-05"]),
        ("every 2 months", "2026-11-01", "2027-01-02", ["11-01T00:00-04", "01-01T00:00-05"]),
        (
            "every month on the 31st",
            "2026-01-01",
            "2026-06-01",
            ["01-31T00:00-05", "03-31T00:00-04", "05-31T00:00-04"],
        ),
        (
            "every month on the last day",
            "2026-01-01",
            "2026-04-01",
            ["01-31T00:00-05", "02-28T00:00-05", "03-31T00:00-04"],
        ),
        (
            "every quarter on the first monday",
            "2026-01-01",
            "2026-07-01",
            ["01-05T00:00-05", "04-06T00:00-04"],
        ),
        (
            "every quarter on the last friday",
            "2026-01-01",
            "2026-07-01",
            ["03-27T00:00-04", "06-26T00:00-04"],
        ),
        (
            "every month on the fifth monday",
            "2026-01-01",
            "2026-07-01",
            ["03-30T00:00-04", "06-29T00:00-04"],
        ),
        (
            "every 50 minutes between 09:00 and 10:40",
            "2026-11-23",
            "2026-11-24",
            ["11-23T09:00-05", "11-23T09:50-05", "11-23T10:40-05"],
        ),
    ],
)
def test_rules(text, start, end, slots):
    """Grids, anchors, months and ordinals mean in New York what the rules say, whenever one installs."""
    found = on("America/New_York", text, start, end)

    assert [slot[5:19] for slot in found] == slots


def test_job_elsewhere():
    """A job in New York comes at 20:00 in Kolkata by summer time and at 21:00 by standard time."""
    start = dt.datetime(2026, 10, 31, tzinfo=dt.UTC)
    stream = after(parse(["every day at 10:30"]), ZoneInfo("America/New_York"), start)
    found = [slot.astimezone(ZoneInfo("Asia/Kolkata")) for slot in islice(stream, 2)]

    assert [f"{slot:%d %H:%M}" for slot in found] == ["31 20:00", "01 21:00"]


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
