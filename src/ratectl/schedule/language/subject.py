"""What stands behind "every": how many of which unit, a range of them, or days that are named.

"second" and "quarter" are units and parts of other words; here their neighbours decide.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ratectl.schedule.language.dates import NTH, PLACES, is_place, read_days
from ratectl.schedule.language.lexicon import UNITS, WEEKDAY_NAMES, WORKING_DAYS
from ratectl.schedule.language.tokens import NUMBER, is_weekday, read_weekdays

if TYPE_CHECKING:
    from ratectl.schedule.language.tokens import Words

ENDLESS = "an interval of 0 never ends; say 1 or more"
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
SECONDS_IN = {"second": 1, "minute": 60, "hour": 3600}
HALVES = {
    "minute": (30, "second"),
    "hour": (30, "minute"),
    "day": (12, "hour"),
    "year": (6, "month"),
}

QUARTERS = {
    "minute": (15, "second"),
    "hour": (15, "minute"),
    "day": (6, "hour"),
    "year": (3, "month"),
}


class Every(NamedTuple):
    """Every *number* units, or every *number* to *at_most* of them."""

    number: int = 1
    unit: str = "day"
    at_most: int = 0
    """The longest gap of "every 5 to 10 minutes"; 0 where the gap is always the same."""


def read_subject(words: Words) -> dict[str, Any]:
    """Return the clauses that the words behind "every" make. Raises PhraseError."""
    if is_place(words) and not _counts_units(words):
        return read_days(words)
    if words.take("half"):
        return {"every": _half(words)}
    if is_weekday(words) and words.peek() != "business":
        return _daily({"weekdays": read_weekdays(words)})
    start = words.place
    counted = NUMBER.fullmatch(words.peek()) is not None
    count = _count(words)
    at_most = _longest(words, count) if words.place > start and words.take("to") else 0
    if is_weekday(words):
        return _every_nth_weekday(
            words, start, Every(number=count, at_most=at_most), counted=counted
        )
    if words.peek() == "fortnight" and start == words.place:
        words.pop()
        return {"every": Every(number=2, unit="week")}
    return {"every": _units(words, start, count, at_most)}


def _daily(clauses: dict[str, Any]) -> dict[str, Any]:
    return {"every": Every(unit="day")} | clauses


def _counts_units(words: Words) -> bool:
    """Tell whether a place is a number of units: "every second day", "every 3rd friday", "every second"."""
    if NTH.fullmatch(words.peek()) is None and PLACES.get(words.peek(), 0) < 2:
        return False
    after = words.peek(1)
    if words.peek() == "second" and after not in UNITS and not is_weekday(words, 1):
        listed = after == "," and is_place(words, 2)  # "every second, fourth friday"
        return not (after in {"and", "to", "last"} or after in PLACES or listed)
    if words.peek() in {"first", "1st"}:
        return False
    named = (*WEEKDAY_NAMES, "weekday", "weekend")
    listed = words.peek(2) in {"and", ","} and is_place(words, 3)  # "second monday and last friday"
    of_months = words.peek(2) == "of" or words.names_month()
    working = is_weekday(words, 1) and words.peek(2) == "day"  # "every second business day"
    of_months = of_months or (working and words.peek(3) == "of")
    return after in UNITS or ((after in named or working) and not of_months and not listed)


def _count(words: Words) -> int:
    """Read "15", "other", "second" before another unit, "3rd"; 1 where no number stands."""
    if words.take("other"):
        return 2
    if is_place(words) and (
        words.peek() != "second" or words.peek(1) in UNITS or is_weekday(words, 1)
    ):
        start, match = words.place, NTH.fullmatch(words.peek())
        word = words.pop()
        count = int(match[1]) if match else PLACES[word]
        if count == 0:
            raise words.wrong(ENDLESS, start, ["1"])
        return count
    if not NUMBER.fullmatch(words.peek()):
        return 1
    if len(words.peek()) > LONGEST_COUNT:
        raise words.error(f"a number of at most {LONGEST_COUNT} digits")
    if words.peek(1) == "." or (words.peek(1) == "," and words.peek() == "0"):
        raise words.error("a whole number")
    if int(words.peek()) == 0:
        start = words.place
        words.pop()
        raise words.wrong(ENDLESS, start, ["1"])
    return int(words.pop())


def _longest(words: Words, shortest: int) -> int:
    if not NUMBER.fullmatch(words.peek()):
        raise words.error("a number")
    start = words.place - 2
    longest = _count(words)
    if longest <= shortest:
        says = [f"{longest} to {shortest}"] if longest < shortest else [str(shortest)]
        raise words.wrong(f"the longest gap must be more than {shortest}", start, says)
    return longest


def _every_nth_weekday(words: Words, start: int, every: Every, *, counted: bool) -> dict[str, Any]:
    """Read the weekday of "every other friday" and of "every 1 monday"."""
    count = every.number
    first = words.place
    weekdays = read_weekdays(words)
    names = words.text[slice(*words.span(first))]
    groups = len(weekdays) > 1 and names.lower().startswith(("weekd", "workd", "work", "weeke"))
    if groups and count > 2:
        days = f"{count} to {every.at_most}" if every.at_most else str(count)
        kept = "weekends" if weekdays == WORKING_DAYS else "weekdays"
        says = [f"{days} days except on {kept}"]
        raise words.wrong("weekdays are not counted, days are", start, says)
    if (every.at_most or (counted and count > 1)) and not groups:
        singular = re.sub(r"(?<=day)s$", "", names.lower())
        raise words.wrong(
            "a weekday is named, and weeks are counted", start, [f"{count} weeks on {singular}"]
        )
    if count == 1:
        return _daily({"weekdays": weekdays})
    if groups:
        working = weekdays == WORKING_DAYS
        says = ["monday, wednesday and friday" if working else "2 weeks on weekends"]
        raise words.wrong("there is no telling which of them", start, says)
    return {"every": Every(number=count, unit="week"), "weekdays": weekdays}


def _units(words: Words, start: int, count: int, at_most: int) -> Every:
    """Read the unit, and "30 minutes" after "1 hour". Raises PhraseError."""
    if words.peek() not in UNITS:
        what = "a unit or weekday" if count == 1 else f"a unit ({', '.join(UNITS)})"
        raise words.error(what)
    every = Every(number=count, unit=words.pop(), at_most=at_most)
    if every.unit == "quarter" and not at_most:
        every = _quarters(words, every)
    if every.unit in HALVES and words.take_all("and", "a", "half"):
        size, unit = HALVES[every.unit]
        whole = {"minute": 60, "hour": 60, "day": 24, "year": 12}[every.unit]
        every = Every(number=whole * count + size, unit=unit)
    if not at_most:
        every = _with_rest(words, every)
    if max(every.number, every.at_most) > CENTURY[every.unit]:
        raise words.wrong(
            "an interval of more than a century has no use here", start, [f"1 {every.unit}"]
        )
    return every


def _quarters(words: Words, every: Every) -> Every:
    """Read what the quarters are of: "quarter of an hour", "quarter hour", "quarter of a day"."""
    for unit, (size, smaller) in QUARTERS.items():
        if any(words.take_all(*said, unit) for said in (("of", "an"), ("of", "a"), ())):
            return Every(number=size * every.number, unit=smaller)
    return every


def _with_rest(words: Words, every: Every) -> Every:
    """Read the minutes of "1 hour 30 minutes" and of "1h30m" and add them."""
    while every.unit in SECONDS_IN:
        if (part := words.attached_number()) is not None:
            smaller_unit = {"hour": "minute", "minute": "second"}.get(every.unit, "")
            return Every(number=every.number * 60 + part, unit=smaller_unit)
        ahead = 1 if words.peek() == "and" else 0
        number, unit = words.peek(ahead), words.peek(ahead + 1)
        smaller = SECONDS_IN.get(unit, 3600) < SECONDS_IN[every.unit]
        if not NUMBER.fullmatch(number) or not smaller or len(number) > LONGEST_COUNT:
            return every
        words.place += ahead + 2
        factor = SECONDS_IN[every.unit] // SECONDS_IN[unit]
        every = Every(number=every.number * factor + int(number), unit=unit)
    return every


def _half(words: Words) -> Every:
    """Read the unit of "half hour", "half an hour", "half a minute"."""
    words.take("a", "an", "-", "to")
    if words.peek() not in HALVES:
        raise words.error('"hour", "minute", "day" or "year" after "half"')
    count, unit = HALVES[words.pop()]
    return Every(number=count, unit=unit)
