"""Several lines -> the one line that contains them, for an engine where a job has a single line.

A line is a product of its fields, so the union of each field is the smallest line that holds all.
What clock changes would lose is added to the same fields until nothing is lost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ratectl.schedule.cover import clock_changes
from ratectl.schedule.cover.triggers import EVERY_MINUTE, CalendarTrigger, Capabilities, Trigger
from ratectl.schedule.occurrences.zones import wall
from ratectl.schedule.values import DAYS, MONTHS, WEEKDAYS, Calendar

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from ratectl.schedule.values import Schedule

ROUNDS = 4
"""What a round adds can itself be lost to a clock change; after these every minute is asked for."""


def one_line(
    triggers: Sequence[Trigger],
    asked_for: tuple[Schedule, ZoneInfo],
    host_zone: ZoneInfo,
    engine: Capabilities,
    reasons: list[str],
) -> Trigger:
    """Return one trigger in the time of *host_zone* that contains *triggers* and every slot of what is *asked_for*."""
    calendars = [trigger.calendar for trigger in triggers if isinstance(trigger, CalendarTrigger)]
    found = _union(calendars)
    if not _is_exactly(found, calendars):
        reasons.append("one line has to say it all, and says the times in between, too")
    for _ in range(ROUNDS):
        line = CalendarTrigger(calendar=found)
        lost = clock_changes.missed(*asked_for, (line,), host_zone, engine)
        if not lost:
            return line
        found = _with(found, [wall(host_zone, instant) for instant in lost])
    return EVERY_MINUTE


def _union(calendars: Sequence[Calendar]) -> Calendar:
    days = frozenset().union(*(calendar.days for calendar in calendars))
    weekdays = frozenset().union(*(calendar.weekdays for calendar in calendars))
    by_date = any(calendar.days != DAYS for calendar in calendars)
    by_weekday = any(calendar.weekdays != WEEKDAYS for calendar in calendars)
    if by_date and by_weekday:  # no line says "either"
        days, weekdays = DAYS, WEEKDAYS
    return Calendar(
        minutes=frozenset().union(*(calendar.minutes for calendar in calendars)),
        hours=frozenset().union(*(calendar.hours for calendar in calendars)),
        months=frozenset().union(*(calendar.months for calendar in calendars)),
        days=days,
        weekdays=weekdays,
    )


def _is_exactly(found: Calendar, calendars: Iterable[Calendar]) -> bool:
    """Tell whether *found* holds no time that none of *calendars* has, as far as that is easily seen."""
    dates = (found.days, found.weekdays, found.months)
    times = set()
    for calendar in calendars:
        if (calendar.days, calendar.weekdays, calendar.months) != dates:
            return False
        times |= {(hour, minute) for hour in calendar.hours for minute in calendar.minutes}
    return len(times) == len(found.hours) * len(found.minutes)


def _with(calendar: Calendar, times: Iterable[dt.datetime]) -> Calendar:
    """Return *calendar* with the times *times*, and their dates where it is not on every day."""
    for time in times:
        calendar = replace(
            calendar,
            minutes=calendar.minutes | {time.minute},
            hours=calendar.hours | {time.hour},
            months=MONTHS if calendar.months == MONTHS else calendar.months | {time.month},
            days=DAYS if calendar.days == DAYS else calendar.days | {time.day},
            weekdays=calendar.weekdays | {time.isoweekday()},
        )
    return calendar
