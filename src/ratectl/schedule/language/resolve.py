"""What a phrase means: a read :class:`Phrase` -> schedule value.

Intervals that divide a day are calendars aligned to midnight; all others count
from the anchor (``from``, else Monday 1970-01-05). A clause that does not fit the unit,
or that changes nothing, is refused with the phrase that says what was probably meant.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from ratectl.errors import ScheduleError
from ratectl.schedule.language.coherence import (
    CLAUSES,
    bare,
    days_said,
    months_said,
    refuse_lost_anchor,
    refuse_lost_days,
    says_the_default,
    settled,
    without,
)
from ratectl.schedule.language.dates import Ordinal
from ratectl.schedule.language.existing import idle
from ratectl.schedule.language.lexicon import WEEKDAY_NAMES
from ratectl.schedule.values import (
    HOURS,
    MINUTES,
    MONDAY_1970,
    MONTHS,
    WEEKDAYS,
    Calendar,
    Gaps,
    Interval,
    Once,
    Schedule,
    Stride,
    Union,
    Unit,
    on_days_that_exist,
    products,
    union,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ratectl.schedule.language.phrase import Phrase
    from ratectl.schedule.language.subject import Every
    from ratectl.schedule.language.tokens import PhraseError

SECONDS_IN = {"second": 1, "minute": 60, "hour": 3600}
GAP_SECONDS = SECONDS_IN | {"day": 86400, "week": 604800}
MONTHS_IN = {"month": 1, "quarter": 3, "year": 12}
DAY_SECONDS = 86400


def resolve(phrase: Phrase, start: dt.datetime | None, name: str) -> Schedule:
    """Return the value of *phrase*, with intervals counted from civil *start* if given.

    What the phrase itself is counted from goes before *start*. *name* is the
    job's, from which random gaps are drawn. Raises PhraseError where clauses
    contradict the unit or each other, or one changes nothing.
    """
    value = _value(phrase, start, name)
    _refuse_idle(phrase, value if start is None else _value(phrase, None, name), name)
    _refuse_idle_days(phrase)
    members = value.members if isinstance(value, Union) else (value,)
    return union(map(_existing, members))


def _existing(member: Schedule) -> Schedule:
    """Return *member* in the months that have its days; one without any is refused by who asks whether it fires."""
    if not isinstance(member, Calendar) or member.stride:
        return member
    return on_days_that_exist(member) or member


def _refuse_idle_days(phrase: Phrase) -> None:
    """Refuse a day or month that adds none: April has no 31st, and its second monday is never the 1st."""
    less = idle(phrase, lambda other: _value(other, None, ""))
    if less is None:
        return
    said = {
        "ordinals": f"on the {days_said(less)}",
        "months": months_said("in", less.months),
        "but_months": months_said("except in", less.but_months),
    }
    clauses = {clause: words for clause, words in said.items() if clause in phrase.spans}
    raise phrase.error(
        "a day or month that is named adds or leaves out nothing, since it does not exist or is named twice",
        phrase.swapped(**clauses),
    )


def _refuse_idle(phrase: Phrase, value: Schedule, name: str) -> None:
    """Refuse a clause without which *phrase*, whose *value* this is, means the same."""
    for clause, default in CLAUSES.items():
        if getattr(phrase, clause) != default and not says_the_default(phrase, clause):
            try:
                same = _value(replace(phrase, **{clause: default}), None, name) == value
            except ScheduleError:
                continue
            if same:
                said = phrase.said(clause).strip(", ")
                raise phrase.error(f'"{said}" changes nothing here', *without(phrase, clause))


def _value(phrase: Phrase, start: dt.datetime | None, name: str) -> Schedule:
    if phrase.once is not None:
        return Once(at=phrase.once)
    start = phrase.anchor or start
    phrase = settled(phrase)
    refuse_lost_days(phrase)
    refuse_lost_anchor(phrase)
    every = _every(phrase)
    if every.at_most:
        return _gaps(phrase, start, name)
    if every.unit in SECONDS_IN:
        return _within_day(phrase, start)
    if phrase.elapsed:
        raise phrase.error(
            "elapsed time is counted in seconds, minutes or hours", phrase.swapped(elapsed="")
        )
    if phrase.between:
        window = f"between {phrase.between[0]} and {phrase.between[1]}"
        raise phrase.error(
            f'"between" needs an interval: "every 15 minutes {window}"',
            phrase.swapped(every="every 15 minutes", at=""),
            phrase.swapped(every="every hour", at=""),
        )
    if every.unit in MONTHS_IN:
        return _by_months(phrase, start)
    return _by_days(phrase, start)


def _every(phrase: Phrase) -> Every:
    assert phrase.every is not None  # noqa: S101 - it is settled
    return phrase.every


def _gaps(phrase: Phrase, start: dt.datetime | None, name: str) -> Gaps:
    every = _every(phrase)
    if every.unit not in GAP_SECONDS:
        days = {"month": 30, "quarter": 91, "year": 365}[every.unit]
        says = f"every {every.count * days} to {every.at_most * days} days"
        raise phrase.error(
            "random gaps are in seconds, minutes, hours, days or weeks", phrase.swapped(every=says)
        )
    if clauses := _clauses(phrase):
        raise phrase.error(
            'random gaps take no "at", "on", "in" or "between"',
            phrase.swapped(**dict.fromkeys(clauses, "")),
        )
    unit = GAP_SECONDS[every.unit]
    gaps = Gaps(shortest=every.count * unit, longest=every.at_most * unit, seed=name)
    return gaps if start is None else replace(gaps, anchor=start)


def _clauses(phrase: Phrase) -> list[str]:
    """Return the clauses that limit the phrase to parts of the calendar."""
    limits = ("at", "fields", "ordinals", "weekdays", "months", "but", "but_months", "between")
    return [clause for clause in limits if getattr(phrase, clause)]


def _within_day(phrase: Phrase, start: dt.datetime | None) -> Schedule:
    every = _every(phrase)
    step = every.count * SECONDS_IN[every.unit]
    _refuse_elapsed_parts(phrase)
    grid = step < DAY_SECONDS and DAY_SECONDS % step == 0 and not phrase.elapsed
    if not (grid or phrase.between or phrase.fields):
        return _elapsed(phrase, step, start)
    if phrase.fields and (every.count > 1 or every.unit == "second"):
        raise phrase.error(
            'lists of minutes and hours say it all themselves; say "every hour at minutes ..."',
            phrase.swapped(every="every hour"),
            phrase.swapped(every="every minute"),
        )
    bases = [
        replace(base, elapsed_time=True)
        for base in _day_bases(phrase, _base(phrase), phrase.ordinals)
    ]
    if phrase.fields:
        return union([_in_fields(base, phrase) for base in bases])
    offsets = _offsets(phrase)
    if phrase.between:
        times = _grid_between(phrase, step, offsets)
    else:
        times = {t + o for t in range(0, DAY_SECONDS, step) for o in offsets}
    return union([calendar for base in bases for calendar in at_times(base, times)])


def _refuse_elapsed_parts(phrase: Phrase) -> None:
    clauses = _clauses(phrase)
    if phrase.elapsed and clauses:
        raise phrase.error(
            "elapsed time takes no part of the day or of the calendar",
            phrase.swapped(elapsed=""),
            phrase.swapped(**dict.fromkeys(clauses, "")),
        )


def _elapsed(phrase: Phrase, step: int, start: dt.datetime | None) -> Interval:
    if clauses := _clauses(phrase):
        every = _every(phrase)
        grid = f"every {every.count} {every.unit}s between 00:00 and 23:59"
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


def _in_fields(base: Calendar, phrase: Phrase) -> Calendar:
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
    every = _every(phrase)
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
    if every.unit == "minute" and every.count > 1:
        raise phrase.error("minutes or seconds past?", *_two_readings(phrase, every.count))
    scale = 60 if every.unit == "hour" else 1
    return [clock.seconds // 60 * scale for clock in phrase.at]


def _hours_apart(phrase: Phrase, every: Every) -> Iterable[str]:
    """Yield "every 2 hours at 10:30" as the times or the minute of which 10:30 is one."""
    hour, minute, _ = phrase.at[0]
    if every.unit != "hour" or 24 % every.count or len(phrase.at) > 1 or hour is None:
        return
    if hour % every.count == 0 and every.count < 24:
        yield phrase.swapped(at=f"at :{minute or 0:02}")
    elif every.count >= 4:
        clocks = [f"{h:02}:{minute or 0:02}" for h in range(hour % every.count, 24, every.count)]
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
    parts = ((first, DAY_SECONDS - 60), ((first - DAY_SECONDS) % step, last))
    members = [_part(phrase, step, *part) for part in parts if part[0] <= part[1]]
    return phrase.refusal(
        "the first time must be the earlier one; write two schedules across midnight", members
    )


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


def _by_days(phrase: Phrase, start: dt.datetime | None) -> Schedule:
    every = _every(phrase)
    if phrase.ordinals:
        raise phrase.error(
            'days of the month go with "every month on the ..."',
            phrase.swapped(every="every month"),
        )
    anchor = start.date() if start else MONDAY_1970
    base = _base(phrase)
    if every.unit == "week" and not phrase.weekdays:
        first_day = anchor.isoweekday() if every.count > 1 else 1
        base = replace(base, weekdays=frozenset({first_day}))
    if every.count > 1:
        unit = Unit.WEEK if every.unit == "week" else Unit.DAY
        base = replace(base, stride=Stride(unit=unit, every=every.count, anchor=anchor))
    return union(_on_clock(base, phrase))


def _by_months(phrase: Phrase, start: dt.datetime | None) -> Schedule:
    if phrase.weekdays:
        names = bare(phrase.said("weekdays"))
        raise phrase.error(
            'say which one: "on the first monday", "on the last friday"',
            phrase.swapped(weekdays=f"on the first {names}"),
            phrase.swapped(weekdays=""),
        )
    if phrase.but and not phrase.ordinals:
        phrase = replace(phrase, ordinals=(Ordinal(1),))
    ordinals = phrase.ordinals or [Ordinal(number=1)]
    groups: dict[Calendar, list[Ordinal]] = defaultdict(list)
    for ordinal in ordinals:
        groups[_month_base(phrase, start, late=ordinal.number < 0)].append(ordinal)
    bases = [
        calendar for base, group in groups.items() for calendar in _day_bases(phrase, base, group)
    ]
    return union(calendar for base in bases for calendar in _on_clock(base, phrase))


def _day_bases(phrase: Phrase, base: Calendar, ordinals: Sequence[Ordinal]) -> list[Calendar]:
    """Return *base* on the days that *ordinals* name: numbers together, and each kind of weekday."""
    if not ordinals:
        return [base]
    days = frozenset(ordinal.number for ordinal in ordinals if not ordinal.weekdays)
    found = (
        [replace(base, days=days, weekdays=phrase.only or WEEKDAYS - phrase.but)] if days else []
    )
    for kind in dict.fromkeys(ordinal.weekdays for ordinal in ordinals if ordinal.weekdays):
        nth = frozenset(ordinal.number for ordinal in ordinals if ordinal.weekdays == kind)
        if max(map(abs, nth)) > (5 if len(kind) == 1 else 5 * len(kind) - 2):
            names = " and ".join(WEEKDAY_NAMES[day - 1] for day in sorted(kind)[:1])
            raise phrase.error(
                "no month has that many of these weekdays; say first to fifth, or last, a day such as "
                f"last {names}",
                phrase.swapped(ordinals=f"on the last {names}"),
            )
        found.append(replace(base, weekdays=kind, nth_weekday=nth))
    return found


def _on_clock(base: Calendar, phrase: Phrase) -> list[Calendar]:
    return [_in_fields(base, phrase)] if phrase.fields else at_times(base, _times(phrase))


def _month_base(phrase: Phrase, start: dt.datetime | None, *, late: bool) -> Calendar:
    """Return the months that count: the first of a quarter or year, its last one for "the last ..."."""
    base = _all_months(phrase, start, late=late)
    months = base.months - phrase.but_months
    if not months or phrase.but_months - base.months:
        what = "something else is left out already" if months else "nothing is left"
        raise phrase.error(what, phrase.swapped(but_months=""))
    return replace(base, months=months)


def _all_months(phrase: Phrase, start: dt.datetime | None, *, late: bool) -> Calendar:
    every = _every(phrase)
    if phrase.months:
        if every.count > 1:
            raise phrase.error(
                '"in" names the months itself; leave out the number',
                phrase.swapped(every=f"every {every.unit}"),
            )
        _refuse_lost_quarters(phrase)
        return Calendar(months=phrase.months)
    length = MONTHS_IN[every.unit]
    place = length if late else 1
    step = every.count * length
    if 12 % step == 0 and (start is None or every.count == 1):
        return Calendar(months=frozenset(range(place, 13, step)))
    first = start.date() if start else dt.date(1970, 1, 1)
    month = (first.month - 1) // length * length + place
    anchor = dt.date(first.year, month, 1)
    return Calendar(stride=Stride(unit=Unit.MONTH, every=step, anchor=anchor))


def _refuse_lost_quarters(phrase: Phrase) -> None:
    """Refuse months beside "every quarter" that are not one in each quarter."""
    quarters = sorted((month - 1) // 3 for month in phrase.months)
    if _every(phrase).unit == "quarter" and quarters != [0, 1, 2, 3]:
        raise phrase.error(
            '"in" names the months itself; leave out the quarter',
            phrase.swapped(every="every year"),
        )


def _times(phrase: Phrase) -> set[int]:
    if any(clock.hour is None for clock in phrase.at):
        minute = phrase.at[0].minute or 0
        raise phrase.error(
            '"at :30" goes with hours or minutes; say a full time such as 10:30',
            phrase.swapped(every="every hour"),
            phrase.swapped(at=f"at 10:{minute:02}"),
        )
    return {clock.seconds for clock in phrase.at} or {0}


def _base(phrase: Phrase) -> Calendar:
    weekdays = (phrase.weekdays or WEEKDAYS) - phrase.but
    return Calendar(weekdays=weekdays, months=(phrase.months or MONTHS) - phrase.but_months)


def at_times(base: Calendar, times: Iterable[int]) -> list[Calendar]:
    """Return the fewest calendars like *base* whose times of day are *times* (seconds since midnight)."""
    return [
        replace(base, hours=hours, minutes=minutes, seconds=seconds)
        for hours, minutes, seconds in products(times)
    ]
