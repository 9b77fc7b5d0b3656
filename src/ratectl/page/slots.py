"""How the slots of a job went, day by day on its own clocks: the strip of 90 days, the calendar, and how many were on time."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ratectl.page.reading import JobPage

COURSES = (
    "on time",
    "late",
    "backfilled",
    "closed",
    "open",
    "held",
    "failed",
    "missed",
)
"""How slots go, the better first; a day is shown as the worst of its own."""
DUE, NONE, BEFORE = "due", "no slot", "before the installation"
DAYS = 90
WEEKS = 53
DAY = dt.timedelta(days=1)


class Day(NamedTuple):
    """One day of a job."""

    date: dt.date
    course: str
    """The worst of its slots; else DUE, NONE or BEFORE."""
    summary: str
    """In words: ``2026-11-23: 23 on time, 1 late``."""


class Slots:
    """The days of one job."""

    def __init__(self, page: JobPage, now: dt.datetime) -> None:
        self._zone = page.job.zone
        self.today = now.astimezone(self._zone).date()
        self._installed = page.installed_at.astimezone(self._zone).date()
        self._due = {slot.astimezone(self._zone).date() for slot in page.upcoming}
        self._days: dict[dt.date, Counter[str]] = {}
        for outcome in page.outcomes:
            self._add(outcome.quarter, outcome.outcome, outcome.number)
        for slot in page.gaps:
            self._add(slot, "missed")
        for answer in page.quarantined:
            self._hold(answer.slot)

    def _add(self, slot: dt.datetime, course: str, number: int = 1) -> None:
        day = slot.astimezone(self._zone).date()
        known = course if course in COURSES else "open"  # a shared journal may say anything
        self._days.setdefault(day, Counter())[known] += number

    def _hold(self, slot: dt.datetime) -> None:
        """Count the slot of a held answer as that, and not as the failure which it led to besides."""
        day = self._days.setdefault(slot.astimezone(self._zone).date(), Counter())
        if day["failed"]:
            day["failed"] -= 1
        day["held"] += 1

    def strip(self) -> list[Day]:
        """Return the last 90 days, the oldest first."""
        return [self.day(self.today - DAY * number) for number in reversed(range(DAYS))]

    def calendar(self) -> list[Day]:
        """Return the days of the last 53 weeks, from a Monday to the coming Sunday."""
        sunday = self.today + DAY * (6 - self.today.weekday())
        return [self.day(sunday - DAY * number) for number in reversed(range(7 * WEEKS))]

    def day(self, date: dt.date) -> Day:
        """Return one day."""
        courses = +self._days.get(date, Counter())
        if courses:
            worst = max(courses, key=COURSES.index)
            return Day(date, worst, f"{date}: {_counted(courses)}")
        if date in self._due:
            return Day(date, DUE, f"{date}: {DUE}")
        course = BEFORE if date < self._installed and date <= self.today else NONE
        return Day(date, course, f"{date}: {course}")

    def on_time(self) -> str:
        """Return how many of the last 90 days' slots were on time, rounded down; empty where there was none.

        Closed days are nobody's fault, and what was brought in for the time before the installation was no slot.
        """
        since = max(self._installed, self.today - DAY * (DAYS - 1))
        counts: Counter[str] = Counter()
        for date, courses in self._days.items():
            if date >= since:
                counts += courses
        judged = sum(counts.values()) - counts["closed"] - counts["open"]
        return f"{100 * counts['on time'] // judged} %" if judged else ""

    def summary(self) -> str:
        """Return the last 90 days in words."""
        since = self.today - DAY * (DAYS - 1)
        counts: Counter[str] = Counter()
        for date, courses in self._days.items():
            if since <= date <= self.today:
                counts += courses
        return _counted(counts) or "no slot"

    def years(self) -> list[tuple[int, str]]:
        """Return each year in words, the newest first."""
        years: dict[int, Counter[str]] = {}
        for date, courses in self._days.items():
            years.setdefault(date.year, Counter()).update(courses)
        return [(year, _counted(years[year])) for year in sorted(years, reverse=True)]


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[name]:,} {name}" for name in COURSES if counts.get(name))
