"""Debian's daemon beside odd set-ups of the machine's zone fires when ``ratectl next`` says.

A file copied to /etc/localtime, or mounted there as into a container, beside another name in
/etc/timezone; and no /etc/localtime at all.
"""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest

from tests.engines.conftest import need, start
from tests.engines.test_clocks import LOGGER, fired, said

pytestmark = pytest.mark.engine

SETUPS = {
    "copied": (
        "cp --remove-destination /usr/share/zoneinfo/Asia/Kolkata /etc/localtime; echo EST > /etc/timezone",
        dt.timedelta(hours=5, minutes=30),
    ),
    "mounted": (
        (
            "rm /etc/localtime; : > /etc/localtime; echo EST > /etc/timezone; "
            "mount --bind /usr/share/zoneinfo/Asia/Kolkata /etc/localtime"
        ),
        dt.timedelta(hours=5, minutes=30),
    ),
    "missing": ("rm /etc/localtime; echo Asia/Kolkata > /etc/timezone", dt.timedelta()),
}
"""What is done to the machine, and the offset from UTC that its daemon's clock then has."""
SPEC = b"""
[jobs.local]
pairs = ["USD/INR"]
schedule = "every day at 10:30"
output = "~/local.txt"

[jobs.new-york]
pairs = ["USD/INR"]
schedule = "every day at 00:05 and 05:35"
timezone = "America/New_York"
output = "~/new-york.txt"
"""
JOBS = ("local", "new-york")
BEGIN = dt.datetime(2027, 1, 5, 10, 20)
LENGTH = dt.timedelta(minutes=30)


@pytest.mark.parametrize("setup", SETUPS)
def test_daemon_fires_when_next_says(setup):
    """What is rendered for the local zone fires in the minutes of its slots, by the daemon's own clock."""
    need("clocks")
    change, offset = SETUPS[setup]
    since = (BEGIN - offset).replace(tzinfo=dt.UTC)
    with contextlib.contextmanager(start)("clocks") as engine:
        root = engine.account("root")
        root.sh(change)
        root.write("/usr/local/bin/fired", LOGGER)
        root.run("chmod", "755", "/usr/local/bin/fired")
        root.write("/root/jobs.toml", SPEC)
        expected = said(root, since, LENGTH, JOBS)
        root.ratectl(
            *("render", "/root/jobs.toml", "--backend", "cron", "--out", "/root/out"),
            *("--program", "/usr/local/bin/fired"),
        )
        root.run("crontab", "/root/out/crontab")
        found = fired(root, BEGIN, since, LENGTH, JOBS)

    assert found == expected
    assert found["local"] == [since + dt.timedelta(minutes=10)]
    assert found["new-york"] == [since + dt.timedelta(minutes=15)]
