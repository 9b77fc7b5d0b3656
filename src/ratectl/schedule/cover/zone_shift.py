"""A calendar meant in one zone -> calendars in another whose civil times contain the same instants.

For every pair of offsets that the two zones have at once, times of day move by the
difference and carry into the day before or after. Weekdays carry exactly; days of
the month are widened where a carry may cross the end of a month.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from ratectl.schedule.occurrences.zones import COVER_YEARS, changes, offset
from ratectl.schedule.values import DAYS, HOURS, MONTHS, WEEKDAYS, Calendar, numbers_of, products

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

DAY_SECONDS = 86400
SHORTEST_MONTH = 28


@lru_cache(maxsize=256)
def deltas(zone: ZoneInfo, host_zone: ZoneInfo) -> tuple[int, ...]:
    """Return how many seconds the clocks of *host_zone* are ahead of *zone*'s, every value that occurs."""
    instants = [dt.datetime(COVER_YEARS[0], 1, 1, tzinfo=dt.UTC)]
    instants += [change.at for change in (*changes(zone), *changes(host_zone))]
    found = {offset(host_zone, at) - offset(zone, at) for at in instants}
    return tuple(sorted(int(delta.total_seconds()) for delta in found))


def shifted(calendar: Calendar, delta: int) -> tuple[tuple[Calendar, ...], bool]:
    """Return *calendar* read on clocks *delta* seconds ahead, and whether that is the same set of times."""
    if delta == 0:
        return (calendar,), True
    by_carry: dict[int, set[int]] = defaultdict(set)
    for hour in calendar.hours:
        for minute in calendar.minutes:
            for second in calendar.seconds:
                carry, time = divmod(hour * 3600 + minute * 60 + second + delta, DAY_SECONDS)
                by_carry[carry].add(time)
    found: list[Calendar] = []
    exact = True
    for carry, times in sorted(by_carry.items()):
        days, same = _carried(calendar, carry)
        exact = exact and same
        found += [
            replace(days, hours=hours, minutes=minutes, seconds=seconds)
            for hours, minutes, seconds in products(times)
        ]
    return merged(found), exact


def merged(calendars: Iterable[Calendar]) -> tuple[Calendar, ...]:
    """Join calendars that differ only in their weekdays or hours, as carries and offsets leave them."""
    weekdays: dict[Calendar, frozenset[int]] = {}
    for calendar in calendars:
        key = replace(calendar, weekdays=WEEKDAYS)
        weekdays[key] = weekdays.get(key, frozenset()) | calendar.weekdays
    hours: dict[Calendar, frozenset[int]] = {}
    for key, days in weekdays.items():
        calendar = replace(key, weekdays=days, hours=HOURS)
        hours[calendar] = hours.get(calendar, frozenset()) | key.hours
    return tuple(replace(key, hours=values) for key, values in hours.items())


def _carried(calendar: Calendar, carry: int) -> tuple[Calendar, bool]:
    if carry == 0:
        return calendar, True
    weekdays = frozenset((day - 1 + carry) % 7 + 1 for day in calendar.weekdays)
    free = calendar.days == DAYS and calendar.months == MONTHS
    if free and not calendar.nth_weekday and calendar.stride is None:
        return replace(calendar, weekdays=weekdays), True
    days, crosses = _carried_days(calendar.days, carry)
    months = calendar.months
    if crosses:
        way = 1 if carry > 0 else -1
        months = months | {(month - 1 + way) % 12 + 1 for month in months}
    widened = replace(
        calendar, weekdays=weekdays, days=days, months=months, nth_weekday=frozenset(), stride=None
    )
    return widened, False


def _carried_days(days: frozenset[int], carry: int) -> tuple[frozenset[int], bool]:
    """Return the days of the month *carry* days on, and whether some may lie in the next or previous month."""
    if days == DAYS:
        return DAYS, True
    numbers = {number for day in days for number in numbers_of(day)}
    found: set[int] = set()
    crosses = False
    for number in numbers:
        moved = number + carry
        if moved < 1:
            crosses = True
            found |= set(range(SHORTEST_MONTH + moved, 32 + moved))
            continue
        if moved <= 31:
            found.add(moved)
        if moved > SHORTEST_MONTH:
            crosses = True
            found |= set(range(1, min(moved - SHORTEST_MONTH, carry) + 1))
    return frozenset(found), crosses
