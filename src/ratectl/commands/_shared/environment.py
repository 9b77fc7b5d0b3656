"""This machine's clock and name, as a firing takes them."""

from __future__ import annotations

import datetime as dt
import socket
import time

from ratectl.runtime.environment import Environment


def surroundings() -> Environment:
    """Return this machine's clock and name."""
    return Environment(
        clock=lambda: dt.datetime.now(dt.UTC), sleep=time.sleep, host=socket.gethostname()
    )
