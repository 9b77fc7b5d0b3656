"""Days that are left out: "except the 15th", "except 25 december and 1 january" -> the days that are left.

Holidays that have a date of their own are read as that date.
"""

from __future__ import annotations

import itertools
import re

from ratectl.schedule.language.advice.advice import Advice
from ratectl.schedule.language.lexicon import MONTH_NAMES, SPELLINGS
from ratectl.schedule.language.numerals import nth

DATES = {
    r"\b(christmas|xmas) eve\b": "24 december",
    r"\b(christmas|xmas)( day)?\b": "25 december",
    r"\bboxing day\b": "26 december",
    r"\bnew year'?s eve\b": "31 december",
    r"\b(the )?new year('?s( day)?)?\b": "1 january",
}
"""Days that have a name of their own."""
MONTH_SPELLINGS = {word: name for word, name in SPELLINGS.items() if name in MONTH_NAMES}

A_DAY = rf"(?:the )?[0-9]{{1,2}}(?:st|nd|rd|th)?(?: ?(?:of )?(?:{'|'.join(MONTH_NAMES)}))?"
EXCEPT_DAYS = re.compile(
    rf",?\s*\b(?:except|but not|excluding)(?: for| on)? (?P<days>{A_DAY}(?:(?:,? and |, ?| or | & )(?:on )?{A_DAY})*)(?=$| )"
)


def except_days(text: str) -> Advice | None:
    """Offer the days that are left for "except the 15th" and "except 25 december and 1 january"."""
    plain = _dates_in_numbers(text)
    match = EXCEPT_DAYS.search(plain)
    left_out = _days_by_month(match["days"]) if match else {}
    if match is None or not left_out:
        return None
    daily = f"{plain[: match.start()]}{plain[match.end() :]}"
    if COUNTED.search(daily) or "if it is" in daily:
        return None  # days that are counted, or asked for, go on behind a gap
    if PLACED.search(daily):
        return _without_months(daily, left_out, (0, len(text)))
    (month, *more) = left_out
    if month and not more and re.search(rf" in {month}\b", daily):
        daily = re.sub(rf" in {month}\b", "", daily)
        rest = re.sub(r"\b(every day|daily|everyday)\b", "every month", daily)
        offer = f"{rest} on the {all_but(left_out[month])} in {month}"
        return Advice("the days that are left are named", (offer,), (0, len(text)))
    rest = re.sub(r"\b(every day|daily|everyday)\b", "every month", daily)
    if "" in left_out:
        offer = f"{rest} on the {all_but(left_out[''])}"
        return Advice("the days that are left are named", (offer,), (0, len(text)))
    members = (
        f"{daily} except in {' and '.join(left_out)}",
        *(f"{rest} on the {all_but(days)} in {month}" for month, days in left_out.items()),
    )
    return Advice("the days that are left make a list", (), (0, len(text)), members)


COUNTED = re.compile(
    r"\b(?:every|each) (?:other|second|third|[0-9]+(?:st|nd|rd|th)?) (?:day|week|fortnight|month|quarter|year|[a-z]+day)"
    r"|\b(?:fortnightly|weekly|every (?:week|fortnight|quarter|year)|quarterly|yearly|annually)\b"
)
PLACED = re.compile(
    r"\b(?:monthly|every month|[0-9]{1,2}(?:st|nd|rd|th)|first|second|third|fourth|fifth|last)\b"
)


def _without_months(
    daily: str, left_out: dict[str, set[int]], span: tuple[int, int]
) -> Advice | None:
    """Offer *daily*, which names days of the month, without the months whose only such day is *left_out*."""
    numbers = {int(day) for day in re.findall(r"\b([0-9]{1,2})(?:st|nd|rd|th)\b", daily)}
    if re.search(r"\b(?:first|second|third|fourth|fifth|last)\b", daily) or not numbers:
        return None
    if "" in left_out or any(not numbers <= days for days in left_out.values()):
        return None
    offer = f"{daily} except in {' and '.join(left_out)}"
    return Advice("the months that are left are named", (offer,), span)


def _dates_in_numbers(text: str) -> str:
    """Return *text* with "christmas" and "dec 25th" as 25 december."""
    for pattern, date in DATES.items():
        text = re.sub(pattern, date, text)
    text = re.sub(r"[a-z]+", lambda word: MONTH_SPELLINGS.get(word[0], word[0]), text)
    months = "|".join(MONTH_NAMES)
    text = re.sub(RUN_OF_DAYS, _each_day, text)
    return re.sub(
        rf"\b({months}) ([0-9]{{1,2}})(?:st|nd|rd|th)?\b", r"\2 \1", " ".join(text.split())
    )


RUN_OF_DAYS = re.compile(
    r"(?<![:0-9])(?P<first>[0-9]{1,2})(?:st|nd|rd|th)? ?(?:-|\u2013|to) ?(?P<last>[0-9]{1,2})(?P<nth>st|nd|rd|th)?(?![:0-9a-z]| ?[ap]m)"
)


def _each_day(run: re.Match[str]) -> str:
    """Return "24 to 26" as "24, 25, 26"."""
    days = range(int(run["first"]), int(run["last"]) + 1)
    return ", ".join(nth(day) if run["nth"] else str(day) for day in days) or run[0]


def _days_by_month(said: str) -> dict[str, set[int]]:
    """Return the days that *said* names, by their month or by an empty text; nothing where both are said, or a number may be a time."""
    found: dict[str, set[int]] = {}
    waiting: set[int] = set()
    for day, month in re.findall(
        rf"([0-9]+)[a-z]{{0,2}}(?: ?(?:of )?({'|'.join(MONTH_NAMES)}))?", said
    ):
        waiting.add(int(day))
        if month:
            found.setdefault(month, set()).update(waiting)
            waiting = set()
    if waiting and (found or not re.search(r"[0-9][a-z]|the", said)):
        return {}
    found = found or {"": waiting}
    return found if all(1 <= day <= 31 for days in found.values() for day in days) else {}


def all_but(left_out: set[int]) -> str:
    """Return the days of a month but those that are *left_out*: "1st to 14th and 16th to 31st"."""
    ends = [0, *sorted(left_out), 32]
    runs = [(before + 1, after - 1) for before, after in itertools.pairwise(ends)]
    said = [f"{nth(a)} to {nth(b)}" if b > a else nth(a) for a, b in runs if b >= a]
    return " and ".join((", ".join(said[:-1]), said[-1]) if said[1:] else said)
