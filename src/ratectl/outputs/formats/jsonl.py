"""One JSON object per line, with every date that the quote has; rates are strings, since floats lose digits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ratectl.model.quote import to_dict

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ratectl.model.job import Job
    from ratectl.model.quote import Quote

HEADER = b""
BY_DAY = False


def lines(job: Job, slot: dt.datetime, quotes: Sequence[Quote]) -> tuple[bytes, ...]:
    """Return one object for each quote; *slot* is written with the offset of the job's zone."""
    moment = slot.astimezone(job.zone).isoformat()
    return tuple(
        json.dumps(
            {"job": job.name, "slot": moment} | to_dict(quote), separators=(",", ":")
        ).encode()
        + b"\n"
        for quote in quotes
    )
