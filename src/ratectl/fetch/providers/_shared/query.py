"""What is asked of a provider and what it gives: values that every provider module shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ratectl.fetch.failures import FetchError
from ratectl.fetch.http import Request
from ratectl.fetch.providers._shared import json_body as bodies
from ratectl.model.providers import PROVIDER_KINDS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Sequence
    from decimal import Decimal
    from typing import Any

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
    civil_day: dt.date | None = None
    """Today in the job's zone, for newest rates that must be asked for by a day."""


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


class UnusableRate(NamedTuple):
    """A cell of a body that cannot be a rate; it concerns its own pair and day, and nothing else."""

    pair: Pair
    rate_date: dt.date | None
    """As in PublishedRate."""
    problem: str
    """What is wrong with it; names the pair, and the day where there is one."""
    held: PublishedRate | None = None
    """What a person may accept all the same."""


Answered = PublishedRate | UnusableRate
"""What a body says of one pair on one day."""


def read_rate(
    pair: Pair,
    cell: object,
    rate_date: dt.date | None,
    *,
    read: Callable[[Any, str], Decimal] = bodies.number,
    **more: Any,
) -> Answered:
    """Return what *cell* says of *pair*, as *read* reads it; *more* are further fields of a PublishedRate."""
    try:
        rate = read(cell, cell_name(pair, rate_date))
    except FetchError as error:
        return UnusableRate(pair=pair, rate_date=rate_date, problem=str(error))
    return PublishedRate(pair=pair, rate=rate, rate_date=rate_date, **more)


def of_day(found: Answered, asked: dt.date | None, *, late: dt.timedelta) -> Answered:
    """Return *found* unless it is of more than *late* after the day that was *asked* for; then it is for a person to judge."""
    if asked is None or isinstance(found, UnusableRate) or found.rate_date is None:
        return found
    if found.rate_date <= asked + late:
        return found
    problem = f"{found.pair}: asked for {asked}, the answer is of {found.rate_date}"
    return UnusableRate(pair=found.pair, rate_date=asked, problem=problem, held=found)


def cell_name(pair: Pair, rate_date: dt.date | None) -> str:
    """Return how a message names the rate of *pair* on a day."""
    return str(pair) if rate_date is None else f"{pair} of {rate_date}"


def by_base(provider: Provider, pairs: Sequence[Pair]) -> tuple[tuple[Pair, ...], ...]:
    """Return *pairs* grouped by their base, in the order of first appearance: most sources answer for one base."""
    del provider
    bases = dict.fromkeys(pair.base for pair in pairs)
    return tuple(tuple(pair for pair in pairs if pair.base == base) for base in bases)


def together(provider: Provider, pairs: Sequence[Pair]) -> tuple[tuple[Pair, ...], ...]:
    """Return all *pairs* as one group: each answer of the source holds every currency."""
    del provider
    return (tuple(pairs),)


def latest(provider: Provider, query: RateQuery, today: dt.date) -> Request:
    """Return the request for the newest rates of one base."""
    del today
    return Request(url=f"{base_url(provider)}/latest/{query.pairs[0].base}")


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
