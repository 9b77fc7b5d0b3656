"""The schedule texts of one job -> one schedule value that fires at least once.

The one place that knows both languages, cron lines and phrases.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING

from ratectl.errors import ScheduleError
from ratectl.schedule.calendar import Schedule, Union, Window
from ratectl.schedule.cron import looks_like_cron, parse_cron
from ratectl.schedule.meaning import meaning
from ratectl.schedule.phrase import read_phrase
from ratectl.schedule.slots import fires

if TYPE_CHECKING:
    from collections.abc import Sequence


def parse(texts: Sequence[str], *, start: str = "", end: str = "", name: str = "") -> Schedule:
    """Return the union of *texts*, within civil ISO 8601 *start* (inclusive) and *end* (exclusive).

    Random gaps are drawn from the job's *name*.

    Raises ScheduleError, which names the text, what is wrong and what would say it.
    """
    return _parse(tuple(texts), start, end, name)


@lru_cache(maxsize=8192)
def _parse(texts: tuple[str, ...], start: str, end: str, name: str) -> Schedule:
    first = dt.datetime.fromisoformat(start) if start else None
    members = tuple(parse_one(text, first, name) for text in texts)
    value: Schedule = members[0] if len(members) == 1 else Union(members=members)
    if not start and not end:
        return value
    window = Window(inner=value, start=first, end=dt.datetime.fromisoformat(end) if end else None)
    if not fires(window):
        raise ScheduleError(
            f"no slot lies between {start or 'the beginning'} and {end or 'the end'}"
        )
    return window


@lru_cache(maxsize=8192)
def parse_one(text: str, start: dt.datetime | None = None, name: str = "") -> Schedule:
    """Return the value of one phrase or cron line. Raises ScheduleError."""
    line = " ".join(text.split())
    if not line:
        raise ScheduleError('the schedule is empty; say for example "every day at 10:30"')
    value = parse_cron(line) if looks_like_cron(line) else meaning(read_phrase(line), start, name)
    if not fires(value):
        raise ScheduleError(f'"{line}": never fires: no such day exists')
    return value
