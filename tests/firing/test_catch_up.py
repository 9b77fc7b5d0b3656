"""The sweep: what crontabs start at boot and every five minutes, for all jobs at once."""

from __future__ import annotations

import datetime as dt
import subprocess

import pytest

from ratectl.firing import due
from ratectl.firing.catch_up import MAX_START_DELAY
from ratectl.firing.catch_up import run_sweep as swept_by
from ratectl.journal.journal import Journal
from ratectl.runtime import locks
from ratectl.runtime.environment import Environment
from tests.fakes.station import PYTHON, SCRIPT, now
from tests.support.rate_server import RateServer, demo_table

pytestmark = pytest.mark.network
DEAD = "http://127.0.0.1:9"


@pytest.fixture
def rates():
    with RateServer(demo_table()) as server:
        yield server


def swept(station, *words, python=()):
    argv = (PYTHON, *python, "-I", "-S", SCRIPT, *words, "--sweep", "--state", str(station.state))
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def named(station, url, name, **changes):
    """Return a job *name* with an output of its own."""
    return station.job(url, name=name, outputs=(station.output(f"{name}.txt"),), **changes)


def age(station, seconds):
    """Make the last failure of every job *seconds* old."""
    with Journal(station.state) as journal, journal.database.transaction() as connection:
        connection.execute("UPDATE jobs SET failed_at = failed_at - ?", (seconds,))


def test_all_that_owe(station, rates):
    """One sweep settles what each job owes, once: the second finds nothing."""
    station.install(named(station, rates.url, "a"), named(station, rates.url, "b"))

    first, second = swept(station), swept(station, "-v")

    assert (first.returncode, first.stdout, first.stderr) == (0, "", "")
    assert (second.returncode, second.stdout) == (0, "")
    assert [len(station.lines(f"{name}.txt")) for name in "ab"] == [1, 1]


def test_what_just_fell_due_is_left_to_its_own_wakeup(station, rates):
    """A slot of the last two minutes is not taken from the wakeup that is on its way."""
    minute = now().replace(second=0)
    job = named(station, rates.url, "a", schedule_texts=(f"every hour at :{minute.minute:02}",))
    station.install(job, since=minute - dt.timedelta(minutes=3))
    with Journal(station.state) as journal:
        journal.set_next_due(
            journal.installed_job("a").job, minute, now=now(), zone_file="", zone_stamp=""
        )

    swept(station)

    assert station.lines("a.txt") == []


@pytest.mark.parametrize("rest", ["paused", "removed", "switched off"])
def test_jobs_that_rest(station, rates, rest):
    """Jobs that are paused, removed or switched off are left alone."""
    station.install(named(station, rates.url, "a", enabled=rest != "switched off"))
    with Journal(station.state) as journal:
        {"paused": journal.pause_jobs, "removed": journal.forget_jobs}.get(rest, list)(["a"])

    assert swept(station).returncode == 0
    assert station.lines("a.txt") == []


def test_a_dead_provider_is_not_hammered(station):
    """What fails is tried again after 4 minutes, then after 8; nothing is said, since its own wakeups tell."""
    station.install(named(station, DEAD, "a", timeout=2))

    codes = [swept(station).returncode]
    codes.append(swept(station).returncode)
    age(station, 245)
    codes.append(swept(station).returncode)
    age(station, 245)
    quiet = swept(station)
    age(station, 245)
    codes += [quiet.returncode, swept(station).returncode]

    assert codes == [75, 0, 75, 0, 75]
    assert quiet.stderr == ""


def test_one_dead_provider_does_not_keep_the_others(station, rates):
    """A job that fails is passed over, and the exit code tells."""
    station.install(named(station, DEAD, "a", timeout=2), named(station, rates.url, "b"))

    done = swept(station)

    assert (done.returncode, done.stderr) == (75, "")
    assert len(station.lines("b.txt")) == 1


def test_what_time_does_not_mend_is_told_once(station, rates):
    """An output that cannot be written is told by the sweep that meets it first, and not every five minutes."""
    (station.folder / "a.txt").mkdir()
    station.install(named(station, rates.url, "a"))

    first = swept(station)
    age(station, 3600)
    second = swept(station)

    assert first.returncode == second.returncode != 0
    assert "a.txt" in first.stderr
    assert len(first.stderr.splitlines()) == 1
    assert second.stderr == ""


def test_one_sweep_at_a_time(station, rates):
    """While one sweep is at work another ends at once."""
    station.install(named(station, rates.url, "a"))

    with locks.acquire(station.state / "locks" / "sweep.lock", until=None) as got:
        assert got
        assert swept(station).returncode == 0
        assert station.lines("a.txt") == []


def test_a_fleet_does_not_sweep_in_step(station, rates):
    """A sweep begins late by what its jobs' jitter allows, on each host by an offset of its own, and at most 4 minutes."""
    station.install(named(station, rates.url, "a", jitter=3600, enabled=False))
    slept = []
    env = Environment(clock=now, sleep=slept.append, host="here")

    for host in ("here", "there", "here"):
        list(swept_by(str(station.state), ["a"], env._replace(host=host)))

    assert slept[0] == slept[2] != slept[1]
    assert (
        slept[0]
        == due.start_delay("--sweep", "here", MAX_START_DELAY).total_seconds()
        <= MAX_START_DELAY
    )


def test_nothing_was_ever_installed(station):
    """Without a journal there is nothing to do, and none is made."""
    assert swept(station).returncode == 0
    assert not station.state.exists()


@pytest.mark.parametrize("words", [("usd-inr",), ("--force",)])
def test_misused(station, words):
    """A sweep is for all jobs: a name or a slot beside it is wrong usage."""
    done = swept(station, *words)

    assert done.returncode == 2
    assert "all jobs" in done.stderr


def test_nothing_owed_costs_little(station, rates):
    """A sweep that finds nothing due loads neither the model nor requests."""
    station.install(named(station, rates.url, "a"))
    swept(station)

    done = swept(station, python=("-X", "importtime"))

    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "_sqlite3" in imported
    assert not imported & {"requests", "json", "dataclasses", "zoneinfo", "ratectl.model"}
