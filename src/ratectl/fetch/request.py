"""What a fetch is asked for, and what it gives: values, one item for each pair and civil day."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from ratectl.fetch.failures import FetchError
    from ratectl.model.job import Pair
    from ratectl.model.quote import Quote, SuspectQuote

    PairDay = tuple[Pair, dt.date]
    """A pair, and the civil day in the job's zone that it is wanted for."""


class FetchRequest(NamedTuple):
    """Which items: with the newest rates for them, or with *past* those of their days."""

    items: tuple[PairDay, ...]
    past: bool

    @classmethod
    def of(cls, pairs: Iterable[Pair], days: Iterable[dt.date], *, past: bool) -> FetchRequest:
        """Return the wish for every pair on every day."""
        wanted = tuple(days)
        return cls(items=tuple((pair, day) for pair in pairs for day in wanted), past=past)


class FetchResult(NamedTuple):
    """What one round over the providers gave."""

    quotes: Mapping[PairDay, Quote]
    closed: frozenset[PairDay]
    """Items without a rate to come: it is of an earlier day, which the job does not want, or there never was one."""
    failures: Mapping[PairDay, Mapping[str, FetchError]]
    """The last failure of each provider, by name, for each item that is missing."""
    quarantined: tuple[tuple[PairDay | None, SuspectQuote], ...]
    """What failed a check, with the item that it was for where it has one."""
    warnings: Mapping[PairDay, str]
    taken_back: Mapping[PairDay, str] = MappingProxyType({})
    """Closed items of which all that was published is a number that a person took back, and what to say of it."""

    def complete(self, items: Iterable[PairDay]) -> bool:
        """Tell whether nothing more is to be had for *items*."""
        return all(item in self.quotes or item in self.closed for item in items)


def merge(parts: Mapping[PairDay, FetchResult]) -> FetchResult:
    """Return what *parts*, the fetch that each item was part of, say about just these items."""
    missing = [item for item in parts if item not in parts[item].quotes]
    rounds = {id(fetched): fetched for fetched in parts.values()}
    return FetchResult(
        quotes={item: f.quotes[item] for item, f in parts.items() if item in f.quotes},
        closed=frozenset(item for item in missing if item in parts[item].closed),
        failures={
            item: parts[item].failures[item] for item in missing if item in parts[item].failures
        },
        quarantined=tuple(
            (item, suspect)
            for fetched in rounds.values()
            for item, suspect in fetched.quarantined
            if item in parts
        ),
        warnings={item: f.warnings[item] for item, f in parts.items() if item in f.warnings},
        taken_back={item: f.taken_back[item] for item, f in parts.items() if item in f.taken_back},
    )
