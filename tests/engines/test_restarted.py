"""A cron daemon that is stopped and started while the machine stays on, as by an upgrade of its package.

Debian's and cronie's run ``@reboot`` lines at the first start after a boot only, so here the other
line for all jobs must find what was missed.
"""

from __future__ import annotations

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.engine

DAEMONS = ("cron", "cronie")
MINUTE = dt.timedelta(minutes=1)
SETTINGS = "/etc/default/cron-daemon"


def now():
    return dt.datetime.now(dt.UTC)


def pause_until(moment):
    time.sleep(max(0.0, (moment - now()).total_seconds()))


def restart_over_a_slot(engine):
    """Keep the daemon of *engine* stopped while a job's slot passes; return the slot, the list, and the output."""
    root, account = engine.account("root"), engine.account("tester")
    slot = (now() + dt.timedelta(seconds=35)).replace(second=0, microsecond=0) + MINUTE
    account.write_spec("once", engine.rates, schedule=f"every day at {slot:%H:%M}")
    account.ratectl("install")
    pause_until(slot - dt.timedelta(seconds=3))
    root.run("cron-daemon", "stop")
    # a zone of minutes, in which the third minute from now is one of 2, 7, 12, ...: spares more of waiting. No
    # sooner, since a sweep right after the install, by chance, makes the next one wait for the slot's own wakeup
    root.write(SETTINGS, f"TZ=AAA-0:0{(4 - slot.minute) % 5}\n".encode())
    pause_until(slot + dt.timedelta(seconds=2))
    root.run("cron-daemon", "start")
    text = account.wait_for_lines(f"{account.home}/once.txt", limit=210)
    listed = account.json("list")
    account.ratectl("remove", "--all", "--purge", "--yes")
    root.sh(f"rm {SETTINGS} {account.home}/once.txt; cron-daemon stop; cron-daemon start")
    return slot, listed, text


@pytest.fixture(scope="module")
def seen(cron, cronie):
    with ThreadPoolExecutor(len(DAEMONS)) as together:
        return dict(zip(DAEMONS, together.map(restart_over_a_slot, (cron, cronie)), strict=True))


@pytest.mark.parametrize("daemon", DAEMONS)
def test_missed_slot(seen, daemon):
    """What passed while the daemon was stopped is settled once, by the line of every five minutes and not at the start."""
    slot, [entry], text = seen[daemon]
    sweep = slot + 3 * MINUTE

    assert dt.datetime.fromisoformat(entry["last"]["slot"]) == slot
    assert sweep <= dt.datetime.fromisoformat(entry["last"]["at"]) < sweep + MINUTE
    assert text.count(b"\n") == 1
    assert entry["drift"] == []
