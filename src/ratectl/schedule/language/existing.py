"""Whether every day and month that a phrase names adds days: the 31st adds none in April.

Days are compared in years of all kinds: with and without a 29 February, from each weekday.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ratectl.errors import ScheduleError
from ratectl.schedule.occurrences.civil import days_in_month
from ratectl.schedule.occurrences.subsets import YEARS_OF_ALL_KINDS
from ratectl.schedule.values import MONTHS, Calendar, Schedule, Union

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from ratectl.schedule.language.phrase import Phrase

LONGEST_FEBRUARY = 28


def idle(phrase: Phrase, meaning: Callable[[Phrase], Schedule]) -> Phrase | None:
    """Return *phrase* without the days and months that add nothing; None if all of them do."""
    if not _may_be_idle(phrase):
        return None
    wanted, least = _days(meaning(phrase)), phrase
    while wanted:
        less = next(
            (phrase for phrase in _shorter(least) if _days_or_none(phrase, meaning) == wanted), None
        )
        if less is None:
            break
        least = less
    return None if least is phrase else least


def _days_or_none(
    phrase: Phrase, meaning: Callable[[Phrase], Schedule]
) -> frozenset[tuple[object, dt.date]] | None:
    try:
        return _days(meaning(phrase))
    except ScheduleError:
        return None


def _may_be_idle(phrase: Phrase) -> bool:
    """Tell whether days are named that not all months have, or in more than one way."""
    numbers = [ordinal.number for ordinal in phrase.ordinals]
    late = max(numbers, default=0) > LONGEST_FEBRUARY
    mixed = len({(ordinal.number < 0, ordinal.weekdays) for ordinal in phrase.ordinals}) > 1
    return mixed or (late and bool(phrase.months or phrase.but_months))


def _shorter(phrase: Phrase) -> Iterator[Phrase]:
    if len(phrase.ordinals) > 1:
        for ordinal in phrase.ordinals:
            yield phrase._replace(
                ordinals=tuple(each for each in phrase.ordinals if each != ordinal)
            )
    for clause in ("months", "but_months"):
        named: frozenset[int] = getattr(phrase, clause)
        for month in sorted(named):
            rest = named - {month}
            if rest or clause == "but_months" or named != MONTHS:
                changes: dict[str, Any] = {clause: rest}
                yield phrase._replace(**changes)


def _days(value: Schedule) -> frozenset[tuple[object, dt.date]]:
    """Return the days of *value* in years of all kinds, each with its times."""
    members = value.members if isinstance(value, Union) else (value,)
    return frozenset(
        ((member.hours, member.minutes, member.seconds, member.stride), day)
        for member in members
        if isinstance(member, Calendar)
        for year in YEARS_OF_ALL_KINDS
        for month in MONTHS
        for day in days_in_month(replace(member, stride=None), year, month)
    )
