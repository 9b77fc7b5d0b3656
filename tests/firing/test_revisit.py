"""Past days asked for again: what is new is a revision, the earlier number stays in the record, and files get a line more."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sqlite3
from decimal import Decimal

import pytest

from ratectl.firing.backfill import Backfill
from ratectl.firing.by_hand import Voiding
from ratectl.firing.imports.importer import Importer
from ratectl.firing.imports.lines import Row
from ratectl.firing.runner import Runner
from ratectl.journal import quarantine, revisions
from ratectl.journal.journal import Journal
from ratectl.journal.rows import EVERY_SLOT
from ratectl.model.job import CatchUp, ClosedDays, Output, Pair
from ratectl.runtime.environment import Environment
from tests.support.rate_server import Fault
from tests.support.rate_table import Table

pytestmark = pytest.mark.network
UTC = dt.UTC
DAY = dt.timedelta(days=1)
FRIDAY, MONDAY, TUESDAY = (dt.datetime(2026, 11, day, 9, 0, 5, tzinfo=UTC) for day in (20, 23, 24))
USD_INR, USD_JPY = Pair(base="USD", quote="INR"), Pair(base="USD", quote="JPY")


def row(rupees, yen="155.2"):
    return {
        "EUR": Decimal(1),
        "USD": Decimal(1),
        "INR": Decimal(rupees),
        "JPY": Decimal(yen),
    }


@pytest.fixture
def publish(rates):
    """Let the provider have published exactly these days."""
    known = {}

    def add(day, rupees, yen="155.2"):
        known[day.date()] = row(rupees, yen)
        rates.table = Table(known | {dt.date(2031, 1, 1): row("99")})

    for number in range(14, 0, -1):
        if (FRIDAY - number * DAY).isoweekday() < 6:
            add(FRIDAY - number * DAY, "95.0")
    add(FRIDAY, "95.1")
    return add


@pytest.fixture
def again(state, clock):
    """Ask for days from *since* until yesterday, with *again* also for those that have a number."""

    def run(job, since, *, again=True):
        with Journal(state) as journal:
            env = Environment(
                clock=clock, sleep=clock.sleep, host="here", uptime=lambda: clock().timestamp()
            )
            runner = Runner(journal, journal.installed_job(job.name), env)
            until = (clock() - DAY).date()
            return Backfill(runner, since.date(), until, again=again).run(lambda *_: None)

    return run


@pytest.fixture
def numbers(state):
    """Return slot day, rate, rate day and state of all that was ever recorded."""

    def read(name="usd-inr"):
        with Journal(state) as journal:
            return [
                (e.slot.day, str(e.quote.rate), e.quote.rate_date.day, e.state)
                for e in revisions.history(journal.store(), name, EVERY_SLOT, None)
            ]

    return read


@pytest.fixture
def marked(job, installed, fire, clock, publish):
    """A job whose slot of Monday was settled with Friday's rate, before Monday's was out."""

    def make(**values):
        clock.now = MONDAY
        usd = installed(job("frankfurter", **values), since=MONDAY - DAY / 2)
        fire(usd)
        publish(MONDAY, "95.7")
        return usd

    return make


class TestHealing:
    """Under `catch_up = "all"` a marked day gets its own rate once that appears."""

    def test_heals(self, marked, fire, clock, lines, numbers, rates):
        """The next firing asks for it, in one request, and writes a line more; the third asks for nothing."""
        usd = marked(catch_up=CatchUp.ALL)
        clock.now = TUESDAY
        before = len(rates.requests)

        report = fire(usd)

        assert report.error is None
        assert numbers() == [
            (23, "95.1", 20, "revised"),
            (23, "95.7", 23, ""),
            (24, "95.7", 23, ""),
        ]
        assert lines() == [
            "23/11/2026 - 95.1 (of 20/11/2026)",
            "24/11/2026 - 95.7 (of 23/11/2026)",
            "23/11/2026 - 95.7",
        ]
        assert len(rates.requests) == before + 2
        assert fire(usd).note == "nothing is due"
        assert len(rates.requests) == before + 2

    def test_not_under_latest(self, marked, fire, clock, numbers):
        """Under `latest` what is recorded stays, unless a person asks."""
        usd = marked()
        clock.now = TUESDAY
        fire(usd)

        assert numbers()[0] == (23, "95.1", 20, "")

    @pytest.mark.parametrize(
        ("revisit", "days", "heals"), [(3, 3, True), (3, 4, False), (0, 1, False)]
    )
    def test_within(self, marked, fire, clock, numbers, revisit, days, heals):
        """It is asked for again within `revisit`, and no longer."""
        usd = marked(catch_up=CatchUp.ALL, revisit=revisit * 86_400)
        clock.now = MONDAY + days * DAY - dt.timedelta(seconds=1)
        clock.now = MONDAY.replace(hour=8, minute=59) + days * DAY
        fire(usd)
        clock.now = MONDAY.replace(hour=9, minute=0, second=0) + days * DAY
        fire(usd)

        assert ((23, "95.7", 23, "") in numbers()) is heals

    def test_a_weekend_is_not_asked_for(self, job, installed, fire, clock, rates):
        """Of days on which no provider publishes nothing is awaited."""
        clock.now = FRIDAY + DAY
        usd = installed(job("frankfurter", catch_up=CatchUp.ALL), since=FRIDAY + DAY / 2)
        fire(usd)
        clock.now = FRIDAY + 2 * DAY
        asked = len(rates.requests)

        fire(usd)

        assert len(rates.requests) == asked + 1

    def test_a_holiday_is_asked_for_once_an_hour(self, marked, fire, clock, rates):
        """However often the job runs, a day that gets no rate is asked for once an hour at most."""
        usd = marked(catch_up=CatchUp.ALL, schedule_texts=("every minute",), timeout=120)
        rates.table = Table({FRIDAY.date(): row("95.1"), dt.date(2031, 1, 1): row("99")})
        clock.now = MONDAY.replace(hour=17, minute=1)
        fire(usd, "run_due")
        asked = rates.asked("/v1/2026-11-23")
        for minute in range(2, 12):
            clock.now = max(clock.now, MONDAY.replace(hour=17, minute=minute))
            fire(usd, "run_due")

        assert rates.asked("/v1/2026-11-23") == asked == 1

    def test_a_provider_that_is_down(self, marked, fire, clock, rates, numbers):
        """What cannot be asked for again fails no firing, and is tried later."""
        usd = marked(catch_up=CatchUp.ALL)
        clock.now = TUESDAY
        rates.misbehave(Fault(status=500), times=100, path="/v1/2026")

        assert fire(usd).error is None

        rates.faults.clear()
        clock.now = TUESDAY + DAY
        assert fire(usd).error is None
        assert (23, "95.7", 23, "") in numbers()


class TestAgain:
    """`backfill --again`."""

    def test_marked(self, marked, again, clock, lines, numbers, tmp_path):
        """A marked day gets its own rate; files are only added to, tables have the newest."""
        outputs = tuple(
            Output(kind=kind, target=str(tmp_path / name))
            for kind, name in (("text", "output.txt"), ("csv", "rates.csv"), ("sqlite", "r.db"))
        )
        usd = marked(outputs=outputs)
        clock.now = TUESDAY + DAY

        filled = again(usd, FRIDAY)

        assert filled.error is None
        assert filled.outcomes["revised"] == 1
        assert (23, "95.1", 20, "revised") in numbers()
        assert (23, "95.7", 23, "") in numbers()
        assert lines()[0] == "23/11/2026 - 95.1 (of 20/11/2026)"
        assert "23/11/2026 - 95.7" in lines()
        assert (
            (tmp_path / "rates.csv")
            .read_text()
            .splitlines()[-1]
            .startswith("2026-11-23,USD,INR,95.7")
        )
        with contextlib.closing(sqlite3.connect(tmp_path / "r.db")) as table:
            kept = dict(table.execute("SELECT substr(slot, 9, 2), rate FROM quotes"))
        assert kept["23"] == "95.7"

    def test_twice(self, marked, again, clock, lines, numbers):
        """A second time nothing is new, and nothing is written."""
        usd = marked()
        clock.now = TUESDAY + DAY
        again(usd, FRIDAY)
        before = numbers(), lines()

        filled = again(usd, FRIDAY)

        assert (numbers(), lines()) == before
        assert "revised" not in filled.outcomes
        assert filled.outcomes["recorded"] == 0

    def test_without_it_nothing_is_asked(self, marked, again, clock, numbers):
        """A plain backfill leaves a marked day alone."""
        usd = marked()
        clock.now = TUESDAY + DAY
        again(usd, FRIDAY, again=False)

        assert (23, "95.1", 20, "") in numbers()

    def test_closed(self, job, installed, again, clock, publish, numbers, lines):
        """A day that was closed for want of a rate gets the one that was published later."""
        usd = job("frankfurter", closed_days=ClosedDays.SKIP)
        clock.now = TUESDAY + DAY
        installed(usd)
        publish(TUESDAY, "95.9")
        again(usd, MONDAY, again=False)
        assert [number[0] for number in numbers()] == [24]
        publish(MONDAY, "95.7")

        filled = again(usd, MONDAY)

        assert filled.outcomes == {"recorded": 1}
        assert numbers() == [(23, "95.7", 23, ""), (24, "95.9", 24, "")]
        assert lines() == ["24/11/2026 - 95.9", "23/11/2026 - 95.7"]
        assert again(usd, MONDAY).wanted == 0

    def test_one_pair_of_two(self, job, installed, again, clock, publish, numbers, state):
        """Of a slot in which one pair was closed only that is asked for; the other keeps its number."""
        usd = job("frankfurter", pairs=(USD_INR, USD_JPY), closed_days=ClosedDays.SKIP)
        clock.now = TUESDAY + DAY
        installed(usd)
        publish(MONDAY, "95.7")
        publish(TUESDAY, "95.9")
        again(usd, MONDAY, again=False)
        with Journal(state) as journal, journal.store().database.transaction() as connection:
            connection.execute(
                "DELETE FROM quotes WHERE quote = 'JPY' AND rate_date = '2026-11-23'"
            )
            connection.execute(
                "UPDATE firings SET closed_pairs = 'USD/JPY' WHERE slot = ?",
                (int(MONDAY.replace(second=0).timestamp()),),
            )

        filled = again(usd, MONDAY)

        assert filled.outcomes == {"recorded": 1}
        assert [number[:2] for number in numbers()] == [
            *((23, "95.7"), (23, "155.2")),
            *((24, "95.9"), (24, "155.2")),
        ]
        assert again(usd, MONDAY).wanted == 0

    def test_added_pair(self, marked, job, installed, again, clock, publish, numbers):
        """One run gives a pair that was added its past, and the marked pair of the same slots its own rate."""
        usd = marked()
        clock.now = TUESDAY + DAY
        publish(TUESDAY, "95.9")
        installed(job("frankfurter", pairs=(USD_INR, USD_JPY)), since=MONDAY - DAY / 2)

        filled = again(usd, MONDAY)

        assert filled.error is None
        assert (23, "95.7", 23, "") in numbers()
        assert (23, "155.2", 23, "") in numbers()
        assert filled.before == 0
        assert again(usd, MONDAY).before == filled.wanted == 2

    def test_a_row_that_was_imported(self, marked, again, clock, state, numbers):
        """A slot that the schedule does not have counts among those asked for, and no count is below nothing."""
        usd = marked()
        clock.now = TUESDAY + DAY
        with Journal(state) as journal:
            env = Environment(clock=clock, sleep=clock.sleep, host="here")
            runner = Runner(journal, journal.installed_job("usd-inr"), env)
            row = Row(
                line=1,
                pair=USD_INR,
                rate=Decimal("95.1"),
                rate_date=FRIDAY.date(),
                day=None,
                slot=MONDAY.replace(hour=11, second=0),
            )
            Importer(runner, None, "old.txt").run([row], lambda _: None)

        filled = again(usd, MONDAY)

        assert (filled.outcomes["revised"], filled.before) == (2, 0)
        assert numbers().count((23, "95.7", 23, "")) == 2

    def test_given_up(self, job, installed, again, clock, publish, numbers, state):
        """A slot that was given up is asked for, too, as without --again."""
        usd = job("frankfurter")
        clock.now = TUESDAY
        installed(usd, since=MONDAY - DAY / 2)
        publish(MONDAY, "95.7")
        with Journal(state) as journal:
            runner = Runner(
                journal,
                journal.installed_job("usd-inr"),
                Environment(clock=clock, sleep=clock.sleep, host="here"),
            )
            runner.settler.mark_missed(MONDAY.replace(second=0), "given up after 10 tries")

        assert again(usd, MONDAY).outcomes == {"recorded": 1}
        assert numbers() == [(23, "95.7", 23, "")]

    def test_voided_number_is_no_news(self, marked, again, clock, numbers, state):
        """A number that a person took back is not recorded again, another one is."""
        usd = marked()
        clock.now = TUESDAY + DAY
        again(usd, MONDAY)
        with Journal(state) as journal:
            env = Environment(clock=clock, sleep=clock.sleep, host="here")
            runner = Runner(journal, journal.installed_job("usd-inr"), env)
            Voiding(runner=runner, slot=MONDAY.replace(second=0), reason="a slip").run()

        again(usd, MONDAY)

        assert [n for n in numbers() if n[0] == 23] == [
            (23, "95.1", 20, "revised"),
            (23, "95.7", 23, "voided"),
        ]

    def test_asks_anew(self, marked, again, clock, publish, numbers, rates):
        """An answer of a moment ago does not stand for what the provider says now."""
        usd = marked()
        rates.table = Table({FRIDAY.date(): row("95.1"), dt.date(2031, 1, 1): row("99")})
        clock.now = TUESDAY + DAY
        again(usd, MONDAY)
        publish(MONDAY, "95.7")

        again(usd, MONDAY)

        assert (23, "95.7", 23, "") in numbers()

    def test_what_is_not_believed_is_held(self, marked, again, clock, publish, numbers, state):
        """A number that fails a check takes no other's place; it waits in `review` under its own slot."""
        usd = marked()
        publish(MONDAY, "9570")
        clock.now = TUESDAY + DAY

        filled = again(usd, MONDAY)

        assert filled.outcomes["revised"] == 0
        assert (23, "95.1", 20, "") in numbers()
        with Journal(state) as journal:
            held = list(quarantine.quarantine(journal.store()))
        assert {one.slot for one in held if one.quote.rate == 9570} == {MONDAY.replace(second=0)}


def test_json_of_an_installed_job(job):
    """What is installed keeps its snapshot while the spec says nothing of `revisit`."""
    assert "revisit" not in json.loads(job().to_json())
    assert json.loads(job(revisit=0).to_json())["revisit"] == 0
