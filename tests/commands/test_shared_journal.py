"""Commands about jobs that several hosts record in one real PostgreSQL."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from decimal import Decimal

import pytest

from ratectl.commands.set_up import install as command
from ratectl.errors import ConfigError, TryLaterError
from ratectl.journal.journal import Journal
from ratectl.model.job import CatchUp, ClosedDays
from ratectl.outputs import outbox
from ratectl.runtime.postgres import redacted
from tests.fakes.station import now
from tests.support.rate_server import Fault

pytestmark = pytest.mark.engine


@pytest.fixture
def fired(station, postgres, live_rates):
    """A job that recorded one slot in a shared journal."""
    job = station.job(live_rates.url, journal=postgres.url(postgres.database()))
    station.install(job)
    assert station.fetch().returncode == 0
    return job


@pytest.mark.usefixtures("fired")
def test_history(ratectl):
    """The record is shown from where it is, also after the job was removed."""
    before = ratectl("history", "usd-inr")
    ratectl("remove", "usd-inr")
    after = json.loads(ratectl("history", "usd-inr", "--json").out)

    assert "USD/INR" in before.out
    assert [Decimal(entry["rate"]) > 0 for entry in after] == [True]


def test_purge(ratectl, fired, station):
    """What hosts recorded together is not one host's to delete, and the command says so."""
    done = ratectl("remove", "usd-inr", "--purge", "--yes")

    assert (done.code, done.err) == (0, "")
    assert f"forgot usd-inr here; what hosts recorded together stays in {fired.journal}" in done.out
    station.install(fired)
    assert len(station.recorded()) == 1


def test_list(ratectl, station, own_postgres, live_rates):
    """The last firing comes from the shared journal; while that is away the rest is listed all the same."""
    job = station.job(live_rates.url, journal=own_postgres.url(own_postgres.database()))
    alone = dataclasses.replace(job, name="alone", journal="")
    station.install(job, alone)
    station.fetch()

    there = {row["job"]: row for row in json.loads(ratectl("list", "--json").out)}
    own_postgres.stop()
    away = ratectl("list", "--json")

    assert there["usd-inr"]["last"]["outcome"] == "recorded"
    assert away.code == 0
    assert {row["job"] for row in json.loads(away.out)} == {"alone", "usd-inr"}
    assert away.err.count("\n") == 1
    assert f"what was recorded there is not shown: {redacted(job.journal)}: " in away.err


def wait_in(journal, job, line=b"21/11/2026 - 95.20\n"):
    """Leave a *line* for the job's output in its store, as a full disk does."""
    store = journal.store(job).database
    name = outbox.queue(store, job.outputs[0].target)
    with store.transaction() as connection:
        outbox.enqueue(connection, name, None, job=job.name, lines=[(1, line)])


def test_one_file_under_two_journals(station, live_rates):
    """Two jobs whose journals know nothing of each other's appends may not write to one file."""
    alone = station.job(live_rates.url)
    shared = dataclasses.replace(alone, name="shared", journal="postgresql:///rates")
    station.install(alone)

    with (
        Journal(station.state) as journal,
        pytest.raises(ConfigError, match=r"output\.txt: .*one journal"),
    ):
        command._check_journals(journal, (shared,))


@pytest.mark.parametrize("shared_before", [False, True])
def test_change_of_journal(station, postgres, live_rates, shared_before):
    """What waits for an output is delivered before the job records elsewhere."""
    alone = station.job(live_rates.url)
    shared = dataclasses.replace(alone, journal=postgres.url(postgres.database()))
    old, new = (shared, alone) if shared_before else (alone, shared)
    station.install(old)
    with Journal(station.state) as journal:
        wait_in(journal, old)
        command._check_journals(journal, (new,))

    assert station.lines() == ["21/11/2026 - 95.20"]


@pytest.mark.parametrize("shared_before", [False, True])
def test_no_slot_twice_after_a_change(station, postgres, live_rates, shared_before):
    """Slots that were settled behind one that failed are not recorded again in the new journal."""
    minutes = {"schedule_texts": ("every minute",), "catch_up": CatchUp.ALL}
    alone = station.job(live_rates.url, **minutes)
    shared = dataclasses.replace(alone, journal=postgres.url(postgres.database()))
    old, new = (shared, alone) if shared_before else (alone, shared)
    station.install(old, since=now().replace(second=30) - dt.timedelta(minutes=5))
    live_rates.misbehave(Fault(body=b'{"base": "EUR"}'))
    assert station.fetch().returncode == 65

    with Journal(station.state) as journal:
        command._check_journals(journal, (new,))
    station.install(new)
    assert station.fetch().returncode == 0

    slots = [slot for slot, _ in station.recorded()]
    assert len(slots) == len(set(slots)) == len(station.lines()) >= 5


def test_held_before_a_change(ratectl, station, postgres, live_rates):
    """What was held in the journal that a job has left is not recorded in the one it has now."""
    alone = station.job(live_rates.url)
    station.install(alone)
    live_rates.misbehave(
        Fault(body=b'{"base": "USD", "date": "2020-01-01", "rates": {"INR": 71.2}}')
    )
    assert station.fetch().returncode == 65
    [held] = json.loads(ratectl("review", "--json").out)
    station.install(dataclasses.replace(alone, journal=postgres.url(postgres.database())))

    refused = ratectl("review", "accept", str(held["id"]))

    assert refused.code == 78
    assert "has another journal by now" in refused.err
    assert station.recorded() == []


def test_change_from_a_journal_that_is_away(station, own_postgres, live_rates, capsys):
    """The change is refused where nobody can tell what the old journal owes; a new one may be away."""
    alone = station.job(live_rates.url)
    shared = dataclasses.replace(alone, journal=own_postgres.url(own_postgres.database()))
    station.install(shared)
    own_postgres.stop()

    with Journal(station.state) as journal:
        with pytest.raises(TryLaterError, match="'usd-inr' is to change its journal"):
            command._check_journals(journal, (alone,))
        command._check_journals(journal, (shared,))

    assert "a shared journal is out of reach" in capsys.readouterr().err


def test_backfill(ratectl, station, postgres, live_rates):
    """Past days go into the shared journal too, and what one host has filled another leaves alone."""
    daily = {"schedule_texts": ("every day at 10:30",), "closed_days": ClosedDays.SKIP}
    url = postgres.url(postgres.database())
    station.install(station.job(live_rates.url, "frankfurter", journal=url, **daily))

    first = json.loads(ratectl("backfill", "usd-inr", "--json").out)
    again = json.loads(ratectl("backfill", "usd-inr", "--json").out)

    assert first["outcomes"]["recorded"] == len(station.lines()) > 15
    assert first["requests"] == 1
    assert (again["wanted"], again["requests"]) == (0, 0)
