"""The schedule texts of one job -> one schedule value that fires at least once.

The one place that knows both languages: cron lines, and phrases, whose meaning is decided in ``resolve.py``.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from ratectl.errors import ScheduleError
from ratectl.schedule.occurrences.slots import fires
from ratectl.schedule.values import (
    EXAMPLE_YEAR,
    LAST_DAY,
    WEEKDAYS,
    YEARS,
    Calendar,
    Gaps,
    Schedule,
    Union,
    Window,
    union,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo


CRON_FIELDS = re.compile(r"[0-9*?][0-9*?,/#~lwLW-]*( .+)?|@[A-Za-z].*")
CRON_FIELD = re.compile(
    r"[0-9*?,/#~lwh()-]+|((sun|mon|tue|wed|thu|fri|sat|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[-,/#0-9l]*)+",
    re.IGNORECASE,
)


def parse(
    texts: Sequence[str],
    *,
    start: str = "",
    end: str = "",
    name: str = "",
    zone: ZoneInfo | None = None,
) -> Schedule:
    """Return the union of *texts*, within civil ISO 8601 *start* (inclusive) and *end* (exclusive).

    A bound with an offset is an instant: the second of two times that clocks show alike. Random gaps
    are drawn from the job's *name*. That a slot lies within the bounds is seen in *zone*; without one
    only where that makes no difference.

    Raises ScheduleError, which names the text, what is wrong and what would say it.
    """
    value, draws = _parse(tuple(texts), start, end, "")
    if draws:
        value, draws = _parse(tuple(texts), start, end, name)
    if isinstance(value, Window):
        _refuse_empty(value, start, end, zone, named=bool(name) or not draws)
    return value


def _draws(value: Schedule) -> bool:
    """Tell whether random gaps are part of *value*."""
    if isinstance(value, Window):
        return _draws(value.inner)
    members = value.members if isinstance(value, Union) else (value,)
    return any(isinstance(member, Gaps) for member in members)


@lru_cache(maxsize=8192)
def _refuse_empty(
    window: Window, start: str, end: str, zone: ZoneInfo | None, *, named: bool
) -> None:
    """Refuse bounds without a slot; those of a job that is not *named* yet are not known."""
    instants = any(bound and bound.tzinfo for bound in (window.start, window.end))
    if not named or (instants and zone is None):
        return
    if not fires(window, zone):
        raise ScheduleError(
            f"no slot lies between {start or 'the beginning'} and {end or 'the end'}"
        )


@lru_cache(maxsize=8192)
def _parse(texts: tuple[str, ...], start: str, end: str, name: str) -> tuple[Schedule, bool]:
    """Return the value of *texts*, and whether random gaps are part of it."""
    first, last = (dt.datetime.fromisoformat(text) if text else None for text in (start, end))
    value = union(parse_one(text, first, name) for text in texts)
    if first is not None or last is not None:
        value = Window(inner=value, start=first, end=last)
    return value, _draws(value)


def parse_one(text: str, start: dt.datetime | None = None, name: str = "") -> Schedule:
    """Return the value of one cron line, phrase, or sentence of ``explain``. Raises ScheduleError."""
    return _parse_one(text, "" if start is None else start.isoformat(), name)


@lru_cache(maxsize=8192)
def _parse_one(text: str, first: str, name: str) -> Schedule:
    """Do as :func:`parse_one`: equal instants may be written as two days, from which days are counted, so *first* is a text."""
    start = dt.datetime.fromisoformat(first) if first else None
    line = " ".join(text.split()).removesuffix(".")
    if not line:
        raise ScheduleError('the schedule is empty; say for example "every day at 10:30"')
    value = _sentence(line, name) if ";" in line else _simple(line, start, name)
    if not fires(value):
        raise ScheduleError(f'"{line}": never fires: {_never(line, value)}')
    return value


def _never(line: str, value: Schedule) -> str:
    """Return why *value*, which *line* says, never fires, with the offer of the last day of the months that it names."""
    from ratectl.schedule.language.explain import explain  # noqa: PLC0415 - only what never fires needs it

    first = value.members[0] if isinstance(value, Union) else value
    if isinstance(first, Calendar) and first.stride is not None:
        day = f"{EXAMPLE_YEAR}-{min(first.months):02}-01"
        offer = "" if "counted from" in line else f'; say "{line} counted from {day}"'
        return f"none of the days that are counted is one of these{offer}"
    why = "no such day exists"
    if not isinstance(first, Calendar) or (is_cron(line) and first.weekdays != WEEKDAYS):
        return why
    error = explain(
        replace(first, days=frozenset({LAST_DAY}), nth_weekday=frozenset(), weekdays=WEEKDAYS)
    )
    return f'{why}; say "{error[0].lower()}{error[1:].removesuffix(".")}"'


def _simple(line: str, start: dt.datetime | None, name: str) -> Schedule:
    """Return the value of a line in one of the two languages; a firing loads only the one it needs."""
    if is_cron(line):
        from ratectl.schedule.language.cron import parse_cron  # noqa: PLC0415 - see above

        return parse_cron(line)
    try:
        value = phrase_value(line, start, name)
    except ScheduleError as error:
        from ratectl.schedule.language.offers import refusal  # noqa: PLC0415 - only what is wrong needs it

        raise refusal(line, error, _fires_as_phrase) from None
    return value


def is_cron(line: str) -> bool:
    """Tell whether *line* is meant as a cron line or macro: its words are fields, and more than a number."""
    if CRON_FIELDS.fullmatch(line) is None:
        return False
    if line.startswith("@") or "*" in line:
        return True
    words = line.split()
    if len(words) > 5 and all(CRON_FIELD.fullmatch(word) for word in words[:5]):
        return re.search(r"[/.&|>$]", " ".join(words[5:])) is not None  # a crontab's command
    if len(words) < 5 and words[1:] and words[1][0].isalpha():
        return False  # "25 dec", "9 mon"
    return len(words) > 1 and all(CRON_FIELD.fullmatch(word) for word in words)


def phrase_value(line: str, start: dt.datetime | None, name: str) -> Schedule:
    """Return the value of the phrase *line*. Raises PhraseError, without a word on what was meant."""
    from ratectl.schedule.language.phrase import read_phrase  # noqa: PLC0415 - see above
    from ratectl.schedule.language.resolve import resolve  # noqa: PLC0415 - see above

    return resolve(read_phrase(line), start, name)


def _fires_as_phrase(line: str) -> Schedule:
    """Return the value of *line*. Raises ScheduleError unless it is a phrase with at least one slot, and nothing for cron."""
    if is_cron(line):
        raise ScheduleError(f'"{line}": is no phrase')
    value = phrase_value(line, None, "")
    if not fires(value):
        raise ScheduleError(f'"{line}": never fires')
    return value


def _sentence(line: str, name: str) -> Schedule:
    """Return the value of "PHRASE; and PHRASE; starting DATE TIME; ending before DATE TIME"."""
    members: list[Schedule] = []
    ends: dict[str, dt.datetime | None] = {"starting": None, "ending before": None}
    parts = [part.strip() for part in line.split(";")]
    for part in filter(None, parts):
        word = next((word for word in ends if part.startswith(f"{word} ")), "")
        if word:
            ends[word] = _moment(line, part.removeprefix(word).strip())
        else:
            said = part.removeprefix("and ")
            if members and said == part:
                _refuse_loose_clause(line, said, name)
            members.append(_simple(said, None, name))
    if not members:
        raise ScheduleError(f'"{line}": names no schedule to begin or end')
    if "" in parts:
        said = "; ".join(filter(None, parts))
        raise ScheduleError(f'"{line}": nothing stands on one side of ";"; say "{said}"')
    value = union(members)
    start, end = ends.values()
    return value if start is end is None else Window(inner=value, start=start, end=end)


def members_of(text: str) -> list[str]:
    """Return the schedules that *text* joins: "every monday; and every friday", as ``next`` tells them."""
    parts = (part.strip().removeprefix("and ") for part in text.split(";"))
    return [part for part in parts if not part.startswith(("starting ", "ending before "))]


def _refuse_loose_clause(line: str, said: str, name: str) -> None:
    """Refuse "every 5 minutes; weekdays", whose end narrows the schedule before it and is none of its own."""
    if is_cron(said) or re.match(r"(every|each|once|[a-z]+ly|everyday)\b", said.lower()):
        return
    joined = line.replace(f"; {said}", f" {said}").replace(f";{said}", f" {said}")
    narrowed = line.replace(f"; {said}", f" on {said}").replace(f";{said}", f" on {said}")
    for offer in (joined, narrowed):
        try:
            parse_one(offer, None, name)
        except ScheduleError:
            continue
        raise ScheduleError(f'"{line}": is "{said}" a schedule of its own? Say "{offer}"')
    raise ScheduleError(f'"{line}": is "{said}" a schedule of its own? Say "; and every ..."')


def _moment(line: str, text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ScheduleError(f'"{line}": {text!r} is not a time such as 2026-12-01 10:30') from error
    second = moment.tzinfo is not None and not text.upper().endswith("Z")
    if (moment.tzinfo is not None and not second) or moment.year not in YEARS:
        span = f"of the years {YEARS[0]} to {YEARS[-1]}"
        raise ScheduleError(
            f'"{line}": expected a time {span} on the job\'s own clocks, found {text!r}'
        )
    return moment
