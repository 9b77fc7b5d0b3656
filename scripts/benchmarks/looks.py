"""The budgets of a look: status and history of a journal of ten million quotes, against one that is nearly empty."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

from ratectl import spec
from ratectl.deploy import execute, inventory
from ratectl.journal.journal import Journal
from scripts.benchmarks import size
from scripts.benchmarks.sidebyside import Row, compare

RATECTL = str(Path(sys.executable).with_name("ratectl"))
MANY, FEW = 100, 10
HEAD = """
[defaults]
pairs = ["USD/INR"]
schedule = "every 15 minutes"
output = "rates.txt"
"""


def rows(folder: Path, *, quick: bool) -> list[Row]:
    """Return the three rows; everything is made in *folder*."""
    times = 3 if quick else 15
    many, few, same = folder / "many", folder / "few", folder / "same"
    for state, jobs in ((many, MANY), (few, FEW), (same, MANY)):
        install(state, jobs)
    size.age(many, 100_000 if quick else size.QUOTES, job="job-", jobs=MANY)
    size.age(same, MANY * 60, job="job-", jobs=MANY)
    yesterday = f"--since={dt.datetime.now(dt.UTC) - dt.timedelta(days=1):%Y-%m-%d}"
    return [
        compare(
            "status, 100 jobs, long journal",
            "status of 10 jobs and an empty journal",
            2.0,
            look(many, "status"),
            look(few, "status"),
            times=times,
        ),
        compare(
            "status, long journal",
            "the same of a short journal",
            1.1,
            look(many, "status"),
            look(same, "status"),
            times=times,
        ),
        compare(
            "history --since, long journal",
            "the same of a short journal",
            1.1,
            look(many, "history", "job-7", yesterday),
            look(same, "history", "job-7", yesterday),
            times=times,
        ),
    ]


def look(state: Path, *words: str) -> tuple[str, ...]:
    """Return the command that looks at the journal in *state*."""
    return ("env", f"RATECTL_STATE_DIR={state}", RATECTL, *words)


def install(state: Path, count: int) -> None:
    """Record *count* jobs in a journal, as ``ratectl serve`` would, without any scheduler."""
    state.mkdir(parents=True)
    path = state / "jobs.toml"
    path.write_text(HEAD + "".join(f"[jobs.job-{number}]\n" for number in range(count)))
    with Journal(state) as journal:
        journal.record_jobs(
            spec.load(path, host_timezone="UTC").jobs,
            spec=str(path),
            digest=inventory.digest_of(execute.SystemReader(), str(path)),
            backend="serve",
            scope="user",
            host_timezone="UTC",
            now=dt.datetime.now(dt.UTC) - dt.timedelta(days=1),
        )
