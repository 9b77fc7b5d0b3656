"""This machine's clock and name: the one place where commands ask what time it is."""

from __future__ import annotations

import datetime as dt
import socket
import time

from ratectl.runtime.environment import Environment


def utc_now() -> dt.datetime:
    """Return the moment, in UTC."""
    return dt.datetime.now(dt.UTC)


def surroundings() -> Environment:
    """Return this machine's clock and name, as a firing takes them."""
    return Environment(clock=utc_now, sleep=time.sleep, host=socket.gethostname())
