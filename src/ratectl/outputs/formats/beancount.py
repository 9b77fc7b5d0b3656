"""Price directives of beancount: ``2026-11-20 price USD 95.07 INR``, dated with the rate date.

The form: https://beancount.github.io/docs/beancount_language_syntax.html#prices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.model.quote import plain

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ratectl.model.job import Job
    from ratectl.model.quote import Quote

HEADER = b""
BY_DAY = True


def lines(job: Job, slot: dt.datetime, quotes: Sequence[Quote]) -> tuple[bytes, ...]:
    """Return one directive for each quote."""
    del job, slot
    return tuple(
        f"{q.rate_date} price {q.pair.base} {plain(q.rate)} {q.pair.quote}\n".encode()
        for q in quotes
    )
