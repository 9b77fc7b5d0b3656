"""The law of covers: the triggers wake us at every slot, and exact ones at nothing else.

The models of the engines here know nothing of ``clock_changes.py``: they ask only what the
clocks of a zone show at an instant, minute by minute.
"""

import datetime as dt
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratectl.backends import BACKENDS
from ratectl.schedule.cover.cover import CalendarTrigger, Fidelity, FixedInterval, cover
from ratectl.schedule.cover.limits import count
from ratectl.schedule.cover.triggers import Capabilities
from ratectl.schedule.language.parse import parse
from ratectl.schedule.occurrences.civil import days_in_month
from ratectl.schedule.occurrences.slots import after
from ratectl.schedule.values import Calendar
from tests.schedule.languages import cron_lines, phrases

ENGINES = {name: backend.CAPABILITIES for name, backend in BACKENDS.items()}
ENGINES["several-zones"] = Capabilities(zones=True, gap="skip", fold="both")
"""What robfig/cron does: gaps are skipped, folds fire twice; its either-day rule is never asked for."""
ZONES = (
    "UTC",
    "America/New_York",
    "Europe/London",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Africa/Cairo",
    "America/Santiago",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "America/St_Johns",
)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
UTC = ZoneInfo("UTC")
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def clock_changes(zone):
    """The hours of 2026 to 2028 after which the zone's offset differs."""
    found = []
    hour = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    while hour.year < 2029:
        if hour.astimezone(zone).utcoffset() != (hour + 12 * HOUR).astimezone(zone).utcoffset():
            found.append(hour)
        hour += 12 * HOUR
    return found


CHANGES = {name: clock_changes(ZoneInfo(name)) for name in ZONES}


def slots_between(value, zone, start, end):
    """The slots of a stretch, in UTC and without seconds."""
    stream = takewhile(lambda slot: slot <= end + MINUTE, after(value, zone, start))
    return {slot.astimezone(dt.UTC).replace(second=0) for slot in islice(stream, 20_000)}


def minutes_of(calendar: Calendar, shown: dt.datetime) -> bool:
    """Whether the calendar names the minute that the clocks show."""
    return (
        shown.minute in calendar.minutes
        and shown.hour in calendar.hours
        and shown.date() in days_in_month(calendar, shown.year, shown.month)
    )


def fires(trigger, instant, host_zone, engine):
    """What the engine does in the minute of *instant*: True, False, or None when nobody knows."""
    if isinstance(trigger, FixedInterval):
        return (trigger.phase - int(instant.timestamp())) % trigger.every < 60
    zone = ZoneInfo(trigger.zone) if trigger.zone else host_zone
    local = instant.astimezone(zone)
    shown = local.replace(tzinfo=None, fold=0)
    twice = _comes_twice(instant, zone)
    if minutes_of(trigger.calendar, shown):
        if not twice or engine.fold == "both":
            return True
        if engine.fold == "cron" and trigger.calendar.elapsed_time:
            return True
        return None if engine.fold == "unknown" else local.fold == 0
    return _after_gap(trigger.calendar, local, engine)


def end_of_the_fold(instant, zone):
    """*instant*, or where its time comes twice the first quarter of an hour after both."""
    while _comes_twice(instant, zone):
        instant += 15 * MINUTE - (instant - EPOCH) % (15 * MINUTE)
    return instant


def _comes_twice(instant, zone):
    local = instant.astimezone(zone)
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _after_gap(calendar, local, engine):
    earlier = (local.astimezone(dt.UTC) - MINUTE).astimezone(local.tzinfo)
    skipped = int((local.utcoffset() - earlier.utcoffset()).total_seconds()) // 60
    if skipped <= 0 or (calendar.elapsed_time and engine.fold == "cron"):
        return False
    in_gap = any(
        minutes_of(calendar, local.replace(tzinfo=None) - n * MINUTE) for n in range(1, skipped + 1)
    )
    if not in_gap or engine.gap == "skip":
        return False
    return True if engine.gap == "after" else None


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=150, deadline=None)
@given(
    text=st.one_of(cron_lines, phrases),
    zone_name=st.sampled_from(ZONES),
    host_name=st.sampled_from(ZONES),
    data=st.data(),
)
def test_law(engine, text, zone_name, host_name, data):
    """Around clock changes and elsewhere, every slot has a wakeup in its minute, and exact covers no other."""
    zone, host_zone = ZoneInfo(zone_name), ZoneInfo(host_name)
    value = parse([text])
    found = cover(value, zone, host_zone, ENGINES[engine])
    moments = (
        CHANGES[zone_name] + CHANGES[host_name] + [dt.datetime(2026, 5, 31, 20, tzinfo=dt.UTC)]
    )
    start = data.draw(st.sampled_from(moments)) - 14 * HOUR
    end = start + 42 * HOUR

    slots = slots_between(value, zone, start, end)
    for slot in slots:
        instants = [slot] if engine != "launchd" else [slot, end_of_the_fold(slot, host_zone)]
        answers = [
            fires(t, i, host_zone, ENGINES[engine]) for t in found.triggers for i in instants
        ]
        assert True in answers, (text, slot.astimezone(zone), found)
    if found.fidelity is Fidelity.EXACT:
        minute = start + MINUTE
        while minute <= end:
            answers = [fires(t, minute, host_zone, ENGINES[engine]) for t in found.triggers]
            assert minute in slots or not any(a is not False for a in answers), (
                text,
                minute,
                found,
            )
            minute += MINUTE


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("text", ["every day at 10:30", "30 10 * * 1-5", "every hour at :17"])
def test_plain_schedules_are_exact(engine, text):
    """What people mostly write, on a host in the job's zone, wakes us at its slots only."""
    zone = ZoneInfo("Asia/Kolkata")

    assert cover(parse([text]), zone, zone, ENGINES[engine]).fidelity is Fidelity.EXACT


def test_launchd_makes_up_for_a_gap():
    """Nobody knows what launchd does with a time in a gap: it is also asked for the gap's end, once a year."""
    zone = ZoneInfo("America/New_York")

    found = cover(parse(["every day at 02:30"]), zone, zone, ENGINES["launchd"])

    daily, yearly = (trigger.calendar for trigger in found.triggers)
    assert (daily.hours, daily.minutes) == ({2}, {30})
    assert (yearly.hours, yearly.minutes, yearly.months) == ({3}, {0}, {3})
    assert yearly.days == set(range(8, 15))
    assert found.fidelity is Fidelity.GUARDED


def test_reason_is_given():
    """A guarded cover says why it wakes more often."""
    found = cover(
        parse(["every day at 10:30"]),
        ZoneInfo("America/New_York"),
        ZoneInfo("Asia/Kolkata"),
        ENGINES["cron"],
    )

    assert found.fidelity is Fidelity.GUARDED
    assert "America/New_York" in found.reason
    assert [sorted(line.calendar.hours) for line in found.triggers] == [[20, 21]]


def test_windows_makes_up_for_a_gap():
    """A calendar of Windows fires after a gap even where the schedule has no slot: that is not exact."""
    zone = ZoneInfo("America/Santiago")
    value = parse(["every 2 hours between 00:09 and 03:30 on sunday"])

    assert cover(value, zone, zone, ENGINES["windows"]).fidelity is Fidelity.GUARDED


@pytest.mark.parametrize(
    ("text", "zone_name"),
    [
        ("every hour at :17", "America/New_York"),
        ("every day at 01:30", "America/New_York"),
        ("every day at 10:30", "Asia/Kolkata"),
        ("every 90 minutes", "UTC"),
        ("every day at 01:00 and 01:30", "America/New_York"),
        ("every weekday at 09:15", "Europe/London"),
        ("every 36 hours", "UTC"),
    ],
)
@pytest.mark.parametrize("host", ["America/New_York", "Africa/Casablanca", "Australia/Lord_Howe"])
def test_launchd_does_not_poll(text, zone_name, host):
    """A schedule of at most two slots an hour is said by its times; the repeated hour has a start at its end."""
    found = cover(parse([text]), ZoneInfo(zone_name), ZoneInfo(host), ENGINES["launchd"])

    assert not [t for t in found.triggers if isinstance(t, FixedInterval)]
    assert sum(count(t, ENGINES["launchd"]) for t in found.triggers) <= 110


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("*/30 8-18 1-15 1-6 *", {"days": range(1, 16)}),
        ("*/30 8-18 1-15 1,7 *", {"months": {1, 7}, "hours": range(8, 19)}),
        ("0,7,19,31,43 5-22 * 1,4,7 1-5", {"weekdays": range(1, 6)}),
    ],
)
def test_launchd_holds_fewer_starts_rather_than_poll(text, kept):
    """Times on more days and months than launchd holds starts for are said without some of these, and the rest is kept."""
    zone = ZoneInfo("Asia/Kolkata")

    found = cover(parse([text]), zone, zone, ENGINES["launchd"])

    assert sum(count(t, ENGINES["launchd"]) for t in found.triggers) <= 499
    (line,) = found.triggers
    assert isinstance(line, CalendarTrigger)
    for field, values in kept.items():
        assert getattr(line.calendar, field) == frozenset(values)
    assert "more than 499 triggers" in found.reason


@pytest.mark.parametrize(
    ("text", "every"),
    [
        ("every 366 days", [183]),
        ("every 400 days", [200]),
        ("every 365 days", [365]),
        ("every 53 weeks on friday at 16:00", [53]),
        ("every 52 weeks on friday and monday", [364, 364]),
        ("every 367 days", [None]),
    ],
)
def test_windows_counts_a_year_of_days(text, every):
    """DaysInterval is 1 to 365: beyond that it is the largest such divisor, and the guard keeps the rest out."""
    found = cover(parse([text]), UTC, UTC, ENGINES["windows"])
    strides = [trigger.calendar.stride for trigger in found.triggers]

    assert [stride and stride.every for stride in strides] == every
    assert found.fidelity is (Fidelity.EXACT if every[0] in {364, 365} else Fidelity.GUARDED)


@pytest.mark.parametrize("zone_name", ["Europe/Dublin", "Africa/Casablanca", "Pacific/Chatham"])
def test_systemd_reads_utc_where_it_loses_the_day(zone_name):
    """Hours that meet a gap which makes systemd give up the day are said in UTC, all others natively."""
    zone = ZoneInfo(zone_name)
    meets = cover(parse(["every day at 01:50, 02:50 and 05:50"]), zone, zone, ENGINES["systemd"])
    apart = cover(parse(["every day at 10:30"]), zone, zone, ENGINES["systemd"])

    assert {line.zone for line in meets.triggers} == {"UTC"}
    assert [line.zone for line in apart.triggers] == [zone_name]
    assert apart.fidelity is Fidelity.EXACT


def test_too_many_times_with_seconds():
    """Where Windows has too many times, the pulse that contains them all is one of whole minutes."""
    texts = ["every 100 seconds", "every 10 minutes", "every 50 minutes between 00:15 and 23:00"]
    zones = ZoneInfo("Asia/Kolkata"), ZoneInfo("Pacific/Chatham")
    found = cover(parse(texts), *zones, ENGINES["windows"])

    assert found.triggers == (FixedInterval(every=60),)


def test_fixed_offsets_are_exact():
    """A zone that never changes its clocks is only moved, weekdays included."""
    found = cover(
        parse(["30 2 * * 1"]),
        ZoneInfo("Asia/Kolkata"),
        ZoneInfo("America/Phoenix"),
        ENGINES["cron"],
    )

    assert found.fidelity is Fidelity.EXACT
    (line,) = found.triggers
    assert isinstance(line, CalendarTrigger)
    assert (line.calendar.hours, line.calendar.minutes) == ({14}, {0})
    assert line.calendar.weekdays == {7}
