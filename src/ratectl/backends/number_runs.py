"""Sets of numbers as the fewest runs: what every engine's calendar field is spelled from.

``values == union of range(first, last + 1, step)`` over the runs, in ascending order.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The numbers from *first* to *last* (both included), *step* apart."""

    first: int
    last: int
    step: int = 1


def series(values: Iterable[int]) -> tuple[Series, ...]:
    """Return *values* as one stepped series of three or more numbers, else as consecutive runs."""
    ordered = sorted(values)
    steps = {b - a for a, b in itertools.pairwise(ordered)}
    if len(ordered) > 2 and len(steps) == 1:
        return (Series(first=ordered[0], last=ordered[-1], step=steps.pop()),)
    return tuple(_runs(ordered))


def _runs(ordered: list[int]) -> Iterable[Series]:
    first = last = ordered[0]
    for value in ordered[1:]:
        if value == last + 1:
            last = value
            continue
        yield Series(first=first, last=last)
        first = last = value
    yield Series(first=first, last=last)
