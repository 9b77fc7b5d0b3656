"""Two commands measured alternately in one run, and the row that compares their medians."""

from __future__ import annotations

import statistics
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One budget: *ours* and *against* (medians, in seconds unless *unit* says else), their *ratio*, the most it may be."""

    name: str
    yardstick: str = ""
    budget: float = 0
    ours: float = 0
    against: float = 0
    ratio: float | None = None
    reason: str = ""
    """Why there is no ratio."""
    unit: str = "ms"
    """How *ours* and *against* are shown: ms of their seconds, or s and KiB as they are."""


def not_measured(name: str, reason: str) -> Row:
    """Return the row of a budget that cannot be measured here."""
    return Row(name=name, reason=reason)


def compare(
    name: str,
    yardstick: str,
    budget: float,
    ours: Command | Callable[[], Command],
    against: Command | Callable[[], Command],
    *,
    times: int,
    reset: Callable[[], None] = lambda: None,
) -> Row:
    """Run both alternately *times* times after one unmeasured pair; *reset* comes before each run.

    A callable gives the command of each run, and may prepare for it unmeasured.
    """
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(times + 1):
        for side, command in enumerate((ours, against)):
            reset()
            argv = command if isinstance(command, tuple) else command()
            took = clocked(argv)
            if turn:
                seconds[side].append(took)
    first, second = (statistics.median(side) for side in seconds)
    return Row(
        name=name,
        yardstick=yardstick,
        budget=budget,
        ours=first,
        against=second,
        ratio=round(first / second, 3),
    )


def clocked(argv: Command) -> float:
    """Run *argv* and return the seconds it took; a failure raises with what it said."""
    started = time.perf_counter()
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    took = time.perf_counter() - started
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(argv)} ended with {done.returncode}:\n{said}")
    return took
