"""A fleet of 1, 1,000 and 1,000,000 hosts on one provider: what it asks for, and what a refusal does to it.

Deterministic: the same seed gives the same figures, since hosts start when ``ratectl.firing.due`` says.
Exit code 1 when the recommended jitter does not hold a million hosts within 1.2 of the uniform peak.
``--write`` puts the tables between the fleet marks of the manual.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if not __package__:
    # Started by its path: modules are found from the checkout on, so that each has one name.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from scripts.fleet import load as fleet_load
from scripts.fleet import storm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scripts.fleet.load import Load
    from scripts.fleet.storm import Storm

PAGE = Path(__file__).resolve().parents[1] / "src/ratectl/manual/fleets.md"
MARKED = re.compile(r"(?<=<!-- fleet -->\n).*?(?=<!-- /fleet -->)", flags=re.DOTALL)
SEED = 1
SIZES = (1, 1_000, 1_000_000)
QUICK = 1_000
"""``--quick`` leaves out what has more hosts."""
WINDOWS = {"0s": 0, "60s": 60, "10m": 600, "1h": 3600}
RECOMMENDED = "10m"
WITHIN = 1.2
"""How far above the uniform peak a million hosts may be with the recommended jitter."""
JOBS = ("usd-inr", "usd-eur", "usd-jpy")
"""Of each host, where there are several; the first is also the only one."""
SHARE = 1_000
"""In a storm the provider answers so much less in a second than there are hosts."""
RESTS = (30, 0)
"""Seconds of Retry-After in a storm; 0 for a provider that sends none."""
LARGE_STORMS = (("10m", 30), ("1h", 30))
"""Jitter and Retry-After of the storms of a million hosts; the load of a thousand is the same in proportion."""
LOAD_HEADS = (
    *("hosts", "jobs", "a day", "shared", "jitter", "peak/s", "uniform", "99 %", "ratio"),
    *("p99 delay", "uniform", "requests/day", "MB/day"),
)
STORM_HEADS = (
    *("hosts", "limit/s", "retry-after", "jitter", "peak/s", "half done", "all done"),
    *("soonest", "refused", "per host"),
)


def main() -> int:
    """Simulate, print or write the figures, and fail where the bound is not kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--quick", action="store_true", help=f"at most {QUICK} hosts")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--write", action="store_true", help="the tables into the manual")
    flags = parser.parse_args()
    if flags.write and (flags.quick or flags.seed != SEED):
        parser.error(f"the manual shows the whole run with the seed {SEED}")
    sizes = [size for size in SIZES if size <= QUICK or not flags.quick]
    loads, storms = list(all_loads(sizes, flags.seed)), list(all_storms(sizes, flags.seed))
    if flags.json:
        print(as_json(loads, storms, flags.seed))
    elif flags.write:
        PAGE.write_text(filled(PAGE.read_text("utf-8"), tables(loads, storms)), "utf-8")
    else:
        print(tables(loads, storms))
    problems = list(exceeded(loads))
    for problem in problems:
        print(f"simulate_fleet.py: {problem}", file=sys.stderr)
    return 1 if problems else 0


def all_loads(sizes: Sequence[int], seed: int) -> Iterator[Load]:
    """Yield the loads of one job a day on each host, and then those of several jobs an hour."""
    drawn = {}
    for size in sizes:
        names = fleet_load.hosts(size, seed)
        drawn[size] = [fleet_load.lots(JOBS[0], names)]
        for jitter in WINDOWS.values():
            yield fleet_load.load(drawn[size], slots=1, shares=False, jitter=jitter)
    for size in sizes[1:]:
        names = fleet_load.hosts(size, seed)
        jobs = [*drawn[size], *(fleet_load.lots(job, names) for job in JOBS[1:])]
        for shares in (False, True):
            for jitter in WINDOWS.values():
                yield fleet_load.load(jobs, slots=24, shares=shares, jitter=jitter)


def all_storms(sizes: Sequence[int], seed: int) -> Iterator[Storm]:
    """Yield what becomes of a slot where the provider answers a thousandth of the hosts in a second."""
    for size in sizes[1:]:
        names = fleet_load.hosts(size, seed)
        every = [(window, rest) for rest in RESTS for window in WINDOWS]
        for window, rest in every if size <= QUICK else LARGE_STORMS:
            yield storm.storm(
                names, jitter=WINDOWS[window], rate=size // SHARE, rest=rest, seed=seed
            )


def exceeded(loads: Sequence[Load]) -> Iterator[str]:
    """Yield a sentence for each load that is above its bound."""
    for load in loads:
        single = load.jobs == 1 and load.hosts == SIZES[-1]
        if single and load.jitter == WINDOWS[RECOMMENDED] and load.ratio > WITHIN:
            yield f"{load.hosts} hosts peak at {load.ratio:.2f} of the uniform bound, not {WITHIN}"
        if load.peak > load.highest:
            yield f"{load.hosts} hosts peak at {load.peak}, above {load.highest}"


def tables(loads: Sequence[Load], storms: Sequence[Storm]) -> str:
    """Return the figures as text for people."""
    return "\n".join(
        (
            *_aligned(LOAD_HEADS, [load_row(load) for load in loads]),
            "",
            *_aligned(STORM_HEADS, [storm_row(storm) for storm in storms]),
        )
    )


def load_row(load: Load) -> tuple[str, ...]:
    """Return the cells of one load; the ratio is told where a second has a request at all."""
    return (
        f"{load.hosts}",
        f"{load.jobs}",
        f"{load.slots}",
        "yes" if load.shares else "no",
        _window(load.jitter),
        f"{load.peak}",
        f"{load.uniform:.4g}" if load.uniform < 1000 else f"{load.uniform:.0f}",
        f"{load.highest}",
        f"{load.ratio:.2f}" if load.uniform >= 1 else "",
        f"{load.p99} s",
        f"{load.p99_uniform:.0f} s",
        f"{load.requests}",
        f"{load.requests * fleet_load.BYTES / 1e6:.6g}",
    )


def storm_row(storm: Storm) -> tuple[str, ...]:
    """Return the cells of one storm."""
    done = _clock(storm.last) if storm.served == storm.hosts else f"{storm.served} in a day"
    return (
        f"{storm.hosts}",
        f"{storm.rate}",
        f"{storm.rest} s" if storm.rest else "none",
        _window(storm.jitter),
        f"{storm.peak}",
        _clock(storm.half),
        done,
        _clock(storm.soonest),
        f"{storm.wasted}",
        f"{storm.wasted / storm.hosts:.2f}",
    )


def filled(text: str, written: str) -> str:
    """Return *text*, a page of the manual, with the tables between its marks."""
    return MARKED.sub(lambda _: f"```text\n{written}\n```\n", text)


def as_json(loads: Sequence[Load], storms: Sequence[Storm], seed: int) -> str:
    """Return every figure for programs."""
    return json.dumps(
        {
            "seed": seed,
            "bytes per request": fleet_load.BYTES,
            "loads": [dataclasses.asdict(load) | {"ratio": load.ratio} for load in loads],
            "storms": [dataclasses.asdict(storm) for storm in storms],
        }
    )


def _aligned(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for cells in (heads, *rows):
        pairs = zip(heads, cells, strict=True)
        yield "  ".join(f"{cell:>{_width(head)}}" for head, cell in pairs).rstrip()


def _width(head: str) -> int:
    return max(len(head), {"hosts": 7, "refused": 8, "half done": 9, "soonest": 8}.get(head, 6))


def _window(seconds: int) -> str:
    return next(text for text, value in WINDOWS.items() if value == seconds)


def _clock(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


if __name__ == "__main__":
    sys.exit(main())
