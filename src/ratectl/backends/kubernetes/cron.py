"""Trigger <-> the schedule and time zone of a CronJob, in the dialect of robfig/cron, which Kubernetes uses.

Numbers only: a weekday is 0 to 6 there and never 7. Days of the month and weekdays together would
mean "either", so at most one of them is restricted.
"""

from __future__ import annotations

import calendar as months_of
import datetime as dt
import itertools
import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ratectl.backends.number_runs import Series, series
from ratectl.schedule.cover.triggers import EVERY_MINUTE, CalendarTrigger, FixedInterval
from ratectl.schedule.occurrences.zones import changes
from ratectl.schedule.values import DAYS, HOURS, MINUTES, MONTHS, WEEKDAYS, Calendar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from ratectl.schedule.cover.triggers import Trigger

UTC = ZoneInfo("Etc/UTC")
ZONE_PART = re.compile(r"[A-Za-z._+0-9-]{1,14}")
"""Of a zone's name, as the API server checks it."""
DAY_SECONDS = 86400
FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 6))


def spell(trigger: Trigger) -> tuple[str, str]:
    """Return ``schedule`` and ``timeZone`` for *trigger*."""
    if isinstance(trigger, FixedInterval):
        assert trigger == EVERY_MINUTE, trigger
        return "* * * * *", UTC.key
    calendar = trigger.calendar
    assert trigger.zone is not None, trigger
    assert calendar.seconds == frozenset({0}), calendar
    assert not calendar.nth_weekday, calendar
    assert calendar.stride is None, calendar
    assert calendar.days == DAYS or calendar.weekdays == WEEKDAYS, calendar
    assert min(calendar.days) >= 1, calendar
    fields = (
        _field(calendar.minutes, MINUTES),
        _field(calendar.hours, HOURS),
        _field(calendar.days, DAYS),
        _field(calendar.months, MONTHS),
        "*"
        if calendar.weekdays == WEEKDAYS
        else _field({day % 7 for day in calendar.weekdays}, WEEKDAYS),
    )
    return " ".join(fields), trigger.zone


def _field(values: AbstractSet[int], full: AbstractSet[int]) -> str:
    return "*" if values == full else ",".join(_text(run) for run in series(values))


def _text(run: Series) -> str:
    if run.first == run.last:
        return str(run.first)
    return f"{run.first}-{run.last}" + (f"/{run.step}" if run.step > 1 else "")


def read(schedule: str, zone: str) -> CalendarTrigger:
    """Return what :func:`spell` was given for *schedule* and *zone*.

    Raises ValueError, in the words of the API server where it refuses, for all that :func:`spell` never says.
    """
    if "TZ=" in schedule:
        raise ValueError("cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
    texts = schedule.split()
    if len(texts) != len(FIELDS):
        raise ValueError(f"expected exactly 5 fields, found {len(texts)}: {texts}")
    minutes, hours, days, months, weekdays = (
        _values(text, low, high) for text, (_, low, high) in zip(texts, FIELDS, strict=True)
    )
    if days != DAYS and texts[4] != "*":
        raise ValueError("day of month and day of week together mean either of them; restrict one")
    if not any(_exists(day, month) for day in days for month in months):
        raise ValueError(f"{schedule!r} never fires, and the server would accept it silently")
    calendar = Calendar(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=frozenset(day or 7 for day in weekdays),
    )
    return CalendarTrigger(calendar=calendar, zone=zone)


def _exists(day: int, month: int) -> bool:
    return day <= months_of.monthrange(2028, month)[1]  # a leap year


def _values(text: str, low: int, high: int) -> frozenset[int]:
    values: set[int] = set()
    for item in text.split(","):
        span, slash, step = item.partition("/")
        first, dash, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        numbers = (first, last if dash else first, step if slash else "1")
        if not all(number.isascii() and number.isdigit() for number in numbers):
            raise ValueError(f"failed to parse int from {item}: numbers only")
        start, end, by = map(int, numbers)
        if start < low:
            raise ValueError(f"beginning of range ({start}) below minimum ({low}): {item}")
        if end > high:
            raise ValueError(f"end of range ({end}) above maximum ({high}): {item}")
        if start > end:
            raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {item}")
        if by < 1:
            raise ValueError(f"step of range should be a positive number: {item}")
        values |= set(range(start, end + 1, by))
    return frozenset(values)


def is_portable(zone: str) -> bool:
    """Tell whether a cluster may know *zone*: by the rules of its names, and by none of this machine's own."""
    parts = zone.split("/")
    return (
        parts[0] not in {"posix", "right"}
        and zone not in {"localtime", "posixrules", "Factory", "Local"}
        and all(ZONE_PART.fullmatch(part) for part in parts)
    )


def is_regular(trigger: Trigger, zone: ZoneInfo) -> bool:
    """Tell whether robfig's search finds every time of *trigger* that the clocks of *zone* show.

    It steps by whole hours of elapsed time, so a change by or at another part of an hour makes it
    miss times after the change; and by calendar days, so a change at midnight can cost a whole day
    where not every day counts (Cairo, Beirut).
    """
    if isinstance(trigger, FixedInterval):
        return True
    calendar = trigger.calendar
    restricted = (calendar.days, calendar.months, calendar.weekdays) != (DAYS, MONTHS, WEEKDAYS)
    for change in changes(zone):
        local_times = (
            (change.at + shift).replace(tzinfo=None) for shift in (change.old, change.new)
        )
        low, high = sorted(local_times)
        if low.minute or high.minute:
            return False
        midnight = dt.datetime.combine(high.date(), dt.time())
        if restricted and low <= midnight <= high:
            return False
    return True


def wakeups_a_year(trigger: Trigger) -> float:
    """Return about how often *trigger* wakes us."""
    if isinstance(trigger, FixedInterval):
        return 365.0 * DAY_SECONDS / trigger.every
    calendar = trigger.calendar
    times = len(calendar.minutes) * len(calendar.hours)
    return (
        365.0
        * times
        * len(calendar.days)
        / 31
        * len(calendar.weekdays)
        / 7
        * len(calendar.months)
        / 12
    )


def shortest_interval(trigger: Trigger) -> int:
    """Return the fewest seconds between two times of a day, or from the last to the first of the next."""
    if isinstance(trigger, FixedInterval):
        return trigger.every
    calendar = trigger.calendar
    times = sorted(
        hour * 3600 + minute * 60 for hour in calendar.hours for minute in calendar.minutes
    )
    return min(_distances(times))


def _distances(times: list[int]) -> Iterable[int]:
    yield DAY_SECONDS - times[-1] + times[0]
    yield from (later - earlier for earlier, later in itertools.pairwise(times))
