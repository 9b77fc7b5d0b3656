"""``ratectl install`` and, without its last half, ``ratectl plan``: spec -> entries in the OS."""

from __future__ import annotations

import contextlib
import gc
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from ratectl import schedule
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.commands._shared import terminal
from ratectl.commands._shared.environment import utc_now
from ratectl.commands._shared.next_step import next_step
from ratectl.commands._shared.options import (
    BackendOption,
    DryRunOption,
    JsonOption,
    PruneOption,
    ScopeOption,
    SpecArgument,
)
from ratectl.commands._shared.planning import prepare, show_plan
from ratectl.commands._shared.progress import progress
from ratectl.deploy import execute, host_facts, journal_move, select_backend
from ratectl.deploy import install as deploy
from ratectl.deploy.install_lock import install_lock
from ratectl.journal.journal import Journal
from ratectl.views import deploy_text
from ratectl.views.format import clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.deploy.install_lock import InstallLock
    from ratectl.model.job import Job

LingerOption = Annotated[
    bool, typer.Option("--enable-linger", help="Let systemd run user timers without a login.")
]
ForceOption = Annotated[
    bool,
    typer.Option("--force-conflicts", help="In Kubernetes, take back fields that others set."),
]


def install(
    spec_path: SpecArgument = None,
    *,
    backend: BackendOption = select_backend.AUTO,
    scope: ScopeOption = select_backend.AUTO,
    prune: PruneOption = False,
    enable_linger: LingerOption = False,
    force_conflicts: ForceOption = False,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> None:
    """Put the jobs of a spec into the OS's own scheduler.

    \b
    Examples:
      ratectl install
      ratectl install ./jobs.toml --dry-run
      ratectl install --backend systemd --enable-linger
    """
    host = host_facts.current()
    planned = partial(
        prepare,
        host,
        spec_path=spec_path,
        backend=backend,
        scope=scope,
        prune=prune,
        enable_linger=enable_linger,
        force=force_conflicts,
    )
    if dry_run:
        with Journal(host.state_dir) as journal:
            show_plan(planned(journal), json=json)
        return
    with (
        _without_collection(),
        install_lock(host.state_dir) as lock,
        Journal(host.state_dir) as journal,
    ):
        prepared = planned(journal, rewrite_all=lock.interrupted)
        if not json:
            show_plan(prepared)
        if not prepared.empty or lock.interrupted:
            _apply(prepared, journal, lock)
            if not json:
                terminal.show(deploy_text.installed_text(prepared, _upcoming(prepared)))
        elif not json:
            typer.echo(next_step("ratectl", "status", does="shows how each job stands"))
        if json:
            show_plan(prepared, json=True)


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Look for no garbage meanwhile: what thousands of jobs become is none, and the process ends soon."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _apply(prepared: deploy.Prepared, journal: Journal, lock: InstallLock) -> None:
    in_pods = prepared.main.target.backend is kubernetes
    see_to = _see_to_journals_of_pods if in_pods else _check_journals
    see_to(journal, prepared.source.jobs)
    parts = (*prepared.moves, prepared.main)
    with progress("installing", sum(len(part.steps) for part in parts)) as on_progress:
        perform = partial(execute.perform, on_progress=on_progress)
        deploy.apply(prepared, journal, lock, perform=perform, clock=utc_now)


def _check_journals(journal: Journal, jobs: tuple[Job, ...]) -> None:
    """See to it, before anything is changed, that *jobs* can record where they are to."""
    journal_move.require_driver(jobs)
    journal_move.refuse_shared_files(journal, jobs)
    for error in journal_move.out_of_reach(journal, jobs, utc_now()):
        message = f"ratectl: a shared journal is out of reach, and its jobs fail until it is back: {error}"
        terminal.complain(message)
    journal_move.move(journal, jobs)


def _see_to_journals_of_pods(journal: Journal, jobs: tuple[Job, ...]) -> None:
    """Do the same for *jobs* of a cluster, whose databases this machine need not see."""
    for notice in journal_move.unseen_from_here(journal, jobs, utc_now()):
        typer.echo(f"ratectl: the shared journal: {notice}", err=True)
    journal_move.move(journal, jobs)


def _upcoming(prepared: deploy.Prepared) -> dict[str, str]:
    now = utc_now()
    slots = {
        job.name: next(schedule.after(job.schedule, job.zone, now), None)
        for job in prepared.source.jobs[:200]
        if job.enabled
    }
    return {name: clock(slot) for name, slot in slots.items() if slot}
