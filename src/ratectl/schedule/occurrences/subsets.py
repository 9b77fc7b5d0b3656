"""Which schedules of a list add no slot to the others, whatever the zone.

Only what is certain is told: days are compared in years of all kinds, and a time on the clock
with one that follows elapsed time only at hours at which clocks do not change.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ratectl.schedule.occurrences.civil import days_in_month
from ratectl.schedule.values import MONTHS, Calendar, Interval, Once, Schedule, Union

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

YEARS_OF_ALL_KINDS = (*range(2001, 2008), *range(2008, 2036, 4))
"""With and without a 29 February, from each weekday."""
STEADY_HOURS = frozenset(range(4, 23))
"""At which the clocks of no zone change."""


def idle_members(values: Sequence[Schedule]) -> list[int]:
    """Return the places of those of *values* whose slots the others have all; of equals, the later ones."""
    kept = list(range(len(values)))
    for place in reversed(range(len(values))):
        others = [part for other in kept if other != place for part in _parts(values[other])]
        if all(_is_within(part, others) for part in _parts(values[place])):
            kept.remove(place)
    return [place for place in range(len(values)) if place not in kept]


def _parts(value: Schedule) -> tuple[Schedule, ...]:
    return value.members if isinstance(value, Union) else (value,)


def _is_within(part: Schedule, others: Sequence[Schedule]) -> bool:
    if part in others:
        return True
    match part:
        case Calendar():
            return _is_calendar_within(part, others)
        case Once():
            return any(isinstance(other, Calendar) and _has(other, part) for other in others)
        case Interval():
            return any(
                isinstance(other, Interval) and _is_multiple(part, other) for other in others
            )
    return False


def _is_multiple(one: Interval, other: Interval) -> bool:
    distance = (one.anchor - other.anchor).total_seconds()
    return one.seconds % other.seconds == 0 and distance >= 0 and distance % other.seconds == 0


def _has(calendar: Calendar, once: Once) -> bool:
    """Tell whether *once* is a time of *calendar*, at an hour at which clocks do not change."""
    at = once.at
    timed = {at.hour} <= STEADY_HOURS & calendar.hours and at.minute in calendar.minutes
    days = days_in_month(calendar, at.year, at.month)
    return timed and at.second in calendar.seconds and at.date() in days


def _is_calendar_within(one: Calendar, others: Iterable[Schedule]) -> bool:
    usable = [
        replace(other, stride=None)
        for other in others
        if isinstance(other, Calendar) and _is_comparable(one, other)
    ]
    if not usable:
        return False
    wanted = replace(one, stride=None)
    times: dict[frozenset[int], bool] = {}
    for year in YEARS_OF_ALL_KINDS:
        for month in MONTHS:
            days = days_in_month(wanted, year, month)
            found = [frozenset(days_in_month(other, year, month)) for other in usable]
            for day in days:
                there = frozenset(n for n, has in enumerate(found) if day in has)
                if there not in times:
                    times[there] = _times_are_within(wanted, [usable[n] for n in there])
                if not times[there]:
                    return False
    return True


def _is_comparable(one: Calendar, other: Calendar) -> bool:
    """Tell whether slots at the same civil times are the same ones, in every week or day that counts."""
    if other.stride not in {None, one.stride}:
        return False
    return one.elapsed_time == other.elapsed_time or (
        other.elapsed_time and one.hours <= STEADY_HOURS
    )


def _times_are_within(one: Calendar, others: Sequence[Calendar]) -> bool:
    """Tell whether *others* have each time of day of *one* between them."""
    return all(
        any(
            hour in other.hours and minute in other.minutes and one.seconds <= other.seconds
            for other in others
        )
        for hour in one.hours
        for minute in one.minutes
    )
