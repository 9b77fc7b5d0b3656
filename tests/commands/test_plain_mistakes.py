"""What newcomers type into `record`, `rate`, `review void`, `run --slot` and `import`: each mistake is named with what would be right."""

from __future__ import annotations

import datetime as dt
import re
import sys
from pathlib import Path

import pytest

from ratectl.commands._shared import terminal
from ratectl.firing import due
from tests.fakes.past import settle
from tests.fakes.station import now

pytestmark = pytest.mark.network
DAY = dt.timedelta(days=1)


@pytest.fixture
def install(station, live_rates):
    """Install a daily job, whose slots are at noon UTC."""

    def record(**values):
        defaults = {"schedule_texts": ("every day at 12:00",), "outputs": ()}
        job = station.job(live_rates.url, "frankfurter", **defaults | values)
        station.install(job, since=now() - 30 * DAY)
        return job

    return record


def slot(days=1):
    return now().replace(hour=12, minute=0, second=0) - days * DAY


def on(days=1):
    return str(slot(days).date())


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("-5", "RATE is '-5', not a positive number"),
        ("-95.12", "RATE is '-95.12', not a positive number"),
        ("-nan", "RATE is '-nan', not a number"),
        ("-1,5", "RATE is '-1,5', not a number"),
        ("0", "RATE is 0, not a positive number"),
        ("nan", "RATE is 'nan', not a number; write it as 95.12"),
        ("1,5", "RATE is '1,5', not a number; write it as 1.5"),
        ("1.234,56", "RATE is '1.234,56', not a number; write it as 1234.56"),
        ("1,234.56", "RATE is '1,234.56', not a number; write it as 1234.56"),
        ("1,234", "RATE is '1,234', not a number; write it as 95.12"),
        ("95.5 INR", "RATE is '95.5 INR', not a number; write it as 95.5"),
        ("₹95.5", "RATE is '₹95.5', not a number; write it as 95.5"),
        ("1 234.5", "RATE is '1 234.5', not a number; write it as 1234.5"),
        (".86", "RATE is '.86', not a number; write it as 0.86"),
        (",5", "RATE is ',5', not a number; write it as 0.5"),
        ("1.234.567,89", "not a number; write it as 1234567.89"),
        ("1,234,567", "not a number; write it as 95.12"),
        ("1.234.567", "not a number; write it as 95.12"),
        ("1234,567", "not a number; write it as 1234.567"),
        ("95.5%", "RATE is '95.5%', not a number; write it as 95.12"),
        ("", "RATE is '', not a number; write it as 95.12"),
        ("١٢", "not a number; write it as 95.12"),
    ],
)
@pytest.mark.parametrize("last", [(), ("--on", "2026-11-20")])
def test_no_rate(ratectl, install, station, word, told, last):
    """What is no rate is named as such, with how it is written; a negative number is no option."""
    install()

    refused = ratectl("record", "usd-inr", "USD/INR", word, *last)

    assert (refused.code, told in refused.err) == (2, True), refused.err
    assert "No such option" not in refused.err
    assert station.recorded() == []


@pytest.mark.parametrize(
    "words",
    [
        ("review", "show", "-3"),
        ("review", "void", "-3"),
        ("review", "accept", "-1.5"),
    ],
)
def test_no_option(ratectl, install, words):
    """A negative number is named in place of a held answer's, too; an option that is misspelt stays one."""
    install()

    refused = ratectl(*words)

    assert refused.code == 2
    assert f"{words[-1]}" in refused.err
    assert "No such option" not in refused.err
    assert "No such option: -x" in ratectl(words[0], "-x").err


def test_day_ahead(ratectl, install, station):
    """Of a day that lies ahead `rate` says so, and what there is; it doesn't advise what cannot help."""
    job = install()
    settle(station.state, job, slot(2), "95.1", rate_date=slot(2).date())
    ahead = str((now() + 40 * DAY).date())

    refused = ratectl("rate", "USD/INR", "--on", ahead)

    assert refused.code == 65
    assert f"{ahead} lies ahead" in refused.err
    assert "--derive" not in refused.err
    assert f"`ratectl rate USD/INR --on {on(2)}`" in refused.err
    assert ratectl(*refused.err.split("`")[1].split()[1:]).code == 0


@pytest.mark.parametrize(
    ("pair", "days", "told"),
    [
        ("INR/USD", 1, "`ratectl rate INR/USD --on {} --derive`"),
        ("USD/INR", -30, "`ratectl rate USD/INR --on {} --within 32d`"),
        ("INR/USD", -30, "`ratectl rate INR/USD --on {} --within 32d --derive`"),
        ("USD/INR", 30, "what is recorded of it is of later days, from {1} on"),
        ("EUR/JPY", 1, "no job has recorded EUR/JPY"),
    ],
)
def test_what_is_there(ratectl, install, station, pair, days, told):
    """Where there is no rate for a day, what would give one is said, and works; --derive only where that does."""
    job = install()
    settle(station.state, job, slot(2), "95.1", rate_date=slot(2).date())
    if days < 0:
        day = on(-days)
        settle(station.state, job, slot(-days + 32), "94.1", rate_date=slot(-days + 32).date())
    else:
        day = on(days)

    refused = ratectl("rate", pair, "--on", day)

    assert (refused.code, told.format(day, on(2)) in refused.err) == (65, True), refused.err
    for command in re.findall(r"`ratectl ([^`]*)`", refused.err):
        assert ratectl(*command.split()).code == 0


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("word", ["inr", "USD/INR", "friday", "20.11.2026", "2026-11"])
def test_no_slot_to_void(ratectl, install, station, word, jobs):
    """A word that is no number, day or slot is told the forms that are, with one out of the record, which works."""
    job = install()
    settle(station.state, job, slot(2), "95.1", rate_date=slot(2).date())
    for number in range(1, jobs):
        install(name=f"other-{number}")

    refused = ratectl("review", "void", word)

    assert refused.code == 2
    assert f"{word!r} is no number of an accepted answer, no day and no slot" in refused.err
    [command] = re.findall(r"`ratectl ([^`]*)`", refused.err)
    assert command.split()[:2] == ["review", "void"]
    assert ratectl(*command.split()).code == 0
    assert station.recorded() == []


def test_several_slots_to_void(ratectl, install, station):
    """Of a day with many slots a few are named, and the command for the first of them works."""
    job = install(schedule_texts=("every hour",))
    for hour in range(20):
        settle(station.state, job, slot(2).replace(hour=hour), "95.1")

    refused = ratectl("review", "void", on(2), "--job", "usd-inr")

    assert refused.code == 2
    assert "and 17 more" in refused.err
    assert refused.err.count(f"{on(2)}T") == 4
    [command] = re.findall(r"`ratectl ([^`]*)`", refused.err)
    assert ratectl(*command.split()).code == 0


def test_run_a_day(ratectl, install, station):
    """`run --slot` takes a day on which the job has one slot, and yesterday."""
    install()

    done = ratectl("run", "usd-inr", "--slot", on(3))
    last = ratectl("run", "usd-inr", "--slot", "yesterday")

    assert (done.code, done.err) == (last.code, last.err) == (0, "")
    assert [moment for moment, _ in station.recorded()] == [slot(3), slot(1)]


@pytest.mark.parametrize(
    ("schedule", "day", "told"),
    [
        ("every day at 06:00 and 18:00", on(2), "usd-inr has 2 slots on {0}; name one, such as {0}T06:00, {0}T18:00"),
        ("every hour", on(2), "24 slots on {0}; name one, such as {0}T00:00, {0}T01:00, {0}T02:00 and 21 more"),
        ("every 1 january at 12:00", "2025-06-15", "usd-inr has no slot on 2025-06-15; near it: 2025-01-01T12:00"),
        ("every day at 12:00", "2199-01-01", "still lies ahead"),
    ],
)  # fmt: skip
def test_run_a_day_with_other_slots(ratectl, install, schedule, day, told):
    """Of a day with several slots a few are listed as they are typed; of one without any the slots around it."""
    install(schedule_texts=(schedule,))

    refused = ratectl("run", "usd-inr", "--slot", day)

    assert (refused.code, told.format(day) in refused.err) == (2, True), refused.err
    for moment in re.findall(rf"such as ({day}T[0-9:]*)", refused.err):
        assert ratectl("run", "usd-inr", "--slot", moment).code == 0


def test_program_takes_a_day(install, station):
    """So does the program that schedulers start."""
    install()

    done = station.fetch("--slot", on(3))

    assert done.returncode == 0, done.stderr
    assert [moment for moment, _ in station.recorded()] == [slot(3)]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York"])
def test_day_of_the_job(install, zone):
    """The day is one of the job's zone."""
    job = install(timezone=zone)
    timetable = due.Timetable(job)

    found = timetable.slot_named("2026-11-20", option="--slot")

    assert found.astimezone(job.zone).isoformat()[:16] == "2026-11-20T12:00"


def test_grammar(ratectl, install, tmp_path):
    """One is singular."""
    install()
    path = tmp_path / "file.txt"
    path.write_text("20/11/2025 - 95.07\n")
    ratectl("import", str(path), "--job", "usd-inr")

    again = ratectl("import", str(path), "--job", "usd-inr")
    path.write_text("20/11/2025 - 95.08\n")
    other = ratectl("import", str(path), "--job", "usd-inr")

    assert again.out == "usd-inr: 0 rows imported, 1 was there already\n"
    assert other.out == "usd-inr: 0 rows imported, 1 left out, whose slot has another number\n"
    since = ("--since", "2025-11-20", "--until", "2025-11-20")
    assert "usd-inr: 1 slot was settled already" in ratectl("backfill", "usd-inr", *since).out


def test_width_of_a_terminal(ratectl, install, station, tmp_path, monkeypatch):
    """On a terminal of 80 columns no line is wider, but for a command to copy, which stands whole on a line of its own."""
    job = install(name="exchange-rates-of-the-group", outputs=())
    for days in range(3):
        settle(station.state, job, slot(9 - days), "95.1", rate_date=slot(9).date())
    monkeypatch.chdir(tmp_path)
    path = Path("numbers.txt")
    path.write_text(f"{slot(30):%d/%m/%Y} - 95.07\n{slot(29):%d/%m/%Y} - 9507\n")
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(type(stream), "isatty", lambda _: True, raising=False)
    monkeypatch.setattr(terminal, "screen_width", lambda: 80)
    monkeypatch.setattr(terminal, "width", lambda: 80)

    monkeypatch.setenv("NO_COLOR", "1")
    name = job.name
    said = [
        ratectl("review", "void", on(9), "--job", name),
        ratectl("import", str(path), "--job", name),
        ratectl("record", name, "USD/INR", "9.55", "--on", on(2)),
        ratectl("record", name, "USD/INR", "9.56", "--on", on(2)),
        ratectl("rate", "USD/INR", "--on", "2199-01-01"),
        ratectl("run", name, "--slot", "2199-01-01"),
        ratectl("review"),
    ]

    lines = [line for one in said for line in (one.out + one.err).splitlines()]
    wide = [line for line in lines if len(line) > 80]
    assert [line for line in wide if not re.fullmatch(r"\s*`[^`]*`[;,.]?", line)] == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("review", "bla"), "'bla' is not one of 'list', 'show', 'accept', 'reject', 'void'"),
        (("next", "daily", "--count", "0"), "'--count': "),
        (("history", "x", "--last", "0"), "'--last': "),
        (("history", "x", "--last", "abc"), "'--last': "),
        (
            ("history", "x", "--last", "99999999999999999999"),
            "'--last': expected 1000000000 or less",
        ),
        (("next", "daily", "--count", "9999999999"), "'--count': "),
    ],
)
def test_values_are_refused_in_plain_words(ratectl, words, told):
    """What a library says of a value is not what a person reads."""
    answer = ratectl(*words)

    assert answer.code == 2
    assert told in answer.err
    assert "Value error" not in answer.err
    assert "Input should" not in answer.err


def test_all_of_nothing_is_nothing_to_do(ratectl, tmp_path, monkeypatch):
    """``run --all`` where no job is installed has nothing to do, as ``pause --all`` and ``remove --all`` have."""
    monkeypatch.setenv("RATECTL_STATE_DIR", str(tmp_path / "state"))

    answer = ratectl("run", "--all")

    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("nothing to run: no jobs are installed; ")
    assert ratectl("run", "--all", "--json").out == "[]\n"
