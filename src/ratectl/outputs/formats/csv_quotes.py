"""Comma-separated records with the columns of the quotes table, one for each slot: for jobs that run several times a day.

Times are ISO 8601 in UTC; names with commas or quotation marks are quoted (RFC 4180).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.outputs.formats import cells, quotes_table

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ratectl.model.job import Job
    from ratectl.model.quote import Quote

HEADER = (",".join(quotes_table.COLUMNS) + "\n").encode()
BY_DAY = False


def lines(job: Job, slot: dt.datetime, quotes: Sequence[Quote]) -> tuple[bytes, ...]:
    """Return one record for each quote."""
    rows = quotes_table.lines(job, slot, quotes)
    return tuple(cells.record(quotes_table.values(row)) for row in rows)
