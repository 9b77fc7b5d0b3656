"""Schedule value + zone + aware time -> slots, forward and backward (stand-in body)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from ratectl.schedule.calendar import Calendar, Schedule, Union, Window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo


def after(schedule: Schedule, zone: ZoneInfo, start: dt.datetime) -> Iterator[dt.datetime]:
    """Yield the slots later than aware *start*, ascending, as aware datetimes in *zone*.

    Ends where the schedule ends (a Window, Once) or where the calendar does (year 2200).
    """
    moment = start.astimezone(zone).replace(second=0, microsecond=0)
    for _ in range(60 * 24 * 400):
        moment = (moment.astimezone(dt.UTC) + dt.timedelta(minutes=1)).astimezone(zone)
        if moment > start and _matches(schedule, moment):
            yield moment


def before(schedule: Schedule, zone: ZoneInfo, end: dt.datetime) -> Iterator[dt.datetime]:
    """Yield the slots earlier than aware *end*, descending, as aware datetimes in *zone*."""
    moment = end.astimezone(zone).replace(second=0, microsecond=0) + dt.timedelta(minutes=1)
    for _ in range(60 * 24 * 400):
        moment = (moment.astimezone(dt.UTC) - dt.timedelta(minutes=1)).astimezone(zone)
        if moment < end and _matches(schedule, moment):
            yield moment


def _matches(schedule: Schedule, moment: dt.datetime) -> bool:
    if isinstance(schedule, Window):
        return _matches(schedule.inner, moment)
    if isinstance(schedule, Union):
        return any(_matches(member, moment) for member in schedule.members)
    assert isinstance(schedule, Calendar)
    return moment.minute in schedule.minutes and moment.hour in schedule.hours
