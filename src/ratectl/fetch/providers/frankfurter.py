"""api.frankfurter.dev/v1: the ECB's rates with crosses made, since 1999, about 30 currencies.

Shape: ``{"amount": 1.0, "base": "USD", "date": "2026-11-20", "rates": {"INR": 95.12}}``, for a range the
rates by date, from the last business day before its start on. 404 ``not found`` and 422 mean a currency that the ECB lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.http import Request
from ratectl.fetch.providers._shared import json_body as bodies
from ratectl.fetch.providers._shared import query as asks

if TYPE_CHECKING:
    import datetime as dt

    from ratectl.fetch.providers._shared.query import Answered, RateQuery
    from ratectl.model.job import Provider

groups = asks.by_base


def request(provider: Provider, query: RateQuery, today: dt.date) -> Request:
    """Return the request for one base: all newest rates, so that every job asks the same, or a range of the asked pairs."""
    del today
    base = f"base={query.pairs[0].base}"
    if query.since is None:
        return Request(url=f"{asks.base_url(provider)}/latest?{base}")
    symbols = ",".join(pair.quote for pair in query.pairs)
    url = f"{asks.base_url(provider)}/{query.since}..{query.until}?{base}&symbols={symbols}"
    return Request(url=url)


def refusal(status: int, body: bytes) -> FetchError | None:
    """Return what an error answer means."""
    word = bodies.error_word(body, "message")
    if not word or status < 400:
        return None
    kind = FailureKind.CONFIG if status in {400, 404, 422} else FailureKind.TRANSIENT
    return FetchError(kind, f"{word} (HTTP {status})")


def parse(provider: Provider, query: RateQuery, body: bytes) -> tuple[Answered, ...]:
    """Return what *body* says of the asked pairs."""
    del provider
    answer = bodies.load(body)
    bodies.echo(answer, "base", query.pairs[0].base)
    if answer.get("amount", 1) != 1:
        raise bodies.bad(
            f"asked for one unit, the answer is for {bodies.excerpt(answer['amount'])}"
        )
    rates = bodies.table(answer, "rates")
    days = (
        {bodies.day(answer.get("date"), "date"): rates}
        if query.since is None
        else {bodies.day(day, "date"): bodies.table(rates, day) for day in rates}
    )
    return tuple(
        asks.read_rate(pair, days[day][pair.quote], day)
        for pair in query.pairs
        for day in asks.within(query, [day for day in days if pair.quote in days[day]])
    )


def not_before(body: bytes) -> None:
    """Return None: it does not say when it publishes next."""
    del body
