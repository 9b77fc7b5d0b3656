"""Random jobs for ``prove.py``, from the whole schedule language, and the texts that engines get for them.

A case depends on its seed and number alone. Times lie more often than not where clocks change.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ratectl import schedule
from ratectl.backends import BACKENDS
from ratectl.backends.host import Host
from ratectl.errors import ScheduleError
from ratectl.model.cluster import Cluster
from ratectl.model.job import Job
from ratectl.schedule.cover.triggers import Fidelity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ZONES = (
    "UTC", "America/New_York", "Europe/London", "Asia/Kolkata", "Asia/Kathmandu",
    "Australia/Lord_Howe", "Africa/Casablanca", "Africa/Cairo", "America/Santiago",
    "Pacific/Apia", "Pacific/Kiritimati", "America/St_Johns", "Pacific/Auckland",
    "Pacific/Chatham", "America/Havana", "Asia/Beirut", "Europe/Dublin",
)  # fmt: skip
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
PLACES = ("first", "second", "third", "fourth", "fifth", "last")
PLACES_FROM_THE_END = tuple(f"{place} to last" for place in PLACES[1:-1])
MACROS = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One job: schedule *texts* within *start* and *end*, meant in *zone*, on a host in *host_zone*."""

    texts: tuple[str, ...]
    start: str
    end: str
    zone: str
    host_zone: str

    @property
    def schedule(self) -> schedule.Schedule:
        """The value of the texts. Raises ScheduleError."""
        return schedule.parse(self.texts, start=self.start, end=self.end)

    def rendered(self, engine: str) -> tuple[bool, list[bytes]]:
        """Return whether the cover is exact, and the native texts of the job."""
        backend, host_zone = BACKENDS[engine], ZoneInfo(self.host_zone)
        job = Job(
            name="proof",
            pairs=(),
            schedule_texts=self.texts,
            start=self.start,
            end=self.end,
            timezone=self.zone,
            providers=(),
            outputs=(),
            journal="postgresql://proof@db.example/rates",
            kubernetes=Cluster(image="registry.example/ratectl:1"),
        )
        found = backend.check(job, host_zone)
        artefacts = backend.render(job, found, _host(host_zone), "user")
        texts = [artefact.data for artefact in artefacts if not artefact.name.endswith(".service")]
        return found.fidelity is Fidelity.EXACT, texts


def _host(zone: ZoneInfo) -> Host:
    return Host(
        platform="linux",
        zone=zone,
        fetch=("/opt/ratectl/fetch",),
        state_dir=Path("/home/tester/.local/state/ratectl"),
        state_is_default=True,
        user="tester",
        home=Path("/home/tester"),
        config_home=Path("/home/tester/.config"),
        data_home=Path("/home/tester/.local/share"),
        root=False,
    )


def draw(seed: int, number: int) -> Case:
    """Return the case *number* of *seed*, which fires at least once."""
    rng = random.Random(f"{seed}/{number}")  # noqa: S311 - reproducible on purpose
    while True:
        texts = tuple(_text(rng) for _ in range(rng.choice((1, 1, 1, 1, 2, 3))))
        start, end = _bounds(rng) if rng.random() < 0.2 else ("", "")
        zone = rng.choice(ZONES)
        host_zone = zone if rng.random() < 0.25 else rng.choice(ZONES)
        case = Case(texts=texts, start=start, end=end, zone=zone, host_zone=host_zone)
        try:
            _ = case.schedule
        except ScheduleError:
            continue
        return case


def _bounds(rng: random.Random) -> tuple[str, str]:
    second = rng.choice(("", "", "", ":20"))
    start = f"{_date(rng, 2026)}T{_clock(rng)}{second}"
    end = f"{_date(rng, 2028)}T{_clock(rng)}"
    return rng.choice(((start, ""), ("", end), (start, end)))


def _date(rng: random.Random, year: int) -> str:
    return f"{year}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def _text(rng: random.Random) -> str:
    if rng.random() < 0.35:
        return rng.choice(MACROS) if rng.random() < 0.05 else cron_line(rng)
    return rng.choice(PHRASES)(rng)


def cron_line(rng: random.Random) -> str:
    """Return five fields, each of which is read by Debian's crontab."""
    return " ".join(_field(rng, low, high) for low, high in FIELDS)


def _field(rng: random.Random, low: int, high: int) -> str:
    if rng.random() < (0.2 if high in {59, 23} else 0.6):
        return "*"
    top = high if high != 23 or rng.random() < 0.5 else 4
    kind = rng.randrange(6)
    if kind == 0:
        return f"*/{rng.randint(2, (high - low) // 2)}"
    if kind <= 2:
        return str(rng.randint(low, top))
    if kind == 3:
        return ",".join(str(n) for n in rng.sample(range(low, top + 1), rng.randint(2, 4)))
    first, last = sorted(rng.sample(range(low, top + 1), 2))
    span = f"{first}-{last}"
    if kind == 4 and last - first > 1:
        return f"{span}/{rng.randint(2, last - first)}"
    return span if kind == 5 else f"{span},{rng.randint(low, top)}"


def _clock(rng: random.Random) -> str:
    hour = rng.choice((rng.randint(0, 23), rng.randint(0, 3), rng.choice((0, 1, 2, 23))))
    return f"{hour:02}:{rng.choice((0, 15, 30, 45, rng.randint(0, 59))):02}"


def _time(rng: random.Random) -> str:
    clock = _clock(rng)
    return f"{clock}:{rng.randint(1, 59):02}" if rng.random() < 0.15 else clock


def _list(rng: random.Random, one: Callable[[random.Random], str], most: int = 3) -> str:
    found = [one(rng) for _ in range(rng.randint(1, most))]
    *rest, last = dict.fromkeys(found)
    return f"{', '.join(rest)} and {last}" if rest else last


def _maybe(rng: random.Random, text: str, chance: float = 0.5) -> str:
    return f" {text}" if rng.random() < chance else ""


def _at(rng: random.Random, chance: float = 0.85) -> str:
    return _maybe(rng, f"at {_list(rng, _time)}", chance)


def _weekdays(rng: random.Random) -> str:
    if rng.random() < 0.4:
        return rng.choice(("weekdays", "weekend"))
    return _list(rng, lambda rng: rng.choice(WEEKDAYS), 4)


def _in(rng: random.Random, chance: float = 0.2) -> str:
    return _maybe(rng, f"in {_list(rng, lambda rng: rng.choice(MONTHS))}", chance)


def _count(rng: random.Random, unit: str, counts: Sequence[int]) -> str:
    count = rng.choice(counts)
    return f"every {unit}" if count == 1 else f"every {count} {unit}s"


def _interval(rng: random.Random) -> str:
    unit, most = rng.choice((("second", 200), ("minute", 200), ("minute", 59), ("hour", 60)))
    return f"every {rng.randint(2, most)} {unit}s"


def _gaps(rng: random.Random) -> str:
    first, last = sorted(rng.sample(range(2, 40), 2))
    return f"every {first} to {last} {rng.choice(('second', 'minute', 'hour', 'day'))}s"


def _grid(rng: random.Random) -> str:
    counts = {"second": (5, 10, 15, 20, 30, 45), "minute": (1, 2, 5, 10, 15, 20, 30, 45, 90)}
    unit = rng.choice(("second", "minute", "minute", "hour"))
    text = _count(rng, unit, counts.get(unit, (1, 2, 3, 4, 6, 8, 12)))
    days = f"on {_weekdays(rng)}" if rng.random() < 0.7 else f"on the {_list(rng, _ordinal, 2)}"
    return text + _maybe(rng, days, 0.3) + _in(rng, 0.15)


def _within(rng: random.Random) -> str:
    text = _count(rng, *rng.choice((("hour", (1, 1, 2, 3, 4, 6)), ("minute", (1, 5, 15)))))
    places = _list(rng, lambda rng: f":{rng.randint(0, 59):02}")
    return f"{text} at {places}{_maybe(rng, f'on {_weekdays(rng)}', 0.2)}"


def _between(rng: random.Random) -> str:
    first, last = sorted((_clock(rng), _clock(rng)))
    step = _count(rng, *rng.choice((("minute", (1, 5, 7, 15, 30, 50)), ("hour", (1, 2, 3)))))
    days = _maybe(rng, f"on {_weekdays(rng)}", 0.4)
    return f"{step} between {first} and {last}{days}{_in(rng)}"


def _days(rng: random.Random) -> str:
    subject = rng.choice(("day", "day", "weekday", "weekend day", "week", *WEEKDAYS))
    left_out = _maybe(rng, f"except on {rng.choice(WEEKDAYS)}", 0.15)
    return f"every {subject}{_in(rng)}{_at(rng)}{left_out}"


def _strides(rng: random.Random) -> str:
    if rng.random() < 0.5:
        return f"every {rng.choice((2, 3, 4, 7, 10))} days{_at(rng)}"
    return f"every {rng.choice((2, 3, 4))} weeks{_maybe(rng, f'on {_weekdays(rng)}')}{_at(rng)}"


def _dates(rng: random.Random) -> str:
    unit = rng.choice(("month", "month", "quarter", "year"))
    months = _in(rng, 0.3)
    text = f"every {unit}" if months else _count(rng, unit, (1, 1, 1, 2, 3, 5))
    return f"{text}{_maybe(rng, f'on the {_list(rng, _ordinal)}', 0.9)}{months}{_at(rng)}"


def _ordinal(rng: random.Random) -> str:
    if rng.random() < 0.4:
        number = rng.choice((1, 2, 15, 28, 29, 30, 31, rng.randint(1, 31)))
        ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        return f"{number}{'th' if 10 < number < 14 else ending}"
    if rng.random() < 0.3:
        return rng.choice(("last day", "last weekday", "first weekday", _before_the_last(rng)))
    return f"{rng.choice((*PLACES, *PLACES_FROM_THE_END))} {rng.choice(WEEKDAYS)}"


def _before_the_last(rng: random.Random) -> str:
    """Return a day that is counted from the end of the month."""
    number = rng.choice((2, 2, 3, 4, 28, 29, 30, 31, rng.randint(4, 31)))
    place = {2: "second", 3: "third"}.get(number, f"{number}th")
    return rng.choice((f"{place} to last day", f"{place} to last day", "last day but one"))


def _once(rng: random.Random) -> str:
    return f"once at {_date(rng, rng.randint(2026, 2028))} {_time(rng)}"


PHRASES = (
    _interval, _grid, _within, _between, _days, _days, _strides, _dates, _dates, _once, _gaps,
)  # fmt: skip
