"""``ratectl list``: what stands in the operating system's schedulers, and where it drifted."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING

import typer

from ratectl import deploy, host, listing, machine, report, sites
from ratectl.commands.options import JsonOption
from ratectl.journal.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ratectl.backends.protocol import Found, Reader
    from ratectl.errors import RatectlError
    from ratectl.journal.journal import Installed
    from ratectl.listing import Row
    from ratectl.model.job import Job
    from ratectl.sites import Site


def list_(*, json: JsonOption = False) -> None:
    """List the installed jobs as the OS has them.

    \b
    Examples:
      ratectl list
      ratectl list --json
    """
    here = machine.current()
    reader = host.SystemReader()
    with Journal(here.state_dir) as journal:
        installed = journal.readable()
        away: dict[Site, RatectlError] = {}
        holds = sites.survey(
            here, reader, partial(be_away, away), clusters=sites.clusters(installed)
        )
        rows = rows_of(journal, reader, installed, holds, unseen=away)
    typer.echo(report.as_json(report.listing_json(rows)) if json else report.listing_text(rows))


def rows_of(
    journal: Journal,
    reader: Reader,
    installed: Sequence[Installed],
    holds: Mapping[Site, Found],
    *,
    unseen: Mapping[Site, RatectlError],
) -> tuple[Row, ...]:
    """Return the rows of *installed* and of what the engines hold, as they are now."""
    return listing.rows(
        holds,
        installed,
        journal.last_firings(installed, complain),
        listing.SpecDrift(lambda path: deploy.digest_of(reader, path), jobs_of),
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
