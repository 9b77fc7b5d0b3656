"""When: schedule texts to values, values to slots. Knows no job, no OS, no clock, no I/O.

``cover`` and ``explain`` are imported from their own modules, so that a firing does not load them.
"""

from __future__ import annotations

from ratectl.schedule.language.parse import parse
from ratectl.schedule.occurrences.slots import after, before
from ratectl.schedule.values import Calendar, Gaps, Interval, Once, Schedule, Union, Window

__all__ = [
    "Calendar",
    "Gaps",
    "Interval",
    "Once",
    "Schedule",
    "Union",
    "Window",
    "after",
    "before",
    "parse",
]
