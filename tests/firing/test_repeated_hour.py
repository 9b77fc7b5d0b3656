"""The hour that the clocks repeat in autumn has its slots twice, and each is recorded once, whoever asks for it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from ratectl.errors import UsageError
from ratectl.firing.backfill import Backfill
from ratectl.firing.by_hand import Entry, Voiding
from ratectl.firing.due import Timetable
from ratectl.model.job import CatchUp, Pair
from tests.support.rate_server import Fault
from tests.support.rate_table import Table

pytestmark = pytest.mark.network
UTC = dt.UTC
NIGHT = dt.date(2026, 11, 1)
"""At 2:00 in New York it is 1:00 again."""
LATER = dt.datetime(2026, 11, 4, 12, tzinfo=UTC)
USD_INR, USD_JPY = Pair(base="USD", quote="INR"), Pair(base="USD", quote="JPY")
FIRST, SECOND = (dt.datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6))
"""1:30 the first time, and the second time."""


@pytest.fixture
def hourly(job, installed, clock, rates):
    """A job that records each hour in New York."""
    row = {"EUR": Decimal(1), "USD": Decimal(1), "INR": Decimal("95.1"), "JPY": Decimal("155.2")}
    days = [NIGHT - dt.timedelta(days=number) for number in range(-4, 9)]
    rates.table = Table({day: row for day in days if day.isoweekday() < 6})

    def make(now=LATER, kind="frankfurter", **values):
        clock.now = now
        defaults = {"schedule_texts": ("every hour at :30",), "timezone": "America/New_York"}
        return installed(job(kind, **defaults | values), since=now - dt.timedelta(minutes=45))

    return make


@pytest.fixture
def recorded(runner):
    return lambda pair=None: runner(
        lambda one: [e.slot for e in one.store.quotes("usd-inr", pair=pair)]
    )


def filled(one, **values):
    return Backfill(one, NIGHT, NIGHT, **values).run(lambda *_: None)


@pytest.mark.parametrize("again", [False, True])
def test_backfill(hourly, runner, recorded, again):
    """A backfill of the day has all of its 25 slots, and finds them settled the second time."""
    hourly()

    first = runner(filled)
    second = runner(lambda one: filled(one, again=again))

    assert (first.error, dict(first.outcomes)) == (None, {"recorded": 25})
    assert (second.error, second.before + sum(second.outcomes.values())) == (None, 25)
    assert len(set(recorded())) == 25


def test_catch_up(hourly, fire, clock, recorded):
    """A firing that catches up with the night does the same."""
    usd = hourly(now=FIRST - dt.timedelta(minutes=29), catch_up=CatchUp.ALL)
    clock.now = FIRST + dt.timedelta(hours=22)

    assert fire(usd, "run_due").error is None

    assert recorded() == [FIRST + number * dt.timedelta(hours=1) for number in range(-1, 23)]


def test_live(hourly, fire, clock, recorded):
    """Each firing of the night records its slot."""
    usd = hourly(now=FIRST + dt.timedelta(seconds=5))
    for hours in range(3):
        clock.now = FIRST + dt.timedelta(hours=hours, seconds=5)
        assert fire(usd).error is None

    assert recorded() == [FIRST, SECOND, SECOND + dt.timedelta(hours=1)]


@pytest.mark.parametrize("slot", [FIRST, SECOND])
def test_second_pair(hourly, fire, clock, runner, recorded, rates, slot):
    """A pair that failed at first is asked for alone, and the one that is there is not written twice."""
    usd = hourly(now=slot + dt.timedelta(seconds=5), pairs=(USD_INR, USD_JPY))
    entry = {"pair": USD_INR, "rate": Decimal("95.1"), "day": NIGHT, "slot": slot}
    runner(lambda one: Entry(runner=one, **entry).run())
    rates.misbehave(Fault(status=503), times=99)

    assert fire(usd).error is not None
    rates.faults.clear()
    clock.now += dt.timedelta(minutes=10)
    done = fire(usd, "run_due")

    assert done.error is None
    assert recorded() == [slot, slot]


@pytest.mark.parametrize("slot", [FIRST, SECOND])
def test_one_slot(hourly, fire, recorded, runner, slot):
    """Each of the two is settled, taken back and entered by its own name."""
    usd = hourly()
    zone = Timetable(usd).zone

    for named in (slot, slot.astimezone(zone)):
        assert fire(usd, "run_slot", named).error is None
        assert recorded() == [slot]
    runner(lambda one: Voiding(runner=one, slot=slot.astimezone(zone)).run())
    assert recorded() == []
    entry = {"pair": USD_INR, "rate": Decimal("95.2"), "day": NIGHT}
    runner(lambda one: Entry(runner=one, slot=slot.astimezone(zone), **entry).run())
    assert recorded() == [slot]


def test_void_tells_of_no_other(hourly, runner):
    """A slot of the hour is no other slot than itself."""
    usd = hourly()
    runner(filled)
    local = FIRST.astimezone(Timetable(usd).zone)
    entry = Voiding(runner=None, slot=local)

    def work(one):
        entry.runner = one
        entry.run()

    runner(work)

    assert FIRST not in {other.slot for other in entry.elsewhere}
    assert len(entry.elsewhere) == 24


@pytest.mark.parametrize(
    ("zone", "day", "slots"),
    [
        ("America/New_York", dt.date(2026, 11, 1), 25),
        ("America/New_York", dt.date(2026, 3, 8), 23),
        ("America/Havana", dt.date(2026, 11, 1), 25),
        ("America/Havana", dt.date(2026, 3, 8), 23),
        ("America/Asuncion", dt.date(2023, 3, 25), 25),
        ("Australia/Lord_Howe", dt.date(2026, 4, 5), 25),
    ],
)
def test_day(job, zone, day, slots):
    """A day has the slots of all of its hours, also where the clocks change at midnight."""
    timetable = Timetable(job(timezone=zone, schedule_texts=("every hour at :45",)))

    found = timetable.on_day(day)

    assert len(found) == len(set(found)) == slots
    assert {slot.astimezone(timetable.zone).date() for slot in found} == {day}
    assert all(map(timetable.is_slot, found))
    assert all(timetable.is_slot(slot.astimezone(timetable.zone)) for slot in found)


def test_named_apart(job):
    """The second of two slots of one name is typed with its offset."""
    timetable = Timetable(job(timezone="America/New_York", schedule_texts=("every hour at :30",)))

    with pytest.raises(UsageError, match="2026-11-01T01:30, 2026-11-01T01:30:00-05:00"):
        timetable.slot_named("2026-11-01", option="--slot")
