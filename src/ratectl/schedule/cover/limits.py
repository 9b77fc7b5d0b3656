"""More triggers than an engine holds -> fewer ones that contain at least the same times."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations
from math import gcd
from typing import TYPE_CHECKING, Any

from ratectl.schedule.cover import repetition
from ratectl.schedule.cover.triggers import (
    EVERY_MINUTE,
    CalendarTrigger,
    Capabilities,
    FixedInterval,
    Trigger,
)
from ratectl.schedule.occurrences.zones import offsets
from ratectl.schedule.values import DAYS, HOURS, MONTHS, WEEKDAYS, Calendar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

DAY_SECONDS = 86400
FIELDS: tuple[dict[str, Any], ...] = (
    {"months": MONTHS},
    {"days": DAYS, "weekdays": WEEKDAYS},
    {"hours": HOURS},
)
"""What a trigger can be freed of, so that no combination with the other fields is left to say."""


def within(triggers: list[Trigger], host_zone: ZoneInfo, engine: Capabilities) -> list[Trigger]:
    """Return *triggers* where *engine* holds so many, or else fewer ones that contain them."""
    if engine.max_triggers is None or number(triggers, host_zone, engine) <= engine.max_triggers:
        return triggers
    if engine.pulses:
        return [_pulse(triggers, host_zone)]
    possible = [
        found
        for found in _freed(triggers)
        if number(found, host_zone, engine) <= engine.max_triggers
    ]
    return min(possible, key=_wakeups, default=[EVERY_MINUTE])


def number(triggers: Sequence[Trigger], host_zone: ZoneInfo, engine: Capabilities) -> int:
    """Return how many native triggers *engine* needs for all *triggers*."""
    if not engine.repetitions:
        return sum(count(trigger, engine) for trigger in triggers)
    intervals = sum(isinstance(trigger, FixedInterval) for trigger in triggers)
    return intervals + sum(1 for _ in repetition.starts(triggers, host_zone))


def count(trigger: Trigger, engine: Capabilities) -> int:
    """Return how many native triggers *engine* needs for *trigger*."""
    if isinstance(trigger, FixedInterval):
        return 1
    calendar = trigger.calendar
    times = len(calendar.hours) * len(calendar.minutes) * len(calendar.seconds)
    if not engine.days_multiply:
        return times
    if calendar.hours == HOURS:
        times = len(calendar.minutes)
    for field, full in (
        (calendar.days, DAYS),
        (calendar.weekdays, WEEKDAYS),
        (calendar.months, MONTHS),
    ):
        times *= len(field) if field != full else 1
    return times


def _freed(triggers: Sequence[Trigger]) -> Iterator[list[Trigger]]:
    """Yield *triggers* without one field, two fields, and so on, each only once."""
    ways = chain.from_iterable(combinations(FIELDS, n) for n in range(1, len(FIELDS) + 1))
    for way in ways:
        fields = {name: values for field in way for name, values in field.items()}
        yield list(dict.fromkeys(_without(trigger, fields) for trigger in triggers))


def _without(trigger: Trigger, fields: dict[str, Any]) -> Trigger:
    if isinstance(trigger, FixedInterval):
        return trigger
    return replace(trigger, calendar=replace(trigger.calendar, **fields))


def _wakeups(triggers: Sequence[Trigger]) -> float:
    """Return about how many times a year *triggers* start; one that is contained in another counts, too."""
    return sum(
        _times_a_year(trigger.calendar)
        for trigger in triggers
        if isinstance(trigger, CalendarTrigger)
    )


def _times_a_year(calendar: Calendar) -> float:
    times = len(calendar.hours) * len(calendar.minutes)
    days = len(calendar.days) / len(DAYS) * len(calendar.weekdays) / len(WEEKDAYS)
    return times * days * len(calendar.months) / len(MONTHS) * 365


def _pulse(triggers: Sequence[Trigger], host_zone: ZoneInfo) -> Trigger:
    """Return one pulse that contains all *triggers*, at most once a minute."""
    phases: set[int] = set()
    for trigger in triggers:
        if isinstance(trigger, CalendarTrigger):
            phases |= _utc_times(trigger.calendar, host_zone)
        elif DAY_SECONDS % trigger.every == 0:
            phases |= set(range(trigger.phase, DAY_SECONDS, trigger.every))
        else:
            return EVERY_MINUTE
    minutes = {phase - phase % 60 for phase in phases}  # the firing waits for seconds
    first = min(minutes)
    every = gcd(DAY_SECONDS, *(phase - first for phase in minutes))
    return FixedInterval(every=every, phase=first % every)


def _utc_times(calendar: Calendar, host_zone: ZoneInfo) -> set[int]:
    """Return the minutes of *calendar*'s times as seconds of the UTC day, at every offset."""
    return {
        (hour * 3600 + minute * 60 - int(shift.total_seconds())) % DAY_SECONDS
        for hour in calendar.hours
        for minute in calendar.minutes
        for shift in offsets(host_zone)
    }
