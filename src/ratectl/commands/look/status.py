"""``ratectl status``: how each job stands, for a glance, for a program, and for monitoring."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ratectl.commands._shared import tags, terminal, write_file
from ratectl.commands._shared.environment import utc_now
from ratectl.commands._shared.options import JsonOption
from ratectl.commands._shared.rows import look
from ratectl.commands._shared.tags import TagOption
from ratectl.deploy import host_facts
from ratectl.errors import ConfigError, UsageError
from ratectl.journal.journal import Journal
from ratectl.runtime import made_files
from ratectl.runtime.visible import is_visible, visible
from ratectl.views import status as views
from ratectl.views.format import as_json, length

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from ratectl.views.status import JobStatus

EVERY = 5
"""Seconds between two looks of ``--watch``."""


def status(
    jobs: Annotated[
        list[str] | None,
        typer.Argument(metavar="JOB...", show_default=False, help="By default all installed ones."),
    ] = None,
    *,
    tag: TagOption = None,
    json: JsonOption = False,
    watch: Annotated[
        bool, typer.Option("--watch", help=f"Look again every {EVERY} seconds, until Ctrl-C.")
    ] = False,
    max_age: Annotated[
        str,
        typer.Option(
            metavar="AGE", help="Exit with 1 if a newest rate was received longer ago: 26h, 3d."
        ),
    ] = "",
    prometheus: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            readable=False,
            help="Write metrics for node-exporter there, and show nothing.",
        ),
    ] = None,
) -> None:
    """Show how each job stands: next slot, newest rate, faults.

    Each rate comes with its last 30 quotes, drawn. Exit code 0; with --max-age 1 when the
    newest rate of a pair is older than that, or when there is none for that long.

    \b
    Examples:
      ratectl status
      ratectl status usd-inr --max-age 26h
      ratectl status --prometheus /var/lib/node_exporter/ratectl.prom
    """
    seconds = _seconds(max_age)
    if watch:
        _watch(jobs or [], tag or [], alone=not (json or max_age or prometheus))
        return
    found = _look(jobs or [], tag or [])
    now = utc_now()
    if prometheus is not None:
        from ratectl.views import prometheus as metrics  # noqa: PLC0415 - 60 ms that a look need not pay

        with Journal(host_facts.current().state_dir) as journal:
            write_file.require_replaceable(prometheus, made_files.METRICS, journal)
        write_file.replace(prometheus, metrics.exposition(found))
    elif json:
        typer.echo(as_json(views.as_facts(found, now)))
    else:
        terminal.show_styled(_screen(found))
    if seconds is not None:
        _judge(found, seconds, now)


def _seconds(text: str) -> int | None:
    from ratectl.spec.readers import duration  # noqa: PLC0415 - for --max-age, with all that reads a spec

    try:
        return duration(text) if text else None
    except ValueError as error:
        raise UsageError(f"status: --max-age: {error}") from error


def _look(names: Sequence[str], tagged: Sequence[str]) -> tuple[JobStatus, ...]:
    host = host_facts.current()
    with Journal(host.state_dir) as journal:
        return look(host, journal, tags.chosen(journal, names, tagged))


def _screen(found: Sequence[JobStatus], height: int = 0) -> Text:
    from rich.text import Text  # noqa: PLC0415 - rich, which --json need not pay for

    from ratectl.views.status_screen import View, screen  # noqa: PLC0415 - the same

    now = utc_now()
    view = View(
        now=now,
        zone=terminal.viewer_zone(),
        width=terminal.width(),
        height=height,
        nothing="" if found else _nothing(),
    )
    text = screen(found, view)
    return text if is_visible(text.plain) else Text(visible(text.plain))


def _nothing() -> str:
    from ratectl.commands._shared import next_step  # noqa: PLC0415 - for this only

    return next_step.nothing_installed()


def _watch(names: Sequence[str], tagged: Sequence[str], *, alone: bool) -> None:
    """Show the screen again and again, until Ctrl-C."""
    from rich.live import Live  # noqa: PLC0415 - for this only

    console = terminal.full_screen()
    if not alone or not console.is_terminal:
        raise UsageError(
            "status: --watch is for a person at a terminal, and goes with no other option"
        )
    try:
        first = _screen(_look(names, tagged), console.height)
        with Live(first, console=console, screen=True, auto_refresh=False) as live:
            while True:
                time.sleep(EVERY)
                live.update(_screen(_look(names, tagged), console.height), refresh=True)
    except KeyboardInterrupt:
        return


def _judge(found: Sequence[JobStatus], limit: int, now: dt.datetime) -> None:
    """Exit with 1, and say why, where a rate is older than *limit* seconds."""
    old = list(views.stale(found, limit, now))
    for stale in old:
        message = (
            f"is {length(stale.seconds)} old"
            if stale.rated
            else f"has no rate since the installation {length(stale.seconds)} ago"
        )
        typer.echo(f"ratectl: {stale.job}: {stale.pair} {message}", err=True)
    if old:
        raise typer.Exit(1)
    if not found:
        raise ConfigError(
            "status: no jobs are installed, so there is no rate to judge by --max-age"
        )
