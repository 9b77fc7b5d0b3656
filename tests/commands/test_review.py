"""`ratectl review`: what failed a check is listed, shown, recorded after all or dismissed, in either kind of journal."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from decimal import Decimal

import pytest

from ratectl.journal import quarantine
from ratectl.journal.journal import Journal
from ratectl.model.job import Pair
from ratectl.model.quote import PUBLISHED, Quote, SuspectQuote
from tests.fakes.past import settle
from tests.fakes.station import now
from tests.support.lines import TEXT_LINE

pytestmark = pytest.mark.network
USD_INR, EUR_INR = Pair(base="USD", quote="INR"), Pair(base="EUR", quote="INR")
BODY = b'{"rates": {"INR": 9507}}'


@pytest.fixture
def job(station, journal_url, live_rates):
    """A job of two pairs whose slot is due, installed."""
    job = station.job(live_rates.url, pairs=(USD_INR, EUR_INR), journal=journal_url)
    station.install(job)
    return job


@pytest.fixture
def hold(station, job):
    """Put an answer for the slot that is due into quarantine, as a firing does; without a rate it holds only its body."""

    def put(pair=USD_INR, rate="9507.12", name="usd-inr"):
        quote = Quote(
            pair=pair,
            rate=Decimal(rate),
            rate_date=now().date(),
            provider="exchangerate-api-v4",
            provider_time=None,
            observed_at=now(),
            kind=PUBLISHED,
        )
        suspect = SuspectQuote(
            provider="exchangerate-api-v4",
            reason="100 times what it was",
            body=BODY,
            quote=quote if rate != "0" else None,
        )
        with Journal(station.state) as journal:
            store = journal.store(job)
            store.add_suspects(name, [(due(job), suspect)], now())
            return max(row["id"] for row in store.database.rows("SELECT id FROM quarantine"))

    return put


def due(job):
    """Return the slot that is due."""
    [text] = job.schedule_texts
    minute = int(text.rpartition(":")[2])
    moment = now().replace(minute=minute, second=0)
    return moment if moment <= now() else moment - dt.timedelta(hours=1)


def test_list(ratectl, hold):
    """What waits is listed with its number, its slot, what it says and why it was held; decided ones only with --all."""
    assert ratectl("review").out == "nothing is held\n"
    first, second = hold(), hold(EUR_INR, "10230")

    listed = ratectl("review").out
    ratectl("review", "reject", str(first))

    assert f"{first}  usd-inr  " in listed
    assert "USD/INR 9507.12 of " in listed
    assert "100 times what it was" in listed
    assert [row["id"] for row in json.loads(ratectl("review", "--json").out)] == [second]
    [decided, waiting] = json.loads(ratectl("review", "--all", "--json").out)
    assert (decided["state"], waiting["state"]) == ("rejected", "held")
    assert waiting["quote"]["rate"] == "10230"
    assert ratectl("review", "--job", "another").out == "nothing is held\n"


def test_show(ratectl, hold):
    """The body comes out as the provider sent it."""
    shown = ratectl("review", "show", str(hold()))

    assert (shown.code, shown.out) == (0, BODY.decode())


def test_accept(ratectl, hold, station, job):
    """An accepted rate is recorded for its slot and appended once; the slot's other pairs stay due."""
    number = hold()

    done = ratectl("review", "accept", str(number))

    assert (done.code, done.err) == (0, "")
    assert "recorded USD/INR 9507.12" in done.out
    assert station.recorded() == [(due(job), "9507.12")]
    [line] = station.lines()
    assert TEXT_LINE.fullmatch(line)
    assert " - USD/INR 9507.12" in line
    assert not station.settled()
    assert ratectl("review").out == "nothing is held\n"

    assert station.fetch().returncode == 0
    assert station.settled()
    assert [line for line in station.lines() if "9507.12" in line] == [line]
    assert len(station.lines()) == 2


def test_accept_the_last_pair(ratectl, hold, station):
    """The slot is settled once its last pair is there, and no firing asks for it again."""
    for number in (hold(), hold(EUR_INR, "10230")):
        assert ratectl("review", "accept", str(number)).code == 0

    assert station.settled()
    assert station.fetch("-v").returncode == 0
    assert len(station.lines()) == 2
    assert station.undelivered() == 0


def test_reject(ratectl, hold, station):
    """A rejected rate is recorded nowhere."""
    done = ratectl("review", "reject", str(hold()))

    assert (done.code, done.out[:9]) == (0, "usd-inr: ")
    assert station.recorded() == []
    assert station.lines() == []


def test_decided_once(ratectl, hold):
    """What was decided stays so."""
    number = str(hold())
    ratectl("review", "reject", number)

    for verb in ("accept", "reject"):
        again = ratectl("review", verb, number)
        assert again.code == 78
        assert "was rejected before" in again.err


def test_settled_without_it(ratectl, hold, station):
    """A rate for a slot that got another one meanwhile is not recorded beside it."""
    number = hold()
    station.fetch()

    late = ratectl("review", "accept", str(number))

    assert late.code == 78
    assert "has a rate of USD/INR already" in late.err
    assert len(station.recorded()) == 2


def test_one_pair_twice(ratectl, hold, station):
    """Of two rates for one pair and slot the second one is refused, in words, and nothing is left half-done."""
    first, second = hold(), hold(rate="9508")
    ratectl("review", "accept", str(first))

    refused = ratectl("review", "accept", str(second))

    assert refused.code == 78
    assert "has a rate of USD/INR already" in refused.err
    assert [rate for _, rate in station.recorded()] == ["9507.12"]
    assert ratectl("review", "reject", str(second)).code == 0
    assert station.fetch().returncode == 0


def test_without_a_rate(ratectl, hold):
    """An answer that held no rate can be looked at and dismissed, not recorded."""
    number = str(hold(rate="0"))

    refused = ratectl("review", "accept", number)

    assert refused.code == 2
    assert "holds no rate" in refused.err
    assert ratectl("review", "reject", number).code == 0


def test_pair_that_the_job_gave_up(ratectl, hold, station, job):
    """A pair that the job no longer records is not recorded."""
    number = str(hold())
    station.install(dataclasses.replace(job, pairs=(EUR_INR,)))

    refused = ratectl("review", "accept", number)

    assert refused.code == 78
    assert "no longer records USD/INR" in refused.err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("accept",), 2, "which ID?"),
        (("list", "3"), 2, "takes no ID"),
        (("accept", "99"), 78, "no held answer 99"),
        (("reject", "99"), 78, "no held answer 99"),
        (("show", "99"), 78, "no held answer 99"),
        (("show", "99999999999999999999"), 2, "no number of a held answer"),
        (("accept", "99999999999999999999"), 2, "no number of a held answer"),
        (("accept", "first"), 2, "no number of a held answer"),
        (("frob",), 2, "frob"),
    ],
)
def test_misuse(ratectl, words, code, told):
    """Wrong words and unknown numbers are named."""
    done = ratectl("review", *words)

    assert done.code == code
    assert told in done.err
    assert "Traceback" not in done.err


def test_accept_many(ratectl, hold, station, job):
    """All that is held for a job since a day is accepted at once; what cannot be is told, and the rest is done."""
    hold()
    hold(EUR_INR, "11038")
    hold(EUR_INR, "0")
    day = due(job).date()

    later = ratectl("review", "accept", "--job", "usd-inr", "--since", str(day + dt.timedelta(2)))
    done = ratectl("review", "accept", "--job", "usd-inr", "--since", str(day))

    assert (later.code, "nothing is held since" in later.out) == (0, True)
    assert (done.code, done.err) == (0, "")
    assert {rate for _, rate in station.recorded()} == {"9507.12", "11038"}
    assert ratectl("review", "reject", "--job", "usd-inr", "--since", str(day)).code == 0
    assert ratectl("review").out.strip() == "nothing is held"


def test_accept_for_every_slot(ratectl, station, journal_url, live_rates):
    """An answer that was held for several slots, of one day and of a weekend after it, is accepted for all of them."""
    today = now().replace(hour=0, minute=0, second=0)
    week = dt.timedelta(days=8)
    job = station.job(
        live_rates.url,
        "frankfurter",
        journal=journal_url,
        schedule_texts=("every day at 06:00", "every day at 18:00"),
    )
    station.install(job, since=now())
    settle(station.state, job, today - week, "0.95", rate_date=(today - week).date())
    since = str((today - week).date() + dt.timedelta(days=1))
    assert ratectl("backfill", "usd-inr", "--since", since).code == 65

    done = ratectl("review", "accept", "--job", "usd-inr", "--since", since)

    assert (done.code, done.err) == (0, "")
    slots = [moment for moment, _ in station.recorded()][1:]
    assert slots == [today - dt.timedelta(hours=6 + 12 * n) for n in range(13, -1, -1)]
    assert len(station.lines()) == 14
    assert "still due" not in ratectl("status").out
    assert "nothing to do" in ratectl("backfill", "usd-inr", "--since", since).out


def test_held_twice_for_two_reasons(ratectl, station, hold, job):
    """An answer that was held a second time with other words counts as accepted with the first, and is no error."""
    hold()
    with Journal(station.state) as journal:
        store = journal.store(job)
        [answer] = quarantine.quarantine(store)
        suspect = SuspectQuote(
            provider=answer.provider, reason="upside down", body=BODY, quote=answer.quote
        )
        store.add_suspects(job.name, [(due(job), suspect)], now())

    done = ratectl("review", "accept", "--job", "usd-inr", "--since", str(due(job).date()))

    assert (done.code, done.err) == (0, "")
    assert "was recorded before" in done.out
    assert len(station.recorded()) == 1
    assert ratectl("review").out == "nothing is held\n"


def test_accept_since_a_day_alone(ratectl, station, hold, job):
    """With --since an answer is accepted for the slots from that day on."""
    number, slot = hold(), due(job)
    with Journal(station.state) as journal:
        store = journal.store(job)
        [answer] = quarantine.quarantine(store)
        suspect = SuspectQuote(
            provider=answer.provider, reason=answer.reason, body=BODY, quote=answer.quote
        )
        days = [slot - dt.timedelta(days=2), slot - dt.timedelta(days=1)]
        store.add_suspects(job.name, [(day, suspect) for day in days], now())
        assert [one.id for one in quarantine.quarantine(store)] == [number]

    day = str(days[1].date())
    assert ratectl("review", "accept", "--job", "usd-inr", "--since", day).code == 0

    assert [moment for moment, _ in station.recorded()] == [days[1], slot]


@pytest.mark.parametrize(
    "words",
    [
        ("accept", "--since", "2026-11-20"),
        ("list", "--job", "usd-inr", "--since", "2026-11-20"),
        ("accept", "3", "--job", "usd-inr", "--since", "2026-11-20"),
        ("accept", "--job", "usd-inr", "--since", "friday"),
    ],
)
@pytest.mark.usefixtures("job")
def test_misuse_of_since(ratectl, words):
    """--since stands in place of numbers, and needs a job and a day."""
    assert ratectl("review", *words).code == 2
