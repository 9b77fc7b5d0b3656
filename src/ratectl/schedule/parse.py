"""The schedule texts of one job -> one schedule value that fires at least once.

The one place that knows both languages, cron lines and phrases.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING

from ratectl.errors import ScheduleError
from ratectl.schedule.calendar import YEARS, Schedule, Window, union
from ratectl.schedule.slots import fires

if TYPE_CHECKING:
    from collections.abc import Sequence


CRON_STARTS = frozenset("0123456789*@")


def parse(texts: Sequence[str], *, start: str = "", end: str = "", name: str = "") -> Schedule:
    """Return the union of *texts*, within civil ISO 8601 *start* (inclusive) and *end* (exclusive).

    Random gaps are drawn from the job's *name*.

    Raises ScheduleError, which names the text, what is wrong and what would say it.
    """
    return _parse(tuple(texts), start, end, name)


@lru_cache(maxsize=8192)
def _parse(texts: tuple[str, ...], start: str, end: str, name: str) -> Schedule:
    first, last = (dt.datetime.fromisoformat(text) if text else None for text in (start, end))
    value = union(parse_one(text, first, name) for text in texts)
    if first is None and last is None:
        return value
    window = Window(inner=value, start=first, end=last)
    if not fires(window):
        raise ScheduleError(
            f"no slot lies between {start or 'the beginning'} and {end or 'the end'}"
        )
    return window


@lru_cache(maxsize=8192)
def parse_one(text: str, start: dt.datetime | None = None, name: str = "") -> Schedule:
    """Return the value of one cron line, phrase, or sentence of ``explain``. Raises ScheduleError."""
    line = " ".join(text.split()).removesuffix(".")
    if not line:
        raise ScheduleError('the schedule is empty; say for example "every day at 10:30"')
    value = _sentence(line, name) if ";" in line else _simple(line, start, name)
    if not fires(value):
        raise ScheduleError(f'"{line}": never fires: no such day exists')
    return value


def _simple(line: str, start: dt.datetime | None, name: str) -> Schedule:
    """Return the value of a line in one of the two languages; a firing loads only the one it needs."""
    if line[0] in CRON_STARTS:
        from ratectl.schedule.cron import parse_cron  # noqa: PLC0415 - see above

        return parse_cron(line)
    from ratectl.schedule.meaning import meaning  # noqa: PLC0415 - see above
    from ratectl.schedule.phrase import read_phrase  # noqa: PLC0415 - see above

    return meaning(read_phrase(line), start, name)


def _sentence(line: str, name: str) -> Schedule:
    """Return the value of "PHRASE; and PHRASE; starting DATE TIME; ending before DATE TIME"."""
    members: list[Schedule] = []
    ends: dict[str, dt.datetime | None] = {"starting": None, "ending before": None}
    for part in filter(None, map(str.strip, line.split(";"))):
        word = next((word for word in ends if part.startswith(f"{word} ")), "")
        if word:
            ends[word] = _moment(line, part.removeprefix(word).strip())
        else:
            members.append(_simple(part.removeprefix("and "), None, name))
    if not members:
        raise ScheduleError(f'"{line}": names no schedule to begin or end')
    value = union(members)
    start, end = ends.values()
    return value if start is end is None else Window(inner=value, start=start, end=end)


def _moment(line: str, text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ScheduleError(f'"{line}": {text!r} is not a time such as 2026-12-01 10:30') from error
    if moment.tzinfo is not None or moment.year not in YEARS:
        span = f"of the years {YEARS[0]} to {YEARS[-1]}"
        raise ScheduleError(
            f'"{line}": expected a time {span} on the job\'s own clocks, found {text!r}'
        )
    return moment
