"""The law, at length: random jobs, and what the engines do with the texts rendered for them.

Every slot needs a wakeup at most 60 s after it (or, for one with seconds, at the start of its
minute), and a cover called exact may wake at nothing else. Exit code 1 on any miss, after
printing the smallest one. ``--realistic`` counts instead the wakeups of a year of sixty schedules as people have them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
import multiprocessing
import os
import random
import statistics
import sys
import time
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if not __package__:
    # Started by its path: modules are found from the checkout on, so that each has one name.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from ratectl import schedule
from tests.law.cases import Case, draw
from tests.law.realistic import CASES, Count, counted
from tests.support.engine_models import MODELS, segments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

YEARS = (2026, 2029)
STRETCH = 30 * 3600
LEADS = (40 * 60, 3 * 3600, 14 * 3600)
"""How long before a clock change a stretch begins."""
MOST_SLOTS = 1000
"""A stretch ends with so many slots: three quarters of an hour for every 5 seconds."""
CHUNK = 100


@dataclass(frozen=True, slots=True)
class Stretch:
    """The slots, in Unix seconds, from *start* to *end*."""

    start: int
    end: int
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One case in which the law does not hold."""

    number: int
    case: Case
    engine: str
    what: str
    artefact: str


@dataclass(slots=True)
class Tally:
    """What was counted for one engine."""

    cases: int = 0
    slots: int = 0
    wakeups: int = 0
    exact: int = 0
    misses: int = 0
    surplus: int = 0
    ratios: list[float] = field(default_factory=list)
    """Wakeups per slot of each case; one without a slot in its stretches counts as having one."""
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count what *other* counted."""
        for name in ("cases", "slots", "wakeups", "exact", "misses", "surplus"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.ratios += other.ratios
        self.failures += other.failures

    def summary(self) -> dict[str, Any]:
        """Return the figures."""
        ordered = sorted(self.ratios) or [0.0]
        return {
            "cases": self.cases,
            "slots": self.slots,
            "wakeups": self.wakeups,
            "exact covers": self.exact,
            "misses": self.misses,
            "exact violations": self.surplus,
            "wakeups per slot": {
                "median": round(ordered[len(ordered) // 2], 2),
                "p99": round(ordered[math.ceil(len(ordered) * 0.99) - 1], 2),
                "worst": round(ordered[-1], 2),
            },
        }


def main() -> int:
    """Prove, print the figures, and fail on any miss."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--realistic", action="store_true")
    flags = parser.parse_args()
    if flags.realistic:
        print(realistic_table(flags.jobs))
        return 0
    began = time.monotonic()
    tallies = proved(flags.cases, flags.seed, flags.jobs)
    took = time.monotonic() - began
    engines = {engine: tally.summary() for engine, tally in tallies.items()}
    total = {
        name: sum(engine[name] for engine in engines.values())
        for name in ("cases", "slots", "misses", "exact violations")
    }
    if flags.json:
        print(json.dumps({"seed": flags.seed, **total, "seconds": round(took), "engines": engines}))
    else:
        print(table(engines, total, flags.seed, took))
    failures = [failure for tally in tallies.values() for failure in tally.failures]
    if failures:
        print(reproduction(min(failures, key=_size), flags.seed), file=sys.stderr)
    return 1 if failures else 0


def proved(cases: int, seed: int, jobs: int) -> dict[str, Tally]:
    """Return the tally of each engine over *cases* cases, each job of which is tried on all engines."""
    draws = math.ceil(cases / len(MODELS))
    chunks = [(seed, first, min(first + CHUNK, draws)) for first in range(0, draws, CHUNK)]
    tallies = {engine: Tally() for engine in MODELS}
    with multiprocessing.Pool(jobs, maxtasksperchild=20) as pool:  # caches end with their process
        for part in pool.imap_unordered(_chunk, chunks):
            for engine, tally in part.items():
                tallies[engine].add(tally)
    return tallies


def _chunk(task: tuple[int, int, int]) -> dict[str, Tally]:
    seed, first, last = task
    tallies = {engine: Tally() for engine in MODELS}
    for number in range(first, last):
        case = draw(seed, number)
        stretches = list(_stretches(case, random.Random(f"{seed}:{number}")))  # noqa: S311
        for engine, tally in tallies.items():
            check(case, engine, stretches, number, tally)
    return tallies


def check(case: Case, engine: str, stretches: Sequence[Stretch], number: int, tally: Tally) -> None:
    """Count what *engine* does with *case* in the *stretches*."""
    exact, texts = case.rendered(engine)
    tally.cases += 1
    tally.exact += exact
    slots = wakeups = 0
    complaints = []
    for stretch in stretches:
        found = MODELS[engine](
            texts, ZoneInfo(case.host_zone), stretch.start - 60, stretch.end + 60
        )
        ordered = sorted(found.sure)
        complaints += [("misses", s) for s in stretch.slots if not _woken(s, ordered, found.sure)]
        inside = [w for w in found.possible if stretch.start <= w <= stretch.end]
        if exact:
            wanted = {*stretch.slots, *(slot - slot % 60 for slot in stretch.slots)}
            complaints += [("surplus", wakeup) for wakeup in inside if wakeup not in wanted]
        slots += len(stretch.slots)
        wakeups += len(inside)
    tally.slots += slots
    tally.wakeups += wakeups
    if slots or wakeups:
        tally.ratios.append(wakeups / max(slots, 1))
    for kind in {kind for kind, _ in complaints}:
        setattr(tally, kind, getattr(tally, kind) + 1)
    if complaints:
        what = "\n".join(_complaint(kind, at, case) for kind, at in complaints[:5])
        shown = "\n".join(text.decode(_coding(engine)) for text in texts)
        tally.failures.append(
            Failure(number=number, case=case, engine=engine, what=what, artefact=shown)
        )


def _woken(slot: int, ordered: Sequence[int], wakeups: set[int]) -> bool:
    place = bisect_left(ordered, slot)
    return (place < len(ordered) and ordered[place] - slot <= 60) or slot - slot % 60 in wakeups


def _stretches(case: Case, rng: random.Random) -> Iterator[Stretch]:
    """Yield a stretch around a clock change of each zone, and one anywhere or around a bound."""
    first, last = (int(dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp()) for year in YEARS)
    for name in {case.zone: None, case.host_zone: None}:
        changes = [s.start for s in segments(ZoneInfo(name)) if first < s.start < last]
        if changes:
            yield _stretch(case, rng.choice(changes) - rng.choice(LEADS))
    bound = case.start or case.end
    if bound:
        moment = dt.datetime.fromisoformat(bound).replace(tzinfo=ZoneInfo(case.zone))
        yield _stretch(case, int(moment.timestamp()) - rng.choice(LEADS))
    yield _stretch(case, rng.randrange(first, last - STRETCH, 60))


def _stretch(case: Case, start: int) -> Stretch:
    limit = start + STRETCH
    since = dt.datetime.fromtimestamp(start - 1, dt.UTC)
    stream = (
        int(slot.timestamp()) for slot in schedule.after(case.schedule, ZoneInfo(case.zone), since)
    )
    slots = tuple(islice(takewhile(lambda slot: slot <= limit, stream), MOST_SLOTS))
    return Stretch(start, slots[-1] if len(slots) == MOST_SLOTS else limit, slots)


def _complaint(kind: str, instant: int, case: Case) -> str:
    words = {
        "misses": "no wakeup for the slot",
        "surplus": "called exact, but may wake without a slot at",
    }
    moment = dt.datetime.fromtimestamp(instant, ZoneInfo(case.zone))
    return f"{words[kind]} {moment.isoformat()}"


def _coding(engine: str) -> str:
    return "utf-16" if engine == "windows" else "utf-8"


def _size(failure: Failure) -> tuple[int, ...]:
    case = failure.case
    bounds = len(case.start) + len(case.end)
    return len(case.texts), bounds, case.zone != case.host_zone, len(" ".join(case.texts))


def reproduction(failure: Failure, seed: int) -> str:
    """Return what somebody needs to see the *failure* again."""
    case = failure.case
    return "\n".join(
        (
            f"seed {seed}, job {failure.number}, on {failure.engine}:",
            f"schedule = {json.dumps(list(case.texts))}, from = {case.start!r}, until = {case.end!r}",
            f"timezone = {case.zone}, host in {case.host_zone}",
            failure.what,
            failure.artefact,
        )
    )


def table(
    engines: dict[str, dict[str, Any]], total: dict[str, int], seed: int, seconds: float
) -> str:
    """Return the figures as text for people."""
    heads = ("cases", "slots", "exact", "misses", "surplus", "median", "p99", "worst")
    lines = ["scheduler " + "".join(f"{head:>8}" for head in heads)]
    for engine, figures in engines.items():
        *counts, ratios = (value for name, value in figures.items() if name != "wakeups")
        row = (*counts, *ratios.values())
        lines.append(f"{engine:<10}" + "".join(f"{value:>8}" for value in row))
    lines.append("(median, p99 and worst: wakeups per slot)")
    lines.append(
        f"{total['cases']} cases, {total['misses']} misses, {total['exact violations']} exact covers "
        f"that wake without a slot (seed {seed}, {seconds:.0f} s)"
    )
    return "\n".join(lines)


def realistic_table(jobs: int) -> str:
    """Return the wakeups of a year of the realistic schedules on each engine, and every one that is woken often for nothing."""
    first = int(dt.datetime(2027, 1, 1, tzinfo=dt.UTC).timestamp())
    tasks = [(case, engine, first, first + 365 * 86400) for engine in MODELS for case in CASES]
    with multiprocessing.Pool(jobs) as pool:
        counts = pool.starmap(counted, tasks)
    lines = [f"scheduler {'median':>8}{'p90':>8}{'worst':>8}{'idle a day, worst':>20}"]
    for engine in MODELS:
        found = [count for count in counts if count.engine == engine]
        ratios = sorted(count.per_slot for count in found)
        figures = (statistics.median(ratios), ratios[len(ratios) * 9 // 10], ratios[-1])
        idle = max(count.idle_a_day for count in found)
        lines.append(f"{engine:<10}{''.join(f'{x:>8.2f}' for x in figures)}{idle:>20.1f}")
    lines.append(f"(wakeups per slot of {len(CASES)} schedules in 2027; idle: without a slot)")
    lines += [_often(count) for count in counts if count.idle_a_day > MOST_IDLE]
    return "\n".join(lines)


MOST_IDLE = 24
"""Wakeups a day without a slot, above which a schedule is named."""


def _often(count: Count) -> str:
    return f"{count.engine}: {count.case.texts[0]}: {count.idle_a_day:.0f} a day find nothing due"


if __name__ == "__main__":
    sys.exit(main())
