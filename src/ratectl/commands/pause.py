"""``ratectl pause``: takes a job's wakeups out of the operating system and keeps everything else."""

from __future__ import annotations

from typing import Annotated

import typer

from ratectl.commands._shared.options import JobsArgument
from ratectl.deploy import execute, host_facts, targets, uninstall
from ratectl.deploy.install_lock import install_lock
from ratectl.deploy.uninstall import refuse_unknown
from ratectl.errors import UsageError
from ratectl.journal.journal import Journal
from ratectl.views import deploy_text


def pause(
    jobs: JobsArgument = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Pause every job of ours.")] = False,
) -> None:
    """Stop jobs until they are resumed.

    \b
    Examples:
      ratectl pause usd-inr
      ratectl pause --all
    """
    names = None if everything else frozenset(jobs or ())
    if (names is None) == bool(jobs):
        raise UsageError("pause: name the jobs, or give --all")
    here = host_facts.current()
    with install_lock(here.state_dir) as undertaking, Journal(here.state_dir) as journal:
        installed = journal.readable()
        known = {row.job.name for row in installed}
        meant = known if names is None else names
        clusters = targets.clusters(row for row in installed if row.job.name in meant)
        held = targets.inspect_all(here, execute.SystemReader(), clusters=clusters)
        doing = uninstall.pausing(held, installed, meant)
        refuse_unknown(frozenset(meant) - known, uninstall.Removal(parts=(), forget=()), journal)
        asleep = {row.job.name for row in installed if row.paused}
        if not doing.parts and set(doing.jobs) <= asleep:
            typer.echo("nothing to pause" if not doing.jobs else "paused already")
            return
        uninstall.apply(doing, undertaking, perform=execute.perform, note=journal.pause_jobs)
    typer.echo(deploy_text.pause_text(doing))
