"""What a pause does with a firing at work, and what a resume tells a cluster of slots that passed meanwhile."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

from ratectl.backends.protocol import InstalledEntry, Runs
from ratectl.deploy import pause, uninstall
from ratectl.deploy.install import SpecSource
from ratectl.runtime import locks
from tests.fakes.jobs import job
from tests.fakes.office import Office

NOW = dt.datetime(2026, 11, 23, 5, 10, tzinfo=dt.UTC)
"""Ten minutes after the daily slot of 10:30 in Kolkata."""


def left_out(runs):
    one = job()
    entry = InstalledEntry(job=one.name, triggers=(), artefacts=(), enabled=False, runs=runs)
    source = SpecSource(jobs=(one,), path="", digest="")
    return pause.left_out(source, {one.name: entry}, NOW)


def at(hour, minute):
    return NOW.replace(hour=hour, minute=minute)


@pytest.mark.parametrize(
    ("runs", "missed"),
    [
        (Runs(created=at(1, 0)), True),
        (Runs(created=at(1, 0), woken=at(5, 0)), False),
        (Runs(created=at(5, 5)), False),
        (Runs(), True),
        (None, False),
    ],
)
def test_what_a_resume_leaves_out(runs, missed):
    """Only where the engine would make up for a slot of the last hour is it told from when on slots count."""
    assert left_out(runs) == ({"usd-inr": "2026-11-23T05:10:00Z"} if missed else {})


@pytest.mark.parametrize("change", ["pause", "remove"])
def test_a_firing_at_work_ends_first(tmp_path, change):
    """What a firing is about to record is recorded before anything takes its entry away, or stops it."""
    office = Office(tmp_path, "systemd")
    office.install(job())
    held_at_its_end, at_work = [], threading.Event()

    def firing():
        with locks.acquire(tmp_path / "locks" / "job-usd-inr.lock", until=None):
            at_work.set()
            threading.Event().wait(0.5)
            held_at_its_end.extend(office.held())

    other = threading.Thread(target=firing)
    other.start()
    at_work.wait(10)
    getattr(office, change)("usd-inr")
    other.join(10)

    assert held_at_its_end == ["usd-inr"]
    assert office.held() == []


def test_a_firing_that_hangs_does_not_hold_up_a_pause(tmp_path, monkeypatch):
    """A firing that does not end in time is left to the engine."""
    monkeypatch.setattr(uninstall, "PATIENCE", 0.1)
    office = Office(tmp_path, "systemd")
    office.install(job())

    with locks.acquire(tmp_path / "locks" / "job-usd-inr.lock", until=None):
        office.pause("usd-inr")

    assert office.held() == []
