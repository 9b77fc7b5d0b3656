"""English phrases -> schedule values: "every weekday at 09:00 and 17:00".

A phrase is ``every SUBJECT`` followed by clauses (at, on, in, between) in any
order, or ``once at DATE TIME``. Reading gives a :class:`Phrase`; what it means is
decided in ``meaning.py``. Unknown words are named with the nearest known one.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from dataclasses import dataclass, field

from ratectl.errors import ScheduleError

UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
WEEKDAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}
WORKING_DAYS = frozenset(range(1, 6))
WEEKEND = frozenset({6, 7})
VOCABULARY = (
    "every", "once", "at", "on", "the", "in", "between", "and", "weekday", "weekdays", "weekend",
    *UNITS, *(unit + "s" for unit in UNITS), *WEEKDAY_NAMES, *MONTH_NAMES, *ORDINALS,
)  # fmt: skip
TOKEN = re.compile(
    r"\s*(\d{4}-\d\d-\d\d|\d{1,2}:\d\d(?::\d\d)?|:\d\d|\d+(?:st|nd|rd|th)|\d+|[a-z]+|,|\S)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A time of day; hours or minutes are None where the phrase leaves them to the unit."""

    hour: int | None
    minute: int | None
    second: int = 0

    @property
    def seconds(self) -> int:
        """Seconds since midnight, or since the start of the hour or minute."""
        return (self.hour or 0) * 3600 + (self.minute or 0) * 60 + self.second


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordinal:
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
    at: list[Clock] = field(default_factory=list)
    weekdays: frozenset[int] = frozenset()
    ordinals: list[Ordinal] = field(default_factory=list)
    months: frozenset[int] = frozenset()
    between: tuple[Clock, Clock] | None = None
    once: dt.datetime | None = None

    def error(self, message: str) -> ScheduleError:
        """Return the error that *message* makes for this phrase."""
        return ScheduleError(f'"{self.text}": {message}')


class _Words:
    """The tokens of a phrase and how far they have been read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = list(TOKEN.finditer(text.lower()))
        self._next = 0

    def peek(self, ahead: int = 0) -> str:
        place = self._next + ahead
        return self._tokens[place][1] if place < len(self._tokens) else ""

    def take(self, *wanted: str) -> bool:
        if self.peek() in wanted:
            self._next += 1
            return True
        return False

    def pop(self) -> str:
        self._next += 1
        return self._tokens[self._next - 1][1]

    def separator(self) -> bool:
        """Read ",", "and" or ", and" between the members of a list."""
        comma = self.take(",")
        return self.take("and") or comma

    def error(self, expected: str) -> ScheduleError:
        found = self.peek()
        if not found:
            end = len(self.text)
            message = f'"{self.text}": ends where {expected} is expected'
            return ScheduleError(message, text=self.text, span=(end, end + 1))
        span = self._tokens[self._next].span(1)
        message = (
            f'"{self.text}": found "{found}"{self._hint(found, span)} where {expected} is expected'
        )
        return ScheduleError(message, text=self.text, span=span)

    def _hint(self, found: str, span: tuple[int, int]) -> str:
        """Return the nearest valid phrase, or only the nearest word where that makes none."""
        near = difflib.get_close_matches(found, VOCABULARY, n=1, cutoff=0.6)
        if not near or near[0] == found:
            return ""
        whole = f"{self.text[: span[0]]}{near[0]}{self.text[span[1] :]}"
        try:
            read_phrase(whole)
        except ScheduleError:
            return f' (did you mean "{near[0]}"?)'
        return f' (did you mean "{whole}"?)'


def read_phrase(text: str) -> Phrase:
    """Return *text* taken apart. Raises ScheduleError that names the word and what was expected."""
    words = _Words(text)
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


def _moment(words: _Words) -> dt.datetime:
    words.take("at", "on")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", words.peek()):
        raise words.error("a date such as 2026-12-01")
    day_text = words.pop()
    words.take("t", "at")
    clock = _clock(words)
    try:
        day = dt.date.fromisoformat(day_text)
    except ValueError as error:
        raise ScheduleError(f'"{words.text}": {day_text} is not a date of the calendar') from error
    return dt.datetime.combine(day, dt.time(clock.hour or 0, clock.minute or 0, clock.second))


def _read_subject(words: _Words, phrase: Phrase) -> None:
    if words.peek().isdigit():
        phrase.count = int(words.pop())
        if phrase.count == 0:
            raise phrase.error("an interval of 0 never ends; say 1 or more")
        if words.take("to"):
            phrase.at_most = _longest(words, phrase)
    name = words.peek().removesuffix("s")
    if name in UNITS:
        words.pop()
        phrase.unit = name
    elif phrase.count == 1:
        phrase.weekdays = _weekdays(words)
    elif _place(words.peek(), WEEKDAY_NAMES):
        day = WEEKDAY_NAMES[(_place(words.peek(), WEEKDAY_NAMES) or 1) - 1]
        raise phrase.error(f'say "every {phrase.count} weeks on {day}"')
    else:
        raise words.error(f"a unit ({', '.join(UNITS)})")


def _longest(words: _Words, phrase: Phrase) -> int:
    if not words.peek().isdigit():
        raise words.error("a number")
    longest = int(words.pop())
    if longest <= phrase.count:
        raise phrase.error(f"the longest gap must be more than {phrase.count}")
    return longest


def _read_clause(words: _Words, phrase: Phrase) -> None:
    if words.take("at"):
        phrase.at.append(_clock(words))
        while _more(words, r"[\d:].*"):
            phrase.at.append(_clock(words))
    elif words.take("in"):
        phrase.months |= _months(words)
    elif words.take("between"):
        first = _clock(words)
        if not words.take("and"):
            raise words.error('"and"')
        phrase.between = (first, _clock(words))
    elif words.take("on"):
        if words.peek() == "the" or words.peek() in ORDINALS:
            _read_ordinals(words, phrase)
        else:
            phrase.weekdays |= _weekdays(words)
    else:
        raise words.error('"at", "on", "in", "between" or the end')


def _more(words: _Words, pattern: str) -> bool:
    """Read a separator if another member of the list, one that matches *pattern*, follows it."""
    ahead = 1 if words.peek() in {",", "and"} else 0
    if ahead and words.peek(1) == "and":
        ahead = 2
    return bool(ahead and re.fullmatch(pattern, words.peek(ahead)) and words.separator())


def _clock(words: _Words) -> Clock:
    text = words.peek()
    if not re.fullmatch(r"(\d{1,2})?:\d\d(:\d\d)?", text):
        raise words.error("a time such as 10:30")
    words.pop()
    parts = [int(part) for part in text.split(":") if part]
    if text.startswith(":"):
        return _checked(words, Clock(hour=None, minute=parts[0]))
    return _checked(words, Clock(hour=parts[0], minute=parts[1], second=(*parts, 0)[2]))


def _checked(words: _Words, clock: Clock) -> Clock:
    if (clock.hour or 0) > 23 or (clock.minute or 0) > 59 or clock.second > 59:
        raise ScheduleError(
            f'"{words.text}": there is no such time of day; hours are 00-23, minutes and seconds 00-59'
        )
    return clock


def _weekdays(words: _Words) -> frozenset[int]:
    found = _weekday_group(words)
    while _more(words, "|".join(f"{name[:3]}.*" for name in WEEKDAY_NAMES)):
        found |= _weekday_group(words)
    return found


def _weekday_group(words: _Words) -> frozenset[int]:
    name = words.peek().removesuffix("s")
    if name == "weekday":
        words.pop()
        return WORKING_DAYS
    if name == "weekend":
        words.pop()
        words.take("day", "days")
        return WEEKEND
    place = _place(words.peek(), WEEKDAY_NAMES)
    if place is None:
        raise words.error("a unit or weekday")
    words.pop()
    return frozenset({place})


def _months(words: _Words) -> frozenset[int]:
    found = set()
    while True:
        place = _place(words.peek(), MONTH_NAMES)
        if place is None:
            raise words.error("the name of a month")
        words.pop()
        found.add(place)
        if not _more(words, "|".join(f"{name[:3]}.*" for name in MONTH_NAMES)):
            return frozenset(found)


def _place(word: str, names: tuple[str, ...]) -> int | None:
    """Return the 1-based place of *word* among *names*, which may be cut to three letters or plural."""
    for place, name in enumerate(names, start=1):
        if word in {name, name + "s", name[:3]}:
            return place
    return None


def _read_ordinals(words: _Words, phrase: Phrase) -> None:
    waiting: list[int] = []
    while True:
        words.take("the")
        waiting.append(_ordinal_number(words))
        if words.take("day", "days"):
            phrase.ordinals += [Ordinal(number=number) for number in waiting]
            waiting = []
        elif _place(words.peek(), WEEKDAY_NAMES) or words.peek().startswith("week"):
            group = _weekday_group(words)
            phrase.ordinals += [Ordinal(number=n, weekdays=group) for n in waiting]
            waiting = []
        if not _more(words, rf"the|\d+(st|nd|rd|th)|{'|'.join(ORDINALS)}"):
            break
    if -1 in waiting:
        raise words.error('"day" or a weekday after "last"')
    phrase.ordinals += [Ordinal(number=number) for number in waiting]


def _ordinal_number(words: _Words) -> int:
    text = words.peek()
    if text in ORDINALS:
        words.pop()
        return ORDINALS[text]
    match = re.fullmatch(r"(\d+)(st|nd|rd|th)", text)
    if match is None or not 1 <= int(match[1]) <= 31:
        raise words.error("a day such as 1st, 15th, first monday, last day (1st to 31st)")
    words.pop()
    return int(match[1])
