"""Sixty schedules as people have them: in the zone of the machine, and in the zones of offices and exchanges abroad."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import takewhile
from zoneinfo import ZoneInfo

from ratectl import schedule
from tests.law.cases import Case
from tests.support.engine_models import MODELS

HOST = "America/New_York"
AT_HOME = (
    "every day at 09:00",
    "every day at 06:30",
    "every day at 00:00",
    "every day at 23:55",
    "every day at 16:15",
    "every day at 01:30",
    "every day at 02:30",
    "every day at 08:00 and 17:00",
    "every day at 06:00, 12:00 and 18:00",
    "every weekday at 09:00",
    "every weekday at 16:30",
    "every weekday at 17:05",
    "every weekday at 08:00, 12:00 and 16:00",
    "every hour between 09:00 and 17:00 on weekdays",
    "every hour",
    "every hour at :17",
    "every hour at :05",
    "every 2 hours",
    "every 3 hours",
    "every 4 hours",
    "every 6 hours",
    "every 12 hours",
    "every 15 minutes",
    "every 30 minutes",
    "every 15 minutes between 09:00 and 17:30",
    "every 30 minutes between 08:00 and 18:00",
    "every 10 minutes",
    "every 5 minutes",
    "every 90 minutes",
    "every 45 minutes",
    "every monday at 08:00",
    "every friday at 17:00",
    "every sunday at 20:00",
    "every monday and thursday at 10:00",
    "every 2 weeks on friday at 16:00",
    "every month on the 1st at 06:00",
    "every month on the 15th at 12:00",
    "every month on the last day at 18:00",
    "every month on the last weekday at 17:00",
    "every month on the last friday at 17:00",
    "every month on the first monday at 09:00",
    "every month on the second tuesday at 10:00",
    "every month on the third friday at 16:00",
    "every 3 months on the 1st at 07:00",
    "every year on january 1 at 00:30",
    "every 2 days at 07:00",
    "30 9 * * 1-5",
    "*/20 * * * *",
    "0 18 * * 0",
    "5 0 1 * *",
)
ABROAD = (
    ("every day at 16:30", "Europe/London"),
    ("every weekday at 16:15", "Europe/Berlin"),
    ("every weekday at 10:30", "Asia/Kolkata"),
    ("every day at 10:30", "Asia/Kolkata"),
    ("every day at 09:55", "Asia/Tokyo"),
    ("every weekday at 17:00", "Australia/Sydney"),
    ("every hour", "Asia/Kolkata"),
    ("every month on the last friday at 16:00", "Europe/London"),
    ("every monday at 08:00", "Europe/Paris"),
    ("every day at 00:00", "UTC"),
)
CASES = tuple(
    Case(texts=(text,), start="", end="", zone=zone, host_zone=HOST)
    for text, zone in (*((text, HOST) for text in AT_HOME), *ABROAD)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How often *engine* wakes the job of *case*."""

    case: Case
    engine: str
    per_slot: float
    idle_a_day: float
    """Wakeups without a slot."""


def counted(case: Case, engine: str, start: int, end: int) -> Count:
    """Return the wakeups of *case* on *engine* between two instants; no slot counts as one."""
    _exact, texts = case.rendered(engine)
    found = MODELS[engine](texts, ZoneInfo(case.host_zone), start, end)
    since = dt.datetime.fromtimestamp(start - 1, dt.UTC)
    stream = schedule.after(case.schedule, ZoneInfo(case.zone), since)
    slots = sum(1 for _ in takewhile(lambda slot: slot.timestamp() <= end, stream))
    wakeups = len(found.sure | found.possible)
    return Count(
        case=case,
        engine=engine,
        per_slot=wakeups / max(slots, 1),
        idle_a_day=(wakeups - slots) * 86400 / (end - start),
    )
