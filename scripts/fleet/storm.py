"""A fleet on a provider that refuses what is above a rate (429), and how it gets over that.

Pauses, the deadline and the sweeps that try again are the product's own; the hosts run cron, which
sweeps every five minutes, and have no second provider. A second's requests are taken in random order.
"""

from __future__ import annotations

import heapq
import random
import re
from array import array
from collections import defaultdict
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from ratectl.backends.cron import backend as cron
from ratectl.firing import backoff
from ratectl.firing.catch_up import MAX_START_DELAY
from ratectl.model.job import Job
from ratectl.runtime.deadline import ceilings, pauses
from scripts.fleet import load

if TYPE_CHECKING:
    from collections.abc import Sequence

[TIMEOUT] = [int(str(field.default)) for field in fields(Job) if field.name == "timeout"]
CEILINGS = [pause for pause, _ in zip(ceilings(), range(TIMEOUT), strict=False)]
FIRST_SWEEP, SWEEP_EVERY = (
    60 * int(number) for number in re.findall(r"(\d+)-\d+/(\d+) ", cron.SWEEP)[0]
)
GIVEN_UP = load.DAY
"""Seconds after the slot at which the simulation ends: then the next slot is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """How one slot went. Times are seconds from the slot."""

    hosts: int
    jitter: int
    rate: int
    """Requests that the provider answers in a second."""
    rest: int
    """What its Retry-After says; 0 for none."""
    peak: int
    """Requests in the busiest second."""
    wasted: int
    """Requests that were refused."""
    served: int
    """Hosts that have a rate, within a day."""
    half: int
    """When half of them had theirs."""
    last: int
    """When the last of them had its."""
    soonest: int
    """No order of service could be done earlier: the last host has begun, and ``hosts / rate`` seconds are over."""


@dataclass(slots=True)
class _Fleet:
    """Where each host stands; its index is its number."""

    ends: array[int]
    """When its firing has to be over."""
    attempts: bytearray
    failures: bytearray
    late: Sequence[int]
    """By how much it begins its sweeps later than cron wakes them."""


def storm(names: Sequence[str], *, jitter: int, rate: int, rest: int, seed: int) -> Storm:
    """Return what becomes of one slot of a job that every host has."""
    dice = random.Random(f"{seed} {len(names)} {jitter} {rest}")  # noqa: S311 - a simulation
    begins = load.starts(load.lots("usd-inr", names), jitter)
    fleet = _Fleet(
        ends=array("l", (second + TIMEOUT for second in begins)),
        attempts=bytearray(len(names)),
        failures=bytearray(len(names)),
        late=load.starts(load.lots("--sweep", names), min(jitter, MAX_START_DELAY)),
    )
    asking: defaultdict[int, list[int]] = defaultdict(list)
    for host, second in enumerate(begins):
        asking[second].append(host)
    seconds = list(asking)
    heapq.heapify(seconds)
    served: list[tuple[int, int]] = []
    peak = wasted = 0
    while seconds and seconds[0] < GIVEN_UP:
        now = heapq.heappop(seconds)
        crowd = asking.pop(now)
        peak = max(peak, len(crowd))
        lucky = min(rate, len(crowd))
        for _ in range(lucky):  # each takes the place of the last one
            place = int(dice.random() * len(crowd))
            crowd[place] = crowd[-1]
            crowd.pop()
        served.append((now, lucky))
        wasted += len(crowd)
        for host in crowd:
            again = _again(fleet, host, now, rest, dice)
            if again not in asking:
                heapq.heappush(seconds, again)
            asking[again].append(host)
    return Storm(
        hosts=len(names),
        jitter=jitter,
        rate=rate,
        rest=rest,
        peak=peak,
        wasted=wasted,
        served=sum(count for _, count in served),
        half=_reached(served, (len(names) + 1) // 2),
        last=max(now for now, count in served if count),
        soonest=max(*begins, (len(names) - 1) // rate),
    )


def _again(fleet: _Fleet, host: int, now: int, rest: int, dice: random.Random) -> int:
    """Return when *host*, which was refused *now*, asks again: in this firing, or in a sweep."""
    left = fleet.ends[host] - now
    least, most = pauses(CEILINGS[fleet.attempts[host]], rest, left)
    pause = least + (most - least) * dice.random()
    if pause < left:
        fleet.attempts[host] += 1
        return now + max(1, round(pause))
    fleet.attempts[host] = 0
    wait = backoff.wait(fleet.failures[host] + 1)
    fleet.failures[host] = min(fleet.failures[host] + 1, 200)
    begins = _sweep_after(now + wait) + fleet.late[host]
    fleet.ends[host] = begins + TIMEOUT
    return begins


def _sweep_after(second: int) -> int:
    """Return when cron next wakes the sweeps, later than *second*; slots are at full hours."""
    return FIRST_SWEEP + SWEEP_EVERY * ((second - FIRST_SWEEP) // SWEEP_EVERY + 1)


def _reached(served: Sequence[tuple[int, int]], wanted: int) -> int:
    total = 0
    for now, count in served:
        total += count
        if total >= wanted:
            return now
    return GIVEN_UP
