"""What is wrong with a crontab line, and the pieces of the phrases that its advice is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ratectl.errors import ScheduleError
from ratectl.schedule.language.cron import DAY_NAMES, MONTH_NAMES, parse_cron
from ratectl.schedule.language.explain import explain
from ratectl.schedule.language.parse import parse_one
from ratectl.schedule.language.tokens import MONTH_NAMES as MONTHS_IN_FULL
from ratectl.schedule.language.tokens import WEEKDAY_NAMES
from ratectl.schedule.values import Calendar

if TYPE_CHECKING:
    from collections.abc import Sequence

BLANKS = re.compile(r"[ \t]+")
SHOWN = 100
"""Characters of a command that advice repeats."""
TWO_DIGITS = re.compile(r"[0-9]{1,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that a reader of a crontab line would not expect."""

    severity: Literal["error", "warning"]
    """error: never fires, is rejected, or does not mean what it looks like; warning: look twice."""
    code: str
    """A short word such as ``wrapped-range``, for programs."""
    message: str
    """What Debian's cron makes of it, and which other cron makes something else."""
    instead: str
    """What says it properly: cron text in backquotes, or a phrase of ours in double quotes."""


def error(code: str, message: str, instead: str) -> Problem:
    """Return a problem that is an error."""
    return Problem(severity="error", code=code, message=message, instead=instead)


def warning(code: str, message: str, instead: str) -> Problem:
    """Return a problem that is a warning."""
    return Problem(severity="warning", code=code, message=message, instead=instead)


def printable(text: str) -> str:
    """Return Latin-1 *text* as UTF-8 where it is, with nothing that a terminal would act on."""
    decoded = text.encode("latin-1").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in decoded)


def phrase_time(fields: Sequence[str]) -> str:
    """Return " at HH:MM" for a plain minute and hour, else nothing."""
    minute, hour = fields[:2]
    if not TWO_DIGITS.fullmatch(minute) or not TWO_DIGITS.fullmatch(hour):
        return ""
    return f" at {int(hour):02}:{int(minute):02}" if int(minute) < 60 and int(hour) < 24 else ""


def say(phrase: str) -> str:
    """Return the advice to say *phrase* in a spec."""
    return f'in a ratectl spec: "{phrase}"'


def every_month(days: str, fields: Sequence[str]) -> str:
    """Return the advice to say *days* of the month, such as "the last friday", in the months and at all times of *fields*."""
    minute, hour, _, month, _ = fields
    try:
        times = parse_cron(f"{minute} {hour} * {month} *")
        monthly = parse_one(f"every month on {days}")
    except ScheduleError:
        return f'a schedule of a ratectl spec that begins with "every month on {days}"'
    if not isinstance(times, Calendar) or not isinstance(monthly, Calendar):
        return f'a schedule of a ratectl spec that begins with "every month on {days}"'
    value = replace(
        monthly,
        minutes=times.minutes,
        hours=times.hours,
        months=times.months,
        elapsed_time=times.elapsed_time,
    )
    return say(explain(value).removesuffix(".").lower())


def weekday_name(text: str) -> str:
    """Return the full name of a weekday that is written as a number or three letters, or nothing."""
    if text.isdecimal():
        return WEEKDAY_NAMES[(int(text) - 1) % 7]
    return WEEKDAY_NAMES[(DAY_NAMES.index(text) - 1) % 7] if text in DAY_NAMES else ""


def phrase_month(fields: Sequence[str]) -> str:
    """Return " in march" for a single month, else nothing."""
    text = fields[3].lower()
    if text in MONTH_NAMES:
        text = str(MONTH_NAMES.index(text) + 1)
    if TWO_DIGITS.fullmatch(text) and 1 <= int(text) <= 12:
        return f" in {MONTHS_IN_FULL[int(text) - 1]}"
    return ""
