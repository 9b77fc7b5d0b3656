"""Rate sources: one module per kind with the five functions of ``RateSource``, all pure.

What is fixed about each kind stands in ``model.PROVIDER_KINDS``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ratectl.runtime.lazy_modules import LazyModules

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ratectl.fetch.failures import FetchError
    from ratectl.fetch.http import Request
    from ratectl.fetch.providers._shared.query import Answered, RateQuery
    from ratectl.model.job import Pair, Provider


class RateSource(Protocol):
    """What each module of this package offers."""

    def groups(self, provider: Provider, pairs: Sequence[Pair]) -> tuple[tuple[Pair, ...], ...]:
        """Return *pairs* split into those that one request can answer."""

    def request(self, provider: Provider, ask: RateQuery, today: dt.date) -> Request:
        """Return the request for one group; *today* is the UTC day. Raises FetchError where none can help."""

    def refusal(self, status: int, body: bytes) -> FetchError | None:
        """Return what an error answer of this provider means, None where it is not one."""

    def parse(self, provider: Provider, ask: RateQuery, body: bytes) -> tuple[Answered, ...]:
        """Return what *body* says of each pair that it has. Raises FetchError for a body that says nothing."""

    def not_before(self, body: bytes) -> dt.datetime | None:
        """Return the moment (aware, UTC) before which nothing newer appears, says a *body* that ``parse`` accepted."""


SOURCES: LazyModules[RateSource] = LazyModules(
    __name__,
    {
        "exchangerate-api-v4": "exchangerate_api_v4",
        "exchangerate-api-open": "exchangerate_api_open",
        "frankfurter": "frankfurter",
        "ecb": "ecb",
        "currency-api-cdn": "currency_api_cdn",
        "fred": "fred",
        "openexchangerates": "openexchangerates",
        "exchangerate-api-v6": "exchangerate_api_v6",
        "http-json": "http_json",
        "http-xml": "http_xml",
    },
)
if TYPE_CHECKING:  # holds each module to what a source offers
    from ratectl.fetch.providers import (
        currency_api_cdn,
        ecb,
        exchangerate_api_open,
        exchangerate_api_v4,
        exchangerate_api_v6,
        frankfurter,
        fred,
        http_json,
        http_xml,
        openexchangerates,
    )

    CHECKED: tuple[RateSource, ...] = (
        currency_api_cdn,
        ecb,
        exchangerate_api_open,
        exchangerate_api_v4,
        exchangerate_api_v6,
        frankfurter,
        fred,
        http_json,
        http_xml,
        openexchangerates,
    )
