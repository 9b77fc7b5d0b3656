"""Days of the month as phrases name them: "1st and 15th", "second to last friday", "25 december".

A list is closed by "day" or by a weekday, which then goes for all its numbers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ratectl.schedule.language.lexicon import (
    MONTH_NAMES,
    MORE_ORDINALS,
    ORDINALS,
    UNITS,
    WEEKDAY_NAMES,
    WORKING_DAYS,
)
from ratectl.schedule.language.numerals import nth
from ratectl.schedule.language.tokens import TO, is_weekday, joined, read_months, read_weekday_group

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ratectl.schedule.language.tokens import Words

NTH = re.compile(r"([0-9]{1,2})(st|nd|rd|th)")
DAY_NUMBER = re.compile(r"[0-9]{1,2}(st|nd|rd|th)?")
PLACES = ORDINALS | MORE_ORDINALS
LONGEST_MONTH = 31
MOST_IN_MONTH = 5
"""So often a weekday comes in a month, at most."""


class Ordinal(NamedTuple):
    """A day within a month: the *number*-th day (-1 the last), of *weekdays* only if given."""

    number: int
    weekdays: frozenset[int] = frozenset()


def is_place(words: Words, ahead: int = 0) -> bool:
    """Tell whether "1st", "second", "last" or "penultimate" comes next."""
    word = words.peek(ahead)
    if word == "second" and words.typed(ahead) != "second":
        return False  # "sec" and "secs" are the unit
    if word == "next" and words.peek(ahead + 1) == "to":
        return True
    return word in PLACES or word == "penultimate" or NTH.fullmatch(word) is not None


def is_date(words: Words) -> bool:
    """Tell whether days with their month come next: "25 december", "december 25th", "24, 25 and 26 dec"."""
    if words.peek() in MONTH_NAMES:
        ahead = 2 if words.peek(1) == "the" else 1
        return _is_day(words, ahead)
    return _month_after_days(words) > 0


def _is_day(words: Words, ahead: int) -> bool:
    """Tell whether a day of the month stands there, and not the number of "december 5 minutes"."""
    return bool(DAY_NUMBER.fullmatch(words.peek(ahead))) and words.peek(ahead + 1) not in UNITS[:3]


def _month_after_days(words: Words, ahead: int = 0) -> int:
    """Return how far the month lies behind "24, 25 and 26" or "24 to 26"; 0 where none does."""
    while DAY_NUMBER.fullmatch(words.peek(ahead)):
        ahead += 1
        if words.peek(ahead) in MONTH_NAMES:
            return ahead
        if words.peek(ahead) not in {"and", "or", "to", ","}:
            return 0
        ahead += 2 if words.peek(ahead + 1) in {"and", "or", "the"} else 1
    return 0


Dates = tuple[frozenset[int], frozenset[int], str]
"""Months, days, and the words that name them."""


def read_dates(words: Words) -> dict[str, Any]:
    """Read one or more days with their months. Raises ScheduleError."""
    first = words.place
    groups: list[Dates] = []
    while True:
        start = words.place
        months, days = _group(words)
        groups.append((months, days, words.text[slice(*words.span(start))]))
        if not words.more(*MONTH_NAMES, DAY_NUMBER, skip=("on", "the")):
            break
    _refuse_repeated(words, first, groups)
    months = frozenset[int]().union(*(group[0] for group in groups))
    days = frozenset[int]().union(*(group[1] for group in groups))
    if len(months) * len(days) != sum(len(group[0]) * len(group[1]) for group in groups):
        texts = [said for _, _, said in groups]
        raise words.wrong("dates of several months make a list", first, members=texts)
    return {"months": months, "ordinals": tuple(Ordinal(number) for number in sorted(days))}


def _refuse_repeated(words: Words, first: int, groups: list[Dates]) -> None:
    members = [
        (frozenset((month, day) for month in months for day in days), said)
        for months, days, said in groups
    ]
    needed = [
        said
        for place, (dates, said) in enumerate(members)
        if dates - frozenset[tuple[int, int]]().union(*(other for other, _ in members[:place]))
    ]
    total = frozenset[tuple[int, int]]().union(*(dates for dates, _ in members))
    if len(total) != sum(len(dates) for dates, _ in members):
        raise words.wrong("a date stands there twice", first, [" and ".join(needed)])


def _group(words: Words) -> tuple[frozenset[int], frozenset[int]]:
    """Read "december 25 and 26" or "25 and 26 of december"."""
    if words.peek() in MONTH_NAMES:
        months = frozenset({MONTH_NAMES.index(words.pop()) + 1})
        return months, _days(words, before_month=False)
    days = _days(words, before_month=True)
    words.take("of")
    found: set[int] = set()
    while words.peek() in MONTH_NAMES:
        found.add(MONTH_NAMES.index(words.pop()) + 1)
        ahead = 1 if words.peek() in {"and", ","} else 0
        if not ahead or words.peek(ahead) not in MONTH_NAMES or _is_day(words, ahead + 1):
            return frozenset(found), days
        words.place += ahead
    raise words.error("the name of a month")


def _days(words: Words, *, before_month: bool) -> frozenset[int]:
    """Read "25", "25 and 26", "24 to 26"; before a month all of them are its days."""
    members: list[tuple[frozenset[int], tuple[int, int]]] = []
    while True:
        words.take("the")
        start = words.place
        low = high = _number(words)
        if words.take(*TO):
            words.take("the")
            high = _number(words)
            if high <= low:
                says = [f"{high} to {low}"] if high < low else [f"{low}"]
                raise words.wrong("the run goes backwards", start, says)
        members.append((frozenset(range(low, high + 1)), words.span(start)))
        ahead = next((n for n in range(3) if words.peek(n) not in {",", "and", "or", "the"}), 3)
        goes_on = ahead and _is_day(words, ahead)
        if not goes_on or (not before_month and _month_after_days(words, ahead)):
            return joined(words, members)
        words.place += ahead


def _number(words: Words) -> int:
    """Read "15" or "15th"."""
    match = re.fullmatch(r"([0-9]+)(st|nd|rd|th)?", words.peek())
    if match and int(match[1][:3]) > LONGEST_MONTH:
        first = words.place
        words.pop()
        raise words.wrong("no month has that many days (1st to 31st)", first, ["last day"])
    if not match or not 1 <= int(match[1][:3]) <= LONGEST_MONTH:
        raise words.error("a day such as 1st, 15th, first monday, last day (1st to 31st)")
    words.pop()
    return int(match[1])


def read_days(words: Words) -> dict[str, Any]:
    """Read days of the month, with what they are days of where it follows. Raises ScheduleError."""
    members: list[tuple[frozenset[Ordinal], tuple[int, int]]] = []
    waiting: list[tuple[list[int], tuple[int, int]]] = []
    opened = words.place
    while True:
        start = words.place
        opened = opened if waiting else start
        by_number = "day" in {words.typed(), words.typed(-1)}
        waiting.append((_run(words), words.span(start)))
        if by_number and not is_weekday(words):  # "day 15" is a day, whatever ends the list
            members += _ordinals([waiting.pop()], frozenset())
        closed = _closing(words) if waiting else None
        if closed is not None:
            _refuse_two_kinds(words, waiting, (opened, start), closed)
            but = [([_but(words, number) for number in run], span) for run, span in waiting]
            but[-1] = (but[-1][0], words.span(start))
            members += _ordinals(but, closed)
            waiting = []
        if not words.more(DAY_NUMBER, *PLACES, "penultimate", skip=("on", "the", "day")):
            break
    if any(min(run) < 0 for run, _ in waiting) and words.peek() != "of":
        raise words.error('"day" or a weekday after "last"')
    members += _ordinals(waiting, frozenset())
    joined(words, members)
    found = tuple(ordinal for group, _ in members for ordinal in sorted(group, key=_number_of))
    return {"ordinals": tuple(dict.fromkeys(found))} | _of(words)


def _refuse_two_kinds(
    words: Words,
    waiting: list[tuple[list[int], tuple[int, int]]],
    places: tuple[int, int],
    kind: frozenset[int],
) -> None:
    """Refuse "the 1st and the last friday", whose first number may be that of a day; *places* are those of the first and the last member."""
    first, last = places
    *before, _ = waiting
    if not kind or not before:
        return
    said = [re.sub(r"^the\s+", "", words.text[slice(*span)]) for _, span in before]
    again = "the" in {words.typed(last - words.place), words.typed(last - words.place - 1)}
    numbers = all(DAY_NUMBER.fullmatch(each.split()[0].lower()) for each in said)
    named = not DAY_NUMBER.fullmatch(words.text[slice(*waiting[-1][1])].split()[-1].lower())
    most = max(number for run, _ in before for number in run)
    too_many = kind != WORKING_DAYS and most > MOST_IN_MONTH
    if not too_many and not (numbers and named and again):
        return
    end = re.sub(r"^the\s+", "", words.text[waiting[-1][1][0] : words.span(last)[1]])
    *more, final = said
    bare = f"{', '.join([end, *more])} and {final}"
    apart = [f"{', '.join([f'the {end}', *more])} and the {final}", bare]
    together = [] if too_many else [f"the {', '.join(said)} and {end}"]
    raise words.wrong("days of the month, or weekdays?", first, [*apart, *together])


def _ordinals(
    runs: Iterable[tuple[list[int], tuple[int, int]]], kind: frozenset[int]
) -> Iterator[tuple[frozenset[Ordinal], tuple[int, int]]]:
    """Yield what each of *runs* names, a day or a weekday of *kind*, and where it stands."""
    for run, span in runs:
        yield frozenset(Ordinal(number, kind) for number in run), span


def _number_of(ordinal: Ordinal) -> int:
    return ordinal.number


def _run(words: Words) -> list[int]:
    """Read one place, or "1st to 7th"."""
    words.take("the")
    start = words.place
    first = _place(words)
    if not words.take("to"):
        return [first]
    words.take("the")
    last = _place(words)
    if first > 0 > last:
        end = 31 if words.peek() not in WEEKDAY_NAMES else MOST_IN_MONTH
        says = [f"{nth(first)} to {nth(end)}"]
        raise words.wrong("counted from which end?", start, says)
    if last <= first:
        says = [f"{nth(last)} and {nth(first)}"]
        if last < first and (last > 2 or first < LONGEST_MONTH - 1):
            says = [f"1st to {nth(last)} and {nth(first)} to 31st"]
        raise words.wrong("the run goes backwards", start, says if last < first else [nth(first)])
    return list(range(first, last + 1))


def _place(words: Words) -> int:
    """Read one place in the month; those that are counted from its end are negative."""
    if words.take("penultimate") or any(
        words.take_all("next", *to, "last") for to in (("to",), ("to", "to", "to"))
    ):
        return -2
    if words.take("day"):
        return _number(words)
    word = words.peek()
    if word in PLACES:
        words.pop()
        number = PLACES[word]
    elif NTH.fullmatch(word) or (DAY_NUMBER.fullmatch(word) and words.peek(1) not in UNITS[:3]):
        number = _number(words)
    else:
        raise words.error("a day such as 1st, 15th, first monday, last day (1st to 31st)")
    if number == -1:
        return _but(words, -1)
    if number > 1 and _from_the_end(words, number):
        return -number
    return number


def _from_the_end(words: Words, number: int) -> bool:
    """Read "to last" of "25th to last day"; "25th through last day" is a run, and of "25th-last" nobody knows."""
    if words.take_all("to", "to", "to", "last"):  # "second-to-last", with its dashes
        return True
    if words.peek() == "to" and words.peek(1) == "last" and words.typed() != "to":
        run = words.typed().startswith("thr")
        if run or number > MOST_IN_MONTH:
            start = words.place - 1
            words.place += 2
            says = [f"{nth(number)} to 31st", *([] if run else [f"{nth(number)} to last"])]
            raise words.wrong("a run of days, or counted from the end?", start, says)
    return words.take_all("to", "last") or words.take("last")


def _but(words: Words, number: int) -> int:
    """Read "but one" after "last day" or between "last" and "day"."""
    if number == -1 and words.peek() == "but" and re.fullmatch(r"[1-9]|[12][0-9]", words.peek(1)):
        words.pop()
        return -1 - int(words.pop())
    return number


def _closing(words: Words) -> frozenset[int] | None:
    """Read what numbers count: "day" gives no weekdays; None where nothing of the kind follows."""
    if words.take("day"):
        return frozenset()
    if words.take_all("business", "day"):
        return WORKING_DAYS
    if words.peek() == "weekend" and words.peek(1) != "day":
        start = words.place
        words.pop()
        raise words.wrong("a weekend has two days", start, ["saturday", "sunday"])
    return read_weekday_group(words) if is_weekday(words) else None


def _of(words: Words) -> dict[str, Any]:
    """Read "of the month", "of each quarter", "of january" or "january" after days."""
    start = words.place
    if words.take("of", "in"):
        if words.take("the", "a", "any") or words.peek() in {"month", "quarter", "year"}:
            if words.peek() not in {"month", "quarter", "year"}:
                raise words.error('"month", "quarter" or "year"')
            return {"scope": words.pop()}
        if words.peek() in MONTH_NAMES:
            return {"months": read_months(words)}
        if words.peek() == "every":
            return {}
        words.place = start
        return {}
    return {"months": read_months(words)} if words.peek() in MONTH_NAMES else {}


__all__ = ["WEEKDAY_NAMES", "Ordinal", "is_date", "is_place", "read_dates", "read_days"]
