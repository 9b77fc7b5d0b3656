"""``ratectl chart``: the rates of a job, drawn in the terminal, a chart for each pair."""

from __future__ import annotations

import datetime as dt
import shutil
from typing import TYPE_CHECKING, Annotated

import typer

from ratectl.commands._shared import date_range, terminal
from ratectl.errors import ConfigError
from ratectl.journal import queries
from ratectl.journal.journal import Journal
from ratectl.runtime import own_places
from ratectl.views import chart as views

if TYPE_CHECKING:
    from ratectl.journal.queries import Series
    from ratectl.journal.rate_store import RateStore
    from ratectl.journal.rows import Span
    from ratectl.model.job import Job, Pair

A_YEAR = dt.timedelta(days=366)
LINES = 20
"""Of a chart, on a terminal that is high enough for it."""
PIPED = (100, LINES)
"""Columns and lines where nothing is shown on a screen."""


def chart(
    job: Annotated[str, typer.Argument(metavar="JOB", help="A job, installed or removed.")],
    *,
    since: date_range.SinceOption = "",
    until: date_range.UntilOption = "",
    pair: date_range.PairOption = "",
) -> None:
    """Draw the rates of a job in the terminal.

    A chart for each pair, of the last year unless --since says otherwise.

    \b
    Examples:
      ratectl chart usd-inr
      ratectl chart euro --pair EUR/USD --since 2020-01-01
    """
    size = _size()
    with Journal(own_places.state_dir()) as journal:
        known = journal.remembered(job).job
        span, store = date_range.span(since, until, known.zone), journal.store(known)
        wanted = date_range.pair(pair, known)
        pairs = known.pairs if wanted is None else (wanted,)
        charts = {pair: _series(store, known, pair, span, size[0]) for pair in pairs}
    if not any(series.number for series in charts.values()):
        if since or until or pair:
            raise ConfigError(
                f"{job}: nothing was recorded in that time; `ratectl history {job}` lists all"
            )
        raise ConfigError(f"{job}: nothing was recorded yet; `ratectl status {job}` shows why")
    drawn = (views.chart(p, charts[p], known.zone, size) for p in pairs if charts[p].number)
    typer.echo("\n\n".join(drawn))  # as wide as the terminal already


def _series(store: RateStore, job: Job, pair: Pair, span: Span, columns: int) -> Series:
    """Return the rates in *span*, or without a start those of the year that ends with the newest."""
    if span.start is None and (last := queries.newest_slot(store, job.name, span, pair)):
        span = span._replace(start=last - A_YEAR)
    return queries.series(store, job.name, pair, span, max_points=6 * columns)


def _size() -> tuple[int, int]:
    if terminal.width() == terminal.PIPED:
        return PIPED
    found = shutil.get_terminal_size()
    return terminal.width(), min(LINES, max(8, found.lines - 2))
