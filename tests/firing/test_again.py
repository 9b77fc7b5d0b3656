"""What failed is tried again: after 4, 8, 16, 32 and then 60 minutes, and never later than at the next slot."""

from __future__ import annotations

import datetime as dt

import pytest

from ratectl.commands.more import serve
from ratectl.firing import backoff, command_line
from ratectl.journal.journal import Journal
from ratectl.runtime import locks
from tests.fakes.station import now
from tests.support.rate_server import RateServer, demo_table

pytestmark = pytest.mark.network
DEAD = "http://127.0.0.1:9"


@pytest.fixture
def rates():
    with RateServer(demo_table()) as server:
        yield server


def age(station, seconds):
    """Let everything that is known of the job's last failure be *seconds* older."""
    with Journal(station.state) as journal, journal.database.transaction() as connection:
        connection.execute(
            "UPDATE jobs SET failed_at = failed_at - ?, retry_at = retry_at - ?", (seconds, seconds)
        )


def test_waits():
    """The waits are those of the sweep that crontabs start."""
    assert [backoff.wait(failures) // 60 for failures in range(1, 8)] == [4, 8, 16, 32, 60, 60, 60]


def test_too_early(station):
    """A wakeup before it is time asks nobody, loads next to nothing, and still says that something is owed."""
    station.install(station.job(DEAD, timeout=2))
    first = station.fetch()

    again = station.fetch("-v")
    quiet = station.fetch()

    assert (first.returncode, again.returncode) == (75, 75)
    assert again.stdout == "usd-inr: it is too early to try again\n"
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (75, "", "")
    with Journal(station.state) as journal:
        assert journal.installed_job("usd-inr").failures == 1


def test_after_a_firing_that_went_well(station):
    """What fails after good days rests as well: what these left for the next wakeup to know is not so any more."""
    station.install(station.job(DEAD, timeout=2))
    with Journal(
        station.state
    ) as journal:  # as the firing before left it: the next slot is this one
        slot = now() - dt.timedelta(seconds=1)
        job = journal.installed_job("usd-inr").job
        journal.set_next_due(job, slot, now=slot, zone_file="", zone_stamp="")

    first, again = station.fetch(), station.fetch("-v")

    assert (first.returncode, again.returncode) == (75, 75)
    assert again.stdout == "usd-inr: it is too early to try again\n"
    with Journal(station.state) as journal:
        row = journal.installed_job("usd-inr")
    assert (row.failures, row.retry_at is None) == (1, False)


def test_when_it_is_time(station, rates):
    """After its wait the slot is settled, and then nothing is owed: the wakeup ends with 0."""
    job = station.job(DEAD, timeout=2)
    station.install(job)
    assert station.fetch().returncode == 75
    station.install(job)  # the same again: what failed is tried at once
    assert "connection refused" in station.fetch().stderr
    with Journal(station.state) as journal, journal.database.transaction() as connection:
        snapshot = connection.execute("SELECT snapshot FROM jobs").fetchone()[0]
        mended = snapshot.replace(DEAD, rates.url)
        connection.execute("UPDATE jobs SET snapshot = ?", (mended,))

    early = station.fetch().returncode
    age(station, 8 * 60)
    due, after = station.fetch("-v"), station.fetch()

    assert (early, due.returncode, after.returncode) == (75, 0, 0), due.stdout + due.stderr
    assert len(station.lines()) == 1


def test_the_next_slot_is_not_kept_waiting(station):
    """A slot that comes before the wait is over ends it: it is tried, and the old one with it by the catch-up rule."""
    station.install(station.job(DEAD, timeout=2, schedule_texts=("every minute",)))

    assert station.fetch().returncode == 75
    with Journal(station.state) as journal:
        row = journal.installed_job("usd-inr")
    assert row.retry_at is not None
    assert row.retry_at - now() <= dt.timedelta(minutes=1)
    age(station, 60)
    assert command_line._known_code(str(station.state), "usd-inr") is None


@pytest.mark.parametrize("change", ["paused", "switched off", "clock"])
def test_not_held_back(station, change):
    """A wait is only for a job at work, and for the clock that it was written by."""
    station.install(station.job(DEAD, timeout=2))
    station.fetch()
    with Journal(station.state) as journal:
        if change == "paused":
            journal.pause_jobs(["usd-inr"])
        column = {"switched off": "enabled = 0", "clock": "failed_at = failed_at + 7200"}.get(
            change
        )
        if column:
            with journal.database.transaction() as connection:
                connection.execute(f"UPDATE jobs SET {column}")  # noqa: S608 - ours

    done = station.fetch()

    assert done.returncode == (75 if change == "clock" else 0)
    assert bool(done.stderr) is (change == "clock")


def test_while_a_person_tries(station):
    """While a firing that a person began is at work on what failed, the engine's own says that something is owed."""
    station.install(station.job(DEAD, timeout=2))
    station.fetch()
    age(station, 3600)

    with locks.acquire(station.state / "locks" / "job-usd-inr.lock", until=None) as got:
        assert got
        assert station.fetch().returncode == 75


def test_a_first_firing_beside_another_owes_nothing(station):
    """Where nothing failed yet, a firing that finds another at work ends with 0."""
    station.install(station.job(DEAD, timeout=2))
    with Journal(station.state) as journal:
        journal.known()

    with locks.acquire(station.state / "locks" / "job-usd-inr.lock", until=None) as got:
        assert got
        assert station.fetch().returncode == 0


def test_what_is_shown(station):
    """The journal tells when the next try is due, until something is recorded."""
    station.install(station.job(DEAD, timeout=2))
    station.fetch()

    with Journal(station.state) as journal:
        row = journal.installed_job("usd-inr")
        journal.end_failures("usd-inr")
        after = journal.installed_job("usd-inr")

    assert row.retry_at is not None
    assert dt.timedelta(minutes=3) < row.retry_at - now() <= dt.timedelta(minutes=4)
    assert after.retry_at is None


def test_in_the_foreground(station):
    """`ratectl serve` wakes a job when what failed is to be tried again, which comes before its next slot."""
    station.install(station.job(DEAD, timeout=2))
    with serve._Stop() as stop:
        loop = serve._Loop(station.state, frozenset(), stop)
        before = loop._wakes()["usd-inr"]
        station.fetch()
        wakes = loop._wakes()

    with Journal(station.state) as journal:
        row = journal.installed_job("usd-inr")

    assert wakes == {"usd-inr": row.retry_at}
    assert row.retry_at < before
