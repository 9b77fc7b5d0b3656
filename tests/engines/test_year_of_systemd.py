"""A year on systemd, as root: every slot that was due is recorded, or told as missed with a reason."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest

from tests.engines import chapters
from tests.engines.conftest import need, start
from tests.engines.year import TWICE_A_MONTH, WEEKLY, MovedClock, Year

pytestmark = pytest.mark.engine

A_MOMENT = dt.timedelta(milliseconds=200)


class YearOfSystemd(Year):
    """The year of a timer of the system's manager."""

    def reach(self, moment: dt.datetime) -> None:
        self.clock.move(moment - A_MOMENT)

    def try_again(self, moment: dt.datetime) -> None:
        self.clock.move(moment)

    @property
    def service(self) -> str:
        return f"ratectl-{self.job}.service"

    def wait_for_the_engine_to_fail(self) -> None:
        asked = f"systemctl show {self.service} --property=ExecMainStatus --value"
        self.wait_for(lambda: self.account.sh(asked) == "203\n")

    def hasten(self) -> None:
        """The service looks each second, not each minute, whether it is time to try again."""
        folder = f"/etc/systemd/system/{self.service}.d"
        self.account.sh(
            f'mkdir -p {folder}; printf "[Service]\\nRestartSec=1\\n" > {folder}/fast.conf; systemctl daemon-reload'
        )


@pytest.fixture(
    scope="module", params=[TWICE_A_MONTH, pytest.param(WEEKLY, marks=pytest.mark.long)], ids=str
)
def year(request):
    need("systemd")
    with contextlib.contextmanager(start)("systemd") as engine:
        rhythm = request.param
        yield chapters.live(
            YearOfSystemd(
                account=engine.account("root"),
                clock=MovedClock(engine),
                rhythm=rhythm,
                knows_zones=True,
            )
        )


def test_every_slot_is_accounted_for(year, record_property):
    """No slot is lost, none recorded twice, and no line is written that is not of a slot."""
    chapters.hold(year, record_property)
