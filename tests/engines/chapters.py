"""What befalls a job in a year, chapter by chapter; each begins and ends between two slots.

A chapter says which slots it expects to be recorded, and of the others what a person is told of them.
"""

# ruff: noqa: T201 - the figures are to be seen
from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tests.engines.package import NEWER, NEWEST
from tests.engines.year import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engines.year import Year


def an_ordinary_time(year: Year) -> None:
    """The slot passes, and is recorded."""
    year.pass_a_slot()


def an_outage_of_minutes(year: Year) -> None:
    """The provider is down at the slot and at the second try, and there at the third: recorded late, once."""
    slot = year.fail_a_slot()
    year.try_again(slot + 5 * MINUTE)
    year.wait_for(lambda: year.status()["consecutive_failures"] == 2)
    year.account.engine.start_server()
    more = year.recorded()
    year.try_again(slot + 16 * MINUTE)
    year.wait_for(more)


def an_outage_till_the_next_slot(year: Year) -> None:
    """The provider comes back right before a newer slot, which is recorded; the older one is told with what failed.

    A service of systemd that is just trying again may still record the older one in that last moment.
    """
    older = year.fail_a_slot()
    year.account.engine.start_server()
    newer = year.coming()
    year.reach(newer)
    year.wait_for(lambda: newer in year.slots())
    if older not in year.slots():
        year.read_report(older)


def asleep(year: Year) -> None:
    """The machine sleeps over the slot and wakes three hours later."""
    slot, more = year.coming(), year.recorded()
    year.clock.move(slot + 3 * HOUR)
    year.try_again(slot + 3 * HOUR)
    year.wait_for(more)


def without_power(year: Year) -> None:
    """The machine is off at two slots: after the boot the newer one is recorded, and the older one told."""
    year.account.engine.power_off()
    missed, slot = year.coming(), year.coming()
    more = len(year.lines_of_disk()) + 1
    year.clock.move_while_off(slot + 2 * HOUR)
    boot(year, year.recorded(more))
    year.read_report(missed)


def a_power_cut(year: Year) -> None:
    """The power fails while the slot is being recorded; after the boot it is recorded, once."""
    slot, more = year.coming(), year.recorded()
    year.reach(slot)
    end = time.monotonic() + 10
    while not year.firing() and time.monotonic() < end:
        time.sleep(0.01)
    year.account.engine.power_off()
    year.clock.move_while_off(slot + 20 * MINUTE)
    boot(year, more)


def boot(year: Year, recorded: Callable[[], bool]) -> None:
    """Switch the machine on; its provider is there some seconds later, so the first try may fail."""
    year.account.engine.boot()
    year.wait_for(lambda: recorded() or year.status()["consecutive_failures"])
    if not recorded():
        year.try_again(year.clock.now() + 5 * MINUTE)
        year.wait_for(recorded)


def an_edit(year: Year) -> None:
    """The job gets another hour, from the next slot on."""
    year.at = dt.time(18, 45)
    assert "18:45" in year.install()
    year.pass_a_slot()


def a_pause(year: Year) -> None:
    """While the job is paused its slots are not due; resumed, it goes on with the next one."""
    year.account.ratectl("pause", year.job)
    for _ in range(2):
        year.reach(year.after(year.clock.now()))
        time.sleep(1)
    year.clock.move(year.clock.now() + HOUR)
    year.account.ratectl("resume", year.job)
    year.pass_a_slot()


def a_new_name(year: Year) -> None:
    """The job is called otherwise from now on; record and output go on."""
    year.account.ratectl("rename", year.job, "rupee")
    year.job = "rupee"
    year.hasten()
    year.pass_a_slot()


def an_upgrade(year: Year) -> None:
    """A newer ratectl is installed over the old one: the entry goes on as it is, and an install changes nothing."""
    year.upgrade(NEWER)
    year.pass_a_slot()
    assert year.doctor() == []
    assert "nothing to do" in year.account.ratectl("install")


def another_place(year: Year) -> None:
    """The environment that the entry names makes place for another one: the slot passes, the doctor says why, and its command mends it."""
    year.upgrade(NEWEST, "second")
    year.account.run("rm", "-r", f"{year.account.home}/first")
    slot, more = year.coming(), year.recorded()
    year.reach(slot)
    year.wait_for_the_engine_to_fail()
    year.clock.move(slot + 2 * HOUR)
    [finding] = [found for found in year.doctor() if found["check"] == "program-missing"]
    year.mend(finding)
    year.try_again(year.clock.now())
    year.wait_for(more)
    assert year.doctor() == []


def another_zone(year: Year) -> None:
    """The machine moves to New York, and with the next install the job's hour, too.

    Entries that know their zone go on by it; of others the doctor says that they do not fit any more, and its command mends it.
    """
    year.clock.move(year.clock.now() + HOUR)
    before = year.zone
    year.set_zone("America/New_York")
    year.start_scheduler_anew()
    found = year.doctor()
    if year.knows_zones:
        assert found == []
        year.zone = before
        year.pass_a_slot()
        year.clock.move(year.clock.now() + 8 * HOUR)
        year.zone = NEW_YORK
        year.install()
    else:
        assert [finding["check"] for finding in found] == ["host-zone-changed"]
        year.mend(found[0])
    year.pass_a_slot()
    assert year.doctor() == []


NEW_YORK = ZoneInfo("America/New_York")
EVENTS = (
    an_outage_of_minutes,
    an_outage_till_the_next_slot,
    asleep,
    without_power,
    a_power_cut,
    an_edit,
    a_pause,
    a_new_name,
    an_upgrade,
    another_place,
    another_zone,
)
YEAR = 365 * DAY


def live(year: Year) -> Year:
    """Let the year pass: each event in its turn, and ordinary slots before, between and after them."""
    year.begin()
    for event in EVENTS:
        an_ordinary_time(year)
        event(year)
        print(
            f"{year.clock.now():%Y-%m-%d} {event.__name__}: {len(year.due)} due, {len(year.lines())} lines"
        )
    while year.after(year.clock.now()) < year.began + YEAR:
        an_ordinary_time(year)
    return year


def figures(year: Year) -> dict[str, int]:
    """Return how many slots were due, recorded, and told as missed, and how many were recorded twice or not due."""
    slots = year.slots()
    known = set(slots)
    return {
        "due": len(year.due),
        "recorded": len(known.intersection(year.due)),
        "missed with a reason": sum(1 for told in year.told.values() if told.why),
        "unaccounted": len(set(year.due) - known - set(year.told)),
        "twice": len(slots) - len(known),
        "not due": len(known.difference(year.due)),
        "lines": len(year.lines()),
        "counted as missed": year.status()["missed"],
    }


def hold(year: Year, record_property: Callable[[str, str], None]) -> None:
    """Record the figures of *year*, and fail unless each slot is accounted for, once."""
    found = figures(year)
    told = ", ".join(f"{number} {what}" for what, number in found.items())
    record_property("figures", f"{year.account.engine.kind}, a year, {year.rhythm}: {told}")
    print(
        *(f"{slot:%Y-%m-%d %H:%M}Z: {told}" for slot, told in sorted(year.told.items())), sep="\n"
    )
    assert found["due"] >= 24  # a shorter year proves little
    assert found["due"] == found["recorded"] + found["missed with a reason"]
    assert found["counted as missed"] == found["missed with a reason"]
    assert found["lines"] == found["recorded"]
    assert (found["unaccounted"], found["twice"], found["not due"]) == (0, 0, 0)
