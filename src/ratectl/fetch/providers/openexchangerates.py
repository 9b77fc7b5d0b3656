"""openexchangerates.org: every hour, days since 1999, with a key; the free plan has base USD, so other bases are crosses.

Shape: ``{"timestamp": unix, "base": "USD", "rates": {"INR": 95.0718}}``; the rate date is the UTC day of the timestamp,
which for a past day is its last second. Errors: ``{"error": true, "status": 401, "message": "invalid_app_id"}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.http import Request
from ratectl.fetch.providers._shared import answer_dates, cross_rates
from ratectl.fetch.providers._shared import json_body as bodies
from ratectl.fetch.providers._shared import query as asks
from ratectl.model.job import Pair

if TYPE_CHECKING:
    import datetime as dt

    from ratectl.fetch.providers._shared.query import Answered, RateQuery
    from ratectl.model.job import Provider

HUB = "USD"
LACKING = frozenset({"invalid_base", "not_available", "not_found"})
"""What no key and no plan can mend; every other word is about them."""

groups = asks.together


def request(provider: Provider, query: RateQuery, today: dt.date) -> Request:
    """Return the request for the newest rates, or for those of one day."""
    del today
    name = "latest.json" if query.until is None else f"historical/{query.until}.json"
    return Request(url=f"{asks.base_url(provider)}/{name}", scheme="Token")


def refusal(status: int, body: bytes) -> FetchError | None:
    """Return what an error answer means."""
    word = bodies.error_word(body, "message")
    if not word or not 400 <= status < 500:
        return None
    kind = FailureKind.CONFIG if word in LACKING else FailureKind.REFUSED
    return FetchError(kind, f"{word} (HTTP {status})")


def parse(provider: Provider, query: RateQuery, body: bytes) -> tuple[Answered, ...]:
    """Return what *body* says of the asked pairs."""
    del provider
    answer = bodies.load(body)
    bodies.echo(answer, "base", HUB)
    updated = bodies.moment(answer.get("timestamp"))
    if updated is None:
        raise bodies.bad("no timestamp in the answer")
    day = bodies.echo_day(answer_dates.stamped_day(updated, query.until), query.until)
    table = bodies.table(answer, "rates")
    rates = {
        Pair(base=HUB, quote=code): cross_rates.cell(
            Pair(base=HUB, quote=code), table[code], day, bodies.number
        )
        for code in asks.currencies(query) - {HUB}
        if code in table
    }
    found = (
        cross_rates.through(HUB, pair, rates, day=day, provider_time=updated)
        for pair in query.pairs
    )
    return tuple(published for published in found if published is not None)


def not_before(body: bytes) -> None:
    """Return None: how often it changes depends on the plan, which no answer tells."""
    del body
