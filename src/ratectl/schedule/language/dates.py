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
from ratectl.schedule.language.tokens import (
    is_weekday,
    joined,
    read_months,
    read_weekday_group,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ratectl.schedule.language.tokens import Words

NTH = re.compile(r"([0-9]{1,2})(st|nd|rd|th)")
DAY_NUMBER = re.compile(r"[0-9]{1,2}(st|nd|rd|th)?")
PLACES = ORDINALS | MORE_ORDINALS
LONGEST_MONTH = 31


class Ordinal(NamedTuple):
    """A day within a month: the *number*-th day (-1 the last), of *weekdays* only if given."""

    number: int
    weekdays: frozenset[int] = frozenset()


def is_place(words: Words, ahead: int = 0) -> bool:
    """Tell whether "1st", "second", "last" or "penultimate" comes next."""
    word = words.peek(ahead)
    return word in PLACES or word == "penultimate" or NTH.fullmatch(word) is not None


def is_date(words: Words) -> bool:
    """Tell whether a day with its month comes next: "25 december", "december 25th"."""
    if words.peek() in MONTH_NAMES:
        ahead = 2 if words.peek(1) == "the" else 1
        return DAY_NUMBER.fullmatch(words.peek(ahead)) is not None
    return DAY_NUMBER.fullmatch(words.peek()) is not None and words.peek(1) in MONTH_NAMES


def read_dates(words: Words) -> dict[str, Any]:
    """Read one or more days with their months. Raises ScheduleError."""
    first = words.place
    pairs: list[tuple[int, int]] = []
    texts: list[str] = []
    while True:
        start = words.place
        pairs.append(_date(words))
        texts.append(words.text[slice(*words.span(start))])
        if not words.more(*MONTH_NAMES, DAY_NUMBER, skip=("on", "the")):
            break
    months, days = (frozenset(column) for column in zip(*pairs, strict=True))
    if len(set(pairs)) != len(pairs):
        raise words.wrong("a date stands there twice", first, [" and ".join(dict.fromkeys(texts))])
    if len(months) * len(days) != len(pairs):
        raise words.wrong(
            "these dates make a list of schedules, one for each", first, [f"{texts[0]}"]
        )
    return {"months": months, "ordinals": tuple(Ordinal(number) for number in sorted(days))}


def _date(words: Words) -> tuple[int, int]:
    if words.peek() in MONTH_NAMES:
        month = words.pop()
        words.take("the")
        return MONTH_NAMES.index(month) + 1, _number(words)
    day = _number(words)
    words.take("of")
    if words.peek() not in MONTH_NAMES:
        raise words.error("the name of a month")
    return MONTH_NAMES.index(words.pop()) + 1, day


def _number(words: Words) -> int:
    """Read "15" or "15th"."""
    match = re.match(r"[0-9]+", words.peek())
    if not match or not 1 <= int(match[0][:3]) <= LONGEST_MONTH:
        raise words.error("a day such as 1st, 15th, first monday, last day (1st to 31st)")
    words.pop()
    return int(match[0])


def read_days(words: Words) -> dict[str, Any]:
    """Read days of the month, with what they are days of where it follows. Raises ScheduleError."""
    members: list[tuple[frozenset[Ordinal], tuple[int, int]]] = []
    waiting: list[tuple[list[int], tuple[int, int]]] = []
    while True:
        start = words.place
        waiting.append((_run(words), words.span(start)))
        closed = _closing(words)
        if closed is not None:
            but = [([_but(words, number) for number in run], span) for run, span in waiting]
            but[-1] = (but[-1][0], words.span(start))
            members += _ordinals(but, closed)
            waiting = []
        if not words.more(DAY_NUMBER, *PLACES, "penultimate", skip=("on", "the", "day")):
            break
    if any(min(run) < 0 for run, _ in waiting):
        raise words.error('"day" or a weekday after "last"')
    members += _ordinals(waiting, frozenset())
    joined(words, members)
    found = tuple(ordinal for group, _ in members for ordinal in sorted(group, key=_number_of))
    return {"ordinals": tuple(dict.fromkeys(found))} | _of(words)


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
        says = [f"{_nth(first)} and last day", "last day"]
        raise words.wrong("counted from which end?", start, says)
    if last <= first:
        says = [f"{_nth(last)} and {_nth(first)}"]
        if last < first and (last > 2 or first < LONGEST_MONTH - 1):
            says = [f"1st to {_nth(last)} and {_nth(first)} to 31st"]
        raise words.wrong("the run goes backwards", start, says if last < first else [_nth(first)])
    return list(range(first, last + 1))


def _place(words: Words) -> int:
    """Read one place in the month; those that are counted from its end are negative."""
    if words.take("penultimate") or words.take_all("next", "to", "last"):
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
    if number > 1 and (words.take_all("to", "last") or words.take("last")):
        return -number
    return number


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


def _nth(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 < number % 100 < 14 else ending}"


__all__ = ["WEEKDAY_NAMES", "Ordinal", "is_date", "is_place", "read_dates", "read_days"]
