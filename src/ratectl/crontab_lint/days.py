"""What the five fields of a crontab line mean together: its days, and whether it fires at all.

What ratectl's own reader of cron lines refuses is a flaw here too, whatever its reason.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ratectl.crontab_lint.problem import Problem, every_month, weekday_name
from ratectl.crontab_lint.sundays import without_seven
from ratectl.errors import ScheduleError
from ratectl.schedule.language.advice.cron_text import first_values
from ratectl.schedule.language.cron import parse_cron
from ratectl.schedule.language.tokens import MONTH_NAMES as MONTHS_IN_FULL
from ratectl.schedule.occurrences.slots import fires
from ratectl.schedule.values import Calendar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

EACH = frozenset({"*", "*/1"})
"""Fields that leave nothing out."""
SINGLE = re.compile(r"[0-9]+(,[0-9]+)*|(\*|[0-9]+-[0-9]+)/(?!0*1$)[0-9]+")
"""Numbers with others between them, rather than a stretch."""


def in_days(fields: Sequence[str]) -> Iterator[Problem]:
    """Yield what cron's rule for two restricted day fields does to the line."""
    if {fields[2], fields[4]} & {"*", "*/1"}:
        return
    minute, hour, days, month, weekdays = first_values(fields)
    starred = fields[2].startswith("*") or fields[4].startswith("*")
    if starred and not (days.startswith("*") or weekdays.startswith("*")):
        return  # told as a step
    if weekdays == "*/7" and re.fullmatch(r"1-7|8-14|15-21|22-28", days):
        return  # told as a weekday
    if months := _months_without(days, month):
        if not starred:
            yield _never_comes(fields, months)
        return
    two_lines = (
        f"two lines, `{minute} {hour} {days} {month} *` and `{minute} {hour} * {month} {without_seven(weekdays)}`, "
        "which both run on a day that is both"
    )
    yield (
        _both(days, weekdays, two_lines) if starred else _either(fields, days, weekdays, two_lines)
    )


def _both(days: str, weekdays: str, two_lines: str) -> Problem:
    return Problem(
        severity="warning",
        code="star-rule",
        message=f"`{days}` and `{weekdays}`: Debian's cron and cronie want both days to match, since one "
        "begins with `*`; Kubernetes fires when either matches",
        instead=f"for both, this line as a schedule of a ratectl spec; for either, {two_lines}",
    )


def _either(fields: Sequence[str], days: str, weekdays: str, two_lines: str) -> Problem:
    weeks = {"1-7": "first", "8-14": "second", "15-21": "third", "22-28": "fourth"}
    nth, advised = weeks.get(days), without_seven(weekdays)
    day = weekday_name(advised.lower()) if re.fullmatch(r"[0-6]|[A-Za-z]{3}", advised) else ""
    return Problem(
        severity="error" if nth and day else "warning",
        code="both-day-fields",
        message=f"`{days}` and `{weekdays}`: Debian's cron, cronie and Kubernetes fire when either day "
        "matches; systemd-cron wants both",
        instead=every_month(f"the {nth} {day}", first_values(fields))
        if nth and day
        else f"{two_lines}{_or_in_a_spec(fields)}",
    )


def _or_in_a_spec(fields: Sequence[str]) -> str:
    """Return the advice to take the line into a spec, where it is still one line, if a spec reads it."""
    try:
        parse_cron(" ".join(fields))
    except ScheduleError:
        return ""
    return "; this line as a schedule of a ratectl spec runs once then"


def _months_without(days: str, month: str) -> str:
    """Return the names of the months that *month* says, if none of them ever has one of the *days*."""
    try:
        value = parse_cron(f"0 0 {days} {month} *")
    except ScheduleError:
        return ""
    return "" if fires(value) or not isinstance(value, Calendar) else _names(value.months)


def _never_comes(fields: Sequence[str], months: str) -> Problem:
    minute, hour, _, month, weekdays = first_values(fields)
    have = "have" if " and " in months else "has"
    return Problem(
        severity="error",
        code="day-never-comes",
        message=f"day of month `{fields[2]}` never comes in {months}; Debian's cron, cronie and Kubernetes "
        f"fire on the days of the week `{fields[4]}` only, systemd-cron, which wants both, never",
        instead=f"`{minute} {hour} * {month} {without_seven(weekdays)}`, or a day that {months} {have}",
    )


def in_whole(fields: Sequence[str], *, reported: bool) -> Iterator[Problem]:
    """Yield that the line never fires, or fires all through an hour; what the parser refuses besides."""
    line = " ".join(fields)
    try:
        value = parse_cron(" ".join(first_values(fields)))
    except ScheduleError as error:
        if not reported:
            yield Problem(
                severity="error", code="syntax", message=error.message, instead="five plain fields"
            )
        return
    if not fires(value):
        yield Problem(
            severity="error",
            code="never-fires",
            message=f"`{line}`: no such day exists; Debian's cron, cronie and Kubernetes accept the line and never fire",
            instead=_for_no_day(fields),
        )
    elif fields[0] in EACH:
        yield from _every_minute(fields)


def _every_minute(fields: Sequence[str]) -> Iterator[Problem]:
    """Yield that the line fires all through single hours, or all through a single day or month.

    A range of hours or of days is left: there one may want to watch something.
    """
    _, hour, days, month, weekdays = fields
    line = " ".join(fields)
    if hour not in EACH:
        if SINGLE.fullmatch(hour) is None:
            return
        one = hour.isdecimal()
        span = "the hour" if one else "each of these hours"
        once = "in that hour" if one else "in each of these hours"
    elif days not in EACH and weekdays not in EACH:
        return  # told as two days
    elif SINGLE.fullmatch(days) or re.fullmatch("[0-7]|[A-Za-z]{3}", weekdays):
        span, once, hour = "each such day", "on such a day", "0"
    elif {days, weekdays} <= EACH and re.fullmatch("[0-9]+|[A-Za-z]{3}", month):
        span, once, hour, days = "the whole month", "in that month", "0", "1"
    else:
        return
    yield Problem(
        severity="warning",
        code="every-minute",
        message=f"`{line}`: fires in every minute of {span}",
        instead=f"`0 {hour} {days} {month} {without_seven(weekdays)}` for once {once}",
    )


def _for_no_day(fields: Sequence[str]) -> str:
    """Return the advice to say the last day of the months, which is meant where no day of the week stands beside it."""
    if fields[4] == "*":
        return every_month("the last day", first_values(fields))
    return f"a day that exists in the place of `{fields[2]}`"


def _names(months: Iterable[int]) -> str:
    *rest, last = (MONTHS_IN_FULL[month - 1].capitalize() for month in sorted(months))
    return f"{', '.join(rest)} and {last}" if rest else last
