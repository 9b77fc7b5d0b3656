"""kill -9 of `record`, `review void`, `import` and `backfill --again`, at random moments and before each step: repeated, each comes to one end."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import subprocess
import sys
import time
from decimal import Decimal

import pytest

from ratectl import cli
from ratectl.journal import revisions, sqlite_database
from ratectl.journal.journal import Journal
from ratectl.journal.rows import EVERY_SLOT
from ratectl.model.job import Pair
from tests.fakes.past import settle
from tests.fakes.station import now, provider
from tests.support.rate_table import Table
from tests.support.share import times

pytestmark = pytest.mark.network
KILLS = times(40)
DAY = dt.timedelta(days=1)
USD_INR = Pair(base="USD", quote="INR")


@pytest.fixture
def job(station, live_rates):
    """A daily job at noon with a text and a csv file, whose provider has history."""
    job = station.job(
        live_rates.url,
        schedule_texts=("every day at 12:00",),
        providers=(provider("frankfurter", live_rates.url),),
        outputs=(station.output("output.txt"), station.output("rates.csv", "csv")),
    )
    station.install(job)
    return job


@pytest.fixture
def killed(station):
    """Start a command as often as KILLS says and kill it at random moments of its life, then let it end once."""
    environment = os.environ | {"RATECTL_STATE_DIR": str(station.state)}
    chance = random.Random(20261127)  # noqa: S311 - moments, not secrets

    def run(*words):
        argv = (sys.executable, "-m", "ratectl", *words)
        longest = 1.0
        for _ in range(KILLS):
            begun = time.monotonic()
            with subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL) as process:
                try:
                    process.wait(timeout=chance.uniform(0.2, longest))
                    longest = time.monotonic() - begun
                except subprocess.TimeoutExpired:
                    process.kill()
                    longest += 0.05
        return subprocess.run(
            argv, env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    return run


def slot(days):
    return now().replace(hour=12, minute=0, second=0) - days * DAY


def ever(station):
    """Return slot, rate and state of all that was ever recorded."""
    with Journal(station.state) as journal:
        return [
            (e.slot, str(e.quote.rate), e.state)
            for e in revisions.history(journal.store(), "usd-inr", EVERY_SLOT, None)
        ]


@pytest.mark.slow
def test_record(station, job, killed):
    """The rate stands once in the record and once in each output."""
    done = killed("record", job.name, "USD/INR", "95.12", "--on", str(slot(3).date()))

    assert done.returncode == 0, done.stderr
    assert ever(station) == [(slot(3), "95.12", "")]
    assert station.lines() == [f"{slot(3):%d/%m/%Y} - 95.12"]
    assert len(station.lines("rates.csv")) == 2
    assert station.undelivered() == 0


@pytest.mark.slow
def test_void(station, job, killed):
    """The rate is voided once, and nothing else is."""
    for days in (3, 2):
        settle(station.state, job, slot(days), "95.12")

    done = killed("review", "void", str(slot(3).date()), slot(3).isoformat(), "--job", job.name)

    assert done.returncode in {0, 2}, done.stderr  # the day has no slot with a rate any more
    assert ever(station) == [(slot(3), "95.12", "voided"), (slot(2), "95.12", "")]


@pytest.mark.slow
def test_import(station, job, killed, tmp_path):
    """Every row of the file is in the record once; no output gets any."""
    first = dt.date(2015, 1, 1)
    days = [first + number * DAY for number in range(3_000)]
    path = tmp_path / "old.txt"
    path.write_text("".join(f"{day:%d/%m/%Y} - {90 + n / 1000}\n" for n, day in enumerate(days)))

    done = killed("import", str(path), "--job", job.name)

    assert done.returncode == 0, done.stderr
    assert [(s.date(), Decimal(rate), state) for s, rate, state in ever(station)] == [
        (day, Decimal(str(90 + n / 1000)), "") for n, day in enumerate(days)
    ]
    assert station.lines() == []


@pytest.mark.slow
def test_again(station, job, killed, live_rates):
    """Each marked day has its own rate, one revision, and one line more in each file."""
    days = range(40, 2, -1)
    known = {}
    for number in range(60, 0, -1):
        known[(now() - number * DAY).date()] = {
            "EUR": Decimal(1),
            "USD": Decimal(1),
            "INR": Decimal(95) + Decimal(number) / 100,
        }
    live_rates.table = Table(known)
    for number in days:
        settle(station.state, job, slot(number), "95", rate_date=(slot(number) - DAY).date())

    done = killed("backfill", job.name, "--since", str(slot(40).date()), "--again")

    assert done.returncode == 0, done.stderr
    asked_again = [(s, state) for s, _, state in ever(station) if s <= slot(3)]
    assert asked_again == [(slot(number), state) for number in days for state in ("revised", "")]
    lines = [line for line in station.lines() if "(of" not in line]
    assert len(lines) == len(set(lines)) >= len(days)
    assert len(station.lines("rates.csv")) - 1 == len(lines)
    assert station.undelivered() == 0


STEPS = {
    "record": (
        *("INSERT INTO quotes", "INSERT INTO firings", "INSERT INTO lines", "COMMIT"),
        "DELETE FROM lines",
    ),
    "void": ("DELETE FROM quotes", "INSERT INTO revisions", "UPDATE firings", "COMMIT"),
    "import": ("INSERT INTO quotes", "INSERT INTO firings", "COMMIT"),
    "again": (
        "INSERT INTO revisions",
        "INSERT INTO quotes",
        "INSERT INTO lines",
        "DELETE FROM lines",
    ),
}
"""What the death comes right before, by command."""


@pytest.fixture
def words(station, job, live_rates, tmp_path):
    """Prepare a command on a day that has a rate of the day before, and return its words."""
    live_rates.table = Table(
        {
            slot(days).date(): {"EUR": Decimal(1), "USD": Decimal(1), "INR": Decimal("95.5")}
            for days in range(9)
        }
    )

    def prepare(command):
        if command in {"void", "again"}:
            settle(station.state, job, slot(3), "95", rate_date=slot(4).date())
        path = tmp_path / "old.txt"
        path.write_text(f"{slot(3):%d/%m/%Y} - 95\n{slot(2):%d/%m/%Y} - 95.1\n")
        day = str(slot(3).date())
        return {
            "record": ("record", job.name, "USD/INR", "95", "--on", day),
            "void": ("review", "void", slot(3).isoformat(), "--job", job.name),
            "import": ("import", str(path), "--job", job.name),
            "again": ("backfill", job.name, "--since", day, "--until", day, "--again"),
        }[command]

    return prepare


ENDS = {
    "record": [("95", "")],
    "void": [("95", "voided")],
    "import": [("95", ""), ("95.1", "")],
    "again": [("95", "revised"), ("95.5", "")],
}
"""Rate and state of all that is recorded in the end."""
LINES = {"record": 1, "void": 0, "import": 0, "again": 1}


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.posix("it forks")
@pytest.mark.parametrize(
    ("command", "step"), [(command, step) for command, steps in STEPS.items() for step in steps]
)
def test_kill_between_steps(station, words, ratectl, command, step):
    """A process that ends right before any step leaves nothing that the same command does not finish."""
    line = words(command)
    child = os.fork()
    if child == 0:
        die_before(step)
        cli.main(line)
        os._exit(1)  # the step was never reached
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"{step} was never reached"

    done = ratectl(*line)

    assert done.code == 0, done.err
    assert [(rate, state) for _, rate, state in ever(station)] == ENDS[command]
    assert len(station.lines()) == LINES[command]
    assert station.undelivered() == 0


def die_before(step):
    """Arrange in this (forked) process that the first statement with *step* in it is death by SIGKILL."""
    original = sqlite_database._connect

    def connect(path):
        connection = original(path)
        connection.set_trace_callback(
            lambda sql: os.kill(os.getpid(), signal.SIGKILL) if step in sql else None
        )
        return connection

    sqlite_database._connect = connect
