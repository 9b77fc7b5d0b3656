"""Rates between any two currencies out of rates that all have one side in common, the hub.

What is published is handed on as it is. Everything else is derived from rates of one day only, with
twelve significant digits, and names the published rates it came from as its legs.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING, NamedTuple

from ratectl.fetch.providers import json_body as bodies
from ratectl.fetch.providers import query as asks
from ratectl.model.job import Pair
from ratectl.model.quote import Leg

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from ratectl.fetch.providers.query import PublishedRate, RateQuery

Rates = dict[Pair, Decimal]
"""What was published of one day; each pair has the hub on one side."""

PRECISE = Context(prec=60)
"""Twice the longest rate that is believed: products stay exact."""
TWELVE_DIGITS = Context(prec=12)
ONE = Decimal(1)


class _Worth(NamedTuple):
    """Units of a currency for one unit of the hub, as the fraction *over* / *under*."""

    over: Decimal
    under: Decimal
    legs: tuple[Leg, ...]


def series(hub: str, query: RateQuery, days: Mapping[dt.date, Rates]) -> tuple[PublishedRate, ...]:
    """Return the rates of *days* that *query* wants. Raises FetchError where no day is of use.

    Each pair counts those days as publications on which both its currencies have a rate.
    """
    if not asks.within(query, days):
        raise bodies.bad(
            f"no publication up to {query.until}" if days else "no rates in the answer"
        )
    found = []
    for pair in query.pairs:
        able = [day for day, rates in days.items() if _is_known(hub, pair, rates)]
        found += [through(hub, pair, days[day], day=day) for day in asks.within(query, able)]
    return tuple(published for published in found if published is not None)


def through(
    hub: str,
    pair: Pair,
    rates: Rates,
    *,
    day: dt.date,
    provider_time: dt.datetime | None = None,
) -> PublishedRate | None:
    """Return the rate of *pair* on *day*, None where *rates* lack one of its currencies. Raises FetchError."""
    if pair in rates:
        return asks.PublishedRate(
            pair=pair, rate=rates[pair], rate_date=day, provider_time=provider_time
        )
    base, quote = (_worth(hub, code, rates) for code in (pair.base, pair.quote))
    if base is None or quote is None:
        return None
    exact = PRECISE.divide(
        PRECISE.multiply(quote.over, base.under), PRECISE.multiply(quote.under, base.over)
    )
    return asks.PublishedRate(
        pair=pair,
        rate=bodies.rate(TWELVE_DIGITS.plus(exact), str(pair)),
        rate_date=day,
        provider_time=provider_time,
        legs=quote.legs + base.legs,
    )


def _worth(hub: str, code: str, rates: Rates) -> _Worth | None:
    if code == hub:
        return _Worth(over=ONE, under=ONE, legs=())
    out, back = Pair(base=hub, quote=code), Pair(base=code, quote=hub)
    if out in rates:
        return _Worth(over=rates[out], under=ONE, legs=(Leg(pair=out, rate=rates[out]),))
    if back in rates:
        return _Worth(over=ONE, under=rates[back], legs=(Leg(pair=back, rate=rates[back]),))
    return None


def _is_known(hub: str, pair: Pair, rates: Rates) -> bool:
    return all(_worth(hub, code, rates) is not None for code in (pair.base, pair.quote))
