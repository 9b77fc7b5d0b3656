"""What is asked of a provider and what it gives: values that every provider module shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ratectl.model import PROVIDER_KINDS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from decimal import Decimal

    from ratectl.firing.quote import Leg
    from ratectl.model import Pair, Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The newest rates of *pairs*, or with both days set what was published from *since* to *until*.

    A range asks for the last publication before *since* too, since that is the rate of a
    *since* without one of its own.
    """

    pairs: tuple[Pair, ...]
    since: dt.date | None = None
    until: dt.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One rate in a body; the answer to a range has one for each pair and publication, oldest first."""

    pair: Pair
    rate: Decimal
    rate_date: dt.date | None
    """None where the body carries no date: then it is the day of the answer."""
    provider_time: dt.datetime | None = None
    legs: tuple[Leg, ...] = ()
    """The published rates that it was derived from; none when it is published itself."""


def by_base(pairs: Sequence[Pair]) -> tuple[tuple[Pair, ...], ...]:
    """Return *pairs* grouped by their base, in the order of first appearance."""
    bases = dict.fromkeys(pair.base for pair in pairs)
    return tuple(tuple(pair for pair in pairs if pair.base == base) for base in bases)


def base_url(provider: Provider) -> str:
    """Return where *provider* lives, without a trailing slash."""
    return (provider.base_url or PROVIDER_KINDS[provider.kind].base_url).rstrip("/")
