"""How jobs stand, as a value, as facts for programs, and judged by age."""

import datetime as dt
from dataclasses import replace

import pytest

from ratectl.deploy.inventory import Row
from ratectl.journal.rows import Installed
from ratectl.model.job import Pair
from ratectl.views import status as views
from tests.fakes.jobs import job as made
from tests.views.conftest import NOW, SLOT, USD, entries, entry, fired

EUR = Pair(base="EUR", quote="INR")


def row(**changes):
    values = {
        "job": "usd-inr",
        "backend": "cron",
        "scope": "user",
        "triggers": ("0 5 * * *",),
        "fidelity": "exact",
        "enabled": True,
        "next": SLOT + dt.timedelta(days=1),
        "drift": (),
        "last": fired(),
    }
    return Row(**values | changes)


INSTALLED = Installed(
    job=made(), spec="/jobs.toml", digest="", backend="cron", scope="user", host_timezone="UTC",
    installed_at=SLOT, settled_until=SLOT, next_due=None, enabled=True, missed=3, failures=2,
)  # fmt: skip


def test_statuses():
    """What the engine holds, what the journal counts and the newest quotes come together by job."""
    [found] = views.statuses([row()], [INSTALLED], {"usd-inr": {USD: entries("95")}})

    assert (found.job, found.engines, found.missed, found.failures) == (
        "usd-inr",
        ("cron (user)",),
        3,
        2,
    )
    assert str(found.newest.quote.rate) == "95"


def test_two_engines_are_one_job():
    """A job that two engines hold is shown once, with the earlier slot and the drift of both."""
    rows = [
        row(drift=("left over",)),
        row(backend="systemd", next=SLOT, drift=("left over", "stopped")),
    ]

    [found] = views.statuses(rows, [INSTALLED], {})

    assert found.engines == ("cron (user)", "systemd (user)")
    assert (found.next, found.drift) == (SLOT, ("left over", "stopped"))


def test_stranger():
    """An entry that the journal does not know is shown, and is nothing to judge."""
    [found] = views.statuses([row(last=None, drift=("unknown",))], [], {})

    assert (found.pairs, found.newest, found.since) == ((), None, None)
    assert list(views.stale([found], 1, NOW)) == []


def test_newest_of_several_pairs(status):
    """The newest rate is that of the newest slot; of the job's first pair where several have it."""
    old, new = entry("1", SLOT - dt.timedelta(days=1)), entry("2")

    assert status(pairs=(USD, EUR), recent={USD: [old], EUR: [new]}).newest is new
    assert status(pairs=(USD, EUR), recent={EUR: [new], USD: [new]}).newest.quote.pair == USD


def test_facts(status):
    """The contract of ``status --json``: rates as texts, times with offsets, ages in seconds."""
    [fact] = views.as_facts([status()], NOW)

    assert {
        "job": "usd-inr",
        "next": "2026-11-24T10:30:00+05:30",
        "last_slot": "2026-11-23T10:30:00+05:30",
        "last_outcome": "recorded",
        "newest_rate": {
            "pair": "USD/INR",
            "rate": "95.12",
            "rate_date": "2026-11-23",
            "provider": "frankfurter",
            "age_seconds": 8 * 3600 - 3,
        },
        "missed": 0,
        "consecutive_failures": 0,
        "next_try": None,
    }.items() <= fact.items()


def test_facts_of_a_new_job(status):
    """A job that has not run yet has neither a last slot nor a rate."""
    [fact] = views.as_facts([status(last=None, recent={})], NOW)

    assert (fact["last_slot"], fact["last_outcome"], fact["newest_rate"]) == (None, None, None)


def test_facts_while_at_work(status):
    """A firing that has not ended yet is told as such."""
    [fact] = views.as_facts([status(last=fired(""))], NOW)

    assert fact["last_outcome"] == "at work"


AGE = 8 * 3600 - 3


@pytest.mark.parametrize(
    ("changes", "most", "old"),
    [
        ({}, AGE, []),
        ({}, AGE - 1, [(USD, AGE, True)]),
        ({"pairs": (USD, EUR)}, AGE, [(EUR, 9 * 86400 + 8 * 3600, False)]),
        ({"recent": {}}, 10 * 86400, []),
        ({"recent": {}, "enabled": False}, 1, []),
        ({"recent": {}, "paused": True, "enabled": False}, 1, []),
    ],
)
def test_stale(status, changes, most, old):
    """A pair of a job at work is too old by its newest rate, or before its first by the installation."""
    found = [
        (stale.pair, stale.seconds, stale.rated)
        for stale in views.stale([status(**changes)], most, NOW)
    ]

    assert found == old


def test_age_is_since_it_was_received(status):
    """A rate that was backfilled just now is new, whatever day it is of."""
    late = entry(observed=NOW)
    found = replace(status(), recent={USD: [late]})

    assert list(views.stale([found], 1, NOW)) == []
