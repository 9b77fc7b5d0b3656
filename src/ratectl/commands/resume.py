"""``ratectl resume``: ends a pause; the job's snapshot goes back to the engine that it stood in."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from ratectl import schedule
from ratectl.commands._shared.options import JobsArgument
from ratectl.deploy import execute, host_facts, install, uninstall
from ratectl.deploy.install_lock import install_lock
from ratectl.errors import RatectlError, UsageError
from ratectl.journal.journal import Journal

if TYPE_CHECKING:
    from ratectl.deploy.install_lock import InstallLock
    from ratectl.deploy.targets import Target
    from ratectl.journal.journal import Installed


def resume(
    jobs: JobsArgument = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Resume every paused job.")] = False,
) -> None:
    """Let paused jobs run again, from now on.

    \b
    Examples:
      ratectl resume usd-inr
      ratectl resume --all
    """
    if everything == bool(jobs):
        raise UsageError("resume: name the jobs, or give --all")
    here = host_facts.current()
    with install_lock(here.state_dir) as undertaking, Journal(here.state_dir) as journal:
        known = journal.readable() if everything else [journal.installed_job(j) for j in jobs or ()]
        again = undertaking.interrupted
        rows = [row for row in known if row.paused or again]
        names = [row.job.name for row in rows]
        before = journal.backup(names)
        try:
            if rows:
                undertaking.begin()
                journal.resume_jobs(names, _now())
            for site, source in uninstall.paused_sources(rows, here, execute.SystemReader()):
                prepared = _prepared(site, source, journal, undertaking, afresh=again)
                install.apply(prepared, journal, undertaking, perform=execute.perform, clock=_now)
        except RatectlError:
            journal.restore(before)
            raise
        undertaking.done()
    typer.echo("\n".join(map(_resumed, rows)) or "nothing is paused")


def _prepared(
    site: Target,
    source: install.SpecSource,
    journal: Journal,
    undertaking: InstallLock,
    *,
    afresh: bool,
) -> install.Prepared:
    """Return what brings *source* back to *site*. Where that is refused, nothing is half done."""
    try:
        prepared = install.prepare(site, source, journal, afresh=afresh)
    except RatectlError:
        if not afresh:
            undertaking.done()
        raise
    found = prepared.main.found.entries
    asleep = [found[job.name] for job in source.jobs if job.name in found]
    since = uninstall.left_out(source, found, _now())
    awaken = site.backend.resuming(asleep, since, site.host)
    return replace(prepared, after=(*prepared.after, *awaken))


def _resumed(row: Installed) -> str:
    if row.job.fault:
        return f"resumed {row.job.name}: {row.job.fault}"
    following = next(schedule.after(row.job.schedule, row.job.zone, _now()), None)
    when = f"next {following:%Y-%m-%d %H:%M:%S %Z}" if following else "it has no further slot"
    return f"resumed {row.job.name}: {when}"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
