"""``ratectl list``: what stands in the operating system's schedulers, and where it drifted."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import typer

from ratectl import deploy, host, listing, machine, report, sites
from ratectl.commands.install import JsonOption
from ratectl.firing.journal import Journal

if TYPE_CHECKING:
    from ratectl.errors import RatectlError
    from ratectl.model import Job


def list_(*, json: JsonOption = False) -> None:
    """List the installed jobs as the OS has them.

    \b
    Examples:
      ratectl list
      ratectl list --json
    """
    here = machine.current()
    reader = host.SystemReader()
    holds = sites.survey(here, reader)
    with Journal(here.state_dir) as journal:
        installed = journal.readable()
        rows = listing.rows(
            holds,
            installed,
            journal.last_firings(installed, complain),
            listing.SpecDrift(lambda path: deploy.digest_of(reader, path), jobs_of),
            dt.datetime.now(dt.UTC),
        )
    typer.echo(report.as_json(report.listing_json(rows)) if json else report.listing_text(rows))


def complain(error: RatectlError) -> None:
    """Say on stderr that a shared journal is out of reach."""
    typer.echo(f"ratectl: what was recorded there is not shown: {error}", err=True)


def jobs_of(path: str, host_timezone: str) -> tuple[Job, ...]:
    """Return the jobs of the spec at *path*."""
    from ratectl import spec  # noqa: PLC0415 - only where a spec file changed since it was installed

    return spec.load(path, host_timezone=host_timezone).jobs
