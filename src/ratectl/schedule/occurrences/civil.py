"""The civil times of one calendar, ascending and descending, without any time zone.

Memory is constant: one month of days is held at a time. The search ends at the
years ``FIRST_YEAR`` and ``LAST_YEAR``, so a calendar that never fires ends empty.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from functools import lru_cache
from itertools import compress
from typing import TYPE_CHECKING

from ratectl.schedule.values import DAYS, WEEKDAYS, YEARS, Calendar, in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST_YEAR, LAST_YEAR = YEARS[0], YEARS[-1]
DAY = dt.timedelta(days=1)
MIDNIGHT = dt.time()
END_OF_DAY = dt.time(23, 59, 59)


def ascending(calendar: Calendar, low: dt.datetime) -> Iterator[dt.datetime]:
    """Yield the naive civil times of *calendar* from *low* on, inclusive."""
    for day in days_from(calendar, low.date()):
        bound = low.time() if day == low.date() else MIDNIGHT
        for time in times_from(calendar, bound):
            yield dt.datetime.combine(day, time)


def descending(calendar: Calendar, high: dt.datetime) -> Iterator[dt.datetime]:
    """Yield the naive civil times of *calendar* down from *high*, inclusive."""
    for day in days_down_from(calendar, high.date()):
        bound = high.time() if day == high.date() else END_OF_DAY
        for time in times_down_from(calendar, bound):
            yield dt.datetime.combine(day, time)


def days_from(calendar: Calendar, low: dt.date) -> Iterator[dt.date]:
    """Yield the days of *calendar* from *low* on, inclusive."""
    months = in_order(calendar.months)
    for year in range(low.year, LAST_YEAR + 1):
        for month in months:
            if year > low.year or month > low.month:
                yield from days_in_month(calendar, year, month)
            elif month == low.month:
                days = days_in_month(calendar, year, month)
                yield from days[bisect_left(days, low) :]


def first_day(calendar: Calendar, low: dt.date) -> dt.date | None:
    """Return the first of the days that :func:`days_from` yields; None where there is none."""
    months = in_order(calendar.months)
    for year in range(low.year, LAST_YEAR + 1):
        for month in months[bisect_left(months, low.month) if year == low.year else 0 :]:
            days = days_in_month(calendar, year, month)
            if days and days[-1] >= low:
                return days[bisect_left(days, low)]
    return None


def days_down_from(calendar: Calendar, high: dt.date) -> Iterator[dt.date]:
    """Yield the days of *calendar* down from *high*, inclusive."""
    months = in_order(calendar.months)
    for year in range(high.year, FIRST_YEAR - 1, -1):
        for month in reversed(months):
            days = days_in_month(calendar, year, month)
            if year < high.year or month < high.month:
                yield from reversed(days)
            elif month == high.month:
                yield from reversed(days[: bisect_right(days, high)])


@lru_cache(maxsize=512)
def days_in_month(calendar: Calendar, year: int, month: int) -> tuple[dt.date, ...]:
    """Return the days of *calendar* in that month, ascending."""
    if month not in calendar.months:
        return ()
    days = _all_days(year, month)
    length = len(days)
    if calendar.weekdays is not WEEKDAYS:  # an equal set takes none away either
        first = days[0].weekday()
        week = [weekday in calendar.weekdays for weekday in range(1, 8)]
        days = tuple(compress(days, 5 * (week[first:] + week[:first])))
    if calendar.nth_weekday:
        days = _nth(days, calendar.nth_weekday)
    if calendar.days is not DAYS:
        wanted = calendar.days
        if min(wanted) < 0:
            wanted = frozenset({day if day > 0 else length + 1 + day for day in wanted})
        days = tuple([day for day in days if day.day in wanted])
    stride = calendar.stride
    return days if stride is None else tuple(day for day in days if stride.includes(day))


@lru_cache(maxsize=512)
def _all_days(year: int, month: int) -> tuple[dt.date, ...]:
    first = dt.date(year, month, 1).toordinal()
    days = map(dt.date.fromordinal, range(first, first + 31))
    return tuple(day for day in days if day.month == month)


def times_from(calendar: Calendar, low: dt.time) -> Iterator[dt.time]:
    """Yield the times of day of *calendar* from *low* on, inclusive."""
    hours, minutes, seconds = _fields(calendar)
    for hour in hours[bisect_left(hours, low.hour) :]:
        same_hour = hour == low.hour
        for minute in minutes[bisect_left(minutes, low.minute) if same_hour else 0 :]:
            same = same_hour and minute == low.minute
            for second in seconds[bisect_left(seconds, low.second) if same else 0 :]:
                yield dt.time(hour, minute, second)


def times_down_from(calendar: Calendar, high: dt.time) -> Iterator[dt.time]:
    """Yield the times of day of *calendar* down from *high*, inclusive."""
    hours, minutes, seconds = _fields(calendar)
    for hour in reversed(hours[: bisect_right(hours, high.hour)]):
        same_hour = hour == high.hour
        last_minute = bisect_right(minutes, high.minute) if same_hour else len(minutes)
        for minute in reversed(minutes[:last_minute]):
            same = same_hour and minute == high.minute
            last_second = bisect_right(seconds, high.second) if same else len(seconds)
            for second in reversed(seconds[:last_second]):
                yield dt.time(hour, minute, second)


def _nth(days: tuple[dt.date, ...], nth_weekday: frozenset[int]) -> tuple[dt.date, ...]:
    positions = {n - 1 if n > 0 else len(days) + n for n in nth_weekday}
    return tuple(day for position, day in enumerate(days) if position in positions)


def _fields(calendar: Calendar) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    return in_order(calendar.hours), in_order(calendar.minutes), in_order(calendar.seconds)
