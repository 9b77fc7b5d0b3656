"""`ratectl import`: files of the loop of old, of ours and of pricehist become part of the record, each row once."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal

import pytest

from ratectl.firing.imports import lines
from ratectl.firing.imports.importer import Importer
from ratectl.journal.journal import Journal
from ratectl.model.job import Pair
from ratectl.outputs.formats import FILES
from tests.fakes.past import quote, settle

pytestmark = pytest.mark.network
USD_INR, USD_JPY, EUR_USD = (
    Pair(base=base, quote=quote) for base, quote in (("USD", "INR"), ("USD", "JPY"), ("EUR", "USD"))
)
FRIDAY = dt.datetime(2025, 11, 21, 5, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
RATES = "date,base,quote,amount,source,type"
OBJECT = {
    "job": "usd-inr",
    "slot": "2025-11-20T10:30:00+05:30",
    "base": "USD",
    "quote": "INR",
    "rate": "95.07",
    "rate_date": "2025-11-20",
    "provider": "ecb",
    "observed_at": "2025-11-20T10:30:03+05:30",
}
OLD_LOOP = "20/11/2025 - 95.07\n21/11/2025 - 95.10\n\n22/11/2025 - 95.10 (of 21/11/2025)\n"


@pytest.fixture
def install(station, journal_url):
    """Install a job with the *pairs*, whose slots are at 10:30 in Kolkata."""

    def record(*pairs, **values):
        defaults = {
            "schedule_texts": ("every day at 10:30",),
            "timezone": "Asia/Kolkata",
            "pairs": pairs or (USD_INR,),
            "journal": journal_url,
        }
        job = station.job("http://127.0.0.1:9", **defaults | values)
        station.install(job)
        return job

    return record


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path."""

    def wrote(text, name="file.txt"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return wrote


def rows(station, job="usd-inr"):
    """Return slot, pair, rate, rate date, provider and kind of each quote in the record."""
    with Journal(station.state) as journal:
        return [
            (e.slot, str(e.quote.pair), str(e.quote.rate), e.quote.rate_date.isoformat())
            for e in journal.store_of_job(job).quotes(job)
        ]


def test_loop_of_old(ratectl, install, station, write):
    """Lines of `dd/mm/YYYY - rate` are slots of their civil days; no output gets anything."""
    job = install()

    done = ratectl("import", write(OLD_LOOP), "--job", "usd-inr")

    assert (done.code, done.err, done.out) == (0, "", "usd-inr: 3 rows imported\n")
    at = dt.datetime(2025, 11, 20, 5, tzinfo=dt.UTC)
    assert rows(station) == [
        (at, "USD/INR", "95.07", "2025-11-20"),
        (at + DAY, "USD/INR", "95.10", "2025-11-21"),
        (at + 2 * DAY, "USD/INR", "95.10", "2025-11-21"),
    ]
    assert station.lines() == []
    assert station.undelivered() == 0
    with Journal(station.state) as journal:
        store = journal.store(job)
        assert {entry.quote.kind for entry in store.quotes("usd-inr")} == {"imported"}
        assert store.firing("usd-inr", at).outcome == "recorded"


def test_again(ratectl, install, station, write):
    """A repetition finds every row; what was added since is the only thing that is written."""
    install()
    path = write(OLD_LOOP)
    ratectl("import", path, "--job", "usd-inr")
    before = rows(station)

    again = ratectl("import", path, "--job", "usd-inr")
    more = ratectl("import", write(OLD_LOOP + "23/11/2025 - 95.3\n"), "--job", "usd-inr")

    assert again.out == "usd-inr: 0 rows imported, 3 were there already\n"
    assert more.out == "usd-inr: 1 row imported, 3 were there already\n"
    assert rows(station)[:3] == before


@pytest.mark.parametrize("form", list(FILES))
def test_our_own_files(ratectl, install, station, write, form):
    """What `history --format` writes of one job is what another gets from it: days, pairs, numbers, digits."""
    pairs = (USD_INR, USD_JPY)
    source = station.job("", name="source", pairs=pairs, timezone="Asia/Kolkata")
    station.install(source)
    for number, rate in enumerate(("95.070", "0.000000243", "95.2")):
        settle(station.state, source, FRIDAY + number * DAY, rate)
    settle(station.state, source, FRIDAY + 3 * DAY, "95.2", rate_date=(FRIDAY + 2 * DAY).date())
    text = ratectl("history", "source", "--format", form).out
    install(*pairs)

    done = ratectl("import", write(text), "--job", "usd-inr")

    assert done.code == 0
    assert re.fullmatch(r"ratectl: \S+: 2 rows are hard to believe, .*\n", done.err)
    written = rows(station, "source")
    if form in {"csv", "ledger", "beancount"}:  # one line for each pair, day and number
        written = written[:-2]
    assert rows(station) == written
    assert ratectl("history", "usd-inr", "--format", "ledger").out == (
        ratectl("history", "source", "--format", "ledger").out
    )


@pytest.mark.parametrize(
    "text",
    [
        "date,base,quote,amount,source,type\n2025-11-20,USD,INR,95.07,ecb,reference\n",
        "date;base;quote;amount;source;type\n2025-11-20;USD;INR;95.07;ecb;reference\n",
        '"date","base","quote","amount","source","type"\r\n"2025-11-20","USD","INR","95.07","ecb","close"\r\n',
        b"\xef\xbb\xbfdate,base,quote,amount,source,type\n2025-11-20,USD,INR,95.07,ecb,close\n",
    ],
)
def test_pricehist(ratectl, install, station, write, text):
    """Csv of pricehist, also with another delimiter, quotation marks, or a byte order mark; its source is the provider."""
    job = install()

    assert ratectl("import", write(text), "--job", "usd-inr").code == 0

    with Journal(station.state) as journal:
        [entry] = journal.store(job).quotes("usd-inr")
    assert (entry.quote.provider, entry.quote.rate) == ("ecb", Decimal("95.07"))


@pytest.mark.parametrize(
    "line",
    [
        "P 2025-11-20 00:00:00 USD 95.07 INR",
        "P 2025/11/20 USD 95.07 INR",
        'P 2025-11-20 "USD" 95.07 "INR" ; the bank',
        "2025-11-20 price USD 95.07 INR",
        "2025-11-20 price USD   95.07 INR ; closing",
    ],
)
def test_prices_of_books(ratectl, install, station, write, line):
    """Price directives as ledger, hledger and beancount take them, between comments and blank lines."""
    install()

    done = ratectl("import", write(f"; prices\n\n{line}\n"), "--job", "usd-inr")

    assert done.code == 0, done.err
    assert [row[1:] for row in rows(station)] == [("USD/INR", "95.07", "2025-11-20")]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("31/02/2025 - 95.1", "'31/02/2025' is no day"),
        ("21/11/2025 - 0", "not a positive number"),
        ("21/11/2025 - 95,10", "not a number"),
        ("21/11/2025 - n/a", "not a number"),
        ("21/11/2025 95.10", "expected dd/mm/YYYY - RATE"),
        ("21/11/2199 - 95.1", "still lies ahead"),
        ("21/11/1899 - 95.1", "is before"),
        ("21/11/2025 - USD/EUR 0.9", "records no USD/EUR"),
    ],
)
def test_wrong_lines(ratectl, install, station, write, line, told):
    """A wrong line is named with its number and reason and nothing is imported; --skip-wrong takes the others."""
    install()
    path = write(f"20/11/2025 - 95.07\n{line}\n22/11/2025 - 95.2\n")

    refused = ratectl("import", path, "--job", "usd-inr")
    recorded = rows(station)
    others = ratectl("import", path, "--job", "usd-inr", "--skip-wrong")

    assert (refused.code, recorded) == (65, [])
    assert f"{path}:2: " in refused.err
    assert told in refused.err
    assert "1 line of 3 cannot be imported, and nothing was" in refused.err
    assert (others.code, others.out) == (0, "usd-inr: 2 rows imported, 1 wrong line skipped\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("date,base,amount\n2025-11-20,USD,95.07\n", "its first line is of no known form"),
        ("hello\n", "its first line is of no known form"),
        ("", "is empty"),
        (b"20/11/2025 - 95.07\n\xff\xfe\n", ":2: is not UTF-8"),
        ('{"base": "USD", "quote": "INR"}\n', "it lacks rate"),
        ("{nonsense\n", ":1: is no JSON object"),
        ("{}\n[]\n", ":2: is no JSON object"),
        ('{"a":' + "[" * 100_000 + "\n", ":1: is no JSON object"),
        (f"{RATES}\n2025-11-20,USD,INR,{'9' * 200_000},x,y\n", ":2: holds a cell of more than"),
    ],
)
def test_files_of_others(ratectl, install, station, write, text, told):
    """What is no file of rates is refused with what stands in the way, exit 65."""
    install()

    refused = ratectl("import", write(text), "--job", "usd-inr")

    assert refused.code == 65
    assert told in refused.err
    assert rows(station) == []


@pytest.mark.parametrize("value", [None, 5, True, [], {}, "", "x", "9" * 5000])
@pytest.mark.parametrize("name", [name for name in OBJECT if name != "job"])
def test_wrong_values(name, value):
    """Whatever stands in an object in place of a value, the message names it in words of this program, and briefly."""
    if (name, value) in [("rate", 5), ("provider", "x"), ("rate", "9" * 5000)]:
        return  # which are right, or have a message of their own

    [wrong] = lines.read(json.dumps(OBJECT | {name: value}), "jsonl")

    assert wrong.reason.startswith(f"{name} is ") or repr(value)[:20] in wrong.reason
    assert len(wrong.reason) < 120
    for raw in ("isoformat", "argument", "bytes-like", "must be in", "attribute", "decimal."):
        assert raw not in wrong.reason


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize("name", ["slot", "observed_at"])
def test_times_beyond_the_calendar(ratectl, install, write, name, moment):
    """A time that no calendar has is a wrong line, and no traceback."""
    install()

    refused = ratectl("import", write(json.dumps(OBJECT | {name: moment})), "--job", "usd-inr")

    assert refused.code == 65
    assert f"'{moment}' lies beyond the calendar" in refused.err


def test_hard_to_believe(ratectl, install, station, write):
    """Rows that are a hundred times off are imported and told of, in one line for the file, with what takes one back."""
    install()
    days = [
        f"{number:02}/10/2025 - {'9510' if number in {7, 8, 20} else '95.1'}"
        for number in range(1, 29)
    ]
    path = write("\n".join(days))

    done = ratectl("import", path, "--job", "usd-inr")
    again = ratectl("import", path, "--job", "usd-inr")

    assert (done.code, done.out) == (0, "usd-inr: 28 rows imported\n")
    assert done.err.startswith(
        f"ratectl: {path}: 3 rows are hard to believe, such as that of line 7: "
        "USD/INR 9510 after 95.1 of 2025-10-06: a factor of 100, a unit slip; "
    )
    assert done.err.count("\n") == 1
    assert ratectl(*done.err.split("`")[1].split()[1:]).code == 0
    assert [row[2] for row in rows(station)].count("9510") == 2
    assert (again.code, again.err) == (0, "")


@pytest.mark.parametrize(
    ("numbers", "line"),
    [
        (("9.51", "95.1", "95.2", "95.3"), 1),
        (("95.1", "0.0105", "95.2", "95.3"), 2),
        (("95.1", "95.2", "95.3", "9510"), 4),
    ],
)
def test_one_bad_row(ratectl, install, station, write, numbers, line):
    """The one bad row of a file is named, wherever it stands, and what is said takes it back; the rows after it are believed."""
    install()
    days = [f"{day:02}/10/2025 - {number}" for day, number in enumerate(numbers, 1)]

    done = ratectl("import", write("\n".join(days)), "--job", "usd-inr")

    assert f"1 row is hard to believe, that of line {line}: " in done.err
    assert ratectl(*done.err.split("`")[1].split()[1:]).code == 0
    assert [row[2] for row in rows(station)] == [n for n in numbers if n.startswith("95.")]


@pytest.mark.parametrize("day", ["01", "09"])
def test_a_row_beside_the_record(ratectl, install, write, day):
    """A row is measured against what is recorded for earlier days and for later ones."""
    install()
    for known in ("03", "04", "05"):
        ratectl("record", "usd-inr", "USD/INR", "95.1", "--on", f"2025-10-{known}")

    done = ratectl("import", write(f"{day}/10/2025 - 9.52"), "--job", "usd-inr")

    assert "1 row is hard to believe, that of line 1: USD/INR 9.52" in done.err
    assert ratectl(*done.err.split("`")[1].split()[1:]).code == 0
    assert ratectl("import", write("06/10/2025 - 95.2"), "--job", "usd-inr").err == ""


def test_the_last_row_beside_later_days(ratectl, install, write):
    """A file that goes astray slowly is told of where it meets what the record has for later days."""
    install()
    ratectl("record", "usd-inr", "USD/INR", "95.1", "--on", "2025-10-03")

    done = ratectl("import", write("01/01/2020 - 250\n02/10/2025 - 260\n"), "--job", "usd-inr")

    assert "1 row is hard to believe, that of line 2: USD/INR 260 beside 95.1" in done.err


def test_believed_moves(ratectl, install, write):
    """A move that the next row bears out is told of once, and a row is measured against what the record has."""
    install()
    move = (
        "01/10/2025 - 95\n02/10/2025 - 130\n03/10/2025 - 131\n04/10/2025 - 130\n05/10/2025 - 131\n"
    )

    first = ratectl("import", write(move), "--job", "usd-inr", "--json")
    slip = ratectl("import", write("06/10/2025 - 1.31\n"), "--job", "usd-inr")

    assert [one["line"] for one in json.loads(first.out)["doubtful"]] == [2, 3]
    assert (
        "1 row is hard to believe, that of line 1: USD/INR 1.31 after 131 of 2025-10-05" in slip.err
    )


def test_stopped(ratectl, install, write, monkeypatch):
    """Ctrl-C half-way keeps what is done and says so, exit 75; the same command does the rest."""
    install()
    days = [dt.date(2023, 1, 1) + number * DAY for number in range(700)]
    path = write("".join(f"{day:%d/%m/%Y} - 95.1\n" for day in days))
    write_batch = Importer._write

    def stop_after_one(importer, batch):
        if importer.done.written:
            raise KeyboardInterrupt
        write_batch(importer, batch)

    with monkeypatch.context() as patched:
        patched.setattr(Importer, "_write", stop_after_one)
        stopped = ratectl("import", path, "--job", "usd-inr")
    rest = ratectl("import", path, "--job", "usd-inr")

    assert (stopped.code, "stopped after 500 rows, which are kept" in stopped.err) == (75, True)
    assert (rest.code, rest.out) == (0, "usd-inr: 200 rows imported, 500 were there already\n")


def test_misuse(ratectl, install, write, tmp_path):
    """A file that is not there, a pair that the job lacks, and a format that there is not."""
    install(USD_INR, USD_JPY)
    path = write(OLD_LOOP)

    gone = ratectl("import", str(tmp_path / "gone"), "--job", "usd-inr")
    nameless = ratectl("import", path, "--job", "usd-inr")
    lacking = ratectl("import", path, "--job", "usd-inr", "--pair", "EUR/USD")
    form = ratectl("import", path, "--job", "usd-inr", "--format", "xml")

    assert (gone.code, "cannot be read" in gone.err) == (74, True)
    assert (nameless.code, "--pair says which" in nameless.err) == (65, True)
    assert (lacking.code, "records USD/INR, USD/JPY" in lacking.err) == (2, True)
    assert (form.code, "there are text" in form.err) == (2, True)


def test_one_pair_of_a_book(ratectl, install, station, write):
    """--pair takes the rows of one pair, and is the pair of lines that name none."""
    install(USD_INR, USD_JPY)
    prices = "P 2025-11-20 USD 95.07 INR\nP 2025-11-20 EUR 1.17 USD\nP 2025-11-20 USD 155.2 JPY\n"

    ratectl("import", write(prices), "--job", "usd-inr", "--pair", "USD/JPY")
    ratectl("import", write(OLD_LOOP), "--job", "usd-inr", "--pair", "USD/INR")

    found = rows(station)
    assert [row[2] for row in found if row[1] == "USD/JPY"] == ["155.2"]
    assert [row[2] for row in found if row[1] == "USD/INR"] == ["95.07", "95.10", "95.10"]


def test_what_is_recorded_stays(ratectl, install, station, write):
    """A slot that has another number keeps it, and the row is named; the same number is no conflict."""
    job = install()
    settle(station.state, job, FRIDAY, "95.11", rate_date=FRIDAY.date())
    path = write(OLD_LOOP)

    done = ratectl("import", path, "--job", "usd-inr")

    assert done.code == 0
    assert done.out == ("usd-inr: 2 rows imported, 1 left out, whose slot has another number\n")
    assert f"{path}:2: USD/INR is recorded there as 95.11 of 2025-11-21 (frankfurter)" in done.err
    assert [row[2] for row in rows(station)] == ["95.07", "95.11", "95.10"]


def test_several_rows_of_a_day(ratectl, install, station, write):
    """Rows of one day go to its slots in their order, and beyond them to the seconds after; none is lost, none doubled."""
    install(schedule_texts=("every day at 10:30", "every day at 16:30"))
    text = "".join(f"21/11/2025 - 95.{number}\n" for number in (1, 2, 2, 3))

    for _ in range(2):
        assert ratectl("import", write(text), "--job", "usd-inr").code == 0

    second = dt.timedelta(seconds=1)
    last = FRIDAY + dt.timedelta(hours=6)
    assert [(row[0], row[2]) for row in rows(station)] == [
        (FRIDAY, "95.1"),
        (last, "95.2"),
        (last + second, "95.2"),
        (last + 2 * second, "95.3"),
    ]
    assert ratectl("history", "usd-inr", "--format", "csv").out.splitlines()[1:] == [
        "2025-11-21,USD,INR,95.3,imported,imported"
    ]


@pytest.mark.parametrize("journal_url", ["own"], indirect=True)
def test_the_same_number_again_on_one_day(ratectl, install, station, write):
    """90, 91, 90 of one day are three rows, of which the last counts; the file again brings none, nor does it after a void."""
    install()
    path = write("20/11/2025 - 90\n20/11/2025 - 91\n20/11/2025 - 90\n")

    first = ratectl("import", path, "--job", "usd-inr")
    again = ratectl("import", path, "--job", "usd-inr")

    assert first.out == "usd-inr: 3 rows imported\n"
    assert again.out == "usd-inr: 0 rows imported, 3 were there already\n"
    assert [rate for _slot, _pair, rate, _day in rows(station)] == ["90", "91", "90"]
    assert ratectl("rate", "USD/INR", "--on", "2025-11-20").out.startswith("USD/INR 90 ")


@pytest.mark.parametrize("journal_url", ["own"], indirect=True)
def test_when_a_row_was_received(ratectl, install, write, monkeypatch):
    """The table tells when a row was received where its line does, and does not take its slot for that."""
    monkeypatch.setenv("COLUMNS", "200")
    install()
    plain = write("19/11/2025 - 95.07\n")
    full = write(json.dumps(OBJECT) + "\n", "full.jsonl")
    assert ratectl("import", plain, "--job", "usd-inr").code == 0
    assert ratectl("import", full, "--job", "usd-inr").code == 0

    head, *table = ratectl("history", "usd-inr").out.splitlines()

    place = head.index("RECEIVED")
    assert [line[place:].strip() for line in table] == ["-", "2025-11-20 10:30:03"]


def test_own_output_after_void(ratectl, install, station, write):
    """A job's own file brings nothing: neither what counts, nor what was taken back."""
    install()
    for rate in ("95.81", "95.80"):
        ratectl("review", "void", "2025-11-21", "--job", "usd-inr")
        assert ratectl("record", "usd-inr", "USD/INR", rate, "--on", "2025-11-21").code == 0
    before = rows(station)

    done = ratectl("import", write("21/11/2025 - 95.81\n21/11/2025 - 95.80\n"), "--job", "usd-inr")

    assert done.out == "usd-inr: 0 rows imported, 2 were there already\n"
    assert rows(station) == before


def test_row_of_another_slot(ratectl, install, station, write):
    """A number that a later slot of the day has is not imported for an earlier one."""
    job = install(schedule_texts=("every day at 10:30", "every day at 16:30"))
    settle(station.state, job, FRIDAY + dt.timedelta(hours=6), "95.86")
    text = "date,base,quote,amount,source,type\n2025-11-21,USD,INR,95.86,frankfurter,mid\n"

    done = ratectl("import", write(text, "own.csv"), "--job", "usd-inr")

    assert done.out == "usd-inr: 0 rows imported, 1 was there already\n"
    assert len(rows(station)) == 1


def test_row_added_above(ratectl, install, station, write):
    """A file that got a line more, above others of its day, brings just that line, however often."""
    install()
    text = "21/11/2025 - 1.09\n21/11/2025 - 1.08\n"
    ratectl("import", write(text), "--job", "usd-inr")

    for imported in (1, 0):
        done = ratectl("import", write("21/11/2025 - 1.07\n" + text), "--job", "usd-inr")
        assert done.out.startswith(f"usd-inr: {imported} row")

    assert sorted(row[2] for row in rows(station)) == ["1.07", "1.08", "1.09"]


def test_revised_line_of_jsonl(ratectl, install, write):
    """Of two lines for one slot the later counts; the earlier is a revision, also after a repetition."""
    job = install()
    lines = [
        b"".join(FILES["jsonl"].lines(job, FRIDAY, (quote(USD_INR, rate, FRIDAY, observed=at),)))
        for rate, at in (("95.1", FRIDAY), ("95.2", FRIDAY + DAY))
    ]
    path = write(b"".join(lines))

    for _ in range(2):
        assert ratectl("import", path, "--job", "usd-inr").code == 0

    numbers = json.loads(ratectl("history", "usd-inr", "--revisions", "--json").out)
    assert [(row["rate"], row.get("state")) for row in numbers] == [
        ("95.1", "revised"),
        ("95.2", None),
    ]


def test_voided_row_stays_voided(ratectl, install, station, write):
    """A row that a person took back is not imported again."""
    install()
    path = write(OLD_LOOP)
    ratectl("import", path, "--job", "usd-inr")
    ratectl("review", "void", "2025-11-21", "--job", "usd-inr")

    again = ratectl("import", path, "--job", "usd-inr")

    assert again.out == "usd-inr: 0 rows imported, 3 were there already\n"
    assert [row[2] for row in rows(station)] == ["95.07", "95.10"]


def test_json(ratectl, install, write):
    """Facts for programs: how many rows, and which were left out."""
    install()

    facts = json.loads(ratectl("import", write(OLD_LOOP), "--job", "usd-inr", "--json").out)

    assert facts == {
        "rows": 3,
        "imported": 3,
        "known": 0,
        "left_out": [],
        "doubtful": [],
        "wrong": [],
    }
