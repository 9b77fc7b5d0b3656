"""``ratectl report``: one HTML file with everything in it, that asks no server."""

from __future__ import annotations

import datetime as dt
import json
import webbrowser
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from ratectl import __version__, schedule
from ratectl.commands._shared import date_range, tags, terminal, write_file
from ratectl.commands._shared.progress import progress
from ratectl.commands._shared.rows import look
from ratectl.commands._shared.tags import TagOption
from ratectl.deploy import host_facts
from ratectl.errors import ConfigError, EngineError, TryLaterError
from ratectl.journal import quarantine, queries
from ratectl.journal.journal import Journal
from ratectl.runtime import templates
from ratectl.runtime.visible import visible
from ratectl.views import html_report
from ratectl.views.html_report import JobReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ratectl.journal.journal import Installed
    from ratectl.journal.rate_store import RateStore
    from ratectl.journal.rows import Span
    from ratectl.views.status import JobStatus

FILE = Path("ratectl-report.html")
MOST_POINTS = 60_000
"""Of all charts together, which keeps the file below three megabytes."""
FEWEST, MOST = 200, 6_000
"""Points of one chart: no fewer where there are more, and no more than a screen can show."""
MOST_SLOTS = 100_000
"""Past slots of one job that are looked at for gaps."""
MOST_AHEAD = 3_000
"""Slots of one job that are shown ahead."""
MOST_TROUBLES = 200


def report(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")] = FILE,
    *,
    job: Annotated[
        list[str] | None,
        typer.Option(metavar="JOB", help="Only this job; may be given again.", show_default=False),
    ] = None,
    tag: TagOption = None,
    since: date_range.SinceOption = "",
    launch: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
) -> None:
    """Write an HTML page with charts of everything.

    Rates with zoom and exact values, how every slot went, what comes in the next 30 days,
    and what failed. The page is one file that loads nothing from the network.

    \b
    Examples:
      ratectl report --open
      ratectl report euro.html --job euro --since 2020-01-01
    """
    now = dt.datetime.now(dt.UTC)
    host = host_facts.current()
    with Journal(host.state_dir) as journal:
        names = tags.chosen(journal, job, tag)
        found = look(host, journal, names)
        installed = [row for row in journal.readable() if not names or row.job.name in names]
        dossiers = _dossiers(journal, installed, found, since, now)
    path = write_file.replace(file, _html(dossiers, now))
    typer.echo(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")
    if launch and not webbrowser.open(path.as_uri()):
        raise EngineError(f"no browser could be opened; open {path.as_uri()} in one")


def _dossiers(
    journal: Journal,
    installed: Sequence[Installed],
    found: Sequence[JobStatus],
    since: str,
    now: dt.datetime,
) -> list[JobReport]:
    known = {status.job: status for status in found}
    charts = sum(len(row.job.pairs) for row in installed)
    max_points = max(FEWEST, min(MOST, MOST_POINTS // max(1, charts)))
    dossiers = []
    with progress("reading the journal", charts) as on_progress:
        for row in installed:
            try:
                if row.job.fault:
                    raise ConfigError(row.job.fault)
                span = date_range.span(since, "", row.job.zone)
                reading = _Reading(journal.store(row.job), row, span, max_points)
                dossiers.append(reading.job_report(known.get(row.job.name), now, on_progress))
            except (TryLaterError, ConfigError) as error:
                typer.echo(f"ratectl: {row.job.name} is left out: {error}", err=True)
    return dossiers


class _Reading(NamedTuple):
    """One job, and how much of it is read."""

    store: RateStore
    row: Installed
    span: Span
    max_points: int
    """Points of one chart."""

    def job_report(
        self, status: JobStatus | None, now: dt.datetime, on_progress: Callable[[int], None]
    ) -> JobReport:
        """Return what the page tells of the job; *on_progress* is called for each chart."""
        job, name = self.row.job, self.row.job.name
        series = {}
        for pair in job.pairs:
            found = queries.series(self.store, name, pair, self.span, max_points=self.max_points)
            series[pair] = found
            on_progress(1)
        horizon = now + dt.timedelta(days=html_report.DAYS_AHEAD)
        runs = self.row.enabled and not self.row.paused
        ahead = schedule.after(job.schedule, job.zone, now) if runs else iter(())
        slots = list(takewhile(lambda slot: slot < horizon, islice(ahead, MOST_AHEAD + 1)))
        gaps = queries.gaps(self.store, self.row, MOST_SLOTS) if self.row.missed else []
        return JobReport(
            job=job,
            status=status,
            series=series,
            outcomes=list(queries.slot_outcomes(self.store, job, self.span)),
            gaps=[slot for slot in gaps if self.span.start is None or slot >= self.span.start],
            quarantined=list(quarantine.quarantine(self.store, job=name)),
            failures=queries.failures(self.store, name, MOST_TROUBLES),
            upcoming=slots[:MOST_AHEAD],
            is_cut=len(slots) > MOST_AHEAD,
        )


def _html(dossiers: Sequence[JobReport], now: dt.datetime) -> str:
    failures = html_report.failures(dossiers, MOST_TROUBLES + 1)
    data = json.dumps(html_report.data(dossiers), ensure_ascii=False, separators=(",", ":"))
    return templates.fill_page(
        "report/page.html.j2",
        {
            "css": templates.source("report/report.css"),
            "data": visible(data).replace("<", "\\u003c"),  # so that no tag can stand in it
            "library": templates.source("report/echarts.min.js"),
            "script": templates.source("report/report.js"),
        },
        version=__version__,
        made=f"{now.astimezone(terminal.viewer_zone()):%Y-%m-%d %H:%M %Z}",
        rows=html_report.rows(dossiers, now),
        has_rates=any(one.number for job_report in dossiers for one in job_report.series.values()),
        has_slots=any(job_report.outcomes for job_report in dossiers),
        outdated_from=html_report.outdated_from(dossiers),
        troubles=failures[:MOST_TROUBLES],
        cut_after=MOST_TROUBLES if len(failures) > MOST_TROUBLES else 0,
        sources=html_report.sources(dossiers),
    )
