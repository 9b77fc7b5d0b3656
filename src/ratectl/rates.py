"""What was recorded, for other programs: the rate of a day, or the newest before it. Reads, and records nothing.

``lookup("EUR/USD", dt.date(2026, 11, 20))`` gives a rate with its day, provider and age, or None. Every journal that a job of this account records in is asked; RatectlError is raised for one that cannot be read.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Context, Decimal
from typing import TYPE_CHECKING, NamedTuple

from ratectl.errors import UsageError
from ratectl.journal import queries
from ratectl.journal.journal import Journal
from ratectl.model.job import Pair
from ratectl.model.quote import DERIVED, Leg
from ratectl.runtime import own_places

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ratectl.journal.rate_store import RateStore
    from ratectl.journal.rows import RecordedQuote
    from ratectl.model.quote import Quote

WITHIN = dt.timedelta(days=7)
"""How much older than the day asked for a rate may be."""
FORM = re.compile(r"([A-Za-z]{2,10})/([A-Za-z]{2,10})")
EXACT = Context(prec=60)
TWELVE_DIGITS = Context(prec=12)


class Rate(NamedTuple):
    """The answer of :func:`lookup`."""

    pair: Pair
    rate: Decimal
    """Units of the quote currency for one of the base currency, with the recorded digits."""
    rate_date: dt.date
    """The day that the rate is for."""
    provider: str
    """Who said so; several with a comma for a cross of them."""
    observed_at: dt.datetime
    """When it was received (aware, UTC)."""
    kind: str
    """As recorded, or ``derived`` for an inverse or a cross."""
    age: int
    """Days from the rate's day to the one asked for."""
    legs: tuple[Leg, ...] = ()
    """The recorded rates that it was derived from."""


def lookup(
    pair: str | Pair,
    on: dt.date,
    *,
    within: dt.timedelta = WITHIN,
    derive: bool = False,
    state_dir: Path | None = None,
) -> Rate | None:
    """Return the recorded rate of *pair* for the day *on*, or the newest before it that is at most *within* older.

    None where there is none. Of a day with several numbers that of its newest slot counts. With *derive* the inverse
    of a recorded pair, or a cross of two recorded for one day, stands in for a pair that was not recorded itself.
    *state_dir* is where the journal lies, by default this account's. Raises UsageError for what is no pair, no day or no length of time.
    """
    wanted = pair if isinstance(pair, Pair) else _pair(pair)
    _refuse_other_kinds(on, within)
    with Journal(state_dir or own_places.state_dir()) as journal:
        record = _Record(journal.stores(), on - min(within, on - dt.date.min), on)
        found = record.newest(wanted)
        if found is not None:
            return _as_rate(found, on)
        if not derive:
            return None
        return _inverse(record, wanted, on) or _cross(record, wanted, on)


def first_day(pair: str | Pair, *, state_dir: Path | None = None) -> dt.date | None:
    """Return the oldest day for which *pair* is recorded, None where it never was. Raises UsageError for what is no pair."""
    wanted = pair if isinstance(pair, Pair) else _pair(pair)
    with Journal(state_dir or own_places.state_dir()) as journal:
        days = [queries.first_day(store, wanted) for store in journal.stores()]
    return min((day for day in days if day is not None), default=None)


class _Record:
    """The quotes of all *stores* for the days from *first* to *last*."""

    def __init__(self, stores: tuple[RateStore, ...], first: dt.date, last: dt.date) -> None:
        self._stores = stores
        self._first = first
        self._last = last

    def by_day(self, pair: Pair) -> dict[dt.date, Quote]:
        """Return the number of *pair* for each day that has one: that of its newest slot."""
        found: dict[dt.date, RecordedQuote] = {}
        for store in self._stores:
            for entry in queries.of_days(store, pair, self._first, self._last):
                known = found.get(entry.quote.rate_date)
                if known is None or _age(known) <= _age(entry):
                    found[entry.quote.rate_date] = entry
        return {day: entry.quote for day, entry in found.items()}

    def newest(self, pair: Pair) -> Quote | None:
        """Return the last number of the newest day."""
        days = self.by_day(pair)
        return days[max(days)] if days else None

    def partners(self, code: str) -> set[str]:
        """Return the currencies that *code* was recorded with."""
        return {other for store in self._stores for other in queries.partners(store, code)}


def _age(entry: RecordedQuote) -> tuple[dt.datetime, dt.datetime]:
    """Return by what the numbers of one day are ordered: their slot, and where two jobs have the same when they were received."""
    return entry.slot, entry.quote.observed_at


def _inverse(record: _Record, pair: Pair, on: dt.date) -> Rate | None:
    found = record.newest(Pair(base=pair.quote, quote=pair.base))
    if found is None:
        return None
    rate = TWELVE_DIGITS.plus(EXACT.divide(Decimal(1), found.rate))
    return _derived(pair, rate, (found,), on)


def _cross(record: _Record, pair: Pair, on: dt.date) -> Rate | None:
    """Return the cross of the newest day through one third currency, the first by name of several."""
    best: Rate | None = None
    for hub in sorted(record.partners(pair.base) & record.partners(pair.quote)):
        base, quote = (dict(_in_hub(record, code, hub)) for code in (pair.base, pair.quote))
        days = base.keys() & quote.keys()
        if days and (best is None or max(days) > best.rate_date):
            (worth, one), (price, other) = base[max(days)], quote[max(days)]
            rate = TWELVE_DIGITS.plus(EXACT.divide(worth, price))
            best = _derived(pair, rate, (one, other), on)
    return best


def _in_hub(
    record: _Record, code: str, hub: str
) -> Iterator[tuple[dt.date, tuple[Decimal, Quote]]]:
    """Yield by day what one unit of *code* is worth in *hub*, and the quote that says so; as recorded rather than inverted."""
    back = record.by_day(Pair(base=hub, quote=code))
    yield from ((day, (EXACT.divide(Decimal(1), quote.rate), quote)) for day, quote in back.items())
    straight = record.by_day(Pair(base=code, quote=hub))
    yield from ((day, (quote.rate, quote)) for day, quote in straight.items())


def _derived(pair: Pair, rate: Decimal, quotes: tuple[Quote, ...], on: dt.date) -> Rate:
    day = quotes[0].rate_date
    return Rate(
        pair=pair,
        rate=rate,
        rate_date=day,
        provider=", ".join(dict.fromkeys(quote.provider for quote in quotes)),
        observed_at=max(quote.observed_at for quote in quotes),
        kind=DERIVED,
        age=(on - day).days,
        legs=tuple(Leg(pair=quote.pair, rate=quote.rate) for quote in quotes),
    )


def _as_rate(quote: Quote, on: dt.date) -> Rate:
    return Rate(
        pair=quote.pair,
        rate=quote.rate,
        rate_date=quote.rate_date,
        provider=quote.provider,
        observed_at=quote.observed_at,
        kind=quote.kind,
        age=(on - quote.rate_date).days,
        legs=quote.legs,
    )


def _refuse_other_kinds(on: object, within: object) -> None:
    """Raise UsageError for a day that is a moment or a text, and for a length that is a number."""
    if isinstance(on, dt.datetime):
        raise UsageError(
            f"on is a moment, {on!r}: rates are of days; give {on.date()!r}, or on.date()"
        )
    if not isinstance(on, dt.date):
        raise UsageError(f"on is {on!r}: expected a day such as datetime.date(2026, 11, 20)")
    if not isinstance(within, dt.timedelta):
        raise UsageError(
            f"within is {within!r}: expected a length such as datetime.timedelta(days=7)"
        )


def _pair(text: str) -> Pair:
    found = FORM.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise UsageError(f'{text!r}: expected a pair such as "EUR/USD"')
    return Pair(base=found[1].upper(), quote=found[2].upper())
