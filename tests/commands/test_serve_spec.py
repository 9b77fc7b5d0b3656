"""``serve SPEC`` records the jobs of the spec as install does: under its lock, and without those that are gone from it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from ratectl.commands.more import serve
from ratectl.deploy.install_lock import install_lock
from ratectl.journal.journal import Journal
from tests.fakes.station import now

SPEC = """
[jobs.{name}]
pairs = ["USD/INR"]
schedule = "every day at 10:30"
output = "{output}"
"""


@pytest.fixture
def record(station):
    """Record the jobs of a spec in which there is one job of some name."""

    def write(name):
        path = station.folder / "jobs.toml"
        output = (station.folder / "rates.txt").as_posix()
        path.write_text(SPEC.format(name=name, output=output), encoding="utf-8")
        with Journal(station.state) as journal:
            return serve._record(journal, path)

    return write


def installed(station):
    with Journal(station.state) as journal:
        return [row.job.name for row in journal.installed()]


def test_a_job_that_is_gone_from_the_spec(station, record, capsys):
    """A job with another name takes the place of the old one, which would stay stale in `status --max-age`."""
    record("usd-inr")
    record("rupee")

    assert installed(station) == ["rupee"]
    said = capsys.readouterr().err
    assert "usd-inr is gone from" in said
    assert "its record stays" in said
    with Journal(station.state) as journal:
        assert [row.job.name for row in journal.removed()] == ["usd-inr"]


def test_jobs_of_other_specs(station, record):
    """What another spec, or a scheduler, has is left alone."""
    station.install(station.job("http://127.0.0.1:9"), since=now())

    record("rupee")

    assert installed(station) == ["rupee", "usd-inr"]


def test_while_an_install_is_at_work(station, record):
    """It waits for an install or a removal that is at work, and goes on after it."""
    record("usd-inr")
    with install_lock(station.state):
        waiting = threading.Thread(target=record, args=("rupee",), daemon=True)
        waiting.start()
        waiting.join(0.5)
        during = installed(station)
    waiting.join(30)

    assert during == ["usd-inr"]
    assert installed(station) == ["rupee"]


@pytest.mark.network
def test_what_the_first_firing_records_wakes_no_second(station, live_rates):
    """The firing at the start records the slots of its minute itself: another would only find it at work."""
    job = station.job(live_rates.url, schedule_texts=("every 5 seconds",))
    station.install(job, since=now())

    with serve._Stop() as stop:
        loop = serve._Loop(station.state, frozenset(), stop)
        begun = now()
        loop.catch_up()
        first = loop._wakes()["usd-inr"]
        stop.ask()
        loop._finish()
        loop.held.close()

    assert first.replace(second=0) > begun.replace(second=0)


TO_ITSELF = """
import signal, threading, time
from ratectl.commands.more.serve import _Stop
def firing():
    time.sleep(0.3)  # the main thread rests by now
    signal.pthread_kill(threading.get_ident(), signal.{name})
    time.sleep(2)
with _Stop() as stop:
    stop.listen()
    threading.Thread(target=firing, daemon=True).start()
    begun = time.monotonic()
    stop.rest(30)
    print(stop.asked, time.monotonic() - begun < 10)
"""


@pytest.mark.network
@pytest.mark.posix("a signal to a thread")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_that_reaches_another_thread(name):
    """A signal that the kernel hands to the thread of a firing ends the rest of the main thread at once."""
    argv = (sys.executable, "-c", TO_ITSELF.format(name=name))
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)

    assert (done.stdout.split(), done.stderr) == (["True", "True"], "")


@pytest.mark.network
def test_a_rest_that_nobody_ends():
    """A rest lasts as long as it was to, and none begins once we are to end."""
    begun = time.monotonic()
    with serve._Stop() as stop:
        stop.rest(0.2)
        rested = time.monotonic() - begun
        stop.ask()
        stop.rest(60)

    assert rested > 0.15
    assert time.monotonic() - begun < 30
