"""``ratectl list``: what stands in the operating system's schedulers, and where it drifted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import typer

from ratectl.commands._shared import tags, terminal
from ratectl.commands._shared.environment import utc_now
from ratectl.commands._shared.options import JsonOption
from ratectl.commands._shared.rows import rows_of
from ratectl.commands._shared.tags import TagOption
from ratectl.deploy import execute, host_facts, inventory, targets
from ratectl.journal.journal import Journal
from ratectl.views.format import as_json
from ratectl.views.inventory import listing_json, listing_text

if TYPE_CHECKING:
    from ratectl.deploy.targets import Target
    from ratectl.errors import RatectlError


def list_(*, tag: TagOption = None, json: JsonOption = False) -> None:
    """List the installed jobs as the OS has them.

    \b
    Examples:
      ratectl list
      ratectl list --json
    """
    host = host_facts.current()
    reader = execute.SystemReader()
    with Journal(host.state_dir) as journal:
        installed = journal.readable()
        unreachable: dict[Target, RatectlError] = {}
        found_at = targets.inspect_all(
            host,
            reader,
            partial(report_unreachable, unreachable),
            clusters=targets.clusters(installed),
        )
        rows = rows_of(journal, reader, installed, found_at, unseen=unreachable)
        if tag:
            wanted = tags.chosen(journal, (), tag)
            rows = tuple(row for row in rows if row.job in wanted)
    if json:
        typer.echo(as_json(listing_json(rows)))
        return
    nothing = "" if rows else _nothing()
    terminal.show(listing_text(rows, utc_now(), terminal.width(), nothing))
    if not host.root and inventory.root_has_jobs(reader):
        typer.echo("ratectl: root has jobs on this machine, too: `sudo ratectl list`", err=True)


def _nothing() -> str:
    from ratectl.commands._shared import next_step  # noqa: PLC0415 - for this only

    return next_step.nothing_installed()


def report_unreachable(
    unreachable: dict[Target, RatectlError], target: Target, error: RatectlError
) -> None:
    """Take it that a cluster does not answer, and say so; what this machine's own engines refuse is raised."""
    if target.host.cluster is None:
        raise error
    unreachable[target] = error
    typer.echo(f"ratectl: what the cluster holds is not shown: {error}", err=True)
