"""Around both clock changes of 2027: what a scheduler that nobody has the source of does with times that are skipped or come twice.

Only where ``RATECTL_FACTS_CLOCK`` says that the machine is a throw-away one: its clock and zone are set.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ZONE, WINDOWS_ZONE = "America/New_York", "Eastern Standard Time"
MAY_SET_THE_CLOCK = pytest.mark.skipif(
    not os.environ.get("RATECTL_FACTS_CLOCK"), reason="sets the machine's clock"
)


class Moment(NamedTuple):
    """A moment of 2027 in New York, a few seconds before something happens, and what is asked there."""

    asked: str
    utc: dt.datetime


MOMENTS = (
    Moment("02:30, which is skipped", dt.datetime(2027, 3, 14, 6, 59, 40, tzinfo=dt.UTC)),
    Moment("01:30 for the first time", dt.datetime(2027, 11, 7, 5, 29, 40, tzinfo=dt.UTC)),
    Moment("01:30 for the second time", dt.datetime(2027, 11, 7, 6, 29, 40, tzinfo=dt.UTC)),
)
TIMES = ((1, 30), (2, 30))
"""The civil times at which the entry is to start, each day."""
WATCHED = 90
"""Seconds to look for a start after the clock was set."""


def watch(set_clock: Callable[[dt.datetime], None], log: Path, moment: Moment) -> str:
    """Set the clock to *moment*, wait, and return when the entry was started, as *log* has it."""
    log.unlink(missing_ok=True)
    set_clock(moment.utc)
    time.sleep(WATCHED)
    started = len(log.read_text(encoding="utf-8").split()) if log.exists() else 0
    return f"{moment.asked}: {started} starts within {WATCHED} s of {moment.utc:%Y-%m-%d %H:%M:%S}Z"
