"""The law of phrases: no word is dropped.

Without any one of its clauses, or with another in its place, a phrase means something else or
is refused. Only what holds anyway may be spelled out.
"""

import datetime as dt
import random
import re
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from ratectl.errors import ScheduleError
from ratectl.schedule.language.explain import explain
from ratectl.schedule.language.lexicon import MONTH_NAMES, WEEKDAY_NAMES
from ratectl.schedule.language.parse import parse, parse_one
from ratectl.schedule.language.phrase import read_phrase
from ratectl.schedule.language.resolve import resolve
from ratectl.schedule.occurrences.civil import days_in_month
from ratectl.schedule.occurrences.slots import after, fires
from ratectl.schedule.values import Calendar, Union

PHRASES = 10_000
UTC = ZoneInfo("UTC")
SPELLED_OUT = {"at 00:00", "at :00", "on the 1st", "on monday", "in january"}
"""What also holds where it is not said; nothing else may be without effect."""
SUBJECTS = (
    *("every day", "every week", "every month", "every quarter", "every year", "every weekday"),
    *("every weekend day", "every hour", "every minute", "every 15 minutes", "every 20 minutes"),
    *("every 45 minutes", "every 90 minutes", "every 7 minutes", "every 2 hours", "every 36 hours"),
    *(
        "every 2 days",
        "every 3 days",
        "every 7 days",
        "every 14 days",
        "every 2 weeks",
        "every 3 weeks",
        "every 2 months",
    ),
    *("every 5 months", "every monday", "every tuesday and friday", "every 24 hours"),
    *("every 30 seconds", "every 5 to 10 minutes", "every other friday"),
)
PLACES = ("1st", "2nd", "15th", "28th", "31st", "first monday", "second friday", "last day")
MORE_PLACES = ("second to last day", "third to last day", "last weekday", "second to last friday")


def some(rng, names, most=3):
    """A list of different names, in an order that does not count."""
    *rest, last = sorted(rng.sample(names, rng.randint(1, most)))
    return f"{', '.join(rest)} and {last}" if rest else last


def clock(rng):
    return f"{rng.randint(0, 23):02}:{rng.choice((0, 5, 17, 30)):02}"


def clocks(rng):
    return some(rng, [clock(rng) for _ in range(2)], 1)


def window(rng):
    first = rng.randint(0, 11)
    return f"between {first:02}:{rng.choice((0, 10, 30)):02} and {rng.randint(13, 23)}:59"


KINDS = {
    "at": lambda rng: f"at {clocks(rng) if rng.random() < 0.7 else f':{rng.randint(0, 59):02}'}",
    "weekdays": lambda rng: f"on {some(rng, WEEKDAY_NAMES)}",
    "days": lambda rng: f"on the {some(rng, (*PLACES, *MORE_PLACES), 2)}",
    "months": lambda rng: f"in {some(rng, MONTH_NAMES)}",
    "between": window,
    "but": lambda rng: f"except on {some(rng, WEEKDAY_NAMES, 2)}",
    "but_months": lambda rng: f"except in {some(rng, MONTH_NAMES, 2)}",
    "only": lambda rng: f"if it is a {some(rng, WEEKDAY_NAMES, 2)}",
    "anchor": lambda rng: f"counted from 2026-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
}


def value_of(subject, clauses):
    try:
        return resolve(read_phrase(" ".join((subject, *clauses.values()))), None, "")
    except ScheduleError:
        return None


YEARS = (*range(2001, 2008), *range(2008, 2036, 4))
"""Years of all kinds: with and without a 29 February, beginning on each weekday."""


def same_slots(value, other):
    """Tell whether two values mean the same times: each day of years of all kinds is compared."""
    if value == other or None in (value, other):
        return value == other
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    ours, theirs = (next(after(each, UTC, begin), None) for each in (value, other))
    if ours != theirs:
        return False
    if any(isinstance(each, Calendar) and each.stride for each in parts(value) + parts(other)):
        ours, theirs = (list(islice(after(each, UTC, begin), COUNTED)) for each in (value, other))
        return ours == theirs
    return all(
        days_of(value, year) is not None and days_of(value, year) == days_of(other, year)
        for year in YEARS
    )


def same_day(value, other):
    """Tell whether two values are the same: counting from another day may meet the same days by chance."""
    return value == other


COUNTED = 250
"""So many slots are compared where days, weeks or months are counted."""


def parts(value):
    """The members of a union, or the value alone."""
    return value.members if isinstance(value, Union) else (value,)


@lru_cache(maxsize=64)
def days_of(value, year):
    """The days of a value in a year, each with its times of day; None for what counts from a day."""
    if not all(isinstance(each, Calendar) for each in parts(value)):
        return None
    return frozenset(
        (day, each.hours, each.minutes, each.seconds)
        for each in parts(value)
        for month in range(1, 13)
        for day in days_in_month(each, year, month)
    )


def fewer(clause):
    """The *clause* without any one member of its list."""
    opening, listed = re.fullmatch(
        r"(at|on the|on|in|except on|except in|if it is a) (.+)", clause
    ).groups()
    members = re.split(r", | and ", listed)
    for gone in range(len(members)) if len(members) > 1 else ():
        *rest, last = members[:gone] + members[gone + 1 :]
        yield f"{opening} {', '.join(rest)} and {last}" if rest else f"{opening} {last}"


@pytest.mark.slow
def test_law():
    """Over 10,000 random phrases, no clause, nor a member of its list, can go or change without a change of the slots."""
    rng = random.Random(17)  # noqa: S311 - reproducible on purpose
    read, broken = 0, []
    while read < PHRASES:
        subject = rng.choice(SUBJECTS)
        kinds = rng.sample(sorted(KINDS), rng.choice((0, 1, 1, 2, 2, 3)))
        clauses = {kind: KINDS[kind](rng) for kind in kinds}
        value = value_of(subject, clauses)
        if value is None:
            continue
        read += 1
        assert not fires(value) or parse([explain(value)]) == value
        for kind, clause in clauses.items():
            without = {other: text for other, text in clauses.items() if other != kind}
            said = f"{subject} {' '.join(clauses.values())}"
            alike = same_day if kind == "anchor" else same_slots
            if clause not in SPELLED_OUT and alike(value, value_of(subject, without)):
                broken.append(f"{said}: {clause!r} is dropped")
            other = KINDS[kind](rng)
            may_end_alike = kind == "between"  # a window ends anywhere between two slots
            if other != clause and value_of(subject, clauses | {kind: other}) == value:
                if may_end_alike and clause[:13] == other[:13]:
                    continue
                broken.append(f"{said}: or {other!r}")
            if kind not in {"between", "anchor"} and fires(value):
                broken += [
                    f"{said}: or {less!r}"
                    for less in fewer(clause)
                    if same_slots(value, value_of(subject, clauses | {kind: less}))
                ]
    assert broken == []


@pytest.mark.parametrize(
    ("text", "offer"),
    [
        (
            "every month on the 30th and 31st in april at 00:00",
            "every month on the 30th in april at 00:00",
        ),
        ("every month on the 31st in april and may", "every month on the 31st in may"),
        ("every 2 hours on the 31st in april and may", "every 2 hours on the 31st in may"),
        ("every month on the last day and 31st at 09:00", "every month on the last day at 09:00"),
        ("30th and 31st april at 9am", "on the 30th in april at 9am"),
    ],
)
def test_days_that_add_nothing(text, offer):
    """A day or month that adds none is refused wherever phrases are read, with the rest of the phrase."""
    with pytest.raises(ScheduleError):
        resolve(read_phrase(text), None, "")
    with pytest.raises(ScheduleError) as caught:
        parse_one(text)

    assert f'"{offer}"' in caught.value.message


@pytest.mark.parametrize(
    ("line", "same"),
    [
        ("0 0 30,31 4 *", "0 0 30 4 *"),
        ("0 0 31 4,5 *", "0 0 31 5 *"),
        ("0 0 30 2 1", "0 0 * 2 1"),
        ("0 0 29-31 2 *", "0 0 29 2 *"),
    ],
)
def test_days_of_cron_lines(line, same):
    """A cron line may name days that do not exist; its value and its sentence do not."""
    value = parse([line])

    assert value == parse([same])
    assert parse([explain(value)]) == value


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("kind", KINDS)
def test_twice(subject, kind):
    """A second clause of a kind never takes the place of the first, nor is it added in silence."""
    rng = random.Random(f"{subject} {kind}")  # noqa: S311 - reproducible on purpose
    for _ in range(5):
        one, other = KINDS[kind](rng), KINDS[kind](rng)
        with pytest.raises(ScheduleError):
            parse_one(f"{subject} {one} {other}")


@pytest.mark.parametrize(
    "text",
    [
        "every 5 minutes on the 31st to 1st",
        "every hour at minutes 0 and 50 to 10",
        "every day at minute 5 of hours 9 and 22 to 2",
        "every friday to monday",
        "every day in november to february",
        "every month on the 20th to 10th",
        "every weekday on saturday",
        "every 30 minutes at :15",
        "every 15 minutes between 09:00 and 10:00 between 11:00 and 12:00",
        "every 15 minutes between 00:00 and 23:59",
        "every day at 10:30 at 11:00",
        "every day at 10:30 and 10:30",
        "every monday and monday",
        "every weekday and monday",
        "every month on the 1st and 1st",
        "every month on the first monday if it is a friday",
        "every hour on monday on the last friday",
        "every day on monday to sunday",
        "every day in january to december",
        "every monday except friday",
        "every weekday except monday and saturday",
        "every monday except monday",
        "every quarter except in may",
        "every day counted from 2026-12-01",
        "every 15 minutes counted from 2026-12-01",
        "every month in march counted from 2026-12-01",
        "every 15 minutes at seconds 5 of minutes 0 to 10",
        "every hour at minute 5 of minute 10",
        "every day,",
        "every day at noon am",
        "every day at noon pm",
        "every day at 9 am pm",
        "every hour from the 15th",
        "every day at",
        "every -5 minutes",
        "on 12/25",
        "every day once at 2026-12-01 10:30",
        ") at night 0",
        "december mon , in the morning",
        "every day at 99999999999 in the morning",
    ],
)
def test_refused(text):
    """Clauses that are empty, contradict, repeat, run backwards or change nothing are refused."""
    with pytest.raises(ScheduleError):
        parse_one(text)
