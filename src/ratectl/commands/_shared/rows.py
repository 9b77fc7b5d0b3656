"""The rows that list, status and report show: engines, journal and spec held against each other."""

from __future__ import annotations

import functools
from functools import partial
from typing import TYPE_CHECKING

import typer

from ratectl.commands._shared.environment import utc_now
from ratectl.deploy import execute, inventory, targets
from ratectl.deploy.checks import serving
from ratectl.journal import queries
from ratectl.journal.journal import Journal
from ratectl.views import status as views

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ratectl.backends.host import Host
    from ratectl.backends.protocol import Found
    from ratectl.backends.reader import Reader
    from ratectl.deploy.inventory import Row
    from ratectl.deploy.targets import Target
    from ratectl.errors import RatectlError
    from ratectl.journal.journal import Installed
    from ratectl.model.job import Job
    from ratectl.views.status import JobStatus


def rows_of(
    journal: Journal,
    reader: Reader,
    installed: Sequence[Installed],
    found_at: Mapping[Target, Found],
    *,
    unseen: Mapping[Target, RatectlError],
    on_unreachable: Callable[[RatectlError], None] | None = None,
) -> tuple[Row, ...]:
    """Return the rows of *installed* and of what the engines hold, as they are now."""
    return inventory.rows(
        found_at,
        installed,
        journal.last_firings(installed, on_unreachable or complaining()),
        inventory.SpecDrift(
            lambda path: inventory.digest_of(reader, path),
            jobs_of,
            journal.readable(),
            journal.known(),
        ),
        utc_now(),
        unseen=unseen,
        unserved=serving.unserved(journal.state_dir, installed),
    )


def complaining() -> Callable[[RatectlError], None]:
    """Return what says on stderr, once of each, that a shared journal is out of reach."""

    @functools.cache
    def complain(text: str) -> None:
        typer.echo(f"ratectl: what was recorded there is not shown: {text}", err=True)

    return lambda error: complain(str(error))


def jobs_of(path: str, host_timezone: str) -> tuple[Job, ...]:
    """Return the jobs of the spec at *path*."""
    from ratectl import spec  # noqa: PLC0415 - only where a spec file changed since it was installed

    return spec.load(path, host_timezone=host_timezone).jobs


def look(host: Host, journal: Journal, names: Sequence[str]) -> tuple[JobStatus, ...]:
    """Return how the jobs *names* stand, or all. Raises ConfigError for one that is not installed."""
    reader = execute.SystemReader()
    unreachable: dict[Target, RatectlError] = {}
    everything = journal.readable()
    found_at = targets.inspect_all(
        host, reader, partial(_unreadable, unreachable), clusters=targets.clusters(everything)
    )
    for name in names:
        if not any(name in found.entries for found in found_at.values()):
            journal.installed_job(name)
    installed = [row for row in everything if not names or row.job.name in names]
    complain = complaining()
    rows = rows_of(
        journal, reader, installed, found_at, unseen=unreachable, on_unreachable=complain
    )
    last = {row.job: row.last for row in rows if row.last is not None}
    installed = list(journal.counting_together(installed, last))
    recent = queries.recent(journal, installed, views.QUOTES, complain)
    wanted = [row for row in rows if not names or row.job in names]
    return views.statuses(wanted, installed, recent, _pages(host, reader, installed))


def _pages(host: Host, reader: Reader, installed: Sequence[Installed]) -> dict[str, str]:
    """Return, by job, why its report page cannot be written; each page of each account is looked at once."""
    seen: dict[tuple[str, ...], str] = {}
    pages: dict[str, str] = {}
    for row in installed:
        if row.job.report and row.enabled and row.job.enabled and not row.paused:
            key = (row.job.report, row.job.user, row.backend, row.scope)
            if key not in seen:
                from ratectl.deploy.checks import report_page  # noqa: PLC0415 - loads engines

                found = report_page.obstacle(host, reader, row)
                seen[key] = f"{row.job.report}: {found.text}" if found else ""
            pages[row.job.name] = seen[key]
    return pages


def _unreadable(
    unreachable: dict[Target, RatectlError], target: Target, error: RatectlError
) -> None:
    unreachable[target] = error
    typer.echo(f"ratectl: what {target} holds is not shown: {error}", err=True)
