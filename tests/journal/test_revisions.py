"""What counts no more: it leaves the quotes, stays with its reason, and nothing is replaced that another host changed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from ratectl.journal import revisions
from ratectl.journal.journal import Journal
from ratectl.journal.revisions import VOIDED, Retirement
from ratectl.journal.rows import EVERY_SLOT
from ratectl.model.job import Pair
from tests.fakes.past import quote, settle

SLOT = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
LATER = SLOT + dt.timedelta(hours=1)
USD_INR, EUR_INR = Pair(base="USD", quote="INR"), Pair(base="EUR", quote="INR")


@pytest.fixture(params=["own", pytest.param("shared", marks=pytest.mark.engine)])
def store(request, station):
    """A store in which one slot of the job usd-inr has rates of two pairs."""
    url = ""
    if request.param == "shared":
        postgres = request.getfixturevalue("postgres")
        url = postgres.url(postgres.database())
    job = station.job("", pairs=(USD_INR, EUR_INR), journal=url)
    station.install(job)
    settle(station.state, job, SLOT, "95.070")
    with Journal(station.state) as journal:
        yield journal.store(job)


def ever(store):
    return [
        (str(e.quote.pair), str(e.quote.rate), e.state, e.reason)
        for e in revisions.history(store, "usd-inr", EVERY_SLOT, None)
    ]


def test_replace(store):
    """A newer number takes the place; the earlier one says what became of it."""
    [before] = [e.quote for e in store.quotes("usd-inr", pair=USD_INR)]
    after = quote(USD_INR, "95.09", SLOT, observed=LATER)
    with store.database.transaction() as connection:
        assert revisions.replace(
            connection, "usd-inr", SLOT, after, before=before, reason="corrected"
        )

    assert ever(store) == [
        ("EUR/INR", "95.070", "", ""),
        ("USD/INR", "95.070", "revised", "corrected"),
        ("USD/INR", "95.09", "", ""),
    ]
    [entry] = store.quotes("usd-inr", pair=USD_INR)
    assert entry.supersedes == Decimal("95.070")


def test_another_was_quicker(store):
    """What is not there any more as it was seen is not replaced, and nothing is written."""
    seen = quote(USD_INR, "95.01", SLOT)
    before = ever(store)
    with store.database.transaction() as connection:
        after = quote(USD_INR, "95.09", SLOT, observed=LATER)
        assert not revisions.replace(
            connection, "usd-inr", SLOT, after, before=seen, reason="corrected"
        )

    assert ever(store) == before


def test_void(store):
    """A slot whose last number is voided counts as closed; before, as recorded."""
    why = Retirement(state=VOIDED, reason="a slip", at=LATER)
    outcomes = []
    for pair in (USD_INR, EUR_INR, EUR_INR):
        with store.database.transaction() as connection:
            outcomes.append(revisions.void(connection, "usd-inr", SLOT, pair, why))
        outcomes.append(store.firing("usd-inr", SLOT).outcome)

    assert outcomes == [True, "recorded", True, "closed", False, "closed"]
    assert not list(store.quotes("usd-inr"))
    assert {state for *_, state, _ in ever(store)} == {"voided"}
    assert store.nearest_quote(USD_INR, SLOT.date(), "usd-inr") is None
    assert store.whole("usd-inr", (USD_INR, EUR_INR), SLOT, SLOT) == {SLOT}


def test_purge(station, store):
    """With the job goes what was voided of it."""
    if store.database.queue_prefix:
        pytest.skip("a shared record is no machine's to purge")
    with store.database.transaction() as connection:
        why = Retirement(state=VOIDED, reason="a slip", at=LATER)
        revisions.void(connection, "usd-inr", SLOT, USD_INR, why)
    with Journal(station.state) as journal:
        journal.forget_jobs(["usd-inr"])
        journal.purge_jobs(["usd-inr"])
        assert journal.database.rows("SELECT * FROM revisions") == []
