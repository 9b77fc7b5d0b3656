"""One firing in a container that nothing outlives: the job comes as an argument, what is settled from the shared store.

A Kubernetes CronJob starts it, at least once for each of its wakeups. The minute that one was for stands in the
name of its Job (``NAME-MINUTES``), so a late or repeated start settles the slots of that minute and no others.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import secrets
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ratectl.errors import ConfigError, RatectlError, TryLaterError
from ratectl.firing import snapshot
from ratectl.firing.report import FiringReport
from ratectl.firing.runner import MINUTE, Runner
from ratectl.journal.journal import Journal
from ratectl.journal.postgres_database import PostgresDatabase
from ratectl.journal.rows import aware
from ratectl.journal.sqlite_database import SqliteDatabase
from ratectl.model.job import CatchUp
from ratectl.model.quote import plain
from ratectl.runtime.deadline import within
from ratectl.schedule.occurrences.zones import SECOND

if TYPE_CHECKING:
    from types import FrameType

    from ratectl.firing.report import Settled
    from ratectl.journal.rate_store import Database, RateStore
    from ratectl.journal.rows import Firing
    from ratectl.model.job import Job
    from ratectl.runtime.environment import Environment

NAME = "RATECTL_JOB_NAME"
"""Where the pod's label ``batch.kubernetes.io/job-name`` is handed on."""
SINCE = "RATECTL_SINCE"
"""Where the pod's annotation ``ratectl/since`` is handed on: slots up to then passed in a pause."""
DIGITS = 8
"""Of the minutes since 1970, from 1989 to 2160."""
FARTHEST = dt.timedelta(days=400)
"""A number further away is part of a name that a person gave, such as a date."""
SKEW = dt.timedelta(minutes=5)
"""How far the clock of a node may be behind the scheduler's; the slot is waited for."""
LOOKBACK = 1000
"""Firings of the store that are looked at for what is still owed."""
LEAVING = 10
"""Seconds for giving a claim back: SIGKILL follows SIGTERM after 30."""
SHARED_QUEUE = "pods"
"""What waits for an output is any pod's to deliver, since none comes back."""


class PodDatabase(SqliteDatabase):
    """The file under a pod's journal, in a folder just made; the emptyDir around it is open to all who are in the pod."""

    def require_private_folder(self, *, make: bool) -> None:
        """See to nothing: there are no other accounts in a pod."""


class PodJournal(Journal):
    """The journal of one start, in a folder that goes with it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.database = PodDatabase(folder)
        self._start = f"{socket.gethostname()}/{secrets.token_hex(4)}"

    def owner(self) -> str:
        """Return who claims slots here: this start and no other one, though they may have the host's name in common."""
        return self._start

    def _store(self, url: str) -> Database:
        return PostgresDatabase(url, lambda: SHARED_QUEUE)


class Work(NamedTuple):
    """What a firing may have claimed: slots from *start* to *end*."""

    store: RateStore
    start: dt.datetime
    end: dt.datetime


class Pod:
    """One firing of the job *name*, which says one line of JSON on stdout and nothing else."""

    def __init__(self, name: str, env: Environment) -> None:
        self.name = name
        self.env = env
        self.begun = time.monotonic()
        self.job: Job | None = None
        self.slot: dt.datetime | None = None
        """The slot of the wakeup's minute, if it has one."""
        self.work: Work | None = None

    def fire(self, text: str, state: Path) -> int:
        """Fire the job in the snapshot *text* with a folder in *state* to work in; return the exit code.

        SIGTERM ends the process with that of TryLaterError, and makes the slot due again.
        """
        signal.signal(signal.SIGTERM, self.leave)
        try:
            report = self._report(text, state)
        except RatectlError as error:
            report = FiringReport(job=self.name, error=error)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._say(report)
        return 0 if report.error is None else report.error.exit_code

    def _report(self, text: str, state: Path) -> FiringReport:
        job = self.job = self._job(text)
        now = self.env.clock()
        minute = _minute(os.environ.get(NAME, ""), now)
        with _folder(state) as folder, PodJournal(Path(folder)) as journal:
            store = journal.store(job)
            known = store.firings_before(job.name, minute + MINUTE, LOOKBACK)
            earlier = [firing for firing in known if firing.slot < minute]
            since = _settled_until(job, earlier) or minute - SECOND
            resumed = _resumed(os.environ.get(SINCE, ""))
            since = max(since, resumed) if resumed else since
            journal.record_job(
                job, spec="", digest="", backend="", scope="", host_timezone="", now=since
            )
            for _ in range(_failed_in_a_row(known)):
                journal.count_failure(job.name, now)
            # what differs between starts, such as the host's name, must not move the jitter
            env = self.env._replace(host=job.journal)
            runner = Runner(journal, journal.installed_job(job.name), env)
            first = runner.timetable.next(max(minute - SECOND, resumed or minute - SECOND))
            self.slot = first if first is not None and first < minute + MINUTE else None
            self.work = Work(store, since, minute + MINUTE)
            return runner.run_wakeup(minute)

    def _job(self, text: str) -> Job:
        job = snapshot.job_in(text)
        if job.name != self.name:
            raise ConfigError(f"--snapshot is of the job {job.name!r}, not of {self.name!r}")
        if not job.journal.startswith(("postgresql://", "postgres://")):
            raise ConfigError(
                "a pod leaves nothing behind, so its job needs a shared journal: put "
                'journal = "postgresql://..." under [ratectl] in the spec and install it again'
            )
        files = [str(output) for output in job.outputs if output.kind != "postgresql"]
        if files:
            raise ConfigError(
                f"a pod writes to no file: {', '.join(files)}; name a postgresql:// output in the spec, "
                "or read the journal with `ratectl history`"
            )
        return job

    def leave(self, number: int, frame: FrameType | None) -> None:
        """Give back what is claimed and end the process, in the midst of whatever it does.

        Nothing is unwound: dying at any instruction is safe, and here only the claim must not outlive us.
        """
        del frame
        signal.signal(number, signal.SIG_IGN)
        why = f"stopped by {signal.Signals(number).name}"
        work = self.work
        if work is not None:
            store, now = work.store, self.env.clock()

            def give_back() -> None:
                store.database.close()  # in the midst of a transaction it would hold the row
                store.give_back(self.name, work.start, work.end, why=why, now=now)

            with suppress(RatectlError, TimeoutError):  # then the lease ends it
                within(LEAVING, give_back)
        self._say(FiringReport(job=self.name, error=TryLaterError(f"{why}; the slot stays due")))
        os._exit(TryLaterError.exit_code)

    # What is said

    def _say(self, report: FiringReport) -> None:
        line = {
            "job": self.name,
            "slot": self._shown(_main_slot(report).slot if report.settled else self.slot),
            "outcome": self._outcome(report),
            "rates": [rate for settled in report.settled for rate in self._rates(settled)],
            "seconds": round(time.monotonic() - self.begun, 3),
            "error": None if report.error is None else " ".join(str(report.error).split()),
        }
        with suppress(OSError):
            sys.stdout.write(f"{json.dumps(line)}\n")
            sys.stdout.flush()

    def _outcome(self, report: FiringReport) -> str:
        if report.settled:
            return _main_slot(report).outcome
        if report.error is not None:
            return "failed"
        enabled = self.job is not None and self.job.enabled
        return "settled" if self.slot is not None and enabled else report.note

    def _rates(self, settled: Settled) -> list[dict[str, str | None]]:
        return [
            {
                "slot": self._shown(settled.slot),
                "pair": str(quote.pair),
                "rate": plain(quote.rate),
                "rate_date": quote.rate_date.isoformat(),
                "provider": quote.provider,
            }
            for quote in settled.quotes
        ]

    def _shown(self, slot: dt.datetime | None) -> str | None:
        if slot is None or self.job is None:
            return None
        return slot.astimezone(self.job.zone).isoformat()


def _folder(state: Path) -> tempfile.TemporaryDirectory[str]:
    """Return a new folder in *state*, which two starts may share and nothing of an earlier one may reach."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(prefix="pod-", dir=state, ignore_cleanup_errors=True)
    except OSError as error:
        raise ConfigError(
            f"{state}: cannot be written to ({error.strerror}); mount an emptyDir there, "
            "or name another folder in RATECTL_STATE_DIR"
        ) from error


def _resumed(text: str) -> dt.datetime | None:
    """Return from when on slots count; None where nothing was paused."""
    if not text:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"{SINCE}={text}: expected a time such as 2026-11-23T10:30:00Z"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _minute(name: str, now: dt.datetime) -> dt.datetime:
    """Return the minute that the Job *name* was made for; that of *now* where the name tells none."""
    number = name.rpartition("-")[2]
    if len(number) == DIGITS and number.isascii() and number.isdigit():
        minute = aware(int(number) * 60)
        if minute - now > FARTHEST or now - minute > FARTHEST:
            return now.replace(second=0, microsecond=0)
        if minute - now > SKEW:
            raise TryLaterError(
                f"{NAME}={name}: is of {minute.isoformat()}, and the clock here says {now:%Y-%m-%dT%H:%M:%SZ}; "
                "set the clock of this node"
            )
        return minute
    return now.replace(second=0, microsecond=0)


def _settled_until(job: Job, known: list[Firing]) -> dt.datetime | None:
    """Return up to where nothing is owed, by the newest firings *known*; None where there are none."""
    settled = [firing.slot for firing in known if firing.settled]
    owed = [firing.slot for firing in known if not firing.settled]
    if owed and (job.catch_up is CatchUp.ALL or not settled):
        return min(owed) - SECOND
    return max(settled, default=None)


def _failed_in_a_row(known: list[Firing]) -> int:
    """Return how many of the firings *known*, newest first, failed since one recorded or closed its slot.

    One that is at work tells nothing yet, and a slot that nobody was there for is no failure.
    """
    since = itertools.takewhile(lambda firing: firing.outcome not in {"recorded", "closed"}, known)
    return sum(firing.outcome == "failed" for firing in since)


def _main_slot(report: FiringReport) -> Settled:
    """Return the slot that a line is about: the one that failed, else the newest."""
    return next((settled for settled in report.settled if settled.error), report.settled[-1])
