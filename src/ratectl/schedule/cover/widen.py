"""One calendar -> calendars that an engine can say, containing at least the same times.

Each widening carries its reason; no reason means nothing was added. Civil days
only: time zones and clock changes are the business of ``zone_shift.py`` and ``clock_changes.py``.
"""

from __future__ import annotations

import calendar as months_of
import datetime as dt
from dataclasses import replace
from functools import lru_cache
from math import gcd
from typing import TYPE_CHECKING

from ratectl.schedule.occurrences import civil
from ratectl.schedule.values import DAYS, MONTHS, WEEKDAYS, Calendar, Stride, Unit, numbers_of

if TYPE_CHECKING:
    from ratectl.schedule.cover.triggers import Capabilities

Sayable = tuple[tuple[Calendar, ...], tuple[str, ...]]
"""Calendars that an engine can say, and the reasons why they contain more than was asked."""


def widen(calendar: Calendar, engine: Capabilities) -> Sayable:
    """Return calendars that *engine* can say and that together contain every time of *calendar*."""
    reasons: list[str] = []
    if len(calendar.seconds) > 1 or (calendar.seconds != {0} and not engine.seconds):
        calendar = replace(calendar, seconds=frozenset({0}))
        reasons.append("seconds are waited for after a wakeup at the minute")
    calendars = _without_foreign_stride(calendar, engine, reasons)
    days = [_days(calendar, engine, reasons) for calendar in calendars]
    return tuple(days), tuple(dict.fromkeys(reasons))


def _without_foreign_stride(
    calendar: Calendar, engine: Capabilities, reasons: list[str]
) -> list[Calendar]:
    stride = calendar.stride
    if stride is None:
        return [calendar]
    if stride.unit is Unit.MONTH:
        return [_month_set(calendar, stride, reasons)]
    plain = calendar.days == DAYS and calendar.months == MONTHS and not calendar.nth_weekday
    if engine.longest_stride and plain:
        if stride.unit is Unit.WEEK:
            most = _countable(7 * stride.every, engine, reasons)
            return [_day_stride(calendar, stride, day, most) for day in sorted(calendar.weekdays)]
        if calendar.weekdays == WEEKDAYS:
            every = _countable(stride.every, engine, reasons)
            return [replace(calendar, stride=replace(stride, every=every) if every > 1 else None)]
    reasons.append(f"the scheduler cannot count every {stride.every} {stride.unit.value}s")
    return [replace(calendar, stride=None)]


def _countable(days: int, engine: Capabilities, reasons: list[str]) -> int:
    """Return the largest number of days that divides *days* and that *engine* can count."""
    if days <= engine.longest_stride:
        return days
    reasons.append(f"the scheduler counts at most {engine.longest_stride} days")
    return max(n for n in range(1, engine.longest_stride + 1) if days % n == 0)


def _month_set(calendar: Calendar, stride: Stride, reasons: list[str]) -> Calendar:
    step = gcd(stride.every, 12)
    if step != stride.every:
        reasons.append(f"the scheduler cannot count every {stride.every} months")
    months = {month for month in calendar.months if (month - stride.anchor.month) % step == 0}
    return replace(calendar, months=frozenset(months), stride=None)


def _day_stride(calendar: Calendar, stride: Stride, weekday: int, every: int) -> Calendar:
    """Every n weeks on one weekday is every 7n days from such a day; *every* divides that."""
    monday = stride.anchor - dt.timedelta(days=stride.anchor.weekday())
    anchor = monday + dt.timedelta(days=weekday - 1)
    by_days = Stride(unit=Unit.DAY, every=every, anchor=anchor)
    return replace(calendar, weekdays=WEEKDAYS, stride=by_days)


def _days(calendar: Calendar, engine: Capabilities, reasons: list[str]) -> Calendar:
    if calendar.nth_weekday and not (
        len(calendar.weekdays) == 1 and calendar.nth_weekday <= engine.nth_weekday
    ):
        calendar = widened_nth(calendar, engine, reasons)
    if min(calendar.days) < -engine.last_days:
        calendar = replace(calendar, days=_numbered(calendar.days, engine))
        reasons.append("the scheduler cannot say that day before the end of the month")
    both = calendar.days != DAYS and calendar.weekdays != WEEKDAYS
    if both and (not engine.both_days or calendar.nth_weekday):
        calendar = _rarer_field(calendar)
        reasons.append(
            "the scheduler cannot restrict the day of the month and the weekday together"
        )
    return calendar


def _numbered(days: frozenset[int], engine: Capabilities) -> frozenset[int]:
    """Return *days* with the numbers that those may have which *engine* cannot count from the end."""
    return frozenset(
        number
        for day in days
        for number in ((day,) if day >= -engine.last_days else numbers_of(day))
    )


def _rarer_field(calendar: Calendar) -> Calendar:
    """Keep only the day field that wakes less often; days of the month when they tie."""
    if len(calendar.weekdays) * 52 < len(calendar.days) * 12:
        return replace(calendar, days=DAYS)
    return replace(calendar, weekdays=WEEKDAYS, nth_weekday=frozenset())


def widened_nth(calendar: Calendar, engine: Capabilities, reasons: list[str]) -> Calendar:
    """Return *calendar* with "the n-th of these weekdays" said by days of the month."""
    possible, unique = _nth_days(calendar.weekdays, calendar.nth_weekday)
    if not (unique and engine.both_days):
        reasons.append("the scheduler cannot say which weekday of the month")
    if min(calendar.days) < 0:
        return replace(calendar, nth_weekday=frozenset(), days=DAYS)
    days = calendar.days & possible or possible
    return replace(calendar, nth_weekday=frozenset(), days=days)


@lru_cache(maxsize=256)
def _nth_days(weekdays: frozenset[int], nth_weekday: frozenset[int]) -> tuple[frozenset[int], bool]:
    """Return the days of the month on which they can fall, and whether weekday and day then say it exactly."""
    pattern = Calendar(weekdays=weekdays, nth_weekday=nth_weekday)
    shapes = [(year, month) for year in range(2000, 2028) for month in (1, 2, 4)]
    chosen = {shape: {day.day for day in civil.days_in_month(pattern, *shape)} for shape in shapes}
    possible = frozenset().union(*chosen.values())
    unique = all(
        chosen[shape] == {day for day in possible if _is_weekday(shape, day, weekdays)}
        for shape in shapes
    )
    return possible, unique


def _is_weekday(shape: tuple[int, int], day: int, weekdays: frozenset[int]) -> bool:
    first, length = months_of.monthrange(*shape)
    return day <= length and (first + day - 1) % 7 + 1 in weekdays
