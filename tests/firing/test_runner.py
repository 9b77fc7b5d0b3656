"""One firing, over real HTTP to a rate server whose calendar stands at Friday 2026-11-20, 09:30 UTC."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path

import pytest

from ratectl.errors import DataError, StorageError, TryLaterError, UsageError
from ratectl.firing.report import Settled
from ratectl.journal import quarantine
from ratectl.journal.journal import Journal
from ratectl.journal.rate_store import RateStore
from ratectl.model.job import CatchUp, ClosedDays, Output, Overlap, Pair
from ratectl.runtime.locks import acquire
from tests.fakes import past
from tests.support.rate_server import Fault

pytestmark = pytest.mark.network
UTC = dt.UTC
DAY = dt.timedelta(days=1)


FRIDAYS = Fault(
    body=b'{"amount": 1.0, "base": "USD", "date": "2026-11-20", "rates": {"INR": 95.12}}'
)


def outcome_of(state, slot):
    """Return what became of a slot, and whether it is settled."""
    with Journal(state) as journal:
        firing = journal.store().firing("usd-inr", slot)
    return firing.outcome, firing.settled


def outcomes(report):
    return [(settled.slot.isoformat(), settled.outcome) for settled in report.settled]


def test_due_slot_is_recorded(job, installed, fire, lines, state):
    """A due slot gives one line, one quote and a settled firing."""
    usd = installed(job())

    report = fire(usd)

    assert outcomes(report) == [("2026-11-20T09:00:00+00:00", "recorded")]
    assert report.error is None
    assert lines() == ["20/11/2026 - 95"]
    with Journal(state) as journal:
        [entry] = journal.store().quotes("usd-inr")
        assert str(entry.quote.rate) == "95"
        assert entry.quote.rate_date == dt.date(2026, 11, 20)
        assert journal.store().last_firing("usd-inr").settled


def test_second_wakeup_does_nothing(job, installed, fire, lines, rates):
    """Waking again, by hand or by the engine, asks nobody and writes nothing."""
    usd = installed(job())
    fire(usd)

    report = fire(usd)

    assert report.note == "nothing is due"
    assert len(lines()) == len(rates.requests) == 1


def test_first_install_never_back_fills(job, installed, fire, lines, clock):
    """Slots count from the moment of installation."""
    usd = installed(job(catch_up=CatchUp.ALL), since=clock())

    assert not fire(usd).settled
    assert lines() == []


def test_next_due_is_stored_when_nothing_is_owed(job, installed, fire, state):
    """After a good firing the journal says when to look again."""
    usd = installed(job())
    fire(usd)

    with Journal(state) as journal:
        assert journal.installed_job("usd-inr").next_due == dt.datetime(2026, 11, 21, 9, tzinfo=UTC)


def test_paused_job_rests(job, installed, fire, lines):
    """A job with enabled = false is not fetched, even when due."""
    assert fire(installed(job(enabled=False))).note == "switched off in the spec"
    assert lines() == []


def test_a_provider_that_hangs_leaves_time_for_the_next(job, installed, fire, lines, rates):
    """However short the timeout and many the requests, the second provider gets its turn."""
    rates.misbehave(Fault(hang=True), times=10, path="/v4")
    pairs = tuple(Pair(base=base, quote="INR") for base in ("USD", "EUR", "GBP"))
    usd = job("exchangerate-api-v4", "exchangerate-api-open", pairs=pairs, timeout=2)

    assert fire(installed(usd)).error is None
    assert len(lines()) == 3


def test_two_names_of_one_file(job, installed, fire, lines, tmp_path):
    """A job whose outputs lead to the same file does not wait for itself, and the line stands there once."""
    (tmp_path / "link.txt").symlink_to(tmp_path / "output.txt")
    names = ("output.txt", "link.txt")
    usd = job(outputs=tuple(Output(kind="text", target=str(tmp_path / name)) for name in names))

    assert fire(installed(usd)).error is None
    assert lines() == ["20/11/2026 - 95"]


class TestWrongClock:
    """The machine's clock stood wrong for a while, and was put right."""

    @pytest.mark.parametrize("policy", CatchUp)
    def test_no_slot_is_lost(self, job, installed, fire, lines, clock, rates, policy):
        """What was given up in a future that never came is due when its time really comes."""
        clock.now = dt.datetime(2026, 11, 20, 9, 1, tzinfo=UTC)
        usd = installed(job(catch_up=policy), since=clock() - dt.timedelta(hours=1))
        fire(usd)
        today = clock.now
        rates.clock = lambda: today
        clock.now = today + dt.timedelta(days=365)
        fire(usd)
        rates.clock = clock
        clock.now = dt.datetime(2026, 11, 21, 9, 1, tzinfo=UTC)

        report = fire(usd)

        assert outcomes(report) == [("2026-11-21T09:00:00+00:00", "recorded")]
        assert [line[:10] for line in lines()] == ["20/11/2026", "21/11/2026"]

    def test_nothing_is_recorded_twice(self, job, installed, fire, lines, clock):
        """A clock that is put back over slots finds them settled."""
        usd = installed(job(schedule_texts=("every minute",)), since=clock() - DAY)
        for _ in range(3):
            fire(usd, "run_due")
            clock.now += dt.timedelta(minutes=1)
        assert len(lines()) == 3

        clock.now -= dt.timedelta(seconds=90)
        report = fire(usd, "run_due")

        assert report.note == "nothing is due"
        assert len(lines()) == 3

    def test_machine_that_starts_in_1970(self, job, installed, fire, state, clock):
        """A clock before the installation is wrong itself, and moves nothing back."""
        usd = installed(job(catch_up=CatchUp.ALL))
        fire(usd)
        with Journal(state) as journal:
            settled = journal.installed_job("usd-inr").settled_until
        clock.now = dt.datetime(1970, 1, 1, 12, tzinfo=UTC)
        fire(usd, "run_due")

        with Journal(state) as journal:
            assert journal.installed_job("usd-inr").settled_until == settled


class TestCatchUp:
    """What happens to slots that passed while nothing could run (the machine was off for four days)."""

    WEEK = dt.datetime(2026, 11, 16, 12, 0, tzinfo=UTC)

    def test_latest_settles_the_newest_only(self, job, installed, fire, lines, state):
        """`latest` records one line and counts the slots before it as missed."""
        report = fire(installed(job(), since=self.WEEK))

        assert outcomes(report) == [("2026-11-20T09:00:00+00:00", "recorded")]
        assert len(lines()) == 1
        with Journal(state) as journal:
            assert journal.installed_job("usd-inr").missed == 3

    def test_none_leaves_a_late_slot_alone(self, job, installed, fire, lines, state):
        """`none` fetches a slot only when woken within two minutes of it."""
        report = fire(installed(job(catch_up=CatchUp.NONE), since=self.WEEK))

        assert not report.settled
        assert lines() == []
        with Journal(state) as journal:
            assert journal.installed_job("usd-inr").missed == 4

    def test_none_takes_a_slot_that_is_on_time(self, job, installed, fire, lines, clock):
        """`none` still allows for engines that start a little late."""
        clock.now = dt.datetime(2026, 11, 20, 9, 1, 50, tzinfo=UTC)

        fire(installed(job(catch_up=CatchUp.NONE), since=self.WEEK))

        assert len(lines()) == 1

    def test_all_asks_history_for_past_days(self, job, installed, fire, lines, rates, state):
        """`all` settles every slot, oldest first: past days by one request for all, today's live."""
        usd = job("exchangerate-api-v4", "frankfurter", catch_up=CatchUp.ALL)

        report = fire(installed(usd, since=self.WEEK))

        assert [line[:10] for line in lines()] == [
            "17/11/2026",
            "18/11/2026",
            "19/11/2026",
            "20/11/2026",
        ]
        assert report.error is None
        assert [path for path, _ in rates.requests] == [
            "/v1/2026-11-17..2026-11-19?base=USD&symbols=INR",
            "/v4/latest/USD",
        ]
        with Journal(state) as journal:
            kinds = [entry.quote.kind for entry in journal.store().quotes("usd-inr")]
        assert kinds == ["backfilled"] * 3 + ["published"]

    def test_a_day_that_is_not_over_at_the_provider_waits(
        self, job, installed, fire, lines, rates, clock
    ):
        """Just after midnight in the east, the provider's day has hours to go: the slot stays due."""
        usd = job(
            "frankfurter",
            catch_up=CatchUp.ALL,
            timezone="Pacific/Kiritimati",  # 14 hours ahead of UTC
            schedule_texts=("every day at 23:00",),
        )
        clock.now = dt.datetime(2026, 11, 19, 10, 30, tzinfo=UTC)  # the 20th there, 00:30
        installed(usd, since=clock() - DAY / 2)

        report = fire(usd)

        assert report.error.exit_code == 75
        assert "not published yet" in str(report.error)
        assert lines() == [] == rates.requests
        clock.now = dt.datetime(2026, 11, 19, 17, 1, tzinfo=UTC)
        assert fire(usd).error is None
        assert [line[:10] for line in lines()] == ["19/11/2026"]

    def test_latest_does_not_wait_for_a_day_to_be_over(
        self, job, installed, fire, lines, rates, clock
    ):
        """Under `latest` no wakeup would come back to the slot, so the newest rate is taken, with its day."""
        usd = job(
            "frankfurter", timezone="Pacific/Kiritimati", schedule_texts=("every day at 23:00",)
        )
        clock.now = dt.datetime(2026, 11, 19, 10, 30, tzinfo=UTC)
        installed(usd, since=clock() - DAY / 2)

        assert fire(usd).error is None

        assert rates.requests[0][0].startswith("/v1/latest")
        assert [line[:10] for line in lines()] == ["19/11/2026"]

    def test_all_without_history_says_so(self, job, installed, fire, lines, state):
        """Where no provider knows past days, those slots are missed, and today's is still recorded."""
        report = fire(installed(job(catch_up=CatchUp.ALL), since=self.WEEK))

        assert [outcome for _, outcome in outcomes(report)] == ["missed"] * 3 + ["recorded"]
        with Journal(state) as journal:
            firing = journal.store().firing("usd-inr", dt.datetime(2026, 11, 17, 9, tzinfo=UTC))
            assert "add frankfurter or ecb" in firing.detail
        assert len(lines()) == 1

    def test_grace(self, job, installed, fire, lines):
        """A slot older than the grace when first seen is not fetched live."""
        report = fire(installed(job(grace=600)))

        assert [outcome for _, outcome in outcomes(report)] == ["missed"]
        assert lines() == []

    def test_many_slots_of_today_need_one_request(self, job, installed, fire, lines, rates, clock):
        """Slots that are caught up together share one answer."""
        usd = job(schedule_texts=("every minute",), catch_up=CatchUp.ALL)

        fire(installed(usd, since=clock() - dt.timedelta(minutes=20)), "run_due")

        assert len(lines()) == 20
        assert len(rates.requests) == 1


class TestClosedDays:
    """On Sunday the ECB's newest rate is Friday's."""

    SUNDAY = dt.datetime(2026, 11, 22, 9, 0, 5, tzinfo=UTC)

    @pytest.fixture(autouse=True)
    def _sunday(self, clock):
        clock.now = self.SUNDAY

    def test_mark(self, job, installed, fire, lines):
        """A marked line carries the slot's date and says of which day the rate is."""
        fire(installed(job("frankfurter")))

        [line] = lines()
        assert line.startswith("22/11/2026 - ")
        assert line.endswith(" (of 20/11/2026)")

    def test_skip(self, job, installed, fire, lines):
        """`skip` settles the slot without a line and without an error."""
        usd = installed(job("frankfurter", closed_days=ClosedDays.SKIP))

        report = fire(usd)

        assert [outcome for _, outcome in outcomes(report)] == ["closed"]
        assert report.error is None
        assert fire(usd).note == "nothing is due"
        assert lines() == []

    def test_fail(self, job, installed, fire, lines):
        """`fail` settles it without a line and exits 65."""
        report = fire(installed(job("frankfurter", closed_days=ClosedDays.FAIL)))

        assert isinstance(report.error, DataError)
        assert lines() == []

    @pytest.mark.parametrize("policy", [ClosedDays.SKIP, ClosedDays.FAIL])
    def test_a_working_day_is_not_closed_before_its_hour(
        self, job, installed, fire, lines, rates, clock, policy
    ):
        """On Monday morning the ECB's rate is Friday's because Monday's is not out: try later."""
        clock.now = dt.datetime(2026, 11, 23, 9, 0, 5, tzinfo=UTC)
        usd = installed(job("frankfurter", closed_days=policy), since=clock() - DAY / 2)
        rates.misbehave(FRIDAYS)

        report = fire(usd)

        assert report.error.exit_code == 75
        assert "not published yet" in str(report.error)
        clock.now = dt.datetime(2026, 11, 23, 17, 0, 5, tzinfo=UTC)
        assert fire(usd).error is None
        assert lines()[0].startswith("23/11/2026 - ")
        assert "of" not in lines()[0]

    def test_skip_prefers_a_provider_that_has_the_day(self, job, installed, fire, lines):
        """A later provider that publishes on Sundays is asked before the day counts as closed."""
        kinds = ("frankfurter", "exchangerate-api-v4")

        fire(installed(job(*kinds, closed_days=ClosedDays.SKIP)))

        assert lines() == ["22/11/2026 - 95"]


class TestOneSlot:
    """`--slot T` and `--force`."""

    def test_past_slot(self, job, installed, fire, lines):
        """A slot before the installation can be settled by name."""
        usd = installed(job("frankfurter"))
        slot = dt.datetime(2026, 11, 11, 9, tzinfo=UTC)

        report = fire(usd, "run_slot", slot)

        assert outcomes(report) == [("2026-11-11T09:00:00+00:00", "recorded")]
        assert lines()[0].startswith("11/11/2026 - ")

    def test_recorded_slot_is_left_alone(self, job, installed, fire, lines):
        """Naming a recorded slot again is a success that does nothing."""
        usd = installed(job())
        fire(usd)

        report = fire(usd, "run_slot", dt.datetime(2026, 11, 20, 9, tzinfo=UTC))

        assert "already recorded" in report.note
        assert len(lines()) == 1

    def test_missed_slot_can_be_settled_later(self, job, installed, fire, lines):
        """What a firing gave up, a person may still ask for."""
        usd = installed(job(grace=60))
        assert outcomes(fire(usd))[0][1] == "missed"

        fire(usd, "run_slot", dt.datetime(2026, 11, 20, 9, tzinfo=UTC))

        assert len(lines()) == 1

    def test_missed_slot_while_another_firing_is_at_work(self, job, installed, fire, state):
        """Without the job's lock a missed slot stays missed: nobody would come back to an open one."""
        usd = installed(job(grace=60))
        fire(usd)
        slot = dt.datetime(2026, 11, 20, 9, tzinfo=UTC)

        with acquire(state / "locks" / "job-usd-inr.lock", until=None):
            report = fire(usd, "run_slot", slot)

        assert report.note == "another firing is at work"
        assert outcome_of(state, slot) == ("missed", True)

    def test_missed_slot_that_has_no_rate_now_either(self, job, installed, fire, state, rates):
        """A missed slot that is asked for in vain stays missed."""
        usd = installed(job(grace=60, timeout=2))
        fire(usd)
        slot = dt.datetime(2026, 11, 20, 9, tzinfo=UTC)
        rates.misbehave(Fault(status=503), times=1000)

        report = fire(usd, "run_slot", slot)

        assert report.error is not None
        assert outcome_of(state, slot) == ("missed", True)

    def test_not_a_slot(self, job, installed, fire):
        """A time that the schedule lacks is refused, with its neighbours."""
        usd = installed(job())

        with pytest.raises(UsageError, match=r"2026-11-19T09:00.*2026-11-20T09:00"):
            fire(usd, "run_slot", dt.datetime(2026, 11, 20, 8, tzinfo=UTC))

    def test_future_slot(self, job, installed, fire):
        """A slot that lies ahead is refused."""
        with pytest.raises(UsageError, match="lies ahead"):
            fire(installed(job()), "run_slot", dt.datetime(2026, 11, 21, 9, tzinfo=UTC))

    def test_past_slot_needs_history(self, job, installed, fire, lines):
        """Today's rate is never recorded for a past slot that someone names."""
        report = fire(installed(job()), "run_slot", dt.datetime(2026, 11, 11, 9, tzinfo=UTC))

        assert isinstance(report.error, DataError)
        assert lines() == []

    def test_forced(self, job, installed, fire, lines, state):
        """A forced firing records a manual slot and leaves the due one due."""
        usd = installed(job())

        fire(usd, "run_now")
        fire(usd)

        assert len(lines()) == 2
        with Journal(state) as journal:
            assert sorted(e.quote.kind for e in journal.store().quotes("usd-inr")) == [
                "manual",
                "published",
            ]

    def test_forced_and_held(self, job, installed, fire, state):
        """An answer that is held is of the kind that it would have been recorded as, for whoever accepts it."""
        usd = installed(job())
        past.settle(state, usd, dt.datetime(2026, 11, 19, 9, tzinfo=UTC), "0.95")

        fire(usd, "run_now")

        with Journal(state) as journal:
            [answer] = quarantine.quarantine(journal.store())
        assert answer.quote.kind == "manual"

    def test_forced_twice_in_a_second(self, job, installed, fire, lines):
        """Two manual firings never share a slot."""
        usd = installed(job())

        fire(usd, "run_now")
        fire(usd, "run_now")

        assert len(lines()) == 2


class TestWaiting:
    """Slots inside the minute, early engines, jitter."""

    def test_seconds_are_walked(self, job, installed, fire, lines, clock):
        """One wakeup a minute settles every slot of that minute."""
        usd = job(schedule_texts=("every 15 seconds",), catch_up=CatchUp.ALL)
        start = dt.datetime(2026, 11, 20, 9, 30, 0, 200_000, tzinfo=UTC)
        clock.now = start

        report = fire(installed(usd, since=start - dt.timedelta(seconds=1)))

        assert [slot[17:19] for slot, _ in outcomes(report)] == ["00", "15", "30", "45"]
        assert len(lines()) == 4
        assert clock.now < start + dt.timedelta(minutes=1)

    def test_walk_ends_with_its_minute(self, job, installed, fire, clock):
        """However dense the slots, the process ends with the minute; the next wakeup goes on."""
        start = clock.now = dt.datetime(2026, 11, 20, 9, 30, 50, tzinfo=UTC)
        usd = job(schedule_texts=("every second",), catch_up=CatchUp.ALL)

        report = fire(installed(usd, since=start - dt.timedelta(seconds=1)))

        assert [slot[14:19] for slot, _ in outcomes(report)] == [f"30:{s}" for s in range(50, 60)]

    @pytest.mark.parametrize("change", ["removed", "paused", "switched off", "at other times"])
    def test_walk_ends_with_the_job(self, state, job, installed, fire, clock, change):
        """What is removed, paused or changed while a firing waits gets no slot of the old schedule any more."""
        clock.now = dt.datetime(2026, 11, 20, 9, 30, 0, tzinfo=UTC)
        usd = installed(
            job(schedule_texts=("every 15 seconds",)), since=clock.now - dt.timedelta(seconds=1)
        )
        sleep = clock.sleep

        def meanwhile(seconds):
            sleep(seconds)
            with Journal(state) as journal:
                if change == "removed":
                    journal.forget_jobs([usd.name])
                elif change == "paused":
                    journal.pause_jobs([usd.name])
                elif change == "switched off":
                    installed(dataclasses.replace(usd, enabled=False))
                else:
                    installed(dataclasses.replace(usd, schedule_texts=("every 20 seconds",)))

        clock.sleep = meanwhile
        report = fire(usd)

        assert [slot[17:19] for slot, _ in outcomes(report)] == ["00"]

    def test_an_install_while_a_firing_is_at_work(self, state, job, installed, fire, clock, rates):
        """What the old schedule says of the next slot never hides a slot of the new one."""
        usd = installed(job(), since=clock.now - DAY)
        often = dataclasses.replace(usd, schedule_texts=("every 5 minutes",))
        rates.clock = lambda: installed(often) and clock()  # asked at each request

        report = fire(usd)

        assert [outcome for _, outcome in outcomes(report)] == ["recorded"]

        with Journal(state) as journal:
            assert journal.installed_job(usd.name).next_due is None

    def test_early_engine(self, job, installed, fire, lines, clock):
        """An engine that starts us a second early loses nothing."""
        clock.now = dt.datetime(2026, 11, 20, 8, 59, 59, tzinfo=UTC)

        fire(installed(job(), since=clock.now))

        assert len(lines()) == 1

    def test_jitter_delays_the_start_and_not_the_slot(self, job, installed, fire, clock):
        """The start moves by the same amount each day, the slot stays."""
        begun = clock.now = dt.datetime(2026, 11, 20, 9, 0, 0, tzinfo=UTC)
        usd = installed(job(jitter=3600), since=begun - DAY / 2)

        report = fire(usd)

        assert outcomes(report) == [("2026-11-20T09:00:00+00:00", "recorded")]
        assert begun < clock.now <= begun + dt.timedelta(hours=1)


class TestClockAhead:
    """A clock that stood ahead for a while."""

    def test_what_it_counted_as_missed_is_taken_back(self, job, installed, fire, clock, state):
        """One firing with a clock two days ahead leaves no slot missed once the clock is right again."""
        usd = installed(job(schedule_texts=("every minute",)), since=clock.now)
        right = clock.now
        clock.now = right + 2 * DAY
        fire(usd)
        with Journal(state) as journal:
            assert journal.installed_job(usd.name).missed > 2000

        clock.now = right + dt.timedelta(minutes=1)
        fire(usd)

        with Journal(state) as journal:
            assert journal.installed_job(usd.name).missed == 0


class TestFailure:
    """What a failed firing leaves behind."""

    def test_provider_down_keeps_the_slot_due(self, job, installed, fire, lines, rates):
        """Exit 75, nothing appended, and the next wakeup catches up."""
        rates.misbehave(Fault(status=503), times=1000)
        usd = installed(job(timeout=1))

        report = fire(usd)

        assert isinstance(report.error, TryLaterError)
        assert report.error.exit_code == 75
        assert lines() == []
        rates.faults.clear()
        assert fire(usd).error is None
        assert lines() == ["20/11/2026 - 95"]

    def test_purged_meanwhile(self, job, installed, fire, rates, state, monkeypatch):
        """A job that is removed with its record while its firing fails: that ends with what failed."""
        usd = installed(job())
        honest = rates.answer

        def answer(target, headers):
            with Journal(state) as journal:
                journal.forget_jobs(["usd-inr"])
                journal.purge_jobs(["usd-inr"])
            return 403, honest(target, headers)[1], b"no"

        monkeypatch.setattr(rates, "answer", answer)

        assert "403" in str(fire(usd).error)
        with Journal(state) as journal:
            assert journal.known() == frozenset()

    def test_bad_data_is_quarantined(self, job, installed, fire, lines, rates, state, sample):
        """A body that cannot be believed is kept with its reason, and exits 65; the error names what decides about it."""
        rates.misbehave(Fault(body=sample("hostile/200-inr-negative.json")))

        report = fire(installed(job()))

        assert report.error.exit_code == 65
        assert str(report.error).endswith("; `ratectl review` shows the held answer, and decides")
        assert lines() == []
        with Journal(state) as journal:
            [answer] = quarantine.quarantine(journal.store())
            assert "not a positive number" in answer.reason
            assert b"-95.07" in quarantine.body(journal.store(), answer.id)

    def test_past_slot_is_given_up_in_the_end(self, job, installed, fire, rates, state):
        """A past slot whose answers never pass is not asked for ever."""
        usd = installed(
            job("frankfurter", catch_up=CatchUp.ALL), since=dt.datetime(2026, 11, 18, tzinfo=UTC)
        )
        rates.misbehave(Fault(body=b"[]"), times=100, path="/v1/2026-11-18")

        for _ in range(10):
            fire(usd)

        with Journal(state) as journal:
            firing = journal.store().firing("usd-inr", dt.datetime(2026, 11, 18, 9, tzinfo=UTC))
            assert (firing.outcome, firing.settled) == ("missed", True)

    def test_missing_pair_is_fetched_later(self, job, installed, fire, lines, rates):
        """Of two pairs, the one that could be had is recorded at once and never again."""
        pairs = (Pair(base="USD", quote="INR"), Pair(base="EUR", quote="INR"))
        usd = installed(job(pairs=pairs, timeout=1))
        rates.misbehave(Fault(status=503), times=1000, path="/v4/latest/EUR")

        assert fire(usd).error.exit_code == 75
        assert lines() == ["20/11/2026 - USD/INR 95"]
        rates.faults.clear()
        assert fire(usd).error is None
        assert lines()[1:] == ["20/11/2026 - EUR/INR 110.2"]

    def test_others_claim(self, job, installed, fire, state, clock):
        """A slot that another host is at work on is taken over when its lease lapses, and no sooner."""
        usd = installed(job())
        begun = clock()
        with Journal(state) as journal:
            slot = dt.datetime(2026, 11, 20, 9, tzinfo=UTC)
            there = RateStore(journal.database, lambda: "there/1")
            there.claim("usd-inr", [slot], now=begun, lease=30)

        assert fire(usd).error is None
        assert clock() > begun + dt.timedelta(seconds=30)

    def test_others_claim_for_ever(self, job, installed, fire, state, clock):
        """A slot that another host does not let go of is exit 75, and stays due."""
        usd = installed(job())
        with Journal(state) as journal:
            slot = dt.datetime(2026, 11, 20, 9, tzinfo=UTC)
            there = RateStore(journal.database, lambda: "there/1")
            there.claim("usd-inr", [slot], now=clock(), lease=1_000_000)

        assert fire(usd).error.exit_code == 75
        with Journal(state) as journal:
            assert journal.installed_job("usd-inr").next_due is None

    def test_own_dead_claim(self, job, installed, fire, state, clock):
        """The claim of a process of this host that died is taken over at once."""
        usd = installed(job())
        with Journal(state) as journal:
            slot = dt.datetime(2026, 11, 20, 9, tzinfo=UTC)
            journal.store().claim("usd-inr", [slot], now=clock(), lease=10_000)

        assert fire(usd).error is None


class TestOverlap:
    """Another firing of the job holds its lock."""

    @pytest.fixture(autouse=True)
    def _busy(self, state):
        with acquire(state / "locks" / "job-usd-inr.lock", until=None) as got:
            assert got
            yield

    def test_skip(self, job, installed, fire):
        """`skip` leaves at once, as a success."""
        report = fire(installed(job()))

        assert (report.note, report.error) == ("another firing is at work", None)

    def test_wait_gives_up_with_75(self, job, installed, fire):
        """`wait` waits as long as the job's timeout."""
        with pytest.raises(TryLaterError, match="still at work"):
            fire(installed(job(overlap=Overlap.WAIT, timeout=1)))


class TestOutputs:
    """Several sinks, and outputs that cannot be written."""

    def test_all_formats(self, job, installed, fire, lines, tmp_path):
        """Each output gets the quote in its own form."""
        kinds = {"text": "output.txt", "csv": "deep/new/o.csv", "jsonl": "o.jsonl"}
        outputs = tuple(Output(kind=k, target=str(tmp_path / n)) for k, n in kinds.items())

        fire(installed(job(outputs=outputs)))

        assert lines("deep/new/o.csv") == [
            "date,base,quote,amount,source,type",
            "2026-11-20,USD,INR,95,exchangerate-api-v4,published",
        ]
        [record] = map(json.loads, lines("o.jsonl"))
        assert record["rate"] == "95"
        assert record["slot"] == "2026-11-20T09:00:00+00:00"
        assert record["observed_at"] == "2026-11-20T09:30:00+00:00"

    def test_two_jobs_share_a_file(self, job, installed, fire, lines):
        """Jobs may write to one output; nothing is lost or doubled."""
        one = installed(job())
        other = installed(job(name="eur-inr", pairs=(Pair(base="EUR", quote="INR"),)))

        fire(one)
        fire(other)

        assert lines() == ["20/11/2026 - 95", "20/11/2026 - 110.2"]

    def test_unwritable_output_keeps_the_rate(self, job, installed, fire, lines, tmp_path, rates):
        """A rate whose output cannot be made stays in the journal and is delivered later, once."""
        (tmp_path / "folder").write_text("in the way")
        usd = installed(job(outputs=(Output(kind="text", target=str(tmp_path / "folder/o.txt")),)))

        assert fire(usd).error.exit_code == 73
        assert fire(usd).error.exit_code == 73
        (tmp_path / "folder").unlink()
        assert fire(usd).error is None

        assert lines("folder/o.txt") == ["20/11/2026 - 95"]
        assert len(rates.requests) == 1

    def test_full_disk(self, job, installed, fire):
        """An output on a full device is exit 74, and the rate is kept."""
        if not Path("/dev/full").exists():
            pytest.skip("this system has no /dev/full")
        usd = installed(job(outputs=(Output(kind="text", target="/dev/full"),)))

        assert isinstance(fire(usd).error, StorageError)


class TestTelling:
    """notify and ping."""

    def test_ping(self, job, installed, fire, rates):
        """The dead-man's switch hears of the start, beside the fetch, and of the success after it."""
        fire(installed(job(ping=f"{rates.url}/ping/secret")))

        asked = [path for path, _ in rates.requests]
        assert sorted(asked[:2]) == ["/ping/secret/start", "/v4/latest/USD"]
        assert asked[2:] == ["/ping/secret"]

    def test_failure_and_recovery_are_told_once(self, job, installed, fire, rates):
        """Webhooks hear of the failure that reaches notify_after, and of the recovery after it."""
        usd = installed(job(notify=(f"{rates.url}/hook",), notify_after=2))
        rates.misbehave(Fault(body=b"{}"), times=3, path="/v4")

        counts = []
        for _ in range(4):
            fire(usd)
            counts.append(sum(path == "/hook" for path, _ in rates.requests))

        assert counts == [0, 1, 1, 2]

    def test_dead_webhook_harms_nothing(self, job, installed, fire, lines):
        """A switch that cannot be reached does not fail the firing."""
        assert fire(installed(job(ping="http://127.0.0.1:9/x"))).error is None
        assert len(lines()) == 1


def test_warnings_are_told_apart():
    """What one slot came to is one line, in which each warning is a clause of its own."""
    slot = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)
    settled = Settled(slot, "recorded", warnings=("7 % more than before", "rounded"))

    told = "Fri 2026-11-20 09:30 UTC recorded; 7 % more than before; rounded"
    assert settled.described(dt.UTC) == told
