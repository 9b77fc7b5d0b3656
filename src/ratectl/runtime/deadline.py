"""One monotonic deadline per firing, the pauses between attempts that stay inside it, and its enforcement from outside."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

LONGEST_PAUSE = 30.0


class Deadline:
    """A moment on the monotonic clock, which no change of the wall clock can move."""

    __slots__ = ("_end",)

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, never negative."""
        return max(0.0, self._end - time.monotonic())

    def put_off(self, seconds: float) -> None:
        """Move the deadline: time spent waiting for another host is not ours."""
        self._end += seconds


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return what *work* gives, or raise what it raises; TimeoutError when that takes longer than *seconds*.

    For what cannot be interrupted, a name lookup for one: it goes on in a thread that nobody waits for.
    """
    results: list[T] = []
    failures: list[Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:  # noqa: BLE001 - handed to the waiting thread, below
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if results:
        return results[0]
    raise failures[0] if failures else TimeoutError(f"no answer within {seconds:.0f} s")


def ceilings() -> Iterator[float]:
    """Yield the longest pause before each further attempt: 1, 2, 4, ... and then 30 seconds for ever.

    The pause taken is a random part of it (full jitter), so that hosts which woke together spread out.
    """
    pause = 1.0
    while True:
        yield min(pause, LONGEST_PAUSE)
        pause = min(pause * 2, LONGEST_PAUSE)


def pauses(ceiling: float, rest: float, left: float) -> tuple[float, float]:
    """Return the shortest and the longest pause before a further attempt, *left* seconds before the deadline.

    Whoever was told to *rest* for some seconds was hardly the only one: all would come back in the same
    second, so half of the time that is left then is drawn from.
    """
    return (rest, rest + max(0.0, left - rest) / 2) if rest else (0.0, ceiling)
