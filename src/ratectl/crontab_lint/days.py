"""What the five fields of a crontab line mean together: its days, and whether it fires at all.

What ratectl's own reader of cron lines refuses is a flaw here too, whatever its reason.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ratectl.crontab_lint.problem import Problem, phrase_month, phrase_time, say, weekday_name
from ratectl.crontab_lint.sundays import without_seven
from ratectl.errors import ScheduleError
from ratectl.schedule.language.cron import parse_cron
from ratectl.schedule.language.tokens import MONTH_NAMES as MONTHS_IN_FULL
from ratectl.schedule.occurrences.slots import fires
from ratectl.schedule.values import Calendar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def in_days(fields: Sequence[str]) -> Iterator[Problem]:
    """Yield what cron's rule for two restricted day fields does to the line."""
    days, weekdays = fields[2], fields[4]
    if {days, weekdays} & {"*", "*/1"}:
        return
    if weekdays == "*/7" and re.fullmatch(r"1-7|8-14|15-21|22-28", days):
        return  # told as a weekday
    minute, hour, _, month, _ = fields
    advised = without_seven(weekdays)
    two_lines = (
        f"two lines, `{minute} {hour} {days} {month} *` and `{minute} {hour} * {month} {advised}`"
    )
    if days.startswith("*") or weekdays.startswith("*"):
        yield Problem(
            severity="warning",
            code="star-rule",
            message=f"`{days}` and `{weekdays}`: Debian's cron and cronie want both days to match, since one "
            "begins with `*`; Kubernetes fires when either matches",
            instead=f"for both, this line as a schedule of a ratectl spec; for either, {two_lines}",
        )
        return
    weeks = {"1-7": "first", "8-14": "second", "15-21": "third", "22-28": "fourth"}
    nth = weeks.get(days)
    day = weekday_name(advised.lower()) if re.fullmatch(r"[0-6]|[A-Za-z]{3}", advised) else ""
    yield Problem(
        severity="error" if nth and day else "warning",
        code="both-day-fields",
        message=f"`{days}` and `{weekdays}`: Debian's cron, cronie and Kubernetes fire when either day "
        "matches; systemd-cron wants both",
        instead=say(f"every month on the {nth} {day}{phrase_month(fields)}{phrase_time(fields)}")
        if nth and day
        else two_lines,
    )


def in_whole(fields: Sequence[str], *, reported: bool) -> Iterator[Problem]:
    """Yield that the line never fires, or fires all through an hour; what the parser refuses besides."""
    line = " ".join(fields)
    try:
        value = parse_cron(line)
    except ScheduleError as error:
        if not reported:
            yield Problem(
                severity="error", code="syntax", message=error.message, instead="five plain fields"
            )
        return
    if not fires(value):
        months = value.months if isinstance(value, Calendar) else ()
        yield Problem(
            severity="error",
            code="never-fires",
            message=f"`{line}`: no such day exists; Debian's cron, cronie and Kubernetes accept the line and never fire",
            instead=say(f"every month on the last day in {_names(months)}{phrase_time(fields)}"),
        )
    elif fields[0] in {"*", "*/1"} and re.fullmatch(r"[0-9]+|\*/(?!1$)[0-9]+", fields[1]):
        yield Problem(
            severity="warning",
            code="every-minute",
            message=f"`{line}`: fires in each of the 60 minutes of the hour",
            instead=f"`0 {' '.join(fields[1:4])} {without_seven(fields[4])}` for once an hour",
        )


def _names(months: Iterable[int]) -> str:
    *rest, last = (MONTHS_IN_FULL[month - 1] for month in sorted(months))
    return f"{', '.join(rest)} and {last}" if rest else last
