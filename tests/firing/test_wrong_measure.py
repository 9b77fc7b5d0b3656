"""A wrong number in the record, typed or the first one, holds the right ones after it for a few days at most, and what is said leads out."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from ratectl.firing.backfill import Backfill
from ratectl.firing.by_hand import Entry
from ratectl.firing.review import Acceptance
from ratectl.model.job import Pair
from tests.support.rate_server import Fault
from tests.support.rate_table import Table

pytestmark = pytest.mark.network
DAY = dt.timedelta(days=1)
USD_INR = Pair(base="USD", quote="INR")


def v4(rate, day):
    """Return an answer of exchangerate-api-v4 with one made-up rate of *day*."""
    value = {"base": "USD", "date": str(day), "time_last_updated": 1, "rates": {"INR": rate}}
    return Fault(body=json.dumps(value).encode())


@pytest.fixture
def enter(runner, clock):
    """Enter a rate by hand for today; return what is said about it."""

    def record(rate, days=0):
        day = (clock() - days * DAY).date()
        entry = Entry(runner=None, pair=USD_INR, rate=Decimal(rate), day=day)

        def work(one):
            entry.runner = one
            return entry.run()

        assert runner(work) is None
        return entry

    return record


@pytest.fixture
def tomorrow(fire, clock, rates, job):
    """Let a day pass, and fire; the provider says *rate*."""

    def go(rate):
        clock.now += DAY
        rates.misbehave(v4(rate, clock().date()), times=9)
        report = fire(job())
        rates.faults.clear()
        return report

    return go


@pytest.fixture
def recorded(runner):
    """Return the numbers that count."""
    return lambda: runner(lambda one: [str(e.quote.rate) for e in one.store.quotes("usd-inr")])


@pytest.fixture
def void(type_in):
    """Type the voids that a text names; return how they ended."""
    return lambda text: [
        code for command, code, _ in type_in(text) if command.startswith("review void")
    ]


def test_typed_among_others(job, installed, enter, tomorrow, recorded, void, clock):
    """A typo beside right numbers measures nothing: the next right one is recorded, and the typo is named with what takes it back."""
    installed(job())
    assert tomorrow(95.1).error is None
    clock.now += DAY
    enter("9.52")

    report = tomorrow(95.5)

    assert report.error is None
    assert recorded() == ["95.1", "9.52", "95.5"]
    [warning] = report.settled[0].warnings
    assert "95.5 after 9.52 of 2026-11-22: a factor of 10" in warning
    assert (
        "it goes with 95.1 of 2026-11-21; if 9.52, which was entered by hand, is wrong" in warning
    )
    assert void(warning) == [0]
    assert recorded() == ["95.1", "95.5"]


@pytest.mark.parametrize(
    "numbers", [("95.1", "95.2", "9.53"), ("0.0105",), ("9.5", "95.1", "95.2")]
)
def test_a_file_with_a_bad_row(
    job, installed, tomorrow, recorded, type_in, void, tmp_path, numbers
):
    """A bad row of an imported file holds no firing for ever, and what is said of it takes it back."""
    installed(job())
    path = tmp_path / "file.txt"
    rows = [f"{16 + number}/11/2026 - {rate}" for number, rate in enumerate(numbers)]
    path.write_text("\n".join(rows))
    [(_, code, _)] = type_in(f"`ratectl import {path} --job usd-inr`")
    assert code == 0

    first = tomorrow(95.4)
    second = tomorrow(95.6)

    assert second.error is None
    assert recorded()[-1] == "95.6"
    if len(numbers) > 1:
        assert first.error is None
        assert recorded()[-2:] == ["95.4", "95.6"]
    else:
        assert void(str(first.error)) == [0]
        assert recorded() == ["95.6"]


@pytest.mark.parametrize("wrong", ["9.55", "0.0105", "9550", "130"])
def test_typed_first(job, installed, enter, tomorrow, recorded, wrong):
    """A typo that is all there is holds one publication: the next one that says the same is recorded."""
    installed(job())
    enter(wrong)

    held = tomorrow(95.4)
    done = tomorrow(95.6)

    assert held.error.exit_code == 65
    assert done.error is None
    assert recorded() == [wrong, "95.6"]


def test_way_out_of_a_typo(job, installed, enter, tomorrow, recorded, void, fire, rates, clock):
    """What the held firing says takes the typo back, and the next firing records the right number."""
    usd = installed(job())
    enter("9.55")

    held = tomorrow(95.4)
    codes = void(str(held.error))
    rates.misbehave(v4(95.4, clock().date()))
    done = fire(usd, "run_due")

    assert codes == [0]
    assert done.error is None
    assert recorded() == ["95.4"]


def test_accepted_beside_a_typo(job, installed, enter, tomorrow, recorded, runner):
    """Accepting the held answer is the other way out: what comes after is measured against it."""
    installed(job())
    enter("9.55")
    tomorrow(95.4)

    assert runner(lambda one: Acceptance(runner=one, number=1).run()) is None

    assert tomorrow(96.1).error is None
    assert recorded() == ["9.55", "95.4", "96.1"]


def test_published_first(job, installed, tomorrow, recorded, void):
    """A first number of a provider that stands upside down holds two publications, each of which names it; the third is recorded."""
    installed(job())
    assert tomorrow(0.0105).error is None

    held = [tomorrow(95.4), tomorrow(95.6)]
    done = tomorrow(95.5)

    assert [report.error.exit_code for report in held] == [65, 65]
    assert done.error is None
    assert recorded() == ["0.0105", "95.5"]
    assert "the inverse" in str(held[0].error)
    assert void(str(held[0].error)) == [0]
    assert recorded() == ["95.5"]


def test_a_slip_of_the_provider_is_held(job, installed, enter, tomorrow, recorded):
    """Numbers that bear each other out hold a unit slip as long as it lasts, typed ones, too."""
    installed(job())
    enter("95.1", days=1)
    enter("95.2")

    slips = [tomorrow(9540 + number).error.exit_code for number in range(5)]

    assert slips == [65] * 5
    assert recorded() == ["95.1", "95.2"]


def test_a_slip_beside_a_typo(job, installed, enter, tomorrow, recorded, clock):
    """Beside a typo the number before it is the measure: what is far from that is held, however often it is repeated."""
    installed(job())
    assert tomorrow(95.1).error is None
    clock.now += DAY
    enter("9.55")

    slips = [tomorrow(950 + number).error.exit_code for number in range(4)]

    assert slips == [65] * 4
    assert recorded() == ["95.1", "9.55"]


def test_backfill_after_a_typo(job, installed, enter, runner, rates, clock, recorded, void):
    """A backfill, however often it is repeated, holds what a typo contradicts, and says how it goes on."""
    days = [clock.now.date() - number * DAY for number in range(14)]
    row = {"EUR": Decimal(1), "USD": Decimal(1), "INR": Decimal("95.4")}
    rates.table = Table({day: row for day in days if day.isoweekday() < 6})
    installed(job("frankfurter"))
    enter("9.55", days=4)

    def work(one):
        return Backfill(one, days[3], days[1]).run(lambda *_: None)

    held = [runner(work).error for _ in range(3)]
    codes = void(str(held[2]))

    assert [error.exit_code for error in held] == [65] * 3
    assert codes == [0]
    assert runner(work).error is None
    assert recorded() == ["95.4"] * 3
