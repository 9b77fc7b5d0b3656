"""``ratectl plan``: the very steps that ``install`` would perform."""

from __future__ import annotations

from typing import Annotated

import typer

from ratectl.commands._shared.options import (
    BackendOption,
    JsonOption,
    PruneOption,
    ScopeOption,
    SpecArgument,
)
from ratectl.commands._shared.planning import prepare, show_plan
from ratectl.deploy import host_facts, select_backend
from ratectl.journal.journal import Journal

CHANGES_PENDING = 2


def plan(
    spec_path: SpecArgument = None,
    *,
    backend: BackendOption = select_backend.AUTO,
    scope: ScopeOption = select_backend.AUTO,
    prune: PruneOption = False,
    detailed_exitcode: Annotated[
        bool,
        typer.Option(
            "--detailed-exitcode", help="End with 2 when there is something to do, else 0."
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show what install would do, and do nothing.

    \b
    Examples:
      ratectl plan
      ratectl plan ./jobs.toml --backend cron --prune
      ratectl plan --detailed-exitcode
    """
    host = host_facts.current()
    with Journal(host.state_dir) as journal:
        prepared = prepare(host, journal, spec_path, backend, scope, prune=prune)
    show_plan(prepared, json=json)
    if detailed_exitcode and not prepared.empty:
        raise typer.Exit(CHANGES_PENDING)
