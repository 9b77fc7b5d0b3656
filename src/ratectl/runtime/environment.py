"""What a firing takes from outside, as values: clock, sleep, host name and uptime."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable


def nobody(text: str) -> None:
    """Tell nobody."""
    del text


def uptime() -> float:
    """Return the seconds since this machine started, sleep included where the system counts it."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Environment(NamedTuple):
    """What a firing takes from outside, as values."""

    clock: Callable[[], dt.datetime]
    """Gives the aware time."""
    sleep: Callable[[float], None]
    host: str
    """The name of this machine, which its jitter is drawn from."""
    uptime: Callable[[], float] = uptime
    """Gives seconds that no setting of the clock changes."""
    tell: Callable[[str], None] = nobody
    """Is told of what stands in the way while more is tried, for whoever waits for the end."""
