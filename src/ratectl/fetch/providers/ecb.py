"""ecb.europa.eu eurofxref: what one euro is worth, since 1999; other bases are crosses of one day.

Three documents: one day and 90 days as XML, all days as a zipped CSV (630 kB; as XML they are over our limit for
a body). Published about 16:00 CET on TARGET business days, so a closed day has the rate of the last one before it.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.http import Request
from ratectl.fetch.providers import ecb_documents
from ratectl.fetch.providers._shared import cross_rates
from ratectl.fetch.providers._shared import query as asks

if TYPE_CHECKING:
    from ratectl.fetch.providers._shared.query import Answered, RateQuery
    from ratectl.model.job import Provider

RECENT = dt.timedelta(days=80)
"""Younger days are in the 90-day file, with a margin for the closed days before them."""

groups = asks.together


def request(provider: Provider, query: RateQuery, today: dt.date) -> Request:
    """Return the request for the smallest document that holds the asked days."""
    if query.since is None:
        name, accept = "eurofxref-daily.xml", "application/xml, text/xml"
    elif today - query.since < RECENT:
        name, accept = "eurofxref-hist-90d.xml", "application/xml, text/xml"
    else:
        name, accept = "eurofxref-hist.zip", "application/zip"
    return Request(url=f"{asks.base_url(provider)}/{name}", accept=accept)


def refusal(status: int, body: bytes) -> FetchError | None:
    """Return what an error answer means; the ECB has no error bodies of its own."""
    del body
    return FetchError(FailureKind.TRANSIENT, f"HTTP {status}") if status == 404 else None


def parse(provider: Provider, query: RateQuery, body: bytes) -> tuple[Answered, ...]:
    """Return the newest rates, or those of every publication in the asked range."""
    del provider
    return cross_rates.series(
        ecb_documents.HUB, query, ecb_documents.days(body, asks.currencies(query))
    )


def not_before(body: bytes) -> None:
    """Return None: the ECB does not say when it publishes next."""
    del body
