"""`ratectl record` and `ratectl review void`: what a person enters and takes back, in either kind of journal."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import sqlite3
from decimal import Decimal

import pytest

from ratectl.journal.journal import Journal
from ratectl.model.job import Output, Pair
from ratectl.model.quote import PUBLISHED, Quote, SuspectQuote
from ratectl.rates import lookup
from ratectl.views.format import clock
from tests.fakes.past import settle
from tests.fakes.station import LATE, now

pytestmark = pytest.mark.network
UTC = dt.UTC
DAY = dt.timedelta(days=1)
XAU_USD, USD_INR, EUR_INR = (
    Pair(base=base, quote=quote) for base, quote in (("XAU", "USD"), ("USD", "INR"), ("EUR", "INR"))
)


@pytest.fixture
def install(station, journal_url, live_rates):
    """Install a daily job with the *pairs*, whose slots are at noon UTC."""

    def record(*pairs, **values):
        defaults = {
            "schedule_texts": ("every day at 12:00",),
            "outputs": (station.output("output.txt"), station.output("rates.csv", "csv")),
            "pairs": pairs or (USD_INR,),
            "journal": journal_url,
        }
        job = station.job(live_rates.url, **defaults | values)
        station.install(job, since=now())
        return job

    return record


def slot(days=1):
    """Return the slot of so many days ago."""
    return now().replace(hour=12, minute=0, second=0) - days * DAY


def on(days=1):
    return str(slot(days).date())


def settled(station, job, moment):
    with Journal(station.state) as journal:
        return journal.store(job).firing(job.name, moment)


def test_record(ratectl, install, station):
    """A rate of a day goes to its slot and to every output, and counts as any other."""
    job = install()

    done = ratectl("record", "usd-inr", "USD/INR", "95.120", "--on", on(3))

    assert (done.code, done.err) == (0, "")
    assert done.out == (f"usd-inr: recorded: USD/INR 95.120 of {on(3)} for {clock(slot(3))}\n")
    assert station.recorded() == [(slot(3), "95.120")]
    assert station.lines() == [f"{slot(3):%d/%m/%Y} - 95.120"]
    assert station.lines("rates.csv")[1:] == [f"{on(3)},USD,INR,95.120,by-hand,manual"]
    assert settled(station, job, slot(3)).outcome == "recorded"
    assert station.undelivered() == 0


def test_record_lookup(ratectl, install, station):
    """What was entered is what `ratectl rate` and ``rates.lookup`` give."""
    install()
    ratectl("record", "usd-inr", "usd/inr", "95.12", "--on", on(3))

    if station.job("").journal == "":
        found = lookup("USD/INR", slot(2).date(), state_dir=station.state)
        assert (found.rate, found.age, found.provider) == (Decimal("95.12"), 1, "by-hand")


def test_record_again(ratectl, install, station):
    """The same again changes nothing; another number of a slot that has one is refused, and the advice works."""
    install()
    first = ("record", "usd-inr", "USD/INR", "95.12", "--on", on(3))
    ratectl(*first)

    again = ratectl(*first)
    other = ratectl("record", "usd-inr", "USD/INR", "95.15", "--on", on(3))

    assert (again.code, again.out[:29]) == (0, "usd-inr: was recorded before:")
    assert other.code == 78
    assert station.recorded() == [(slot(3), "95.12")]
    assert len(station.lines()) == 1
    advice = other.err.split("`")[1].split()
    assert ratectl(*advice[1:]).code == 0
    assert ratectl("record", "usd-inr", "USD/INR", "95.15", "--on", on(3)).code == 0
    assert station.recorded() == [(slot(3), "95.15")]
    assert len(station.lines()) == 2
    assert len(station.lines("rates.csv")) == 3


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("usd-inr", "USD/EUR", "0.9"), 2, "records USD/INR"),
        (("usd-inr", "USD/INR", "0"), 2, "not a positive number"),
        (("usd-inr", "USD/INR", "95,12"), 2, "not a number"),
        (("usd-inr", "USD/INR", "NaN"), 2, "not a number"),
        (("usd-inr", "USD/INR", "95.12", "--on", "last week"), 2, "2026-11-23"),
        (("usd-inr", "USD/INR", "95.12", "--on", "2199-01-01"), 2, "lies ahead"),
        (("usd-inr", "USD/INR", "95.12", "--on", "2199-01-01T10:00"), 2, "lies ahead"),
        (("nothing", "USD/INR", "95.12"), 78, "not installed"),
    ],
)
def test_record_misuse(ratectl, install, station, words, code, told):
    """What cannot be a rate of the job is refused with what would be one, and nothing is recorded."""
    install()

    refused = ratectl("record", *words)

    assert refused.code == code
    assert told in refused.err
    assert station.recorded() == []


def test_record_several_slots(ratectl, install, station):
    """Of a day with several slots the last that lacks a rate gets it; a time names one."""
    install(schedule_texts=("every day at 06:00", "every day at 12:00", "every day at 18:00"))
    noon = slot(2)
    ratectl("record", "usd-inr", "USD/INR", "95.2", "--on", noon.replace(tzinfo=None).isoformat())

    ratectl("record", "usd-inr", "USD/INR", "95.3", "--on", on(2))
    ratectl("record", "usd-inr", "USD/INR", "95.1", "--on", on(2))

    hours = dt.timedelta(hours=6)
    assert station.recorded() == [(noon - hours, "95.1"), (noon, "95.2"), (noon + hours, "95.3")]


def test_newest_of_a_day(ratectl, install, station, tmp_path):
    """Of a day with several numbers that of its latest slot is the newest, for every command, whatever was entered last."""
    job = install(schedule_texts=("every day at 06:00", "every day at 12:00", "every day at 18:00"))
    for hour, rate, late in ((12, "95.2", 3), (18, "95.3", 3), (6, "95.1", 80_000)):
        moment = slot(2).replace(hour=hour)
        settle(station.state, job, moment, rate, rate_date=moment.date(), after=late)

    [last] = json.loads(ratectl("history", "usd-inr", "--last", "1", "--json").out)
    assert last["rate"] == "95.3"
    assert ratectl("history", "usd-inr", "--format", "csv").out.splitlines()[1:] == [
        f"{on(2)},USD,INR,95.3,frankfurter,published"
    ]
    [status] = json.loads(ratectl("status", "--json").out)
    assert status["newest_rate"]["rate"] == "95.3"
    page = tmp_path / "page.html"
    assert ratectl("report", str(page)).code == 0
    assert "95.3" in page.read_text(encoding="utf-8").split("<tbody")[1].split("</tr>")[0]
    if not job.journal:
        assert json.loads(ratectl("rate", "USD/INR", "--on", on(1), "--json").out)["rate"] == "95.3"
        assert str(lookup("USD/INR", slot(1).date(), state_dir=station.state).rate) == "95.3"
    assert "after 95.3 of" in ratectl("record", "usd-inr", "USD/INR", "9530", "--on", on(1)).err


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_record_time_without_slot(ratectl, install, station, zone):
    """A time that is no slot is refused with its neighbours, also one that the clocks skip."""
    install(timezone=zone)

    refused = ratectl("record", "usd-inr", "USD/INR", "95.12", "--on", "2026-03-29T02:30")

    assert refused.code == 2
    for near in ("2026-03-28T12:00", "2026-03-29T12:00"):
        assert near in refused.err
    assert station.recorded() == []


def test_record_slot_outside_schedule(ratectl, install, station):
    """A second outside the schedule that the record knows may be named."""
    job = install()
    other = slot(3) + dt.timedelta(minutes=1)
    settle(station.state, job, other, "95.1")
    ratectl("review", "void", other.isoformat(), "--job", "usd-inr")

    done = ratectl("record", "usd-inr", "USD/INR", "95.12", "--on", other.isoformat())

    assert (done.code, station.recorded()) == (0, [(other, "95.12")])


def test_record_day_without_slot(ratectl, install):
    """A day that the schedule leaves out gets a slot of its own, at its first second in the job's zone."""
    weekday = f"every {slot(3):%A} at 12:00".lower()
    install(schedule_texts=(weekday,), timezone="Asia/Kolkata")

    done = ratectl("record", "usd-inr", "USD/INR", "95.12", "--on", on(2))

    assert done.code == 0, done.err
    assert done.out.endswith(f"{on(2)} 00:00 IST\n")


def test_times_in_one_form(ratectl, install):
    """What was recorded and taken back is told in the job's zone, as everywhere; a command to type has ISO 8601."""
    install(timezone="Asia/Kolkata", schedule_texts=("every day at 12:00",))
    when = f"{slot():%a} {on()} 12:00 IST"

    first = ratectl("record", "usd-inr", "USD/INR", "9512", "--on", on())
    other = ratectl("record", "usd-inr", "USD/INR", "96", "--on", on())
    voided = ratectl("review", "void", f"{on()}T12:00", "--job", "usd-inr")

    assert first.out == f"usd-inr: recorded: USD/INR 9512 of {on()} for {when}\n"
    assert f"usd-inr: {when} has USD/INR 9512 (by-hand) already" in other.err
    assert f"`ratectl review void {on()}T12:00:00+05:30 --job usd-inr --pair USD/INR`" in other.err
    assert voided.out == f"usd-inr: voided USD/INR 9512 of {on()} for {when}\n"


def test_due_slot_keeps_its_other_pairs(ratectl, station, journal_url, live_rates):
    """A rate for a slot that is still due leaves that to its firing, which asks for the other pairs alone."""
    job = station.job(live_rates.url, pairs=(USD_INR, EUR_INR), journal=journal_url)
    station.install(job)

    due = (now() - LATE).replace(second=0)
    ratectl("record", "usd-inr", "USD/INR", "95.12", "--on", due.isoformat())

    assert not settled(station, job, station.recorded()[0][0])
    assert station.fetch().returncode == 0
    assert [rate for _, rate in station.recorded()][1] == "95.12"
    assert len(station.lines()) == 2


def test_hard_to_believe(ratectl, install):
    """A number that is far from the last one is recorded, and said to be."""
    install()
    ratectl("record", "usd-inr", "USD/INR", "95.12", "--on", on(3))

    warned = ratectl("record", "usd-inr", "USD/INR", "9512", "--on", on(2))

    assert warned.code == 0
    assert "a unit slip" in warned.err
    assert ratectl(*warned.err.split("`")[1].split()[1:]).code == 0
    assert ratectl("record", "usd-inr", "USD/INR", "95.2", "--on", on(2)).err == ""


@pytest.mark.parametrize("later", [False, True])
def test_typo_between(ratectl, install, station, later):
    """A typo is told of at once, also beside what was recorded for later days; what it says takes it back."""
    install()
    ratectl("record", "usd-inr", "USD/INR", "95.12", "--on", on(2 if later else 4))

    typo = ratectl("record", "usd-inr", "USD/INR", "9.55", "--on", on(3))

    assert "USD/INR 9.55" in typo.err
    assert "a factor of 0.1, a unit slip" in typo.err
    assert ratectl(*typo.err.split("`")[1].split()[1:]).code == 0
    assert [rate for _, rate in station.recorded()] == ["95.12"]


def test_far_from_a_later_one_alone(ratectl, install):
    """What goes with the earlier number, and not at all with the later one, is told of, too."""
    install()
    ratectl("record", "usd-inr", "USD/INR", "95", "--on", on(40))
    ratectl("record", "usd-inr", "USD/INR", "190", "--on", on(2))

    done = ratectl("record", "usd-inr", "USD/INR", "120", "--on", on(3))

    assert "USD/INR 120 beside 190" in done.err


def test_right_number_after_a_typo(ratectl, install, station):
    """The right number beside a typo is not blamed alone: each of the two can be taken back by what is said."""
    install()
    ratectl("record", "usd-inr", "USD/INR", "9.55", "--on", on(4))

    right = ratectl("record", "usd-inr", "USD/INR", "95.6", "--on", on(3))

    assert "takes it back, `ratectl review void" in right.err
    assert "the other one, 9.55, which was entered by hand" in right.err
    assert ratectl(*right.err.split("`")[3].split()[1:]).code == 0
    assert [rate for _, rate in station.recorded()] == ["95.6"]


def test_right_number_beside_an_outlier(ratectl, install, station):
    """Where a third number bears the right one out, the typo alone is named."""
    install()
    ratectl("record", "usd-inr", "USD/INR", "95.4", "--on", on(5))
    ratectl("record", "usd-inr", "USD/INR", "9.55", "--on", on(4))

    right = ratectl("record", "usd-inr", "USD/INR", "95.6", "--on", on(3))

    assert f"it goes with 95.4 of {on(5)}; if 9.55" in right.err
    assert right.err.count("`") == 2
    assert ratectl(*right.err.split("`")[1].split()[1:]).code == 0
    assert [rate for _, rate in station.recorded()] == ["95.4", "95.6"]


def test_slot_of_which_job(ratectl, install, station):
    """With one job a slot says enough; with several --job has to be given."""
    install()
    ratectl("record", "usd-inr", "USD/INR", "95.12", "--on", on(3))
    install(name="other", outputs=(station.output("other.txt"),))

    several = ratectl("review", "void", on(3))
    one = ratectl("review", "void", on(3), "--job", "usd-inr")

    assert (several.code, "--job says" in several.err) == (2, True)
    assert one.code == 0


def test_void(ratectl, install, station):
    """A voided rate counts nowhere, and stays in the record with its reason."""
    job = install()
    ratectl("record", "usd-inr", "USD/INR", "95.12", "--on", on(3))
    ratectl("record", "usd-inr", "USD/INR", "0.0105", "--on", on(2))

    done = ratectl("review", "void", on(2), "--job", "usd-inr", "--reason", "upside down")

    assert (done.code, done.err) == (0, "")
    assert done.out == f"usd-inr: voided USD/INR 0.0105 of {on(2)} for {clock(slot(2))}\n"
    assert station.recorded() == [(slot(3), "95.12")]
    assert settled(station, job, slot(2)).outcome == "closed"
    assert "0.0105" not in ratectl("history", "usd-inr").out
    assert "0.0105" not in ratectl("history", "usd-inr", "--format", "ledger").out
    assert "0.0105" not in ratectl("chart", "usd-inr").out
    table = ratectl("history", "usd-inr", "--revisions").out
    assert f"voided {now():%Y-%m-%d}: upside down" in table
    kept, voided = json.loads(ratectl("history", "usd-inr", "--revisions", "--json").out)
    assert "state" not in kept
    assert (voided["rate"], voided["state"], voided["reason"]) == (
        "0.0105",
        "voided",
        "upside down",
    )
    for word in (slot(2).isoformat(), on(2)):
        again = ratectl("review", "void", word, "--job", "usd-inr")
        assert (again.code, again.out[:22]) == (0, "usd-inr: voided before")


def test_void_one_pair(ratectl, install, station):
    """Of a slot with several pairs one can be taken back; without --pair all are."""
    job = install(USD_INR, EUR_INR)
    for pair, rate in (("USD/INR", "95.12"), ("EUR/INR", "106.1")):
        ratectl("record", "usd-inr", pair, rate, "--on", on(2))

    ratectl("review", "void", on(2), "--job", "usd-inr", "--pair", "EUR/INR")

    assert station.recorded() == [(slot(2), "95.12")]
    assert settled(station, job, slot(2)).outcome == "recorded"
    ratectl("record", "usd-inr", "EUR/INR", "106.2", "--on", on(2))
    assert len(station.recorded()) == 2
    ratectl("review", "void", slot(2).isoformat(), "--job", "usd-inr")
    assert station.recorded() == []


def test_void_a_number_that_more_slots_have(ratectl, install, station):
    """That Saturday and Sunday have the number, too, is said with the command that takes it back there."""
    job = install()
    friday = slot(4)
    for days in range(3):
        settle(station.state, job, friday + days * DAY, "95.1", rate_date=friday.date())
    settle(station.state, job, slot(1), "95.10", rate_date=slot(1).date())

    done = ratectl("review", "void", on(4), "--job", "usd-inr")

    assert done.code == 0
    assert "2 more slots have the same number" in done.err
    assert len(station.recorded()) == 3
    everywhere = ratectl(*done.err.split("`")[1].split()[1:])
    assert (everywhere.code, everywhere.err) == (0, "")
    assert everywhere.out.count("voided USD/INR 95.1 of ") == 2
    assert station.recorded() == [(slot(1), "95.10")]
    with Journal(station.state) as journal:
        [voided, *_] = json.loads(ratectl("history", "usd-inr", "--revisions", "--json").out)
        assert voided["reason"] == "by hand"
        assert journal.store(job).firing(job.name, friday + DAY).outcome == "closed"


def test_void_everywhere_at_once(ratectl, install, station):
    """With --all it takes one command, for the pair that was named alone."""
    job = install(USD_INR, EUR_INR)
    for days in range(3):
        settle(station.state, job, slot(4) + days * DAY, "95.1", rate_date=slot(4).date())

    done = ratectl("review", "void", on(4), "--job", "usd-inr", "--pair", "USD/INR", "--all")

    assert (done.code, done.err) == (0, "")
    assert done.out.count("voided USD/INR 95.1 of ") == 3
    assert len(station.recorded()) == 3


def test_revised_within_its_job(ratectl, install):
    """What another job has is no number that this one revised; what this one had is."""
    install(name="other", outputs=())
    install(schedule_texts=("every day at 06:00", "every day at 12:00"))
    for job, rate in (("other", "95.12"), ("usd-inr", "95.15"), ("usd-inr", "95.16")):
        assert ratectl("record", job, "USD/INR", rate, "--on", on(2)).code == 0

    told = ratectl("history", "usd-inr").out

    assert told.count("revised, was") == 1
    assert "revised, was 95.15" in told


@pytest.mark.parametrize(
    ("day", "told"), [(1, "after 95.12 of {}:"), (3, "beside 95.12 of {}, a later day")]
)
def test_measured_against_the_job(ratectl, install, day, told):
    """A rate is measured against the nearest of its own job, and a later one is not called an earlier."""
    install(name="other", outputs=())
    install()
    ratectl("record", "usd-inr", "USD/INR", "95.12", "--on", on(2))
    ratectl("record", "other", "USD/INR", "9512", "--on", on(day))

    done = ratectl("record", "usd-inr", "USD/INR", "9513", "--on", on(day))

    assert told.format(on(2)) in done.err
    assert "a unit slip" in done.err


def test_measured_against_another_job(ratectl, install):
    """Where its own job has none, that of another one says whose it is."""
    install(name="other", outputs=())
    install()
    ratectl("record", "other", "USD/INR", "95.12", "--on", on(3))

    done = ratectl("record", "usd-inr", "USD/INR", "9513", "--on", on(2))

    assert f"after 95.12 of {on(3)} (job other): a factor of 100" in done.err


def test_wrong_first_quote(ratectl, install, station):
    """A first quote that stands upside down makes every right one suspect; once it is voided they pass."""
    job = install(XAU_USD)
    settle(station.state, job, slot(5), "0.00025", rate_date=slot(5).date())
    upright = ("record", "usd-inr", "XAU/USD", "4000.5", "--on")
    assert "the inverse" in ratectl(*upright, on(4)).err
    ratectl("review", "void", on(4), on(5), "--job", "usd-inr")

    done = ratectl(*upright, on(3))

    assert (done.code, done.err) == (0, "")


def test_void_what_was_accepted(ratectl, install, station):
    """The number of an answer that was accepted names its rate; the answer counts as rejected then."""
    job = install()
    quote = Quote(
        pair=USD_INR,
        rate=Decimal("9507.12"),
        rate_date=slot(2).date(),
        provider="ecb",
        provider_time=None,
        observed_at=now(),
        kind=PUBLISHED,
    )
    with Journal(station.state) as journal:
        suspect = SuspectQuote(provider="ecb", reason="100 times", body=b"{}", quote=quote)
        journal.store(job).add_suspects(job.name, [(slot(2), suspect)], now())
        [row] = journal.store(job).database.rows("SELECT id FROM quarantine")
    number = str(row["id"])
    early = ratectl("review", "void", number)
    assert ratectl("review", "accept", number).code == 0

    done = ratectl("review", "void", number, "--reason", "it was a slip")

    assert (early.code, "held, not recorded" in early.err) == (78, True)
    assert (done.code, station.recorded()) == (0, [])
    assert json.loads(ratectl("review", "--all", "--json").out)[0]["state"] == "rejected"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("2026-11-20",), 78, "no rate is recorded"),
        (("2026-11-20", "--job", "usd-inr"), 78, "no rate is recorded"),
        (("2026-11-20T12:00", "--job", "usd-inr"), 78, "no rate is recorded"),
        (("77",), 78, "no held answer 77"),
        ((), 2, "which ID?"),
        (("nonsense", "--job", "usd-inr"), 2, "no number of an accepted answer, no day"),
        (("2026-11-20", "--job", "usd-inr", "--since", "2026-11-01"), 2, "--since"),
    ],
)
def test_void_misuse(ratectl, install, words, code, told):
    """What names no recorded rate is refused with what would."""
    install()

    refused = ratectl("review", "void", *words)

    assert (refused.code, told in refused.err) == (code, True), refused.err


def test_status_and_report(ratectl, install, station, tmp_path):
    """Neither the newest rate of `status` nor the report's page is one that was voided."""
    install()
    ratectl("record", "usd-inr", "USD/INR", "95.12", "--on", on(3))
    ratectl("record", "usd-inr", "USD/INR", "77.77", "--on", on(2))
    ratectl("review", "void", on(2), "--job", "usd-inr")

    with Journal(station.state) as journal:
        job = journal.installed_job("usd-inr").job
        near = journal.store(job).nearest_quote(USD_INR, now().date(), job.name)
        assert str(near.quote.rate) == "95.12"
    page = tmp_path / "page.html"
    assert ratectl("report", str(page)).code == 0
    assert "77.77" not in page.read_text(encoding="utf-8")
    assert "77.77" not in ratectl("status").out


def test_table_output(ratectl, install, station):
    """A database's row gets the newest number of its slot; no row is doubled."""
    install(outputs=(Output(kind="sqlite", target=str(station.folder / "rates.db")),))
    ratectl("record", "usd-inr", "USD/INR", "95.12", "--on", on(3))
    ratectl("review", "void", on(3), "--job", "usd-inr")
    ratectl("record", "usd-inr", "USD/INR", "95.15", "--on", on(3))

    with contextlib.closing(sqlite3.connect(station.folder / "rates.db")) as table:
        rows = table.execute("SELECT rate, provider FROM quotes").fetchall()
    assert rows == [("95.15", "by-hand")]


def hold(station, job, moment, rate="95.12"):
    """Put an answer for the slot at *moment* into quarantine; return its number."""
    quote = Quote(
        pair=USD_INR,
        rate=Decimal(rate),
        rate_date=moment.date(),
        provider="ecb",
        provider_time=None,
        observed_at=now(),
        kind=PUBLISHED,
    )
    with Journal(station.state) as journal:
        store = journal.store(job)
        suspect = SuspectQuote(provider="ecb", reason="the inverse", body=b"{}", quote=quote)
        store.add_suspects(job.name, [(moment, suspect)], now())
        return str(max(row["id"] for row in store.database.rows("SELECT id FROM quarantine")))


def test_right_answer_after_a_voided_one(ratectl, install, station):
    """The answer that was held because of a wrong number is accepted for a slot that was voided."""
    job = install()
    settle(station.state, job, slot(2), "0.0105", rate_date=slot(2).date())
    number = hold(station, job, slot(2))
    refused = ratectl("review", "accept", number)
    advice = refused.err.split("`")[1].split()[1:]

    assert refused.code == 78
    assert ratectl(*advice).code == 0
    assert ratectl("review", "accept", number).code == 0
    assert station.recorded() == [(slot(2), "95.12")]
    assert settled(station, job, slot(2)).outcome == "recorded"


def test_accept_for_a_slot_that_is_due_no_more(ratectl, install, station):
    """A slot of the past that lacks other pairs is settled with the one that was accepted, and owes nothing."""
    job = install(USD_INR, EUR_INR)
    number = hold(station, job, slot(2))

    assert ratectl("review", "accept", number).code == 0

    assert station.recorded() == [(slot(2), "95.12")]
    assert settled(station, job, slot(2)).settled
    assert "still due" not in ratectl("status").out


def test_one_slot_again_after_void(ratectl, install, station):
    """`run --slot` asks for a voided slot of today again, since that is what it is told to do."""
    job = install(schedule_texts=("every minute",))
    [due] = [now().replace(second=0)]
    settle(station.state, job, due, "0.0105", rate_date=due.date())
    ratectl("review", "void", due.isoformat(), "--job", "usd-inr")

    done = ratectl("run", "usd-inr", "--slot", due.isoformat())

    assert done.code == 0, done.err
    [(moment, rate)] = station.recorded()
    assert (moment, rate != "0.0105") == (due, True)


@pytest.fixture
def taken_back(ratectl, station, journal_url, live_rates):
    """A job whose due slot a firing recorded, and a person voided."""
    job = station.job(live_rates.url, "frankfurter", journal=journal_url)
    job = dataclasses.replace(job, outputs=(*job.outputs, station.output("rates.csv", "csv")))
    station.install(job)
    assert station.fetch().returncode == 0
    [(moment, rate)] = station.recorded()
    ratectl("review", "void", moment.isoformat(), "--job", "usd-inr", "--reason", "a slip")
    return moment, rate


def test_same_number_after_void(ratectl, taken_back, station):
    """`run --slot` does not record again what was taken back, says so, and says how it is entered all the same."""
    moment, rate = taken_back

    done = ratectl("run", "usd-inr", "--slot", moment.isoformat())

    assert (done.code, station.recorded()) == (0, [])
    assert f"closed; USD/INR {rate} of " in done.out
    assert "was taken back with `review void`" in done.out
    assert len(station.lines()) == 1
    advice = done.out.split("`")[3].split()[1:]
    assert ratectl(*advice).code == 0
    assert [number for _, number in station.recorded()] == [rate]


def test_same_number_for_another_slot(ratectl, taken_back, station):
    """A later slot whose answer is the number that was taken back gets none, from the real ratectl-fetch, and owes nothing."""
    _, rate = taken_back
    with Journal(station.state) as journal:
        job = journal.installed_job("usd-inr").job
    minute = (now() - dt.timedelta(minutes=1)).minute
    station.install(dataclasses.replace(job, schedule_texts=(f"every hour at :{minute:02}",)))

    done = station.fetch("-v")

    assert (done.returncode, station.recorded()) == (0, [])
    assert "was taken back with `review void`" in done.stderr + done.stdout
    assert station.settled()
    assert rate not in ratectl("history", "usd-inr", "--format", "csv").out
    assert "nothing is due" in station.fetch("-v").stdout


def test_backfill_says_what_was_taken_back(ratectl, station, journal_url, live_rates):
    """`backfill --again` over a number that was taken back leaves it so, and says it once for all slots of the day."""
    texts = ("every day at 06:00", "every day at 18:00")
    job = station.job(live_rates.url, "frankfurter", schedule_texts=texts, journal=journal_url)
    station.install(job, since=now())
    days = ("--since", on(5), "--until", on(4))
    assert ratectl("backfill", "usd-inr", *days).code == 0
    recorded = station.recorded()
    first = recorded[0][0].isoformat()
    ratectl("review", "void", first, "--job", "usd-inr", "--all")
    left = station.recorded()

    again = ratectl("backfill", "usd-inr", *days, "--again")

    assert len(left) < len(recorded)
    assert (again.code, station.recorded()) == (0, left)
    assert again.err.count("was taken back with `review void`") == 1
    facts = json.loads(ratectl("backfill", "usd-inr", *days, "--again", "--json").out)
    assert len(facts["taken_back"]) == 1
