"""Debian's daemon on the days when New York's clocks change fires what ``ratectl next`` says.

It runs under libfaketime, RATE times as fast as the real clock; its jobs live in real time,
so each logs that and the daemon's time is computed. The machine's own clock is never touched.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest

from tests.engines.conftest import need, start

pytestmark = pytest.mark.engine

NEW_YORK = ZoneInfo("America/New_York")
RATE = 150
"""A minute lasts 0.4 s, so a job may start that much late and still be of its minute."""
DAYS = {
    "gap": (dt.datetime(2027, 3, 14, 1, 40), dt.timedelta(minutes=100)),
    "fold": (dt.datetime(2027, 11, 7, 0, 40), dt.timedelta(minutes=160)),
}
"""The civil time at which the daemon starts, and how long it runs."""
SCHEDULES = {
    "in-the-gap": "every day at 02:30",
    "in-the-fold": "every day at 01:30",
    "hourly": "every hour",
    "quarters": "*/15 * * * *",
    "several": "every day at 01:15, 02:15, 02:45 and 03:15",
    "sundays": "every sunday at 01:05 and 02:05",
    "mondays": "*/20 1-3 * * 1",
    "starred": "*/20 1-3 * * 0",
    "ranged": "30 1-3 14 3 *",
}
SPEC = """
[jobs.{job}]
pairs = ["USD/INR"]
schedule = "{schedule}"
timezone = "America/New_York"
output = "~/{job}.txt"
"""
LOGGER = b'#!/bin/sh\necho "$(date +%s.%N) $1" >> /run/fired\n'


def live_through(day):
    """Return what fired and what ``next`` says, as job to instants, of one of the DAYS."""
    begin, length = DAYS[day]
    with contextlib.contextmanager(start)("clocks") as engine:
        root = engine.account("root")
        root.sh("ln -sf /usr/share/zoneinfo/America/New_York /etc/localtime")
        root.write("/usr/local/bin/fired", LOGGER)
        root.run("chmod", "755", "/usr/local/bin/fired")
        spec = "".join(SPEC.format(job=job, schedule=text) for job, text in SCHEDULES.items())
        root.write("/root/jobs.toml", spec.encode())
        root.ratectl(
            *("render", "/root/jobs.toml", "--backend", "cron", "--out", "/root/out"),
            *("--program", "/usr/local/bin/fired"),
        )
        root.run("crontab", "/root/out/crontab")
        since = begin.replace(tzinfo=NEW_YORK).astimezone(dt.UTC)
        expected = said(root, since, length)
        return fired(root, begin, since, length), expected


def fired(root, begin, since, length, jobs=SCHEDULES):
    """Run the daemon from civil *begin*, the instant *since*, for *length*: the minutes in which jobs started."""
    fake = f"FAKETIME='@{begin:%Y-%m-%d %H:%M:%S} x{RATE}'"
    root.sh(
        f"date +%s.%N > /run/t0; env LD_PRELOAD=/usr/lib/libfaketime.so.1 {fake} "
        "/usr/sbin/cron -f -L 15 < /dev/null > /run/cron.out 2>&1 &"
    )
    time.sleep(length.total_seconds() / RATE + 1)
    zero = float(root.read("/run/t0"))
    found = {job: [] for job in jobs}
    for line in root.read("/run/fired").decode().splitlines():
        stamp, job = line.split()
        instant = since + (float(stamp) - zero) * RATE * dt.timedelta(seconds=1)
        if instant < since + length:
            found[job].append(instant.replace(second=0, microsecond=0))
    return {job: sorted(set(instants)) for job, instants in found.items()}


def said(root, since, length, jobs=SCHEDULES):
    """Ask ``ratectl next`` for the slots of each job from *since* on, for *length*."""
    after = ("--after", since.isoformat(), "--count", "40")
    found = {}
    for job in jobs:
        texts = root.json("next", job, "--spec", "/root/jobs.toml", *after)
        slots = [dt.datetime.fromisoformat(text).astimezone(dt.UTC) for text in texts]
        found[job] = [slot for slot in slots if slot < since + length]
    return found


@pytest.fixture(scope="module")
def lived():
    """Both days, side by side in sandboxes of their own."""
    need("clocks")
    with ThreadPoolExecutor() as pool:
        return dict(zip(DAYS, pool.map(live_through, DAYS), strict=True))


@pytest.mark.parametrize("day", DAYS)
def test_daemon_fires_the_slots(lived, day):
    """On the day of the gap and on that of the fold, each job fires in the minutes of its slots and in no other."""
    found, expected = lived[day]

    assert found == expected


def test_the_days_are_hard(lived):
    """The schedules make the daemon catch up, run once, and run twice."""
    (_, gap), (_, fold) = lived["gap"], lived["fold"]

    assert gap["in-the-gap"] == [dt.datetime(2027, 3, 14, 7, tzinfo=dt.UTC)]
    assert fold["in-the-fold"] == [dt.datetime(2027, 11, 7, 5, 30, tzinfo=dt.UTC)]
    assert len(fold["hourly"]) == 3
    assert len(fold["starred"]) == 2 * 3 + 1
    assert gap["mondays"] == fold["mondays"] == []
