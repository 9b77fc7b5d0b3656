"""Root's jobs that run as an account without rights: both do their part, and neither can make the other do more."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import pytest

from ratectl.commands._shared import as_account
from ratectl.errors import RatectlError, RefusedError, StorageError
from ratectl.firing import catch_up
from ratectl.firing.runner import Runner
from ratectl.journal import account_database, quarantine
from ratectl.journal.journal import Journal
from ratectl.model.job import Output
from ratectl.runtime import accounts
from ratectl.runtime.environment import Environment
from tests.fakes.station import LATE, Station, now
from tests.faults.conftest import need

pytestmark = pytest.mark.engine

CLERK = "games"
"""An account that every Linux has, for the jobs of the test to run as."""
LIBRARIES = ("requests", "urllib3", "certifi", "idna", "charset_normalizer")


@pytest.fixture
def house(monkeypatch):
    """Root's state directory, and beside it the one of the clerk, as an install makes them."""
    need("sh")
    folder = Path(tempfile.mkdtemp(prefix="ratectl-house-", dir="/tmp"))
    folder.chmod(0o711)
    monkeypatch.setattr(accounts, "state_parent", lambda *_: str(folder / "states"))
    (folder / "own").mkdir(mode=0o700)
    for name in ("states", "out"):
        (folder / name).mkdir()
        (folder / name).chmod(0o755)
    state = folder / "states" / CLERK
    state.mkdir(mode=0o700)
    shutil.chown(state, CLERK, CLERK)
    shutil.chown(folder / "out", CLERK, CLERK)
    clerk = accounts.known(CLERK)
    if not accounts.may(clerk, accounts.PACKAGE / "firing" / "__main__.py", accounts.READ):
        package = folder / "program" / "ratectl"
        shutil.copytree(accounts.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
        monkeypatch.setattr(accounts, "PACKAGE", package)
    if not accounts.may(clerk, Path(sys.executable), accounts.READ):
        monkeypatch.setattr("sys.executable", str(_reachable_python(folder)))
    yield House(folder)
    shutil.rmtree(folder)


def _reachable_python(folder):
    """Return what starts the system's own Python with the libraries of a firing, where ours lie in somebody's home."""
    python, libraries = folder / "python3", folder / "libraries"
    for name in LIBRARIES:
        shutil.copytree(Path(sysconfig.get_path("purelib")) / name, libraries / name)
    python.write_text(
        f'#!/bin/sh\n[ "$1" = -I ] && shift\nPYTHONPATH={libraries} exec /usr/bin/python3 "$@"\n'
    )
    python.chmod(0o755)
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    theirs = subprocess.run((python, "-V"), capture_output=True, text=True, check=False).stdout
    if f" {ours}." not in theirs:
        need(f"a Python {ours} that other accounts reach")
    return python


class House:
    """What root and the clerk have."""

    def __init__(self, folder):
        self.folder = folder
        self.station = Station(folder=folder / "own")
        self.state = folder / "states" / CLERK
        self.output = folder / "out" / "rates.txt"

    def install(self, url, **changes):
        job = self.station.job(
            url, user=CLERK, outputs=(Output(kind="text", target=str(self.output)),), **changes
        )
        self.station.install(job)
        return job

    @contextlib.contextmanager
    def journal(self):
        with Journal(self.station.state) as journal:
            yield journal

    def fire(self, *words):
        """Fire as the scheduler does: as the clerk, with its state directory."""
        process = accounts.fetching(
            accounts.known(CLERK), "usd-inr", "--state", str(self.state), *words
        )
        _, said = process.communicate(timeout=60)
        return process.returncode, said.decode()

    def as_clerk(self, script):
        done = subprocess.run(
            ("sh", "-euc", script),
            user=CLERK,
            group=CLERK,
            extra_groups=(),
            cwd=self.state,
            env={"PATH": "/usr/bin:/bin", "HOUSE": str(self.folder)},
            check=False,
        )
        assert done.returncode == 0


def last(journal):
    """Return the newest firings as `status` reads them, and what it would complain of."""
    complaints = []
    return journal.last_firings(journal.readable(), complaints.append), complaints


def test_the_clerk_records_and_root_looks(house, live_rates):
    """The clerk's firing writes a file and a journal of the clerk's, and root reads what was recorded."""
    house.install(live_rates.url)

    code, said = house.fire()

    assert (code, said) == (0, "")
    assert house.output.owner() == CLERK
    assert {path.owner() for path in house.state.rglob("*")} == {CLERK}
    with house.journal() as journal:
        firings, complaints = last(journal)
        [quote] = journal.store_of_job("usd-inr").quotes("usd-inr")
        [row] = journal.counting_together(journal.readable(), firings)
    assert complaints == []
    assert firings["usd-inr"].outcome == "recorded"
    assert str(quote.quote.pair) == "USD/INR"
    assert row.settled_until > now() - LATE - LATE


def test_root_fires_nothing_of_the_clerk(house, live_rates):
    """Neither a run nor a sweep of root's settles a slot of the clerk's."""
    house.install(live_rates.url)
    env = Environment(clock=now, sleep=time.sleep, host="here")

    swept = list(catch_up.run_sweep(str(house.station.state), None, env))
    quick = subprocess.run(
        (*house.station.argv()[:4], "--sweep", "--state", str(house.station.state)),
        capture_output=True,
        check=False,
    )

    assert swept == []
    assert (quick.returncode, quick.stderr) == (0, b"")
    with house.journal() as journal, pytest.raises(RefusedError, match="is recorded as games"):
        Runner(journal, journal.installed_job("usd-inr"), env)
    assert not house.output.exists()


def test_pause_resume_and_remove_reach_the_clerk(house, live_rates):
    """What root decides about a job stands in the clerk's journal, too."""
    house.install(live_rates.url)

    def flags():
        with contextlib.closing(sqlite3.connect(house.state / "journal.sqlite3")) as connection:
            return connection.execute("SELECT paused, removed FROM jobs").fetchall()

    seen = []
    with house.journal() as journal:
        journal.pause_jobs(["usd-inr"])
        seen += flags()
        journal.resume_jobs(["usd-inr"], now())
        seen += flags()
        journal.forget_jobs(["usd-inr"])
        seen += flags()
        journal.purge_jobs(["usd-inr"])
        seen += flags()

    assert seen == [(1, 0), (0, 0), (0, 1)]


def test_an_install_that_is_taken_back(house, live_rates):
    """Where an install fails, the clerk has what it had before."""
    job = house.install(live_rates.url)
    with house.journal() as journal:
        before = journal.backup(["usd-inr", "new"])
        new = house.station.job(live_rates.url, name="new", user=CLERK)
        facts = {"digest": "1", "backend": "cron", "scope": "system", "host_timezone": "UTC"}
        journal.record_jobs([job, new], spec="/etc/other.toml", now=now(), **facts)
        journal.restore(before)

        assert journal.lacking([job]) == frozenset()
        assert journal.lacking([new]) == {"new"}
        assert [row.spec for row in journal.readable()] == ["/etc/jobs.toml"]


ATTACKS = {
    "a link to root's file": "rm journal.sqlite3*; ln -s $HOUSE/secret journal.sqlite3",
    "a pipe": "rm journal.sqlite3*; mkfifo journal.sqlite3",
    "no database": "rm journal.sqlite3*; head -c 9999 /dev/urandom > journal.sqlite3",
    "gone": "rm journal.sqlite3*",
    "a folder that all may write to": "chmod 777 .",
    "closed": "chmod 000 journal.sqlite3",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_whatever_the_clerk_does_to_its_journal(house, live_rates, attack, monkeypatch):
    """Root touches no other file, does not hang, and says in one line what it could not read; a removal goes through."""
    monkeypatch.setattr(account_database, "ANSWER_SECONDS", 5)
    secret = house.folder / "secret"
    secret.write_text("root only\n")
    secret.chmod(0o600)
    house.install(live_rates.url)
    house.as_clerk(attack)

    begun = time.monotonic()
    with house.journal() as journal:
        firings, complaints = last(journal)
        journal.counting_together(journal.readable(), firings)
        with contextlib.suppress(RatectlError):
            journal.forget_jobs(["usd-inr"])
        known = journal.readable()

    assert (firings, known) == ({}, ())
    assert time.monotonic() - begun < 40
    assert all("\n" not in str(complaint) for complaint in complaints)
    assert secret.read_text() == "root only\n"
    assert secret.stat().st_mode & 0o777 == 0o600


FORGED = {
    "a rate": "UPDATE quotes SET rate = '1e999999'",
    "a day": "UPDATE quotes SET rate_date = 'tomorrow'",
    "a moment": "UPDATE quotes SET slot = 9000000000000000000",
    "legs": """UPDATE quotes SET legs = '{"a": 1}'""",
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_rows_that_we_never_write(house, live_rates, forged):
    """What the clerk wrote into its journal by hand is no traceback of root's."""
    house.install(live_rates.url)
    assert house.fire()[0] == 0
    with contextlib.closing(sqlite3.connect(house.state / "journal.sqlite3")) as connection:
        connection.execute(forged)
        connection.commit()

    with house.journal() as journal, pytest.raises(StorageError, match="never writes"):
        list(journal.store_of_job("usd-inr").quotes("usd-inr"))


NOISE = {
    "without end": "yes '[[[[' | tr -d '\\n'",
    "nested without end": "head -c 3000000 /dev/zero | tr '\\0' '['; echo",
    "many lines": "yes '{}'",
    "no words": "sleep 1000",
    "on the other stream": "yes >&2",
    "left behind": "(yes & yes >&2 &); exit 1",
    "no answer": "echo 7",
}


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
def test_a_process_that_the_clerk_took_over(house, live_rates, noise, monkeypatch):
    """Whatever it says, for however long, root ends in time with a line."""
    monkeypatch.setattr(account_database, "ANSWER_SECONDS", 3)
    house.install(live_rates.url)
    script = house.folder / "noise.sh"
    script.write_text(f"#!/bin/sh\n{noise}\n")
    script.chmod(0o755)
    monkeypatch.setattr(
        accounts, "fetching", lambda account, *_: accounts._start(account, ("/bin/sh", str(script)))
    )

    begun = time.monotonic()
    with house.journal() as journal:
        firings, complaints = last(journal)

    assert time.monotonic() - begun < 20
    assert firings == {}
    assert len(complaints) == 1
    assert len(str(complaints[0])) < 5000


def test_held_answers_that_we_never_write(house, live_rates):
    """What the clerk made of a held answer is a line, and no traceback, where root lists them."""
    house.install(live_rates.url)
    assert house.fire()[0] == 0
    with contextlib.closing(sqlite3.connect(house.state / "journal.sqlite3")) as connection:
        connection.execute(
            "INSERT INTO quarantine (job, slot, provider, base, quote, rate, rate_date, reason, at, facts)"
            " VALUES ('usd-inr', 1, 'x', 'USD', 'INR', '1', '2026-01-01', 'y', 1, '[7]')"
        )
        connection.commit()

    with house.journal() as journal, pytest.raises(StorageError, match="never writes"):
        [list(quarantine.quarantine(store)) for store in journal.stores()]


def test_root_goes_by_its_own_snapshot(house, live_rates):
    """A snapshot that the clerk edits changes what the clerk does, and nothing that root reads or installs."""
    job = house.install(live_rates.url)
    with contextlib.closing(sqlite3.connect(house.state / "journal.sqlite3")) as connection:
        connection.execute("UPDATE jobs SET snapshot = replace(snapshot, 'games', 'root')")
        connection.commit()

    with house.journal() as journal:
        assert [row.job for row in journal.readable()] == [job]
        assert journal.lacking([job]) == {"usd-inr"}


def test_a_process_of_the_clerk_has_nothing_of_roots(house, monkeypatch):
    """It has the clerk's rights and groups, no terminal, and none of root's variables."""
    monkeypatch.setenv("PGPASSWORD", "root's")
    script = house.folder / "out" / "probe.sh"
    script.write_text("id -u; id -G; tty; env; touch $0.mine; touch /root/x 2>&1")
    process = accounts._start(accounts.known(CLERK), ("/bin/sh", str(script)))
    said, _ = process.communicate()

    text = said.decode()
    assert text.startswith(f"{accounts.known(CLERK).uid}\n")
    assert "not a tty" in text
    assert "PGPASSWORD" not in text
    assert "Permission denied" in text


@pytest.mark.parametrize("reader", ["cat", "head -n 1", "exit 0"])
@pytest.mark.usefixtures("house")
def test_what_is_typed_into_a_command_of_the_clerks(monkeypatch, capsys, reader):
    """What comes on root's standard input comes on the clerk's, whole, and whether or not it is read."""
    lines = "".join(f"{number}/11/2025 - 95.1\n" for number in range(100_000))
    start = accounts._start
    monkeypatch.setattr(
        accounts, "commanding", lambda account, words: start(account, ("/bin/sh", "-c", *words))
    )

    assert as_account.command(CLERK, (reader,), lines.encode()) == 0

    wanted = {"cat": lines, "head -n 1": "0/11/2025 - 95.1\n", "exit 0": ""}
    assert capsys.readouterr().out == wanted[reader]


def test_a_program_out_of_reach(house, monkeypatch):
    """Where the clerk cannot start our program, that is said with the way out."""
    closed = house.folder / "own" / "python"
    shutil.copy(os.path.realpath(shutil.which("python3")), closed)
    monkeypatch.setattr("sys.executable", str(closed))

    with house.journal() as journal, pytest.raises(RatectlError, match="pipx install --global"):
        journal.lacking([house.station.job("http://127.0.0.1:1", user=CLERK)])
