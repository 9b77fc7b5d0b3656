"""Price directives of ledger and hledger: ``P 2026-11-20 00:00:00 USD 95.07 INR``, dated with the rate date.

The form: https://ledger-cli.org/doc/ledger3.html#Commodity-price-histories.
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
    """Return one directive for each quote; midnight, since a provider's day has no hour."""
    del job, slot
    return tuple(
        f"P {q.rate_date} 00:00:00 {q.pair.base} {plain(q.rate)} {q.pair.quote}\n".encode()
        for q in quotes
    )
