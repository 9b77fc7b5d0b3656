"""Words of a phrase that could be read, and have another reading that people mean as often: they are asked for.

Each function is called while a phrase is read, and raises, or returns, the error with both readings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ratectl.schedule.language.advice.left_out import all_but
from ratectl.schedule.language.dates import PLACES, is_date, read_dates, read_days
from ratectl.schedule.language.lexicon import MONTH_NAMES, WEEKDAY_NAMES
from ratectl.schedule.language.numerals import PARTS_OF_DAY, nth
from ratectl.schedule.language.tokens import PhraseError, Words, is_weekday, read_months
from ratectl.schedule.values import EXAMPLE_YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping

    Clauses = dict[str, Any]


def refuse_doubled(words: Words) -> None:
    """Refuse "every every friday": a word too many, or another one that was meant."""
    if (span := words.doubled()) is not None:
        start, end = span
        message = f'"{words.text}": "{words.text[start:end]}" stands there twice'
        offer = f"{words.text[:start].rstrip()}{words.text[end:]}"
        raise PhraseError(message, text=words.text, span=span, offers=[offer], known=True)


def refuse_time_of_other_days(text: str, spans: Mapping[str, tuple[int, int]]) -> None:
    """Refuse "every day at 9am, noon sundays", of which 9am may be that of every day."""
    every, (start, end), days = (spans.get(name, (0, 0)) for name in ("every", "at", "weekdays"))
    comma = text.rfind(",", start, end)
    daily = text[slice(*every)].lower() in {"every day", "each day", "daily"}
    said = text[slice(*days)]
    bare = is_weekday(Words(said))
    if comma > 0 and daily and bare and not text[end : days[0]].strip():
        members = (text[:comma], text[comma + 1 :].strip())
        raise PhraseError(
            f'"{text}": "{members[1]}" may be a schedule of its own (if not, say "on {said}")',
            text=text,
            members=members,
            known=True,
        )


SHARED_HALF = re.compile(
    r"(?<![:0-9])(?P<times>(?:[1-9]|1[0-2]):[0-5][0-9](?:\s*(?:,\s*and|,|and|&|or)\s*(?:[1-9]|1[0-2]):[0-5][0-9])*)"
    r"\s*(?:,\s*and|,|and|&|or|to|until|till|through|-|\u2013)\s*(?P<last>(?:0?[1-9]|1[0-2])(?::[0-5][0-9])?)"
    r"\s*(?:(?P<half>[ap])\.?\s?m\b|(?:in the|at) (?P<part>morning|afternoon|evening|night))",
    re.IGNORECASE,
)
WRITTEN = re.compile(r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-5][0-9])")


def refuse_shared_half(text: str) -> None:
    """Refuse "between 2:00 and 4:00 pm", whose pm may be that of both; "9:00 and 5:30 pm" are in order as they stand only."""
    match = SHARED_HALF.search(text)
    if match is None:
        return
    part = (match["part"] or "").lower()
    half = f"{match['half'].lower()}m" if match["half"] else PARTS_OF_DAY[part][0]
    said = [(int(hour), int(minute)) for hour, minute in WRITTEN.findall(match["times"])]
    hour, _, minute = match["last"].partition(":")
    of_half = [(hour % 12, minute) for hour, minute in (*said, (int(hour), int(minute or 0)))]
    alike = half == "am" and all(hour < 12 for hour, _ in said)
    if alike or sorted(set(of_half)) != of_half:
        return
    start, end = match.span("times")
    offers = [
        f"{text[:start]}{WRITTEN.sub(as_said, match['times'])}{text[end:]}"
        for as_said in (
            rf"\g<0>{half}",
            lambda each: f"{each[0]}{'pm' if each[1] == '12' else 'am'}",
        )
    ]
    message = f'"{text}": is "{half}" said of all these times?'
    raise PhraseError(message, text=text, span=match.span(), offers=offers, known=True)


def refuse_midnight_between(words: Words) -> None:
    """Refuse "midnight between friday and saturday", which is one midnight and not two."""
    first, last = words.peek(), words.peek(2)
    if words.peek(1) != "and" or last not in WEEKDAY_NAMES:
        return
    if (WEEKDAY_NAMES.index(first) + 1) % 7 != WEEKDAY_NAMES.index(last):
        return
    start = words.place - 1
    words.place += 3
    raise words.wrong(f"with that midnight {last} begins", start, [f"on {last}"])


def refuse_narrowed_exception(
    text: str, spans: Mapping[str, tuple[int, int]], found: Clauses
) -> None:
    """Refuse "every hour except on fridays between 12:00 and 14:00": a window of each day, or of the fridays that are left out?"""
    (begins, ends), left_out = spans["but"], text[slice(*spans["but"])].strip(" ,")
    for clause in ("between", "months"):
        start, end = spans.get(clause, (0, 0))
        if start < ends or text[ends:start].strip():
            continue
        said, before, after = text[start:end].strip(), text[:begins].rstrip(" ,"), text[end:]
        if clause == "months":
            members = [f"{before} except {said}{after}", f"{before} {said} {left_out}{after}"]
        else:
            days = re.sub(r"^(except|but not|excluding)(\s+(for|on|a|the))*\s+", "on ", left_out)
            windows = _around(*(clock.seconds // 60 for clock in found["between"]))
            parts = (f"{before} {window} {days}{after}" for window in windows)
            members = [f"{before} {left_out}{after}", *parts]
        raise PhraseError(
            f'"{text}": does "{said}" narrow all of it, or what is left out?',
            text=text,
            span=(begins, end),
            offers=[f"{before} {said} {left_out}{after}"],
            members=members,
            listed="for what is left out make a list",
            known=True,
        )


def _around(first: int, last: int) -> list[str]:
    """Return the windows of a day without the one from *first* to *last*, in minutes since midnight."""
    parts = [(0, first - 1), (last, 24 * 60 - 1)]
    return [
        f"between {low // 60:02}:{low % 60:02} and {high // 60:02}:{high % 60:02}"
        for low, high in parts
        if low < high
    ]


def exception_of_both(words: Words, start: int) -> PhraseError:
    """Return the error for "every day except friday the 13th"; the weekday stands at *start* and is read."""
    weekday = words.text[slice(*words.span(start))]
    days = {ordinal.number for ordinal in read_days(words)["ordinals"] if not ordinal.weekdays}
    said, (begins, ends) = words.text, words.span(start)
    before = re.sub(r",?\s*(but not|\w+)(\s+(for|on|a|the))*\s*$", "", said[:begins])
    daily = re.sub(r"\b(every day|daily|everyday)\b", "every month", before, flags=re.IGNORECASE)
    either = f"{before} except on {weekday}", f"{daily} on the {all_but(days)}"
    members = [f"{part}{said[ends:]}" for part in either] if days and daily != before else []
    return PhraseError(
        f'"{said}": the days that are left {"make a list" if members else "are named one by one"}',
        text=said,
        span=(begins, ends),
        members=members,
        known=True,
    )


def refuse_slashes(text: str) -> None:
    """Refuse "12/25", which is December 25 to some and no date to others."""
    match = re.search(r"(?<![0-9:/])([0-9]{1,2})/([0-9]{1,2})(?![0-9:/a-z])", text)
    if match is None or match[0] in {"1/2", "1/4", "3/4", "24/7"}:
        return
    numbers = int(match[1]), int(match[2])
    offers = [
        f"{text[: match.start()]}{day} {MONTH_NAMES[month - 1]}{text[match.end() :]}"
        for day, month in (numbers, numbers[::-1])
        if 1 <= month <= 12
    ]
    message = f'"{text}": a date is written with the name of its month'
    raise PhraseError(message, text=text, span=match.span(), offers=offers, known=True)


def refuse_nth(words: Words) -> None:
    """Refuse "every second january", "every second of january" and "every 4th day of july": a date, or a number of units."""
    if words.peek(1) in MONTH_NAMES and (
        words.peek() == "other" or PLACES.get(words.peek(), 0) > 1
    ):
        raise _nth_month(words)
    start, ahead = words.place, words.peek(1) == "day"
    second = words.typed() == "second" and words.peek(1) == "of"
    match = re.match(r"[0-9]+(?=st|nd|rd|th)", words.peek())
    number = int(match[0]) if match else PLACES.get(words.peek(), 0)
    if not (second or (ahead and words.peek(2) == "of")) or number < 2:
        return
    behind = 2 + ahead
    month = words.peek(behind) if words.peek(behind) in MONTH_NAMES else ""
    whole = (
        words.peek(behind) in {"the", "each", "every", "a"} and words.peek(behind + 1) == "month"
    )
    words.place += behind + (1 if month else 2)
    units = "second" if second else f"{number} days"
    if month:
        says = [f"{nth(number)} of {month}", f"{units} in {month}"]
        raise words.wrong("a date, or again and again?", start, says)
    if second and whole:
        says = ["month on the 2nd", "second"]
        raise words.wrong("a day of the month, or again and again?", start, says)
    words.place = start


def _nth_month(words: Words) -> PhraseError:
    """Return the error for "every second january": its 2nd, or that of every other year."""
    start, word = words.place, words.pop()
    count, dated = PLACES.get(word, 2), is_date(words)
    first = words.place
    named: Clauses = read_dates(words) if dated else {"months": read_months(words)}
    said, days = words.text[slice(*words.span(first))], named.get("ordinals", ())
    if len(named["months"]) > 1 or len(days) > 1:
        return words.wrong("not every year?", start, [said if dated else f"year in {said}"])
    (month,) = named["months"]
    on = f" on day {days[0].number}" if days else ""
    counted = f"{12 * count} months{on} counted from {EXAMPLE_YEAR}-{month:02}-01"
    day = [] if dated or word == "other" else [f"{said} {count}"]
    return words.wrong("a day of that month, or not every year?", start, [*day, counted])
