"""A record is completed and corrected, books are read in and asked, by commands as processes and the real ratectl-fetch."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
import subprocess
import sys
from decimal import Decimal

import pytest

from ratectl import spec
from ratectl.model.currencies import BESIDE, ENDED
from ratectl.model.job import Pair
from ratectl.outputs.formats import FILES
from tests.fakes import past
from tests.fakes.station import LATE, now, provider
from tests.firing.test_files import FOREIGN
from tests.support.rate_server import Fault
from tests.support.rate_table import Table

pytestmark = pytest.mark.network
DAY = dt.timedelta(days=1)
USD_INR = Pair(base="USD", quote="INR")
OLD_LOOP = "20/11/2025 - 95.07\n21/11/2025 - 95.10\n22/11/2025 - 95.10 (of 21/11/2025)\n"


def day(ago):
    """Return the day that lies so many days in the past."""
    return (now() - ago * DAY).date()


@pytest.fixture
def office(station, live_rates, tmp_path):
    """Install a job that asks an archive with a page for each day; the pages are given as day -> rate."""

    def install(pair, pages, *, schedule=None, more=""):
        due = now() - LATE
        text = (
            '[providers.office]\nkind = "http-json"\nurl = "URL/any/{date}"\nrate = "r"\n'
            f'[jobs.usd-inr]\npairs = ["{pair}"]\ntimezone = "UTC"\n'
            f'schedule = "{schedule or f"every day at {due:%H:%M}"}"\n'
            f'providers = ["office"]\noutput = ["output.txt", "rates.csv"]\n{more}'
        ).replace("URL", live_rates.url)
        [job] = spec.loads(text.encode(), path=tmp_path / "jobs.toml", host_timezone="UTC").jobs
        station.install(job)
        for of, rate in pages.items():
            page = Fault(body=f'{{"r": {rate}}}'.encode())
            live_rates.misbehave(page, times=99, path=f"/any/{of}")
        return job

    return install


def test_inverted_gold(station, office, typed):
    """An inverted first quote of XAU holds the right ones until it is taken back, and counts nowhere from then on."""
    first, newest = day(3), {(now() - LATE).date(), day(0)}
    office("XAU/USD", {first: "0.00025"} | dict.fromkeys(newest, "4000.5"))
    typed("backfill", "usd-inr", "--since", first, "--until", first, code=0)
    held = station.fetch()

    typed("review", "void", first, "--job", "usd-inr", "--reason", "upside down", code=0)

    assert (held.returncode, "the inverse" in held.stderr) == (65, True)
    for words in (("history", "usd-inr"), ("rate", "XAU/USD")):
        assert "0.00025" not in typed(*words).stdout
    [kept] = json.loads(typed("history", "usd-inr", "--revisions", "--json", code=0).stdout)
    assert (kept["rate"], kept["state"], kept["reason"]) == ("0.00025", "voided", "upside down")
    station.rest()
    assert station.fetch().returncode == 0
    assert [rate for _, rate in station.recorded()] == ["4000.5"]
    page = station.folder / "page.html"
    typed("report", page, code=0)
    assert "4000.5" in page.read_text()
    assert ">0.00025<" not in page.read_text()


def test_by_hand(station, office, typed):
    """A rate that a person enters for a day is that day's, in the record, the files and for `rate`; a clean file has it once."""
    office("USD/INR", {}, schedule="every day at 12:00")

    typed("record", "usd-inr", "USD/INR", "9.512", "--on", day(3), code=0)
    typed("review", "void", day(3), "--job", "usd-inr", code=0)
    typed("record", "usd-inr", "USD/INR", "95.12", "--on", day(3), code=0)

    assert station.lines("rates.csv")[1:] == [
        f"{day(3)},USD,INR,{rate},by-hand,manual" for rate in ("9.512", "95.12")
    ]
    clean = typed("history", "usd-inr", "--format", "csv", code=0).stdout.splitlines()
    assert clean[1:] == [f"{day(3)},USD,INR,95.12,by-hand,manual"]
    assert typed("rate", "USD/INR", code=0).stdout.startswith(
        f"USD/INR 95.12 of {day(3)} (by-hand)"
    )


@pytest.mark.parametrize("form", ["pricehist", *FILES])
def test_import(station, typed, tmp_path, form):
    """Files of each format are read into the record, kind imported, and a repetition finds every row."""
    source = station.job("", name="source", schedule_texts=("every day at 12:00",))
    job = dataclasses.replace(source, name="usd-inr")
    station.install(source, job)
    for ago, rate in ((4, "95.07"), (3, "95.10")):
        noon = now().replace(hour=12, minute=0, second=0) - ago * DAY
        past.settle(station.state, source, noon, rate)
    path = tmp_path / "old"
    text = typed("history", "source", "--format", "csv" if form == "pricehist" else form).stdout
    path.write_text(text.replace(",published", ",close") if form == "pricehist" else text)

    first = typed("import", path, "--job", "usd-inr", code=0)
    again = typed("import", path, "--job", "usd-inr", code=0)

    assert first.stdout == "usd-inr: 2 rows imported\n"
    assert again.stdout == "usd-inr: 0 rows imported, 2 were there already\n"
    assert [rate for _, rate in station.recorded()] == ["95.07", "95.10"]
    rows = json.loads(typed("history", "usd-inr", "--json").stdout)
    assert {row["kind"] for row in rows} == {"imported"}
    assert station.lines() == []


@pytest.mark.parametrize("form", ["", "text"])
def test_import_from_standard_input(station, typed, form):
    """``import -`` reads the standard input, knows its format as that of a file, and calls it stdin."""
    station.install(station.job("", schedule_texts=("every day at 12:00",)))
    words = ("import", "-", "--job", "usd-inr", *(("--format", form) if form else ()))

    done = typed(*words, given=OLD_LOOP.encode(), code=0)
    wrong = typed(*words, given=b"23/11/2025 - 95,10\n", code=65)
    other = typed("import", "-", "--job", "usd-inr", given=b"hello\n", code=65)

    assert (done.stdout, done.stderr) == ("usd-inr: 3 rows imported\n", "")
    assert len(station.recorded()) == 3
    assert wrong.stderr.startswith("ratectl: stdin:1: the rate is '95,10', not a number")
    assert "ratectl: stdin: its first line is of no known form" in other.stderr
    assert "--format names one" in other.stderr
    assert "stdin: is empty" in typed("import", "-", "--job", "usd-inr", code=65).stderr


def test_import_of_what_powershell_wrote(station, typed, tmp_path):
    """UTF-16 with its mark and Windows line ends, as PowerShell redirects into a file, is read."""
    station.install(station.job("", schedule_texts=("every day at 12:00",)))
    path = tmp_path / "output.txt"
    path.write_bytes(OLD_LOOP.replace("\n", "\r\n").encode("utf-16"))

    assert typed("import", path, "--job", "usd-inr", code=0).stdout == "usd-inr: 3 rows imported\n"


@pytest.mark.parametrize(
    "text",
    [
        "20/11/2025 - 95,07\n21/11/2025 - 1.095,10\n",
        "date;base;quote;amount;source;type\n2025-11-20;USD;INR;95,07;ecb;close\n2025-11-21;USD;INR;1.095,10;ecb;close\n",
        "P 2025-11-20 USD 95,07 INR\nP 2025-11-21 USD 1.095,10 INR\n",
    ],
)
def test_import_of_decimal_commas(station, typed, tmp_path, text):
    """A file with decimal commas is refused with the option that reads it, which does; signs between thousands are read."""
    station.install(station.job("", schedule_texts=("every day at 12:00",)))
    path = tmp_path / "old"
    path.write_text(text)

    refused = typed("import", path, "--job", "usd-inr", code=65)
    done = typed("import", path, "--job", "usd-inr", "--decimal", ",", code=0)

    assert "the rate is '95,07', not a number" in refused.stderr
    assert "--decimal , reads decimal commas" in refused.stderr
    assert done.stdout == "usd-inr: 2 rows imported\n"
    assert [rate for _, rate in station.recorded()] == ["95.07", "1095.10"]
    assert "1 row is hard to believe" in done.stderr
    odd = typed("import", path, "--job", "usd-inr", "--decimal", ";", code=2)
    assert "--decimal ;: there are . and ," in odd.stderr


@pytest.mark.parametrize("option", [(), ("--skip-wrong",)])
def test_import_of_days_after_their_months(station, typed, tmp_path, option):
    """Where lines are days only as mm/dd/YYYY, the others are not imported under a wrong day either."""
    station.install(station.job("", schedule_texts=("every day at 12:00",)))
    path = tmp_path / "old.txt"
    path.write_text("11/12/2025 - 95.07\n11/13/2025 - 95.08\n")

    refused = typed("import", path, "--job", "usd-inr", *option, code=65)

    assert "old.txt:2: '11/13/2025' is no day as dd/mm/YYYY" in refused.stderr
    assert "its dates seem to be mm/dd/YYYY" in refused.stderr
    assert "--skip-wrong" not in refused.stderr
    assert station.recorded() == []


LOOKUP = """
import datetime, sys
from ratectl import rates
found = rates.lookup(sys.argv[1], datetime.date.fromisoformat(sys.argv[2]), derive=True)
print(found and (str(found.rate), found.rate_date.isoformat(), found.provider, found.age))
"""


def test_the_rate_on_the_day_of_the_invoice(station, typed, monkeypatch):
    """`rate` gives it with its date, provider and age, an amount, JSON, inverse and cross; so does ``rates.lookup``."""
    for base, quote, rate in (("EUR", "USD", "1.1172"), ("EUR", "JPY", "175.68")):
        job = station.job("", name=f"{base}-{quote}".lower(), pairs=(Pair(base=base, quote=quote),))
        station.install(job)
        past.settle(station.state, job, dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC), rate)
    sunday = ("--on", "2026-11-22")

    plain = typed("rate", "EUR/USD", *sunday, "--amount", "100", code=0).stdout.splitlines()
    facts = json.loads(typed("rate", "EUR/USD", *sunday, "--json", code=0).stdout)
    inverse = typed("rate", "USD/EUR", *sunday, "--derive", code=0).stdout
    cross = typed("rate", "USD/JPY", *sunday, "--derive", code=0).stdout

    assert plain[0] == "EUR/USD 1.1172 of 2026-11-20 (frankfurter), 2 days before 2026-11-22"
    assert plain[-1] == "100 EUR = 111.7200 USD"
    assert (facts["rate"], facts["rate_date"], facts["age_days"]) == ("1.1172", "2026-11-20", 2)
    assert inverse.startswith("USD/EUR 0.89509")
    assert cross.startswith("USD/JPY 157.25026")
    typed("rate", "USD/EUR", *sunday, code=65)
    typed("rate", "EUR/USD", "--on", "2026-11-28", code=65)
    typed("rate", "EUR/USD", "--on", "2026-11-28", "--within", "8d", code=0)
    typed("rate", "EUR/USD", "--on", "2026-11-27", "--within", "7d", code=0)
    monkeypatch.setenv("RATECTL_STATE_DIR", str(station.state))
    for pair, told in (
        ("EUR/USD", "('1.1172', '2026-11-20', 'frankfurter', 2)"),
        ("GBP/USD", "None"),
    ):
        argv = (sys.executable, "-c", LOOKUP, pair, "2026-11-22")
        assert subprocess.check_output(argv, text=True).strip() == told


def spec_of(tmp_path, pairs, more=""):
    """Write a spec of one job with *pairs*."""
    path = tmp_path / "jobs.toml"
    path.write_text(
        f'{more}\n[jobs.one]\npairs = {json.dumps(pairs)}\nschedule = "every day at 10:30"\noutput = "o.txt"\n'
    )
    return path


def test_currencies_that_people_have(typed, tmp_path):
    """Ended codes are warned of with the day of their end, codes beside ISO are taken; others by a name, or refused."""
    ended = ("HRK", "BGN", "TRL", "DEM", "ZWL", "VEF", "ANG")
    beside = ("BTC", "ETH", "USDT", "CNH", "GGP", "IMP", "JEP")
    pairs = [f"EUR/{code}" for code in (*ended, *beside)]

    checked = typed("check", spec_of(tmp_path, pairs), "--json", code=0)
    points = spec_of(tmp_path, ["EUR/XYZ"], '[currencies]\nXYZ = "Points of the club"')
    typed("check", points, code=0)
    unknown = typed("check", spec_of(tmp_path, ["EUR/XYZ"]), code=78)
    near = typed("check", spec_of(tmp_path, ["USD/INX"]), code=78)

    [job] = json.loads(checked.stdout)["jobs"]
    warned = " ".join(job["warnings"])
    assert all(f"{code} ({ENDED[code][0]}) ended on {ENDED[code][1]}" in warned for code in ended)
    assert not any(name in warned for name in map(BESIDE.get, beside))
    assert '[currencies] XYZ = "NAME"' in unknown.stderr
    assert 'did you mean "INR"' in near.stderr


def test_history_of_an_ended_currency(station, live_rates, typed):
    """The kuna's past is filled from a provider that has it."""
    row = {code: Decimal(rate) for code, rate in (("EUR", "1"), ("USD", "1.07"), ("HRK", "7.5365"))}
    live_rates.table = Table({dt.date(2022, 12, 30): row})
    job = station.job(
        "",
        pairs=(Pair(base="EUR", quote="HRK"),),
        providers=(provider("frankfurter", live_rates.url),),
        schedule_texts=("every day at 12:00",),
    )
    station.install(job)

    typed("backfill", "usd-inr", "--since", "2022-12-30", "--until", "2022-12-30", code=0)

    assert [rate for _, rate in station.recorded()] == ["7.5365"]


def test_three_hundred_of_the_cdn(station, live_rates):
    """A firing records every code that the CDN has: those of today, those that ended, and those beside ISO."""
    codes = sorted({*ENDED, *BESIDE} | {"INR", "JPY", "CUP", "XAU"})
    rates = ", ".join(f'"{code.lower()}": 1.2345' for code in codes)
    body = f'{{"date": "{now().date()}", "eur": {{{rates}}}}}'.encode()
    live_rates.misbehave(Fault(body=body), times=9)
    pairs = tuple(Pair(base="EUR", quote=code) for code in codes)
    station.install(station.job(live_rates.url, "currency-api-cdn", pairs=pairs))

    done = station.fetch()

    assert (done.returncode, done.stderr) == (0, "")
    assert len(station.recorded()) == len(codes) > 120


def test_a_code_that_a_newer_list_drops(station, live_rates, typed):
    """What is installed goes on with a code that no list of this version has."""
    station.install(station.job(live_rates.url))
    past.spoil(station.state, "usd-inr", {"pairs": [{"base": "USD", "quote": "QQQ"}]})
    body = f'{{"base": "USD", "date": "{now().date()}", "rates": {{"QQQ": 2.5}}}}'.encode()
    live_rates.misbehave(Fault(body=body))

    assert station.fetch().returncode == 0

    assert [rate for _, rate in station.recorded()] == ["2.5"]
    assert "USD,QQQ,2.5" in typed("history", "usd-inr", "--format", "csv", code=0).stdout


@pytest.mark.parametrize("name", ["k", "key", "token", "apikey", "access_key"])
def test_a_secret_in_a_url(typed, tmp_path, name):
    """A secret typed into `url` is refused by check with the way to do it, and is not shown."""
    secret = "s3cr3t0123456789abcdef0123456789"
    table = f'[providers.office]\nkind = "http-json"\nurl = "https://h.example/x?{name}={secret}"\nrate = "r"'

    refused = typed("check", spec_of(tmp_path, ["USD/INR"], table), code=78)

    assert "looks like a secret" in refused.stderr
    assert "{key}" in refused.stderr
    assert secret not in refused.stderr


@pytest.mark.parametrize("name", FOREIGN)
def test_a_csv_of_somebody_else(typed, tmp_path, name):
    """Foreign header, delimiter or byte order mark: refused by check and install, and left as it is."""
    file = tmp_path / "rates.csv"
    file.write_bytes(FOREIGN[name])
    path = spec_of(tmp_path, ["USD/INR"])
    path.write_text(path.read_text().replace("o.txt", file.as_posix()))

    checked = typed("check", path, code=78)
    installed = typed("install", path, "--backend", "cron", "--scope", "user", code=78)

    for done in (checked, installed):
        assert "name another file, or move this one away" in done.stdout + done.stderr
    assert file.read_bytes() == FOREIGN[name]


@pytest.mark.parametrize("twin", ["{x}/./a.csv", "csv:{x}/a.csv", "text:{x}/a.csv"])
def test_one_file_twice(typed, tmp_path, twin):
    """One file under two names or two formats is refused in check and at install."""
    names = [f"{tmp_path.as_posix()}/a.csv", twin.format(x=tmp_path.as_posix())]
    path = spec_of(tmp_path, ["USD/INR"])
    path.write_text(path.read_text().replace('"o.txt"', json.dumps(names)))

    for words in (("check", path), ("install", path, "--backend", "cron", "--scope", "user")):
        done = typed(*words, code=78)
        assert re.search("are one file|one file in two formats", done.stdout + done.stderr)
    assert not (tmp_path / "a.csv").exists()


def test_accept_many(station, office, typed):
    """Answers held for days are shown under their slots, and `review accept --since` takes all from a day on."""
    first = dt.date(2026, 11, 2)
    pages = {first + number * DAY: "9510" for number in range(4)}
    office("USD/INR", pages, schedule="every day at 12:00")
    for known in ("2026-10-30", "2026-10-31", "2026-11-01"):
        typed("record", "usd-inr", "USD/INR", "95.1", "--on", known, code=0)
    typed("backfill", "usd-inr", "--since", first, "--until", first + 3 * DAY, code=65)

    listed = typed("review", "--json", code=0)
    typed("review", "accept", "--job", "usd-inr", "--since", first + 2 * DAY, code=0)

    days = {one["slot"][:10] for one in json.loads(listed.stdout)}
    assert days == {f"2026-11-0{number}" for number in (2, 3, 4, 5)}
    recorded = [(slot.day, rate) for slot, rate in station.recorded() if slot.month == 11]
    assert recorded == [(1, "95.1"), (4, "9510"), (5, "9510")]
