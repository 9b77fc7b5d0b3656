"""A cell that cannot be a rate spoils nothing else: through the real ratectl-fetch, for every provider's parser."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import re
import zipfile
from decimal import Decimal

import pytest

from ratectl.journal import quarantine
from ratectl.journal.journal import Journal
from ratectl.journal.statements import add_quotes
from ratectl.model.job import CatchUp, Pair, Provider
from ratectl.model.providers import PROVIDER_KINDS
from tests.fakes import past
from tests.fakes.station import now
from tests.support.firings import PATHS
from tests.support.rate_documents import AMERICAN_HOLIDAYS
from tests.support.rate_server import Fault
from tests.support.rate_table import Table

pytestmark = pytest.mark.network
EUR_USD, EUR_JPY, EUR_CHF = (Pair(base="EUR", quote=code) for code in ("USD", "JPY", "CHF"))
USD_INR, USD_JPY, USD_CHF = (Pair(base="USD", quote=code) for code in ("INR", "JPY", "CHF"))
PAIRS = {
    "exchangerate-api-v4": (USD_INR, USD_JPY, USD_CHF),
    "exchangerate-api-open": (USD_INR, USD_JPY, USD_CHF),
    "exchangerate-api-v6": (USD_INR, USD_JPY, USD_CHF),
    "currency-api-cdn": (USD_INR, USD_JPY, USD_CHF),
    "openexchangerates": (USD_INR, USD_JPY, USD_CHF),
    "fred": (USD_INR, USD_JPY, USD_CHF),
    "frankfurter": (EUR_USD, EUR_JPY, EUR_CHF),
    "ecb": (EUR_USD, EUR_JPY, EUR_CHF),
}
"""Two good pairs, and one whose cell is spoiled."""
HISTORY = [kind for kind in PAIRS if PROVIDER_KINDS[kind].history]
ASKED = {
    "exchangerate-api-v4": "/v4/latest/USD",
    "exchangerate-api-open": "/v6/latest/USD",
    "exchangerate-api-v6": "/v6/demo-key/latest/USD",
    "currency-api-cdn": "/npm/@fawazahmed0/currency-api@latest/v1/currencies/usd.min.json",
    "openexchangerates": "/api/latest.json",
    "fred": "/graph/fredgraph.csv?id=DEXINUS,DEXJPUS,DEXSZUS&cosd={month_ago}&coed={today}",
    "frankfurter": "/v1/latest?base=EUR",
    "ecb": "/stats/eurofxref/eurofxref-daily.xml",
}
BAD = ("0.0", "null", "NaN", "-1.5", '"soon"', "1e99999999999999999999", "9" * 5000, "{}")


def spoiled(body: bytes, code: str, cell: str) -> bytes:
    """Return *body* with *cell* in place of every number of the currency *code*."""
    if body.startswith(b"<?xml"):
        pattern = rf"(currency=.{code}. rate=)[\"'][^\"']*[\"']"
        return re.sub(pattern, rf"\1'{cell.strip(chr(34))}'", body.decode()).encode()
    if body.startswith(b"observation_date"):
        return re.sub(rb"(?m),[0-9.]+$", f",{cell}".encode(), body)  # the last series
    pattern = rf'(?i)("{code}":\s*)[0-9.eE+-]+'
    found, count = re.subn(pattern, lambda match: match[1] + cell, body.decode())
    assert count
    return found.encode()


@pytest.fixture
def source(live_rates, tmp_path):
    """Return a provider of one kind that asks the rate server."""
    key = tmp_path / "rates.key"
    key.write_text("demo-key\n", encoding="utf-8")

    def make(kind):
        keyed = kind in {"openexchangerates", "exchangerate-api-v6"}
        url = live_rates.url + PATHS[kind]
        return Provider(name=kind, kind=kind, base_url=url, api_key=f"file:{key}" if keyed else "")

    return make


@pytest.fixture
def honest(live_rates):
    """Return what the rate server would answer a kind with."""

    def answer(kind):
        today = now().date()
        path = ASKED[kind].format(today=today, month_ago=today - dt.timedelta(days=28))
        status, _, body = live_rates.answer(path, {"authorization": "Token demo-key"})
        assert status == 200
        return body

    return answer


def held(station):
    """Return the answers that wait for a person."""
    with Journal(station.state) as journal:
        return list(quarantine.quarantine(journal.store()))


@pytest.mark.parametrize(
    ("kind", "cell"),
    [*itertools.product(PAIRS, BAD)],
)
def test_newest(station, live_rates, source, honest, kind, cell):
    """The good pairs are recorded, the bad one is held, and the message names its pair and day."""
    good, fine, bad = PAIRS[kind]
    station.install(station.job("", pairs=(good, fine, bad), providers=(source(kind),)))
    live_rates.misbehave(Fault(body=spoiled(honest(kind), bad.quote, cell)), times=9)

    done = station.fetch()

    assert done.returncode == 65
    assert re.search(rf"{bad} of 20\d\d-\d\d-\d\d is ", done.stderr)
    assert len(station.recorded()) == 2
    [one] = held(station)
    assert str(bad) in one.reason
    with Journal(station.state) as journal:
        assert quarantine.body(journal.store(), one.id)


@pytest.mark.parametrize("kind", PAIRS)
def test_another_currency(station, live_rates, source, honest, kind):
    """A bad cell of a currency that nobody asked for does not matter at all."""
    good, fine, bad = PAIRS[kind]
    station.install(station.job("", pairs=(good, fine), providers=(source(kind),)))
    if kind == "fred":  # which is asked for the series alone
        return
    live_rates.misbehave(Fault(body=spoiled(honest(kind), bad.quote, "NaN")), times=9)

    done = station.fetch()

    assert (done.returncode, done.stderr) == (0, "")
    assert len(station.recorded()) == 2


def test_fallback_for_the_bad_pair_alone(station, live_rates, source, honest):
    """The first provider's good pairs stay its own, and the next one is asked for the bad pair."""
    station.install(
        station.job(
            "",
            pairs=PAIRS["frankfurter"],
            providers=(source("frankfurter"), source("exchangerate-api-v4")),
            outputs=(station.output("rates.csv", "csv"),),
        )
    )
    body = spoiled(honest("frankfurter"), "CHF", "0.0")
    live_rates.misbehave(Fault(body=body), path="/v1", times=9)

    done = station.fetch()

    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split(",") for line in station.lines("rates.csv")[1:]]
    assert {row[2]: row[4] for row in rows} == {
        "USD": "frankfurter",
        "JPY": "frankfurter",
        "CHF": "exchangerate-api-v4",
    }


def past_job(station, source, kind, *changes, since=None, **values):
    """Install a daily job that has four days to catch up with, or those from *since* on."""
    begun = since or now() - dt.timedelta(days=6)
    defaults = {
        "pairs": PAIRS[kind],
        "providers": tuple(map(source, (kind, *changes))),
        "schedule_texts": ("every day at 00:00",),
        "catch_up": CatchUp.ALL,
    }
    station.install(station.job("", **defaults | values), since=begun)


@pytest.mark.parametrize("kind", ["frankfurter", "ecb"])
def test_range(station, live_rates, source, kind):
    """In a range the bad pair is held day by day, and the others have all of theirs."""
    past_job(station, source, kind)
    today = now().date()
    since = today - dt.timedelta(days=6)
    path = {
        "frankfurter": f"/v1/{since}..{today}?base=EUR&symbols=USD,JPY,CHF",
        "ecb": "/stats/eurofxref/eurofxref-hist-90d.xml",
    }[kind]
    body = spoiled(live_rates.answer(path, {})[2], "CHF", "0")
    part = "/v1/20" if kind == "frankfurter" else "/stats/eurofxref/eurofxref-hist"
    live_rates.misbehave(Fault(body=body), path=part, times=99)

    done = station.fetch()

    assert done.returncode == 65
    assert re.search(r"EUR/CHF of 20\d\d-\d\d-\d\d is ", done.stderr)
    with Journal(station.state) as journal:
        quotes = [entry.quote.pair.quote for entry in journal.store().quotes("usd-inr")]
    assert quotes.count("USD") == quotes.count("JPY") >= 3
    assert {str(one.reason)[:7] for one in held(station)} == {"EUR/CHF"}


@pytest.mark.parametrize("kind", HISTORY)
def test_one_day(station, live_rates, source, kind):
    """Of every provider with history a bad cell of one day leaves that pair out on that day, and nothing else."""
    today = now().date()
    bad = next(
        day
        for day in days_before(today, 12, 19)
        if day.isoweekday() < 5 and (day.month, day.day) not in AMERICAN_HOLIDAYS
    )
    row = {"EUR": Decimal(1), "USD": Decimal("1.16"), "INR": Decimal("110.2")}
    row |= {"JPY": Decimal("175.5"), "CHF": Decimal("0.93")}
    rows = {day: row for day in days_before(today, 0, 40) if day.isoweekday() < 6}
    live_rates.table = Table(rows | {bad: row | {"CHF": Decimal(0)}})
    past_job(station, source, kind, since=now() - dt.timedelta(days=22))

    done = station.fetch()

    good, fine, spoiled_pair = PAIRS[kind]
    assert done.returncode == 65
    assert f"{spoiled_pair} of {bad} is " in done.stderr
    with Journal(station.state) as journal:
        quotes = [entry.quote for entry in journal.store().quotes("usd-inr")]
    days = {
        pair: {quote.rate_date for quote in quotes if quote.pair == pair} for pair in PAIRS[kind]
    }
    assert len(days[good]) >= 8
    assert days[good] == days[fine] == days[spoiled_pair] | {bad}
    assert bad not in days[spoiled_pair]
    assert {one.reason.partition(" is ")[0] for one in held(station)} == {
        f"{spoiled_pair} of {bad}"
    }


def days_before(day, first, last):
    """Return the days from *first* to *last* days before *day*, the newest first."""
    return [day - dt.timedelta(days=number) for number in range(first, last + 1)]


def zipped(text: str) -> bytes:
    """Return the ECB's archive of the table *text*."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("eurofxref-hist.csv", text)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("old", "january", "code"),
    [
        ("0", "4.25", 0),
        ("nonsense", "4.25", 0),
        ("4.40", "0", 65),
    ],
)
def test_backfill_from_the_zip(station, live_rates, source, typed, old, january, code):
    """A zero in 2017 does not matter to January 2020; one of the day itself spoils that pair alone."""
    pairs = (EUR_USD, Pair(base="EUR", quote="PLN"))
    job = station.job(
        "", pairs=pairs, providers=(source("ecb"),), schedule_texts=("every day at 12:00",)
    )
    station.install(job)
    table = (
        "Date,USD,JPY,PLN,\n"
        f"2020-01-03,1.1147,120.47,{january},\n2020-01-02,1.1193,121.75,{january},\n"
        f"2017-03-01,1.0533,119.88,{old},\n"
    )
    live_rates.misbehave(Fault(body=zipped(table)), path="/stats", times=9)

    done = typed("backfill", "usd-inr", "--since", "2020-01-02", "--until", "2020-01-03")

    assert done.returncode == code, done.stderr
    assert len(station.recorded()) == (4 if code == 0 else 2)
    if code:
        assert "EUR/PLN of 2020-01-02 is" in done.stdout + done.stderr


@pytest.mark.parametrize(("second", "recorded"), [("130.9", False), ("130.1", True)])
def test_agreement_on_a_suspicious_move(station, live_rates, source, second, recorded):
    """A move too large to believe is confirmed only as closely as the job's agree asks."""
    kinds = ("exchangerate-api-v4", "frankfurter")
    job = station.job("", providers=tuple(map(source, kinds)), agree=Decimal("0.001"))
    station.install(job)
    yesterday = now() - dt.timedelta(days=1)
    quote = past.quote(USD_INR, "95", yesterday)
    with Journal(station.state) as journal, journal.database.transaction() as connection:
        add_quotes(connection, "of-yesterday", yesterday, (quote,))
    for path, rate in (("/v4", "130"), ("/v1", second)):
        body = f'{{"base": "USD", "date": "{now().date()}", "rates": {{"INR": {rate}}}}}'
        live_rates.misbehave(Fault(body=body.encode()), path=path, times=9)

    done = station.fetch()

    assert done.returncode == (0 if recorded else 65)
    assert len(station.recorded()) == (1 if recorded else 0)
    if not recorded:
        assert {str(one.quote.rate) for one in held(station)} == {"130", second}


EUR_PLN = Pair(base="EUR", quote="PLN")
ZLOTY = ("0.0", "null", "NaN", "-4.25", '"soon"')


@pytest.mark.parametrize("cell", ZLOTY)
@pytest.mark.parametrize("way", ["newest", "range", "zip"])
def test_the_zloty(station, live_rates, source, typed, way, cell):
    """EUR/USD 1.1172 and EUR/JPY 175.68 are recorded beside a zloty that is no rate, which is held, and named with its day."""
    kind = "ecb" if way == "zip" else "frankfurter"
    day = now().date() if way == "newest" else dt.date(2020, 1, 2)
    pairs = (EUR_USD, EUR_JPY, EUR_PLN)
    daily = {} if way == "newest" else {"schedule_texts": ("every day at 12:00",)}
    station.install(station.job("", pairs=pairs, providers=(source(kind),), **daily))
    rates = f'{{"USD": 1.1172, "JPY": 175.68, "PLN": {cell}}}'
    table = f"Date,USD,JPY,PLN,\n{day},1.1172,175.68,{cell},\n2017-03-01,1.05,119.9,0,\n"
    body = {
        "newest": f'{{"amount": 1.0, "base": "EUR", "date": "{day}", "rates": {rates}}}'.encode(),
        "range": (
            f'{{"amount": 1.0, "base": "EUR", "start_date": "{day}", "end_date": "{day}",'
            f' "rates": {{"{day}": {rates}}}}}'
        ).encode(),
        "zip": zipped(table),
    }[way]
    live_rates.misbehave(Fault(body=body), times=9)

    if way == "newest":
        done = station.fetch()
    else:
        done = typed("backfill", "usd-inr", "--since", day, "--until", day)

    assert done.returncode == 65
    assert f"EUR/PLN of {day} is " in done.stdout + done.stderr
    assert {rate for _, rate in station.recorded()} == {"1.1172", "175.68"}
    assert [one.reason.partition(" is ")[0] for one in held(station)] == [f"EUR/PLN of {day}"]
    assert f"EUR/PLN of {day} is " in " ".join(typed("review").stdout.split())
