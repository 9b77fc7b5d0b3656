"""Rates between any two currencies out of rates that all have one side in common, the hub.

What is published is handed on as it is. Everything else is derived from rates of one day only, with
twelve significant digits, and names the published rates it came from as its legs. A cell that cannot be a
rate makes only those pairs unusable that need it.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from ratectl.fetch.failures import FetchError
from ratectl.fetch.providers._shared import json_body as bodies
from ratectl.fetch.providers._shared import query as asks
from ratectl.model.job import Pair
from ratectl.model.quote import Leg

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from ratectl.fetch.providers._shared.query import Answered, RateQuery


class BadCell(NamedTuple):
    """What stands where a rate is due, and cannot be one."""

    problem: str


Rates = dict[Pair, Decimal | BadCell]
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


def cell(
    pair: Pair, text: Any, day: dt.date, read: Callable[[Any, str], Decimal]
) -> Decimal | BadCell:
    """Return what *read* makes of the cell *text* of *pair* on *day*."""
    try:
        return read(text, asks.cell_name(pair, day))
    except FetchError as error:
        return BadCell(str(error))


def series(hub: str, query: RateQuery, days: Mapping[dt.date, Rates]) -> tuple[Answered, ...]:
    """Return what *days* say of the pairs and days that *query* wants. Raises FetchError where no day is of use.

    Each pair counts those days as publications on which both its currencies have a rate.
    """
    if not asks.within(query, days):
        raise bodies.bad(
            f"no publication up to {query.until}" if days else "no rates in the answer"
        )
    found: list[Answered | None] = []
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
) -> Answered | None:
    """Return what *rates* say of *pair* on *day*, None where they lack one of its currencies."""
    direct = rates.get(pair)
    if isinstance(direct, Decimal):
        return asks.PublishedRate(
            pair=pair, rate=direct, rate_date=day, provider_time=provider_time
        )
    base, quote = (_worth(hub, code, rates) for code in (pair.base, pair.quote))
    if base is None or quote is None:
        return None
    if isinstance(base, BadCell) or isinstance(quote, BadCell):
        bad = next(side for side in (base, quote) if isinstance(side, BadCell))
        problem = (
            bad.problem if direct else f"{asks.cell_name(pair, day)} needs a rate: {bad.problem}"
        )
        return asks.UnusableRate(pair=pair, rate_date=day, problem=problem)
    rate = cell(pair, _ratio(quote, base), day, bodies.rate)
    if isinstance(rate, BadCell):
        return asks.UnusableRate(pair=pair, rate_date=day, problem=rate.problem)
    legs = quote.legs + base.legs
    return asks.PublishedRate(
        pair=pair, rate=rate, rate_date=day, provider_time=provider_time, legs=legs
    )


def _ratio(quote: _Worth, base: _Worth) -> Decimal:
    """Return how many units of *quote* are worth one of *base*, in twelve digits."""
    exact = PRECISE.divide(
        PRECISE.multiply(quote.over, base.under), PRECISE.multiply(quote.under, base.over)
    )
    return TWELVE_DIGITS.plus(exact)


def _worth(hub: str, code: str, rates: Rates) -> _Worth | BadCell | None:
    if code == hub:
        return _Worth(over=ONE, under=ONE, legs=())
    out, back = Pair(base=hub, quote=code), Pair(base=code, quote=hub)
    pair = out if out in rates else back
    rate = rates.get(pair)
    if rate is None or isinstance(rate, BadCell):
        return rate
    over, under = (rate, ONE) if pair == out else (ONE, rate)
    return _Worth(over=over, under=under, legs=(Leg(pair=pair, rate=rate),))


def _is_known(hub: str, pair: Pair, rates: Rates) -> bool:
    return all(_worth(hub, code, rates) is not None for code in (pair.base, pair.quote))
