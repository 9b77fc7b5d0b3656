"""``ratectl chart``: a chart for each pair, of the time that was asked for."""

import contextlib
import datetime as dt
import os
import subprocess
import sys

import pytest

from ratectl.model.job import Pair
from tests.fakes import past

FIRST = dt.datetime(2024, 1, 1, 10, 30, tzinfo=dt.UTC)


@pytest.fixture
def years(station, live_rates):
    """A job of two pairs with a rate every ten days for three years."""
    pairs = (Pair(base="USD", quote="INR"), Pair(base="EUR", quote="INR"))
    job = station.job(live_rates.url, pairs=pairs, schedule_texts=("every day at 10:30",))
    station.install(job, since=FIRST)
    for number in range(108):
        past.settle(station.state, job, FIRST + dt.timedelta(days=10 * number), str(80 + number))
    return job


@pytest.mark.usefixtures("years")
def test_last_year(ratectl):
    """By default each pair's last year, ending with its newest rate."""
    titles = [line for line in ratectl("chart", "usd-inr").out.splitlines() if "/INR" in line]

    assert titles == [
        f"{pair}  187 on 2026-12-06, from 151 (2025-12-11) to 187 (2026-12-06); 37 rates"
        for pair in ("USD/INR", "EUR/INR")
    ]


@pytest.mark.usefixtures("years")
def test_span(ratectl):
    """--since and --until say which time, --pair which pair."""
    words = ("--pair", "EUR/INR", "--since", "2024-01-01", "--until", "2024-12-31")
    lines = ratectl("chart", "usd-inr", *words).out.splitlines()

    assert lines[0].startswith("EUR/INR  116 on 2024-12-26, from 80 (2024-01-01)")
    assert not any("USD/INR" in line for line in lines)


@pytest.mark.usefixtures("years")
def test_width(ratectl, monkeypatch):
    """The chart fits the terminal."""
    monkeypatch.setenv("COLUMNS", "60")

    assert max(map(len, ratectl("chart", "usd-inr").out.splitlines()[1:20])) <= 60


@pytest.mark.posix("a pseudo-terminal")
@pytest.mark.network
@pytest.mark.usefixtures("years")
def test_in_a_terminal(station, monkeypatch):
    """A terminal is shown the same lines as a pipe of that width: none is broken."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("RATECTL_STATE_DIR", str(station.state))
    argv = (sys.executable, "-m", "ratectl", "chart", "usd-inr")
    piped = subprocess.run(argv, capture_output=True, check=True, timeout=60).stdout
    master, slave = os.openpty()
    subprocess.run(argv, stdout=slave, check=True, timeout=60)
    os.close(slave)
    shown = b""
    with contextlib.suppress(OSError):  # the other end was closed
        while part := os.read(master, 65536):
            shown += part
    os.close(master)

    assert shown.decode().split() == piped.decode().split()
    assert len(shown.splitlines()) == len(piped.splitlines())


@pytest.mark.usefixtures("years")
def test_nothing_there(ratectl):
    """A time without rates is an error that says what lists all of them."""
    answer = ratectl("chart", "usd-inr", "--since", "2030-01-01")

    assert (answer.code, answer.out) == (78, "")
    assert "ratectl history usd-inr" in answer.err
