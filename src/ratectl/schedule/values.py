"""The value types of a schedule: sets of civil times, elapsed intervals, unions, windows.

A schedule holds civil values only. Which instants it denotes is decided by
``slots.py`` together with a time zone, so one value serves every zone.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SECONDS = frozenset(range(60))
MINUTES = frozenset(range(60))
HOURS = frozenset(range(24))
DAYS = frozenset(range(1, 32))
MONTHS = frozenset(range(1, 13))
WEEKDAYS = frozenset(range(1, 8))
LONGEST = dict.fromkeys(MONTHS, 31) | {2: 29} | dict.fromkeys((4, 6, 9, 11), 30)
"""How many days each month has at most."""
SHORTEST = 28
"""How many days every month has."""
LAST_DAY = -1
YEARS = range(1900, 2201)
"""Years in which schedules have slots; zone data and calendars outside them say little."""
EXAMPLE_YEAR = 2027
"""From which an offer counts, as nothing here knows the date."""
MONDAY_1970 = dt.date(1970, 1, 5)
"""The anchor from which intervals, days and weeks count when the job has no ``from``."""


class Unit(Enum):
    """What a stride counts."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stride:
    """Every n-th civil day, week (from Monday) or month, counted from the one that holds *anchor*."""

    unit: Unit
    every: int
    anchor: dt.date = MONDAY_1970

    def includes(self, day: dt.date) -> bool:
        """Tell whether *day* lies in a counted day, week or month."""
        return self._index(day) % self.every == 0

    def _index(self, day: dt.date) -> int:
        if self.unit is Unit.MONTH:
            return (day.year - self.anchor.year) * 12 + day.month - self.anchor.month
        days = day.toordinal() - self.anchor.toordinal()
        if self.unit is Unit.DAY:
            return days
        return (days + self.anchor.weekday()) // 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Civil seconds that satisfy all fields at once.

    No field is ever empty except *nth_weekday*, and a full field means "any". Cron's
    "either day field may match" does not exist here: the parser makes two
    calendars of it.
    """

    seconds: frozenset[int] = frozenset({0})
    minutes: frozenset[int] = MINUTES
    hours: frozenset[int] = HOURS
    days: frozenset[int] = DAYS
    """Days of the month, 1 to 31; ``LAST_DAY`` is the last one, whatever its number, -2 the one before it."""
    months: frozenset[int] = MONTHS
    weekdays: frozenset[int] = WEEKDAYS
    """ISO: Monday is 1, Sunday is 7."""
    nth_weekday: frozenset[int] = frozenset()
    """Which of the month's days in *weekdays* count: 1 the first, -1 the last, -2 the one before; empty: all."""
    stride: Stride | None = None
    elapsed_time: bool = False
    """True: elapsed time counts (both passes of a fold, nothing in a gap). False: one slot per civil time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Every *seconds* of elapsed time since civil *anchor* in the job's zone; slots exist from the anchor on.

    The default anchor lies before any journal, so there the restriction never shows.
    """

    seconds: int
    anchor: dt.datetime = dt.datetime(1970, 1, 5)  # noqa: DTZ001 - civil by design


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """Elapsed gaps of *shortest* to *longest* seconds, each another, the same for the same *seed*.

    Slot k lies at anchor + k * mean + o(k), where o(k) comes from a hash and is at most a quarter
    of the difference: so every gap keeps its bounds, and any slot is found without those before it.
    """

    shortest: int
    longest: int
    seed: str
    anchor: dt.datetime = dt.datetime(1970, 1, 5)  # noqa: DTZ001 - civil by design


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """One civil instant."""

    at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Union:
    """The slots of all *members*, each instant once; :func:`union` puts them into a fixed order."""

    members: tuple[Schedule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The slots of *inner* from civil *start* (inclusive) to civil *end* (exclusive); None is open.

    A bound with an offset is the second of two times that the clocks show alike.
    """

    inner: Schedule
    start: dt.datetime | None = None
    end: dt.datetime | None = None


Schedule = Calendar | Interval | Gaps | Once | Union | Window


def numbers_of(day: int) -> range:
    """Return the numbers that *day*, which may be counted from the end, has in months of 28 to 31 days."""
    return range(day, day + 1) if day > 0 else range(max(29 + day, 1), 33 + day)


def on_days_that_exist(calendar: Calendar) -> Calendar | None:
    """Return *calendar* without days that none of its months has, and without such months; None where none is left."""
    if calendar.days == DAYS or calendar.months == MONTHS:
        return calendar
    numbers = {abs(day) for day in calendar.days}
    if max(numbers) <= SHORTEST:
        return calendar
    shortest = min(numbers)
    months = frozenset(month for month in calendar.months if shortest <= LONGEST[month])
    if not months:
        return None
    longest = max(LONGEST[month] for month in months)
    days = frozenset(day for day in calendar.days if abs(day) <= longest)
    return replace(calendar, days=days, months=months)


def union(members: Iterable[Schedule]) -> Schedule:
    """Return the one schedule, or the union, that *members* make; their order and repetition do not count."""
    flat = {
        inner
        for member in members
        for inner in (member.members if isinstance(member, Union) else (member,))
    }
    return flat.pop() if len(flat) == 1 else Union(members=tuple(sorted(flat, key=_order)))


def _order(member: Schedule) -> tuple[str, list[tuple[int, ...]], str]:
    if not isinstance(member, Calendar):
        return type(member).__name__, [], str(member)
    sets = (
        *(member.hours, member.minutes, member.seconds),
        *(member.days, member.months, member.weekdays, member.nth_weekday),
    )
    return "", [in_order(values) for values in sets], f"{member.elapsed_time} {member.stride}"


@lru_cache(maxsize=512)
def in_order(values: frozenset[int]) -> tuple[int, ...]:
    """Return *values*, ascending; schedules share most of theirs, so each set is put in order once."""
    return tuple(sorted(values))


def products(
    times: Iterable[int],
) -> list[tuple[frozenset[int], frozenset[int], frozenset[int]]]:
    """Split seconds since midnight into few products of (hours, minutes, seconds)."""
    seconds_of: dict[int, set[int]] = defaultdict(set)
    for time in times:
        seconds_of[time // 60].add(time % 60)
    minutes_of: dict[tuple[int, frozenset[int]], set[int]] = defaultdict(set)
    for minute, within in seconds_of.items():
        minutes_of[minute // 60, frozenset(within)].add(minute % 60)
    hours_of: dict[tuple[frozenset[int], frozenset[int]], set[int]] = defaultdict(set)
    for (hour, seconds), minutes in minutes_of.items():
        hours_of[frozenset(minutes), seconds].add(hour)
    found = [(frozenset(hours), *fields) for fields, hours in hours_of.items()]
    return sorted(found, key=lambda product: [sorted(field) for field in product])
