"""What a resume tells a cluster of slots that passed in a pause."""

from __future__ import annotations

import datetime as dt

import pytest

from ratectl.backends.protocol import InstalledEntry, Runs
from ratectl.deploy import pause
from ratectl.deploy.install import SpecSource
from tests.fakes.jobs import job

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
