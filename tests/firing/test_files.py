"""Files that others read: what is somebody else's is left alone, and what is written is right to count with."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import subprocess
from decimal import Context
from zoneinfo import ZoneInfo

import pytest

from ratectl import cli
from ratectl.journal.journal import Journal
from ratectl.model.job import CatchUp, Pair, PairsInText
from tests.fakes.station import LATE, now, provider
from tests.support.rate_server import Fault

pytestmark = pytest.mark.network
FOREIGN = {
    "header": b"Date,Open,High,Low,Close\n2026-11-19,1,2,3,4\n",
    "delimiter": b"date;base;quote;amount;source;type\n",
    "mark": b"\xef\xbb\xbfdate,base,quote,amount,source,type\n",
    "wide": "date,base,quote,amount,source,type\n".encode("utf-16"),
    "no header": b"2026-11-19,95.07\n",
    "longer": b"date,base,quote,amount,source,type,note\n",
}


@pytest.fixture
def ratectl(capsys, monkeypatch, station):
    """Run one command line on the station's state; return code and all that was said."""
    monkeypatch.setenv("RATECTL_STATE_DIR", str(station.state))

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        said = capsys.readouterr()
        return ended.value.code or 0, said.out + said.err

    return run


@pytest.fixture
def spec(tmp_path):
    """Write a spec whose jobs have the given outputs; return its path."""

    def write(*outputs):
        text = "".join(
            f'[jobs.job-{number}]\npairs = ["USD/INR"]\nschedule = "every day at 10:30"\noutput = {json.dumps(output)}\n'
            for number, output in enumerate(outputs)
        )
        path = tmp_path / "jobs.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize("kind", ["csv", "csv-quotes"])
@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_csv(station, live_rates, ratectl, spec, name, kind):
    """A csv that is not ours is refused by check, install and the firing, and stays byte for byte as it is."""
    file = station.folder / "rates.csv"
    file.write_bytes(FOREIGN[name])
    station.install(station.job(live_rates.url, outputs=(station.output("rates.csv", kind),)))

    done = station.fetch()
    path = spec(f"{kind}:{file}")
    checked, check_said = ratectl("check", path)
    installed, install_said = ratectl("install", path, "--backend", "cron", "--scope", "user")

    assert (done.returncode, checked, installed) == (74, 78, 78)
    for said in (done.stderr, check_said, install_said):
        assert "name another file, or move this one away" in said
    assert file.read_bytes() == FOREIGN[name]
    assert len(station.recorded()) == 1

    file.rename(file.with_suffix(".old"))  # as the advice says
    assert station.fetch("--force").returncode == 0
    assert len(station.lines("rates.csv")) >= 2


OURS = {
    "header alone": b"date,base,quote,amount,source,type\n",
    "header that was not ended": b"date,base,quote,amount,source,type",
    "Windows line ends": b"date,base,quote,amount,source,type\r\n2026-11-01,USD,INR,95,ecb,x\r\n",
    "line that was not ended": b"date,base,quote,amount,source,type\n2026-11-01,USD,INR,95,ecb,x",
    "empty": b"",
}


@pytest.mark.parametrize("name", OURS)
def test_our_csv_as_others_leave_it(station, live_rates, ratectl, spec, name):
    """A csv of ours that an editor saved, or that stopped anywhere, goes on with a line of its own."""
    file = station.folder / "rates.csv"
    file.write_bytes(OURS[name])
    station.install(station.job(live_rates.url, outputs=(station.output("rates.csv", "csv"),)))

    assert ratectl("check", spec(f"csv:{file}"))[0] == 0
    assert station.fetch().returncode == 0

    before = OURS[name].splitlines()
    lines = file.read_bytes().splitlines()
    assert lines[: len(before)] == before
    assert len(lines) == max(len(before), 1) + 1


def test_one_file_under_two_names(tmp_path, ratectl, spec):
    """Two names of one file, or two formats of it, are refused in check and at install."""
    file = tmp_path / "a.csv"
    link, hard = tmp_path / "link.csv", tmp_path / "hard.csv"
    folder = tmp_path / "folder"
    twins = [[str(file), f"{tmp_path}/./a.csv"], [str(file), f"csv:{file}"]]
    try:
        folder.symlink_to(tmp_path, target_is_directory=True)
        link.symlink_to(file)
        twins += [[str(file), str(link)], [str(file), str(folder / "a.csv")]]
        file.write_bytes(b"date,base,quote,amount,source,type\n")
        hard.hardlink_to(file)
        twins.append([str(file), str(hard)])
    except OSError:
        pass  # a Windows account that may make no links
    for names in twins:
        for verb in (("check",), ("install", "--backend", "cron")):
            code, said = ratectl(verb[0], spec(names), *verb[1:])
            assert code == 78, names
            assert "are one file" in said


def test_one_file_in_two_formats(tmp_path, ratectl, spec):
    """Two formats of one file are refused, of one job and of two."""
    file = tmp_path / "a.csv"
    for path in (spec([f"csv:{file}", f"text:{file}"]), spec(f"csv:{file}", f"text:{file}")):
        code, said = ratectl("check", path)
        assert code == 78
        assert "one file in two formats" in said


def answer(day, **rates):
    """Return an answer of exchangerate-api-v4 with *rates* of *day*."""
    value = {"base": "USD", "date": str(day), "time_last_updated": 1, "rates": rates}
    return Fault(body=json.dumps(value).encode())


@pytest.mark.parametrize("kind", ["csv", "ledger", "beancount"])
def test_one_line_for_each_day_and_number(station, live_rates, kind):
    """The same number of the same day is one line, a changed one another; text and jsonl have one a slot."""
    friday = now().date() - dt.timedelta(days=1)
    names = {kind: "dated", "text": "lines.txt", "jsonl": "lines.jsonl", "csv-quotes": "quotes.csv"}
    outputs = tuple(station.output(name, which) for which, name in names.items())
    pairs = (Pair(base="USD", quote="INR"), Pair(base="USD", quote="JPY"))
    station.install(station.job(live_rates.url, pairs=pairs, outputs=outputs))
    for rates in ({"INR": 95, "JPY": 155}, {"INR": 95.0, "JPY": 155}, {"INR": 95.5, "JPY": 155}):
        live_rates.misbehave(answer(friday, **rates))
        assert station.fetch("--force").returncode == 0
        for cached in (station.state / "cache").rglob("*"):
            if cached.is_file():
                cached.unlink()

    dated = [line for line in station.lines("dated") if not line.startswith("date,")]
    assert ["INR" in line for line in dated] == [True, False, True]
    assert len(dated) == 3
    assert len(station.lines("lines.txt")) == len(station.lines("lines.jsonl")) == 6
    rows = list(csv.DictReader(io.StringIO((station.folder / "quotes.csv").read_text())))
    assert len(rows) == 6
    assert list(rows[0]) == [
        *("job", "slot", "base", "quote", "rate", "rate_date", "provider", "observed_at", "kind")
    ]


def test_a_file_of_an_earlier_version(station, live_rates):
    """What an earlier version wrote, and did not remember, is not written again either."""
    station.install(station.job(live_rates.url, outputs=(station.output("rates.csv", "csv"),)))
    live_rates.misbehave(answer(now().date(), INR=95.07), times=9)
    assert station.fetch("--force").returncode == 0
    before = station.lines("rates.csv")
    with Journal(station.state) as journal, journal.database.transaction() as connection:
        connection.execute("DELETE FROM written")

    assert station.fetch("--force").returncode == 0

    assert station.lines("rates.csv") == before
    assert len(before) == 2


def test_weekend(station, live_rates):
    """Over a weekend, caught up in one go, Friday's price stands once and the mean over the file is right."""
    begun = dt.datetime(2026, 11, 19, 0, tzinfo=dt.UTC)
    job = station.job(
        "",
        providers=(provider("frankfurter", live_rates.url),),
        schedule_texts=("every day at 12:00",),
        outputs=(station.output("rates.csv", "csv"), station.output("lines.txt")),
        catch_up=CatchUp.ALL,
    )
    station.install(job, since=begun)

    station.fetch()

    days = [line.split(",")[0] for line in station.lines("rates.csv")[1:]]
    assert days == sorted(set(days))
    assert len(station.lines("lines.txt")) > len(days)


def test_a_second_pair_does_not_change_the_lines(station, live_rates):
    """A text output keeps its form when a second pair is added to the job, or names its pairs from the start."""
    both = (Pair(base="USD", quote="INR"), Pair(base="USD", quote="JPY"))
    always = station.job(
        live_rates.url, name="always", pairs=both[:1], pairs_in_text=PairsInText.ALWAYS
    )
    station.install(station.job(live_rates.url), always)
    assert station.fetch("--force").returncode == 0
    station.install(station.job(live_rates.url, pairs=both))
    assert station.fetch("--force").returncode == 0

    assert [len(line.split(" - ")[1].split()) for line in station.lines()] == [1, 1, 1]

    argv = [word.replace("usd-inr", "always") for word in station.argv("always")]
    assert subprocess.run((*argv, "--force"), timeout=60, check=False).returncode == 0
    assert "USD/INR" in station.lines()[-1]


def test_a_job_of_several_pairs_keeps_naming_them(station, live_rates):
    """A job that began with two pairs names them when one of them is dropped, too."""
    both = (Pair(base="USD", quote="INR"), Pair(base="USD", quote="JPY"))
    station.install(station.job(live_rates.url, pairs=both))
    station.install(station.job(live_rates.url, pairs=both[:1]))

    assert station.fetch("--force").returncode == 0

    assert "USD/INR" in station.lines()[-1]


def test_digits_of_a_cross(station, live_rates):
    """A derived rate has at most so many significant digits; a published one keeps its own."""
    pairs = (("USD", "INR"), ("EUR", "INR"), ("EUR", "USD"))
    pairs = tuple(Pair(base=base, quote=quote) for base, quote in pairs)
    job = station.job(live_rates.url, "ecb", pairs=pairs, digits=6)
    station.install(job)

    assert station.fetch().returncode == 0

    with Journal(station.state) as journal:
        quotes = {str(e.quote.pair): e.quote for e in journal.store().quotes("usd-inr")}
    exact = quotes["EUR/INR"].rate / quotes["EUR/USD"].rate
    assert quotes["USD/INR"].rate == Context(prec=6).plus(exact)
    assert quotes["USD/INR"].kind == "derived"


@pytest.mark.parametrize(
    ("rate", "warned"), [("0.000001", True), ("0.000024", True), ("0.0000238", False)]
)
def test_rounded_tiny_rate(station, live_rates, rate, warned):
    """A rate of one or two digits that its provider rounded is recorded, with a warning that says how far off it may be."""
    job = station.job(live_rates.url, pairs=(Pair(base="IRR", quote="USD"),))
    station.install(job)
    body = f'{{"base": "IRR", "date": "{now().date()}", "rates": {{"USD": {rate}}}}}'
    live_rates.misbehave(Fault(body=body.encode()))

    done = station.fetch("-v")

    assert done.returncode == 0
    assert ("rounded by" in done.stdout + done.stderr) == warned
    assert station.lines()[0].split()[2] == rate  # after midnight in UTC " (of ...)" follows


def test_a_file_a_month(station, live_rates, ratectl, spec):
    """Parts of the slot's civil date in a file's name make a file a month, each with its own header and lines."""
    begun = now() - dt.timedelta(days=70)
    job = station.job(
        "",
        providers=(provider("frankfurter", live_rates.url),),
        schedule_texts=("every day at 23:30",),
        timezone="Pacific/Kiritimati",
        outputs=(station.output("rates-%Y-%m.csv", "csv-quotes"), station.output("%Y-lines.txt")),
        catch_up=CatchUp.ALL,
    )
    station.install(job, since=begun)

    station.fetch()

    files = sorted(station.folder.glob("rates-*.csv"))
    assert len(files) >= 3
    seen = 0
    for file in files:
        rows = list(csv.DictReader(io.StringIO(file.read_text())))
        zone = ZoneInfo("Pacific/Kiritimati")
        months = {
            dt.datetime.fromisoformat(row["slot"]).astimezone(zone).strftime("%Y-%m")
            for row in rows
        }
        assert months == {file.stem.removeprefix("rates-")}
        seen += len(rows)
    assert seen == len(station.recorded())
    assert (
        sum(len(path.read_text().splitlines()) for path in station.folder.glob("*-lines.txt"))
        == seen
    )

    files[0].write_bytes(b"Date;Close\n")
    code, said = ratectl("check", spec(f"csv-quotes:{station.folder}/rates-%Y-%m.csv"))
    assert (code, str(files[0]) in said) == (78, True)
    code, said = ratectl("check", spec(f"csv:{station.folder}/%Y/rates.csv"))
    assert (code, "not in its folder" in said) == (78, True)


def test_what_waits_for_a_month_that_passed(station, live_rates):
    """Lines that could not be written wait under the name of their own month, and are delivered there."""
    outputs = (station.output("%Y%m%d.csv", "csv"),)
    name = f"{now() - LATE:%Y%m%d}.csv"
    station.install(station.job(live_rates.url, outputs=outputs))
    (station.folder / name).mkdir()
    assert station.fetch().returncode in {73, 74}
    (station.folder / name).rmdir()
    with Journal(station.state) as journal, journal.database.transaction() as connection:
        connection.execute(  # as it would be a day later
            "UPDATE lines SET target = ?", (str(station.folder / "20200101.csv"),)
        )

    station.rest()
    station.fetch()

    assert len(station.lines("20200101.csv")) == 2
    assert station.undelivered() == 0
