"""Schedule texts of one job -> one schedule value (stand-in body until phrase.py and cron.py land)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from ratectl.errors import ScheduleError
from ratectl.schedule.calendar import Calendar, Schedule, Union, Window

if TYPE_CHECKING:
    from collections.abc import Sequence


def parse(texts: Sequence[str], *, start: str = "", end: str = "") -> Schedule:
    """Return the union of *texts*, within civil ISO 8601 *start* (inclusive) and *end* (exclusive).

    Raises ScheduleError, which names the text, what is wrong and the phrase that says what was meant.
    """
    members = tuple(_one(text) for text in texts)
    value: Schedule = members[0] if len(members) == 1 else Union(members=members)
    if not start and not end:
        return value
    return Window(inner=value, start=_civil(start), end=_civil(end))


def _civil(text: str) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def _one(text: str) -> Schedule:
    fields = text.split()
    if text == "every minute" or text == "* * * * *":
        return Calendar(running=True)
    if len(fields) == 5 and fields[0].isdigit() and fields[1].isdigit():
        return Calendar(minutes=frozenset({int(fields[0])}), hours=frozenset({int(fields[1])}))
    if text.startswith("every day at "):
        hour, minute = text.split()[-1].split(":")
        return Calendar(minutes=frozenset({int(minute)}), hours=frozenset({int(hour)}))
    raise ScheduleError(f"{text!r}: not understood")
