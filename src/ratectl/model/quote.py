"""A quote: one number with the three dates that it must never lose. Rates are Decimal end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    from ratectl.model.job import Pair

PUBLISHED = "published"
DERIVED = "derived"
MANUAL = "manual"
BACKFILLED = "backfilled"
IMPORTED = "imported"
BY_HAND = "by-hand"
"""The provider of a rate that a person entered."""


class Leg(NamedTuple):
    """One published rate that a derived quote was computed from."""

    pair: Pair
    rate: Decimal


class Quote(NamedTuple):
    """What one provider said one pair was worth."""

    pair: Pair
    rate: Decimal
    """Positive and finite, with the provider's own digits."""
    rate_date: dt.date
    """The day that the provider says the value is for."""
    provider: str
    provider_time: dt.datetime | None
    """When the provider says it published (aware, UTC); None where it does not say."""
    observed_at: dt.datetime
    """When we received it (aware, UTC, whole seconds)."""
    kind: str
    """published, derived (computed from *legs*), manual (recorded outside the schedule, or entered by hand),
    backfilled (asked for after its day was over) or imported (read from a file)."""
    legs: tuple[Leg, ...] = ()


class SuspectQuote(NamedTuple):
    """An answer that failed a check, kept for a person to judge."""

    provider: str
    reason: str
    body: bytes
    quote: Quote | None = None
    """None where the body gave none."""
    way_out: str = ""
    """What to do where not this answer is wrong but the number that it was measured against."""


def plain(rate: Decimal) -> str:
    """Return *rate* in positional digits, never in exponent form."""
    return format(rate, "f")


def to_dict(quote: Quote) -> dict[str, object]:
    """Return *quote* as JSON-ready values, times in UTC."""
    published = quote.provider_time
    return {
        "base": quote.pair.base,
        "quote": quote.pair.quote,
        "rate": plain(quote.rate),
        "rate_date": quote.rate_date.isoformat(),
        "provider": quote.provider,
        "provider_time": None if published is None else published.isoformat(),
        "observed_at": quote.observed_at.isoformat(),
        "kind": quote.kind,
        "legs": [f"{leg.pair} {plain(leg.rate)}" for leg in quote.legs],
    }
