"""A wall clock that is set back and forward under a real ratectl-fetch, and under nothing else."""

from __future__ import annotations

import datetime as dt
import os

import pytest

from tests.fakes.station import LATE, now
from tests.support.rate_server import RateServer, demo_table

pytestmark = pytest.mark.engine
HOUR = dt.timedelta(hours=1)


class World:
    """A server that goes with the true time, and a machine whose clock may stand apart from it."""

    def __init__(self, station, library):
        self.station = station
        self.library = str(library)
        self.passed = dt.timedelta(0)
        """How much time has gone by, for both."""
        self.server = RateServer(demo_table(), clock=lambda: dt.datetime.now(dt.UTC) + self.passed)

    def fetch(self, *arguments, wrong=dt.timedelta(0)):
        """Fire with a clock that is *wrong* by so much."""
        offset = str(int((self.passed + wrong).total_seconds()))
        moved = os.environ | {"LD_PRELOAD": self.library, "WALL_OFFSET": offset}
        return self.station.fetch(*arguments, env=moved)


@pytest.fixture
def world(station, wallclock):
    there = World(station, wallclock)
    with there.server:
        yield there


@pytest.mark.parametrize("hours", [-30, -5, 5, 30])
def test_wrong_clock(station, world, hours):
    """A clock hours off against the provider's Date: exit 75, class clock, nothing appended."""
    station.install(station.job(world.server.url), since=now() - dt.timedelta(days=3))

    done = world.fetch(wrong=hours * HOUR)

    assert done.returncode == 75
    assert len(done.stderr.splitlines()) == 1
    assert "clock" in done.stderr
    assert ("ahead of" if hours > 0 else "behind") in done.stderr
    assert station.lines() == []
    assert station.recorded() == []


@pytest.mark.parametrize("detour", [(-5,), (5,), (-5, 5), (5, -5), (-30, 30, 1, -1)], ids=str)
def test_set_back_and_forward(station, world, detour):
    """Between two good firings the clock goes wrong by these hours: no slot is lost or doubled."""
    station.install(station.job(world.server.url))
    first = now() - LATE
    assert world.fetch().returncode == 0

    for hours in detour:
        done = world.fetch(wrong=hours * HOUR)
        assert done.returncode in {0, 75}
        assert done.returncode == 0 or "clock" in done.stderr
        assert len(station.recorded()) == 1
    assert world.fetch().returncode == 0
    world.passed = HOUR
    done = world.fetch()

    assert (done.returncode, done.stderr) == (0, "")
    slots = [slot.replace(second=0) for slot, _ in station.recorded()]
    assert slots == [first.replace(second=0), first.replace(second=0) + HOUR]
    assert len(station.lines()) == 2
    assert station.undelivered() == 0


def test_only_the_wall_clock_moves(station, world):
    """A firing's own deadline runs on monotonic time: a clock that stands elsewhere makes it no longer."""
    station.install(station.job("http://127.0.0.1:9", timeout=2))

    assert world.fetch().returncode == 75
    assert world.fetch(wrong=5 * HOUR).returncode == 75
