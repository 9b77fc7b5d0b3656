"""This machine's clock and name, as a firing takes them."""

from __future__ import annotations

import datetime as dt
import socket
import time

from ratectl.runtime.environment import Surroundings


def surroundings() -> Surroundings:
    """Return this machine's clock and name."""
    return Surroundings(
        clock=lambda: dt.datetime.now(dt.UTC), sleep=time.sleep, host=socket.gethostname()
    )
