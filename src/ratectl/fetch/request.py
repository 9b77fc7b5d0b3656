"""What a fetch is asked for, and what it gives: values, one item for each pair and civil day."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from ratectl.fetch.failures import FetchError
    from ratectl.model.job import Pair
    from ratectl.model.quote import Quote, SuspectQuote

    Item = tuple[Pair, dt.date]
    """A pair, and the civil day in the job's zone that it is wanted for."""


class Want(NamedTuple):
    """Which items: with the newest rates for them, or with *past* those of their days."""

    items: tuple[Item, ...]
    past: bool

    @classmethod
    def of(cls, pairs: Iterable[Pair], days: Iterable[dt.date], *, past: bool) -> Want:
        """Return the wish for every pair on every day."""
        wanted = tuple(days)
        return cls(items=tuple((pair, day) for pair in pairs for day in wanted), past=past)


class Fetched(NamedTuple):
    """What one round over the providers gave."""

    quotes: Mapping[Item, Quote]
    closed: frozenset[Item]
    """Items without a rate to come: it is of an earlier day, which the job does not want, or there never was one."""
    failures: Mapping[Item, Mapping[str, FetchError]]
    """The last failure of each provider, by name, for each item that is missing."""
    quarantined: tuple[tuple[Item | None, SuspectQuote], ...]
    """What failed a check, with the item that it was for where it has one."""
    warnings: Mapping[Item, str]

    def complete(self, items: Iterable[Item]) -> bool:
        """Tell whether nothing more is to be had for *items*."""
        return all(item in self.quotes or item in self.closed for item in items)


def joined(parts: Mapping[Item, Fetched]) -> Fetched:
    """Return what *parts*, the fetch that each item was part of, say about just these items."""
    missing = [item for item in parts if item not in parts[item].quotes]
    rounds = {id(fetched): fetched for fetched in parts.values()}
    return Fetched(
        quotes={item: f.quotes[item] for item, f in parts.items() if item in f.quotes},
        closed=frozenset(item for item in missing if item in parts[item].closed),
        failures={
            item: parts[item].failures[item] for item in missing if item in parts[item].failures
        },
        quarantined=tuple(
            (item, kept)
            for fetched in rounds.values()
            for item, kept in fetched.quarantined
            if item in parts
        ),
        warnings={item: f.warnings[item] for item, f in parts.items() if item in f.warnings},
    )
