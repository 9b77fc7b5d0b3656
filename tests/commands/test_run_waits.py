"""A person who runs a job by hand while its provider is dead: within seconds one line says what is waited for, and Ctrl-C ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from ratectl.journal.journal import Journal
from tests.support.rate_server import Fault

pytestmark = [pytest.mark.network, pytest.mark.posix("Ctrl-C is a signal")]

DEAD = "http://127.0.0.1:9"
ENOUGH = 30
"""Seconds after which a line that shows soon has not come; a busy machine takes some."""


@pytest.fixture
def waiting(station):
    """Start ``ratectl run usd-inr`` with *words* for a job whose provider is at *url*."""
    processes = []

    def begin(url, *words):
        station.install(station.job(url, timeout=90))
        process = subprocess.Popen(
            (sys.executable, "-m", "ratectl", "run", "usd-inr", *words),
            env=os.environ | {"RATECTL_STATE_DIR": str(station.state)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate(timeout=60)


@pytest.mark.parametrize("words", [("--force",), (), ("--force", "--json")], ids=str)
def test_a_provider_that_is_down(waiting, words):
    """Not on a terminal either the reason is told long before the time is over; Ctrl-C ends it with 130 and no further word."""
    process, begun = waiting(DEAD, *words), time.monotonic()
    line = process.stderr.readline()
    took = time.monotonic() - begun
    process.send_signal(signal.SIGINT)
    out, rest = process.communicate(timeout=60)

    assert took < ENOUGH
    assert line.startswith("ratectl: usd-inr: exchangerate-api-v4: ")
    assert "connection refused; it is tried for 90 s at most, and Ctrl-C ends it" in line
    assert (process.returncode, out, rest) == (130, "", "")


def test_what_was_interrupted_is_not_at_work(station, waiting):
    """After Ctrl-C nothing says that the slot is being settled: no process is at it any more."""
    process = waiting(DEAD, "--force")
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)

    with Journal(station.state) as journal:
        [firing] = journal.last_firings([journal.installed_job("usd-inr")], print).values()
    assert (firing.outcome, firing.detail, firing.settled) == ("failed", "interrupted", False)


def test_a_provider_that_hangs(waiting, live_rates):
    """While nothing is known yet the providers are named."""
    live_rates.misbehave(Fault(hang=True))
    process = waiting(live_rates.url, "--force")

    assert "no answer yet from exchangerate-api-v4; it is tried for" in process.stderr.readline()


def test_a_provider_that_answers(waiting, live_rates):
    """Where all goes well nothing is said on stderr."""
    process = waiting(live_rates.url, "--force")
    out, err = process.communicate(timeout=60)

    assert "recorded" in out
    assert err == ""
