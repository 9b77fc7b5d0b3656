"""What a phrase means: a read :class:`Phrase` -> schedule value.

Intervals that divide a day are calendars aligned to midnight; all others count
from the anchor (``from``, else Monday 1970-01-05). Clauses that do not fit the
unit are refused with the phrase that says what was probably meant.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from ratectl.schedule.calendar import (
    HOURS,
    MINUTES,
    MONDAY_1970,
    MONTHS,
    WEEKDAYS,
    Calendar,
    Gaps,
    Interval,
    Once,
    Schedule,
    Stride,
    Unit,
    union,
)
from ratectl.schedule.phrase import Ordinal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ratectl.schedule.phrase import Phrase

SECONDS_IN = {"second": 1, "minute": 60, "hour": 3600}
GAP_SECONDS = SECONDS_IN | {"day": 86400, "week": 604800}
MONTHS_IN = {"month": 1, "quarter": 3, "year": 12}
DAY_SECONDS = 86400


def meaning(phrase: Phrase, start: dt.datetime | None, name: str) -> Schedule:
    """Return the value of *phrase*, with intervals counted from civil *start* if given.

    What the phrase itself is counted from goes before *start*. *name* is the
    job's, from which random gaps are drawn. Raises ScheduleError where clauses
    contradict the unit.
    """
    if phrase.once is not None:
        return Once(at=phrase.once)
    start = phrase.anchor or start
    if phrase.only and not phrase.ordinals:
        raise phrase.error('"if it is a ..." goes with days of the month; say "on monday" instead')
    if phrase.at_most:
        return _gaps(phrase, start, name)
    if phrase.unit in SECONDS_IN:
        return _within_day(phrase, start)
    if phrase.elapsed:
        raise phrase.error("elapsed time is counted in seconds, minutes or hours")
    if phrase.between:
        raise phrase.error(
            '"between" needs an interval: "every 15 minutes between 09:00 and 17:30"'
        )
    if phrase.unit in MONTHS_IN:
        return _by_months(phrase, start)
    return _by_days(phrase, start)


def _gaps(phrase: Phrase, start: dt.datetime | None, name: str) -> Gaps:
    if phrase.unit not in GAP_SECONDS or phrase.weekdays:
        raise phrase.error("random gaps are in seconds, minutes, hours, days or weeks")
    if _clauses(phrase):
        raise phrase.error('random gaps take no "at", "on", "in" or "between"')
    unit = GAP_SECONDS[phrase.unit]
    gaps = Gaps(shortest=phrase.count * unit, longest=phrase.at_most * unit, seed=name)
    return gaps if start is None else replace(gaps, anchor=start)


def _clauses(phrase: Phrase) -> bool:
    """Tell whether anything limits the phrase to parts of the calendar."""
    limits = (phrase.at, phrase.fields, phrase.ordinals, phrase.weekdays, phrase.months)
    return any(limits) or phrase.between is not None


def _within_day(phrase: Phrase, start: dt.datetime | None) -> Schedule:
    step = phrase.count * SECONDS_IN[phrase.unit]
    grid = step < DAY_SECONDS and DAY_SECONDS % step == 0 and not phrase.elapsed
    if not (grid or phrase.between or phrase.fields):
        return _elapsed(phrase, step, start)
    if phrase.unit == "second" and phrase.fields:
        raise phrase.error('say "every minute at seconds ..."')
    bases = [
        replace(base, running=True) for base in _day_bases(phrase, _base(phrase), phrase.ordinals)
    ]
    if phrase.fields:
        return union([_in_fields(base, phrase) for base in bases])
    offsets = _offsets(phrase)
    if phrase.between:
        times = _grid_between(phrase, step, offsets)
    else:
        times = {t + o for t in range(0, DAY_SECONDS, step) for o in offsets}
    return union([one for base in bases for one in at_times(base, times)])


def _elapsed(phrase: Phrase, step: int, start: dt.datetime | None) -> Interval:
    if _clauses(phrase):
        raise phrase.error(
            f'an interval that does not divide a day counts elapsed time and takes no "at", "on" or '
            f'"in"; say "every {phrase.count} {phrase.unit}s between 00:00 and 23:59" for a daily grid'
        )
    return Interval(seconds=step) if start is None else Interval(seconds=step, anchor=start)


def _in_fields(base: Calendar, phrase: Phrase) -> Calendar:
    """Return *base* at the seconds, minutes and hours that the phrase lists."""
    if phrase.at or phrase.between:
        raise phrase.error('lists of minutes and hours take no other "at" and no "between"')
    return replace(
        base,
        seconds=phrase.fields.get("second", frozenset({0})),
        minutes=phrase.fields.get("minute", MINUTES),
        hours=phrase.fields.get("hour", HOURS),
    )


def _offsets(phrase: Phrase) -> list[int]:
    """Return the seconds that "at :17" adds to each step of the grid."""
    if not phrase.at:
        return [0]
    if any(clock.hour is not None for clock in phrase.at):
        raise phrase.error('a full time of day goes with "every day at ..."; say "at :30" here')
    if phrase.unit == "second":
        raise phrase.error('seconds take no "at"; say "every minute at :05"')
    scale = 60 if phrase.unit == "hour" else 1
    return [clock.seconds // 60 * scale for clock in phrase.at]


def _grid_between(phrase: Phrase, step: int, offsets: list[int]) -> set[int]:
    assert phrase.between is not None  # noqa: S101 - the caller looked
    first, last = (clock.seconds for clock in phrase.between)
    if any(clock.hour is None for clock in phrase.between):
        raise phrase.error('"between" needs full times: between 09:00 and 17:30')
    if first >= last:
        raise phrase.error(
            "the first time must be the earlier one; write two schedules across midnight"
        )
    if not phrase.at:
        return set(range(first, last + 1, step))
    grid = {t + o for t in range(first - first % step, last + 1, step) for o in offsets}
    return {t for t in grid if first <= t <= last}


def _by_days(phrase: Phrase, start: dt.datetime | None) -> Schedule:
    if phrase.ordinals:
        raise phrase.error('days of the month go with "every month on the ..."')
    anchor = start.date() if start else MONDAY_1970
    base = _base(phrase)
    if phrase.unit == "week" and not phrase.weekdays:
        first_day = anchor.isoweekday() if phrase.count > 1 else 1
        base = replace(base, weekdays=frozenset({first_day}))
    if phrase.count > 1:
        unit = Unit.WEEK if phrase.unit == "week" else Unit.DAY
        base = replace(base, stride=Stride(unit=unit, every=phrase.count, anchor=anchor))
    return union(_on_clock(base, phrase))


def _by_months(phrase: Phrase, start: dt.datetime | None) -> Schedule:
    if phrase.weekdays:
        raise phrase.error('say which one: "on the first monday", "on the last friday"')
    ordinals = phrase.ordinals or [Ordinal(number=1)]
    groups: dict[Calendar, list[Ordinal]] = defaultdict(list)
    for ordinal in ordinals:
        groups[_month_base(phrase, start, late=ordinal.number < 0)].append(ordinal)
    bases = [one for base, group in groups.items() for one in _day_bases(phrase, base, group)]
    return union(one for base in bases for one in _on_clock(base, phrase))


def _day_bases(phrase: Phrase, base: Calendar, ordinals: list[Ordinal]) -> list[Calendar]:
    """Return *base* on the days that *ordinals* name: numbers together, and each kind of weekday."""
    if not ordinals:
        return [base]
    days = frozenset(ordinal.number for ordinal in ordinals if not ordinal.weekdays)
    found = [replace(base, days=days, weekdays=phrase.only or base.weekdays)] if days else []
    for kind in dict.fromkeys(ordinal.weekdays for ordinal in ordinals if ordinal.weekdays):
        nth = frozenset(ordinal.number for ordinal in ordinals if ordinal.weekdays == kind)
        if max(nth) > (5 if len(kind) == 1 else 5 * len(kind) - 2):
            raise phrase.error(
                "no month has that many of these weekdays; say first to fifth, or last"
            )
        found.append(replace(base, weekdays=kind, nth=nth))
    return found


def _on_clock(base: Calendar, phrase: Phrase) -> list[Calendar]:
    return [_in_fields(base, phrase)] if phrase.fields else at_times(base, _times(phrase))


def _month_base(phrase: Phrase, start: dt.datetime | None, *, late: bool) -> Calendar:
    """Return the months that count: the first of a quarter or year, its last one for "the last ..."."""
    if phrase.months:
        if phrase.count > 1:
            raise phrase.error('"in" names the months itself; leave out the number')
        return _base(phrase)
    length = MONTHS_IN[phrase.unit]
    place = length if late else 1
    step = phrase.count * length
    if 12 % step == 0 and (start is None or phrase.count == 1):
        return Calendar(months=frozenset(range(place, 13, step)))
    first = start.date() if start else dt.date(1970, 1, 1)
    month = (first.month - 1) // length * length + place
    anchor = dt.date(first.year, month, 1)
    return Calendar(stride=Stride(unit=Unit.MONTH, every=step, anchor=anchor))


def _times(phrase: Phrase) -> set[int]:
    if any(clock.hour is None for clock in phrase.at):
        raise phrase.error('"at :30" goes with hours or minutes; say a full time such as 10:30')
    return {clock.seconds for clock in phrase.at} or {0}


def _base(phrase: Phrase) -> Calendar:
    return Calendar(weekdays=phrase.weekdays or WEEKDAYS, months=phrase.months or MONTHS)


def at_times(base: Calendar, times: Iterable[int]) -> list[Calendar]:
    """Return the fewest calendars like *base* whose times of day are *times* (seconds since midnight)."""
    return [
        replace(base, hours=hours, minutes=minutes, seconds=seconds)
        for hours, minutes, seconds in products(times)
    ]


def products(
    times: Iterable[int],
) -> list[tuple[frozenset[int], frozenset[int], frozenset[int]]]:
    """Split seconds since midnight into few products of (hours, minutes, seconds)."""
    seconds_of: dict[int, set[int]] = defaultdict(set)
    for time in times:
        seconds_of[time // 60].add(time % 60)
    minutes_of: dict[tuple[int, frozenset[int]], set[int]] = defaultdict(set)
    for minute, within in seconds_of.items():
        minutes_of[minute // 60, frozenset(within)].add(minute % 60)
    hours_of: dict[tuple[frozenset[int], frozenset[int]], set[int]] = defaultdict(set)
    for (hour, seconds), minutes in minutes_of.items():
        hours_of[frozenset(minutes), seconds].add(hour)
    found = [(frozenset(hours), *fields) for fields, hours in hours_of.items()]
    return sorted(found, key=lambda product: [sorted(field) for field in product])
