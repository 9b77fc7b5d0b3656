"""What cron, systemd, launchd, Windows and Kubernetes do with a rendered text: every wakeup of a stretch of time.

The models know the text and what the engines are documented or measured to do, and nothing of
ratectl. Where nobody knows (folds on Windows and launchd, gaps on launchd) a wakeup is not sure.
"""

from __future__ import annotations

import calendar
import datetime as dt
import plistlib
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

DAY = 86400
EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
YEARS = (2025, 2030)
"""The models know the clock changes from the first year to the start of the second."""
NS = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
WEEKDAYS = [dt.date(2001, 1, day).strftime("%A") for day in range(1, 8)]
MONTHS = [dt.date(2000, month, 1).strftime("%B") for month in range(1, 13)]


@dataclass(frozen=True, slots=True)
class Rule:
    """Civil times: on each day that *holds*, at the seconds of the day *times*."""

    holds: Callable[[dt.date], bool]
    times: Sequence[int]


@dataclass(frozen=True, slots=True)
class Segment:
    """Unix seconds from *start* up to *end*, during which clocks show Unix time plus *offset*."""

    start: int
    end: int
    offset: int


@dataclass(slots=True)
class Wakeups:
    """Unix seconds at which an engine wakes us: *sure* ones, and all *possible* ones."""

    sure: set[int] = field(default_factory=set)
    possible: set[int] = field(default_factory=set)

    def add(self, instant: int, *, sure: bool) -> None:
        """Count *instant*."""
        self.possible.add(instant)
        if sure:
            self.sure.add(instant)

    def within(self, start: int, end: int) -> Wakeups:
        """Return those from *start* to *end*, both included."""
        return Wakeups(*({i for i in of if start <= i <= end} for of in (self.sure, self.possible)))


@lru_cache(maxsize=64)
def segments(zone: ZoneInfo) -> tuple[Segment, ...]:
    """Return the stretches of constant offset of *zone* in ``YEARS``, found by asking every six hours."""
    first, last = (int(dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp()) for year in YEARS)
    found: list[Segment] = []
    start, old = first, _offset(zone, first)
    for instant in range(first, last, 6 * 3600):
        if _offset(zone, instant) != old:
            low, high = instant - 6 * 3600, instant
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset(zone, middle) == old else (low, middle)
            found.append(Segment(start, high, old))
            start, old = high, _offset(zone, high)
    return (*found, Segment(start, last, old))


def _offset(zone: ZoneInfo, instant: int) -> int:
    shift = dt.datetime.fromtimestamp(instant, zone).utcoffset()
    assert shift is not None
    return int(shift.total_seconds())


@dataclass(frozen=True, slots=True)
class Clocks:
    """What the clocks of *zone* show between the Unix seconds *start* and *end*, both included."""

    zone: ZoneInfo
    start: int
    end: int

    def shown(self, rule: Rule) -> Iterator[tuple[int, str]]:
        """Yield each instant that shows a time of *rule*, and whether that is "once", "first" or "again"."""
        every = segments(self.zone)
        place = bisect_right(every, self.start, key=lambda segment: segment.start) - 1
        while place < len(every) and every[place].start <= self.end:
            now = every[place]
            before = now.offset if place == 0 else every[place - 1].offset
            after = now.offset if place + 1 == len(every) else every[place + 1].offset
            low, high = max(self.start, now.start), min(self.end, now.end - 1)
            for civil in _civil(rule, low + now.offset, high + now.offset):
                kind = "once"
                if civil < now.start + before:
                    kind = "again"
                elif civil >= now.end + after:
                    kind = "first"
                yield civil - now.offset, kind
            place += 1

    def skipped(self, rule: Rule) -> Iterator[tuple[int, int, int]]:
        """Yield for each time of *rule* in a gap the gap's end, and both readings of the time."""
        for old, new in zip(segments(self.zone), segments(self.zone)[1:], strict=False):
            if new.offset > old.offset and self.start <= new.start <= self.end:
                for civil in _civil(rule, new.start + old.offset, new.start + new.offset - 1):
                    yield new.start, civil - old.offset, civil - new.offset

    def ends_of_folds(self) -> list[int]:
        """Return the instants from which on clocks show no more what they showed before they went back."""
        every = segments(self.zone)
        steps = ((new.start, old.offset - new.offset) for old, new in pairwise(every))
        return [start + back for start, back in steps if back > 0]


def _civil(rule: Rule, low: int, high: int) -> Iterator[int]:
    for number in range(low // DAY, high // DAY + 1):
        if rule.holds(dt.date.fromordinal(EPOCH_DAY + number)):
            for time in rule.times:
                if low <= number * DAY + time <= high:
                    yield number * DAY + time


def cron(texts: Sequence[bytes], host_zone: ZoneInfo, start: int, end: int) -> Wakeups:
    """Debian's daemon: a line with a leading star follows elapsed time, any other one the civil times."""
    clocks, found = Clocks(host_zone, start, end), Wakeups()
    for line in texts[0].decode().splitlines():
        if line.startswith("#"):
            continue
        parts = line.split()[:5]
        rule = Rule(_cron_day(parts), _cron_times(parts))
        wildcard = parts[0].startswith("*") or parts[1].startswith("*")
        for instant, kind in clocks.shown(rule):
            if wildcard or kind != "again":
                found.add(instant, sure=True)
        if not wildcard:
            for at, _, _ in clocks.skipped(rule):
                found.add(at, sure=True)
    return found


def _cron_times(parts: Sequence[str]) -> list[int]:
    minutes, hours = _cron_field(parts[0], 0, 59), _cron_field(parts[1], 0, 23)
    return [hour * 3600 + minute * 60 for hour in sorted(hours) for minute in sorted(minutes)]


def _cron_day(parts: Sequence[str]) -> Callable[[dt.date], bool]:
    days, months = _cron_field(parts[2], 1, 31), _cron_field(parts[3], 1, 12)
    weekdays = {day % 7 for day in _cron_field(parts[4], 0, 7)}
    either = not parts[2].startswith("*") and not parts[4].startswith("*")

    def holds(day: dt.date) -> bool:
        by_date, by_weekday = day.day in days, day.isoweekday() % 7 in weekdays
        chosen = (by_date or by_weekday) if either else (by_date and by_weekday)
        return chosen and day.month in months

    return holds


def _cron_field(text: str, low: int, high: int) -> set[int]:
    values: set[int] = set()
    for item in text.split(","):
        span, _, step = item.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        values |= set(range(int(first), int(last or first) + 1, int(step or 1)))
    return values


ON_CALENDAR = re.compile(
    r"(?:(?P<weekdays>[A-Za-z.,]+) )?\*-(?P<months>[^-~ ]+)(?P<way>[-~])(?P<days>\S+) "
    r"(?P<hours>[^: ]+):(?P<minutes>[^: ]+):(?P<seconds>\S+)(?: (?P<zone>\S+))?"
)


def systemd(texts: Sequence[bytes], host_zone: ZoneInfo, start: int, end: int) -> Wakeups:
    """systemd: civil times of the line's zone; those of a gap are skipped, those of a fold come once."""
    found = Wakeups()
    for text in texts:
        for expression in re.findall(r"^OnCalendar=(.*)$", text.decode(), flags=re.MULTILINE):
            rule, zone = on_calendar(expression)
            clocks = Clocks(ZoneInfo(zone) if zone else host_zone, start, end)
            for instant, kind in clocks.shown(rule):
                if kind != "again":
                    found.add(instant, sure=True)
    return found


def on_calendar(expression: str) -> tuple[Rule, str | None]:
    """Return the civil times of an OnCalendar *expression*, and the zone that it names."""
    match = ON_CALENDAR.fullmatch(expression)
    if match is None:
        raise ValueError(f"the model does not read {expression!r}")
    hours, minutes = _dots(match["hours"], 0, 23), _dots(match["minutes"], 0, 59)
    seconds = sorted(_dots(match["seconds"], 0, 59))
    times = [h * 3600 + m * 60 + s for h in sorted(hours) for m in sorted(minutes) for s in seconds]
    months = _dots(match["months"], 1, 12)
    weekdays = _weekday_names(match["weekdays"] or "Mon..Sun")
    from_end, days = match["way"] == "~", match["days"]

    def holds(day: dt.date) -> bool:
        if day.month not in months or day.isoweekday() not in weekdays:
            return False
        length = calendar.monthrange(day.year, day.month)[1]
        return day.day in (_from_the_end(days, length) if from_end else _dots(days, 1, 31))

    return Rule(holds, times), match["zone"]


@lru_cache(maxsize=4096)
def _dots(text: str, low: int, high: int) -> frozenset[int]:
    values: set[int] = set()
    for item in text.split(","):
        span, _, step = item.partition("/")
        first, _, last = (f"{low}..{high}" if span == "*" else span).partition("..")
        top = last or (high if step else first)
        values |= set(range(int(first), int(top) + 1, int(step or 1)))
    return frozenset(values)


@lru_cache(maxsize=4096)
def _from_the_end(text: str, length: int) -> frozenset[int]:
    """Return the days of a month of *length* days that ``~a``, ``~a..b`` or ``~a/n`` names."""
    near, dots, far = text.partition("..")
    if dots:
        return frozenset(range(length - int(far) + 1, length - int(near) + 2))
    first, _, step = text.partition("/")
    start = length - int(first) + 1
    return frozenset(range(start, length + 1, int(step)) if step else (start,))


def _weekday_names(text: str) -> set[int]:
    numbers = {name[:3]: number for number, name in enumerate(WEEKDAYS, start=1)}
    found: set[int] = set()
    for item in text.split(","):
        first, _, last = item.partition("..")
        found |= set(range(numbers[first], numbers[last or first] + 1))
    return found


def launchd(texts: Sequence[bytes], host_zone: ZoneInfo, start: int, end: int) -> Wakeups:
    """launchd: a missing key means every; near clock changes nothing is sure.

    What a repeated hour may have missed is settled by a start at its end, where the text has one.
    """
    values = plistlib.loads(texts[0])
    clocks, found, repeated = Clocks(host_zone, start, end + DAY), Wakeups(), set()
    if "StartInterval" in values:
        _pulse(found, values["StartInterval"], 0, clocks)
    for rule in _plist_rules(values.get("StartCalendarInterval", ())):
        for instant, kind in clocks.shown(rule):
            found.add(instant, sure=kind == "once")
            if kind != "once":
                repeated.add(instant)
        for instants in clocks.skipped(rule):
            found.possible.update(instants)
    ends = clocks.ends_of_folds()
    found.sure |= {i for i in repeated if min(e for e in ends if e > i) in found.sure}
    return found.within(start, end)


def _plist_rules(dicts: Sequence[Mapping[str, int]]) -> Iterator[Rule]:
    times: dict[tuple[int | None, ...], set[int]] = {}
    for keys in dicts:
        day = tuple(keys.get(name) for name in ("Day", "Weekday", "Month"))
        hours = [keys["Hour"]] if "Hour" in keys else range(24)
        minutes = [keys["Minute"]] if "Minute" in keys else range(60)
        times.setdefault(day, set()).update(h * 3600 + m * 60 for h in hours for m in minutes)
    for (number, weekday, month), chosen in times.items():
        yield Rule(_plist_day(number, weekday, month), sorted(chosen))


def _plist_day(
    number: int | None, weekday: int | None, month: int | None
) -> Callable[[dt.date], bool]:
    def holds(day: dt.date) -> bool:
        return (
            (number is None or day.day == number)
            and (weekday is None or day.isoweekday() % 7 == weekday % 7)
            and (month is None or day.month == month)
        )

    return holds


def windows(texts: Sequence[bytes], host_zone: ZoneInfo, start: int, end: int) -> Wakeups:
    """Task Scheduler: repetitions are elapsed time; calendars are local, fire after a gap, and open in a fold."""
    clocks, found = Clocks(host_zone, start, end), Wakeups()
    root = ET.fromstring(texts[0].decode("utf-16"))
    for trigger in root.iterfind(f"{NS}Triggers/*"):
        first = dt.datetime.fromisoformat(trigger.findtext(f"{NS}StartBoundary", ""))
        if trigger.tag == f"{NS}TimeTrigger":
            every = _seconds(trigger.findtext(f"{NS}Repetition/{NS}Interval", ""))
            _pulse(found, every, int(first.timestamp()) % every, clocks)
            continue
        time = first.hour * 3600 + first.minute * 60 + first.second
        rule = Rule(_task_day(trigger, first.date()), (time,))
        more = _repetitions(trigger)
        for instant, kind in Clocks(host_zone, start - DAY, end).shown(rule):
            for later in more:
                found.add(instant + later, sure=kind == "once")
        for at, _, _ in clocks.skipped(rule):
            for later in more:
                found.add(at + later, sure=True)
    return found.within(start, end)


def _repetitions(trigger: Any) -> range:
    """Return the seconds after its start at which a trigger fires; whether at the very end, nobody says."""
    repetition = trigger.find(f"{NS}Repetition")
    if repetition is None:
        return range(1)
    every, length = (
        _seconds(repetition.findtext(f"{NS}{n}", "")) for n in ("Interval", "Duration")
    )
    return range(0, length, every)


def _seconds(duration: str) -> int:
    match = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", duration)
    if match is None:
        raise ValueError(f"{duration!r} is no XML duration")
    return sum(
        int(n or 0) * unit for n, unit in zip(match.groups(), (DAY, 3600, 60, 1), strict=True)
    )


def _task_day(trigger: Any, first: dt.date) -> Callable[[dt.date], bool]:
    """Return on which days a calendar trigger fires that began on *first*."""
    by = next(child for child in trigger if child.tag.startswith(f"{NS}ScheduleBy"))
    kind = by.tag.removeprefix(f"{NS}ScheduleBy")
    names = {child.tag.removeprefix(NS) for child in by.iter()}
    if kind == "Day":
        step = int(by.find(f"{NS}DaysInterval").text)
        return lambda day: (day - first).days % step == 0
    if kind == "Week":
        return lambda day: WEEKDAYS[day.weekday()] in names
    numbers = {child.text for child in by.iter(f"{NS}Day")}
    weeks = {child.text for child in by.iter(f"{NS}Week")}

    def holds(day: dt.date) -> bool:
        if MONTHS[day.month - 1] not in names:
            return False
        length = calendar.monthrange(day.year, day.month)[1]
        if kind == "Month":
            return str(day.day) in numbers or (day.day == length and "Last" in numbers)
        week = str((day.day + 6) // 7) in weeks or (day.day + 7 > length and "Last" in weeks)
        return WEEKDAYS[day.weekday()] in names and week

    return holds


def _pulse(found: Wakeups, every: int, phase: int, clocks: Clocks) -> None:
    """Count the instants of an elapsed grid."""
    for instant in range(clocks.start + (phase - clocks.start) % every, clocks.end + 1, every):
        found.add(instant, sure=True)


CRON_JOB = re.compile(r"^  (schedule|timeZone): '?([^'\n]+)'?$", re.MULTILINE)
FIRST_LOOK = 3 * DAY
"""Seconds before the stretch in which the search is started: from each run it goes on to the next."""


def kubernetes(texts: Sequence[bytes], _host_zone: ZoneInfo, start: int, end: int) -> Wakeups:
    """Kubernetes: the next run is searched from the last one, as robfig/cron v3 does it in ``spec.go``."""
    keys = dict(CRON_JOB.findall(texts[0].decode()))
    search = Robfig(keys["schedule"], ZoneInfo(keys["timeZone"]), end)
    found = Wakeups()
    at = search.after(start - FIRST_LOOK)
    while at is not None:
        if at >= start:
            found.add(at, sure=True)
        at = search.after(at)
    return found


class Robfig:
    """``SpecSchedule.Next`` of robfig/cron v3.0.1, step by step, oddities near clock changes included."""

    def __init__(self, text: str, zone: ZoneInfo, end: int) -> None:
        parts = text.split()
        self.minutes = _cron_field(parts[0], 0, 59)
        self.hours = _cron_field(parts[1], 0, 23)
        self.days = _cron_field(parts[2], 1, 31)
        self.months = _cron_field(parts[3], 1, 12)
        self.weekdays = _cron_field(parts[4], 0, 6)
        self.either = parts[2] != "*" and parts[4] != "*"
        self.segments = segments(zone)
        self.end = end
        self.now, self.added = 0, False

    def after(self, instant: int) -> int | None:
        """Return the first run after *instant*, None where none comes up to the end."""
        self.now, self.added = instant + 1, False
        steps = (self._to_month, self._to_day, self._to_hour, self._to_minute, self._to_second)
        while self.now <= self.end:
            if all(step() for step in steps):  # one that wraps around begins anew
                return self.now
        return None

    def _to_month(self) -> bool:
        while (day := self.shown(self.now)[0]).month not in self.months:
            if not self.added:
                self.now, self.added = self.at(day.replace(day=1), 0), True
            later = _month_later(self.shown(self.now)[0])
            self.now = self.at(later, 0)
            if later.month == 1:
                return False
        return True

    def _to_day(self) -> bool:
        while not self._on(day := self.shown(self.now)[0]):
            if not self.added:
                self.now, self.added = self.at(day, 0), True
            self.now = self._day_later(self.now)
            if self.shown(self.now)[0].day == 1:
                return False
        return True

    def _to_hour(self) -> bool:
        while (shown := self.shown(self.now))[1] not in self.hours:
            if not self.added:
                self.now, self.added = self.at(shown[0], shown[1]), True
            self.now += 3600
            if self.shown(self.now)[1] == 0:
                return False
        return True

    def _to_minute(self) -> bool:
        while (shown := self.shown(self.now))[2] not in self.minutes:
            self.now, self.added = self.now - shown[3] + 60, True
            if self.shown(self.now)[2] == 0:
                return False
        return True

    def _to_second(self) -> bool:
        second = self.shown(self.now)[3]
        if second:
            self.now, self.added = self.now - second + 60, True
        return second == 0

    def _on(self, day: dt.date) -> bool:
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (by_date or by_weekday) if self.either else (by_date and by_weekday)

    def _day_later(self, at: int) -> int:
        day, hour, minute, second = self.shown(at)
        at = self.at(day + dt.timedelta(days=1), hour, minute * 60 + second)
        hour = self.shown(at)[1]
        if hour:
            at += (24 - hour) * 3600 if hour > 12 else -hour * 3600
        return at

    def shown(self, at: int) -> tuple[dt.date, int, int, int]:
        """Return what clocks show at the Unix second *at*."""
        days, rest = divmod(at + self._segment(at).offset, DAY)
        day = dt.date.fromordinal(EPOCH_DAY + days)
        return day, rest // 3600, rest // 60 % 60, rest % 60

    def at(self, day: dt.date, hour: int, seconds: int = 0) -> int:
        """Return what Go's ``time.Date`` makes of a civil time, also of one that is skipped or comes twice."""
        civil = (day.toordinal() - EPOCH_DAY) * DAY + hour * 3600 + seconds
        guess = self._segment(civil)
        if guess.start <= civil - guess.offset < guess.end or not guess.offset:
            return civil - guess.offset
        return civil - self._segment(civil - guess.offset).offset

    def _segment(self, at: int) -> Segment:
        place = bisect_right(self.segments, at, key=lambda segment: segment.start) - 1
        return self.segments[max(place, 0)]


def _month_later(day: dt.date) -> dt.date:
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


MODELS = {
    "cron": cron,
    "kubernetes": kubernetes,
    "launchd": launchd,
    "systemd": systemd,
    "windows": windows,
}
