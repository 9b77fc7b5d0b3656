"""The table of ``ratectl history``: a line for each quote and where it is from, in constant memory."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from ratectl.model.quote import IMPORTED, plain
from ratectl.views.format import clock
from ratectl.wording import wrapped

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from ratectl.journal.journal import RecordedQuote

HEAD = ("SLOT", "PAIR", "RATE", "OF", "PROVIDER", "KIND", "RECEIVED", "")
ROOM = 108
"""Columns from which on the column of when each quote was received is shown."""
BELOW = "    "
"""What stands before the end of a line that is wider than the screen."""
UNKNOWN = "-"
"""What stands where nobody knows when a quote was received."""
MEASURED = 500
"""Lines from which the widths of the columns are taken."""


def table(entries: Iterable[RecordedQuote], zone: dt.tzinfo, width: int) -> Iterator[str]:
    """Yield the lines of the table for *entries*, its head first; slots are in *zone*."""
    lines = (_cells(entry, zone) for entry in entries)
    first = list(islice(lines, MEASURED))
    if not first:
        return
    widths = [max(map(len, column)) for column in zip(HEAD, *first, strict=True)]
    columns = [n for n in range(len(HEAD)) if HEAD[n] != "RECEIVED" or width >= ROOM]
    for cells in chain((HEAD,), first, lines):
        line = "  ".join(_aligned(cells[n], widths[n], HEAD[n]) for n in columns).rstrip()
        if len(line) <= width:
            yield line
        else:
            *others, notes = (_aligned(cells[n], widths[n], HEAD[n]) for n in columns)
            yield from wrapped("  ".join(others).rstrip(), width, further=BELOW)
            yield from wrapped(notes.strip(), width, first=BELOW, further=BELOW)


def _aligned(cell: str, width: int, head: str) -> str:
    return cell.rjust(width) if head == "RATE" else cell.ljust(width)


def _cells(entry: RecordedQuote, zone: dt.tzinfo) -> tuple[str, ...]:
    quote, slot = entry.quote, entry.slot.astimezone(zone)
    return (
        clock(slot),
        str(quote.pair),
        plain(quote.rate),
        quote.rate_date.isoformat(),
        quote.provider,
        quote.kind,
        _received(entry, zone),
        "; ".join(_notes(entry, zone)),
    )


def _received(entry: RecordedQuote, zone: dt.tzinfo) -> str:
    """Return when the quote was received; of an imported row that does not say that, the record has its slot."""
    if entry.quote.kind == IMPORTED and entry.quote.observed_at == entry.slot:
        return UNKNOWN
    return f"{entry.quote.observed_at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _notes(entry: RecordedQuote, zone: dt.tzinfo) -> Iterator[str]:
    """Yield what else there is to know of a quote's origin, and what became of it."""
    if entry.retired_at is not None:
        yield f"{entry.state} {entry.retired_at.astimezone(zone):%Y-%m-%d}: {entry.reason}"
    if entry.supersedes is not None:
        yield f"revised, was {plain(entry.supersedes)}"
    if entry.quote.legs:
        legs = ", ".join(f"{leg.pair} {plain(leg.rate)}" for leg in entry.quote.legs)
        yield f"from {legs}"
