"""What a phrase says of the times within a day, such as "every 20 minutes between 9 and 5" -> calendars or an interval."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ratectl.schedule.language.lexicon import WEEKDAY_NAMES
from ratectl.schedule.language.resolve_days import (
    DAY_SECONDS,
    SECONDS_IN,
    at_times,
    base_of,
    day_bases,
    every_of,
)
from ratectl.schedule.values import HOURS, MINUTES, Calendar, Interval, Schedule, union

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ratectl.schedule.language.phrase import Phrase
    from ratectl.schedule.language.subject import Every
    from ratectl.schedule.language.tokens import PhraseError


def clauses_of(phrase: Phrase) -> list[str]:
    """Return the clauses that limit the phrase to parts of the calendar."""
    limits = ("at", "fields", "ordinals", "weekdays", "months", "but", "but_months", "between")
    return [clause for clause in limits if getattr(phrase, clause)]


def within_day(phrase: Phrase, start: dt.datetime | None) -> Schedule:
    """Return the value of a *phrase* that counts seconds, minutes or hours."""
    every = every_of(phrase)
    step = every.number * SECONDS_IN[every.unit]
    _refuse_elapsed_parts(phrase)
    grid = step < DAY_SECONDS and DAY_SECONDS % step == 0 and not phrase.elapsed
    if not (grid or phrase.between or phrase.fields):
        return _elapsed(phrase, step, start)
    if phrase.fields and (every.number > 1 or every.unit == "second"):
        minute = re.fullmatch(r"at minute ([0-9]+)", phrase.said("fields").strip().lower())
        raise phrase.error(
            "lists of minutes and hours leave no room for an interval",
            *([phrase.swapped(fields=f"at :{int(minute[1]):02}")] if minute else []),
            phrase.swapped(every="every hour"),
            phrase.swapped(every="every minute"),
        )
    bases = [
        replace(base, elapsed_time=True)
        for base in day_bases(phrase, base_of(phrase), phrase.ordinals)
    ]
    if phrase.fields:
        return union([in_fields(base, phrase) for base in bases])
    offsets = _offsets(phrase)
    if phrase.between:
        times = _grid_between(phrase, step, offsets)
    else:
        times = {t + o for t in range(0, DAY_SECONDS, step) for o in offsets}
    return union([calendar for base in bases for calendar in at_times(base, times)])


def _refuse_elapsed_parts(phrase: Phrase) -> None:
    clauses = clauses_of(phrase)
    if phrase.elapsed and clauses:
        raise phrase.error(
            "elapsed time takes no part of the day or of the calendar",
            phrase.swapped(elapsed=""),
            phrase.swapped(**dict.fromkeys(clauses, "")),
        )


def _elapsed(phrase: Phrase, step: int, start: dt.datetime | None) -> Interval:
    if clauses := clauses_of(phrase):
        every = every_of(phrase)
        grid = f"every {every.number} {every.unit}s between 00:00 and 23:59"
        days = f"every {step // DAY_SECONDS} days".replace("every 1 days", "every day")
        raise phrase.error(
            "an interval that does not divide a day counts elapsed time and takes no "
            f'"at", "on" or "in"; say "{grid}" for a daily grid'
            if step < DAY_SECONDS
            else 'an interval of a day or more counts elapsed time and takes no "at", "on" or "in"',
            *([phrase.swapped(every=days)] if step % DAY_SECONDS == 0 else []),
            *([phrase.swapped(every=grid)] if step < DAY_SECONDS else []),
            phrase.swapped(**dict.fromkeys(clauses, "")),
        )
    return Interval(seconds=step) if start is None else Interval(seconds=step, anchor=start)


def in_fields(base: Calendar, phrase: Phrase) -> Calendar:
    """Return *base* at the seconds, minutes and hours that the phrase lists."""
    if phrase.at or phrase.between:
        raise phrase.error(
            'lists of minutes and hours take no other "at" and no "between"',
            phrase.swapped(at="", between=""),
        )
    fields = dict(phrase.fields)
    return replace(
        base,
        seconds=fields.get("second", frozenset({0})),
        minutes=fields.get("minute", MINUTES),
        hours=fields.get("hour", HOURS),
    )


def _offsets(phrase: Phrase) -> list[int]:
    """Return the seconds that "at :17" adds to each step of the grid."""
    every = every_of(phrase)
    if not phrase.at:
        return [0]
    if any(clock.hour is not None for clock in phrase.at):
        past = f"; here stands what is past, at :{phrase.at[0].minute or 0:02}"
        raise phrase.error(
            'a full time of day goes with "every day at ..."'
            f"{past if every.unit == 'hour' else ''}",
            *_hours_apart(phrase, every),
            phrase.swapped(every="every day"),
        )
    if every.unit == "second":
        raise phrase.error(
            'seconds take no "at"; say "every minute at :05"', phrase.swapped(every="every minute")
        )
    if every.unit == "minute" and every.number > 1:
        raise phrase.error("minutes or seconds past?", *_two_readings(phrase, every.number))
    scale = 60 if every.unit == "hour" else 1
    return [clock.seconds // 60 * scale for clock in phrase.at]


def _hours_apart(phrase: Phrase, every: Every) -> Iterable[str]:
    """Yield "every 2 hours at 10:30" as the times or the minute of which 10:30 is one."""
    hour, minute, _ = phrase.at[0]
    if every.unit != "hour" or 24 % every.number or len(phrase.at) > 1 or hour is None:
        return
    if hour % every.number == 0 and every.number < 24:
        yield phrase.swapped(at=f"at :{minute or 0:02}")
    elif every.number >= 4:
        clocks = [f"{h:02}:{minute or 0:02}" for h in range(hour % every.number, 24, every.number)]
        said = f"{', '.join(clocks[:-1])} and {clocks[-1]}" if clocks[1:] else clocks[0]
        yield phrase.swapped(every="every day", at=f"at {said}")


def _two_readings(phrase: Phrase, count: int) -> Iterable[str]:
    """Yield what "every 30 minutes at :15" may mean: at :15 and :45, or at second 15."""
    first = phrase.at[0].minute or 0
    if 60 % count == 0 and not phrase.between and len(phrase.at) == 1:
        places = [f":{minute:02}" for minute in range(first % count, 60, count)]
        past = f"{', '.join(places[:-1])} and {places[-1]}" if len(places) > 1 else places[0]
        yield phrase.swapped(every="every hour", at=f"at {past}")
    yield phrase.swapped(at="" if phrase.between else f"between 00:{first:02} and 23:59")
    yield phrase.swapped(at="")


def _grid_between(phrase: Phrase, step: int, offsets: list[int]) -> set[int]:
    assert phrase.between is not None  # noqa: S101 - the caller looked
    first, last = (clock.seconds for clock in phrase.between)
    if any(clock.hour is None for clock in phrase.between):
        raise phrase.error(
            '"between" needs full times: between 09:00 and 17:30',
            phrase.swapped(between="between 09:00 and 17:30"),
        )
    if first == last:
        raise phrase.error("both times are the same", phrase.swapped(between=""))
    if first > last:
        raise _overnight(phrase, step)
    if not phrase.at:
        return _more_than_one(phrase, set(range(first, last + 1, step)))
    grid = {t + o for t in range(first - first % step, last + 1, step) for o in offsets}
    inside = {t for t in grid if first <= t <= last}
    if not inside:
        raise phrase.error(
            f"no time lies {phrase.said('between')}",
            phrase.swapped(at=""),
            phrase.swapped(between=""),
        )
    return _more_than_one(phrase, inside)


def _overnight(phrase: Phrase, step: int) -> PhraseError:
    """Return the refusal of a window across midnight, with the two schedules that say it."""
    assert phrase.between is not None  # noqa: S101 - the caller looked
    first, last = (clock.seconds for clock in phrase.between)
    evening, morning = (first, DAY_SECONDS - 60), ((first - DAY_SECONDS) % step, last)
    members = [_part(phrase, step, *evening)] if evening[0] <= evening[1] else []
    if morning[0] <= morning[1]:
        members.append(_of_next_day(phrase, _part(phrase, step, *morning)))
    if "" in members:
        raise phrase.error("the first time must be the earlier one", *_in_the_afternoon(phrase))
    return phrase.refusal(
        "the first time must be the earlier one",
        members,
        *_in_the_afternoon(phrase),
        listed=f"write two schedules across midnight{', the second for the day after' if _days_of(phrase) else ''}",
    )


def _days_of(phrase: Phrase) -> bool:
    return bool(phrase.weekdays or phrase.but or phrase.ordinals)


def _of_next_day(phrase: Phrase, said: str) -> str:
    """Return *said*, which is *phrase* with other times, on the days after those of *phrase*; empty where they have no name."""
    clause, opening = ("weekdays", "on") if phrase.weekdays else ("but", "except on")
    weekdays = phrase.weekdays or phrase.but
    if phrase.ordinals:
        return ""
    if not weekdays:
        return said
    names = [WEEKDAY_NAMES[day % 7] for day in sorted(weekdays)]
    named = f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else names[0]
    return said.replace(phrase.said(clause).strip(", "), f"{opening} {named}")


def _in_the_afternoon(phrase: Phrase) -> list[str]:
    """Return the phrase that "8:30 to 4:30" means to whoever says no pm."""
    assert phrase.between is not None  # noqa: S101 - the caller looked
    first, last = (clock.seconds for clock in phrase.between)
    if re.search(r"[ap]\.?m|noon|midnight|(?<![:0-9])0[0-9]", phrase.said("between")[-8:]):
        return []
    return [_part(phrase, 0, first, last + DAY_SECONDS // 2)] if first < DAY_SECONDS // 2 else []


def _part(phrase: Phrase, step: int, first: int, last: int) -> str:
    """Return the schedule of one side of midnight: an interval, or the only time of it."""
    low, high = (f"{time // 3600:02}:{time // 60 % 60:02}" for time in (first, last))
    if first + step > last and not phrase.at:
        return phrase.swapped(every="every day", between=f"at {low}")
    return phrase.swapped(between=f"between {low} and {high}")


def _more_than_one(phrase: Phrase, times: set[int]) -> set[int]:
    """Return *times*, where the interval in a window has more than its first one."""
    if len(times) == 1:
        (time,) = times
        at = f"at {dt.timedelta(seconds=time)}".replace("at ", "at 0" if time < 36000 else "at ")
        raise phrase.error(
            f"only one time lies {phrase.said('between')}, so the interval is without effect",
            phrase.swapped(every="every day", between=at.removesuffix(":00"), at=""),
        )
    return times
