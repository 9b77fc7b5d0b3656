"""What is wrong with a crontab line, and the pieces of the phrases that its advice is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ratectl.schedule.language.cron import DAY_NAMES, MONTH_NAMES
from ratectl.schedule.language.tokens import MONTH_NAMES as MONTHS_IN_FULL
from ratectl.schedule.language.tokens import WEEKDAY_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def phrase_time(fields: Sequence[str]) -> str:
    """Return " at HH:MM" for a plain minute and hour, else nothing."""
    minute, hour = fields[:2]
    if not TWO_DIGITS.fullmatch(minute) or not TWO_DIGITS.fullmatch(hour):
        return ""
    return f" at {int(hour):02}:{int(minute):02}" if int(minute) < 60 and int(hour) < 24 else ""


def say(phrase: str) -> str:
    """Return the advice to say *phrase* in a spec."""
    return f'in a ratectl spec: "{phrase}"'


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
