"""Days pass under the real programs: weekends, days that heal, and numbers that were taken back, each firing a process of its own.

Their wall clock and the server's are set from day to day; nothing else is.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
from decimal import Decimal

import pytest

from ratectl.model.job import CatchUp, ClosedDays
from tests.fakes.station import PYTHON
from tests.support.rate_server import RateServer
from tests.support.rate_table import Table

pytestmark = pytest.mark.engine
DAY = dt.timedelta(days=1)
FRIDAY, SATURDAY, SUNDAY, MONDAY, TUESDAY, WEDNESDAY, THURSDAY, NEXT_FRIDAY = range(20, 28)
"""Days of November 2026."""
FILES = {"csv": "rates.csv", "ledger": "prices.ledger", "beancount": "prices.beancount"}


def row(rupees):
    return {"EUR": Decimal(1), "USD": Decimal(1), "INR": Decimal(rupees)}


class November:
    """A provider and a machine, whose clocks stand at the same moment of November 2026."""

    def __init__(self, station, library):
        self.station = station
        self.library = str(library)
        self.now = dt.datetime(2026, 11, FRIDAY, tzinfo=dt.UTC)
        days = [self.now.date() - number * DAY for number in range(1, 15)]
        self.published = {day: row("95.0") for day in days if day.isoweekday() < 6}
        self.server = RateServer(Table(self.published), clock=lambda: self.now)
        self.publish(FRIDAY, "95.1")

    def publish(self, day, rupees):
        """Let the provider have a number for *day*, and for no day after those that it has."""
        self.published[dt.date(2026, 11, day)] = row(rupees)
        self.server.table = Table(self.published | {dt.date(2031, 1, 1): row("99")})

    def install(self, **values):
        """Install a job that fires at 9:00, from Thursday on."""
        values = {"schedule_texts": ("every day at 09:00",), "timezone": "UTC"} | values
        job = self.station.job(self.server.url, "frankfurter", **values)
        self.station.install(job, since=self.now - DAY / 2)

    def fire(self, day, *arguments, code=0):
        """Start ratectl-fetch on that *day*, five seconds after 9:00, which ends with *code*."""
        self.now = dt.datetime(2026, 11, day, 9, 0, 5, tzinfo=dt.UTC)
        done = self.station.fetch(*arguments, env=self._env())
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def type_in(self, *words):
        """Type a command of ratectl at the same moment."""
        argv = (PYTHON, "-m", "ratectl", *words)
        done = subprocess.run(
            argv, env=self._env(), capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _env(self):
        ahead = int((self.now - dt.datetime.now(dt.UTC)).total_seconds())
        return os.environ | {
            "LD_PRELOAD": self.library,
            "WALL_OFFSET": str(ahead),
            "RATECTL_STATE_DIR": str(self.station.state),
        }

    def recorded(self):
        """Return the day of the slot and the rate of all that counts."""
        return [(slot.day, rate) for slot, rate in self.station.recorded()]

    def rates(self, name):
        """Return the lines of a file that say a rate."""
        return [line for line in self.station.lines(name) if "95." in line]


@pytest.fixture
def november(station, wallclock):
    there = November(station, wallclock)
    with there.server:
        yield there


def test_weekend(november, station):
    """Friday's rate is not repeated on Saturday and Sunday where lines carry the rate's day; the text line is, with that day."""
    dated = tuple(station.output(name, kind) for kind, name in FILES.items())
    november.install(outputs=(station.output("output.txt"), *dated))

    for day in (FRIDAY, SATURDAY, SUNDAY):
        november.fire(day)

    assert [len(november.rates(name)) for name in FILES.values()] == [1, 1, 1]
    assert station.lines()[1:] == [
        "21/11/2026 - 95.1 (of 20/11/2026)",
        "22/11/2026 - 95.1 (of 20/11/2026)",
    ]
    november.publish(MONDAY, "95.7")
    november.fire(TUESDAY)
    assert [len(november.rates(name)) for name in FILES.values()] == [2, 2, 2]
    assert november.rates("rates.csv")[1].startswith("2026-11-23,USD,INR,95.7,")


@pytest.mark.parametrize(("appears", "heals"), [(WEDNESDAY, True), (NEXT_FRIDAY, False)])
def test_a_marked_day(november, station, appears, heals):
    """A day that was marked with Friday's rate gets its own when that appears within three days, and not after."""
    november.install(catch_up=CatchUp.ALL, outputs=(station.output("rates.csv", "csv"),))
    for day in range(FRIDAY, appears):
        november.fire(day)
    assert (MONDAY, "95.1") in november.recorded()

    november.publish(MONDAY, "95.7")
    november.fire(appears)

    assert ((MONDAY, "95.7") in november.recorded()) is heals
    assert (MONDAY, "95.1") not in november.recorded() or not heals
    own = [line for line in november.rates("rates.csv") if line.startswith("2026-11-23,")]
    assert len(own) == 1  # of the day itself, or because it is the newest on the later day


@pytest.mark.parametrize("catch_up", [CatchUp.LATEST, CatchUp.ALL])
def test_taken_back(november, station, catch_up):
    """A number that was taken back comes back neither by `--slot` nor with the next firings, nor by `backfill`."""
    november.install(catch_up=catch_up)
    november.fire(FRIDAY)
    assert november.recorded()
    for day in sorted({day for day, _ in november.recorded()}):
        november.type_in("review", "void", f"2026-11-{day}", "--job", "usd-inr", "--all")

    november.fire(FRIDAY, "--slot", "2026-11-20T09:00")
    november.fire(SATURDAY)
    told = november.type_in("run", "usd-inr", "--slot", "2026-11-20")
    november.type_in("backfill", "usd-inr", "--since", "2026-11-20", "--again")

    assert november.recorded() == []
    assert "was taken back with `review void`" in told
    assert len(station.lines()) == 1
    november.publish(MONDAY, "95.7")
    november.fire(TUESDAY)
    assert {rate for _, rate in november.recorded()} == {"95.7"}


def test_typo(november):
    """A typo, the first number there is, holds the firings until the next publication says the same as the one before."""
    november.install()
    november.now = dt.datetime(2026, 11, FRIDAY, 9, 0, 5, tzinfo=dt.UTC)
    november.type_in("record", "usd-inr", "USD/INR", "9.55")
    told = [november.fire(day, code=65) for day in (SATURDAY, SUNDAY)]
    november.publish(MONDAY, "95.7")

    november.fire(TUESDAY)

    assert all("a factor of 10, a unit slip" in text for text in told)
    assert november.recorded() == [(FRIDAY, "9.55"), (TUESDAY, "95.7")]


def test_way_out_of_a_typo(november, station):
    """The command that a held firing names takes the typo back, and the next firing records."""
    november.install()
    november.now = dt.datetime(2026, 11, FRIDAY, 9, 0, 5, tzinfo=dt.UTC)
    november.type_in("record", "usd-inr", "USD/INR", "9.55")
    told = november.fire(SATURDAY, code=65)

    [command] = re.findall(r"`ratectl (review void [^`]*)`", told)
    november.type_in(*command.split())
    station.rest()
    november.fire(SATURDAY)

    assert november.recorded() == [(SATURDAY, "95.1")]


def test_closed_day_asked_for_again(november):
    """A day that was closed for want of a rate gets the one that was published late."""
    november.install(closed_days=ClosedDays.SKIP, catch_up=CatchUp.ALL, revisit=0)
    november.fire(FRIDAY)
    november.publish(TUESDAY, "95.8")
    november.fire(TUESDAY)
    assert november.recorded() == [(FRIDAY, "95.1"), (TUESDAY, "95.8")]
    november.publish(MONDAY, "95.7")
    november.now += DAY

    november.type_in("backfill", "usd-inr", "--since", "2026-11-20", "--again")

    assert november.recorded() == [(FRIDAY, "95.1"), (MONDAY, "95.7"), (TUESDAY, "95.8")]


def test_asked_for_again(november, station):
    """`backfill --again` gives a marked day and one given up their own rates; what they had is a revision."""
    november.install(outputs=(station.output("rates.csv", "csv"),))
    november.fire(FRIDAY)
    november.fire(MONDAY)  # marked with Friday's rate, and Saturday and Sunday are given up
    november.fire(WEDNESDAY)  # and so is Tuesday
    for day, rupees in ((MONDAY, "95.7"), (TUESDAY, "95.8")):
        november.publish(day, rupees)
    november.now += DAY
    plain = november.type_in("backfill", "usd-inr", "--since", "2026-11-20")

    again = november.type_in("backfill", "usd-inr", "--since", "2026-11-20", "--again")

    assert (MONDAY, "95.1") not in november.recorded()
    assert {(MONDAY, "95.7"), (TUESDAY, "95.8")} <= set(november.recorded())
    ever = json.loads(november.type_in("history", "usd-inr", "--revisions", "--json"))
    earlier = [(one["slot"][:10], one["rate"]) for one in ever if one.get("state") == "revised"]
    assert ("2026-11-23", "95.1") in earlier
    own = [line for line in november.rates("rates.csv") if line.startswith("2026-11-2")]
    assert len(own) == len(set(own))
    assert "revised" in again
    assert "revised" not in plain


@pytest.mark.parametrize("revisit", [None, 0])
def test_revisit(november, revisit):
    """By default a marked day is asked for again for three days; with `revisit` of none it stays."""
    more = {} if revisit is None else {"revisit": revisit}
    november.install(catch_up=CatchUp.ALL, **more)
    for day in range(FRIDAY, TUESDAY):
        november.fire(day)
    november.publish(MONDAY, "95.7")

    november.fire(TUESDAY)

    assert ((MONDAY, "95.7") in november.recorded()) is (revisit is None)
