"""The simulated fleet starts when the product says, keeps its bounds, and is what the manual shows."""

from __future__ import annotations

import datetime as dt
import json
import math
import random
import re

import pytest

from ratectl.firing import due
from scripts import simulate_fleet
from scripts.fleet import load
from scripts.fleet import storm as fleet_storm

PAGE = simulate_fleet.PAGE.read_text(encoding="utf-8")
SMALL = [size for size in simulate_fleet.SIZES if size <= simulate_fleet.QUICK]


@pytest.mark.parametrize("jitter", simulate_fleet.WINDOWS.values())
def test_starts_are_the_products(jitter):
    """The simulation starts each host exactly when ``due.start_delay`` does."""
    names = load.hosts(500, 1)
    starts = load.starts(load.lots("usd-inr", names), jitter)

    assert [dt.timedelta(seconds=start) for start in starts] == [
        due.start_delay("usd-inr", name, jitter) for name in names
    ]


@pytest.mark.parametrize(("balls", "bins"), [(3, 2), (40, 7), (200, 61), (30, 600)])
def test_bound_of_chance(balls, bins):
    """Balls thrown at random exceed the bound about as rarely as it says."""
    dice = random.Random(7)  # noqa: S311 - a simulation
    peaks = []
    for _ in range(2000):
        thrown = [dice.randrange(bins) for _ in range(balls)]
        peaks.append(max(map(thrown.count, set(thrown))))
    highest = load.highest(balls, bins)

    assert sum(peak > highest for peak in peaks) <= 2000 * load.CHANCE * 2
    assert math.ceil(balls / bins) <= highest <= balls


def test_jobs_of_a_host_share_one_request():
    """With sharing, a host asks once between two publications, with the first firing after one."""
    drawn = [[10, 200], [40, 300]]  # with a jitter of 599, these are the delays

    shared = load.load(drawn, slots=24, shares=True, jitter=599)
    alone = load.load(drawn, slots=24, shares=False, jitter=599)

    assert (shared.requests, alone.requests) == (2, 96)
    assert load._firsts(drawn, 24) == [{3600 + 10: 1, 200: 1}]


def test_a_storm_passes():
    """Everybody is served, not sooner than is possible, and each refusal is counted."""
    names = load.hosts(300, 1)

    storm = fleet_storm.storm(names, jitter=60, rate=1, rest=30, seed=1)

    assert storm.served == storm.hosts
    assert storm.soonest <= storm.half * 2
    assert storm.soonest <= storm.last < load.DAY
    assert storm.wasted > 0


def test_nobody_is_refused_by_a_provider_that_can():
    """Without a limit in the way, the last host has its rate when it starts."""
    names = load.hosts(50, 1)

    storm = fleet_storm.storm(names, jitter=600, rate=50, rest=30, seed=1)

    assert (storm.wasted, storm.last) == (0, storm.soonest)


@pytest.fixture(scope="module")
def small():
    """The figures of ``--quick``."""
    seed = simulate_fleet.SEED
    return (
        list(simulate_fleet.all_loads(SMALL, seed)),
        list(simulate_fleet.all_storms(SMALL, seed)),
    )


def test_manual_shows_the_figures(small):
    """Every line of the small fleets stands in the manual's tables, and so does the million with the recommended jitter."""
    [block] = re.findall(r"<!-- fleet -->\n```text\n(.*)\n```\n<!-- /fleet -->", PAGE, re.DOTALL)
    names = load.hosts(simulate_fleet.SIZES[-1], simulate_fleet.SEED)
    drawn = [load.lots(simulate_fleet.JOBS[0], names)]
    jitter = simulate_fleet.WINDOWS[simulate_fleet.RECOMMENDED]
    million = load.load(drawn, slots=1, shares=False, jitter=jitter)
    shown = {tuple(line.split()) for line in block.splitlines()}

    assert {tuple(line.split()) for line in simulate_fleet.tables(*small).splitlines()} <= shown
    assert tuple(" ".join(simulate_fleet.load_row(million)).split()) in shown
    assert million.ratio <= simulate_fleet.WITHIN
    assert f'`jitter = "{simulate_fleet.RECOMMENDED}"`' in PAGE


def test_figures_for_programs(small):
    """The JSON has what the tables have."""
    figures = json.loads(simulate_fleet.as_json(*small, 1))

    assert [len(figures["loads"]), len(figures["storms"])] == [len(small[0]), len(small[1])]


def test_writing_changes_nothing_else():
    """Only what stands between the marks is replaced."""
    text = "a\n<!-- fleet -->\nold\n<!-- /fleet -->\nb\n"

    written = simulate_fleet.filled(text, "new")

    assert written == "a\n<!-- fleet -->\n```text\nnew\n```\n<!-- /fleet -->\nb\n"
    assert simulate_fleet.filled(written, "new") == written


def test_bounds_are_insisted_on(small):
    """What peaks above its bound is told."""
    [bad] = [load for load in small[0] if (load.hosts, load.jobs, load.jitter) == (1, 1, 60)]
    loads = [*small[0], type(bad)(**{**as_dict(bad), "peak": 9})]

    assert list(simulate_fleet.exceeded(small[0])) == []
    assert list(simulate_fleet.exceeded(loads)) == ["1 hosts peak at 9, above 1"]


def as_dict(load):
    return {name: getattr(load, name) for name in type(load).__slots__}
