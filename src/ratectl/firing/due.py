"""Which slots are due: the watermark, the clock and the job's catch-up policy in, slots out. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from ratectl import schedule
from ratectl.errors import UsageError
from ratectl.model.job import ON_TIME, CatchUp
from ratectl.schedule.occurrences.zones import SECOND
from ratectl.schedule.values import YEARS
from ratectl.views.format import clock
from ratectl.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from ratectl.model.job import Job
    from ratectl.schedule import Schedule

MOST_COUNTED = 10_000
"""How many missed slots are counted one by one; beyond that the number is a lower bound."""


class Timetable:
    """The slots of one job, parsed once. Raises ConfigError where there is no data of its zone.

    They come in UTC, as those of the record do: on the job's clocks the two slots of an hour that is repeated are equal, and equal to none in UTC.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.schedule: Schedule = job.schedule
        self.zone: ZoneInfo = job.zone

    def next(self, moment: dt.datetime) -> dt.datetime | None:
        """Return the first slot later than *moment*."""
        slots = schedule.after(self.schedule, self.zone, moment)
        return next((slot.astimezone(dt.UTC) for slot in slots), None)

    def last(self, moment: dt.datetime) -> dt.datetime | None:
        """Return the last slot earlier than *moment*."""
        slots = schedule.before(self.schedule, self.zone, moment)
        return next((slot.astimezone(dt.UTC) for slot in slots), None)

    def is_slot(self, moment: dt.datetime) -> bool:
        """Tell whether *moment* is a slot."""
        instant = moment.astimezone(dt.UTC)
        return self.next(instant - SECOND) == instant

    def told(self, slot: dt.datetime) -> str:
        """Return *slot* as people read it, in the job's zone."""
        return clock(slot.astimezone(self.zone))

    def typed(self, slot: dt.datetime) -> str:
        """Return *slot* as a command takes it, in the job's zone."""
        return slot.astimezone(self.zone).isoformat()

    def check_slot(self, moment: dt.datetime, *, option: str) -> None:
        """Raise UsageError, which names the slots near it, where *moment* of *option* is none."""
        if not self.is_slot(moment):
            raise UsageError(
                f"{option} {self.typed(moment)}: not a slot of {self.job.name}; near it: {self._near(moment)}"
            )

    def on_day(self, day: dt.date) -> list[dt.datetime]:
        """Return the slots of a civil *day*, oldest first."""
        first, last = civil_day(day, self.zone)
        return list(self.between(first - SECOND, last))

    def slot_named(self, text: str, *, option: str) -> dt.datetime:
        """Return the slot that *text* of *option* names: a time, or a day that has one slot. Raises UsageError."""
        moment = parse_moment(text, self.zone, option=option)
        try:
            day = dt.date.fromisoformat(text)
        except ValueError:  # more than a day
            return moment
        slots, name = self.on_day(day), self.job.name
        if len(slots) == 1:
            return slots[0]
        if slots:
            named = listed([self._briefly(slot) for slot in slots])
            raise UsageError(
                f"{option} {text}: {name} has {len(slots)} slots on {day}; name one, such as {named}"
            )
        near = self._near(moment)
        raise UsageError(f"{option} {text}: {name} has no slot on {day}; near it: {near}")

    def _briefly(self, slot: dt.datetime) -> str:
        """Return *slot* as a command takes it, without what goes without saying."""
        wall = slot.astimezone(self.zone).replace(tzinfo=None)
        first = wall.replace(tzinfo=self.zone, fold=0).astimezone(dt.UTC)
        if first != slot:  # the second of two slots of that name
            return self.typed(slot)
        return wall.isoformat(timespec="seconds" if wall.second else "minutes")

    def _near(self, moment: dt.datetime) -> str:
        return " and ".join(
            self.typed(slot) for slot in (self.last(moment), self.next(moment)) if slot
        )

    def between(self, start: dt.datetime, end: dt.datetime) -> Iterable[dt.datetime]:
        """Return the slots after *start* up to and with *end*, oldest first, in constant memory."""
        slots = schedule.after(self.schedule, self.zone, start)
        instants = (slot.astimezone(dt.UTC) for slot in slots)
        return takewhile(lambda slot: slot <= end, instants)

    def days(self, start: dt.datetime, end: dt.datetime) -> list[dt.date]:
        """Return the civil days that have slots after *start* up to *end*, without walking through all slots."""
        found: dict[dt.date, None] = {}
        slot = self.next(start)
        while slot is not None and slot <= end:
            day = slot.astimezone(self.zone).date()
            found[day] = None
            midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), self.zone)
            slot = self.next(max(slot, midnight - SECOND))
        return list(found)


def civil_day(day: dt.date, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """Return the first and the last second of *day* in *zone*, in UTC."""
    first, following = (
        dt.datetime.combine(one, dt.time(), zone).astimezone(dt.UTC)
        for one in (day, day + dt.timedelta(days=1))
    )
    return first, following - SECOND


class Due(NamedTuple):
    """What a firing owes."""

    slots: Iterable[dt.datetime]
    """To be settled, oldest first."""
    passed: dt.datetime | None = None
    """Slots up to here are over, settled or not."""
    missed: int = 0
    """How many of those were never settled."""


def due(
    timetable: Timetable,
    settled_until: dt.datetime,
    now: dt.datetime,
    last: dt.datetime | None = None,
) -> Due:
    """Return what is owed at *now* after the watermark *settled_until*, no slot later than *last* where there is one."""
    end = now if last is None else min(now, last)
    if timetable.job.catch_up is CatchUp.ALL:
        return Due(slots=timetable.between(settled_until, end))
    newest = timetable.last(end + SECOND / 1000)
    if newest is None or newest <= settled_until:
        return Due(slots=())
    late = (now - newest).total_seconds()
    if timetable.job.catch_up is CatchUp.NONE and late > ON_TIME + timetable.job.jitter:
        return Due(slots=(), passed=newest, missed=_count(timetable, settled_until, newest))
    before = timetable.last(newest)
    if before is None or before <= settled_until:
        return Due(slots=(newest,))
    return Due(slots=(newest,), passed=before, missed=_count(timetable, settled_until, before))


def start_delay(job: str, host: str, jitter: int) -> dt.timedelta:
    """Return how long after each slot this job starts on this host: always the same, within *jitter* seconds."""
    return dt.timedelta(seconds=stable_hash(job, host) % (jitter + 1))


def stable_hash(job: str, host: str) -> int:
    """Return the number below 2**64 that this job always draws on this host."""
    return int.from_bytes(hashlib.sha256(f"{host}\0{job}".encode()).digest()[:8])


def _count(timetable: Timetable, start: dt.datetime, end: dt.datetime) -> int:
    slots = timetable.between(start, end)
    return sum(1 for _ in zip(slots, range(MOST_COUNTED), strict=False))


def parse_moment(text: str, zone: ZoneInfo, *, option: str = "--slot") -> dt.datetime:
    """Return the moment that *option* says; without an offset it is meant in *zone*. Raises UsageError."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{option} {text!r}: not an ISO 8601 time such as 2026-11-23T10:30"
        ) from error
    if moment.year not in YEARS:
        raise UsageError(f"{option} {text!r}: schedules have slots from {YEARS[0]} to {YEARS[-1]}")
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
