"""What a property list of launchd says: when to start, in dicts that are combinations of fields.

In a calendar dict a missing field means "every", so ``Minute`` is always there, and ``Day`` and
``Weekday`` never stand in one dict, since launchd would then start on either.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from ratectl.schedule.cover.triggers import CalendarTrigger, FixedInterval
from ratectl.schedule.values import DAYS, HOURS, MONTHS, WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ratectl.schedule.cover.triggers import Trigger
    from ratectl.schedule.values import Calendar


def load(data: bytes) -> dict[str, Any]:
    """Return the keys of a property list, none where *data* is something else."""
    import plistlib  # noqa: PLC0415 - and its XML: only for lists that are there
    from xml.parsers.expat import ExpatError  # noqa: PLC0415 - the same

    try:
        values = plistlib.loads(data)
    except (plistlib.InvalidFileException, ExpatError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def dump(values: dict[str, Any]) -> bytes:
    """Return the property list of *values*."""
    import plistlib  # noqa: PLC0415 - see above

    return plistlib.dumps(values, sort_keys=True)


def starts(triggers: Sequence[Trigger]) -> dict[str, Any]:
    """Return the keys that say when: calendar dicts, or an interval where a pulse was asked for."""
    dicts: list[dict[str, int]] = []
    keys: dict[str, Any] = {}
    for trigger in triggers:
        if isinstance(trigger, FixedInterval):
            assert trigger.every == 60, trigger  # any other phase would be launchd's own choice
            keys["StartInterval"] = 60
            continue
        assert isinstance(trigger, CalendarTrigger), trigger
        assert trigger.zone is None, trigger
        dicts += [entry for entry in _product(trigger.calendar) if entry not in dicts]
    assert len(dicts) <= 499, len(dicts)
    return keys | ({"StartCalendarInterval": dicts} if dicts else {})


def _product(calendar: Calendar) -> Iterator[dict[str, int]]:
    """Yield one dict for each combination of the restricted fields."""
    assert calendar.seconds == frozenset({0}), calendar
    assert not calendar.nth_weekday, calendar
    assert calendar.stride is None, calendar
    assert calendar.days == DAYS or calendar.weekdays == WEEKDAYS, calendar
    assert min(calendar.days) >= 1, calendar
    fields = {
        "Month": calendar.months if calendar.months != MONTHS else (),
        "Day": calendar.days if calendar.days != DAYS else (),
        "Weekday": calendar.weekdays if calendar.weekdays != WEEKDAYS else (),
        "Hour": calendar.hours if calendar.hours != HOURS else (),
        "Minute": calendar.minutes,
    }
    names = [name for name, values in fields.items() if values]
    for values in itertools.product(*(sorted(fields[name]) for name in names)):
        yield dict(zip(names, values, strict=True))


def texts(values: dict[str, Any]) -> Iterator[str]:
    """Yield each start as one line of text."""
    if "StartInterval" in values:
        yield f"StartInterval {values['StartInterval']}"
    for entry in values.get("StartCalendarInterval", ()):
        yield " ".join(f"{key}={value}" for key, value in entry.items())
