"""Six or seven time fields, as Quartz and others write them -> what cron makes of the line, and what says it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ratectl.crontab_lint.debian import rejected
from ratectl.crontab_lint.fields import flaws_of
from ratectl.crontab_lint.problem import Problem, error, phrase_time, printable, say
from ratectl.crontab_lint.sundays import without_seven
from ratectl.schedule.language.advice.other_schedulers import phrases_of
from ratectl.schedule.language.cron import DAY_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

DAYS = "|".join(DAY_NAMES)
WEEKDAY_LIKE = re.compile(
    rf"[*?][-/0-9]*|[0-9]{{1,2}}([-,/][0-9]+)*|({DAYS})([-,]({DAYS}))*|([0-7]|{DAYS})#[1-5]|[1-7]L|({DAYS})L",
    re.IGNORECASE,
)
YEAR_LIKE = re.compile(r"\*|(19|20)[0-9]{2}([-,](19|20)[0-9]{2})*")
IN_A_SPEC = "in a ratectl spec: "
NOTHING = "five fields and a command"


def too_many(words: Sequence[str], *, users: int) -> Problem | None:
    """Return the flaw of a line whose sixth field is one of the time; *words* are five fields and all that follows them."""
    sixth, _, rest = (words[5] if len(words) > 5 else "").partition(" ")
    if rest.strip() and WEEKDAY_LIKE.fullmatch(sixth):
        seventh, _, behind = rest.lstrip().partition(" ")
        year = [seventh] if behind.strip() and YEAR_LIKE.fullmatch(seventh) else []
        return _time_fields([*words[:5], sixth, *year], users)
    if sixth.startswith("*"):
        return error(
            "seconds-field",
            "a sixth field that begins with `*`: cron has no seconds, Debian's and cronie reject the tab",
            NOTHING,
        )
    return None


def _time_fields(fields: Sequence[str], users: int) -> Problem:
    number, lacks = ("seven", "seconds and no years") if len(fields) > 6 else ("six", "seconds")
    if bad := rejected(fields[:5]):
        fate = f"rejects the tab, whose {printable(bad)} is wrong"
    elif fields[5].startswith("*"):
        fate = "rejects the tab"
    else:
        fate = f"takes `{fields[5]}` for the {'account' if users else 'command'}"
    return error(
        "seconds-field",
        f"{number} time fields: cron has no {lacks}; Debian's cron reads them as five and {fate}",
        printable(_instead(fields)),
    )


def _instead(fields: Sequence[str]) -> str:
    """Return what says *fields*; years that are named are said by nothing here."""
    if fields[6:] not in ([], ["*"]):
        return NOTHING
    six = _sundays_as_in_cron(fields[:6])
    plain = ["*" if field == "?" else field for field in six[1:]]
    five = [*plain[:4], without_seven(plain[4])]
    step = re.fullmatch(r"\*/([1-9][0-9]?)", six[0])
    if step and five == ["*"] * 5:
        return say(f"every {step[1]} seconds")
    at = phrase_time(six[1:])
    if at and re.fullmatch(r"[1-5]?[1-9]|[1-5]0", six[0]) and five[2:] == ["*"] * 3:
        return say(f"every day{at}:{int(six[0]):02}")
    if "0/" not in six[0] and (advice := _five(five)):
        return advice
    phrases = phrases_of([field.lower() for field in fields[:6]])
    return say(phrases[0]) if phrases else NOTHING


def _sundays_as_in_cron(six: Sequence[str]) -> list[str]:
    """Return *six* with names for the weekdays that are numbers, where a ``?`` tells that Sunday is 1 in them."""
    if "?" not in six:
        return [*six]
    days = re.sub(r"(?<![/#])\b[1-7](?=\b|L)", lambda day: DAY_NAMES[int(day[0]) - 1], six[5])
    return [*six[:5], days]


def _five(five: Sequence[str]) -> str:
    """Return the advice to write *five* fields, or the phrase for what alone is wrong in them."""
    flaws = flaws_of(five)
    if not flaws and "".join(five).isprintable():
        return f"`{' '.join(five)}` and the command"
    said = [flaw.instead for flaw in flaws]
    return said[0] if len(said) == 1 and said[0].startswith(IN_A_SPEC) else ""
