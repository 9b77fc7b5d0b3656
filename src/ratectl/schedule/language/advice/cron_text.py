"""A cron line that is refused -> what says the same with all its other fields.

Nothing is offered that cannot be read, or that loses a field of the line.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ratectl.errors import ScheduleError
from ratectl.schedule.language.cron import (
    DAY_NAMES,
    FIELDS,
    ITEM,
    LONGEST_NUMBER,
    MONTH_NAMES,
    parse_cron,
)
from ratectl.schedule.language.explain import explain
from ratectl.schedule.language.parse import parse_one
from ratectl.schedule.values import Calendar

if TYPE_CHECKING:
    from collections.abc import Sequence

EVERY_SUNDAY = "*/7"
"""A step over days of the week that Debian's cron takes for Sundays."""
UNITS = ("minutes", "hours", "days")
"""What a step of the first fields counts, where a phrase can count it, too."""
VALUE = rf"(?:\*|[0-9]{{1,4}}|{'|'.join((*DAY_NAMES, *MONTH_NAMES))})"
PIECE = re.compile(rf"[-,/]?{VALUE}(?:[-,/]{VALUE})*[-,/]?|[-,/]", re.IGNORECASE)
"""A word that may be a part of a field that blanks have torn."""
TORN = "-,/"
"""What never begins or ends a field."""


def first_values(fields: Sequence[str]) -> tuple[str, ...]:
    """Return *fields* with the first value in the place of each step that reaches beyond its range."""
    return tuple(
        ",".join(dict.fromkeys(_first_value(item, place) for item in text.split(",")))
        for place, text in enumerate(fields)
    )


def _first_value(item: str, place: int) -> str:
    match = ITEM.fullmatch(item.lower())
    if match is None or match[4] is None or item == EVERY_SUNDAY:
        return item
    field = FIELDS[place]
    low, high = (field.low, field.top) if match[1] == "*" else map(field.number, match.group(2, 3))
    beyond = 0 <= low <= high < low + int(match[4][:LONGEST_NUMBER])
    return (match[2] or str(low)) if beyond else item


def same_with_first_values(line: str) -> str:
    """Return the line, or the phrase, that fires when *line* does, in which steps reach beyond their range; else an empty text."""
    fields = line.split()
    cut = first_values(fields)
    if _stars(fields) and not _stars(cut):
        return on_both_days(cut)
    return " ".join(cut) if _reads(" ".join(cut)) else ""


def _stars(fields: Sequence[str]) -> bool:
    """Tell whether cron wants both days of *fields* to match."""
    return fields[2].startswith("*") or fields[4].startswith("*")


def on_both_days(fields: Sequence[str]) -> str:
    """Return the phrase for *fields* whose two days must both match; empty where one of them never comes."""
    minute, hour, day, month, weekday = fields
    try:
        numbered = parse_cron(f"{minute} {hour} {day} {month} *")
        named = parse_cron(f"{minute} {hour} * {month} {weekday}")
    except ScheduleError:
        return ""
    if not isinstance(numbered, Calendar) or not isinstance(named, Calendar):
        return ""
    sentence = explain(replace(numbered, weekdays=named.weekdays)).removesuffix(".").lower()
    return sentence if _reads(sentence) else ""


def interval(fields: Sequence[str], place: int, step: int) -> str:
    """Return the phrase that counts *step* units of the field at *place*; empty where another field says more."""
    if place >= len(UNITS) or any(text not in {"*", "?"} for text in fields[place + 1 :]):
        return ""
    if not all(re.fullmatch("[0-9]{1,2}", text) for text in fields[:place]):
        return ""
    at = ""
    if place == 1 and int(fields[0]):
        return ""
    if place == 2:
        at = f" at {int(fields[1]):02}:{int(fields[0]):02}"
    phrase = f"every {step} {UNITS[place]}{at}"
    return phrase if _reads(phrase) else ""


def _reads(text: str) -> bool:
    try:
        parse_one(text)
    except ScheduleError:
        return False
    return True


def torn_fields(words: Sequence[str]) -> tuple[str, ...]:
    """Return the five fields that begin *words*, with the blanks within them as they are: ``9, 17``; none where no field is torn.

    A list, range or step goes on behind a word that ends in its sign, and in one that begins with it.
    """
    fields: list[str] = []
    for word in words:
        if PIECE.fullmatch(word) is None:
            break
        if fields and (fields[-1][-1] in TORN or word[0] in TORN):
            fields[-1] += f" {word}"
        elif len(fields) < len(FIELDS):
            fields.append(word)
        else:
            break
    torn = len(fields) == len(FIELDS) and any(" " in field for field in fields)
    whole = (item for field in fields for item in mended(field).lower().split(","))
    return tuple(fields) if torn and all(map(ITEM.fullmatch, whole)) else ()


def mended(field: str) -> str:
    """Return the torn *field* without its blanks."""
    return field.replace(" ", "")
