"""What is asked of a provider and what it gives: values that every provider module shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ratectl.model.providers import PROVIDER_KINDS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from ratectl.model.job import Pair, Provider
    from ratectl.model.quote import Leg


class RateQuery(NamedTuple):
    """The newest rates of *pairs*, or with both days set what was published from *since* to *until*.

    A range asks for the last publication before *since* too, since that is the rate of a
    *since* without one of its own. A provider that knows single days only is asked with
    *since* and *until* the same.
    """

    pairs: tuple[Pair, ...]
    since: dt.date | None = None
    until: dt.date | None = None


class PublishedRate(NamedTuple):
    """One rate in a body; the answer to a range has one for each pair and publication, oldest first."""

    pair: Pair
    rate: Decimal
    rate_date: dt.date | None
    """None where the body carries no date: then it is the day of the answer."""
    provider_time: dt.datetime | None = None
    legs: tuple[Leg, ...] = ()
    """The published rates that it was derived from; none when it is published itself."""
    notice: str = ""
    """What the provider announces about itself, for people."""


def by_base(pairs: Sequence[Pair]) -> tuple[tuple[Pair, ...], ...]:
    """Return *pairs* grouped by their base, in the order of first appearance."""
    bases = dict.fromkeys(pair.base for pair in pairs)
    return tuple(tuple(pair for pair in pairs if pair.base == base) for base in bases)


def base_url(provider: Provider) -> str:
    """Return where *provider* lives, without a trailing slash."""
    return (provider.base_url or PROVIDER_KINDS[provider.kind].base_url).rstrip("/")


def currencies(query: RateQuery) -> frozenset[str]:
    """Return every currency that *query* speaks of."""
    return frozenset(code for pair in query.pairs for code in (pair.base, pair.quote))


def within(query: RateQuery, days: Iterable[dt.date]) -> Sequence[dt.date]:
    """Return those publication *days* that *query* wants, oldest first.

    That is the newest one, or those of the range and the last one before it.
    """
    ordered = sorted(days)
    if query.since is None or query.until is None:
        return ordered[-1:]
    before = [day for day in ordered if day < query.since]
    return before[-1:] + [day for day in ordered if query.since <= day <= query.until]
