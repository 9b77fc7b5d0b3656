"""``ratectl remove``: takes entries out of the operating system; recorded data stays unless ``--purge``."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.commands._shared import tags, terminal
from ratectl.commands._shared.options import DryRunOption, default_spec
from ratectl.commands._shared.progress import progress
from ratectl.commands._shared.tags import TagOption
from ratectl.deploy import execute, host_facts, targets, uninstall
from ratectl.deploy.checks import serving
from ratectl.deploy.install_lock import install_lock
from ratectl.deploy.uninstall import refuse_unknown
from ratectl.errors import INTERRUPTED, UsageError
from ratectl.journal.journal import Journal
from ratectl.runtime.postgres import redacted
from ratectl.views import deploy_text
from ratectl.wording import typed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.backends.reader import Reader
    from ratectl.deploy.install_lock import InstallLock
    from ratectl.deploy.targets import Target
    from ratectl.errors import RatectlError
    from ratectl.journal.journal import Installed

PurgeOption = Annotated[
    bool, typer.Option("--purge", help="Delete what the journal recorded for them, too.")
]
ForgetOption = Annotated[
    bool,
    typer.Option(
        "--forget", help="Leave what stands in a cluster that cannot be reached, and forget it."
    ),
]


def remove(
    jobs: Annotated[
        list[str] | None,
        typer.Argument(metavar="JOB...", show_default=False, help="Installed jobs."),
    ] = None,
    *,
    tag: TagOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Remove every job of ours.")] = False,
    purge: PurgeOption = False,
    forget: ForgetOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before deleting data.")] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Take jobs out of the OS's scheduler.

    \b
    Examples:
      ratectl remove usd-inr
      ratectl remove --all --dry-run
      ratectl remove usd-inr --purge
    """
    tags.refuse_unclear("remove", bool(jobs), bool(tag), everything)
    host = host_facts.current()
    reader = execute.SystemReader()
    with (
        install_lock(host.state_dir) as lock,
        Journal(host.state_dir) as journal,
    ):
        names = None if everything else frozenset(tags.chosen(journal, jobs, tag))
        installed = journal.readable()
        asked = targets.clusters(row for row in installed if names is None or row.job.name in names)
        unseen: dict[Target, RatectlError] = {}
        found_at = targets.inspect_all(
            host, reader, partial(_leave, unseen) if forget else _stop, clusters=asked
        )
        removal = replace(uninstall.prepare(found_at, installed, names), unseen=bool(unseen))
        known = journal.known() | journal.copied_here() if purge else frozenset()
        recorded = known if names is None else names & known
        refuse_unknown((names or frozenset()) - recorded, removal, journal)
        to_purge = sorted({*removal.jobs, *recorded})
        if dry_run:
            terminal.show(deploy_text.steps_text(removal, to_purge if purge else ()))
            return
        shared = {name: redacted(url) for name in to_purge if (url := journal.shared(name))}
        own = [name for name in to_purge if name not in shared]
        if purge and to_purge and not yes:
            _confirm(deploy_text.purge_question(own, shared))
        if removal.parts or removal.forget:
            _apply(removal, journal, lock)
        if removal.parts or removal.forget or not (purge and to_purge):
            terminal.show(deploy_text.removal_text(removal))
        if not purge:
            _say_what_stays(removal, installed, reader)
        if purge and to_purge:
            journal.purge_jobs(to_purge)
            terminal.show(deploy_text.purge_text(own, shared))
        if purge and not (journal.known() or journal.copied_here()):
            typer.echo(
                f"what stays: {host.state_dir}, with an empty journal, kept answers and locks"
            )


def _say_what_stays(
    removal: uninstall.Removal, installed: Sequence[Installed], reader: Reader
) -> None:
    """Say what a *removal* left of jobs that were *installed*, and how their spec, where it is still there, brings them back."""
    gone = {*removal.jobs, *removal.forget}
    rows = [row for row in installed if row.job.name in gone]
    if not rows:
        return
    specs = {row.spec for row in rows}
    here = len(specs) == 1 and reader.status(Path(rows[0].spec)) is not None
    verb = "serve" if {row.backend for row in rows} == {serving.BACKEND} else "install"
    own = specs == {str(default_spec())} and verb == "install"
    again = typed("ratectl", verb, *(() if own else specs)) if here else ""
    terminal.show(deploy_text.stays_text(len(rows), again))


def _leave(unseen: dict[Target, RatectlError], target: Target, error: RatectlError) -> None:
    """Say that what *target* holds stays there; only a cluster can be out of reach for good."""
    if target.host.cluster is None:
        raise error
    unseen[target] = error
    why = str(error).replace(f", and {kubernetes.WAY_OUT}", "")
    typer.echo(f"ratectl: what {target} holds is left as it is: {why}", err=True)


def _stop(target: Target, error: RatectlError) -> None:
    raise targets.with_way_out(target, error)


def _apply(removal: uninstall.Removal, journal: Journal, lock: InstallLock) -> None:
    with progress("removing", sum(len(part.steps) for part in removal.parts)) as on_progress:
        perform = partial(execute.perform, on_progress=on_progress)
        uninstall.apply(removal, lock, perform=perform, note=journal.forget_jobs)


def _confirm(question: str) -> None:
    try:
        agreed = typer.confirm(terminal.folded(question, terminal.screen_width()))
    except typer.Abort:  # Ctrl-C, or nobody there to answer
        typer.echo(err=True)
        agreed = False
    if not agreed and sys.stdin.isatty():
        typer.echo("nothing was removed", err=True)
        raise typer.Exit(INTERRUPTED)
    if not agreed:
        raise UsageError(
            "remove: not confirmed, so nothing was removed; --yes answers the question"
        )
