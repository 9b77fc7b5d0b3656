"""``ratectl resume``: ends a pause; the job's snapshot goes back to the engine that it stood in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ratectl import schedule
from ratectl.commands._shared import tags
from ratectl.commands._shared.environment import utc_now
from ratectl.commands._shared.options import JobsArgument
from ratectl.commands._shared.tags import TagOption
from ratectl.deploy import execute, host_facts, pause, remedies
from ratectl.deploy.install_lock import install_lock
from ratectl.errors import ConfigError
from ratectl.journal.journal import Journal
from ratectl.views.format import clock
from ratectl.wording import SWITCHED_OFF

if TYPE_CHECKING:
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
    tags.refuse_unclear("resume", bool(jobs), bool(tag), everything)
    host = host_facts.current()
    with install_lock(host.state_dir) as lock, Journal(host.state_dir) as journal:
        names = tags.chosen(journal, jobs, tag)
        known = journal.readable() if everything else [journal.installed_job(j) for j in names]
        rows = [row for row in known if row.paused or lock.interrupted]
        stuck = [row for row in rows if everything and row.job.fault]
        rows = [row for row in rows if row not in stuck]
        if rows:
            pause.resume(
                rows,
                journal,
                lock,
                host,
                execute.SystemReader(),
                perform=execute.perform,
                clock=utc_now,
            )
    if rows or not stuck:
        typer.echo("\n".join(map(_resumed, rows)) or "nothing is paused")
    if stuck:
        raise ConfigError("\n".join(f"left as it was, {row.job.fault}" for row in stuck))


def _resumed(row: Installed) -> str:
    if row.job.fault:
        return f"resumed {row.job.name}: {row.job.fault}"
    if not row.job.enabled:
        return (
            f"resumed {row.job.name}: it is {SWITCHED_OFF}, so nothing wakes it; take that out of {row.spec}, and "
            f"`{remedies.by_spec(row)}`"
        )
    following = next(schedule.after(row.job.schedule, row.job.zone, utc_now()), None)
    when = (
        f"next {clock(following.astimezone(row.job.zone))}"
        if following
        else "it has no further slot"
    )
    return f"resumed {row.job.name}: {when}"
