"""How much of a long test runs: all of it with ``scripts/test.py --long``, else a share, another one each time.

``RATECTL_TEST_SHARE`` says which: ``all``, or a number from 0 on. Started without it, pytest takes share 0.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")
VARIABLE = "RATECTL_TEST_SHARE"
AGAIN = "RATECTL_TEST_AGAIN"
"""Set where the same tests have just run on another system: a third of the files is repeated."""
THIRDS = 3
SHARES = 10
"""That many runs in a row, each with the next share, do everything once."""


def share(items: Iterable[T], *, shares: int = SHARES) -> list[T]:
    """Return this run's share of *items*: each *shares*-th, never none of them; all where all are asked for."""
    everything, which = list(items), os.environ.get(VARIABLE, "0")
    if which == "all" or not everything:
        return everything
    return everything[int(which) % min(shares, len(everything)) :: shares]


def turn() -> int:
    """Return which share this run does, for a seed that is another one each time."""
    which = os.environ.get(VARIABLE, "0")
    return 0 if which == "all" else int(which)


def times(number: int) -> int:
    """Return how often to repeat what a long run repeats *number* times."""
    return len(share(range(number)))
