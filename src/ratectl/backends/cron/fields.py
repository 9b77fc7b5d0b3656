"""Calendar -> the five time fields of a crontab line.

Debian's daemon reads a minute or hour field that begins with ``*`` as elapsed
time (both passes of a fold, nothing in a gap) and any other as wall-clock time,
so the spelling carries ``Calendar.running``. Never both day fields at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.backends.number_runs import Series, series
from ratectl.schedule.values import DAYS, HOURS, MINUTES, MONTHS, WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from ratectl.schedule.values import Calendar


def spell(calendar: Calendar) -> str:
    """Return *calendar* as ``minute hour day month weekday``."""
    assert calendar.seconds == frozenset({0}), calendar
    assert not calendar.nth_weekday, calendar
    assert calendar.stride is None, calendar
    assert calendar.days == DAYS or calendar.weekdays == WEEKDAYS, calendar
    assert min(calendar.days) >= 1, calendar
    star = calendar.elapsed_time
    fields = (
        _field(calendar.minutes, MINUTES, star=star),
        _field(calendar.hours, HOURS, star=star),
        "*" if calendar.days == DAYS else _list(calendar.days),
        "*" if calendar.months == MONTHS else _list(calendar.months),
        "*" if calendar.weekdays == WEEKDAYS else _list({day % 7 for day in calendar.weekdays}),
    )
    assert star == (fields[0].startswith("*") or fields[1].startswith("*")), calendar
    return " ".join(fields)


def _field(values: AbstractSet[int], full: AbstractSet[int], *, star: bool) -> str:
    if star and values == full:
        return "*"
    if star and (step := _step_of_all(values, full)):
        return f"*/{step}"
    return _list(values)


def _list(values: Iterable[int]) -> str:
    return ",".join(_text(run) for run in series(values))


def _step_of_all(values: AbstractSet[int], full: AbstractSet[int]) -> int | None:
    """Return n where ``*/n`` means exactly *values*."""
    first, *rest = sorted(values)
    if not rest or first != min(full):
        return None
    step = rest[0] - first
    return step if values == set(range(first, max(full) + 1, step)) else None


def _text(run: Series) -> str:
    if run.first == run.last:
        return str(run.first)
    if run.step > 1:
        return f"{run.first}-{run.last}/{run.step}"
    return f"{run.first}-{run.last}"
