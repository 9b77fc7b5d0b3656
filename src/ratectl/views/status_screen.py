"""Status as a person sees it: a line for each job, a line for each pair, and what needs attention below.

Colour says nothing that a word beside it does not say as well.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from ratectl.model.quote import plain
from ratectl.views.format import clocks, count, length, relative_time, sparkline
from ratectl.views.status import QUOTES, age

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from ratectl.journal.journal import RecordedQuote
    from ratectl.views.status import JobStatus

STYLES = {
    "ok": "green",
    "new": "cyan",
    "paused": "dim",
    "off": "dim",
    "missed": "yellow",
    "drifted": "yellow",
    "failing": "bold red",
}
"""Each word that stands behind a job, the best first, and how it looks."""
INDENT = 4
FEWEST_BLOCKS = 8
WIDE = 100
"""Columns from which on the day that each rate is for has room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Who looks, when, and on how wide a screen."""

    now: dt.datetime
    zone: dt.tzinfo
    width: int


def word(status: JobStatus) -> str:
    """Return the one word for how a job stands; the worst that is true of it."""
    if status.failures or status.troubles:
        return "failing"
    if status.drift:
        return "drifted"
    if status.paused:
        return "paused"
    if not status.enabled:
        return "off"
    if status.last and status.last.outcome == "missed":
        return "missed"
    return "ok" if status.newest else "new"


def screen(found: Sequence[JobStatus], view: View) -> Text:
    """Return the whole screen for *found*."""
    if not found:
        return Text(
            "no jobs are installed; `ratectl init` writes a spec, `ratectl install` installs it"
        )
    names = max(len(status.job) for status in found)
    table = _Rates(found, view)
    lines: list[Text] = []
    for status in found:
        lines.append(_head(status, names, view))
        lines += (
            table.line(status.recent[pair]) for pair in status.pairs if status.recent.get(pair)
        )
        lines += (
            Text(f"{' ' * INDENT}! {text}", style="yellow") for text in _attention(status, view)
        )
    return Text("\n").join([*lines, _summary(found)])


def _head(status: JobStatus, names: int, view: View) -> Text:
    label = word(status)
    if status.next is not None:
        following = f"next {clocks(status.next, view.zone)}, {relative_time(status.next, view.now)}"
    else:
        gone = "" if label in {"paused", "off"} else "nothing wakes it"
        following = "no further slot" if status.enabled else gone
    return Text.assemble(
        (status.job.ljust(names), "bold"),
        "  ",
        (f"{label:<7}", STYLES[label]),
        "  ",
        following,
    )


def _attention(status: JobStatus, view: View) -> Iterator[str]:
    """Yield what a person should know of a job, a sentence each."""
    last = status.last
    if last is not None and last.outcome != "recorded":
        ended = (
            "a firing is at work" if not last.outcome else f"the last slot {_ENDED[last.outcome]}"
        )
        if last.outcome == "failed" and status.is_owed:
            ended += " and is still due"
        why = f": {last.detail}" if last.detail else ""
        yield f"{ended} ({relative_time(last.at, view.now)}){why}"
    if status.failures:
        yield f"{count(status.failures, 'firing')} in a row failed"
    if status.missed:
        yield f"{count(status.missed, 'slot')} missed since the installation"
    yield from status.troubles
    yield from status.drift


_ENDED = {
    "closed": "was closed without a rate",
    "missed": "was missed",
    "failed": "failed",
}


class _Rates:
    """Lines of rates, with columns as wide as the widest of all jobs."""

    def __init__(self, found: Sequence[JobStatus], view: View) -> None:
        self._view = view
        newest = [entries[-1] for status in found for entries in status.recent.values()]
        cells = [self._cells(entry) for entry in newest]
        self._widths = [max(map(len, column)) for column in zip(*cells, strict=True)]

    def _cells(self, entry: RecordedQuote) -> tuple[str, ...]:
        quote = entry.quote
        old = f"{length(age(entry, self._view.now))} ago"
        day = (f"of {quote.rate_date}",) if self._view.width >= WIDE else ()
        return (str(quote.pair), plain(quote.rate), old, *day, quote.provider)

    def line(self, entries: Sequence[RecordedQuote]) -> Text:
        pair, rate, old, *rest = (
            cell.ljust(width)
            for cell, width in zip(self._cells(entries[-1]), self._widths, strict=True)
        )
        used = INDENT + sum(self._widths) + 2 * len(self._widths)
        blocks = min(QUOTES, max(FEWEST_BLOCKS, self._view.width - used))
        drawn = sparkline([entry.quote.rate for entry in entries[-blocks:]])
        plain_cells = [Text(cell) for cell in (old, *rest)]
        cells = (Text(" " * INDENT + pair), Text(rate, "bold"), *plain_cells, Text(drawn, "cyan"))
        return Text("  ").join(cells)


def _summary(found: Sequence[JobStatus]) -> Text:
    counts = Counter(word(status) for status in found)
    totals = ", ".join(f"{counts[name]} {name}" for name in STYLES if counts[name])
    bad = counts.keys() & {"failing", "drifted", "missed"}
    hint = "; `ratectl doctor` looks for the reason" if bad else ""
    return Text(f"{count(len(found), 'job')}: {totals}{hint}", style="dim")
