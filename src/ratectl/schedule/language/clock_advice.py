"""Times that people type and that are none, or two: "at 5", "0900", "half past nine", "13pm".

Offers are whole phrases; whether they can be read is seen by who shows them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ratectl.schedule.language.advice import Advice
from ratectl.schedule.language.lexicon import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable

HOURS = re.compile(
    r"(?<![:\w.])(?P<hour>[0-9]{1,2})(?:(?P<sign>[.h]|\s?h\s?)(?P<minute>[0-5][0-9])(?:\s?(?P<half>am|pm))?|\s?o'?\s?clock"
    r"|\s?h)?(?![\w:.])|(?<![:\w.])(?P<four>[0-2]?[0-9][0-5][0-9])(?:\s?h(?:rs|ours)?)?(?![\w:-])"
)
WORD_HOURS = re.compile(rf"\b({'|'.join(NUMBERS)})\b(?:\s?o'?\s?clock)?")
PAST = re.compile(rf"\b(half|quarter) (past|to) ({'|'.join(NUMBERS)}|[0-9]{{1,2}})\b(\s?(am|pm))?")


def _late_hours(text: str) -> Advice | None:
    match = re.search(r"\b(1[3-9]|2[0-3])(:[0-5][0-9])?\s?(am|pm)\b", text)
    if match is None:
        return None
    offer = f"{text[: match.start()]}{match[1]}{match[2] or ':00'}{text[match.end() :]}"
    return Advice("am and pm go with hours up to 12", (offer,), match.span())


def _past_the_hour(text: str) -> Advice | None:
    match = re.search(
        r"\b(?:at |on )?:?(?P<minute>[0-5]?[0-9]|quarter|half)( minutes?)?( past| after)"
        r"( (the|each|every) hour)?\b(?! [0-9])|\b(?:hour|hourly) at (?P<bare>[0-5]?[0-9])$",
        text,
    )
    if match is None:
        return None
    word = match["minute"] or match["bare"]
    minute = {"quarter": 15, "half": 30}.get(word, 0) or int(word)
    return Advice(
        "minutes of each hour begin with a colon", (f"every hour at :{minute:02}",), match.span()
    )


def _past(text: str) -> Advice | None:
    match = PAST.search(text)
    if match is None:
        return None
    word = match[3]
    hour = NUMBERS.index(word) + 1 if word in NUMBERS else int(word)
    minute = {"half": 30, "quarter": 15}[match[1]]
    total = hour * 60 + (minute if match[2] == "past" else -minute)
    halves = {"am": (0,), "pm": (12,)}.get(match[5] or "", (0, 12))
    times = [f"{(total // 60 % 12 + half):02}:{total % 60:02}" for half in halves]
    offers = [f"{text[: match.start()]}{time}{text[match.end() :]}" for time in times]
    return Advice("times are written 09:30 or 9:30pm", tuple(offers), match.span())


def _hours(text: str) -> Advice | None:
    """Offer times for bare hours: all of the phrase in the morning, or all in the afternoon."""
    where = re.search(r"\b(at|between|from|by|around|@)\b|@", text)
    begins = where.end() if where else 0
    hits = list(HOURS.finditer(text, begins))
    if where:
        hits += WORD_HOURS.finditer(text, begins)
    hits = [told for told in hits if _is_hour(text, told)]
    if not hits:
        return None
    hits.sort(key=lambda match: match.start())
    halves: tuple[tuple[bool, bool], ...] = (
        (False, False),
        (True, True),
        (False, True),
    )  # "9 to 5" ends in the afternoon
    if " from " in f" {text}" or "between" in text:
        halves = ((False, False), (False, True))
    offers = []
    for first, later in halves:
        out, place = "", 0
        for number, told in enumerate(hits):
            out += text[place : told.start()] + _as_time(told, later=later if number else first)
            place = told.end()
        offers.append(out + text[place:])
    return Advice(
        "a time is written with its minutes, 09:00, or as 9am", tuple(offers), hits[0].span()
    )


def _is_hour(text: str, told: re.Match[str]) -> bool:
    after = text[told.end() :].lstrip()
    before = text[: told.start()].rstrip()
    if re.match(
        r"(st|nd|rd|th|am|pm|a\.m|p\.m|seconds?|minutes?|hours?|days?|weeks?|months?|years?|:)\b",
        after,
    ):
        return False
    return not re.search(r"\b(every|each|day|on the|the|on|of)$", before)


def _as_time(told: re.Match[str], *, later: bool) -> str:
    groups = told.groupdict()
    if groups.get("four"):
        return f"{groups['four'][:-2]:0>2}:{groups['four'][-2:]}"
    if groups.get("minute"):
        half = groups.get("half")
        hour = int(groups["hour"])
        hour = hour % 12 + (12 if half == "pm" else 0) if half else hour
        return f"{hour:02}:{groups['minute']}"
    word = groups.get("hour") or told[1]
    hour = NUMBERS.index(word) + 1 if word in NUMBERS else int(word)
    if hour <= 12 and later:
        hour = hour % 12 + 12
    return f"{hour:02}:00"


CLOCK_ADVICE: tuple[Callable[[str], Advice | None], ...] = (
    _late_hours,
    _past,
    _past_the_hour,
    _hours,
)
