"""The budgets of being small: looks against a program that prints a line, a firing's memory, and the processor time of a day."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING

from scripts.benchmarks import looks
from scripts.benchmarks.sidebyside import Row, compare

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Command = tuple[str, ...]
MINUTES = 1440
SECONDS = 86_400
LOOKS = ("status", "list", "check", "next", "history")
WORDS: dict[str, tuple[str, ...]] = {"next": ("job-1",), "history": ("job-1",)}
LOOP = """
import datetime as dt
import time

slot = dt.datetime.now() + dt.timedelta(days=1)
for _ in range({count}):
    if dt.datetime.now() >= slot:
        break
    time.sleep({pause})
"""
"""What people write: a process that looks at the clock each second."""
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Run from a small process: a child counts the memory that its parent had when it was made."""


def rows_of_looks(folder: Path, app: Command, *, quick: bool) -> list[Row]:
    """Return a row for each command that only looks, at three jobs of a new journal, against the typer program *app*."""
    state = folder / "three"
    looks.install(state, 3)
    words = WORDS | {"check": (str(state / "jobs.toml"),)}
    label, times = "typer app that prints one line", 3 if quick else 30
    return [
        compare(
            f"ratectl {verb}",
            label,
            1.25,
            looks.look(state, verb, *words.get(verb, ())),
            app,
            times=times,
        )
        for verb in LOOKS
    ]


def memory_of_a_firing(
    ours: Callable[[], Command], against: Command, yardstick: str, *, times: int
) -> Row:
    """The most memory that a whole firing has, against that of the bare request."""
    peaks = [(peak(ours()), peak(against)) for _ in range(times)]
    mine, theirs = (statistics.median(side) for side in zip(*peaks, strict=True))
    return Row(
        name="one firing, peak memory",
        yardstick=yardstick,
        budget=1.0,
        ours=mine,
        against=theirs,
        ratio=round(mine / theirs, 3),
        unit="KiB",
    )


def peak(argv: Command) -> float:
    """Return the most KiB that *argv* had."""
    done = subprocess.run(
        (sys.executable, "-I", "-S", "-c", PEAK, *argv), capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def day_of_wakeups(wake: Command, *, quick: bool) -> Row:
    """The processor time of a day of wakeups each minute, against that of a loop which looks at the clock each second."""
    count = 20 if quick else MINUTES
    looked = 300 if quick else 5_000
    loop = (sys.executable, "-c", LOOP.format(count=looked, pause=0.001))
    idle = processor_time(((sys.executable, "-c", LOOP.format(count=0, pause=0)),))
    ours = processor_time((wake,) * count) * MINUTES / count
    against = (processor_time((loop,)) - idle) * SECONDS / looked
    return Row(
        name="a day of wakeups, processor time",
        yardstick="a loop that looks at the clock each second",
        budget=15.0,
        ours=ours,
        against=against,
        ratio=round(ours / against, 3),
        unit="s",
    )


def processor_time(commands: tuple[Command, ...]) -> float:
    """Return the seconds of processor time that *commands* take, one after another."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for argv in commands:
        subprocess.run(argv, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
