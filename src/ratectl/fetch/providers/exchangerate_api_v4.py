"""api.exchangerate-api.com/v4: any base, latest only, few digits; legacy, says its own body.

Shape: ``{"base": "USD", "date": "2026-11-20", "time_last_updated": unix, "rates": {"INR": 95.07}}``.
An unknown base is a 404 with ``error_type`` ``unsupported_code``.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.providers._shared import json_body as bodies
from ratectl.fetch.providers._shared import query as asks

if TYPE_CHECKING:
    from ratectl.fetch.providers._shared.query import Answered, RateQuery
    from ratectl.model.job import Provider

groups = asks.by_base
request = asks.latest


def refusal(status: int, body: bytes) -> FetchError | None:
    """Return what an error answer means."""
    word = bodies.error_word(body, "error_type", "error-type")
    if word:
        kind = (
            FailureKind.CONFIG
            if word in {"unsupported_code", "malformed_request"}
            else FailureKind.REFUSED
        )
        return FetchError(kind, f"{word} (HTTP {status})")
    return None


def parse(provider: Provider, query: RateQuery, body: bytes) -> tuple[Answered, ...]:
    """Return what *body* says of the asked pairs."""
    del provider
    answer = bodies.load(body)
    bodies.echo(answer, "base", query.pairs[0].base)
    rates = bodies.table(answer, "rates")
    day = bodies.day(answer.get("date"), "date")
    updated = bodies.moment(answer.get("time_last_updated"))
    return tuple(
        asks.read_rate(pair, rates[pair.quote], day, provider_time=updated)
        for pair in query.pairs
        if pair.quote in rates
    )


def not_before(body: bytes) -> dt.datetime | None:
    """Return the midnight UTC after the day of ``date``: it publishes a second or two after each midnight."""
    day = bodies.day(bodies.load(body).get("date"), "date")
    if day == dt.date.max:
        return None
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), dt.UTC)
