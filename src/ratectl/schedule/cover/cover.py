"""Schedule value + zones + what an engine can say -> native triggers, labelled exact or guarded.

The law: the triggers wake us at every slot, or at the start of the minute of a slot
with seconds. An exact cover wakes at nothing else; a guarded one may, and the firing
then finds nothing due. The finest trigger that the engine can say is tried first.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from math import gcd
from zoneinfo import ZoneInfo

from ratectl.schedule.cover import clock_changes, limits
from ratectl.schedule.cover.single_line import one_line
from ratectl.schedule.cover.triggers import (
    EVERY_MINUTE,
    CalendarTrigger,
    Capabilities,
    Cover,
    Fidelity,
    FixedInterval,
    Trigger,
)
from ratectl.schedule.cover.widen import widen
from ratectl.schedule.cover.zone_shift import deltas, merged, shifted
from ratectl.schedule.occurrences.zones import changes, first_instant, offsets
from ratectl.schedule.values import (
    DAYS,
    MONTHS,
    WEEKDAYS,
    Calendar,
    Gaps,
    Interval,
    Once,
    Schedule,
    Union,
    Window,
    products,
)

__all__ = [
    "CalendarTrigger",
    "Capabilities",
    "Cover",
    "Fidelity",
    "FixedInterval",
    "Trigger",
    "cover",
]

UTC = ZoneInfo("UTC")
DAY_SECONDS = 86400
LONGEST_PULSE = 31 * DAY_SECONDS


@lru_cache(maxsize=4096)
def cover(schedule: Schedule, zone: ZoneInfo, host_zone: ZoneInfo, engine: Capabilities) -> Cover:
    """Return the tightest cover of *schedule*, meant in *zone*, that *engine* on a host in *host_zone* can say.

    A line with ``zone=None`` is meant in the host's zone; a zone is named only where the engine can.
    """
    triggers: list[Trigger] = []
    reasons: list[str] = []
    for atom in _atoms(schedule, reasons):
        found = _atom(atom, zone, host_zone, engine, reasons)
        triggers += (trigger for trigger in found if trigger not in triggers)
    if EVERY_MINUTE in triggers:
        triggers = [EVERY_MINUTE]
    if engine.one_line and triggers != [EVERY_MINUTE]:
        triggers = [one_line(triggers, (schedule, zone), host_zone, engine, reasons)]
    fewer = limits.within(triggers, host_zone, engine)
    if fewer != triggers:
        reasons.append(f"more than {engine.max_triggers} triggers would be needed")
    reason = "; ".join(dict.fromkeys(reasons))
    fidelity = Fidelity.GUARDED if reason else Fidelity.EXACT
    return Cover(fidelity=fidelity, reason=reason, triggers=tuple(fewer))


def _atoms(schedule: Schedule, reasons: list[str]) -> tuple[Calendar | Interval | Gaps, ...]:
    """Take windows, unions and single instants apart into what repeats for ever."""
    match schedule:
        case Window():
            reasons.append("the guard keeps from and until")
            return _atoms(schedule.inner, reasons)
        case Union():
            return tuple(a for member in schedule.members for a in _atoms(member, reasons))
        case Once():
            reasons.append("the scheduler repeats the date every year")
            at = schedule.at
            date = Calendar(
                hours=frozenset({at.hour}),
                minutes=frozenset({at.minute}),
                seconds=frozenset({at.second}),
                days=frozenset({at.day}),
                months=frozenset({at.month}),
            )
            return (date,)
    return (schedule,)


def _atom(
    atom: Calendar | Interval | Gaps,
    zone: ZoneInfo,
    host_zone: ZoneInfo,
    engine: Capabilities,
    reasons: list[str],
) -> tuple[Trigger, ...]:
    if isinstance(atom, Gaps):
        reasons.append("the scheduler cannot draw random gaps")
        return (EVERY_MINUTE,)
    if isinstance(atom, Interval):
        return _interval(atom, zone, host_zone, engine, reasons)
    grid = _elapsed_grid(atom, zone)
    if grid is None:
        return _calendar(atom, zone, host_zone, engine, reasons)
    if len(atom.seconds) > 1:
        reasons.append("seconds are waited for after a wakeup at the minute")
        atom = replace(atom, seconds=frozenset({0}))
    (second,) = atom.seconds
    if second and not engine.seconds:
        return _calendar(atom, zone, host_zone, engine, reasons)
    if engine.pulses or (grid.every == 60 and not second):
        return (FixedInterval(every=grid.every, phase=grid.phase + second),)
    if engine.zones and changes(zone):
        return tuple(
            CalendarTrigger(calendar=calendar, zone="UTC")
            for calendar in _utc_calendars(grid, second)
        )
    return _calendar(atom, zone, host_zone, engine, reasons)


def _interval(
    interval: Interval,
    zone: ZoneInfo,
    host_zone: ZoneInfo,
    engine: Capabilities,
    reasons: list[str],
) -> tuple[Trigger, ...]:
    anchor = int(first_instant(zone, interval.anchor).timestamp())
    if engine.pulses and interval.seconds % 60 == 0 and interval.seconds <= LONGEST_PULSE:
        return (FixedInterval(every=interval.seconds, phase=anchor % interval.seconds),)
    every = gcd(interval.seconds, DAY_SECONDS)
    if every != interval.seconds:
        reasons.append("the scheduler cannot count elapsed time across days")
    if every % 60 or anchor % 60:
        reasons.append("seconds are waited for after a wakeup at the minute")
        return (EVERY_MINUTE,)
    found: list[Trigger] = []
    for calendar in _utc_calendars(FixedInterval(every=every, phase=anchor % every)):
        found += _calendar(calendar, UTC, host_zone, engine, reasons)
    return tuple(found)


def _utc_calendars(pulse: FixedInterval, second: int = 0) -> tuple[Calendar, ...]:
    """Return running UTC calendars for a pulse that divides a day, *second* seconds into the minute."""
    return tuple(
        Calendar(hours=hours, minutes=minutes, seconds=frozenset({second}), elapsed_time=True)
        for hours, minutes, _ in products(range(pulse.phase, DAY_SECONDS, pulse.every))
    )


def _elapsed_grid(calendar: Calendar, zone: ZoneInfo) -> FixedInterval | None:
    """Return the fixed interval equivalent to *calendar*, or None if an offset change would shift it."""
    days = (calendar.days, calendar.months, calendar.weekdays) == (DAYS, MONTHS, WEEKDAYS)
    if not calendar.elapsed_time or not days or calendar.nth_weekday or calendar.stride:
        return None
    times = sorted(hour * 60 + minute for hour in calendar.hours for minute in calendar.minutes)
    step = 1440 // len(times)
    if times != list(range(times[0], 1440, step)) or step * len(times) != 1440:
        return None
    phases = {(times[0] - int(o.total_seconds()) // 60) % step for o in offsets(zone)}
    return FixedInterval(every=step * 60, phase=phases.pop() * 60) if len(phases) == 1 else None


def _calendar(
    calendar: Calendar,
    zone: ZoneInfo,
    host_zone: ZoneInfo,
    engine: Capabilities,
    reasons: list[str],
) -> tuple[Trigger, ...]:
    widened, why = widen(calendar, engine)
    reasons += why
    line_zone = host_zone
    if engine.zones:
        line_zone = UTC if clock_changes.loses_the_day(calendar, zone, engine) else zone
    label = line_zone.key if engine.zones else None
    if line_zone.key == zone.key:
        lines = tuple(
            CalendarTrigger(calendar=_spellable(calendar, engine), zone=label)
            for calendar in widened
        )
    else:
        moved = _moved(widened, zone, line_zone, engine, reasons)
        lines = tuple(CalendarTrigger(calendar=calendar, zone=label) for calendar in moved)
    unsure = clock_changes.missed(calendar, zone, lines, line_zone, engine)
    extras = () if engine.one_line else clock_changes.extra_triggers(unsure, host_zone, engine)
    if unsure or clock_changes.surplus(calendar, zone, lines, line_zone, engine):
        reasons.append("clock changes need extra wakeups")
    return (*lines, *extras)


def _moved(
    widened: tuple[Calendar, ...],
    zone: ZoneInfo,
    line_zone: ZoneInfo,
    engine: Capabilities,
    reasons: list[str],
) -> tuple[Calendar, ...]:
    """Return calendars in the time of *line_zone* for every difference between the two zones' clocks."""
    variants = []
    for delta in deltas(zone, line_zone):
        moved = [shifted(calendar, delta) for calendar in widened]
        if not all(exact for _, exact in moved):
            reasons.append("the day of the month differs between the zones")
        variants.append({_spellable(calendar, engine) for found, _ in moved for calendar in found})
    if any(variant != variants[0] for variant in variants):
        reasons.append(f"the offset between {zone.key} and {line_zone.key} varies over the year")
    return merged(sorted({calendar for variant in variants for calendar in variant}, key=_order))


def _order(calendar: Calendar) -> tuple[list[int], ...]:
    fields = (calendar.hours, calendar.minutes, calendar.weekdays, calendar.days, calendar.months)
    return tuple(sorted(field) for field in fields)


def _spellable(calendar: Calendar, engine: Capabilities) -> Calendar:
    """Cron runs a line through both passes of a fold only where minute or hour begin with a star."""
    if engine.fold != "cron" or not calendar.elapsed_time:
        return calendar
    starred = any(
        field == frozenset(range(0, top, step))
        for field, top in ((calendar.minutes, 60), (calendar.hours, 24))
        for step in range(1, top)
    )
    return calendar if starred else replace(calendar, elapsed_time=False)
