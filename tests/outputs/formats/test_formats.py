"""Quotes in, whole lines out: the exact forms that other programs read."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import shutil
import subprocess
from decimal import Decimal

import pytest
from beancount.loader import load_string

from ratectl.model.job import OUTPUT_KINDS, Job, Output, Pair, Provider
from ratectl.model.quote import Leg, Quote
from ratectl.outputs.formats import FILES, SINKS, TABLES
from ratectl.outputs.formats.quotes_table import values

USD_INR, USD_EUR = Pair(base="USD", quote="INR"), Pair(base="USD", quote="EUR")
SLOT = dt.datetime(2026, 11, 22, 20, 0, tzinfo=dt.UTC)


def job(*pairs):
    return Job(
        name="usd-inr",
        pairs=pairs or (USD_INR,),
        schedule_texts=("every day at 01:30",),
        timezone="Asia/Kolkata",
        providers=(Provider(name="ecb", kind="ecb"),),
        outputs=(Output(kind="text", target="/o.txt"),),
    )


def quote(pair=USD_INR, rate="95.10", day="2026-11-23", **values):
    defaults = {
        "pair": pair,
        "rate": Decimal(rate),
        "rate_date": dt.date.fromisoformat(day),
        "provider": "ecb",
        "provider_time": None,
        "observed_at": SLOT,
        "kind": "published",
    }
    return Quote(**defaults | values)


@pytest.mark.parametrize(
    ("quotes", "lines"),
    [
        ([quote()], [b"23/11/2026 - 95.10\n"]),
        ([quote(day="2026-11-20")], [b"23/11/2026 - 95.10 (of 20/11/2026)\n"]),
        ([quote(rate="1E+2")], [b"23/11/2026 - 100\n"]),
        ([quote(rate="2.43E-7")], [b"23/11/2026 - 0.000000243\n"]),
    ],
)
def test_text(quotes, lines):
    """The date is the slot's in the job's zone, the digits are the provider's, another rate date is marked."""
    assert list(SINKS["text"].lines(job(), SLOT, quotes)) == lines


def test_text_of_several_pairs():
    """With more than one pair each line names its own, also when only one of them was found."""
    both = job(USD_INR, USD_EUR)

    assert SINKS["text"].lines(both, SLOT, [quote(), quote(USD_EUR, "0.86")]) == (
        b"23/11/2026 - USD/INR 95.10\n",
        b"23/11/2026 - USD/EUR 0.86\n",
    )


@pytest.mark.parametrize(
    "sign", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
@pytest.mark.parametrize("kind", ["csv", "csv-quotes"])
def test_no_cell_is_a_formula(kind, sign):
    """What a spreadsheet would calculate, as somebody may write it into a shared journal, is text to it, and one cell."""
    name = f'{sign}cmd|"/c calc",A1\n'

    [line] = SINKS[kind].lines(job(), SLOT, [quote(provider=name)])

    [cells] = csv.reader(io.StringIO(line.decode(), newline=""))
    assert f"'{name}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", sign))]
    assert SINKS[kind].lines(job(), SLOT, [quote()])[0].count(b"'") == 0


def test_csv():
    """Prices under pricehist's header, dated with the rate date."""
    sink = FILES["csv"]

    assert sink.HEADER == b"date,base,quote,amount,source,type\n"
    assert sink.lines(job(), SLOT, [quote(day="2026-11-20")]) == (
        b"2026-11-20,USD,INR,95.10,ecb,published\n",
    )


def test_jsonl():
    """Everything that is known, rates as texts, the slot with the offset of the job's zone."""
    leg = Leg(pair=Pair(base="EUR", quote="INR"), rate=Decimal("110.3770"))

    [line] = SINKS["jsonl"].lines(job(), SLOT, [quote(kind="derived", legs=(leg,))])

    assert json.loads(line) == {
        "job": "usd-inr",
        "slot": "2026-11-23T01:30:00+05:30",
        "base": "USD",
        "quote": "INR",
        "rate": "95.10",
        "rate_date": "2026-11-23",
        "provider": "ecb",
        "provider_time": None,
        "observed_at": "2026-11-22T20:00:00+00:00",
        "kind": "derived",
        "legs": ["EUR/INR 110.3770"],
    }


SUNDAY = [quote(day="2026-11-20", rate="95.07"), quote(USD_EUR, "0.000000243", "2026-11-20")]


def test_ledger():
    """Price directives of the rate's own day, at midnight."""
    assert FILES["ledger"].lines(job(), SLOT, SUNDAY) == (
        b"P 2026-11-20 00:00:00 USD 95.07 INR\n",
        b"P 2026-11-20 00:00:00 USD 0.000000243 EUR\n",
    )


@pytest.mark.engine
def test_ledger_reads_it(tmp_path):
    """The real ledger prices what it holds with our directives."""
    if shutil.which("ledger") is None:
        reason = "no ledger: apt-get install ledger"
        pytest.fail(reason) if os.environ.get("RATECTL_REQUIRE_ENGINES") else pytest.skip(reason)
    prices = b"".join(FILES["ledger"].lines(job(), SLOT, SUNDAY))
    book = tmp_path / "book.ledger"
    book.write_bytes(prices + b"2026-11-23 opening\n  assets  1 USD\n  equity\n")
    argv = ("ledger", "--args-only", "-f", str(book), "pricedb")

    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    assert said.splitlines() == [
        "P 2026/11/20 00:00:00 USD INR95.07",
        "P 2026/11/20 00:00:00 USD EUR0.000000243",
    ]


def test_beancount():
    """Price directives of the rate's own day."""
    assert FILES["beancount"].lines(job(), SLOT, SUNDAY) == (
        b"2026-11-20 price USD 95.07 INR\n",
        b"2026-11-20 price USD 0.000000243 EUR\n",
    )


def test_beancount_reads_it():
    """The real beancount reads our directives with every digit."""
    text = b"".join(FILES["beancount"].lines(job(), SLOT, SUNDAY)).decode()

    entries, errors, _ = load_string(text)

    assert errors == []
    assert [(e.date, e.currency, e.amount.number, e.amount.currency) for e in entries] == [
        (q.rate_date, q.pair.base, q.rate, q.pair.quote) for q in SUNDAY
    ]


@pytest.mark.parametrize("kind", TABLES)
def test_rows(kind):
    """A row is what the table's columns say, in texts: times in UTC, the provider's digits."""
    lines = TABLES[kind].lines(job(), SLOT.astimezone(job().zone), [quote(day="2026-11-20")])

    assert [values(line) for line in lines] == [
        (
            *("usd-inr", "2026-11-22T20:00:00+00:00", "USD", "INR", "95.10", "2026-11-20"),
            *("ecb", "2026-11-22T20:00:00+00:00", "published"),
        )
    ]


def test_every_kind_is_one_of_two_sorts():
    """A kind of output is a file or a table, and the model knows the same kinds."""
    assert {**FILES, **TABLES} == SINKS
    assert set(SINKS) == set(OUTPUT_KINDS)
    assert not set(FILES) & set(TABLES)
