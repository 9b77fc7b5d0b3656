"""A sweep: all jobs that owe a slot are fired one after the other.

For engines that forget what they slept through: at boot and every few minutes it finds what was
missed, and what failed for want of a network. One sweep at a time, and none waits for a firing at work.
"""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl.errors import RatectlError, TryLaterError
from ratectl.firing import due
from ratectl.firing.report import FiringReport
from ratectl.firing.runner import Runner
from ratectl.journal.journal import Journal
from ratectl.model.job import Overlap
from ratectl.runtime import accounts, locks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ratectl.runtime.environment import Environment

BUDGET_SECONDS = 240
"""Seconds after which no further firing is begun: the next sweep goes on with the others."""
MAX_START_DELAY = 240
"""A sweep begins up to so many seconds late, as far as its jobs' jitter allows: a fleet's clocks strike together."""


def run_sweep(state: str, names: Sequence[str] | None, env: Environment) -> Iterator[FiringReport]:
    """Fire the jobs *names* (None: all that are installed), and yield what each firing did."""
    folder = Path(state)
    with (
        locks.acquire(folder / "locks" / "sweep.lock", until=None) as got,
        Journal(folder) as journal,
    ):
        if not got:
            return
        if names is None:
            rows = journal.readable()
            names = [row.job.name for row in rows if not accounts.is_foreign(row.job.user)]
        jitter = min(MAX_START_DELAY, max(_jitters(journal, names), default=0))
        env.sleep(due.start_delay("--sweep", env.host, jitter).total_seconds())
        begun = env.uptime()
        pages: dict[str, Runner] = {}
        for name in names:
            if env.uptime() - begun >= BUDGET_SECONDS:
                break
            yield _fired(journal, name, env, pages)
        for runner in pages.values():
            runner.publish()
            if runner.report.page:
                yield runner.report


def _jitters(journal: Journal, names: Sequence[str]) -> Iterator[int]:
    for name in names:
        with contextlib.suppress(RatectlError):
            yield journal.installed_job(name).job.jitter


def _fired(journal: Journal, name: str, env: Environment, pages: dict[str, Runner]) -> FiringReport:
    """Return what a firing of *name* did; a failure is reported once, and what time may fix is left to the job's own wakeups.

    Its report page is left to the end of the sweep, by way of *pages*.
    """
    try:
        installed = journal.installed_job(name)
        job = dataclasses.replace(installed.job, overlap=Overlap.SKIP, report="")
        report = Runner(journal, installed._replace(job=job), env).run_due()
        if installed.job.report and (report.settled or report.error is not None):
            pages[installed.job.report] = Runner(journal, installed, env)
    except RatectlError as error:
        return FiringReport(job=name, error=error, passing=True)
    if report.error is not None:
        once = journal.installed_job(name).failures == 1
        report.passing = isinstance(report.error, TryLaterError) or not once
    return report
