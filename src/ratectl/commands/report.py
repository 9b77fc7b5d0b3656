"""``ratectl report``: one HTML file with everything in it, that asks no server."""

from __future__ import annotations

import datetime as dt
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ratectl.commands._shared import date_range, terminal, write_file
from ratectl.commands._shared.progress import progress
from ratectl.commands._shared.rows import look
from ratectl.deploy import host_facts
from ratectl.errors import EngineError
from ratectl.journal.journal import Journal
from ratectl.page import whole
from ratectl.page.whole import Engines, Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.backends.protocol import Host

FILE = Path("ratectl-report.html")


def report(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")] = FILE,
    *,
    job: Annotated[
        list[str] | None,
        typer.Option(metavar="JOB", help="Only this job; may be given again.", show_default=False),
    ] = None,
    since: date_range.SinceOption = "",
    launch: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
) -> None:
    """Write an HTML page of the rates, with charts.

    What needs attention, each pair with its changes and its year, a chart on a click, how the
    slots went, and what failed. The page is one file that loads nothing from the network.

    \b
    Examples:
      ratectl report --open
      ratectl report euro.html --job euro --since 2020-01-01
    """
    host = host_facts.current()
    with Journal(host.state_dir) as journal:
        path = _write(host, journal, file, job or [], since)
    typer.echo(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")
    if launch and not webbrowser.open(path.as_uri()):
        raise EngineError(f"no browser could be opened; open {path.as_uri()} in one")


def _write(host: Host, journal: Journal, file: Path, names: Sequence[str], since: str) -> Path:
    """Write the page of the jobs *names*, or of all, and return its absolute path."""
    removed = {row.job.name for row in journal.removed()}
    here = [name for name in names if name not in removed]
    found = look(host, journal, here) if here or not names else ()
    charts = sum(len(status.pairs) for status in found)
    with progress("reading the journal", charts) as on_chart:
        wanted = Wanted(
            now=dt.datetime.now(dt.UTC),
            zone=terminal.viewer_zone(),
            names=frozenset(names),
            span_of=lambda zone: date_range.span(since, "", zone),
            engines={
                status.job: Engines((*status.drift, *status.troubles), status.enabled)
                for status in found
            },
            on_chart=on_chart,
        )
        text, left_out = whole.page(journal, wanted)
    for reason in left_out:
        typer.echo(f"ratectl: {reason}", err=True)
    return write_file.replace(file, text)
