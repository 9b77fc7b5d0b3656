"""Schedule value + zones + what an engine can say -> native triggers, labelled exact or guarded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal

from ratectl.schedule.calendar import Calendar, Schedule, Union, Window

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


class Fidelity(Enum):
    """How tightly the wakeups of a cover enclose the slots."""

    EXACT = "exact"
    GUARDED = "guarded"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What an engine can say in one trigger, and what it does when clocks change."""

    zones: bool = False
    """A trigger can name any IANA zone."""
    utc: bool = False
    """A trigger can be meant in UTC, whatever the host's zone."""
    seconds: bool = False
    last_day: bool = False
    """The last day of the month can be said."""
    nth: frozenset[int] = frozenset()
    """Which occurrences of ONE weekday in the month can be said (1 to 5, -1 the last)."""
    both_days: bool = False
    """Days of the month AND weekdays restrict one trigger together."""
    day_strides: bool = False
    """Every n-th day from a date can be said."""
    pulses: bool = False
    """Every n seconds of elapsed time from a fixed instant can be said (n a whole number of minutes)."""
    gap: Literal["after", "skip", "unknown"] = "unknown"
    """A civil time that a clock change skips: fires at the first instant after, not at all, or nobody knows."""
    fold: Literal["cron", "first", "unknown"] = "unknown"
    """A civil time that comes twice: cron's rule (running twice, others once), the first only, or nobody knows."""
    most: int | None = None
    """The most triggers that one job may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The civil times of *calendar* in the IANA *zone*; None is the host's local time."""

    calendar: Calendar
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The instants whose Unix time leaves *phase* when divided by *every* (both in seconds)."""

    every: int
    phase: int = 0


Trigger = Line | Pulse


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Native triggers that wake us at or within a minute after every slot, or the refusal to give any."""

    fidelity: Fidelity
    reason: str = ""
    """Why it is not exact; empty when it is."""
    triggers: tuple[Trigger, ...] = ()


def cover(schedule: Schedule, zone: ZoneInfo, host_zone: ZoneInfo, engine: Abilities) -> Cover:
    """Return the tightest cover of *schedule*, meant in *zone*, that *engine* on a host in *host_zone* can say.

    A line with ``zone=None`` is meant in the host's zone; a zone is named only where the engine can.
    """
    del host_zone, engine
    value = schedule.inner if isinstance(schedule, Window) else schedule
    members = value.members if isinstance(value, Union) else (value,)
    lines = tuple(Line(calendar=m) for m in members if isinstance(m, Calendar))
    return Cover(fidelity=Fidelity.EXACT, triggers=lines)
