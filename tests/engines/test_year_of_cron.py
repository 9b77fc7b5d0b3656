"""A year on Debian's cron, as an ordinary user: every slot that was due is recorded, or told as missed with a reason."""

from __future__ import annotations

import contextlib
import datetime as dt
import time

import pytest

from tests.engines import chapters
from tests.engines.conftest import need, start
from tests.engines.year import MINUTE, TWICE_A_MONTH, WEEKLY, MovedClock, Year

pytestmark = pytest.mark.engine

SECOND = dt.timedelta(seconds=1)
SWEEP = 2, 5
"""The line for all jobs runs at the minutes 2, 7, 12, ..."""


class YearOfCron(Year):
    """The year of a user's crontab."""

    def reach(self, moment: dt.datetime) -> None:
        """Let the daemon wake right before the minute, and then in it."""
        self.clock.move(moment - SECOND)
        time.sleep(0.15)
        self.clock.move(moment + SECOND)

    def try_again(self, moment: dt.datetime) -> None:
        """Pass the next minute in which the line for all jobs runs."""
        first, every = SWEEP
        minute = moment.replace(second=0, microsecond=0) + MINUTE
        while minute.minute % every != first:
            minute += MINUTE
        self.reach(minute)

    def wait_for_the_engine_to_fail(self) -> None:
        self.wait_for(lambda: b"not found" in self.account.read("/var/log/cron.mail"))

    def start_scheduler_anew(self) -> None:
        """The daemon reads the machine's zone when it starts."""
        root = self.account.engine.account("root")
        root.run("cron-daemon", "stop")
        root.run("cron-daemon", "start")


@pytest.fixture(
    scope="module", params=[TWICE_A_MONTH, pytest.param(WEEKLY, marks=pytest.mark.long)], ids=str
)
def year(request):
    need("cron")
    with contextlib.contextmanager(start)("cron") as engine:
        rhythm = request.param
        yield chapters.live(
            YearOfCron(account=engine.account("tester"), clock=MovedClock(engine), rhythm=rhythm)
        )


def test_every_slot_is_accounted_for(year, record_property):
    """No slot is lost, none recorded twice, and no line is written that is not of a slot."""
    chapters.hold(year, record_property)
