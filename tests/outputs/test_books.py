"""The files of a job as the programs read them that people keep their books with: ledger, hledger, beancount, pandas.

The job has three pairs, one of them added later, a rate of millionths, a weekend in which nothing is published, and a day
whose number was revised.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import os
import re
import shutil
import subprocess
from decimal import Decimal

import pytest
from beancount.core import prices
from beancount.loader import load_file

from ratectl import cli
from ratectl.firing.backfill import Backfill
from ratectl.firing.by_hand import Entry, Voiding
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
    """Enter a typo and void it; fill what is missing from Thursday on, then void Monday's USD/INR and ask for it again."""

    def runner(journal):
        env = Environment(
            clock=clock, sleep=clock.sleep, host="here", uptime=lambda: clock().timestamp()
        )
        return Runner(journal, journal.installed_job(name), env)

    with Journal(state) as journal:
        typo = Entry(runner=runner(journal), pair=USD_INR, rate=Decimal("9.56"), day=clock().date())
        assert typo.run() is None
        Voiding(runner=runner(journal), slot=typo.slot, reason="a typo").run()
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

    assert ("2026-11-25", "USD", "INR", "9.56") in found
    assert len(found) == len(set(found)) == 14
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

    table = table[table["amount"] != "9.56"]  # the typo, for which no other number came

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


def ledger_value(path, pair, day):
    """Return what the holding in the book at *path* is worth on a *day* of November, by ledger."""
    at = str(dt.date(2026, 11, day))  # its first second, for which the day's prices are
    told = said(
        *(program("ledger"), "--args-only", "-f", path, "balance", "assets", "--flat"),
        *("--exchange", pair.quote, "--now", at, "--end", at, "--no-total"),
        *("--format", "%(quantity(scrub(display_total)))\n"),
    )
    return Decimal(told.split()[0])


def hledger_value(path, pair, day):
    """The same by hledger."""
    told = said(
        *(program("hledger"), "-f", path, "balance", "assets", "--no-total", "-O", "csv"),
        *(f"--value={dt.date(2026, 11, day)},{pair.quote}",),
    )
    return Decimal(told.splitlines()[1].split('"')[3].split()[0].replace(",", ""))


@pytest.mark.engine
@pytest.mark.parametrize("day", [19, 20, 22, 23, 24])
@pytest.mark.parametrize("pair", TRUE, ids=str)
def test_ledger(books, pair, day):
    """The value of a holding on a day is that of the last number of the day, or of Friday on a weekend."""
    value = ledger_value(book(books, pair, 1_000_000), pair, day)

    assert value == 1_000_000 * Decimal(TRUE[pair][20 if day == 22 else day])


@pytest.mark.engine
@pytest.mark.parametrize("day", [19, 20, 22, 23, 24])
@pytest.mark.parametrize("pair", TRUE, ids=str)
def test_hledger(books, pair, day):
    """The same in hledger."""
    value = hledger_value(book(books, pair, 1_000_000), pair, day)

    assert value == 1_000_000 * Decimal(TRUE[pair][20 if day == 22 else day])


# Clean files: what `ratectl history --format` writes of the same job


@pytest.fixture
def written(books, state, monkeypatch, capsysbinary):
    """Write what `ratectl history` prints in a format into a file, and return its path."""
    monkeypatch.setenv("RATECTL_STATE_DIR", str(state))

    def write(form, name="clean", *words):
        with pytest.raises(SystemExit) as ended:
            cli.main(("history", "usd-inr", "--format", form, *words))
        assert not ended.value.code
        path = books / f"{name}.{form}"
        path.write_bytes(capsysbinary.readouterr().out)
        return path

    return write


EVERY = {
    (str(pair), f"2026-11-{day}"): Decimal(text)
    for pair, days in TRUE.items()
    for day, text in days.items()
}
"""The one number of each pair and day."""


def means(numbers):
    """Return the mean of each pair's *numbers*, which come as (pair, day) -> number."""
    by_pair = {}
    for (pair, _), number in numbers.items():
        by_pair.setdefault(pair, []).append(number)
    return {pair: sum(found) / len(found) for pair, found in by_pair.items()}


def only(rows):
    """Return *rows* of pair, day and number by pair and day, of which each stands there once."""
    found = {(pair, day): Decimal(number) for pair, day, number in rows}
    assert len(found) == len(rows)
    return found


def test_clean_csv(written):
    """No rule for later lines is needed in pandas: values and means of the file as it is are right."""
    pandas = library("pandas")

    table = pandas.read_csv(written("csv"), dtype={"amount": str})

    named = table["base"] + "/" + table["quote"]
    assert only(list(zip(named, table["date"], table["amount"], strict=True))) == EVERY
    found = table["amount"].astype(float).groupby(named).mean().to_dict()
    assert found == pytest.approx({pair: float(mean) for pair, mean in means(EVERY).items()})


def test_clean_beancount(written):
    """Each price stands there once, and nothing that was voided or corrected."""
    entries, errors, _ = load_file(str(written("beancount")))

    rows = [(f"{e.currency}/{e.amount.currency}", str(e.date), e.amount.number) for e in entries]
    assert errors == []
    assert only(rows) == EVERY


@pytest.mark.engine
def test_clean_ledger(written, books):
    """The program ledger knows the one price of each day, and the right value of a holding."""
    written("ledger", "prices")
    (books / "prices.ledger").replace(books / FILES["ledger"])

    rows = []
    for pair in TRUE:
        path = book(books, pair, 1_000_000)
        for line in said(program("ledger"), "--args-only", "-f", path, "pricedb").splitlines():
            _, day, _, base, price = line.split(maxsplit=4)
            [(quote, number)] = re.findall(r"^([A-Z]+) ?([\d.]+)$", price)
            rows.append((f"{base}/{quote}", day.replace("/", "-"), number))
        assert ledger_value(path, pair, 23) == 1_000_000 * Decimal(TRUE[pair][23])

    assert only([row for row in dict.fromkeys(rows) if row[0] in map(str, TRUE)]) == EVERY


@pytest.mark.engine
def test_clean_hledger(written, books):
    """So does hledger."""
    path = written("ledger", "prices")

    rows = []
    for line in said(program("hledger"), "-f", str(path), "prices").splitlines():
        _, day, base, *price = line.split()
        number, quote = price if price[0][0].isdigit() else reversed(price)
        rows.append((f"{base}/{quote}", day, number.replace(",", "")))
    assert only(rows) == EVERY
    path.replace(books / FILES["ledger"])
    for pair in TRUE:
        path = book(books, pair, 1_000_000)
        assert hledger_value(path, pair, 23) == 1_000_000 * Decimal(TRUE[pair][23])


@pytest.mark.parametrize("form", ["jsonl", "csv-quotes"])
def test_clean_quotes(written, form):
    """In a file of one line a slot the slots of a weekend have Friday's number with its day, and a mean over the days is right."""
    pandas = library("pandas")
    path = written(form)

    if form == "jsonl":
        objects = [json.loads(line) for line in path.read_text().splitlines()]
        table = pandas.DataFrame(objects)
    else:
        table = pandas.read_csv(path, dtype=str)

    assert not table.duplicated(["slot", "base", "quote"]).any()
    of_days = table.drop_duplicates(["rate_date", "base", "quote", "rate"])
    rows = zip(
        of_days["base"] + "/" + of_days["quote"], of_days["rate_date"], of_days["rate"], strict=True
    )
    assert only(list(rows)) == EVERY


def test_clean_text(written):
    """Lines of text have one number a slot and pair, those of a weekend with Friday's day behind them."""
    lines = written("text").read_text().splitlines()

    own = [line for line in lines if "(of " not in line]
    assert len(lines) == len(set(lines)) == 18
    assert len(own) == len(EVERY)
    assert not [line for line in lines if "9.56" in line or "95.80" in line]
