"""A job installed in a state directory of its own, and the real ratectl-fetch that fires it.

Nothing is faked but the place: the journal, the outputs and the process are those of a real installation.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import ratectl.firing.__main__ as program
from ratectl.journal.journal import Journal
from ratectl.model.job import Job, Output, Pair, Provider

PYTHON = sys.executable
SCRIPT = str(Path(program.__file__))
PATHS = {
    "exchangerate-api-v4": "/v4",
    "exchangerate-api-open": "/v6",
    "frankfurter": "/v1",
    "ecb": "/stats/eurofxref",
    "currency-api-cdn": "/npm",
}
LATE = dt.timedelta(minutes=3)
"""How long ago the slot of a fresh installation was due."""


def provider(kind: str, url: str, **values) -> Provider:
    """Return the provider of *kind* at the rate server *url*."""
    return Provider(name=kind, kind=kind, base_url=url + PATHS[kind], **values)


def now() -> dt.datetime:
    """Return the time in whole seconds."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def in_time(fire):
    """Return what *fire* gives, which kills its process when that is late; a busy machine is not so thrice in a row."""
    for _ in range(2):
        with contextlib.suppress(subprocess.TimeoutExpired):
            return fire()
    return fire()


def install(state: Path, *jobs: Job, since: dt.datetime, spec: str = "/etc/jobs.toml") -> None:
    """Record *jobs* in the journal of *state* as a host in UTC that has installed them in cron *since* then."""
    with Journal(state) as journal:
        journal.record_jobs(
            jobs,
            spec=spec,
            digest="0",
            backend="cron",
            scope="user",
            host_timezone="UTC",
            now=since,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One installation in *folder*."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def job(self, url: str, kind: str = "exchangerate-api-v4", **changes) -> Job:
        """Return an hourly job whose last slot passed LATE ago, the only one near by."""
        due = now() - LATE
        plain = Job(
            name="usd-inr",
            pairs=(Pair(base="USD", quote="INR"),),
            schedule_texts=(f"every hour at :{due.minute:02}",),
            timezone="UTC",
            providers=(provider(kind, url),),
            outputs=(self.output("output.txt"),),
            timeout=20,
        )
        return dataclasses.replace(plain, **changes)

    def output(self, name: str, kind: str = "text") -> Output:
        return Output(kind=kind, target=str(self.folder / name))

    def install(self, *jobs: Job, since: dt.datetime | None = None) -> None:
        """Record *jobs* as installed shortly before the slot that is due."""
        install(self.state, *jobs, since=since or now() - LATE - dt.timedelta(minutes=2))

    def argv(self, job: str = "usd-inr") -> tuple[str, ...]:
        """Return the command line that an engine starts."""
        return (PYTHON, "-I", "-S", SCRIPT, job, "--state", str(self.state))

    def fetch(self, *arguments: str, within: float = 60, before: tuple[str, ...] = (), **options):
        """Fire once through the command *before*, and return the finished process; it must end *within* seconds."""
        return subprocess.run(
            (*before, *self.argv(), *arguments),
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
            **options,
        )

    def rest(self) -> None:
        """Let the time be over in which what failed is not tried again."""
        with Journal(self.state) as journal, journal.database.transaction() as connection:
            connection.execute("UPDATE jobs SET retry_at = 0")

    def recorded(self, job: str = "usd-inr") -> list[tuple[dt.datetime, str]]:
        """Return slot and rate of every quote in the store."""
        with Journal(self.state) as journal:
            return [
                (entry.slot, str(entry.quote.rate))
                for entry in journal.store_of_job(job).quotes(job)
            ]

    def lines(self, name: str = "output.txt") -> list[str]:
        """Return the lines of an output, none where there is no file."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def undelivered(self, job: str = "usd-inr") -> int:
        """Return how many lines wait in the store of *job*, and appends that were begun and not confirmed."""
        with Journal(self.state) as journal:
            database = journal.store_of_job(job).database
            waiting = database.rows("SELECT 1 AS one FROM lines")
            begun = database.rows("SELECT 1 AS one FROM sinks WHERE start IS NOT NULL")
            return len(waiting) + len(begun)

    def settled(self, job: str = "usd-inr") -> bool:
        """Tell whether the newest slot is settled."""
        with Journal(self.state) as journal:
            last = journal.store_of_job(job).last_firing(job)
            return last is not None and last.settled
