"""A schedule value -> one English sentence that means it: parsing the sentence gives the value again.

Short forms are tried first, and each is parsed to see whether it says the whole
truth; lists of minutes and hours, which can say any calendar, come last.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from ratectl.errors import ScheduleError
from ratectl.schedule.language.parse import phrase_value
from ratectl.schedule.language.tokens import (
    MONTH_NAMES,
    ORDINALS,
    WEEKDAY_NAMES,
    WEEKEND,
    WORKING_DAYS,
)
from ratectl.schedule.values import (
    DAYS,
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
    Union,
    Unit,
    Window,
    union,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator

FEW_TIMES = 12
DAY_SECONDS = 86400
UNIT_SECONDS = (("hour", 3600), ("minute", 60), ("second", 1))
ORDINAL_WORDS = {number: word for word, number in ORDINALS.items()}


def explain(schedule: Schedule) -> str:
    """Return *schedule* as a sentence with a capital and a full stop; it names no zone and no job."""
    inner = schedule.inner if isinstance(schedule, Window) else schedule
    members = inner.members if isinstance(inner, Union) else (inner,)
    phrases = [phrase for group in _groups(members) for phrase in _group(group)]
    parts = [phrases[0], *(f"and {phrase}" for phrase in phrases[1:])]
    if isinstance(schedule, Window):
        parts += [f"starting {_moment(schedule.start)}"] if schedule.start else []
        parts += [f"ending before {_moment(schedule.end)}"] if schedule.end else []
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _groups(members: Iterable[Schedule]) -> list[list[Schedule]]:
    """Put running calendars together that differ in their times of day only."""
    groups: dict[Schedule, list[Schedule]] = {}
    for member in members:
        key = member
        if isinstance(member, Calendar) and member.elapsed_time:
            key = replace(member, hours=HOURS, minutes=MINUTES, seconds=frozenset({0}))
        groups.setdefault(key, []).append(member)
    return list(groups.values())


def _group(group: list[Schedule]) -> list[str]:
    """Return one phrase for all of *group* if there is one, else a phrase for each member."""
    calendars = [member for member in group if isinstance(member, Calendar)]
    if len(calendars) > 1:
        for grid in _grids(calendars):
            phrase = f"{grid}{_limits(calendars[0])}"
            if _says(phrase, union(calendars)):
                return [phrase]
    return [_phrase(member) for member in group]


def _phrase(member: Schedule) -> str:
    match member:
        case Calendar():
            return next(phrase for phrase in _phrases(member) if _says(phrase, member))
        case Interval():
            return f"every {_duration(member.seconds)} of elapsed time{_counted(member.anchor)}"
        case Gaps():
            bounds = _bounds(member.shortest, member.longest)
            return f"every {bounds} of elapsed time{_counted(member.anchor)}"
        case Once():
            return f"once at {_moment(member.at)}"
    raise AssertionError(member)


def _says(phrase: str, value: Schedule) -> bool:
    try:
        return phrase_value(phrase, None, "") == value
    except ScheduleError:
        return False


def _phrases(calendar: Calendar) -> Iterator[str]:
    """Yield phrases for *calendar*, the most readable first; the last one always says it."""
    if calendar.elapsed_time:
        limits = _limits(calendar)
        yield from (f"{times}{limits}" for times in (*_grids([calendar]), *_repeats(calendar)))
        unit = "minute" if len(calendar.seconds) > 1 else "hour"
        yield f"every {unit} {_lists(calendar)}{limits}"
        return
    subject = f"{_subject(calendar)}{_months(calendar)}"
    counted = _stride_counted(calendar.stride)
    if len(calendar.hours) * len(calendar.minutes) * len(calendar.seconds) <= FEW_TIMES:
        yield f"{subject} at {_clocks(calendar)}{counted}"
    yield f"{subject} {_lists(calendar)}{counted}"


# Times of day


def _grids(calendars: list[Calendar]) -> Iterator[str]:
    """Yield "every n minutes", with its ends where it does not fill the day, if the gaps are all the same."""
    times = sorted(
        {
            hour * 3600 + minute * 60 + second
            for calendar in calendars
            for hour in calendar.hours
            for minute in calendar.minutes
            for second in calendar.seconds
        }
    )
    step = times[1] - times[0] if len(times) > 1 else 0
    if len(times) < 3 or times != list(range(times[0], times[-1] + 1, step)):
        return
    yield f"every {_duration(step)}"
    if times[0] < step and times[-1] + step >= DAY_SECONDS:
        return
    first, last = (_clock(t // 3600, t // 60 % 60, t % 60) for t in (times[0], times[-1]))
    yield f"every {_duration(step)} between {first} and {last}"


def _repeats(calendar: Calendar) -> Iterator[str]:
    """Yield "every hour at :17", "every 2 hours at :17 and :47", "every minute at :05"."""
    hours = sorted(calendar.hours)
    step = 24 // len(hours)
    if hours == list(range(0, 24, step)) and len(calendar.minutes) <= 2 * FEW_TIMES:
        past = _and(f":{minute:02}" for minute in sorted(calendar.minutes))
        yield f"every {'hour' if step == 1 else f'{step} hours'} at {past}"
    if len(calendar.seconds) <= FEW_TIMES:
        yield f"every minute at {_and(f':{second:02}' for second in sorted(calendar.seconds))}"


def _clocks(calendar: Calendar) -> str:
    return _and(
        _clock(hour, minute, second)
        for hour in sorted(calendar.hours)
        for minute in sorted(calendar.minutes)
        for second in sorted(calendar.seconds)
    )


def _lists(calendar: Calendar) -> str:
    """Return "at minutes 10 and 40 of hours 9 to 17", with seconds where they are not 0."""
    fields = [("minute", calendar.minutes), ("hour", calendar.hours)]
    if calendar.seconds != {0}:
        fields.insert(0, ("second", calendar.seconds))
    return f"at {' of '.join(_list(unit, values) for unit, values in fields)}"


def _list(unit: str, values: frozenset[int]) -> str:
    return f"{unit}{'s' if len(values) > 1 else ''} {_and(_runs(values, str))}"


# Days


def _subject(calendar: Calendar) -> str:
    """Return what stands before "at" for times on the clock: "every weekday", "every month on the 1st"."""
    stride = calendar.stride
    if stride is not None:
        on = _on(calendar)
        if stride.unit is Unit.MONTH and not on:  # which would be the 1st
            on = " on the 1st to 31st"
        return f"every {stride.every} {stride.unit.value}s{on}"
    if calendar.days != DAYS or calendar.nth_weekday:
        return f"every month{_on(calendar)}"
    if calendar.weekdays == WEEKDAYS:
        return "every day"
    return f"every {_weekdays(calendar.weekdays)}"


def _limits(calendar: Calendar) -> str:
    """Return what limits an interval to some days: " on weekdays in march"."""
    return f"{_on(calendar)}{_months(calendar)}"


def _on(calendar: Calendar) -> str:
    if calendar.nth_weekday:
        ordinals = sorted(calendar.nth_weekday, key=_last_at_end)
        which = _and(_place(number) for number in ordinals)
        return f" on the {which} {_weekdays(calendar.weekdays)}"
    if calendar.days != DAYS:
        only = (
            "" if calendar.weekdays == WEEKDAYS else f" if it is a {_weekdays(calendar.weekdays)}"
        )
        return f" on the {_and(_dates(calendar.days))}{only.replace(' and ', ' or ')}"
    if calendar.weekdays == WEEKDAYS:
        return ""
    names = _weekdays(calendar.weekdays)
    return f" on {'weekdays' if names == 'weekday' else names}"


def _dates(days: frozenset[int]) -> Iterator[str]:
    yield from _runs(days & DAYS, _ordinal)
    yield from (f"{_place(day)} day" for day in sorted(days - DAYS))


def _place(number: int) -> str:
    """Return "first", "6th", "last" or "second to last"."""
    if number < -1:
        return f"{ORDINAL_WORDS.get(-number, _ordinal(-number))} to last"
    return ORDINAL_WORDS.get(number, _ordinal(number))


def _weekdays(weekdays: frozenset[int]) -> str:
    if weekdays == WORKING_DAYS:
        return "weekday"
    if weekdays == WEEKEND:
        return "weekend day"
    return _and(WEEKDAY_NAMES[day - 1].capitalize() for day in sorted(weekdays))


def _months(calendar: Calendar) -> str:
    if calendar.months == MONTHS:
        return ""
    word, months = "in", calendar.months
    if calendar.stride is not None and calendar.stride.unit is Unit.MONTH:
        word, months = "except in", MONTHS - calendar.months  # "in" names the months itself
    return f" {word} {_and(MONTH_NAMES[month - 1].capitalize() for month in sorted(months))}"


def _stride_counted(stride: Stride | None) -> str:
    if stride is None:
        return ""
    usual = stride.anchor == MONDAY_1970
    if stride.unit is Unit.MONTH:  # one that divides a year is a set of months, unless it says more
        usual = (stride.anchor.year, stride.anchor.month) == (1970, 1) and 12 % stride.every != 0
    return "" if usual else f", counted from {stride.anchor}"


# Words


def _runs(values: Iterable[int], spell: Callable[[int], str]) -> list[str]:
    """Return numbers one by one, and three or more in a row as "9 to 17"."""
    found: list[str] = []
    for _, group in groupby(enumerate(sorted(values)), key=lambda pair: pair[1] - pair[0]):
        run = [spell(value) for _, value in group]
        found += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else run
    return found


def _last_at_end(number: int) -> int:
    return number if number > 0 else 100 + number


def _counted(anchor: dt.datetime) -> str:
    return f", counted from {_moment(anchor)}"


def _duration(seconds: int) -> str:
    unit, length = next((unit, size) for unit, size in UNIT_SECONDS if seconds % size == 0)
    count = seconds // length
    return unit if count == 1 else f"{count} {unit}s"


def _bounds(shortest: int, longest: int) -> str:
    """Return "5 to 10 minutes", in the largest unit that both are whole numbers of."""
    unit, length = next(
        (unit, size) for unit, size in UNIT_SECONDS if shortest % size == longest % size == 0
    )
    return f"{shortest // length} to {longest // length} {unit}s"


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 < number % 100 < 14 else ending}"


def _clock(hour: int, minute: int, second: int) -> str:
    return f"{hour:02}:{minute:02}:{second:02}" if second else f"{hour:02}:{minute:02}"


def _moment(moment: dt.datetime) -> str:
    text = f"{moment:%Y-%m-%d %H:%M:%S}".removesuffix(":00")
    return text if moment.tzinfo is None else f"{text}{moment.isoformat()[19:]}"


def _and(words: Iterable[str]) -> str:
    *rest, last = words
    return f"{', '.join(rest)} and {last}" if rest else last
