"""What triggers do when clocks change, and the extra triggers for slots that they would miss.

Away from clock changes a trigger fires whenever its zone's clocks show its times.
Near a change it depends on the engine (see ``Capabilities.gap`` and ``.fold``), so there
every slot (``occurrences/zones.py`` says where it falls) of the years in ``COVER_YEARS`` is compared with what fires.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import replace
from functools import lru_cache
from itertools import takewhile
from math import gcd
from typing import TYPE_CHECKING

from ratectl.schedule.cover.triggers import (
    EVERY_MINUTE,
    CalendarTrigger,
    Capabilities,
    FixedInterval,
    Trigger,
)
from ratectl.schedule.occurrences import civil, slots
from ratectl.schedule.occurrences.zones import SECOND, changes, first_instant, wall
from ratectl.schedule.values import DAYS, MONTHS, Calendar, products

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from ratectl.schedule.occurrences.zones import Change
    from ratectl.schedule.values import Schedule

DAY_SECONDS = 86400


def missed(
    schedule: Schedule,
    zone: ZoneInfo,
    triggers: Sequence[Trigger],
    line_zone: ZoneInfo,
    engine: Capabilities,
) -> set[dt.datetime]:
    """Return the slots near clock changes, to the minute, that no trigger surely wakes us for."""
    found = set()
    for slot in _slots_near_changes(schedule, zone, line_zone):
        if not any(surely_fires(trigger, slot, line_zone, engine) for trigger in triggers):
            found.add(slot)
    return found


def surplus(
    schedule: Schedule,
    zone: ZoneInfo,
    triggers: Sequence[Trigger],
    line_zone: ZoneInfo,
    engine: Capabilities,
) -> bool:
    """Tell whether a trigger may fire near a clock change where there is no slot."""
    wanted = _slots_near_changes(schedule, zone, line_zone)
    return any(
        instant not in wanted
        for trigger in triggers
        if isinstance(trigger, CalendarTrigger)
        for change in changes(line_zone)
        for instant in _possible(trigger.calendar, change, engine)
    )


@lru_cache(maxsize=64)
def _slots_near_changes(
    schedule: Schedule, zone: ZoneInfo, line_zone: ZoneInfo
) -> frozenset[dt.datetime]:
    found: set[dt.datetime] = set()
    for change in {*changes(zone), *changes(line_zone)}:
        size = abs(change.new - change.old)
        after = slots.after(schedule, zone, change.at - size - SECOND)
        near = takewhile(lambda slot, end=change.at + size: slot <= end, after)  # type: ignore[misc]
        found |= {slot.astimezone(dt.UTC).replace(second=0) for slot in near}
    return frozenset(found)


def loses_the_day(calendar: Calendar, zone: ZoneInfo, engine: Capabilities) -> bool:
    """Tell whether an engine that skips gaps may skip more of the day than the times in them.

    systemd 252 gives up the rest of the day on an hour field that meets a gap which ends negative
    daylight saving (Dublin, Casablanca), and the whole line where a gap begins within an hour (Chatham).
    """
    if engine.gap != "skip":
        return False
    hours: set[int] = set()
    for change in changes(zone):
        old, new = ((change.at + shift).replace(tzinfo=None) for shift in (change.old, change.new))
        before = (change.at - SECOND).astimezone(zone).dst()
        if change.is_gap and (old.minute or (before is not None and before.days < 0)):
            hours |= {
                (old.hour + n) % 24 for n in range(int((new - old).total_seconds()) // 3600 + 1)
            }
    return not hours.isdisjoint(calendar.hours)


def surely_fires(
    trigger: Trigger, instant: dt.datetime, line_zone: ZoneInfo, engine: Capabilities
) -> bool:
    """Tell whether *trigger* fires at *instant* (a whole minute), whatever the engine leaves open."""
    if isinstance(trigger, FixedInterval):
        return int(instant.timestamp()) % trigger.every == trigger.phase
    calendar = trigger.calendar
    local_time = wall(line_zone, instant)
    if _holds(calendar, local_time):
        if not _comes_twice(instant, line_zone) or _fires_twice(calendar, engine):
            return True
        return engine.fold != "unknown" and first_instant(line_zone, local_time) == instant
    if engine.gap != "after" or calendar.elapsed_time:
        return False
    return any(
        change.at == instant and next(_times_in(calendar, change), None) is not None
        for change in changes(line_zone)
        if change.is_gap
    )


def _holds(calendar: Calendar, civil_time: dt.datetime) -> bool:
    """Tell whether *calendar* has a time within the minute of *civil_time*."""
    if civil_time.minute not in calendar.minutes or civil_time.hour not in calendar.hours:
        return False
    return civil_time.date() in civil.days_in_month(calendar, civil_time.year, civil_time.month)


def _fires_twice(calendar: Calendar, engine: Capabilities) -> bool:
    """Tell whether *engine* surely fires both times when a civil time comes twice."""
    return engine.fold == "both" or (engine.fold == "cron" and calendar.elapsed_time)


def _possible(calendar: Calendar, change: Change, engine: Capabilities) -> Iterator[dt.datetime]:
    """Yield every instant at which the engine may fire for times that *change* skips or repeats."""
    for time in _times_in(calendar, change):
        first = (time - change.old).replace(tzinfo=dt.UTC, second=0)
        second = (time - change.new).replace(tzinfo=dt.UTC, second=0)
        if change.is_gap:
            if engine.gap == "unknown":
                yield from (first, second, change.at)
            elif engine.gap == "after" and not (calendar.elapsed_time and engine.fold == "cron"):
                yield change.at  # only cron has lines that follow elapsed time
        else:
            yield first
            if engine.fold == "unknown" or _fires_twice(calendar, engine):
                yield second


def _times_in(calendar: Calendar, change: Change) -> Iterator[dt.datetime]:
    """Yield the civil times of *calendar* that *change* skips or repeats."""
    old, new = ((change.at + shift).replace(tzinfo=None) for shift in (change.old, change.new))
    return takewhile(lambda time: time < max(old, new), civil.ascending(calendar, min(old, new)))


def extra_triggers(
    instants: Iterable[dt.datetime], host_zone: ZoneInfo, engine: Capabilities
) -> tuple[Trigger, ...]:
    """Return triggers that surely fire at all *instants*, as rarely as *engine* can say it."""
    instants = sorted(instants)
    if not instants:
        return ()
    if engine.zones:
        return _lines(instants, lambda instant: (instant.replace(tzinfo=None), False), "UTC")
    if engine.pulses:
        return _pulses(instants)
    if engine.fold != "cron":
        if _crowded([instant for instant in instants if _comes_twice(instant, host_zone)]):
            return (EVERY_MINUTE,)
        instants = sorted({_single(instant, host_zone) for instant in instants})
    lines = _lines(instants, lambda instant: _on_host(instant, host_zone), None)
    return _daily(lines) if engine.days_multiply else lines


def _crowded(instants: list[dt.datetime]) -> bool:
    """Tell whether more than two of *instants* lie within an hour: a wakeup after it would be too late for some."""
    hour = dt.timedelta(hours=1)
    return any(third - first < hour for first, third in zip(instants, instants[2:], strict=False))


def _single(instant: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return *instant*, or where its time comes twice in *zone* the first instant after both."""
    if not _comes_twice(instant, zone):
        return instant
    ends = (change.at + (change.old - change.new) for change in changes(zone))
    return min(end for end in ends if end > instant)


def _daily(lines: tuple[CalendarTrigger, ...]) -> tuple[CalendarTrigger, ...]:
    """Return *lines* without their dates where these would need more triggers than a month has days."""
    found = []
    for line in lines:
        calendar = line.calendar
        if len(calendar.days) * len(calendar.months) > 31:
            calendar = replace(calendar, days=DAYS, months=MONTHS)
        found.append(replace(line, calendar=calendar))
    return tuple(dict.fromkeys(found))


def _comes_twice(instant: dt.datetime, zone: ZoneInfo) -> bool:
    """Tell whether the clocks of *zone* show the time of *instant* once more, before or after it."""
    local_time = instant.astimezone(zone)
    return local_time.replace(fold=0).utcoffset() != local_time.replace(fold=1).utcoffset()


def _on_host(instant: dt.datetime, host_zone: ZoneInfo) -> tuple[dt.datetime, bool]:
    local_time = wall(host_zone, instant)
    return local_time, first_instant(host_zone, local_time) != instant


def _lines(
    instants: list[dt.datetime],
    read: Callable[[dt.datetime], tuple[dt.datetime, bool]],
    zone: str | None,
) -> tuple[CalendarTrigger, ...]:
    """Return yearly lines; those for the second pass of a fold are running, on a step cron can star."""
    days: dict[tuple[int, bool], set[tuple[int, int]]] = defaultdict(set)
    for instant in instants:
        local_time, repeated = read(instant)
        days[local_time.hour * 3600 + local_time.minute * 60, repeated].add(
            (local_time.month, local_time.day)
        )
    times: dict[tuple[frozenset[int], frozenset[int], bool], set[int]] = defaultdict(set)
    for (time, repeated), dates in days.items():
        months = frozenset(month for month, _ in dates)
        times[months, _week_of(dates), repeated].add(time)
    return tuple(
        CalendarTrigger(
            calendar=Calendar(
                hours=hours,
                minutes=_starred(minutes) if repeated else minutes,
                months=months,
                days=month_days,
                elapsed_time=repeated,
            ),
            zone=zone,
        )
        for (months, month_days, repeated), group in times.items()
        for hours, minutes, _ in products(group)
    )


def _week_of(dates: set[tuple[int, int]]) -> frozenset[int]:
    """Return the run of days around *dates*: clock changes keep to a week of their month."""
    numbers = [day for _, day in dates]
    return frozenset(range(min(numbers), max(numbers) + 1))


def _starred(minutes: frozenset[int]) -> frozenset[int]:
    """Return minutes that contain *minutes* and that cron says as ``*`` or ``*/n``."""
    return frozenset(range(0, 60, gcd(30, *minutes)))


def _pulses(instants: list[dt.datetime]) -> tuple[Trigger, ...]:
    phases = sorted({int(instant.timestamp()) % DAY_SECONDS for instant in instants})
    if len(phases) <= 4:
        return tuple(FixedInterval(every=DAY_SECONDS, phase=phase) for phase in phases)
    every = gcd(DAY_SECONDS, *(phase - phases[0] for phase in phases))
    return (FixedInterval(every=every, phase=phases[0] % every),)
