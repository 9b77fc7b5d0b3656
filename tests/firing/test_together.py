"""Many firings at once on one journal: nothing lost, nothing doubled, nobody turned away."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import json
import subprocess
from pathlib import Path

import pytest

from ratectl.model.job import Overlap
from tests.fakes.station import Station, provider
from tests.support.rate_server import Fault

pytestmark = pytest.mark.network
JOBS = 20
EACH = 5
FILES = 4
PATIENCE = 600
"""Seconds after which something hangs; the machine may be busy with a hundred interpreters."""


@pytest.mark.slow
def test_hundred_at_once(tmp_path, live_rates):
    """A hundred processes over twenty jobs, all started at once, record each job once; files are shared."""
    station = Station(folder=tmp_path)
    server = provider("exchangerate-api-v4", live_rates.url, timeout=120)
    jobs = [
        dataclasses.replace(
            station.job(live_rates.url),
            name=f"job-{number}",
            providers=(server,),
            outputs=(station.output(f"shared-{number % FILES}.jsonl", "jsonl"),),
            overlap=Overlap.WAIT if number % 2 else Overlap.SKIP,
            timeout=PATIENCE,
        )
        for number in range(JOBS)
    ]
    station.install(*jobs)

    running = [start(station, job.name) for _ in range(EACH) for job in jobs]
    ended = collections.Counter(finished(process) for process in running)

    assert ended == {(0, ""): JOBS * EACH}
    assert {len(station.recorded(job.name)) for job in jobs} == {1}
    assert station.undelivered() == 0
    lines = [line for number in range(FILES) for line in station.lines(f"shared-{number}.jsonl")]
    assert sorted(json.loads(line)["job"] for line in lines) == sorted(job.name for job in jobs)


def start(station, job):
    return subprocess.Popen(
        station.argv(job), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def finished(process):
    """Return how *process* ended and what it said."""
    _, said = process.communicate(timeout=PATIENCE)
    return process.returncode, said


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks at open files in /proc")
@pytest.mark.posix("it looks at open files in /proc")
def test_kill_while_another_waits(tmp_path, live_rates):
    """With overlap = "wait", the firing that waits takes the slot over from one that is killed."""
    station = Station(folder=tmp_path)
    station.install(station.job(live_rates.url, overlap=Overlap.WAIT, timeout=60))
    live_rates.misbehave(Fault(hang=True))

    with start(station, "usd-inr") as first:
        while not live_rates.requests:  # it holds the lock and the claim by then
            assert first.poll() is None
        with start(station, "usd-inr") as second:
            assert wait_for_waiting(station, second)
            first.kill()
            first.communicate()
            assert finished(second) == (0, "")

    assert len(station.recorded()) == 1
    assert len(station.lines()) == 1
    assert station.settled()
    assert len(live_rates.requests) == 2


def wait_for_waiting(station, process):
    """Return True once *process* has the lock file open; it cannot have the lock."""
    lock = station.state / "locks" / "job-usd-inr.lock"
    while process.poll() is None:
        with contextlib.suppress(OSError):  # descriptors come and go
            for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
                if descriptor.resolve() == lock:
                    return True
    return False
