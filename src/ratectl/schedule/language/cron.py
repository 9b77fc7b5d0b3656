"""Five-field cron lines with the meaning that Debian's cron daemon gives them.

Dialect quirks end here: the either-day rule becomes two calendars, 7 becomes
Sunday, a leading ``*`` becomes *running*. What Debian accepts but never fires or
misreads (wrapped ranges, ``*/90``) is refused with the text that says what was meant.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from ratectl.errors import ScheduleError
from ratectl.schedule.language.lexicon import MONTH_NAMES as FULL_MONTH_NAMES
from ratectl.schedule.language.lexicon import WEEKDAY_NAMES
from ratectl.schedule.language.numerals import nth
from ratectl.schedule.values import (
    DAYS,
    HOURS,
    MINUTES,
    MONTHS,
    WEEKDAYS,
    Calendar,
    Schedule,
    on_days_that_exist,
    union,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAY_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
SUNDAY = 7
LONGEST_NUMBER = 9
"""Digits after which a number is out of every range anyway."""
ITEM = re.compile(r"(\*|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:/(\d+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """One position of a cron line."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    all: frozenset[int]
    """What ``*`` stands for."""
    numbers: dict[str, int]
    """What each name, and each number without zeros in front, stands for."""

    @property
    def top(self) -> int:
        """Return the largest number that is not another name of a smaller one: 6 for weekdays."""
        return self.low + len(self.all) - 1

    def number(self, text: str | None) -> int:
        """Return the number that *text* is or names, -1 where it is none."""
        if text and text.isdecimal():
            return int(text[:LONGEST_NUMBER])
        return self.numbers.get(text or "", -1)


def _field(
    name: str, all_: frozenset[int], low: int, high: int, names: tuple[str, ...] = ()
) -> _Field:
    numbers = {str(number): number for number in range(low, high + 1)}
    numbers |= {word: number for number, word in enumerate(names, start=low)}
    return _Field(name=name, low=low, high=high, names=names, all=all_, numbers=numbers)


FIELDS = (
    _field("minute", MINUTES, 0, 59),
    _field("hour", HOURS, 0, 23),
    _field("day of month", DAYS, 1, 31),
    _field("month", MONTHS, 1, 12, MONTH_NAMES),
    _field("day of week", WEEKDAYS, 0, SUNDAY, DAY_NAMES),
)


def parse_cron(text: str) -> Schedule:
    """Return the value of a five-field line or ``@macro``. Raises ScheduleError."""
    line = MACROS.get(text.lower(), text)
    if line.startswith("@"):
        if line.lower() == "@reboot":
            raise ScheduleError(
                f'"{text}": a schedule counts slots, not boots; what was missed is caught up at boot: '
                'catch_up = "latest", beside a schedule such as "@daily"'
            )
        raise ScheduleError(
            f'"{text}": unknown macro; known are {", ".join(MACROS)}; say "{_macro_meant(line)}"'
        )
    parts = line.split()
    if len(parts) != len(FIELDS):
        raise ScheduleError(_count_message(text, len(parts)))
    minutes, hours, days, months, weekdays = [
        _parse_field(part, field, text) for part, field in zip(parts, FIELDS, strict=True)
    ]
    if 0 in weekdays:
        weekdays = weekdays - {0} | {SUNDAY}
    elapsed_time = parts[0].startswith("*") or parts[1].startswith("*")
    calendar = partial(
        Calendar, minutes=minutes, hours=hours, months=months, elapsed_time=elapsed_time
    )
    if parts[2].startswith("*") or parts[4].startswith("*"):
        both = calendar(days=days, weekdays=weekdays)
        return on_days_that_exist(both) or both
    numbered, named = on_days_that_exist(calendar(days=days)), calendar(weekdays=weekdays)
    return union((numbered, named)) if numbered else named


def _macro_meant(line: str) -> str:
    """Return the text that says what an unknown macro probably means."""
    import difflib  # noqa: PLC0415 - only what is wrong needs it

    from ratectl.schedule.language.parse import phrase_value  # noqa: PLC0415 - the same

    words = line[1:].lower()
    for phrase in (
        words,
        f"every day at {words}",
    ):  # "@every 1h30m", "@daily at 9am", "@weekdays", "@noon"
        with contextlib.suppress(ScheduleError):
            phrase_value(phrase, None, "")
            return phrase
    near = difflib.get_close_matches(line.split(maxsplit=1)[0].lower(), MACROS, n=1, cutoff=0.7)
    return near[0] if near else "@daily"


def _count_message(text: str, count: int) -> str:
    if message := _torn_message(text):
        return message
    if count > len(FIELDS) and (fields := _without_command(text)):
        return (
            f'"{text}": a line of a crontab with its command; a schedule is the five fields before it: '
            f'"{fields}"'
        )
    plain = re.sub(r"\s+", " ", text.lower())
    said = " or ".join(f'"{phrase}"' for phrase in _other_phrases(plain))
    five = "a cron line has five (minute hour day month weekday)"
    if not said and count == 6:
        seconds = 'seconds are said in a phrase: "every 30 seconds", "every minute at :05"'
        return f'"{text}": six fields; {five}, {seconds}'
    number = {1: "one field", 6: "six fields", 7: "seven fields"}.get(count, f"{count} fields")
    return f'"{text}": {number}; {five}{f"; say {said}" if said else ""}'


def _other_phrases(text: str) -> Sequence[str]:
    """Return the phrases for *text* where another scheduler writes it like this: six fields, "*-*-01 09:00"."""
    from ratectl.schedule.language.advice import other_schedulers  # noqa: PLC0415 - only what is wrong needs it

    if len(fields := text.split()) in {6, 7}:
        return other_schedulers.phrases_of(fields)
    advice = other_schedulers.other_schedulers(text)
    return advice.offers if advice else ()


def _torn_message(text: str) -> str:
    """Return what is wrong with *text* where blanks stand within its fields: "0 9, 17 * * *"; else an empty text."""
    from ratectl.schedule.language.advice.cron_text import (  # noqa: PLC0415 - only what is wrong needs it
        mended,
        torn_fields,
    )

    fields = torn_fields(text.split())
    if not fields:
        return ""
    place = next(place for place, field in enumerate(fields) if " " in field)
    said = mended(fields[place])
    line = " ".join(map(mended, fields))
    try:
        parse_cron(line)
        offer = f'say "{line}"'
    except ScheduleError:
        offer = f'write "{said}"'
    return f'"{text}": a blank ends a field, and {FIELDS[place].name} "{fields[place]}" is one; {offer}'


def _without_command(text: str) -> str:
    """Return the five fields of *text*, where a command or an account follows them; else an empty text."""
    parts = text.split()
    items = re.split(r"[-,/#]", parts[5].lower())
    if all(
        item in {*DAY_NAMES, *MONTH_NAMES} or re.fullmatch(r"[0-9*?lw]*", item) for item in items
    ):
        return ""
    fields = " ".join(parts[:5])
    try:
        parse_cron(fields)
    except ScheduleError:
        return ""
    return fields


def _parse_field(part: str, field: _Field, line: str) -> frozenset[int]:
    if part == "*":
        return field.all
    if part in field.numbers:
        return frozenset((field.numbers[part],))
    return frozenset(chain(*[_parse_item(item, field, line) for item in part.split(",")]))


def _parse_item(item: str, field: _Field, line: str) -> Sequence[int]:
    if item.isdecimal():
        return (_number(item, field, item, line),)
    match = ITEM.fullmatch(item.lower())
    if match is None:
        raise _error(line, field, item, _unknown_hint(item, line))
    whole, first, last, step_text = match.groups()
    step = int((step_text or "1")[:LONGEST_NUMBER])
    if step == 0:
        hint = f"a step of 0 never moves; write * for each {field.name}, or a step such as */2"
        raise _error(line, field, item, hint)
    if whole == "*":
        low, high = field.low, field.top
    else:
        low = _number(first, field, item, line)
        high = _number(last, field, item, line) if last else low
        if step_text and not last:
            raise _error(line, field, item, _range_hint(field, low, step))
    if low > high:
        raise _error(line, field, item, _wrapped_hint(field, low, high, step))
    values = range(low, high + 1)
    if step_text:
        _check_step(step, values, field, item, line)
    return values[::step]


def _check_step(step: int, values: range, field: _Field, item: str, line: str) -> None:
    """Refuse a step that moves out of the range at once."""
    if step == SUNDAY and field.names == DAY_NAMES:
        return  # Debian fires on Sundays, as those mean who write it beside 1-7
    if step >= len(values):
        only = f"the step reaches beyond the range, so only {values[0]} is left"
        whole = len(values) > field.top - field.low
        meant = step if whole and step > len(values) else None
        raise _error(line, field, item, f"{only}{_without_step(line, field, meant)}")


def _without_step(line: str, field: _Field, meant: int | None) -> str:
    """Return the offer of what says the same as *line*, and of the phrase for the steps that may be *meant*."""
    from ratectl.schedule.language.advice.cron_text import (  # noqa: PLC0415 - only what is wrong needs it
        interval,
        same_with_first_values,
    )

    same = same_with_first_values(line)
    phrase = interval(line.split(), FIELDS.index(field), meant) if meant else ""
    if phrase and same:
        return f'; say "{same}" for that, or the phrase "{phrase}"'
    return f'; say "{same}"' if same else ""


def _number(text: str, field: _Field, item: str, line: str) -> int:
    if text in field.numbers:
        return field.numbers[text]
    number = field.number(text)
    if number < 0:
        raise _error(line, field, item, _unknown_hint(item, line))
    if not field.low <= number <= field.high:
        raise _error(line, field, item, f"{number} is outside {field.low}-{field.high}")
    return number


def _range_hint(field: _Field, low: int, step: int) -> str:
    """Return what a step behind the single value *low* should be: a range, or *low* where the range has no second value."""
    low = 0 if field.names == DAY_NAMES and low == SUNDAY else low
    if low + step > field.top:
        return f"a step needs a range, and has no other value up to {field.top}; write {low}"
    return f"a step needs a range: {low}-{field.top}/{step}"


def _wrapped_hint(field: _Field, low: int, high: int, step: int) -> str:
    low = 0 if field.names == DAY_NAMES and low == SUNDAY else low
    first = range(low, (field.top if low > high else high) + 1)
    second = range(field.low, high + 1) if low > high else range(0)
    if step > 1:
        said = ",".join(str(value) for value in [*first, *second][::step])
    else:
        runs = (
            f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in (first, second) if run
        )
        said = ",".join(runs)
    return f"the range runs backwards, and cron would never fire; write {said}"


def _unknown_hint(item: str, line: str) -> str:
    if "#" in item:
        example = 'cron has no "#"; say it as a phrase such as "every month on the second friday"'
        return f"{example}{_as_phrase(item, line, ', here: ')}"
    if match := re.fullmatch(r"([1-9]|[12][0-9]|3[01])W", item.upper()):
        return f"cron has no W (the weekday nearest to a day){_nearest(int(match[1]), line)}"
    match = re.fullmatch(r"L-([1-9]|[12][0-9]|30)", item.upper())
    if match and line.split()[2] == item:
        at, days = _at(line), f"{nth(int(match[1]) + 1)} to last day"
        said = "" if at is None else f': "every month on the {days}{at}"'
        return f"cron has no L; a phrase says it{said}"
    if item.upper() in {"L", "LW", "WL"} or item.upper().endswith("L"):
        return f"cron has no L or W; a phrase says it{_as_phrase(item, line, ': ')}"
    if "?" in item or "~" in item or item.upper() == "H":
        return "?, ~ and H belong to other schedulers; use * or a number"
    return "expected numbers, ranges a-b, steps a-b/n or */n, joined by commas"


def _nearest(day: int, line: str) -> str:
    """Return the offer of the list of phrases for the weekday nearest to the *day* of each month; nothing without one."""
    members = ", ".join(f'"{member}"' for member in nearest_weekday(day, line))
    return f"; a list of phrases says it: schedule = [{members}]" if members else ""


def nearest_weekday(day: int, line: str) -> tuple[str, ...]:
    """Return the phrases for the weekday nearest to the *day* of each month; none where its ends come in between."""
    at = _at(line)
    if at is None or not 1 <= day <= 27:
        return ()
    saturday = f"{nth(3)} if it is a monday" if day == 1 else f"{nth(day - 1)} if it is a friday"
    days = (f"{nth(day)} if it is a weekday", saturday, f"{nth(day + 1)} if it is a monday")
    return tuple(f"every month on the {said}{at}" for said in days)


def _as_phrase(item: str, line: str, lead: str) -> str:
    """Return *lead* and the phrase for what Quartz calls ``5#2``, ``5L``, ``L`` and ``LW``, if it says all of *line*."""
    at = _at(line)
    if at is None:
        return ""
    day = "last weekday" if item.upper() in {"LW", "WL"} else "last day"
    if match := re.fullmatch(r"([0-7]|[a-z]{3})(?:#([1-5])|l)", item.lower()):
        number = DAY_NAMES.index(match[1]) if match[1] in DAY_NAMES else int(match[1][0], 36) % 7
        places = ("last", "first", "second", "third", "fourth", "fifth")
        day = f"{places[int(match[2] or 0)]} {WEEKDAY_NAMES[number - 1]}"
    return f'{lead}"every month on the {day}{at}"'


def _at(line: str) -> str | None:
    """Return the month and the time of *line* in words; None where it has several, or both kinds of day."""
    minute, hour, day, month, weekday = line.lower().split()
    months = {str(number): name for number, name in enumerate(FULL_MONTH_NAMES, start=1)}
    months |= {name[:3]: name for name in FULL_MONTH_NAMES}
    one_time = re.fullmatch(r"[0-5]?[0-9]", minute) and re.fullmatch(r"[01]?[0-9]|2[0-3]", hour)
    if not one_time or "," in f"{day}{weekday}" or (month != "*" and month not in months):
        return None
    if day not in {"*", "?"} and weekday not in {"*", "?"}:
        return None
    in_month = "" if month == "*" else f" in {months[month]}"
    return f"{in_month} at {int(hour):02}:{int(minute):02}"


def _error(line: str, field: _Field, item: str, hint: str) -> ScheduleError:
    part = list(re.finditer(r"\S+", line))[FIELDS.index(field)]
    items = part[0].split(",")
    start = part.start() + len(",".join([*items[: items.index(item)], ""]))
    message = f'"{line}": {field.name} "{item}": {hint}'
    return ScheduleError(message, text=line, span=(start, start + max(len(item), 1)))
