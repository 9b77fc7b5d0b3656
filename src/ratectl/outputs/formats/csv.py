"""Comma-separated prices under pricehist's header; *date* is the rate date, *type* the quote's kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.model.quote import plain
from ratectl.outputs.formats import cells

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ratectl.model.job import Job
    from ratectl.model.quote import Quote

HEADER = b"date,base,quote,amount,source,type\n"
BY_DAY = True


def lines(job: Job, slot: dt.datetime, quotes: Sequence[Quote]) -> tuple[bytes, ...]:
    """Return one record for each quote."""
    del job, slot
    return tuple(
        cells.record(
            (str(q.rate_date), q.pair.base, q.pair.quote, plain(q.rate), q.provider, q.kind)
        )
        for q in quotes
    )
