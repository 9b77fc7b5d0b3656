"""``ratectl history``: which quotes, and in which form."""

import datetime as dt
import json
import re
from zoneinfo import ZoneInfo

import pytest

from ratectl.commands._shared import date_range
from ratectl.journal.journal import Journal
from ratectl.model.job import Pair
from tests.fakes import past
from tests.fakes.station import now

pytestmark = pytest.mark.network  # starts nothing, but asks which schedulers run
FIRST = dt.datetime(2026, 11, 16, 10, 30, tzinfo=dt.UTC)


@pytest.fixture
def week(station, live_rates):
    """A job of two pairs with a rate on each of seven days."""
    pairs = (Pair(base="USD", quote="INR"), Pair(base="EUR", quote="INR"))
    job = station.job(live_rates.url, pairs=pairs, schedule_texts=("every day at 10:30",))
    station.install(job, since=FIRST - dt.timedelta(days=1))
    for day in range(7):
        past.settle(station.state, job, FIRST + dt.timedelta(days=day), f"95.{day}0")
    return job


def rates(answer):
    return [(quote["slot"][:10], quote["quote"], quote["rate"]) for quote in json.loads(answer.out)]


@pytest.mark.usefixtures("week")
@pytest.mark.parametrize(
    ("options", "days"),
    [
        ((), range(16, 23)),
        (("--since", "2026-11-20"), (20, 21, 22)),
        (("--until", "2026-11-17"), (16, 17)),
        (("--since", "2026-11-17", "--until", "2026-11-17"), (17,)),
        (("--since", "2026-11-17T10:30:01"), range(18, 23)),
        (("--until", "2026-11-17T10:30"), (16, 17)),
        (("--until", "2026-11-17T10:29:59"), (16,)),
        (("--since", "2026-11-20T16:00+05:30"), (20, 21, 22)),
        (("--last", "2"), (21, 22)),
        (("--last", "1", "--until", "2026-11-18"), (18,)),
        (("--last", "99"), range(16, 23)),
        (("--since", "2030-01-01"), ()),
    ],
)
def test_which(ratectl, options, days):
    """Days count as a whole, times to the second, without an offset on the job's clocks."""
    found = rates(ratectl("history", "usd-inr", "--pair", "usd/inr", "--json", *options))

    assert [day for day, *_ in found] == [f"2026-11-{day}" for day in days]


def test_named_days(ratectl, station, live_rates):
    """Yesterday and today are days, too, of the job's own calendar."""
    job = station.job(live_rates.url)
    moment = now().replace(second=0, microsecond=0)
    station.install(job, since=moment - dt.timedelta(days=9))
    past.settle(station.state, job, moment - dt.timedelta(days=3), "95.10")
    past.settle(station.state, job, moment, "95.20")

    def found(*options):
        answer = ratectl("history", job.name, "--json", *options)
        assert answer.code == 0, answer.err
        return [rate for *_, rate in rates(answer)]

    assert found("--since", "yesterday") == ["95.20"]
    assert found("--until", "yesterday") == ["95.10"]
    for zone in map(ZoneInfo, ("Pacific/Kiritimati", "Etc/GMT+12")):
        before = dt.datetime.now(zone).date()
        days = [date_range.day_of(word, zone) for word in ("today", "yesterday")]
        after = dt.datetime.now(zone).date()
        assert before <= days[0] == days[1] + dt.timedelta(days=1) <= after


@pytest.mark.usefixtures("week")
def test_last_counts_quotes(ratectl):
    """--last counts quotes, not slots."""
    assert len(rates(ratectl("history", "usd-inr", "--last", "3", "--json"))) == 3


@pytest.mark.usefixtures("week")
@pytest.mark.parametrize(
    ("form", "lines"),
    [
        ("text", ["22/11/2026 - EUR/INR 95.60", "22/11/2026 - USD/INR 95.60"]),
        (
            "csv",
            [
                "date,base,quote,amount,source,type",
                "2026-11-22,EUR,INR,95.60,frankfurter,published",
                "2026-11-22,USD,INR,95.60,frankfurter,published",
            ],
        ),
        ("ledger", ["P 2026-11-22 00:00:00 EUR 95.60 INR", "P 2026-11-22 00:00:00 USD 95.60 INR"]),
        ("beancount", ["2026-11-22 price EUR 95.60 INR", "2026-11-22 price USD 95.60 INR"]),
    ],
)
def test_formats(ratectl, form, lines):
    """Each format is what an output of that kind would hold."""
    answer = ratectl("history", "usd-inr", "--since", "2026-11-22", "--format", form)

    assert answer.out.splitlines() == lines


@pytest.mark.usefixtures("week")
def test_jsonl(ratectl):
    """Every line is an object with everything that is known."""
    answer = ratectl("history", "usd-inr", "--since", "2026-11-22", "--format", "jsonl")

    facts = [json.loads(line) for line in answer.out.splitlines()]
    assert [(fact["base"], fact["rate"]) for fact in facts] == [("EUR", "95.60"), ("USD", "95.60")]


@pytest.mark.usefixtures("week")
def test_table(ratectl):
    """People get a table with a head."""
    head, *lines = ratectl("history", "usd-inr", "--last", "2").out.splitlines()

    assert head.startswith("SLOT")
    assert re.fullmatch(r"Sun 2026-11-22 10:30 UTC +USD/INR +95\.60 .*", lines[0])


@pytest.mark.usefixtures("week")
def test_removed_job(ratectl, station):
    """The record of a job that was removed stays readable, in every form."""
    before = ratectl("history", "usd-inr", "--format", "text").out
    with Journal(station.state) as journal:
        journal.forget_jobs(["usd-inr"])

    assert ratectl("history", "usd-inr", "--format", "text").out == before != ""


@pytest.mark.usefixtures("week")
def test_nothing_found(ratectl):
    """Where nothing matches, stdout stays empty and stderr says so; a format that has a head keeps it."""
    answer = ratectl("history", "usd-inr", "--since", "2030-01-01")
    csv = ratectl("history", "usd-inr", "--since", "2030-01-01", "--format", "csv")

    assert (answer.code, answer.out) == (0, "")
    assert "nothing was recorded" in answer.err
    assert csv.out == "date,base,quote,amount,source,type\n"


@pytest.mark.usefixtures("week")
@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (("--since", "tomorrow"), 2, "neither a day"),
        (("--until", "9999-12-31"), 2, "beyond the calendar"),
        (("--since", "2026-11-20", "--until", "2026-11-18"), 2, "not before"),
        (("--pair", "USD/EUR"), 2, "USD/INR, EUR/INR"),
        (("--format", "xml"), 2, "beancount"),
        (("--format", "csv", "--json"), 2, "--json"),
        (("--last", "0"), 2, "--last"),
    ],
)
def test_misuse(ratectl, options, code, told):
    """What cannot be meant is refused, and the message names what could."""
    answer = ratectl("history", "usd-inr", *options)

    assert (answer.code, answer.out) == (code, "")
    assert told in answer.err


def test_clean_file_of_several_jobs(ratectl, station, live_rates):
    """Where two jobs with the tag have the pair, a file of one number a day has that of the newest slot once."""
    for name, hour, rate in (("early", 6, "95.1"), ("late", 18, "95.4"), ("noon", 12, "95.2")):
        job = station.job(
            live_rates.url, name=name, schedule_texts=(f"every day at {hour}:00",), tags=("books",)
        )
        station.install(job, since=FIRST)
        past.settle(station.state, job, FIRST.replace(hour=hour, minute=0), rate)

    lines = ratectl("history", "--tag", "books", "--format", "csv").out.splitlines()

    assert lines[1:] == ["2026-11-16,USD,INR,95.4,frankfurter,published"]
    assert len(ratectl("history", "--tag", "books", "--format", "jsonl").out.splitlines()) == 3
