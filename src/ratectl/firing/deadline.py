"""One monotonic deadline per firing, and the pauses between attempts that stay inside it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_PAUSE = 30.0


class Deadline:
    """A moment on the monotonic clock, which no change of the wall clock can move."""

    __slots__ = ("_end",)

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, never negative."""
        return max(0.0, self._end - time.monotonic())


def ceilings() -> Iterator[float]:
    """Yield the longest pause before each further attempt: 1, 2, 4, ... and then 30 seconds for ever.

    The pause taken is a random part of it (full jitter), so that hosts which woke together spread out.
    """
    pause = 1.0
    while True:
        yield min(pause, LONGEST_PAUSE)
        pause = min(pause * 2, LONGEST_PAUSE)
