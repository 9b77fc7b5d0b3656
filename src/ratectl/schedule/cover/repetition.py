"""Times of a day at equal distances, said as a start that repeats, for an engine that counts its repetitions.

A repetition counts elapsed time from its start, so it contains its times only where no clock
changes in between: there, and where fewer than three times follow each other, each stands alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ratectl.schedule.cover.triggers import CalendarTrigger
from ratectl.schedule.occurrences.zones import changes
from ratectl.schedule.values import HOURS, MINUTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

    from ratectl.schedule.cover.triggers import Trigger
    from ratectl.schedule.values import Calendar

FEWEST = 3
"""Times that are worth a repetition."""
DAY_SECONDS = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A start at *time* (seconds of the local day) on the days of *days*, then *more* times each *every* seconds."""

    days: Calendar
    time: int
    every: int = 0
    more: int = 0


def starts(triggers: Iterable[Trigger], zone: ZoneInfo) -> Iterator[Start]:
    """Yield what the calendar triggers among *triggers*, local times of *zone*, come to."""
    by_days: dict[Calendar, set[int]] = {}
    for trigger in triggers:
        if isinstance(trigger, CalendarTrigger):
            calendar = trigger.calendar
            days = replace(
                calendar,
                hours=HOURS,
                minutes=MINUTES,
                seconds=frozenset({0}),
                elapsed_time=False,
            )
            by_days.setdefault(days, set()).update(_times(calendar))
    for days, times in by_days.items():
        yield from _starts(days, sorted(times), zone)


def _times(calendar: Calendar) -> Iterator[int]:
    for hour in calendar.hours:
        for minute in calendar.minutes:
            for second in calendar.seconds:
                yield hour * 3600 + minute * 60 + second


def _starts(days: Calendar, times: list[int], zone: ZoneInfo) -> Iterator[Start]:
    place = 0
    while place < len(times):
        length = _run(times[place:])
        every = times[place + 1] - times[place] if length >= FEWEST else 0
        last = times[place + length - 1]
        if not every or every % 60 or _changes_within(times[place], last, zone):
            length, every = 1, 0
        yield Start(days=days, time=times[place], every=every, more=length - 1)
        place += length


def _run(times: list[int]) -> int:
    """Return how many of *times*, from the first on, lie at equal distances."""
    length = min(2, len(times))
    while length < len(times) and times[length] - times[length - 1] == times[1] - times[0]:
        length += 1
    return length


def _changes_within(first: int, last: int, zone: ZoneInfo) -> bool:
    """Tell whether a clock of *zone* ever changes between the times of day *first* and *last*, on that day."""
    for change in changes(zone):
        ends = [(change.at + shift).replace(tzinfo=None) for shift in (change.old, change.new)]
        midnight = min(ends).replace(hour=0, minute=0, second=0)
        low, high = (int((end - midnight).total_seconds()) for end in (min(ends), max(ends)))
        if (first < high and low <= last) or first < high - DAY_SECONDS:
            return True
    return False
