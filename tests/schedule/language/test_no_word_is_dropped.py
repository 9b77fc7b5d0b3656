"""The law of phrases: no word is dropped.

Without any one of its clauses, or with another in its place, a phrase means something else or
is refused. Only what holds anyway may be spelled out.
"""

import random

import pytest

from ratectl.errors import ScheduleError
from ratectl.schedule.language.explain import explain
from ratectl.schedule.language.lexicon import MONTH_NAMES, WEEKDAY_NAMES
from ratectl.schedule.language.parse import parse, parse_one
from ratectl.schedule.language.phrase import read_phrase
from ratectl.schedule.language.resolve import resolve
from ratectl.schedule.occurrences.slots import fires

PHRASES = 10_000
SPELLED_OUT = {"at 00:00", "at :00", "on the 1st", "on monday", "in january"}
"""What also holds where it is not said; nothing else may be without effect."""
SUBJECTS = (
    *("every day", "every week", "every month", "every quarter", "every year", "every weekday"),
    *("every weekend day", "every hour", "every minute", "every 15 minutes", "every 20 minutes"),
    *("every 45 minutes", "every 90 minutes", "every 7 minutes", "every 2 hours", "every 36 hours"),
    *("every 2 days", "every 3 days", "every 2 weeks", "every 3 weeks", "every 2 months"),
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


@pytest.mark.slow
def test_law():
    """Over 10,000 random phrases, no clause can go or change without a change of the value."""
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
            if clause not in SPELLED_OUT and value_of(subject, without) == value:
                broken.append(f"{subject} {' '.join(clauses.values())}: {clause!r} is dropped")
            other = KINDS[kind](rng)
            if other != clause and value_of(subject, clauses | {kind: other}) == value:
                broken.append(f"{subject} {' '.join(clauses.values())}: or {other!r}")
    assert broken == []


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
    ],
)
def test_refused(text):
    """Clauses that are empty, contradict, repeat, run backwards or change nothing are refused."""
    with pytest.raises(ScheduleError):
        parse_one(text)
