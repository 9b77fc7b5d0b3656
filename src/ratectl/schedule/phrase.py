"""English phrases -> schedule values: "every weekday at 09:00 and 17:00".

A phrase is ``every SUBJECT`` followed by clauses (at, on, if, in, between, counted)
in any order, or ``once at DATE TIME``. Reading gives a :class:`Phrase`; what it
means is decided in ``meaning.py``.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import NamedTuple

from ratectl.errors import ScheduleError
from ratectl.schedule.calendar import YEARS
from ratectl.schedule.words import ORDINALS, UNITS, WEEKDAY_NAMES, Words, place_of

LONGEST_COUNT = 9
CENTURY = {
    "second": 3_155_760_000,
    "minute": 52_596_000,
    "hour": 876_600,
    "day": 36_525,
    "week": 5_218,
    "month": 1_200,
    "quarter": 400,
    "year": 100,
}
"""The longest interval that is meant, in each unit."""
FIELD_TOPS = {"second": 59, "minute": 59, "hour": 23}


class Clock(NamedTuple):
    """A time of day; hours or minutes are None where the phrase leaves them to the unit."""

    hour: int | None
    minute: int | None
    second: int = 0

    @property
    def seconds(self) -> int:
        """Seconds since midnight, or since the start of the hour or minute."""
        return (self.hour or 0) * 3600 + (self.minute or 0) * 60 + self.second


class Ordinal(NamedTuple):
    """A day within a month: the *number*-th day (-1 the last), of *weekdays* only if given."""

    number: int
    weekdays: frozenset[int] = frozenset()


@dataclass(slots=True, kw_only=True)
class Phrase:
    """A phrase as read, before it is given a meaning."""

    text: str
    count: int = 1
    at_most: int = 0
    """The longest gap of "every 5 to 10 minutes"; 0 where the gap is always the same."""
    unit: str = "day"
    elapsed: bool = False
    """It says "of elapsed time": never a grid of the day."""
    at: list[Clock] = field(default_factory=list)
    weekdays: frozenset[int] = frozenset()
    ordinals: list[Ordinal] = field(default_factory=list)
    months: frozenset[int] = frozenset()
    between: tuple[Clock, Clock] | None = None
    fields: dict[str, frozenset[int]] = field(default_factory=dict)
    """What "at minutes 0 and 30 of hours 9 to 17" says, by unit."""
    only: frozenset[int] = frozenset()
    """The weekdays of "if it is a monday", besides days of the month."""
    anchor: dt.datetime | None = None
    """What "counted from 2026-12-01" says."""
    once: dt.datetime | None = None

    def error(self, message: str) -> ScheduleError:
        """Return the error that *message* makes for this phrase."""
        return ScheduleError(f'"{self.text}": {message}')


def read_phrase(text: str) -> Phrase:
    """Return *text* taken apart. Raises ScheduleError that names the word and what was expected."""
    words = Words(text, read_phrase)
    phrase = Phrase(text=text)
    if words.take("once"):
        phrase.once = _moment(words)
    elif words.take("every"):
        _read_subject(words, phrase)
        while words.peek():
            _read_clause(words, phrase)
    else:
        raise words.error('"every", "once at" or a five-field cron line')
    if words.peek():
        raise words.error("the end")
    return phrase


def _moment(words: Words) -> dt.datetime:
    words.take(",")
    words.take("at", "on")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", words.peek()):
        raise words.error("a date such as 2026-12-01")
    day_text = words.pop()
    words.take("t", "at")
    clock = _clock(words) if re.match(r"\d+:", words.peek()) else Clock(hour=0, minute=0)
    try:
        day = dt.date.fromisoformat(day_text)
    except ValueError as error:
        raise ScheduleError(f'"{words.text}": {day_text} is not a date of the calendar') from error
    if day.year not in YEARS:
        span = f"{YEARS[0]} to {YEARS[-1]}"
        raise ScheduleError(f'"{words.text}": {day_text} is outside the years {span}')
    return dt.datetime.combine(day, dt.time(clock.hour or 0, clock.minute or 0, clock.second))


def _read_subject(words: Words, phrase: Phrase) -> None:
    if words.peek().isdecimal():
        phrase.count = _count(words)
        if phrase.count == 0:
            raise phrase.error("an interval of 0 never ends; say 1 or more")
        if words.take("to"):
            phrase.at_most = _longest(words, phrase)
    name = words.peek().removesuffix("s")
    if name in UNITS:
        words.pop()
        phrase.unit = name
        if max(phrase.count, phrase.at_most) > CENTURY[name]:
            raise phrase.error("an interval of more than a century has no use here")
    elif phrase.count == 1:
        phrase.weekdays = words.weekdays()
    elif place_of(words.peek(), WEEKDAY_NAMES):
        day = WEEKDAY_NAMES[(place_of(words.peek(), WEEKDAY_NAMES) or 1) - 1]
        raise phrase.error(f'say "every {phrase.count} weeks on {day}"')
    else:
        raise words.error(f"a unit ({', '.join(UNITS)})")


def _count(words: Words) -> int:
    if len(words.peek()) > LONGEST_COUNT:
        raise words.error(f"a number of at most {LONGEST_COUNT} digits")
    return int(words.pop())


def _longest(words: Words, phrase: Phrase) -> int:
    if not words.peek().isdecimal():
        raise words.error("a number")
    longest = _count(words)
    if longest <= phrase.count:
        raise phrase.error(f"the longest gap must be more than {phrase.count}")
    return longest


def _read_clause(words: Words, phrase: Phrase) -> None:
    words.take(",")
    if words.take("at"):
        _read_times(words, phrase)
    elif words.take("in"):
        phrase.months |= words.months()
    elif words.take("between"):
        first = _clock(words)
        if not words.take("and"):
            raise words.error('"and"')
        phrase.between = (first, _clock(words))
    elif words.take_all("if", "it", "is", "a"):
        phrase.only |= words.weekdays()
    elif words.take_all("of", "elapsed", "time"):
        phrase.elapsed = True
    elif words.take_all("counted", "from"):
        phrase.anchor = _moment(words)
    elif words.take("on"):
        if words.peek() == "the" or words.peek() in ORDINALS:
            _read_ordinals(words, phrase)
        else:
            phrase.weekdays |= words.weekdays()
    else:
        raise words.error('"at", "on", "in", "between" or the end')


def _read_times(words: Words, phrase: Phrase) -> None:
    if words.peek().removesuffix("s") in {"second", "minute"}:
        while (unit := words.peek().removesuffix("s")) in FIELD_TOPS:
            words.pop()
            phrase.fields[unit] = words.numbers(FIELD_TOPS[unit])
            words.take("of")
        return
    phrase.at.append(_clock(words))
    while words.more(r"[\d:].*"):
        phrase.at.append(_clock(words))


def _clock(words: Words) -> Clock:
    text = words.peek()
    if not re.fullmatch(r"(\d{1,2})?:\d\d(:\d\d)?", text):
        raise words.error("a time such as 10:30")
    words.pop()
    parts = [int(part) for part in text.split(":") if part]
    if text.startswith(":"):
        return _checked(words, Clock(hour=None, minute=parts[0]))
    return _checked(words, Clock(hour=parts[0], minute=parts[1], second=(*parts, 0)[2]))


def _checked(words: Words, clock: Clock) -> Clock:
    if (clock.hour or 0) > 23 or (clock.minute or 0) > 59 or clock.second > 59:
        raise ScheduleError(
            f'"{words.text}": there is no such time of day; hours are 00-23, minutes and seconds 00-59'
        )
    return clock


def _read_ordinals(words: Words, phrase: Phrase) -> None:
    waiting: list[int] = []
    while True:
        words.take("the")
        first = _ordinal_number(words)
        last = _ordinal_number(words) if words.take("to") else first
        waiting += range(first, last + 1)
        if words.take("day", "days"):
            phrase.ordinals += [Ordinal(number=number) for number in waiting]
            waiting = []
        elif place_of(words.peek(), WEEKDAY_NAMES) or words.peek().startswith("week"):
            group = words.weekday_group()
            phrase.ordinals += [Ordinal(number=n, weekdays=group) for n in waiting]
            waiting = []
        if not words.more(rf"the|\d+(st|nd|rd|th)|{'|'.join(ORDINALS)}"):
            break
    if -1 in waiting:
        raise words.error('"day" or a weekday after "last"')
    phrase.ordinals += [Ordinal(number=number) for number in waiting]


def _ordinal_number(words: Words) -> int:
    text = words.peek()
    if text in ORDINALS:
        words.pop()
        return ORDINALS[text]
    match = re.fullmatch(r"(\d+)(st|nd|rd|th)", text)
    if match is None or not 1 <= int(match[1]) <= 31:
        raise words.error("a day such as 1st, 15th, first monday, last day (1st to 31st)")
    words.pop()
    return int(match[1])
