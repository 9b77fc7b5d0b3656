"""What an install would do, for install and plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from ratectl import spec
from ratectl.backends.host import ClusterTarget
from ratectl.commands._shared import terminal
from ratectl.commands._shared.options import default_spec
from ratectl.deploy import execute, inventory, journal_move, select_backend
from ratectl.deploy import install as deploy
from ratectl.journal.journal import Journal
from ratectl.views import deploy_text
from ratectl.views.format import as_json

if TYPE_CHECKING:
    from pathlib import Path

    from ratectl.backends.host import Host
    from ratectl.spec.document import Spec


def prepare(
    host: Host,
    journal: Journal,
    spec_path: Path | None,
    backend: str,
    scope: str,
    *,
    prune: bool,
    rewrite_all: bool = False,
    enable_linger: bool = False,
    force: bool = False,
) -> deploy.Prepared:
    """Return what an install would do: flags over spec over what the machine runs."""
    reader = execute.SystemReader()
    loaded = spec.load(spec_path or default_spec(), host_timezone=host.zone.key)
    journal_move.refuse_two_formats(journal, loaded.jobs)
    journal_move.refuse_foreign_files(loaded.jobs)
    chosen = loaded.installation
    target = select_backend.select(
        replace(host, cluster=cluster_of(loaded, force=force)),
        reader,
        journal.readable(),
        backend=chosen.backend if backend == select_backend.AUTO else backend,
        scope=chosen.scope if scope == select_backend.AUTO else scope,
    )
    source = deploy.SpecSource(
        jobs=loaded.jobs, path=loaded.path, digest=inventory.digest_of(reader, loaded.path)
    )
    return deploy.prepare(
        target, source, journal, prune=prune, rewrite_all=rewrite_all, enable_linger=enable_linger
    )


def show_plan(prepared: deploy.Prepared, *, json: bool = False) -> None:
    """Print the steps of *prepared* for a person, or its facts as JSON."""
    if json:
        typer.echo(as_json(deploy_text.plan_json(prepared)))
    else:
        terminal.show(deploy_text.plan_text(prepared))


def cluster_of(loaded: Spec, *, force: bool = False) -> ClusterTarget | None:
    """Return where in Kubernetes the spec would have its jobs."""
    there = loaded.kubernetes
    if there is None:
        return None
    return ClusterTarget(context=there.context, namespace=there.namespace, force=force)
