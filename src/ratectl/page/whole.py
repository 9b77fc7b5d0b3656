"""The whole page out of the journal: every job that is installed, and those that were removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ratectl.errors import ConfigError, TryLaterError
from ratectl.journal.rows import EVERY_SLOT, Span
from ratectl.page import html
from ratectl.page.html import View
from ratectl.page.reading import Reading, points_for

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from ratectl.journal.journal import Installed, Journal
    from ratectl.page.reading import JobPage


class Engines(NamedTuple):
    """What the schedulers say of one job."""

    notes: Sequence[str]
    """What is wrong with it there."""
    enabled: bool
    """Something wakes it."""


class Wanted(NamedTuple):
    """What of the journal is shown, and when."""

    now: dt.datetime
    zone: dt.tzinfo
    names: Collection[str] = ()
    """Only these jobs; all where there are none."""
    span_of: Callable[[ZoneInfo], Span] = lambda _zone: EVERY_SLOT
    """Which slots are shown of a job in that zone."""
    engines: Mapping[str, Engines] = {}
    on_chart: Callable[[int], None] = lambda _number: None
    """Called with how many more charts are read."""


def page(journal: Journal, wanted: Wanted) -> tuple[str, tuple[str, ...]]:
    """Return the page, and why jobs are not on it."""
    here = [row for row in journal.in_order() if _is_wanted(row, wanted)]
    gone = [row for row in journal.removed() if _is_wanted(row, wanted)]
    points = points_for(sum(len(row.job.pairs) for row in (*here, *gone)))
    last = journal.last_firings(here, lambda _error: None)
    here = list(journal.counting_together(here, last))
    left_out: list[str] = []
    pages = _pages(journal, here, wanted, points, left_out)
    formerly = _pages(journal, gone, wanted, points, left_out, removed=True)
    view = View(wanted.now, wanted.zone, left_out)
    return html.page(pages, formerly, view), tuple(left_out)


def _is_wanted(row: Installed, wanted: Wanted) -> bool:
    return not wanted.names or row.job.name in wanted.names


def _pages(
    journal: Journal,
    rows: Sequence[Installed],
    wanted: Wanted,
    points: int,
    left_out: list[str],
    *,
    removed: bool = False,
) -> list[JobPage]:
    """Return the pages of *rows*, and add to *left_out* why one has none."""
    pages = []
    for row in rows:
        engines = wanted.engines.get(row.job.name, Engines((), enabled=True))
        try:
            if row.job.fault:
                raise ConfigError(row.job.fault)
            span = wanted.span_of(row.job.zone)
            reading = Reading(journal.store(row.job), row, wanted.now, span, points)
            pages.append(
                reading.page(removed=removed, notes=engines.notes, enabled=engines.enabled)
            )
        except (TryLaterError, ConfigError) as error:
            left_out.append(f"{row.job.name} is left out: {error}")
        wanted.on_chart(len(row.job.pairs))
    return pages
