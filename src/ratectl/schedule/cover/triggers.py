"""The vocabulary between schedules and engines: what an engine can say, and what we ask it to say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal

from ratectl.schedule.values import Calendar


class Fidelity(Enum):
    """How tightly the wakeups of a cover enclose the slots."""

    EXACT = "exact"
    GUARDED = "guarded"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an engine can say in one trigger, and what it does when clocks change."""

    zones: bool = False
    """A trigger can name any IANA zone, UTC included."""
    seconds: bool = False
    last_days: int = 0
    """How many days, counted from the end of the month, can be said: with 2 the last one and the one before."""
    nth_weekday: frozenset[int] = frozenset()
    """Which occurrences of ONE weekday in the month can be said (1 to 5, -1 the last, -2 the one before)."""
    both_days: bool = False
    """Days of the month AND weekdays restrict one trigger together."""
    longest_stride: int = 0
    """Every n-th day from a date can be said up to this n; 0: not at all."""
    pulses: bool = False
    """Every n minutes of elapsed time from a fixed instant can be said."""
    gap: Literal["after", "skip", "unknown"] = "unknown"
    """A civil time that a clock change skips: fires at the first instant after, not at all, or nobody knows."""
    fold: Literal["cron", "first", "both", "unknown"] = "unknown"
    """A civil time that comes twice: cron's rule (running twice, others once), the first only, both, or nobody knows."""
    repetitions: bool = False
    """A trigger can be repeated every n minutes of elapsed time, for so long."""
    max_triggers: int | None = None
    """The most triggers that one job may have, each for a single time of day."""
    days_multiply: bool = False
    """Each day of the month, weekday and month needs a trigger of its own."""
    one_line: bool = False
    """A job has a single line: one set of minutes, hours, days and months says it all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarTrigger:
    """The civil times of *calendar* in the IANA *zone*; None is the host's local time."""

    calendar: Calendar
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedInterval:
    """The instants whose Unix time leaves *phase* when divided by *every* (both in seconds)."""

    every: int
    phase: int = 0


Trigger = CalendarTrigger | FixedInterval
EVERY_MINUTE = FixedInterval(every=60)
"""The coarsest cover of all, which every engine can say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Native triggers that wake us at or within a minute after every slot, or the refusal to give any."""

    fidelity: Fidelity
    reason: str = ""
    """Why it is not exact; empty when it is."""
    triggers: tuple[Trigger, ...] = ()

    @property
    def each_minute(self) -> bool:
        """The engine comes back within a minute, whatever became of a wakeup."""
        return any(
            trigger == EVERY_MINUTE
            or (
                isinstance(trigger, CalendarTrigger)
                and replace(trigger.calendar, seconds=frozenset({0}), elapsed_time=False)
                == Calendar()
            )
            for trigger in self.triggers
        )
