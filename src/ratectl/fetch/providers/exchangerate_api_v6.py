"""v6.exchangerate-api.com: as exchangerate-api-open with a key, which stands in the path; its free plan has no history.

Shape: as exchangerate-api-open with ``conversion_rates`` for ``rates``, and the same error words, of which some speak of
the key or the plan. An error may name its kind under ``error-type`` or ``error``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.fetch.http import Request
from ratectl.fetch.providers import exchangerate_api_open
from ratectl.fetch.providers._shared import query as asks

if TYPE_CHECKING:
    import datetime as dt

    from ratectl.fetch.providers._shared.query import Answered, RateQuery
    from ratectl.model.job import Provider

groups = exchangerate_api_open.groups
refusal = exchangerate_api_open.refusal
not_before = exchangerate_api_open.not_before


def request(provider: Provider, query: RateQuery, today: dt.date) -> Request:
    """Return the request for the newest rates of one base, with a place for the key."""
    del today
    return Request(url=f"{asks.base_url(provider)}/{{key}}/latest/{query.pairs[0].base}")


def parse(provider: Provider, query: RateQuery, body: bytes) -> tuple[Answered, ...]:
    """Return what *body* says of the asked pairs."""
    del provider
    return exchangerate_api_open.published(query, body, "conversion_rates")
