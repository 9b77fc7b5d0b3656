"""What a phrase says of days, as calendars without times, and how times are put on them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ratectl.schedule.language.lexicon import WEEKDAY_NAMES
from ratectl.schedule.values import MONTHS, WEEKDAYS, Calendar, products

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ratectl.schedule.language.dates import Ordinal
    from ratectl.schedule.language.phrase import Phrase
    from ratectl.schedule.language.subject import Every

SECONDS_IN = {"second": 1, "minute": 60, "hour": 3600}
DAY_SECONDS = 86400


def every_of(phrase: Phrase) -> Every:
    """Return what recurs in the settled *phrase*."""
    assert phrase.every is not None  # noqa: S101 - it is settled
    return phrase.every


def day_bases(phrase: Phrase, base: Calendar, ordinals: Sequence[Ordinal]) -> list[Calendar]:
    """Return *base* on the days that *ordinals* name: numbers together, and each kind of weekday."""
    if not ordinals:
        return [base]
    days = frozenset(ordinal.number for ordinal in ordinals if not ordinal.weekdays)
    found = (
        [replace(base, days=days, weekdays=phrase.only or WEEKDAYS - phrase.but)] if days else []
    )
    for kind in dict.fromkeys(ordinal.weekdays for ordinal in ordinals if ordinal.weekdays):
        nth = frozenset(ordinal.number for ordinal in ordinals if ordinal.weekdays == kind)
        if max(map(abs, nth)) > (5 if len(kind) == 1 else 5 * len(kind) - 2):
            names = " and ".join(WEEKDAY_NAMES[day - 1] for day in sorted(kind)[:1])
            raise phrase.error(
                "no month has that many of these weekdays; say first to fifth, or last, a day such as "
                f"last {names}",
                phrase.swapped(ordinals=f"on the last {names}"),
            )
        found.append(replace(base, weekdays=kind, nth_weekday=nth))
    return found


def base_of(phrase: Phrase) -> Calendar:
    """Return the weekdays and months of *phrase*, every minute of them."""
    weekdays = (phrase.weekdays or WEEKDAYS) - phrase.but
    return Calendar(weekdays=weekdays, months=(phrase.months or MONTHS) - phrase.but_months)


def at_times(base: Calendar, times: Iterable[int]) -> list[Calendar]:
    """Return the fewest calendars like *base* whose times of day are *times* (seconds since midnight)."""
    return [
        replace(base, hours=hours, minutes=minutes, seconds=seconds)
        for hours, minutes, seconds in products(times)
    ]
