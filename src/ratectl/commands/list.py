"""``ratectl list``: what stands in the operating system's schedulers, and where it drifted."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING

import typer

from ratectl.commands.options import JsonOption
from ratectl.deploy import execute, host_facts, install, inventory, targets
from ratectl.journal.journal import Journal
from ratectl.views.format import as_json
from ratectl.views.inventory import listing_json, listing_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ratectl.backends.protocol import Found, Reader
    from ratectl.deploy.inventory import Row
    from ratectl.deploy.targets import Site
    from ratectl.errors import RatectlError
    from ratectl.journal.journal import Installed
    from ratectl.model.job import Job


def list_(*, json: JsonOption = False) -> None:
    """List the installed jobs as the OS has them.

    \b
    Examples:
      ratectl list
      ratectl list --json
    """
    here = host_facts.current()
    reader = execute.SystemReader()
    with Journal(here.state_dir) as journal:
        installed = journal.readable()
        away: dict[Site, RatectlError] = {}
        holds = targets.survey(
            here, reader, partial(be_away, away), clusters=targets.clusters(installed)
        )
        rows = rows_of(journal, reader, installed, holds, unseen=away)
    typer.echo(as_json(listing_json(rows)) if json else listing_text(rows))


def rows_of(
    journal: Journal,
    reader: Reader,
    installed: Sequence[Installed],
    holds: Mapping[Site, Found],
    *,
    unseen: Mapping[Site, RatectlError],
) -> tuple[Row, ...]:
    """Return the rows of *installed* and of what the engines hold, as they are now."""
    return inventory.rows(
        holds,
        installed,
        journal.last_firings(installed, complain),
        inventory.SpecDrift(lambda path: install.digest_of(reader, path), jobs_of),
        dt.datetime.now(dt.UTC),
        unseen=unseen,
    )


def be_away(away: dict[Site, RatectlError], site: Site, error: RatectlError) -> None:
    """Take it that a cluster does not answer, and say so; what this machine's own engines refuse is raised."""
    if site.host.cluster is None:
        raise error
    away[site] = error
    typer.echo(f"ratectl: what the cluster holds is not shown: {error}", err=True)


def complain(error: RatectlError) -> None:
    """Say on stderr that a shared journal is out of reach."""
    typer.echo(f"ratectl: what was recorded there is not shown: {error}", err=True)


def jobs_of(path: str, host_timezone: str) -> tuple[Job, ...]:
    """Return the jobs of the spec at *path*."""
    from ratectl import spec  # noqa: PLC0415 - only where a spec file changed since it was installed

    return spec.load(path, host_timezone=host_timezone).jobs
