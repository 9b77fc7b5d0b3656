"""``ratectl report``: one HTML file with everything in it, that asks no server."""

from __future__ import annotations

import contextlib
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import filesize

from ratectl.commands._shared import date_range, tags, terminal, write_file
from ratectl.commands._shared.environment import utc_now
from ratectl.commands._shared.progress import progress
from ratectl.commands._shared.rows import look
from ratectl.commands._shared.tags import TagOption
from ratectl.deploy import host_facts
from ratectl.errors import EngineError, RatectlError
from ratectl.journal.journal import Journal
from ratectl.page import whole
from ratectl.page.whole import Engines, Wanted
from ratectl.runtime import accounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.backends.host import Host

FILE = Path("ratectl-report.html")
EVERY = 2
"""Seconds between two looks of ``--watch``, which cost next to nothing."""


def report(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", readable=False, help="The file to write.")
    ] = FILE,
    *,
    job: Annotated[
        list[str] | None,
        typer.Option(metavar="JOB", help="Only this job; may be given again.", show_default=False),
    ] = None,
    tag: TagOption = None,
    since: date_range.SinceOption = "",
    launch: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Write it anew after each firing, until Ctrl-C.")
    ] = False,
) -> None:
    """Write an HTML page of the rates, with charts.

    What needs attention, each pair with its changes and its year, a chart on a click, how the
    slots went, and what failed. The page is one file that loads nothing from the network.

    \b
    Examples:
      ratectl report --open
      ratectl report euro.html --job euro --since 2020-01-01
      ratectl report --watch ~/rates/index.html
    """
    host = host_facts.current()
    with Journal(host.state_dir) as journal:
        names = tags.chosen(journal, job, tag)
    before = _changed(host)
    path = _write(host, file, names, since)
    typer.echo(f"wrote {path} ({filesize.decimal(path.stat().st_size)})")
    if launch and not webbrowser.open(path.as_uri()):
        raise EngineError(f"no browser could be opened; open {path.as_uri()} in one")
    with contextlib.suppress(KeyboardInterrupt):
        while watch:
            time.sleep(EVERY)
            if (now := _changed(host)) != before:
                before = now
                try:
                    _write(host, file, names, since)
                except RatectlError as error:  # the next firing gives another try
                    typer.echo(f"ratectl: {error}", err=True)


def _changed(host: Host) -> tuple[int, ...]:
    """Return when this machine's journals were last written to, and how long they are: SQLite appends to the second file."""
    found: list[int] = []
    of_accounts = Path(accounts.state_parent(host.platform)).glob("*") if host.root else ()
    for folder in (host.state_dir, *sorted(of_accounts)):
        for name in ("journal.sqlite3", "journal.sqlite3-wal"):
            with contextlib.suppress(OSError):
                status = (folder / name).stat()
                found += (status.st_mtime_ns, status.st_size)
    return tuple(found)


def _write(host: Host, file: Path, names: Sequence[str], since: str) -> Path:
    """Write the page of the jobs *names*, or of all, and return its absolute path."""
    with Journal(host.state_dir) as journal:
        return _write_from(host, journal, file, names, since)


def _write_from(host: Host, journal: Journal, file: Path, names: Sequence[str], since: str) -> Path:
    removed = {row.job.name for row in journal.removed()}
    here = [name for name in names if name not in removed]
    found = look(host, journal, here) if here or not names else ()
    charts = sum(len(status.pairs) for status in found)
    with progress("reading the journal", charts) as on_chart:
        wanted = Wanted(
            now=utc_now(),
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
