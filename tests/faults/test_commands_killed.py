"""Commands that write the record, killed at random moments or on a full disk: the same command again does the rest."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from ratectl.journal import quarantine
from ratectl.journal.journal import Journal
from ratectl.journal.statements import add_quarantined
from ratectl.model.quote import SuspectQuote
from tests.fakes import past
from tests.fakes.station import PYTHON, Station, provider
from tests.faults.conftest import OBEYING_MODES, need
from tests.support.postgres import serving
from tests.support.rate_server import RateServer
from tests.support.rate_table import ecb_table
from tests.support.share import times, turn

pytestmark = [pytest.mark.engine, pytest.mark.slow]
KILLS = times(30)
FIRST = dt.datetime(2026, 1, 1, 10, 30, tzinfo=dt.UTC)
HELD = 60
"""Answers that wait for a decision, as many as keep a command busy for a moment."""


@pytest.fixture
def station(tmp_path):
    return Station(folder=tmp_path)


def command(station, *words):
    """Return the command line of ``ratectl`` *words*, and its environment."""
    environment = {**os.environ, "RATECTL_STATE_DIR": str(station.state)}
    return (PYTHON, "-m", "ratectl", *words), environment


def run(station, *words, code=0):
    argv, environment = command(station, *words)
    done = subprocess.run(
        argv, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def killed_at_random(station, *words):
    """Start ``ratectl`` *words* KILLS times and kill each at a random moment of the length of one run."""
    chance = random.Random(turn())  # noqa: S311 - moments of a test
    argv, environment = command(station, *words)
    for _ in range(KILLS):
        process = subprocess.Popen(
            argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.2, 2.5))
        process.send_signal(signal.SIGKILL)
        process.wait()


def intact(station):
    """Assert that the journal is whole and holds each slot of each pair once."""
    with contextlib.closing(sqlite3.connect(station.state / "journal.sqlite3")) as journal:
        assert journal.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return journal.execute(
            "SELECT slot, base, quote, rate FROM quotes ORDER BY slot"
        ).fetchall()


def lines_of(station, name="output.txt"):
    return (station.folder / name).read_text().splitlines()


@pytest.fixture
def ecb():
    """A server with the history of the ECB."""
    with RateServer(ecb_table()) as server:
        yield server


def test_backfill(station, ecb):
    """A backfill that was killed again and again records each day once, in the journal and in the file."""
    job = station.job(
        ecb.url,
        providers=(provider("frankfurter", ecb.url),),
        schedule_texts=("every day at 10:30",),
    )
    station.install(job)
    words = ("backfill", "usd-inr", "--since", "2024-01-01", "--until", "2025-12-31")

    killed_at_random(station, *words)
    run(station, *words)

    rows = intact(station)
    assert len(rows) > 400
    assert len({row[:3] for row in rows}) == len(rows)
    assert len(lines_of(station)) == len(set(lines_of(station))) == len(rows)


def hold(station, job, number=HELD):
    """Hold *number* answers for slots of *job*."""
    with Journal(station.state) as journal:
        database = journal.store(job).database
        with database.transaction() as connection:
            suspects = []
            for day in range(number):
                slot = FIRST + dt.timedelta(days=day)
                quote = past.quote(job.pairs[0], str(90 + day / 1000), slot, provider="ecb")
                suspect = SuspectQuote(
                    provider="ecb", reason="looks odd", body=b"<xml/>", quote=quote
                )
                suspects.append((slot, suspect))
            add_quarantined(connection, job.name, suspects, FIRST)


def test_review_accept(station, ecb):
    """However often accepting is killed, each answer is recorded once, and none is left undecided or lost."""
    job = station.job(ecb.url, schedule_texts=("every day at 10:30",))
    station.install(job, since=FIRST - dt.timedelta(days=1))
    hold(station, job)
    words = ("review", "accept", "--job", "usd-inr", "--since", "2025-12-31")

    killed_at_random(station, *words)
    run(station, *words)
    said = run(station, *words)

    assert "nothing is held" in said
    assert len(intact(station)) == HELD
    assert len(lines_of(station)) == len(set(lines_of(station))) == HELD
    with Journal(station.state) as journal:
        assert list(quarantine.quarantine(journal.store())) == []


def test_journal_copy(station):
    """A copy to PostgreSQL that was killed again and again holds every row, and reads back the same."""
    need("sh")
    job = station.job("http://127.0.0.1:9", schedule_texts=("every day at 10:30",))
    station.install(job, since=FIRST)
    past.decade(station.state, job, FIRST + dt.timedelta(days=3000), days=3000)
    for server in serving():
        name = server.database()
        words = ("journal", "copy", "sqlite", server.url(name))
        killed_at_random(station, *words)
        run(station, *words)

        there = int(server.sql(name, "SELECT count(*) FROM ratectl_journal.quotes")[0])
        assert there == len(intact(station)) > 0


def test_ten_thousand_held_answers(station):
    """Many held answers are listed in moments, and dismissed in one command."""
    job = station.job("http://127.0.0.1:9", schedule_texts=("every day at 10:30",))
    station.install(job, since=FIRST)
    hold(station, job, 10_000)

    begun = time.monotonic()
    listed = run(station, "review")
    assert time.monotonic() - begun < 20
    assert listed.count("looks odd") == 10_000
    run(station, "status", code=0)
    begun = time.monotonic()
    run(station, "review", "reject", "--job", "usd-inr", "--since", "2025-12-31")

    assert time.monotonic() - begun < 60
    assert "nothing is held" in run(station, "review")


FULL = """
mkdir -p disk
mount -t tmpfs -o size=$SIZE,mode=700 none disk
cp -a state disk/state
: > log
RATECTL_STATE_DIR=$PWD/disk/state
export RATECTL_STATE_DIR
code=0; "$@" >> log 2>&1 || code=$?
mount -o remount,size=64m disk
again=0; "$@" >> again.log 2>&1 || again=$?
cp -a disk/state after
echo "exit $code $again"
cat log
"""
SIZES = (160, 256, 512)
"""Kilobytes: less than the command writes, or just enough."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("what", ["backfill", "review"])
def test_full_disk(station, ecb, apart, what, size):
    """Where the disk is full the command says so in a line and exits 73, 74 or 75; with room the same command does the rest."""
    job = station.job(
        ecb.url,
        providers=(provider("frankfurter", ecb.url),),
        schedule_texts=("every day at 10:30",),
    )
    station.install(job, since=FIRST - dt.timedelta(days=1))
    hold(station, job)
    words = {
        "backfill": ("backfill", "usd-inr", "--since", "2020-01-01", "--until", "2025-12-31"),
        "review": ("review", "accept", "--job", "usd-inr", "--since", "2025-12-31"),
    }[what]
    environment = ("env", f"PYTHONPATH={Path(__file__).parents[2]}/src")

    said = apart(f"SIZE={size}k\n{FULL}", *environment, PYTHON, "-m", "ratectl", *words)

    first, *lines = said.splitlines()
    _, code, again = first.split()
    assert int(code) in {0, 65, 73, 74, 75}, said
    assert again == "0", said
    assert not [line for line in lines if "Traceback" in line]
    moved = dataclasses.replace(station, folder=station.folder)
    (station.folder / "state").rename(station.folder / "before")
    (station.folder / "after").rename(station.folder / "state")
    rows = intact(moved)
    assert len({row[:3] for row in rows}) == len(rows)
    assert len(lines_of(moved)) == len(set(lines_of(moved))) == len(rows)


TAKEN = {
    "deleted": "rm state/journal.sqlite3*",
    "replaced": "cp other.sqlite3 state/new && mv state/new state/journal.sqlite3",
    "closed": "chmod 000 state state/journal.sqlite3",
}


@pytest.mark.parametrize("how", TAKEN.values(), ids=TAKEN)
def test_a_journal_that_goes_while_a_backfill_is_at_work(station, ecb, how):
    """Where the journal is taken away at work the command ends with a line and a code, and what the file holds is right."""
    job = station.job(
        ecb.url,
        providers=(provider("frankfurter", ecb.url),),
        schedule_texts=("every day at 10:30",),
    )
    station.install(job)
    shutil.copy(station.state / "journal.sqlite3", station.folder / "other.sqlite3")
    words = ("backfill", "usd-inr", "--since", "2006-01-01", "--until", "2025-12-31")
    argv, environment = command(station, *words)
    process = subprocess.Popen(
        (*OBEYING_MODES, *argv), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    output = station.folder / "output.txt"
    while not output.exists() and process.poll() is None:
        time.sleep(0.01)

    subprocess.run(("sh", "-c", how), cwd=station.folder, check=True)
    _, said = process.communicate(timeout=240)
    station.state.chmod(0o700)

    assert b"Traceback" not in said
    assert process.returncode in {0, 74, 75, 77}, said
    assert process.returncode or "chmod" in how, said
    lines = lines_of(station)
    assert len(lines) == len(set(lines))
    if "chmod" in how:
        (station.state / "journal.sqlite3").chmod(0o600)
        run(station, *words)
        assert len(lines_of(station)) == len(intact(station))
