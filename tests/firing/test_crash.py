"""kill -9 of real ratectl-fetch processes at random moments: every line whole, no slot lost or doubled."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ratectl.firing.__main__ as program
from ratectl.journal import sqlite_database
from ratectl.journal.journal import Journal
from ratectl.model.job import CatchUp, Output
from tests.support.lines import TEXT_LINE
from tests.support.rate_server import Fault
from tests.support.share import times

pytestmark = pytest.mark.network
KILLS = times(50)
SLOTS = 400 * KILLS
"""More than the kills leave time for."""
WHOLE = {
    "text": re.compile(TEXT_LINE.pattern.encode() + rb"\n"),
    "csv-quotes": re.compile(rb"[^,\n]+(,[^,\n]*){8}\n"),
    "jsonl": re.compile(rb'\{"job":[^\n]+\}\n'),
}
"""A line that is not torn."""
PYTHON = (sys.executable, "-I", "-S", str(Path(program.__file__)))


@pytest.mark.slow
def test_kill_at_random_moments(job, installed, live_rates, state, tmp_path):
    """After many kills and one clean run, each due slot has exactly one whole line in each output."""
    live_rates.misbehave(Fault(delay=0.01), times=100_000)
    outputs = tuple(
        Output(kind=kind, target=str(tmp_path / f"o.{kind}"))
        for kind in ("text", "csv-quotes", "jsonl", "sqlite")
    )
    now = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
    usd = job(
        schedule_texts=("* * * * *",),
        timeout=120,  # thousands of slots in one firing, on a machine that may be busy
        catch_up=CatchUp.ALL,
        outputs=outputs,
        providers=tuple(
            replaced(provider, live_rates.url)
            for provider in job("exchangerate-api-v4", "frankfurter").providers
        ),
    )
    installed(usd, since=now - dt.timedelta(minutes=SLOTS))
    argv = (*PYTHON, "usd-inr", "--state", str(state))
    chance = random.Random(20261120)  # noqa: S311 - moments, not secrets

    for number in range(KILLS):
        early = number % 5 == 0  # some die while starting, most while recording
        lines = 0 if early else chance.randrange(1, 40)
        kill(
            argv,
            Path(outputs[0].target),
            lines=lines,
            pause=chance.uniform(0, 0.1 if early else 0.01),
        )
    with Journal(state) as journal:
        assert 0 < len(list(journal.store().quotes("usd-inr"))) < SLOTS
    subprocess.run(argv, check=True, timeout=120)

    with Journal(state) as journal:
        slots = [entry.slot for entry in journal.store().quotes("usd-inr")]
    assert len(slots) == len(set(slots)) >= SLOTS
    assert slots == [slots[0] + dt.timedelta(minutes=n) for n in range(len(slots))]
    with contextlib.closing(sqlite3.connect(outputs[3].target)) as table:
        kept = table.execute("SELECT slot FROM quotes ORDER BY slot").fetchall()
    assert [slot.isoformat() for slot in slots] == [slot for (slot,) in kept]
    for output in outputs[:3]:
        lines = Path(output.target).read_bytes().splitlines(keepends=True)
        header = 1 if output.kind == "csv-quotes" else 0
        assert len(lines) == len(slots) + header, output.kind
        assert all(map(WHOLE[output.kind].fullmatch, lines[header:])), output.kind


def replaced(provider, url):
    base = url + ("/v1" if provider.kind == "frankfurter" else "/v4")
    return type(provider)(name=provider.name, kind=provider.kind, base_url=base)


def kill(argv, output, *, lines, pause):
    """Start *argv* and kill it *pause* seconds after it appended about *lines* lines to *output*."""
    enough = (output.stat().st_size if output.exists() else 0) + lines * len("20/11/2026 - 95.00\n")
    with subprocess.Popen(argv) as process:
        while lines and (not output.exists() or output.stat().st_size < enough):
            assert process.poll() is None, "it must not run out of work"
        time.sleep(pause)
        process.kill()


STEPS = ("claim", "create", "commit", "append", "confirm", "advance")


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.posix("it forks")
def test_kill_between_steps(step, job, installed, fire, lines, state):
    """A process that ends right before any step leaves nothing that the next firing does not mend."""
    usd = installed(job())
    child = os.fork()
    if child == 0:
        die_before(step)
        fire(usd)
        os._exit(1)  # the step was never reached
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"{step} was never reached"

    report = fire(usd)

    assert report.error is None
    assert lines() == ["20/11/2026 - 95"]
    with Journal(state) as journal:
        assert len(list(journal.store().quotes("usd-inr"))) == 1
        assert journal.store().last_firing("usd-inr").settled
        assert not journal.database.rows("SELECT 1 FROM lines")


def die_before(step):
    """Arrange in this (forked) process that reaching *step* is death by SIGKILL."""
    hooks = {
        "claim": ("sqlite3", "INSERT INTO firings"),
        "commit": ("sqlite3", "INSERT INTO lines"),
        "create": ("open", "output.txt"),
        "append": ("open", "output.txt"),
        "confirm": ("sqlite3", "DELETE FROM lines"),
        "advance": ("sqlite3", "settled_until = max"),
    }
    kind, needle = hooks[step]

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    if kind == "open":
        seen = []
        opening = {"create": 2, "append": 3}[step]  # the first one finds no file

        def audit(event, arguments):
            if event == "open" and str(arguments[0]).endswith(needle):
                seen.append(event)
                if len(seen) == opening:
                    die()

        sys.addaudithook(audit)
        return
    original = sqlite_database._connect

    def connect(path):
        connection = original(path)
        connection.set_trace_callback(lambda sql: die() if needle in sql else None)
        return connection

    sqlite_database._connect = connect
