"""Calendar -> the five time fields of a crontab line.

Debian's daemon reads a minute or hour field that begins with ``*`` as elapsed
time (both passes of a fold, nothing in a gap) and any other as wall-clock time,
so the spelling carries ``Calendar.running``. Never both day fields at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.backends.fields import Series, series
from ratectl.schedule.calendar import DAYS, HOURS, MINUTES, MONTHS, WEEKDAYS

if TYPE_CHECKING:
    from ratectl.schedule.calendar import Calendar


def spell(calendar: Calendar) -> str:
    """Return *calendar* as ``minute hour day month weekday``."""
    assert calendar.seconds == frozenset({0}), calendar
    assert not calendar.nth, calendar
    assert calendar.stride is None, calendar
    assert calendar.days == DAYS or calendar.weekdays == WEEKDAYS, calendar
    assert min(calendar.days) >= 1, calendar
    star = calendar.running
    fields = (
        _field(calendar.minutes, MINUTES, star=star),
        _field(calendar.hours, HOURS, star=star),
        _field(calendar.days, DAYS, star=True),
        _field(calendar.months, MONTHS, star=True),
        _field({day % 7 for day in calendar.weekdays}, {day % 7 for day in WEEKDAYS}, star=True),
    )
    assert star == (fields[0].startswith("*") or fields[1].startswith("*")), calendar
    return " ".join(fields)


def _field(
    values: frozenset[int] | set[int], full: frozenset[int] | set[int], *, star: bool
) -> str:
    if star and values == full:
        return "*"
    runs = series(values)
    low, high = min(full), max(full)
    only = runs[0]
    if star and len(runs) == 1 and only.first == low and only.step > 1 and _reaches(only, high):
        return f"*/{only.step}"
    return ",".join(_text(run) for run in runs)


def _reaches(run: Series, high: int) -> bool:
    return run.last + run.step > high


def _text(run: Series) -> str:
    if run.first == run.last:
        return str(run.first)
    if run.step > 1:
        return f"{run.first}-{run.last}/{run.step}"
    return f"{run.first}-{run.last}"
