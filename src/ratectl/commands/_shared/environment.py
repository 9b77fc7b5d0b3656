"""This machine's clock and name, as a firing takes them."""

from __future__ import annotations

import datetime as dt
import socket
import time
from typing import TYPE_CHECKING

from ratectl.runtime.environment import Environment, nobody

if TYPE_CHECKING:
    from collections.abc import Callable


def surroundings(tell: Callable[[str], None] = nobody) -> Environment:
    """Return this machine's clock and name, and who is to hear of what stands in the way."""
    return Environment(
        clock=lambda: dt.datetime.now(dt.UTC),
        sleep=time.sleep,
        host=socket.gethostname(),
        tell=tell,
    )
