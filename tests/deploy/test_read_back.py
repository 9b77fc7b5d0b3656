"""What an engine says of its next run is compared with our next slot as moments, also in an hour that the clocks repeat."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from ratectl import schedule
from ratectl.backends.protocol import InstalledEntry
from ratectl.backends.systemd import backend as systemd
from ratectl.deploy import read_back

NEW_YORK = ZoneInfo("America/New_York")
UTC = dt.UTC


@pytest.mark.parametrize(
    ("hour", "minutes", "fits"), [(5, 0, True), (6, 0, True), (5, 60, False), (6, 60, False)]
)
def test_repeated_hour(station, hour, minutes, fits):
    """The run at 1:30 of either pass is the next slot; one that is an hour late is none."""
    job = station.job("", schedule_texts=("every hour at :30",), timezone="America/New_York")
    now = dt.datetime(2026, 11, 1, hour, 10, tzinfo=UTC)
    run = now.replace(minute=30) + dt.timedelta(minutes=minutes)
    entry = InstalledEntry(job=job.name, triggers=(), artefacts=(), next=run)
    cover = systemd.cover_for(job, NEW_YORK, systemd.CAPABILITIES)

    slot = next(schedule.after(job.schedule, NEW_YORK, now))
    problems = read_back._clock_problem(job, cover, entry, slot, now)

    assert (problems == []) is fits, problems
