"""Weekday 7, which is Sunday for some crons only -> the same days in numbers that every cron knows."""

from __future__ import annotations

import re
from itertools import groupby

from ratectl.schedule.language.cron import DAY_NAMES

ITEM = re.compile(r"(\*|([a-z]+|[0-9]{1,9})(?:-([a-z]+|[0-9]{1,9}))?)(?:/([0-9]{1,9}))?")
"""One piece of a field, in small letters: ``*``, a value or a range, and its step."""
SEVEN = 7
SHORTEST_RUN = 3
"""Days in a row that are written as a range."""


def has_seven(item: str) -> bool:
    """Tell whether the *item* of a weekday field names the day 7."""
    match = ITEM.fullmatch(item.lower())
    return match is not None and any(
        text is not None and text.isdecimal() and int(text) == SEVEN for text in match.group(2, 3)
    )


def without_seven(field: str) -> str:
    """Return the weekday *field* with the same days and no 7; as it is where it has none, or nobody understands it.

    A ``*`` at its beginning stays there, since cron's rule for the two day fields goes by it.
    """
    items = field.lower().split(",")
    days = [_days(item) for item in items]
    if not any(map(has_seven, items)) or not all(days):
        return field
    kept = [item for item in items if field.startswith("*") and not has_seven(item)]
    there = {day for item, its in zip(items, days, strict=True) if item in kept for day in its}
    return ",".join([*kept, *_runs({day for its in days for day in its} - there)])


def _days(item: str) -> set[int]:
    """Return the days of one *item*, Sunday as 0; none where it is wrong."""
    match = ITEM.fullmatch(item)
    whole, first, last, step = match.groups() if match else ("", "", "", "")
    if step and (not int(step) or not (last or whole == "*")):
        return set()
    low, high = (0, 6) if whole == "*" else (_number(first), _number(last or first))
    low = 0 if low == SEVEN > high else low
    if not 0 <= low <= high <= SEVEN:
        return set()
    return {day % SEVEN for day in range(low, high + 1, int(step or 1))}


def _number(text: str) -> int:
    """Return the number of a weekday, -1 for a word that is none."""
    if text.isdecimal():
        return int(text)
    return DAY_NAMES.index(text) if text in DAY_NAMES else -1


def _runs(days: set[int]) -> list[str]:
    """Return *days* as numbers, and three or more in a row as a range."""
    found: list[str] = []
    for _, group in groupby(enumerate(sorted(days)), key=lambda pair: pair[1] - pair[0]):
        run = [day for _, day in group]
        long = len(run) >= SHORTEST_RUN
        found += [f"{run[0]}-{run[-1]}"] if long else map(str, run)
    return found
