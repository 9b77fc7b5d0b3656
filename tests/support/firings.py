"""What firing tests share: a clock that sleeping moves, jobs that ask the rate server, one firing at a moment."""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ratectl import cli
from ratectl.firing.runner import Runner
from ratectl.journal.journal import Journal
from ratectl.model.job import Job, Output, Pair, Provider
from ratectl.model.providers import PROVIDER_KINDS
from ratectl.runtime.environment import Environment
from tests.fakes.station import Station

PATHS = {
    "exchangerate-api-v4": "/v4",
    "exchangerate-api-open": "/v6",
    "frankfurter": "/v1",
    "ecb": "/stats/eurofxref",
    "currency-api-cdn": "/npm",
    "fred": "",
    "openexchangerates": "/api",
    "exchangerate-api-v6": "/v6",
}
SAMPLES = Path(__file__).parents[1] / "fetch" / "samples"


FRIDAY = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)
"""The moment at which fixed-clock tests live: a publication day that all sample bodies agree on."""


class Clock:
    """A clock that stands still until someone sleeps on it."""

    def __init__(self, now=FRIDAY):
        self.now = now

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += dt.timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sample():
    """Read a recorded answer."""
    return lambda name: (SAMPLES / name).read_bytes()


@pytest.fixture
def job(rates, tmp_path):
    """Make a job that asks the rate server; *kinds* are its providers in order."""
    key = tmp_path / "rates.key"
    key.write_text("demo-key\n")

    def provider(kind):
        wanted = PROVIDER_KINDS[kind].needs_key
        return Provider(
            name=kind,
            kind=kind,
            base_url=rates.url + PATHS[kind],
            api_key=f"file:{key}" if wanted else "",
        )

    def make(*kinds, **values):
        defaults = {
            "name": "usd-inr",
            "pairs": (Pair(base="USD", quote="INR"),),
            "schedule_texts": ("every day at 09:00",),
            "timezone": "UTC",
            "providers": tuple(map(provider, kinds or ("exchangerate-api-v4",))),
            "outputs": (Output(kind="text", target=str(tmp_path / "output.txt")),),
            "timeout": 5,
        }
        return Job(**defaults | values)

    return make


@pytest.fixture
def installed(state, clock):
    """Record a job as installed at *since* (by default a day before the clock's now)."""

    def install(job, since=None):
        with Journal(state) as journal:
            journal.record_job(
                job,
                spec="/etc/jobs.toml",
                digest="0",
                backend="cron",
                scope="user",
                host_timezone="UTC",
                now=since or clock() - dt.timedelta(days=1),
            )
        return job

    return install


def surroundings(clock, host="here"):
    """Return what a firing sees of *host*, whose time is that of *clock*."""
    return Environment(
        clock=clock, sleep=clock.sleep, host=host, uptime=lambda: clock().timestamp()
    )


@pytest.fixture
def fire(state, clock):
    """Run one firing of a job as the runner's verb *how*; gives its report."""

    def run(job, how="run_minute", *arguments, host="here"):
        with Journal(state) as journal:
            env = surroundings(clock, host)
            return getattr(Runner(journal, journal.installed_job(job.name), env), how)(*arguments)

    return run


@pytest.fixture
def runner(state, clock):
    """Do *work* with a runner of the job usd-inr at the clock's time; gives what it returns."""

    def use(work):
        with Journal(state) as journal:
            env = surroundings(clock)
            return work(Runner(journal, journal.installed_job("usd-inr"), env))

    return use


@pytest.fixture
def type_in(monkeypatch, state, clock, capsys):
    """Type the commands that stand in backticks in a text, at the clock's time; return how each ended, with what it said."""
    env = surroundings(clock)
    monkeypatch.setenv("RATECTL_STATE_DIR", str(state))
    for name in ("backfill", "import_", "record", "review", "run"):
        module = importlib.import_module(f"ratectl.commands.correct.{name}")
        monkeypatch.setattr(module, "surroundings", lambda *_: env)

    def run(text):
        done = []
        for command in re.findall(r"`ratectl ([^`]*)`", text):
            with pytest.raises(SystemExit) as ended:
                cli.main(command.split())
            said = capsys.readouterr()
            done.append((command, ended.value.code or 0, said.out + said.err))
        return done

    return run


@pytest.fixture
def lines(tmp_path):
    """Read the lines of the text output; none where there is no file."""

    def read(name="output.txt"):
        path = tmp_path / name
        return path.read_text().splitlines() if path.exists() else []

    return read


@pytest.fixture
def changed():
    """Return a value with some fields changed."""
    return dataclasses.replace


@pytest.fixture
def station(tmp_path):
    """An installation of its own."""
    return Station(folder=tmp_path)


@pytest.fixture
def typed(station):
    """Run one command of ratectl on that installation as a process of its own, and return how it ended."""

    def run(*words, code=None, given=None):
        done = subprocess.run(
            (sys.executable, "-m", "ratectl", *map(str, words)),
            env=os.environ | {"RATECTL_STATE_DIR": str(station.state)},
            input=given or b"",
            capture_output=True,
            timeout=120,
            check=False,
        )
        said = [stream.decode().replace("\r\n", "\n") for stream in (done.stdout, done.stderr)]
        ended = subprocess.CompletedProcess(done.args, done.returncode, *said)
        assert code in {None, done.returncode}, said
        return ended

    return run
