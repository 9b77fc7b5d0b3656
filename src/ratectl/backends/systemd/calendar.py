"""Calendar -> OnCalendar expressions, as systemd 239 and later reads them.

The expressions of one calendar denote together exactly its civil times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.backends.number_runs import Series, series
from ratectl.schedule.values import DAYS, HOURS, MINUTES, MONTHS, SECONDS, WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.schedule.values import Calendar

_WEEKDAYS = ("", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEK_OF_MONTH = {
    1: "-01..07",
    2: "-08..14",
    3: "-15..21",
    4: "-22..28",
    5: "-29..31",
    -1: "~07/1",
    -2: "~08..14",
    -3: "~15..21",
    -4: "~22..28",
}
"""Days of the month; those before its end are read up to the 28th."""


def spell(calendar: Calendar, zone: str | None) -> tuple[str, ...]:
    """Return the expressions of *calendar* in the IANA *zone*, or in the host's where None."""
    assert calendar.stride is None, calendar
    weekdays = "" if calendar.weekdays == WEEKDAYS else f"{_weekdays(calendar.weekdays)} "
    months = _field(calendar.months, MONTHS)
    time = ":".join(
        (
            _field(calendar.hours, HOURS),
            _field(calendar.minutes, MINUTES),
            _field(calendar.seconds, SECONDS),
        )
    )
    suffix = f" {zone}" if zone else ""
    return tuple(f"{weekdays}*-{months}{day} {time}{suffix}" for day in _days(calendar))


def _days(calendar: Calendar) -> Iterator[str]:
    """Yield the day parts with their separator, ``-`` from the start or ``~`` from the end of the month."""
    if calendar.nth_weekday:
        assert calendar.days == DAYS, calendar
        for week in sorted(calendar.nth_weekday, key=lambda n: (n < 0, abs(n))):
            yield _WEEK_OF_MONTH[week]
        return
    if numbered := calendar.days & DAYS:
        yield f"-{_field(numbered, DAYS)}"
    if numbered != DAYS:
        yield from (f"~{-day:02}" for day in sorted(calendar.days - DAYS, reverse=True))


def _field(values: frozenset[int], full: frozenset[int]) -> str:
    if values == full:
        return "*"
    return ",".join(_text(run) for run in series(values))


def _text(run: Series) -> str:
    """Spell a run with both its ends.

    systemd 252 gives up ("Resource deadlock avoided") on the open form ``00/2`` of
    an hour field on a day whose gap swallows the first hour; ``00..22/2`` it reads.
    """
    if run.first == run.last:
        return f"{run.first:02}"
    if run.step == 1:
        return f"{run.first:02}..{run.last:02}"
    return f"{run.first:02}..{run.last:02}/{run.step}"


def _weekdays(days: frozenset[int]) -> str:
    parts = []
    for run in (
        series(days) if _consecutive(days) else (Series(first=d, last=d) for d in sorted(days))
    ):
        names = _WEEKDAYS[run.first], _WEEKDAYS[run.last]
        parts.append(names[0] if run.first == run.last else "..".join(names))
    return ",".join(parts)


def _consecutive(days: frozenset[int]) -> bool:
    return all(run.step == 1 for run in series(days))
