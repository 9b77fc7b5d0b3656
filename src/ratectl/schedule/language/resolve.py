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
    refuse_more_than_once,
    refuse_two_rhythms,
    says_the_default,
    settled,
    without,
)
from ratectl.schedule.language.dates import Ordinal
from ratectl.schedule.language.existing import idle
from ratectl.schedule.language.resolve_days import (
    SECONDS_IN,
    at_times,
    base_of,
    day_bases,
    every_of,
)
from ratectl.schedule.language.resolve_within_day import clauses_of, in_fields, within_day
from ratectl.schedule.values import (
    EXAMPLE_YEAR,
    MONDAY_1970,
    Calendar,
    Gaps,
    Once,
    Schedule,
    Stride,
    Union,
    Unit,
    on_days_that_exist,
    union,
)

if TYPE_CHECKING:
    from ratectl.schedule.language.phrase import Phrase

GAP_SECONDS = SECONDS_IN | {"day": 86400, "week": 604800}
LENGTHS_OF_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
MONTHS_IN = {"month": 1, "quarter": 3, "year": 12}


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
                same = _value(phrase._replace(**{clause: default}), None, name) == value
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
    refuse_two_rhythms(phrase)
    refuse_more_than_once(phrase)
    refuse_lost_days(phrase)
    refuse_lost_anchor(phrase)
    every = every_of(phrase)
    if every.at_most:
        return _gaps(phrase, start, name)
    if every.unit in SECONDS_IN:
        return within_day(phrase, start)
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


def _gaps(phrase: Phrase, start: dt.datetime | None, name: str) -> Gaps:
    every = every_of(phrase)
    if every.unit not in GAP_SECONDS:
        days = {"month": 30, "quarter": 91, "year": 365}[every.unit]
        says = f"every {every.number * days} to {every.at_most * days} days"
        raise phrase.error(
            "random gaps are in seconds, minutes, hours, days or weeks", phrase.swapped(every=says)
        )
    if clauses := clauses_of(phrase):
        raise phrase.error(
            'random gaps take no "at", "on", "in" or "between"',
            phrase.swapped(**dict.fromkeys(clauses, "")),
        )
    unit = GAP_SECONDS[every.unit]
    gaps = Gaps(shortest=every.number * unit, longest=every.at_most * unit, seed=name)
    return gaps if start is None else replace(gaps, anchor=start)


def _by_days(phrase: Phrase, start: dt.datetime | None) -> Schedule:
    every = every_of(phrase)
    if phrase.ordinals:
        raise phrase.error(
            'days of the month go with "every month on the ..."',
            phrase.swapped(every="every month"),
        )
    if every.unit == "day" and every.number % 7 == 0 and (phrase.weekdays or phrase.but):
        weeks = "week" if every.number == 7 else f"{every.number // 7} weeks"
        raise phrase.error(
            f"every {every.number} days are always the same weekday",
            phrase.swapped(every=f"every {weeks}") if phrase.weekdays else phrase.swapped(but=""),
        )
    anchor = start.date() if start else MONDAY_1970
    base = base_of(phrase)
    if every.unit == "week" and not phrase.weekdays:
        first_day = anchor.isoweekday() if every.number > 1 else 1
        base = replace(base, weekdays=frozenset({first_day}))
    if every.number > 1:
        unit = Unit.WEEK if every.unit == "week" else Unit.DAY
        base = replace(base, stride=Stride(unit=unit, every=every.number, anchor=anchor))
    return union(_on_clock(base, phrase))


def _by_months(phrase: Phrase, start: dt.datetime | None) -> Schedule:
    if phrase.weekdays:
        names = bare(phrase.said("weekdays"))
        raise phrase.error(
            'say which one: "on the first monday", "on the last friday"',
            phrase.swapped(weekdays=f"on the first {names}"),
            phrase.swapped(every="every week"),
        )
    if phrase.but and not phrase.ordinals:
        phrase = phrase._replace(ordinals=(Ordinal(1),))
    ordinals = phrase.ordinals or [Ordinal(number=1)]
    groups: dict[Calendar, list[Ordinal]] = defaultdict(list)
    for ordinal in ordinals:
        groups[_month_base(phrase, start, late=ordinal.number < 0)].append(ordinal)
    bases = [
        calendar for base, group in groups.items() for calendar in day_bases(phrase, base, group)
    ]
    return union(calendar for base in bases for calendar in _on_clock(base, phrase))


def _on_clock(base: Calendar, phrase: Phrase) -> list[Calendar]:
    return [in_fields(base, phrase)] if phrase.fields else at_times(base, _times(phrase))


def _month_base(phrase: Phrase, start: dt.datetime | None, *, late: bool) -> Calendar:
    """Return the months that count: the first of a quarter or year, its last one for "the last ..."."""
    base = _all_months(phrase, start, late=late)
    months = base.months - phrase.but_months
    if not months or phrase.but_months - base.months:
        what = "something else is left out already" if months else "nothing is left"
        left = months_said("except in", phrase.but_months & base.months) if months else ""
        raise phrase.error(what, phrase.swapped(but_months=left))
    return replace(base, months=months)


def _all_months(phrase: Phrase, start: dt.datetime | None, *, late: bool) -> Calendar:
    every = every_of(phrase)
    if phrase.months:
        if every.number > 1:
            raise phrase.error(
                "the months are named, and counted, too; leave out the number",
                *_counted_years(phrase),
                *_from_that_month(phrase),
                phrase.swapped(every="every year"),
            )
        _refuse_lost_quarters(phrase)
        return Calendar(months=phrase.months)
    length = MONTHS_IN[every.unit]
    place = length if late else 1
    step = every.number * length
    if 12 % step == 0 and (start is None or every.number == 1):
        return Calendar(months=frozenset(range(place, 13, step)))
    first = start.date() if start else dt.date(1970, 1, 1)
    month = (first.month - 1) // length * length + place
    anchor = dt.date(first.year, month, 1)
    return Calendar(stride=Stride(unit=Unit.MONTH, every=step, anchor=anchor))


def _counted_years(phrase: Phrase) -> list[str]:
    """Return what says every so many years in the one month of *phrase*: months counted from it."""
    every = every_of(phrase)
    if every.unit != "year" or len(phrase.months) > 1 or phrase.anchor:
        return []
    (month,) = phrase.months
    words = {"anchor": f"counted from {EXAMPLE_YEAR}-{month:02}-01", "months": ""}
    if phrase.ordinals:
        words["ordinals"] = f"on the {days_said(phrase)}"
    return [phrase.swapped(every=f"every {12 * every.number} months", **words)]


def _from_that_month(phrase: Phrase) -> list[str]:
    """Return "every 6 months on 1 april" with all its months: those counted from the one that it names."""
    every = every_of(phrase)
    step = every.number * MONTHS_IN[every.unit]
    if len(phrase.months) > 1 or step >= 12 or 12 % step:
        return []
    (first,) = phrase.months
    months = sorted((first + n * step - 1) % 12 + 1 for n in range(12 // step))
    words = {"every": "every month", "months": months_said("in", months)}
    if phrase.ordinals:
        words["ordinals"] = f"on the {days_said(phrase)}"
    numbers = {ordinal.number for ordinal in phrase.ordinals if not ordinal.weekdays}
    if numbers == {LENGTHS_OF_MONTHS[first - 1]}:
        words["ordinals"] = "on the last day"
    elif max(numbers, default=0) > min(LENGTHS_OF_MONTHS):
        return []
    return [phrase.swapped(**words)]


def _refuse_lost_quarters(phrase: Phrase) -> None:
    """Refuse months beside "every quarter" that are not one in each quarter."""
    quarters = sorted((month - 1) // 3 for month in phrase.months)
    if every_of(phrase).unit == "quarter" and quarters != [0, 1, 2, 3]:
        raise phrase.error(
            "the months are named, and counted, too; leave out the quarter",
            *_from_that_month(phrase),
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
