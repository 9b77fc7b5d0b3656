"""English phrases -> their clauses, taken apart: "every weekday at 09:00 and 17:00".

A phrase is ``every SUBJECT`` and clauses (at, on, except, if, in, between, counted), in any
order and each once, or ``once at DATE TIME``. What it means is decided in ``resolve.py``.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ratectl.schedule.language.dates import is_date, is_place, read_dates, read_days
from ratectl.schedule.language.lexicon import MONTH_NAMES, UNITS, WEEKDAY_NAMES
from ratectl.schedule.language.subject import Every, read_subject
from ratectl.schedule.language.tokens import (
    CLOCK,
    TO,
    PhraseError,
    Words,
    is_weekday,
    joined,
    read_months,
    read_numbers,
    read_weekdays,
)
from ratectl.schedule.values import YEARS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ratectl.schedule.language.dates import Ordinal

Clauses = dict[str, Any]
FIELD_TOPS = {"second": 59, "minute": 59, "hour": 23}
HALF = r"(?i)[ap]\.?m\b|morning|afternoon|evening|night"
PLACES_IN_HOUR = (
    (("the", "hour"), 0),
    (("the", "half", "hour"), 30),
    (("the", "top", "of", "the", "hour"), 0),
    (("the", "bottom", "of", "the", "hour"), 30),
    (("the", "start", "of", "the", "hour"), 0),
)
HOURS = re.compile(r"[0-9]{1,4}")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Clock(NamedTuple):
    """A time of day; hours or minutes are None where the phrase leaves them to the unit."""

    hour: int | None
    minute: int | None
    second: int = 0

    @property
    def seconds(self) -> int:
        """Seconds since midnight, or since the start of the hour or minute."""
        return (self.hour or 0) * 3600 + (self.minute or 0) * 60 + self.second

    def __str__(self) -> str:
        if self.hour is None:
            return f":{self.minute:02}"
        return f"{self.hour:02}:{self.minute:02}" + (f":{self.second:02}" if self.second else "")


class Phrase(NamedTuple):
    """A phrase as read, before it is given a meaning. A clause that it lacks has its default here."""

    text: str
    spans: Mapping[str, tuple[int, int]]
    """Where in *text* each clause stands."""
    every: Every | None = None
    """None where only days or times are said: "mondays at 09:00", "10:30"."""
    at: tuple[Clock, ...] = ()
    fields: tuple[tuple[str, frozenset[int]], ...] = ()
    """What "at minutes 0 and 30 of hours 9 to 17" says, by unit."""
    weekdays: frozenset[int] = frozenset()
    ordinals: tuple[Ordinal, ...] = ()
    scope: str = ""
    """The "month" of "on the 1st of the month"."""
    months: frozenset[int] = frozenset()
    between: tuple[Clock, Clock] | None = None
    but: frozenset[int] = frozenset()
    """The weekdays of "except on sunday"."""
    but_months: frozenset[int] = frozenset()
    only: frozenset[int] = frozenset()
    """The weekdays of "if it is a monday", besides days of the month."""
    elapsed: bool = False
    """It says "of elapsed time": never a grid of the day."""
    anchor: dt.datetime | None = None
    """What "counted from 2026-12-01" says."""
    once: dt.datetime | None = None

    def error(self, message: str, *offers: str) -> PhraseError:
        """Return the error that *message* makes for this phrase; *offers* may have been meant."""
        return PhraseError(f'"{self.text}": {message}', text=self.text, offers=offers, known=True)

    def refusal(self, message: str, members: list[str], *offers: str, listed: str) -> PhraseError:
        """Return the error that *message* makes for this phrase; one of *offers* says it, or the list of *members*.

        *listed* tells in words what the list does.
        """
        message = f'"{self.text}": {message}'
        return PhraseError(
            message,
            text=self.text,
            offers=offers,
            members=members,
            listed=listed,
            known=True,
        )

    def said(self, clause: str) -> str:
        """Return the words of *clause*, an empty text where the phrase has none."""
        start, end = self.spans.get(clause, (0, 0))
        return self.text[start:end]

    def _shared(self, clause: str) -> str:
        """Return *clause* as one of its own, where it is said together with the subject."""
        if clause not in self.spans or self.spans[clause] != self.spans.get("every"):
            return ""
        names = re.sub(r"^,?\s*(every|each)\s+", "", self.said(clause), flags=re.IGNORECASE)
        return f"{'in' if clause == 'months' else 'on'} {names}"

    def swapped(self, **words: str) -> str:
        """Return the text with other *words* for some clauses; a clause that it lacks goes to the end."""
        if "every" in words:  # "every monday" and "every january" say more than how often
            shared = {
                name: self._shared(name) for name in ("weekdays", "months") if name not in words
            }
            words |= {name: said for name, said in shared.items() if said}
        places: dict[tuple[int, int], str] = {}
        for clause, said in words.items():  # one span may hold two clauses
            span = self.spans.get(clause, (len(self.text),) * 2)
            places[span] = f"{places.get(span, '')} {said}"
        text = self.text
        for (start, end), said in sorted(places.items(), reverse=True):
            text = f"{text[:start]} {said} {text[end:]}"
        text = re.sub(r"\s+,", ",", " ".join(text.split()))
        return re.sub(r"^,\s*|,$", "", text)


def read_phrase(text: str) -> Phrase:
    """Return *text* taken apart. Raises PhraseError that names the word and what was expected."""
    words = Words(text)
    if "/" in text:
        from ratectl.schedule.language.advice import two_readings  # noqa: PLC0415 - few phrases need it

        two_readings.refuse_slashes(text)
    found: Clauses = {}
    spans: dict[str, tuple[int, int]] = {}
    while words.peek() or not found:
        first = words.place
        for clause, value in _read_clause(words, begins=not found).items():
            if clause in found:
                from ratectl.schedule.language.advice import said_twice  # noqa: PLC0415 - only what is wrong needs it

                raise said_twice.error(words, clause, spans, first)
            found[clause] = value
            spans[clause] = words.span(first)
        if "once" in found and words.peek():
            raise words.error("the end")
        if "once" in found and len(found) > 1:
            raise words.wrong("once, or again and again?", 0, [text[: words.span(first)[0]]])
    if (len(found.get("at", ())) > 1 or "between" in found) and re.search(HALF, text):
        from ratectl.schedule.language.advice import two_readings  # noqa: PLC0415 - few phrases need it

        two_readings.refuse_shared_half(text)
    if "but" in spans and {"between", "months"} & spans.keys():
        from ratectl.schedule.language.advice import two_readings  # noqa: PLC0415 - few phrases need it

        two_readings.refuse_narrowed_exception(text, spans, found)
    if words.doubled() or ("," in text and {"at", "weekdays"} <= spans.keys()):
        from ratectl.schedule.language.advice import two_readings  # noqa: PLC0415 - few phrases need it

        two_readings.refuse_doubled(words)
        two_readings.refuse_time_of_other_days(text, spans)
    return Phrase(text=text, spans=spans, **found)


def _read_clause(words: Words, *, begins: bool) -> Clauses:
    if words.take(",") and begins:
        raise words.wrong("nothing stands before the comma", 0, [""])
    reader = None if begins and words.peek() == "of" else OPENINGS.get(words.peek())
    if reader is not None:
        words.pop()
        return reader(words)
    if CLOCK.fullmatch(words.peek()):
        return _between(words) if words.peek(1) in TO else {"at": _times(words)}
    if begins and words.peek() == "second" and not words.peek(1):
        raise words.error(
            "how often, a day, a time or a five-field cron line", offers=["every second"]
        )
    if words.peek() in MONTH_NAMES or is_place(words) or is_weekday(words) or is_date(words):
        return _on(words)
    if begins:
        raise words.error("how often, a day, a time or a five-field cron line")
    raise words.error('"at", "on", "in", "between" or the end')


# One reader for each word that opens a clause; the word itself has been read


def _once(words: Words) -> Clauses:
    if words.take("every"):
        return _every(words)
    if words.take("a", "an", "per"):
        return read_subject(words)
    words.take(",")
    words.take("at", "on")
    return {"once": _moment(words, "t", "at")}


def _at(words: Words) -> Clauses:
    named = is_weekday(words) or (words.peek() == "the" and _names_weekend(words, 1))
    if words.place == 1 and (words.peek() == "every" or named):
        return _on(words)  # "at weekends", "at every hour"
    minute = next((minute for place, minute in PLACES_IN_HOUR if words.take_all(*place)), None)
    if minute is not None:
        return {"at": (Clock(hour=None, minute=minute),)}
    if words.peek() in {"second", "minute"}:
        return {"fields": _fields(words)}
    return {"at": _times(words)}


def _on(words: Words) -> Clauses:
    if words.take("every"):
        return _every(words)
    weekday = words.peek(1) in WEEKDAY_NAMES
    if words.peek() == "the" and (weekday or _names_weekend(words, 1)):
        words.pop()  # "on the friday"
    if words.peek() in {"a", "an"} and is_weekday(words, 1):
        words.pop()  # "on a monday"
    if is_date(words):
        return read_dates(words)
    if is_weekday(words) and words.peek() != "business":
        return {"weekdays": read_weekdays(words)}
    if words.peek() in MONTH_NAMES:
        return {"months": read_months(words)}
    minute = next((minute for place, minute in PLACES_IN_HOUR if words.take_all(*place)), None)
    return read_days(words) if minute is None else {"at": (Clock(hour=None, minute=minute),)}


def _names_weekend(words: Words, ahead: int) -> bool:
    """Tell whether "weekend" comes there, and no "weekend day" or "weekend of the month"."""
    return words.peek(ahead) == "weekend" and words.peek(ahead + 1) not in {"day", "of"}


def _the(words: Words) -> Clauses:
    words.place -= 1
    return read_days(words)


def _in(words: Words) -> Clauses:
    return {"months": read_months(words)}


def _between(words: Words) -> Clauses:
    if words.peek() in WEEKDAY_NAMES:
        if "midnight" in words.text.lower():
            from ratectl.schedule.language.advice import two_readings  # noqa: PLC0415 - few phrases need it

            two_readings.refuse_midnight_between(words)
        return {"weekdays": _names_between(words, WEEKDAY_NAMES, "two weekdays or two times")}
    if words.peek() in MONTH_NAMES and words.peek(1) in {"and", "to"}:
        return {"months": _names_between(words, MONTH_NAMES, "two months or two times")}
    first = read_clock(words)
    if not words.take("and", *TO):
        raise words.error('"and"')
    return {"between": (first, read_clock(words))}


def _names_between(words: Words, names: tuple[str, ...], expected: str) -> frozenset[int]:
    start = words.place
    first, joined, last = words.peek(), words.peek(1), words.peek(2)
    if joined not in {"and", "to"} or last not in names:
        raise words.error(expected)
    low, high = names.index(first), names.index(last)
    words.place += 3
    if low >= high:
        raise words.wrong("the run goes backwards", start)
    return frozenset(range(low + 1, high + 2))


def _from(words: Words) -> Clauses:
    if words.peek() in WEEKDAY_NAMES and words.peek(1) in TO:
        return {"weekdays": read_weekdays(words)}
    if words.peek() in MONTH_NAMES and words.peek(1) in TO:
        return {"months": read_months(words)}
    if words.peek() in {"the", "day"} or is_place(words) or is_date(words):
        found = read_dates(words) if is_date(words) else read_days(words)
        if len(found["ordinals"]) < 2:
            raise words.error('"to" and the day of the end')
        return found
    first = read_clock(words)
    if not words.take(*TO, "and"):
        raise words.error('"to" and the time of the end')
    return {"between": (first, read_clock(words))}


def _except(words: Words) -> Clauses:
    words.take("for", "not")
    words.take("on", "in")
    if is_weekday(words, 1):
        words.take("a", "the")
    if words.peek() in MONTH_NAMES and not is_date(words):
        return {"but_months": read_months(words)}
    if is_weekday(words):
        start = words.place
        but = read_weekdays(words)
        if words.peek() == "the" or is_place(words):
            from ratectl.schedule.language.advice import two_readings  # noqa: PLC0415 - few phrases need it

            raise two_readings.exception_of_both(words, start)
        return {"but": but}
    raise words.error("a weekday or month that is left out")


def _if(words: Words) -> Clauses:
    short = any(words.take_all("it", sign, "second") for sign in ("'", "\u2019"))  # "it's"
    if not (short or words.take_all("it", "is") or is_weekday(words)):
        raise words.error('"it is a" and a weekday')
    words.take("a", "an")
    return {"only": read_weekdays(words)}


def _of(words: Words) -> Clauses:
    if words.take_all("elapsed", "time"):
        return {"elapsed": True}
    if words.peek() == "every" and words.peek(1) in UNITS[1:]:
        words.pop()
        return {"scope": words.pop()}
    if words.take("every"):
        return _every(words)
    if words.peek() in MONTH_NAMES:
        return {"months": read_months(words)}
    words.take("the", "a")
    if words.peek() in UNITS[1:]:
        return {"scope": words.pop()}
    raise words.error('"elapsed time", "the month" or the name of a month')


def _counted(words: Words) -> Clauses:
    if not words.take("from"):
        raise words.error('"from" and a date')
    return {"anchor": _moment(words, "t")}


def _every(words: Words) -> Clauses:
    words.take("single")
    if words.peek(1) in {"of", "day", *MONTH_NAMES}:
        from ratectl.schedule.language.advice import two_readings  # noqa: PLC0415 - few phrases need it

        two_readings.refuse_nth(words)
    if is_date(words):
        return {"every": Every(unit="year")} | read_dates(words)
    if words.peek() in MONTH_NAMES:
        return {"every": Every(unit="year"), "months": read_months(words)}
    return read_subject(words)


def _each_and(words: Words) -> Clauses:
    words.take_all("and", "every")
    return _every(words)


OPENINGS: dict[str, Callable[[Words], Clauses]] = {
    "every": _each_and,
    "once": _once,
    "at": _at,
    "on": _on,
    "the": _the,
    "day": _the,
    "in": _in,
    "between": _between,
    "from": _from,
    "except": _except,
    "but": _except,
    "if": _if,
    "of": _of,
    "counted": _counted,
}


# Times


def _fields(words: Words) -> tuple[tuple[str, frozenset[int]], ...]:
    found: dict[str, frozenset[int]] = {}
    while (unit := words.peek()) in FIELD_TOPS:
        start = words.place
        words.pop()
        if unit in found:
            raise words.wrong(f'"{unit}" stands there already', start)
        found[unit] = read_numbers(words, FIELD_TOPS[unit])
        if not words.take("of"):
            break
    else:
        raise words.error('"minutes" or "hours"')
    return tuple(found.items())


def _times(words: Words) -> tuple[Clock, ...]:
    found: list[Clock] = []
    members: list[tuple[frozenset[Clock], tuple[int, int]]] = []
    while True:
        first = words.place
        found.append(read_clock(words))
        members.append((frozenset(found[-1:]), words.span(first)))
        if not words.more(CLOCK, HOURS, skip=("at",)):
            joined(words, members)
            return tuple(found)


def read_clock(words: Words) -> Clock:
    """Read a time such as 10:30, 10:30:15 or :17. Raises PhraseError."""
    text = words.peek()
    if not CLOCK.fullmatch(text):
        raise words.error("a time such as 10:30")
    words.pop()
    parts = [int(part) for part in text.split(":") if part]
    clock = Clock(hour=parts[0], minute=parts[1], second=(*parts, 0)[2]) if text[0] != ":" else None
    clock = clock or Clock(hour=None, minute=parts[0])
    if (clock.hour or 0) > 23 or (clock.minute or 0) > 59 or clock.second > 59:
        raise words.wrong(
            "there is no such time of day; hours are 00-23, minutes and seconds 00-59",
            words.place - 1,
            ["23:59", "00:00"] if (clock.hour, clock.minute) == (24, 0) else _after_midnight(clock),
        )
    return clock


def _after_midnight(clock: Clock) -> list[str]:
    """Return what "24:30" means to those who count a day's hours on."""
    return [f"00:{clock.minute:02}"] if clock.hour == 24 and (clock.minute or 0) < 60 else []


def _moment(words: Words, *before_time: str) -> dt.datetime:
    """Read a date, and a time if one follows it, or follows one of the words *before_time*."""
    first = words.place
    if not DATE.fullmatch(words.peek()):
        raise words.error("a date such as 2026-12-01")
    day_text = words.pop()
    words.take(*before_time)
    clock = read_clock(words) if ":" in words.peek() else Clock(hour=0, minute=0)
    try:
        day = dt.date.fromisoformat(day_text)
    except ValueError as error:
        raise words.wrong(f"{day_text} is not a date of the calendar", first) from error
    if day.year not in YEARS:
        span = f"{YEARS[0]} to {YEARS[-1]}"
        raise words.wrong(f"{day_text} is outside the years {span}", first)
    return dt.datetime.combine(day, dt.time(clock.hour or 0, clock.minute or 0, clock.second))
