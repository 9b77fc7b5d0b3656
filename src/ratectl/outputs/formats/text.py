"""The plain line of old: ``23/11/2026 - 95.12``, dated with the slot's civil date in the job's zone.

A rate of another day says so: ``22/11/2026 - 95.12 (of 20/11/2026)``. With several pairs each line names its own
(a job's ``pairs_in_text`` says when).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.model.job import PairsInText
from ratectl.model.quote import plain

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ratectl.model.job import Job
    from ratectl.model.quote import Quote

HEADER = b""
BY_DAY = False


def lines(job: Job, slot: dt.datetime, quotes: Sequence[Quote]) -> tuple[bytes, ...]:
    """Return ``dd/mm/YYYY - [PAIR ]RATE[ (of dd/mm/YYYY)]`` for each quote."""
    named = names_pairs(job)
    day = slot.astimezone(job.zone).date()
    return tuple(_line(day, quote, named=named).encode() for quote in quotes)


def names_pairs(job: Job) -> bool:
    """Tell whether each line of *job* says which pair its rate is of."""
    several = job.pairs_in_text is PairsInText.AUTO and len(job.pairs) > 1
    return several or job.pairs_in_text is PairsInText.ALWAYS


def _line(day: dt.date, quote: Quote, *, named: bool) -> str:
    pair = f"{quote.pair} " if named else ""
    mark = "" if quote.rate_date == day else f" (of {quote.rate_date:%d/%m/%Y})"
    return f"{day:%d/%m/%Y} - {pair}{plain(quote.rate)}{mark}\n"
