"""The files of a job as the programs read them that people keep their books with: ledger, hledger, beancount, pandas.

The job has three pairs, one of them added later, a rate of millionths, a weekend in which nothing is published, and a day
whose number was revised.
"""

from __future__ import annotations

import datetime as dt
import importlib
import os
import shutil
import subprocess
from decimal import Decimal

import pytest
from beancount.core import prices
from beancount.loader import load_file

from ratectl.firing.backfill import Backfill
from ratectl.firing.by_hand import Voiding
from ratectl.firing.runner import Runner
from ratectl.journal.journal import Journal
from ratectl.model.job import Output, Pair
from ratectl.runtime.environment import Environment
from tests.support.rate_table import Table

pytestmark = pytest.mark.network
UTC = dt.UTC
DAY = dt.timedelta(days=1)
THURSDAY = dt.datetime(2026, 11, 19, 18, 0, 5, tzinfo=UTC)
USD_INR, IRR_USD, GBP_INR = (
    Pair(base=base, quote=quote) for base, quote in (("USD", "INR"), ("IRR", "USD"), ("GBP", "INR"))
)
RATES = {  # day of November -> INR and IRR for one USD, INR for one GBP
    19: ("95.10", "1250000", "126.50"),
    20: ("95.30", "1280000", "126.70"),
    23: ("95.80", "1250000", "127.10"),
    24: ("95.60", "1280000", "126.90"),
}
REVISED = ("95.90", "1250000", "127.10")
"""What the provider said of Monday once it had corrected itself."""
FILES = {"csv": "rates.csv", "ledger": "prices.ledger", "beancount": "prices.beancount"}
TRUE = {
    USD_INR: {19: "95.10", 20: "95.30", 23: "95.90", 24: "95.60"},
    IRR_USD: {19: "0.0000008", 20: "0.00000078125", 23: "0.0000008", 24: "0.00000078125"},
    GBP_INR: {19: "126.50", 20: "126.70", 23: "127.10", 24: "126.90"},
}
"""What the files should come to, by pair and day of the month."""


def row(rupees, rials, pound):
    dollar = Decimal(1)
    return {
        "EUR": dollar,
        "USD": dollar,
        "INR": Decimal(rupees),
        "IRR": Decimal(rials),
        "GBP": Decimal(rupees) / Decimal(pound),
    }


@pytest.fixture
def books(job, installed, fire, clock, rates, state, tmp_path):
    """Run the job from Thursday to Tuesday, add the pair, backfill it, and let Monday's number be corrected; gives the folder."""
    outputs = tuple(Output(kind=kind, target=str(tmp_path / name)) for kind, name in FILES.items())

    def serve(**changes):
        known = RATES | {int(day[1:]): row for day, row in changes.items()}
        rates.table = Table({dt.date(2026, 11, day): row(*row_) for day, row_ in known.items()})

    serve()
    values = {"schedule_texts": ("every day at 18:00",), "outputs": outputs, "digits": 8}
    first = job("ecb", pairs=(USD_INR, IRR_USD), **values)
    clock.now = THURSDAY
    installed(first, since=THURSDAY - DAY / 2)
    for days in range(5):
        clock.now = THURSDAY + days * DAY
        assert fire(first).error is None
    clock.now = THURSDAY + 5 * DAY
    every = job("ecb", pairs=(USD_INR, IRR_USD, GBP_INR), **values)
    installed(every, since=THURSDAY - DAY / 2)
    assert fire(every).error is None
    serve(d23=REVISED)
    clock.now += DAY
    backfill(state, clock, "usd-inr")
    return tmp_path


def backfill(state, clock, name):
    """Fill what is missing from Thursday on, then void Monday's USD/INR and ask for it again."""

    def runner(journal):
        env = Environment(
            clock=clock, sleep=clock.sleep, host="here", uptime=lambda: clock().timestamp()
        )
        return Runner(journal, journal.installed_job(name), env)

    with Journal(state) as journal:
        last = (clock() - DAY).date()
        plain = Backfill(runner(journal), THURSDAY.date(), last).run(lambda *_: None)
        assert plain.error is None
        monday = (THURSDAY + 4 * DAY).replace(second=0)
        Voiding(runner=runner(journal), slot=monday, pair=USD_INR, reason="was corrected").run()
        again = Backfill(runner(journal), THURSDAY.date(), last, again=True).run(lambda *_: None)
        assert again.error is None


def program(name):
    """Return the path of a program that the host should have; skip where it need not."""
    path = shutil.which(name)
    if path is None:
        reason = f"no {name}: apt-get install {name}"
        pytest.fail(reason) if os.environ.get("RATECTL_REQUIRE_ENGINES") else pytest.skip(reason)
    return path


def library(name):
    """Return a package that the environment should have; skip where it need not."""
    try:
        return importlib.import_module(name)
    except ImportError:
        reason = f"no {name}: it comes with the extra dev"
        pytest.fail(reason) if os.environ.get("RATECTL_REQUIRE_ENGINES") else pytest.skip(reason)


def said(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_lines(books):
    """Each pair, day and number stands there once: no weekend, the late pair's past, and the corrected number as a line more."""
    lines = (books / FILES["csv"]).read_text().splitlines()[1:]
    found = [tuple(line.split(",")[:4]) for line in lines]

    assert len(found) == len(set(found)) == 13
    assert [amount for day, base, _, amount in found if (day, base) == ("2026-11-23", "USD")] == [
        "95.80",
        "95.90",
    ]


@pytest.mark.parametrize("pair", TRUE, ids=str)
def test_pandas(books, pair):
    """With the last line of each day, values and mean are right to the last digit, as numbers and as decimals."""
    pandas = library("pandas")
    table = pandas.read_csv(books / FILES["csv"], dtype={"amount": str})

    table = table.drop_duplicates(["date", "base", "quote"], keep="last")

    rows = table[(table["base"] == pair.base) & (table["quote"] == pair.quote)]
    numbers = {
        int(day[-2:]): Decimal(text) for day, text in zip(rows["date"], rows["amount"], strict=True)
    }
    wanted = {day: Decimal(text) for day, text in TRUE[pair].items()}
    assert numbers == wanted
    mean = sum(wanted.values()) / len(wanted)
    assert rows["amount"].astype(float).mean() == pytest.approx(float(mean), rel=1e-12)


@pytest.mark.parametrize("pair", TRUE, ids=str)
def test_beancount(books, pair):
    """Every price is there with its digits, the corrected one in place of the first; weekends have Friday's."""
    entries, errors, _ = load_file(str(books / FILES["beancount"]))
    known = prices.build_price_map(entries)

    assert errors == []
    for day, text in TRUE[pair].items():
        found = prices.get_price(known, (pair.base, pair.quote), dt.date(2026, 11, day))
        assert found == (dt.date(2026, 11, day), Decimal(text))
    sunday = prices.get_price(known, (pair.base, pair.quote), dt.date(2026, 11, 22))
    assert sunday == (dt.date(2026, 11, 20), Decimal(TRUE[pair][20]))


def book(books, pair, amount):
    """Write a book that holds *amount* of the base currency, beside the prices; return its path."""
    path = books / "book.journal"
    path.write_text(
        f"include {FILES['ledger']}\n\n2026-11-01 opening\n    assets:cash  {amount} {pair.base}\n    equity\n"
    )
    return str(path)


@pytest.mark.engine
@pytest.mark.parametrize("day", [19, 20, 22, 23, 24])
@pytest.mark.parametrize("pair", TRUE, ids=str)
def test_ledger(books, pair, day):
    """The value of a holding on a day is that of the last number of the day, or of Friday on a weekend."""
    path = book(books, pair, 1_000_000)
    at = str(dt.date(2026, 11, day))  # its first second, for which the day's prices are

    told = said(
        *(program("ledger"), "--args-only", "-f", path, "balance", "assets", "--flat"),
        *("--exchange", pair.quote, "--now", at, "--end", at, "--no-total"),
        *("--format", "%(quantity(scrub(display_total)))\n"),
    )

    assert Decimal(told.split()[0]) == 1_000_000 * Decimal(TRUE[pair][20 if day == 22 else day])


@pytest.mark.engine
@pytest.mark.parametrize("day", [19, 20, 22, 23, 24])
@pytest.mark.parametrize("pair", TRUE, ids=str)
def test_hledger(books, pair, day):
    """The same in hledger."""
    path = book(books, pair, 1_000_000)

    told = said(
        *(program("hledger"), "-f", path, "balance", "assets", "--no-total", "-O", "csv"),
        *(f"--value={dt.date(2026, 11, day)},{pair.quote}",),
    )

    amount = told.splitlines()[1].split('"')[3].split()[0].replace(",", "")
    assert Decimal(amount) == 1_000_000 * Decimal(TRUE[pair][20 if day == 22 else day])
