"""``ratectl resume``: ends a pause; the job's snapshot goes back to the engine that it stood in."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from ratectl import schedule
from ratectl.commands._shared import tags
from ratectl.commands._shared.options import JobsArgument
from ratectl.commands._shared.tags import TagOption
from ratectl.deploy import execute, host_facts, install, uninstall
from ratectl.deploy.install_lock import install_lock
from ratectl.errors import ConfigError, RatectlError, UsageError
from ratectl.journal.journal import Journal
from ratectl.views.format import clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.backends.protocol import Host
    from ratectl.deploy.install_lock import InstallLock
    from ratectl.deploy.targets import Target
    from ratectl.journal.journal import Installed


def resume(
    jobs: JobsArgument = None,
    *,
    tag: TagOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Resume every paused job.")] = False,
) -> None:
    """Let paused jobs run again, from now on.

    With --all, a job whose slots cannot be told on this machine is left out and named.

    \b
    Examples:
      ratectl resume usd-inr
      ratectl resume --tag books
      ratectl resume --all
    """
    if everything == bool(jobs or tag):
        raise UsageError("resume: name the jobs, or give --tag or --all")
    host = host_facts.current()
    with install_lock(host.state_dir) as lock, Journal(host.state_dir) as journal:
        names = tags.chosen(journal, jobs, tag)
        known = journal.readable() if everything else [journal.installed_job(j) for j in names]
        rewrite_all = lock.interrupted
        rows = [row for row in known if row.paused or rewrite_all]
        stuck = [row for row in rows if everything and row.job.fault]
        rows = [row for row in rows if row not in stuck]
        if rows:
            _resume(journal, lock, host, rows, afresh=rewrite_all)
    if rows or not stuck:
        typer.echo("\n".join(map(_resumed, rows)) or "nothing is paused")
    if stuck:
        raise ConfigError("\n".join(f"left as it was, {row.job.fault}" for row in stuck))


def _resume(
    journal: Journal, lock: InstallLock, host: Host, rows: Sequence[Installed], *, afresh: bool
) -> None:
    """Bring all of *rows* back, or none: what one spec or engine is refused takes the others back with it."""
    names = [row.job.name for row in rows]
    before = journal.backup(names)
    done: list[install.Prepared] = []
    with lock.in_parts():
        try:
            journal.resume_jobs(names, _now())
            for target, source in uninstall.paused_sources(rows, host, execute.SystemReader()):
                lock.in_progress = afresh  # until a part begins, nothing of it is half done
                prepared = _prepared(target, source, journal, afresh=afresh)
                install.apply(prepared, journal, lock, perform=execute.perform, clock=_now)
                done.append(prepared)
        except RatectlError as error:
            whole = not lock.in_progress
            lock.in_progress = True
            install.undo(done, journal, error, perform=execute.perform)
            lock.in_progress = not whole
            journal.restore(before)
            raise


def _prepared(
    target: Target, source: install.SpecSource, journal: Journal, *, afresh: bool
) -> install.Prepared:
    """Return what brings *source* back to *target*."""
    prepared = install.prepare(target, source, journal, rewrite_all=afresh)
    found = prepared.main.found.entries
    asleep = [found[job.name] for job in source.jobs if job.name in found]
    since = uninstall.left_out(source, found, _now())
    awaken = target.backend.resuming(asleep, since, target.host)
    return replace(prepared, after=(*prepared.after, *awaken))


def _resumed(row: Installed) -> str:
    if row.job.fault:
        return f"resumed {row.job.name}: {row.job.fault}"
    following = next(schedule.after(row.job.schedule, row.job.zone, _now()), None)
    when = (
        f"next {clock(following.astimezone(row.job.zone))}"
        if following
        else "it has no further slot"
    )
    return f"resumed {row.job.name}: {when}"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
