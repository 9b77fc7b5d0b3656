"""The budgets of age: a firing onto a file of a gigabyte and into a journal of ten million quotes, against empty ones.

Whole firings are compared, each of another job of one installation, so that every one has a slot due.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl import spec
from ratectl.deploy import host_facts
from ratectl.journal.journal import Journal
from scripts.benchmarks.sidebyside import Row, compare

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER = (sys.executable, str(Path(__file__).resolve().parents[2] / "tests/support/rate_server.py"))
GIGABYTE = 1 << 30
QUOTES = 10_000_000
HEAD = """
[defaults]
pairs = ["USD/INR"]
schedule = "{schedule}"
providers = ["exchangerate-api-v4"]
output = "{output}"
[providers.exchangerate-api-v4]
base_url = "{url}/v4"
"""
OLD_QUOTES = """
INSERT INTO quotes (job, slot, base, quote, rate, rate_date, provider, observed_at, kind)
WITH RECURSIVE minutes (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM minutes WHERE n < :count)
SELECT :job || n % :jobs, :newest - 60 * (:count - n), 'USD', 'INR', '95.07',
       date(:newest - 60 * (:count - n), 'unixepoch'), 'exchangerate-api-v4',
       :newest - 60 * (:count - n), 'published' FROM minutes
"""
OLD_FIRINGS = """
INSERT INTO firings (job, slot, state, owner, lease_until, outcome, at)
SELECT job, slot, 'settled', 'here:1', slot + 60, 'recorded', slot FROM quotes WHERE job LIKE :job || '%'
"""


def rows(folder: Path, *, quick: bool) -> list[Row]:
    """Return both rows; everything is made in *folder*."""
    times = 3 if quick else 40
    with subprocess.Popen(SERVER, stdout=subprocess.PIPE, text=True) as rates:
        url = rates.stdout.readline().strip() if rates.stdout else ""
        try:
            return [
                long_file(folder / "file", url, times=times),
                old_journal(folder / "journal", url, times, 100_000 if quick else QUOTES),
            ]
        finally:
            rates.terminate()


def long_file(folder: Path, url: str, *, times: int) -> Row:
    """Appending to a file of 1 GB (with a hole in it), against one that is there and empty."""
    folder.mkdir(parents=True)
    long, empty = folder / "long.txt", folder / "empty.txt"
    empty.touch()
    with long.open("wb") as file:
        file.seek(GIGABYTE - 1)
        file.write(b"\n")
    sides = [firings(folder / path.stem, url, path, times=times) for path in (long, empty)]
    row = compared("append to a 1 GB file", "the same onto an empty file", sides, times)
    verify(long.stat().st_size > GIGABYTE and empty.stat().st_size < 100 * (times + 2))
    return row


def old_journal(folder: Path, url: str, times: int, count: int) -> Row:
    """Recording into a journal of *count* quotes, against a new one."""
    old, new = folder / "old", folder / "new"
    sides = [firings(state, url, folder / f"{state.name}.txt", times=times) for state in (old, new)]
    age(old, count)
    yardstick = f"{count:,} quotes in it, against a new one"
    row = compared("append to a long journal", yardstick, sides, times)
    with Journal(old) as journal:
        held = journal.database.rows("SELECT count(*) AS number FROM quotes")[0]["number"]
    verify(held == count + times + 1)
    return row


def compared(name: str, yardstick: str, sides: list[Iterator[tuple[str, ...]]], times: int) -> Row:
    """Return the row of the firings of both sides, in turns."""
    ours, against = sides
    return compare(name, yardstick, 1.1, lambda: next(ours), lambda: next(against), times=times)


def firings(state: Path, url: str, output: Path, *, times: int) -> Iterator[tuple[str, ...]]:
    """Install as many jobs as there will be firings, each with a slot due, and give their commands."""
    names = [f"job-{number}" for number in range(times + 1)]
    now = dt.datetime.now(dt.UTC)
    text = HEAD.format(output=output, url=url, schedule=just_passed(now)) + "".join(
        f"[jobs.{name}]\n" for name in names
    )
    loaded = spec.loads(text.encode(), path=state / "jobs.toml", host_timezone="UTC")
    with Journal(state) as journal:
        journal.record_jobs(
            loaded.jobs,
            spec="",
            digest="",
            backend="cron",
            scope="user",
            host_timezone="UTC",
            now=now - dt.timedelta(minutes=3),
        )
    return iter([(*host_facts.fetch_argv(), name, "--state", str(state)) for name in names])


def just_passed(now: dt.datetime) -> str:
    """Return a schedule whose last slot was a minute before *now*, so that no firing waits for the next one."""
    return f"every hour at :{now - dt.timedelta(minutes=1):%M}"


def age(state: Path, count: int, *, job: str = "of-old-", jobs: int = 1) -> None:
    """Put *count* quotes of past minutes, and their firings, into the journal at *state*.

    They are shared out among as many *jobs*, named *job* and a number from 0 on.
    """
    newest = int(dt.datetime.now(dt.UTC).timestamp()) // 60 * 60 - 3600
    with closing(sqlite3.connect(state / "journal.sqlite3", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        values = {"count": count, "newest": newest, "job": job, "jobs": jobs}
        connection.execute(OLD_QUOTES, values)
        connection.execute(OLD_FIRINGS, values)
        connection.execute("PRAGMA journal_mode = WAL")


def verify(held: bool) -> None:
    """Raise when the firings that were measured did not do their work."""
    if not held:
        raise RuntimeError("the firings measured did not record what they should have")
