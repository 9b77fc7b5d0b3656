"""A schedule value -> one English sentence that a person can check against what was meant."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ratectl.schedule.calendar import (
    DAYS,
    HOURS,
    LAST_DAY,
    MINUTES,
    MONDAY_1970,
    MONTHS,
    WEEKDAYS,
    Calendar,
    Gaps,
    Interval,
    Once,
    Schedule,
    Union,
    Unit,
    Window,
)
from ratectl.schedule.phrase import MONTH_NAMES, ORDINALS, WEEKDAY_NAMES, WEEKEND, WORKING_DAYS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

FEW_TIMES = 8
UNIT_SECONDS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
DAY_SECONDS = 86400
ORDINAL_WORDS = {number: word for word, number in ORDINALS.items()}


def explain(schedule: Schedule) -> str:
    """Return *schedule* as a sentence with a capital and a full stop; it names no zone."""
    text = _text(schedule)
    return f"{text[0].upper()}{text[1:]}."


def _text(schedule: Schedule) -> str:
    match schedule:
        case Calendar():
            return _group([schedule])
        case Interval():
            return f"every {_duration(schedule.seconds)} of elapsed time from {_moment(schedule.anchor)}"
        case Gaps():
            bounds = _range_of_durations(schedule.shortest, schedule.longest)
            return f"every {bounds} of elapsed time from {_moment(schedule.anchor)}, drawn anew each time"
        case Once():
            return f"once, at {_moment(schedule.at)}"
        case Union():
            return "; and ".join(_group(group) for group in _groups(schedule.members))
        case Window():
            start = f", from {_moment(schedule.start)}" if schedule.start else ""
            end = f", until just before {_moment(schedule.end)}" if schedule.end else ""
            return f"{_text(schedule.inner)}{start}{end}"


def _groups(members: tuple[Schedule, ...]) -> list[list[Schedule]]:
    """Put calendars together that share their days, after joining those that share all but the day."""
    calendars = [member for member in members if isinstance(member, Calendar)]
    for name in ("days", "nth"):
        calendars = _merged(calendars, name)
    groups: dict[Schedule, list[Schedule]] = {}
    for member in (*calendars, *(m for m in members if not isinstance(m, Calendar))):
        key = _without_times(member) if isinstance(member, Calendar) else member
        groups.setdefault(key, []).append(member)
    return list(groups.values())


def _merged(calendars: list[Calendar], name: str) -> list[Calendar]:
    """Join calendars that differ in the restricted field *name* only."""
    full: frozenset[int] = DAYS if name == "days" else frozenset()
    fields: dict[Calendar, frozenset[int]] = {}
    for calendar in calendars:
        mine: frozenset[int] = getattr(calendar, name)
        key = calendar if mine == full else _replaced(calendar, name, frozenset({0}))
        fields[key] = fields.get(key, frozenset()) | mine
    return [_replaced(key, name, values) for key, values in fields.items()]


def _replaced(calendar: Calendar, name: str, values: frozenset[int]) -> Calendar:
    changes: dict[str, Any] = {name: values}
    return replace(calendar, **changes)


def _without_times(calendar: Calendar) -> Calendar:
    return replace(calendar, hours=HOURS, minutes=MINUTES, seconds=frozenset({0}))


def _group(group: list[Schedule]) -> str:
    """Describe calendars that differ in their times of day only; anything else stands alone."""
    first, *rest = group
    if not isinstance(first, Calendar):
        return _text(first)
    grid = _grid([member for member in group if isinstance(member, Calendar)])
    if grid is not None:
        return _limited(grid, first)
    return "; and ".join(_calendar(c) for c in (first, *rest) if isinstance(c, Calendar))


def _grid(calendars: list[Calendar]) -> str | None:
    """Return "every n minutes", with its ends if it does not fill the day, or None where the gaps differ."""
    times = sorted(
        hour * 3600 + minute * 60 + second
        for c in calendars
        for hour in c.hours
        for minute in c.minutes
        for second in c.seconds
    )
    if len(times) <= FEW_TIMES and not calendars[0].running:
        return None
    step = times[1] - times[0] if len(times) > 1 else 0
    if len(times) < 3 or times != list(range(times[0], times[-1] + 1, step)):
        return None
    if times[0] == 0 and times[-1] + step == DAY_SECONDS:
        return f"every {_duration(step)}"
    if times[0] < step and times[-1] + step >= DAY_SECONDS:
        return None
    first, last = (_clock(t // 3600, t // 60 % 60, t % 60) for t in (times[0], times[-1]))
    return f"every {_duration(step)} from {first} to {last}"


def _limited(times: str, calendar: Calendar) -> str:
    days = _days(calendar)
    months = "" if calendar.months == MONTHS else f" in {_and(_month_names(calendar.months))}"
    return f"{times}{'' if days == 'every day' else f', {days}'}{months}"


def _calendar(calendar: Calendar) -> str:
    times, repeats = _times(calendar)
    if repeats:
        return _limited(times, calendar)
    months = "" if calendar.months == MONTHS else f" in {_and(_month_names(calendar.months))}"
    return f"{_days(calendar)}{months} at {times}"


def _times(calendar: Calendar) -> tuple[str, bool]:
    """Return the times of day, and whether they already say "every ..."."""
    hours, minutes, seconds = (
        sorted(field) for field in (calendar.hours, calendar.minutes, calendar.seconds)
    )
    if len(seconds) > 1:
        return f"{_seconds(seconds)}{_minutes_of(minutes, hours)}", True
    tail = f" at second {seconds[0]}" if seconds[0] else ""
    if len(hours) * len(minutes) <= FEW_TIMES and hours != sorted(HOURS):
        clocks = [_clock(h, m, seconds[0]) for h in hours for m in minutes]
        return _and(clocks), False
    if minutes == sorted(MINUTES):
        return f"every minute{tail}{_of_hours(hours)}", True
    step = _step(minutes, 60)
    if step and step > 1 and minutes[0] == 0:
        return f"every {step} minutes{tail}{_of_hours(hours)}", True
    return f"{_every_hour(hours)} at {_and(f':{m:02}' for m in minutes)}{tail}", True


def _every_hour(hours: list[int]) -> str:
    step = _step(hours, 24)
    if step == 1:
        return "every hour"
    if step and hours[0] == 0:
        return f"every {step} hours"
    return f"every hour{_of_hours(hours)}"


def _of_hours(hours: list[int]) -> str:
    if hours == sorted(HOURS):
        return ""
    if hours == list(range(hours[0], hours[-1] + 1)) and len(hours) > 1:
        return f" from {hours[0]:02}:00 to {hours[-1]:02}:59"
    step = _step(hours, 24)
    if step and hours[0] == 0:
        return f" of every {_nth_word(step)} hour"
    names = [f"{hour:02}" for hour in hours]
    return f" of hour{'s' if len(names) > 1 else ''} {_and(names)}"


def _nth_word(number: int) -> str:
    return ORDINAL_WORDS.get(number) or _ordinal(number)


def _seconds(seconds: list[int]) -> str:
    step = _step(seconds, 60)
    if step == 1:
        return "every second"
    if step and seconds[0] == 0:
        return f"every {step} seconds"
    return f"at second{'s' if len(seconds) > 1 else ''} {_and(str(second) for second in seconds)}"


def _minutes_of(minutes: list[int], hours: list[int]) -> str:
    if minutes == sorted(MINUTES):
        return _of_hours(hours)
    return f" of minutes {_and(f':{minute:02}' for minute in minutes)}{_of_hours(hours)}"


def _days(calendar: Calendar) -> str:
    if calendar.stride is not None:
        return _stride(calendar)
    if calendar.nth:
        which = _and(
            ORDINAL_WORDS.get(n, _ordinal(n)) for n in sorted(calendar.nth, key=_last_at_end)
        )
        return f"on the {which} {_one_of(calendar.weekdays)} of the month"
    weekdays = "" if calendar.weekdays == WEEKDAYS else _weekday_names(calendar.weekdays)
    if calendar.days == DAYS:
        return f"every {weekdays}" if weekdays else "every day"
    dates = _dates(sorted(calendar.days, key=_last_at_end))
    if calendar.months == MONTHS:
        dates += " of the month"
    return f"{dates} if it is a {_one_of(calendar.weekdays)}" if weekdays else dates


def _dates(days: list[int]) -> str:
    """Return "on the ..." for days of the month; long runs and steps are shortened."""
    steps = {later - earlier for earlier, later in pairwise(days)}
    if len(days) > 2 and len(steps) == 1 and LAST_DAY not in days:
        (step,) = steps
        span = f"the {_ordinal(days[0])} to {_ordinal(days[-1])}"
        return f"on {span}" if step == 1 else f"on every {_ordinal(step)} day from {span}"
    return f"on the {_and('last day' if day == LAST_DAY else _ordinal(day) for day in days)}"


def _last_at_end(number: int) -> int:
    return number if number > 0 else 100


def _stride(calendar: Calendar) -> str:
    stride = calendar.stride
    assert stride is not None  # noqa: S101 - the caller looked
    counted = f"counted from {stride.anchor}" if stride.anchor != MONDAY_1970 else ""
    base = f"every {stride.every} {stride.unit.value}s"
    if stride.unit is Unit.WEEK:
        base += f" on {_weekday_names(calendar.weekdays)}"
    elif stride.unit is Unit.MONTH:
        plain = Calendar(days=calendar.days, nth=calendar.nth, weekdays=calendar.weekdays)
        base += f" {_days(plain).removesuffix(' of the month')}"
    return f"{base}, {counted}," if counted else base


def _weekday_names(weekdays: frozenset[int]) -> str:
    if weekdays == WORKING_DAYS:
        return "weekday (Monday to Friday)"
    if weekdays == WEEKEND:
        return "Saturday and Sunday"
    return _and(WEEKDAY_NAMES[day - 1].capitalize() for day in sorted(weekdays))


def _one_of(weekdays: frozenset[int]) -> str:
    if weekdays == WORKING_DAYS:
        return "weekday"
    names = [WEEKDAY_NAMES[day - 1].capitalize() for day in sorted(weekdays)]
    return " or ".join(names)


def _month_names(months: Iterable[int]) -> list[str]:
    return [MONTH_NAMES[month - 1].capitalize() for month in sorted(months)]


def _step(values: list[int], size: int) -> int | None:
    """Return n if *values* are every n-th number of *size*, from their first on."""
    if len(values) < 2 or size % len(values):
        return None
    step = size // len(values)
    return step if values == list(range(values[0], size, step)) else None


def _duration(seconds: int) -> str:
    for unit, length in UNIT_SECONDS:
        if seconds % length == 0:
            count = seconds // length
            return unit if count == 1 else f"{count} {unit}s"
    raise AssertionError(seconds)


def _range_of_durations(shortest: int, longest: int) -> str:
    """Return "5 to 10 minutes", in the largest unit that both are whole numbers of."""
    for unit, length in UNIT_SECONDS:
        if shortest % length == longest % length == 0:
            return f"{shortest // length} to {longest // length} {unit}s"
    raise AssertionError(shortest, longest)


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 < number % 100 < 14 else ending}"


def _clock(hour: int, minute: int, second: int) -> str:
    return f"{hour:02}:{minute:02}:{second:02}" if second else f"{hour:02}:{minute:02}"


def _moment(moment: dt.datetime) -> str:
    text = f"{moment:%Y-%m-%d %H:%M:%S}"
    return text.removesuffix(":00")


def _and(words: Iterable[str]) -> str:
    *rest, last = words
    return f"{', '.join(rest)} and {last}" if rest else last
