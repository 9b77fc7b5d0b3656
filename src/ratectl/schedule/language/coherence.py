"""Whether the clauses of a phrase go together: its subject where none is said, and what would be lost.

The law: no clause is dropped. Without any one of them a phrase means something else, or is
refused; only what holds anyway may be spelled out ("at 00:00", "on the 1st").
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from ratectl.schedule.language.dates import Ordinal
from ratectl.schedule.language.lexicon import (
    MONTH_NAMES,
    UNITS,
    WEEKDAY_NAMES,
    WEEKEND,
    WORKING_DAYS,
)
from ratectl.schedule.language.numerals import nth
from ratectl.schedule.language.phrase import Phrase
from ratectl.schedule.language.subject import SECONDS_IN, Every
from ratectl.schedule.values import MONDAY_1970, MONTHS, WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ratectl.schedule.language.tokens import PhraseError

BETWEEN_RHYTHMS = r"(?i)(?:,|\band\b|\bor\b|&|\s)+(?=(?:every|each)\b)"
ONCE_A = re.compile(r"once (a|an|per)\b", re.IGNORECASE)
CLAUSES = {
    name: default
    for name, default in Phrase._field_defaults.items()
    if name not in {"every", "once", "scope", "elapsed"}
}
"""What each clause is where it is not said."""


def without(phrase: Phrase, clause: str) -> Iterable[str]:
    """Yield phrases that say the same as *phrase* without the idle *clause*, or give it an effect."""
    if clause == "anchor" and phrase.every and phrase.every.unit in SECONDS_IN:
        yield phrase.swapped(anchor=f"of elapsed time, {phrase.said('anchor').strip(', ')}")
    if clause != "every" and phrase.spans.get(clause) == phrase.spans.get("every"):
        yield phrase.swapped(**{clause: "", "every": "every day"})
    yield phrase.swapped(**{clause: ""})


def says_the_default(phrase: Phrase, clause: str) -> bool:
    """Tell whether *clause* only spells out what holds without it, "at 00:00" or "on the 1st", or always says something."""
    every = phrase.every or Every()
    match clause:
        case "at":
            within_day = every.unit in SECONDS_IN  # days begin at 00:00, which may be said
            return not within_day or {clock.seconds for clock in phrase.at} == {0}
        case "ordinals":
            return phrase.ordinals == (Ordinal(1),)
        case "weekdays":
            return every.unit == "week" and len(phrase.weekdays) == 1
        case "months":
            return every.unit == "year" and phrase.months == {1}
        case "anchor":
            return phrase.anchor is not None and phrase.anchor.date() == MONDAY_1970
    return False


def settled(phrase: Phrase) -> Phrase:
    """Return *phrase* with its subject, where only days or times are said."""
    if phrase.scope:
        return _scoped(phrase)
    if phrase.every is not None:
        return phrase
    if phrase.ordinals:
        return phrase._replace(every=Every(unit="month"))
    full = all(clock.hour is not None for clock in phrase.at)
    if phrase.at and not full and not phrase.weekdays:
        raise phrase.error("which hours, or every hour?", f"every hour {phrase.text}")
    if not (phrase.weekdays or phrase.at) or phrase.elapsed or phrase.anchor or phrase.between:
        raise phrase.error(
            'how often? Begin with "every"',
            *(f"every {unit} {phrase.text}" for unit in ("15 minutes", "hour", "day", "7 minutes")),
        )
    return phrase._replace(every=Every(unit="day"))


def _scoped(phrase: Phrase) -> Phrase:
    """Return *phrase* without its scope: "of the month" says what days are of, or nothing more."""
    if _is_part(phrase.every, phrase.scope) and not phrase.ordinals:
        if phrase.months:
            raise _idle_scope(phrase)
        return phrase._replace(scope="")
    if phrase.every and phrase.ordinals and phrase.every.unit in SECONDS_IN:
        return _in_scope(phrase)
    if not phrase.ordinals:
        every = phrase.every or Every()
        named = f"every {phrase.scope} on day {every.number}"
        if (every.unit, phrase.scope) == ("quarter", "hour"):
            minutes = phrase.swapped(every=f"every {15 * every.number} minutes", scope="")
            raise phrase.error("a part of an hour is said in minutes", minutes)
        counts_days = every.number > 1 and every.unit == "day" and phrase.scope in UNITS[5:]
        raise phrase.error(
            f'"of the {phrase.scope}" goes with days of the month',
            phrase.swapped(scope=""),
            *([phrase.swapped(every=named, scope="")] if counts_days else []),
        )
    apart = phrase.spans["scope"] != phrase.spans.get("ordinals")
    if apart and _is_part(phrase.every, phrase.scope):
        return phrase._replace(scope="")  # "every month of the year on the last day"
    if phrase.every is not None and phrase.every.unit != phrase.scope:
        said = phrase.said("every")
        raise phrase.error(
            f'"{said}" or "of the {phrase.scope}"?',
            phrase.swapped(every=f"every {phrase.scope}"),
        )
    if phrase.every is not None and apart:
        raise _idle_scope(phrase)
    return phrase._replace(every=phrase.every or Every(unit=phrase.scope))


def _idle_scope(phrase: Phrase) -> PhraseError:
    return phrase.error(f'"of the {phrase.scope}" says nothing more here', phrase.swapped(scope=""))


def _in_scope(phrase: Phrase) -> Phrase:
    """Return *phrase*, whose interval is that of some days of its scope: "every hour on the 1st of the month"."""
    if phrase.scope == "month":
        return phrase._replace(scope="")
    late = all(ordinal.number < 0 for ordinal in phrase.ordinals)
    months = range(3, 13, 3) if late else range(1, 13, 3)
    if phrase.scope == "year":
        months = range(12, 13) if late else range(1, 2)
    days = re.sub(
        rf"\s+(of|in)\s+(the |each |every |a )?{phrase.scope}.*", "", phrase.said("ordinals")
    )
    raise phrase.error(
        f"which months of the {phrase.scope}?",
        phrase.swapped(ordinals=days, scope="", months=months_said("in", months)),
    )


def _is_part(every: Every | None, scope: str) -> bool:
    """Tell whether all of *every* in *scope* are all there are: "every hour of the day"."""
    if every is None or every.number > 1 or every.at_most:
        return False
    if every.unit == "second" and scope in UNITS[3:] and scope != "day":
        return False  # "every second of the month" may be its 2nd
    return UNITS.index(every.unit) < UNITS.index(scope)


def refuse_lost_days(phrase: Phrase) -> None:
    """Refuse days that narrow each other, and exceptions that leave nothing."""
    numbered = all(not ordinal.weekdays for ordinal in phrase.ordinals)
    _refuse_bare_numbers(phrase)
    if phrase.ordinals and phrase.weekdays:
        raise _both_or_either(phrase, numbered=numbered)
    if phrase.only and (not phrase.ordinals or not numbered):
        names = bare(phrase.said("only"))
        raise phrase.error(
            '"if it is a ..." goes with days of the month; say "on monday" instead',
            phrase.swapped(only="" if phrase.ordinals else f"on {names}"),
            phrase.swapped(only=f"on {names}".replace(" or ", " and ")),
        )
    if phrase.only and phrase.but:
        raise phrase.error(
            "the days are named twice", phrase.swapped(but=""), phrase.swapped(only="")
        )
    if phrase.but and phrase.ordinals and not numbered:
        raise phrase.error("exceptions go with weekdays or numbered days", phrase.swapped(but=""))
    _refuse_exceptions(phrase, "but", phrase.weekdays or WEEKDAYS, WEEKDAY_NAMES)
    _refuse_exceptions(phrase, "but_months", phrase.months or MONTHS, MONTH_NAMES)


def _refuse_bare_numbers(phrase: Phrase) -> None:
    """Refuse "every hour on 30": a minute of each hour, or a day of the month?"""
    every, said = phrase.every or Every(), bare(phrase.said("ordinals")).removeprefix("the ")
    if every.unit not in SECONDS_IN or not re.fullmatch(r"[0-9]+(( and|, and|,) [0-9]+)*", said):
        return
    past = re.sub(r"[0-9]+", lambda number: f":{int(number[0]):02}", f"at {said}")
    raise phrase.error(
        "minutes of each hour, or days of the month?",
        *([phrase.swapped(ordinals=past)] if every.unit == "hour" else []),
        phrase.swapped(ordinals=f"on the {days_said(phrase)}"),
    )


def _both_or_either(phrase: Phrase, *, numbered: bool) -> PhraseError:
    """Return the refusal of days of the month beside weekdays, with the phrase for both and the list for either."""
    unit = (phrase.every or Every()).unit
    monthly = (
        {"every": "every month"} if phrase.spans.get("every") and unit in {"day", "week"} else {}
    )
    counted = "every" in phrase.spans and unit in {"month", "quarter", "year"}
    daily = {"every": "every day"} if counted else {}
    dated = phrase.swapped(weekdays="", **monthly)
    return phrase.refusal(
        "days of the month and weekdays: both, or either?",
        [phrase.swapped(ordinals="", **daily), dated],
        *([f"{dated} if it is a {_weekday_of(phrase.weekdays)}"] if numbered else []),
        listed="list them for either",
    )


def _weekday_of(weekdays: frozenset[int]) -> str:
    """Return what a day of *weekdays* is: "weekday", "monday or friday"."""
    if weekdays in {WORKING_DAYS, WEEKEND}:
        return "weekday" if weekdays == WORKING_DAYS else "weekend day"
    *rest, last = (WEEKDAY_NAMES[day - 1] for day in sorted(weekdays))
    return f"{', '.join(rest)} or {last}" if rest else last


def _refuse_exceptions(
    phrase: Phrase, clause: str, there: frozenset[int], names: tuple[str, ...]
) -> None:
    """Refuse exceptions from what is *there* that leave nothing, or that were not there."""
    said: frozenset[int] = getattr(phrase, clause)
    if not there - said:
        raise phrase.error("nothing is left", phrase.swapped(**{clause: ""}))
    if idle := sorted(said - there):
        left = " and ".join(names[place - 1] for place in sorted(said & there))
        raise phrase.error(
            f"{names[idle[0] - 1]} is left out already",
            *([phrase.swapped(**{clause: f"except {left}"})] if left else []),
            phrase.swapped(**{clause: ""}),
        )


def refuse_two_rhythms(phrase: Phrase) -> None:
    """Refuse "every other monday and every friday", whose fridays would be counted, too."""
    if (phrase.every or Every()).number == 1:
        return
    first, *others = re.split(BETWEEN_RHYTHMS, phrase.said("weekdays"))
    if not others:
        return
    shared = phrase.spans["weekdays"] == phrase.spans.get("every")
    kept = {"every": first, "weekdays": ""} if shared else {"weekdays": first}
    members = [phrase.swapped(**kept)]
    members += [phrase.swapped(every=other, weekdays="") for other in others]
    raise phrase.refusal(
        "only some of these days are counted", members, listed="make a list of them"
    )


def refuse_more_than_once(phrase: Phrase) -> None:
    """Refuse "once a day at 09:00 and 17:00"."""
    said, unit = phrase.said("every"), (phrase.every or Every()).unit
    if ONCE_A.match(said) is None:
        return
    named = {
        "at": len(phrase.at),
        "weekdays": len(phrase.weekdays) if unit == "week" else 0,
        "ordinals": len(phrase.ordinals) if UNITS.index(unit) > UNITS.index("week") else 0,
        "months": len(phrase.months) if unit == "year" else 0,
    }
    if max(named.values()) > 1:
        raise phrase.error(
            f'"{said}", or {max(named.values())} times?', phrase.swapped(every=f"every {unit}")
        )


def refuse_lost_anchor(phrase: Phrase) -> None:
    """Refuse a time, or a day of the month, that "counted from" has and the unit does not count."""
    anchor, every = phrase.anchor, phrase.every or Every()
    if anchor is None or every.at_most or every.unit in SECONDS_IN:
        return
    if anchor.time() != dt.time():
        counted = f"counted from {anchor.date()}"
        raise phrase.error(
            f"{every.unit}s are counted from a day; say the time with at",
            phrase.swapped(at=f"at {anchor:%H:%M}", anchor=counted),
            phrase.swapped(anchor=counted),
        )
    if every.unit not in {"day", "week"} and anchor.day != 1:
        counted = f"counted from {anchor:%Y-%m}-01"
        day = phrase.swapped(ordinals=f"on day {anchor.day}", anchor=counted)
        raise phrase.error(
            f"{every.unit}s are counted from a first; say the day with on",
            *([] if phrase.ordinals else [day]),
            phrase.swapped(anchor=counted),
        )


def days_said(phrase: Phrase) -> str:
    """Return the days of the month of *phrase* in words: "1st, last day and second friday"."""
    days = [ordinal for ordinal in phrase.ordinals if ordinal.number > 0 and not ordinal.weekdays]
    first, last = (days[0].number, days[-1].number) if days else (0, 0)
    run = len(days) > 2 and last - first == len(days) - 1
    names = [f"{nth(first)} to {nth(last)}"] if run else []
    for number, weekdays in phrase.ordinals:
        if run and number > 0 and not weekdays:
            continue
        kind = {WORKING_DAYS: "weekday", WEEKEND: "weekend day"}.get(weekdays, "")
        kind = kind or "".join(WEEKDAY_NAMES[day - 1] for day in weekdays)
        place = "last" if number < 0 else nth(number)
        place = f"{nth(-number)} to last" if number < -1 else place
        names.append(place if number > 0 and not weekdays else f"{place} {kind or 'day'}")
    return _and(names)


def months_said(opening: str, months: Iterable[int]) -> str:
    """Return "in april and may", or an empty text for no month."""
    names = [MONTH_NAMES[month - 1] for month in sorted(months)]
    return f"{opening} {_and(names)}" if names else ""


def _and(names: list[str]) -> str:
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last


def bare(words: str) -> str:
    """Return the names in *words* without what opens their clause."""
    names = words.strip(", ").lower()
    for opening in ("if it is an ", "if it is a ", "every ", "each ", "on "):
        names = names.removeprefix(opening)
    return names
