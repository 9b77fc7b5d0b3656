"""The table ``quotes`` that every database gets: its columns, and a quote as one row of texts.

A row is unique by job, slot, base and quote, so inserting it again changes nothing; a revised number takes the place of
the one before it.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from ratectl.model.quote import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.model.job import Job
    from ratectl.model.quote import Quote

COLUMNS = (
    "job",
    "slot",
    "base",
    "quote",
    "rate",
    "rate_date",
    "provider",
    "observed_at",
    "kind",
)
KEY = ("job", "slot", "base", "quote")
REVISED = ("rate", "rate_date", "provider", "observed_at", "kind")
"""What a revision changes of a row."""
REVISE = (
    f"UPDATE quotes SET {', '.join(f'{column} = ?' for column in REVISED)}"  # noqa: S608 - our names
    f" WHERE {' AND '.join(f'{column} = ?' for column in KEY)} AND observed_at < ?"
)
"""Where the table has an older number of a slot; one that was written again later stays, whatever it is by now."""


def lines(job: Job, slot: dt.datetime, quotes: Sequence[Quote]) -> tuple[bytes, ...]:
    """Return one JSON object for each quote, as the journal keeps it until the database has it.

    Times are ISO 8601 in UTC, the rate is the provider's digits.
    """
    moment = slot.astimezone(dt.UTC).isoformat()
    return tuple(
        json.dumps(
            {
                "job": job.name,
                "slot": moment,
                "base": quote.pair.base,
                "quote": quote.pair.quote,
                "rate": plain(quote.rate),
                "rate_date": quote.rate_date.isoformat(),
                "provider": quote.provider,
                "observed_at": quote.observed_at.astimezone(dt.UTC).isoformat(),
                "kind": quote.kind,
            }
        ).encode()
        for quote in quotes
    )


def revising(row: Sequence[str]) -> tuple[str, ...]:
    """Return the parameters of REVISE for a *row* of :func:`values`."""
    named = dict(zip(COLUMNS, row, strict=True))
    return (
        *(named[column] for column in (*REVISED, *KEY)),
        named["observed_at"],
    )


def values(line: bytes) -> tuple[str, ...]:
    """Return what :func:`lines` made, in the order of COLUMNS."""
    row = json.loads(line)
    return tuple(str(row[column]) for column in COLUMNS)
