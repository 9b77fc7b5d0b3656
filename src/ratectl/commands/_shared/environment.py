"""This machine's clock and name: the one place where commands ask what time it is."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

from ratectl.runtime.environment import Environment, nobody

if TYPE_CHECKING:
    from collections.abc import Callable


def utc_now() -> dt.datetime:
    """Return the moment, in UTC."""
    return dt.datetime.now(dt.UTC)


def surroundings(tell: Callable[[str], None] = nobody) -> Environment:
    """Return this machine's clock and name, as a firing takes them, and who is to hear of what stands in the way."""
    import socket  # noqa: PLC0415 - a look asks for the time alone

    return Environment(clock=utc_now, sleep=time.sleep, host=socket.gethostname(), tell=tell)
