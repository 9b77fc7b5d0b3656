"""A number that a person took back is recorded for no slot again, whoever asks; another provider's may take its place."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from ratectl.firing.backfill import Backfill
from ratectl.firing.by_hand import Entry, Voiding
from ratectl.model.job import CatchUp, ClosedDays, Pair
from ratectl.rates import lookup
from tests.support.rate_server import Fault
from tests.support.rate_table import Table

pytestmark = pytest.mark.network
DAY = dt.timedelta(days=1)
USD_INR, USD_JPY = Pair(base="USD", quote="INR"), Pair(base="USD", quote="JPY")
FRIDAY = dt.datetime(2026, 11, 20, 18, 0, 5, tzinfo=dt.UTC)
SLOT = FRIDAY.replace(second=0)
TAKEN_BACK = "was taken back with `review void`"


@pytest.fixture
def publish(rates):
    """Let the providers have published these numbers for Friday and the days before."""

    def say(friday, before="95.0"):
        row = {"EUR": Decimal(1), "USD": Decimal(1), "JPY": Decimal("155.2")}
        days = [FRIDAY - number * DAY for number in range(14)]
        known = {
            day.date(): row | {"INR": Decimal(friday if day == FRIDAY else before)}
            for day in days
            if day.isoweekday() < 6
        }
        rates.table = Table(known | {dt.date(2031, 1, 1): row | {"INR": Decimal(99)}})

    say("95.1")
    return say


@pytest.fixture
def voided(job, installed, fire, clock, publish, runner):
    """A daily job whose rate of Friday was recorded, and taken back."""

    def make(*kinds, first="95.1", **values):
        clock.now = FRIDAY
        publish(first)
        defaults = {"schedule_texts": ("every day at 18:00",)}
        usd = installed(
            job(*(kinds or ("frankfurter",)), **defaults | values), since=FRIDAY - DAY / 2
        )
        assert fire(usd).error is None
        runner(lambda one: Voiding(runner=one, slot=SLOT).run())
        return usd

    return make


def recorded(runner):
    return runner(
        lambda one: [
            (entry.slot.day, str(entry.quote.rate), entry.quote.provider)
            for entry in one.store.quotes("usd-inr")
        ]
    )


@pytest.mark.parametrize("catch_up", [CatchUp.LATEST, CatchUp.ALL])
def test_weekend(voided, fire, clock, runner, state, catch_up):
    """Friday's number does not come back with Saturday and Sunday; the days are closed, and owe nothing."""
    usd = voided(catch_up=catch_up)
    for days in (1, 2):
        clock.now = FRIDAY + days * DAY

        report = fire(usd)

        assert report.error is None
        [settled] = report.settled
        assert settled.outcome == "closed"
        assert TAKEN_BACK in " ".join(settled.warnings)
        assert fire(usd).note == "nothing is due"
    assert recorded(runner) == []
    assert lookup("USD/INR", FRIDAY.date(), state_dir=state) is None


def test_a_day_whose_own_rate_comes_later(voided, fire, clock, runner, rates):
    """A Monday is not closed because Friday's number was taken back: its own is waited for."""
    usd = voided(schedule_texts=("every day at 18:00", "every monday at 08:00"))
    clock.now = FRIDAY + 2 * DAY
    fire(usd)
    clock.now += DAY * 14 / 24
    early = fire(usd)
    row = rates.table.row(FRIDAY.date())
    known = {FRIDAY.date(): row, clock.now.date(): row | {"INR": Decimal("95.7")}}
    rates.table = Table(known | {dt.date(2031, 1, 1): row})
    clock.now += DAY / 3

    done = fire(usd)

    assert early.error.exit_code == 75
    assert "is of 2026-11-20 and was taken back, that of 2026-11-23 comes later" in str(early.error)
    assert done.error is None
    assert recorded(runner) == [(23, "95.7", "frankfurter")]


def test_past_days(voided, fire, clock, runner):
    """Nor with a catch-up of days that are over."""
    usd = voided(catch_up=CatchUp.ALL)
    clock.now = FRIDAY + 3 * DAY

    fire(usd)

    assert [n for n in recorded(runner) if n[1] == "95.1"] == []


@pytest.mark.parametrize("again", [False, True])
def test_backfill(voided, clock, runner, again):
    """Nor with a backfill, which says so."""
    voided()
    clock.now = FRIDAY + 3 * DAY
    days = (FRIDAY.date(), (FRIDAY + 2 * DAY).date())

    filled = runner(lambda one: Backfill(one, *days, again=again).run(lambda *_: None))

    assert filled.error is None
    assert recorded(runner) == []
    assert TAKEN_BACK in " ".join(filled.taken_back)


def test_mended(voided, fire, clock, publish, runner):
    """A number that the provider corrected meanwhile is another one, and recorded."""
    usd = voided()
    publish("95.4")
    clock.now = FRIDAY + DAY

    assert fire(usd).error is None

    assert recorded(runner) == [(21, "95.4", "frankfurter")]


def test_one_pair_of_a_slot(job, installed, fire, clock, publish, runner, rates):
    """`run --slot` asks again for the one pair that was taken back, and where that fails the slot stands as it did."""
    clock.now = FRIDAY
    pairs = (USD_INR, USD_JPY)
    two = installed(
        job("frankfurter", pairs=pairs, schedule_texts=("every day at 18:00",)),
        since=FRIDAY - DAY / 2,
    )
    fire(two)
    runner(lambda one: Voiding(runner=one, slot=SLOT, pair=USD_INR).run())
    clock.now = FRIDAY + 4 * DAY
    rates.misbehave(Fault(status=503), times=99)

    failed = fire(two, "run_slot", SLOT)
    rates.faults.clear()
    publish("95.4")
    done = fire(two, "run_slot", SLOT)
    again = fire(two, "run_slot", SLOT)

    assert failed.error.exit_code == 75
    assert [settled.outcome for settled in done.settled] == ["recorded"]
    assert {n[1] for n in recorded(runner)} == {"95.4", "155.2"}
    assert again.note == "Fri 2026-11-20 18:00 UTC is already recorded"


def test_a_failed_try_leaves_the_slot_closed(voided, fire, clock, rates, runner):
    """A slot of which all was taken back is whole after a try that failed, as before it."""
    usd = voided()
    clock.now = FRIDAY + 4 * DAY
    rates.misbehave(Fault(status=503), times=99)

    assert fire(usd, "run_slot", SLOT).error.exit_code == 75

    assert runner(lambda one: one.store.whole("usd-inr", usd.pairs, SLOT, SLOT)) == {SLOT}


@pytest.mark.usefixtures("publish")
def test_again_asks_for_both_pairs(job, installed, clock, runner):
    """`backfill --again` gives a slot the pair that was taken back beside the one that was never asked for, in one run."""
    clock.now = FRIDAY + 4 * DAY
    values = {"pairs": (USD_INR, USD_JPY), "schedule_texts": ("every day at 18:00",)}
    installed(job("frankfurter", **values), since=clock())
    record = {"pair": USD_INR, "rate": Decimal("0.01"), "day": SLOT.date()}
    runner(lambda one: Entry(runner=one, **record).run())
    runner(lambda one: Voiding(runner=one, slot=SLOT).run())

    days = (SLOT.date(), SLOT.date())
    runner(lambda one: Backfill(one, *days, again=True).run(lambda *_: None))

    assert sorted(n[:2] for n in recorded(runner)) == [(20, "155.2"), (20, "95.1")]


def test_no_history(job, installed, fire, clock, runner):
    """A past slot that cannot be asked for again stays recorded with its other pairs."""
    clock.now = FRIDAY
    values = {"pairs": (USD_INR, USD_JPY), "schedule_texts": ("every day at 18:00",)}
    two = installed(job("exchangerate-api-v4", **values), since=FRIDAY - DAY / 2)
    fire(two)
    runner(lambda one: Voiding(runner=one, slot=SLOT, pair=USD_INR).run())
    clock.now = FRIDAY + 4 * DAY

    report = fire(two, "run_slot", SLOT)

    assert "historical rates" in str(report.error)
    firing = runner(lambda one: one.store.firing("usd-inr", SLOT))
    assert (firing.settled, firing.outcome) == (True, "recorded")
    assert runner(lambda one: one.store.whole("usd-inr", two.pairs, SLOT, SLOT)) == {SLOT}


def test_next_provider(voided, fire, runner):
    """The next provider is asked for it, and its number is recorded without a word."""
    usd = voided("frankfurter", "exchangerate-api-v4")

    report = fire(usd, "run_slot", SLOT)

    assert report.error is None
    [settled] = report.settled
    assert (settled.outcome, settled.warnings) == ("recorded", ())
    assert [n[2] for n in recorded(runner)] == ["exchangerate-api-v4"]


def test_next_provider_is_away(voided, fire, runner, rates):
    """While the next provider is away the slot stays as it was, and the error is that provider's."""
    usd = voided("frankfurter", "exchangerate-api-v4")
    rates.misbehave(Fault(status=503), path="/v4", times=999)

    report = fire(usd, "run_slot", SLOT)

    assert report.error.exit_code == 75
    assert recorded(runner) == []


def test_closed_days_that_fail(voided, fire):
    """With `closed_days = "fail"` a number that was taken back is no closed day."""
    usd = voided(closed_days=ClosedDays.FAIL)

    report = fire(usd, "run_slot", SLOT)

    assert report.error is None
    assert TAKEN_BACK in " ".join(report.settled[0].warnings)


def test_entered_all_the_same(voided, fire, clock, runner):
    """A number that a person enters again after all counts again, for the weekend, too."""
    usd = voided()
    clock.now = FRIDAY + DAY / 2
    record = {"pair": USD_INR, "rate": Decimal("95.1"), "day": SLOT.date()}
    runner(lambda one: Entry(runner=one, **record).run())
    clock.now = FRIDAY + DAY

    assert fire(usd).error is None

    assert recorded(runner) == [(20, "95.1", "by-hand"), (21, "95.1", "frankfurter")]


def test_forced(voided, fire, runner):
    """`run --force` does not record it either."""
    usd = voided()

    report = fire(usd, "run_now")

    assert (report.error, recorded(runner)) == (None, [])
    assert TAKEN_BACK in " ".join(report.settled[0].warnings)


@pytest.mark.parametrize("other", ["", "95.4"])
def test_advice_works(voided, fire, clock, runner, type_in, other):
    """What is said to enter the number all the same is taken, also where its own day has another number by now."""
    usd = voided()
    if other:
        record = {"pair": USD_INR, "rate": Decimal(other), "day": SLOT.date()}
        runner(lambda one: Entry(runner=one, **record).run())
    clock.now = FRIDAY + DAY
    [settled] = fire(usd).settled

    [(command, code, said)] = [
        one for one in type_in(" ".join(settled.warnings)) if one[0].startswith("record")
    ]

    assert (code, command[:35]) == (0, "record usd-inr USD/INR 95.1 --on 20"), said
    assert "95.1" in {n[1] for n in recorded(runner)}


def test_advice_of_a_forced_run(voided, fire, runner):
    """Where no slot has room for it nothing is advised: a forced run beside slots that all have a number."""
    usd = voided()
    record = {"pair": USD_INR, "rate": Decimal("95.4"), "day": SLOT.date()}
    runner(lambda one: Entry(runner=one, **record).run())

    [settled] = fire(usd, "run_now").settled

    assert TAKEN_BACK in " ".join(settled.warnings)
    assert "ratectl record" not in " ".join(settled.warnings)


def test_other_jobs(voided, job, installed, fire, state):
    """What was taken back for one job is another job's number still."""
    voided()
    other = installed(
        job("frankfurter", name="other", schedule_texts=("every day at 18:00",)),
        since=FRIDAY - DAY / 2,
    )

    assert fire(other).error is None
    assert lookup("USD/INR", FRIDAY.date(), state_dir=state).rate == Decimal("95.1")


def test_wrong_number_is_no_measure(voided, clock, runner, rates):
    """A wrong first number that is still published does not make the right ones of later days suspect."""
    voided(first="0.0105")
    monday = FRIDAY + 3 * DAY
    row = rates.table.row(FRIDAY.date())
    right = row | {"INR": Decimal("95.2")}
    days = {FRIDAY.date(): row, monday.date(): right, dt.date(2031, 1, 1): right}
    rates.table = Table(days)
    clock.now = monday + DAY

    filled = runner(lambda one: Backfill(one, FRIDAY.date(), monday.date()).run(lambda *_: None))

    assert filled.error is None
    assert [n[:2] for n in recorded(runner)] == [(23, "95.2")]
