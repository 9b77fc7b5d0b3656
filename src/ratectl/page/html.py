"""Fills the page: one HTML file with all its data, plain tables and drawings, and a small script for what moves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from ratectl import __version__
from ratectl.fetch.providers.catalog import INFO
from ratectl.model import currencies
from ratectl.page import attention, drawing, numbers, series, standing
from ratectl.page.reading import CHANGES, MOST_TROUBLES
from ratectl.page.slots import COURSES, DUE, Slots
from ratectl.runtime import templates
from ratectl.runtime.visible import visible
from ratectl.schedule.language.explain import explain
from ratectl.views.format import clock, length, relative_time
from ratectl.wording import SWITCHED_OFF

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ratectl.fetch.providers.catalog import ProviderInfo
    from ratectl.model.job import Pair
    from ratectl.page.reading import JobPage, PairPage

FAVICONS = {True: ("c62828", "!"), False: ("1d7a5c", "✓")}
"""Whether something needs a person -> the colour and the sign of the page's icon."""


class View(NamedTuple):
    """When the page is written, and on whose clocks."""

    now: dt.datetime
    zone: dt.tzinfo
    left_out: Sequence[str] = ()
    """Why jobs are not on the page."""


def page(pages: Sequence[JobPage], formerly: Sequence[JobPage], view: View) -> str:
    """Return the whole page of the jobs *pages*, in the order of the spec, and of those that are removed."""
    worst_first = sorted(pages, key=lambda page: standing.WORDS.index(page.word))
    troubles = attention.troubles(pages, MOST_TROUBLES + 1)
    rows = [row for page in worst_first for row in _rows(page, view)]
    words = [page.word for page in pages]
    packed = json.dumps(series.data([*pages, *formerly]), ensure_ascii=False, separators=(",", ":"))
    return templates.fill_page(
        "report/page.html.j2",
        {
            "css": templates.source("report/report.css"),
            "script": templates.source("report/report.js"),
            "data": visible(packed).replace("<", "\\u003c"),  # so that no tag can stand in it
        },
        version=__version__,
        written=_moment(view.now.astimezone(view.zone).replace(second=0, microsecond=0), view.now),
        counted=standing.counted(words),
        summary=standing.summary(words),
        symbols=standing.SYMBOLS,
        icon=FAVICONS[bool(standing.BAD & set(words))],
        left_out=view.left_out,
        outdated_from=min((p.following for p in pages if p.following), default=None),
        attention=attention.lines(pages),
        changes=CHANGES,
        rows=rows,
        former_rows=[row for page in formerly for row in _rows(page, view)],
        fraction=max((len(row["newest"].fraction) for row in rows if row["newest"]), default=0),
        jobs=[_job(page, view) for page in worst_first],
        legend=[(course, templates.verbatim(drawing.mark(course))) for course in (*COURSES, DUE)],
        troubles=troubles[:MOST_TROUBLES],
        cut_after=MOST_TROUBLES if len(troubles) > MOST_TROUBLES else 0,
        clock=clock,
        sources=_sources([*pages, *formerly]),
    )


def _rows(page: JobPage, view: View) -> list[dict[str, Any]]:
    """Return a row of the table for each pair."""
    return [_row(page, pair, view) for pair in page.pairs]


def _row(page: JobPage, pair: PairPage, view: View) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "id": series.address(page.job.name, pair.pair),
        "pair": str(pair.pair),
        "words": _words(pair.pair),
        "job": page.job.name,
        "word": page.word,
        "newest": None,
        "none_yet": _none_yet(page),
    }
    if pair.newest is None:
        return facts
    quote = pair.newest.quote
    changes = [(days, _change(pair, days)) for days in CHANGES]
    return facts | {
        "newest": numbers.shown(quote.rate),
        "changes": changes,
        "spark": templates.verbatim(drawing.sparkline(pair.recent)),
        "year": _year(pair),
        "age": length((view.now - quote.observed_at).total_seconds()),
        "received": _moment(quote.observed_at.astimezone(page.job.zone), view.now),
        "rate_date": quote.rate_date,
        "provider": quote.provider,
    }


def _change(pair: PairPage, days: int) -> str:
    before = pair.changes.get(days)
    if before is None or pair.newest is None:
        return ""
    return numbers.percent(pair.newest.quote.rate, before)


def _year(pair: PairPage) -> dict[str, Any] | None:
    """Return the lowest, the mean and the highest rate of a year; None where there is only one."""
    if pair.newest is None or not pair.year.low < pair.year.high:
        return None
    rate, year = pair.newest.quote.rate, pair.year
    low, mean, high = (numbers.like(value, rate) for value in (year.low, year.mean, year.high))
    svg = drawing.place(year.low, year.mean, year.high, float(rate))
    return {"low": low, "mean": mean, "high": high, "place": templates.verbatim(svg)}


def _none_yet(page: JobPage) -> str:
    if page.word == "removed" or page.following is None:
        return "no rate"
    first = clock(page.following.astimezone(page.job.zone))
    return f"no rate yet; the {'next' if page.outcomes else 'first'} slot is {first}"


def _words(pair: Pair) -> str:
    return f"{currencies.name(pair.quote)} for one {currencies.name(pair.base)}"


def _job(page: JobPage, view: View) -> dict[str, Any]:
    slots = Slots(page, view.now)
    following = page.following.astimezone(page.job.zone) if page.following else None
    return {
        "name": page.job.name,
        "word": page.word,
        "schedule": explain(page.job.schedule).removesuffix("."),
        "zone": page.job.timezone,
        "next": _moment(following, view.now) if following else None,
        "off": "" if page.job.enabled else SWITCHED_OFF,
        "strip": [templates.verbatim(svg) for svg in drawing.strip(slots.strip())],
        "told": slots.summary(),
        "on_time": slots.on_time(),
        "calendar": templates.verbatim(drawing.calendar(slots.calendar())),
        "years": slots.years(),
    }


def _moment(moment: dt.datetime, now: dt.datetime) -> dict[str, str]:
    """Return *moment* for people, how far it lies from *now*, and as ISO 8601, from which a script tells that anew."""
    return {
        "clock": clock(moment),
        "relative": relative_time(moment, now),
        "iso": moment.isoformat(),
    }


def _sources(pages: Sequence[JobPage]) -> dict[str, ProviderInfo]:
    """Return the kinds of providers that the jobs ask, each with what its terms want said."""
    kinds = {provider.kind: None for page in pages for provider in page.job.providers}
    return {kind: INFO[kind] for kind in kinds if kind in INFO}
