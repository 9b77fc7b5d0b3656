"""``ratectl pause``: takes a job's wakeups out of the operating system and keeps everything else."""

from __future__ import annotations

from typing import Annotated

import typer

from ratectl.commands._shared import tags, terminal
from ratectl.commands._shared.options import JobsArgument
from ratectl.commands._shared.tags import TagOption
from ratectl.deploy import execute, host_facts, targets, uninstall
from ratectl.deploy import pause as preparing
from ratectl.deploy.install_lock import install_lock
from ratectl.deploy.uninstall import refuse_unknown
from ratectl.journal.journal import Journal
from ratectl.views import deploy_text


def pause(
    jobs: JobsArgument = None,
    *,
    tag: TagOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Pause every job of ours.")] = False,
) -> None:
    """Stop jobs until they are resumed.

    \b
    Examples:
      ratectl pause usd-inr
      ratectl pause --tag books
      ratectl pause --all
    """
    tags.refuse_unclear("pause", bool(jobs), bool(tag), everything)
    host = host_facts.current()
    with install_lock(host.state_dir) as lock, Journal(host.state_dir) as journal:
        names = None if everything else frozenset(tags.chosen(journal, jobs, tag))
        installed = journal.readable()
        known = {row.job.name for row in installed}
        affected = known if names is None else names
        clusters = targets.clusters(row for row in installed if row.job.name in affected)
        found_at = targets.inspect_all(host, execute.SystemReader(), clusters=clusters)
        removal = preparing.prepare(found_at, installed, affected)
        refuse_unknown(frozenset(affected) - known, uninstall.Removal(parts=(), forget=()), journal)
        inactive = {row.job.name for row in installed if row.paused}
        if not removal.parts and set(removal.jobs) <= inactive:
            typer.echo("nothing to pause" if not removal.jobs else "paused already")
            return
        uninstall.apply(removal, lock, perform=execute.perform, note=journal.pause_jobs)
    off = {row.job.name for row in installed if not row.job.enabled}
    terminal.show(deploy_text.pause_text(removal, off))
