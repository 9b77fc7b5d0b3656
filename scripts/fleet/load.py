"""How a fleet's requests fall on the seconds after a slot, and how much unevenness chance explains.

Every host starts when ``ratectl.firing.due`` says; nothing here is drawn but the hosts' names.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from array import array
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ratectl.fetch.cache import fresh_until
from ratectl.firing import due

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DAY = 86_400
HOUR = 3_600
PUBLISHED = 151
"""Seconds after 00:00 UTC at which open.er-api.com publishes; it announces the next time with ``time_next_update``."""
NEXT = DAY + 660
"""Seconds from there to the next time; observed are 24 h and 0 to 26 minutes."""
BYTES = 3_500
"""Of one request: an answer with 160 currencies (2.9 kB, not packed) and both sides' headers; TLS comes on top."""
CHANCE = 0.01
"""How improbable a peak above :func:`highest` is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one fleet asks of its provider. Rates are per second, delays in seconds."""

    hosts: int
    jobs: int
    """Of each host, all on one base."""
    slots: int
    """Of each job in a day."""
    shares: bool
    """The jobs of a host share an answer until ``time_next_update``."""
    jitter: int
    peak: int
    uniform: float
    """The peak if the requests fell evenly: ``asking * hosts / jitter``."""
    highest: int
    """What the peak exceeds with a probability of 1 % at most."""
    p99: int
    """99 of 100 firings begin at most so late after their slot."""
    p99_uniform: float
    requests: int
    """In a day."""

    @property
    def ratio(self) -> float:
        """Return how far the peak is above the uniform one."""
        return self.peak / self.uniform


def hosts(count: int, seed: int) -> list[str]:
    """Return the names of *count* hosts; another *seed* gives others."""
    return [f"host{number}.fleet{seed}.example" for number in range(count)]


def lots(job: str, names: Iterable[str]) -> array[int]:
    """Return what *job* draws on each host: what its jitter is made of."""
    return array("Q", (due.stable_hash(job, name) for name in names))


def starts(drawn: Iterable[int], jitter: int) -> list[int]:
    """Return the seconds after each slot at which the job starts, as ``due.start_delay`` does for one host."""
    return [lot % (jitter + 1) for lot in drawn]


def load(jobs: Sequence[array[int]], *, slots: int, shares: bool, jitter: int) -> Load:
    """Return what hosts ask for whose *jobs* drew these lots; *slots* a day, the first at 00:00."""
    count = len(jobs[0])
    delays = [starts(drawn, jitter) for drawn in jobs]
    asked = _firsts(delays, slots) if shares else [Counter(each) for each in delays]
    by_second: Counter[int] = Counter()
    for each in asked:
        by_second.update(each)
    asking = 1 if not jitter and shares else len(jobs)
    late = Counter(itertools.chain.from_iterable(delays)) if shares else by_second
    return Load(
        hosts=count,
        jobs=len(jobs),
        slots=slots,
        shares=shares,
        jitter=jitter,
        peak=max(by_second.values()),
        uniform=asking * count / max(jitter, 1),
        highest=highest(asking * count, jitter + 1),
        p99=_quantile(late, 0.99),
        p99_uniform=0.99 * jitter,
        requests=by_second.total() if shares else count * len(jobs) * slots,
    )


def _quantile(counted: Counter[int], part: float) -> int:
    """Return the value that *part* of what was *counted* does not exceed."""
    wanted = math.ceil(part * counted.total())
    ordered = sorted(counted)
    sums = itertools.accumulate(counted[value] for value in ordered)
    return next(value for value, total in zip(ordered, sums, strict=True) if total >= wanted)


def _firsts(delays: Sequence[Sequence[int]], slots: int) -> list[Counter[int]]:
    """Return when each host asks, in seconds of the day: with its first firing after a publication, and no more."""
    step = DAY // slots
    _insist_that_answers_last()
    firsts = (
        min(delay + step * max(0, -((delay - PUBLISHED) // step)) for delay in host)
        for host in zip(*delays, strict=True)
    )
    return [Counter(firsts)]


def _insist_that_answers_last() -> None:
    """See that the product keeps an answer from its publication until the next, whenever it was fetched."""
    midnight = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    then = midnight + dt.timedelta(seconds=PUBLISHED + NEXT)
    for second in (PUBLISHED, PUBLISHED + 2 * HOUR):
        received = midnight + dt.timedelta(seconds=second)
        until = fresh_until({}, received, not_before=then, newest_date=midnight.date())
        if until != then:
            raise AssertionError(f"an answer of {received} is kept until {until}, not {then}")


def highest(balls: int, bins: int) -> int:
    """Return the load that no bin exceeds but with a probability of :data:`CHANCE`.

    Boole's inequality over the bins: ``P(max > x) <= bins * P(Binomial(balls, 1/bins) > x)``, as in
    Mitzenmacher and Upfal, Probability and Computing, chapter 5 (balls into bins).
    """
    if bins == 1:
        return balls
    mean = balls / bins
    low, high = math.floor(mean), math.ceil(mean + 20 * math.sqrt(mean) + 20)
    while low < high:
        middle = (low + high) // 2
        if bins * _tail(balls, bins, middle) <= CHANCE:
            high = middle
        else:
            low = middle + 1
    return min(low, balls)


def _tail(balls: int, bins: int, load: int) -> float:
    """Return the probability that a bin holds more than *load*, a load above the mean."""
    total, number = 0.0, load + 1
    while number <= balls:
        term = math.exp(
            math.lgamma(balls + 1)
            - math.lgamma(number + 1)
            - math.lgamma(balls - number + 1)
            - number * math.log(bins)
            + (balls - number) * math.log1p(-1 / bins)
        )
        total += term
        if term < total * 1e-12:
            break
        number += 1
    return total
