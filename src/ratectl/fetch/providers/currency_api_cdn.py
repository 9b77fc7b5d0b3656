"""The npm package @fawazahmed0/currency-api on cdn.jsdelivr.net: any base, one release a day, weekends included.

Shape: ``{"date": "2026-11-20", "usd": {"inr": 95.07199342}}``, codes in small letters. A day's release appears from minutes to
hours after 00:00 UTC; a few days were never released, and the newest is cached for a day or two. Upstream sources are
undisclosed. The data are CC0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.fetch.failures import FailureKind, FetchError, absent
from ratectl.fetch.http import Request
from ratectl.fetch.providers._shared import json_body as bodies
from ratectl.fetch.providers._shared import query as asks

if TYPE_CHECKING:
    import datetime as dt

    from ratectl.fetch.providers._shared.query import Answered, RateQuery
    from ratectl.model.job import Provider

PACKAGE = "@fawazahmed0/currency-api"
NO_RELEASE = b"release version"
"""What the CDN's 404 says of a day without release, other than of a base currency without file."""

groups = asks.by_base


def request(provider: Provider, query: RateQuery, today: dt.date) -> Request:
    """Return the request for one base: the release of a past day, or today's and otherwise the newest.

    Where the CDN has neither, the project's second address is asked, unless the spec names a mirror.
    """
    file = f"v1/currencies/{query.pairs[0].base.lower()}.min.json"
    package = f"{asks.base_url(provider)}/{PACKAGE}"
    if query.until is not None:
        return Request(url=f"{package}@{query.until}/{file}")
    urls = [f"{package}@{today}/{file}", f"{package}@latest/{file}"]
    if not provider.base_url:
        urls += [f"https://{when}.currency-api.pages.dev/{file}" for when in (today, "latest")]
    return _chain(*urls)


def refusal(status: int, body: bytes) -> FetchError | None:
    """Return what a 404 means: a day without release, or a currency without file."""
    if status != 404:
        return None
    if NO_RELEASE in body:
        return absent(f"has no release of that day (HTTP {status})")
    return FetchError(FailureKind.CONFIG, f"has no such base currency (HTTP {status})")


def parse(provider: Provider, query: RateQuery, body: bytes) -> tuple[Answered, ...]:
    """Return what *body* says of the asked pairs."""
    del provider
    answer = bodies.load(body)
    rates = bodies.table(answer, query.pairs[0].base.lower())
    day = bodies.echo_day(bodies.day(answer.get("date"), "date"), query.until)
    return tuple(
        asks.read_rate(pair, rates[pair.quote.lower()], day)
        for pair in query.pairs
        if pair.quote.lower() in rates
    )


def not_before(body: bytes) -> None:
    """Return None: releases come at no fixed hour."""
    del body


def _chain(url: str, *others: str) -> Request:
    return Request(url=url, fallback=_chain(*others) if others else None)
