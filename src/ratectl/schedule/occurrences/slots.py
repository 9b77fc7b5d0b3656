"""Schedule value + zone + aware time -> slots, forward and backward, with the daylight-saving rule.

Wall-clock calendars map each civil time to one instant (see ``zones.py``). Running
calendars follow elapsed time: whatever the clocks show, as often as they show it.
Slots are computed with the zone data at hand; nothing is stored between calls.
"""

from __future__ import annotations

import datetime as dt
import heapq
from typing import TYPE_CHECKING

from ratectl.schedule.occurrences import civil
from ratectl.schedule.occurrences.zones import (
    DAY,
    SECOND,
    change_between,
    first_instant,
    offset,
    offset_of,
    wall,
)
from ratectl.schedule.values import Calendar, Gaps, Interval, Once, Schedule, Union, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

DISTANT_PAST = dt.datetime(civil.FIRST_YEAR, 1, 1, tzinfo=dt.UTC)


def after(schedule: Schedule, zone: ZoneInfo, start: dt.datetime) -> Iterator[dt.datetime]:
    """Yield the slots later than aware *start*, ascending, as aware datetimes in *zone*.

    Ends where the schedule ends (``until``, ``once``) or after the year 2200.
    """
    floor = start.astimezone(dt.UTC)
    if floor.microsecond:
        floor = floor.replace(microsecond=0)
    return (instant.astimezone(zone) for instant in _after(schedule, zone, floor))


def before(schedule: Schedule, zone: ZoneInfo, end: dt.datetime) -> Iterator[dt.datetime]:
    """Yield the slots earlier than aware *end*, descending, as aware datetimes in *zone*.

    Ends where the schedule starts (``from``) or before the year 1900.
    """
    ceiling = end.astimezone(dt.UTC)
    if ceiling.microsecond:
        ceiling = ceiling.replace(microsecond=0) + SECOND
    return (instant.astimezone(zone) for instant in _before(schedule, zone, ceiling))


def fires(schedule: Schedule, zone: ZoneInfo | None = None) -> bool:
    """Tell whether *schedule* has any slot at all, on the clocks of *zone*, else of UTC."""
    if isinstance(schedule, Calendar) and not schedule.elapsed_time:
        first = civil.first_day(schedule, DISTANT_PAST.date())  # it has a slot on each of its days
        return first is not None
    return next(_after(schedule, zone or _utc(), DISTANT_PAST), None) is not None


def _utc() -> ZoneInfo:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only the check at install needs it

    return ZoneInfo("UTC")


def _after(schedule: Schedule, zone: ZoneInfo, start: dt.datetime) -> Iterator[dt.datetime]:
    """Return the UTC instants later than *start*, a UTC instant in whole seconds."""
    match schedule:
        case Calendar(elapsed_time=True):
            return _running_from(schedule, zone, start + SECOND)
        case Calendar():
            return _wall_clock_after(schedule, zone, start)
        case Interval():
            return _interval_after(schedule, zone, start)
        case Gaps():
            return _gaps_after(schedule, zone, start)
        case Once():
            at = first_instant(zone, schedule.at)
            return iter((at,) if at > start else ())
        case Union():
            streams = [_after(member, zone, start) for member in schedule.members]
            return _distinct(heapq.merge(*streams))
        case Window():
            return _window_after(schedule, zone, start)


def _before(schedule: Schedule, zone: ZoneInfo, end: dt.datetime) -> Iterator[dt.datetime]:
    """Return the UTC instants earlier than *end*, a UTC instant in whole seconds."""
    match schedule:
        case Calendar(elapsed_time=True):
            return _running_down_from(schedule, zone, end)
        case Calendar():
            return _wall_clock_before(schedule, zone, end)
        case Interval():
            return _interval_before(schedule, zone, end)
        case Gaps():
            return _gaps_before(schedule, zone, end)
        case Once():
            at = first_instant(zone, schedule.at)
            return iter((at,) if at < end else ())
        case Union():
            streams = [_before(member, zone, end) for member in schedule.members]
            return _distinct(heapq.merge(*streams, reverse=True))
        case Window():
            return _window_before(schedule, zone, end)


def _wall_clock_after(
    calendar: Calendar, zone: ZoneInfo, start: dt.datetime
) -> Iterator[dt.datetime]:
    """A civil time that the clocks have passed by *start* maps to *start* or earlier: skip it unseen."""
    last = start
    for time in civil.ascending(calendar, wall(zone, start) + SECOND):
        instant = first_instant(zone, time)
        if instant > last:
            yield instant
            last = instant


def _wall_clock_before(
    calendar: Calendar, zone: ZoneInfo, end: dt.datetime
) -> Iterator[dt.datetime]:
    """Start from the latest civil time that any clock had shown before *end*: a fold set it back."""
    set_back = max(offset(zone, end - DAY) - offset(zone, end), dt.timedelta())
    last = end
    for time in civil.descending(calendar, wall(zone, end) + set_back):
        instant = first_instant(zone, time)
        if instant < last:
            yield instant
            last = instant


def _running_from(calendar: Calendar, zone: ZoneInfo, start: dt.datetime) -> Iterator[dt.datetime]:
    """Walk day by day, and within a day from one clock change to the next, at constant offset."""
    asked = day = dt.date.max
    while True:
        now = start.astimezone(zone)
        today = now.date()
        if not asked <= today <= day:  # a fold may have set the clocks back to the day before
            found = civil.first_day(calendar, today)
            if found is None:
                return
            asked, day = today, found
        if day > today + DAY:
            start = first_instant(zone, dt.datetime.combine(day, civil.MIDNIGHT))
            continue
        shift = offset_of(now)
        stop = dt.datetime.combine(today + DAY, civil.MIDNIGHT, dt.UTC) - shift
        if offset(zone, stop) != shift:
            stop = change_between(zone, start, stop)
        if day == today:
            for time in civil.times_from(calendar, now.time()):
                instant = dt.datetime.combine(day, time, dt.UTC) - shift
                if instant >= stop:
                    break
                yield instant
        start = stop


def _running_down_from(
    calendar: Calendar, zone: ZoneInfo, end: dt.datetime
) -> Iterator[dt.datetime]:
    """The mirror image of :func:`_running_from`; *end* is exclusive."""
    while True:
        now = wall(zone, end - SECOND)
        day = next(civil.days_down_from(calendar, now.date()), None)
        if day is None:
            return
        if day < now.date() - DAY:
            end = first_instant(zone, dt.datetime.combine(day + 2 * DAY, civil.MIDNIGHT))
            continue
        shift = offset(zone, end - SECOND)
        stop = (dt.datetime.combine(now.date(), civil.MIDNIGHT) - shift).replace(tzinfo=dt.UTC)
        if offset(zone, stop) != shift:
            stop = change_between(zone, stop, end - SECOND)
        if day == now.date():
            for time in civil.times_down_from(calendar, now.time()):
                instant = (dt.datetime.combine(day, time) - shift).replace(tzinfo=dt.UTC)
                if instant < stop:
                    break
                yield instant
        end = stop


def _interval_after(
    interval: Interval, zone: ZoneInfo, start: dt.datetime
) -> Iterator[dt.datetime]:
    anchor = first_instant(zone, interval.anchor)
    step = dt.timedelta(seconds=interval.seconds)
    instant = anchor + max((start - anchor) // step + 1, 0) * step
    while instant.year <= civil.LAST_YEAR:
        yield instant
        instant += step


def _interval_before(interval: Interval, zone: ZoneInfo, end: dt.datetime) -> Iterator[dt.datetime]:
    anchor = first_instant(zone, interval.anchor)
    step = dt.timedelta(seconds=interval.seconds)
    instant = anchor - ((anchor - end) // step + 1) * step
    while instant >= anchor:
        yield instant
        instant -= step


def _gaps_after(gaps: Gaps, zone: ZoneInfo, start: dt.datetime) -> Iterator[dt.datetime]:
    anchor = first_instant(zone, gaps.anchor)
    elapsed = int((start - anchor).total_seconds())
    number = max(2 * elapsed // (gaps.shortest + gaps.longest) - 1, 0)
    while (instant := _gap_slot(gaps, anchor, number)).year <= civil.LAST_YEAR:
        if instant > start:
            yield instant
        number += 1


def _gaps_before(gaps: Gaps, zone: ZoneInfo, end: dt.datetime) -> Iterator[dt.datetime]:
    anchor = first_instant(zone, gaps.anchor)
    elapsed = int((end - anchor).total_seconds())
    for number in range(2 * elapsed // (gaps.shortest + gaps.longest) + 1, -1, -1):
        instant = _gap_slot(gaps, anchor, number)
        if instant < end:
            yield instant


def _gap_slot(gaps: Gaps, anchor: dt.datetime, number: int) -> dt.datetime:
    """Return slot *number* from a hash of the seed; slot 0 is the anchor, so that none lies before it."""
    from hashlib import sha256  # noqa: PLC0415 - few schedules have random gaps

    reach = (gaps.longest - gaps.shortest) // 4
    draw = int.from_bytes(sha256(f"{gaps.seed}\0{number}".encode()).digest()[:8])
    shift = draw % (2 * reach + 1) - reach if number else 0
    mean = number * (gaps.shortest + gaps.longest) // 2
    return anchor + dt.timedelta(seconds=mean + shift)


def _window_after(window: Window, zone: ZoneInfo, start: dt.datetime) -> Iterator[dt.datetime]:
    if window.start is not None:
        start = max(start, first_instant(zone, window.start) - SECOND)
    end = None if window.end is None else first_instant(zone, window.end)
    for instant in _after(window.inner, zone, start):
        if end is not None and instant >= end:
            return
        yield instant


def _window_before(window: Window, zone: ZoneInfo, end: dt.datetime) -> Iterator[dt.datetime]:
    if window.end is not None:
        end = min(end, first_instant(zone, window.end))
    start = None if window.start is None else first_instant(zone, window.start)
    for instant in _before(window.inner, zone, end):
        if start is not None and instant < start:
            return
        yield instant


def _distinct(instants: Iterable[dt.datetime]) -> Iterator[dt.datetime]:
    last = None
    for instant in instants:
        if instant != last:
            yield instant
            last = instant
