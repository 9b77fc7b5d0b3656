"""The budgets of the schedule core: time against cronsim, memory against itself, in one process."""

from __future__ import annotations

import datetime as dt
import random
import statistics
import time
import tracemalloc
from itertools import islice
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cronsim import CronSim

from ratectl.schedule import after, parse
from ratectl.schedule.language.cron import parse_cron
from scripts.benchmarks.sidebyside import Row

if TYPE_CHECKING:
    from collections.abc import Callable

ZONE = ZoneInfo("America/New_York")
START = dt.datetime(2027, 1, 3, 3, 3, tzinfo=ZONE)
ROUNDS = 3
STEADY = ("every 5 seconds", "*/7 * * * *", "every 50 minutes", "every month on the last weekday")


def rows(*, quick: bool) -> list[Row]:
    """Return the rows of time and memory."""
    return [next_slot(quick=quick), memory(quick=quick)]


def next_slot(*, quick: bool) -> Row:
    """Reading a cron line and finding its next slot, against cronsim on the same random lines.

    Each line is read by both in turns, once in each of several rounds, and its least time counts: a processor that
    changes its speed meanwhile favours neither. The days that we keep of a line are gone before its next round.
    """
    draw = random.Random(2026)  # noqa: S311 - the same lines each time
    lines = [random_line(draw) for _ in range(300 if quick else 3000)]
    ways: tuple[Callable[[str], object], ...] = (
        lambda line: next(after(parse_cron(line), ZONE, START)),
        lambda line: next(CronSim(line, START)),
    )
    rounds = [
        [[clocked(way, line) for way in ways] for line in lines]
        for _ in range(1 if quick else ROUNDS)
    ]
    least = [
        [min(times) for times in zip(*of_line, strict=True)]
        for of_line in zip(*rounds, strict=True)
    ]
    ours, theirs = (statistics.median(side) for side in zip(*least, strict=True))
    return Row(
        name="next slot of a cron line",
        yardstick=f"cronsim, the same {len(lines)} random lines",
        budget=1.0,
        ours=ours,
        against=theirs,
        ratio=round(ours / theirs, 3),
    )


def memory(*, quick: bool) -> Row:
    """The most memory that 10,000 slots take, against 1,000 slots, over several kinds of schedule."""
    many = 4_000 if quick else 10_000
    few, all_of_them = (max(peak(text, count) for text in STEADY) for count in (1_000, many))
    return Row(
        name="slots, peak memory",
        yardstick=f"{many:,} slots against 1,000",
        budget=1.1,
        ours=all_of_them,
        against=few,
        ratio=round(all_of_them / few, 3),
        unit="KiB",
    )


def random_line(draw: random.Random) -> str:
    """Return a cron line as people write them: stars, steps, numbers, ranges."""
    return " ".join(
        random_field(draw, low, high) for low, high in ((0, 59), (0, 23), (1, 28), (1, 12), (0, 6))
    )


def random_field(draw: random.Random, low: int, high: int) -> str:
    """Return one field of a cron line."""
    kind = draw.random()
    if kind < 0.4:
        return "*"
    if kind < 0.5:
        return f"*/{draw.randint(2, (high - low) // 2)}"
    first = draw.randint(low, high - 1)
    return str(first) if kind < 0.85 else f"{first}-{draw.randint(first + 1, high)}"


def clocked(work: Callable[[str], object], line: str) -> float:
    """Return the seconds that *work* takes over *line*."""
    started = time.perf_counter()
    work(line)
    return time.perf_counter() - started


def peak(text: str, count: int) -> float:
    """Return the most KiB held while *count* slots of *text* are walked."""
    value = parse([text])
    next(after(value, ZONE, START))
    tracemalloc.start()
    for _ in islice(after(value, ZONE, START), count):
        pass
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1024
