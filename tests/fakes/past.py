"""A past for an installed job: slots settled through the store itself, with made-up rates."""

from __future__ import annotations

import datetime as dt
import json
import math
import sqlite3
from decimal import Decimal

from ratectl.journal import statements
from ratectl.journal.journal import Journal
from ratectl.journal.rate_store import Settlement
from ratectl.journal.rows import unix
from ratectl.model.quote import PUBLISHED, Quote


def quote(pair, rate, slot, *, kind=PUBLISHED, provider="frankfurter", observed=None, **values):
    """Return a quote of *pair* that was received right after *slot*, or when *observed* says."""
    return Quote(
        pair=pair,
        rate=Decimal(rate),
        rate_date=values.pop("rate_date", slot.date()),
        provider=provider,
        provider_time=None,
        observed_at=observed or slot + dt.timedelta(seconds=3),
        kind=kind,
        **values,
    )


def spoil(state, name, change):
    """Write a snapshot that an older machine, or an older ratectl, could have written."""
    with sqlite3.connect(state / "journal.sqlite3") as book:
        [(text,)] = book.execute("SELECT snapshot FROM jobs WHERE name = ?", (name,)).fetchall()
        book.execute(
            "UPDATE jobs SET snapshot = ? WHERE name = ?",
            (json.dumps(json.loads(text) | change), name),
        )


def settle(state, job, slot, rate="95.12", *, outcome="recorded", detail="", after=3, **values):
    """Settle one *slot* of *job* in the journal at *state*, *after* seconds late; a rate only where one is recorded."""
    now = slot + dt.timedelta(seconds=after)
    rated = outcome == "recorded"
    quotes = tuple(quote(pair, rate, slot, observed=now, **values) for pair in job.pairs if rated)
    with Journal(state) as journal:
        store = journal.store(job)
        store.claim(job.name, [slot], now=now, lease=60)
        with store.database.transaction() as connection:
            done = Settlement(slot=slot, quotes=quotes, outcome=outcome, detail=detail)
            store.settle(connection, job.name, done, now)


def fail(state, job, slot, detail):
    """Leave *slot* of *job* due after a firing that failed with *detail*."""
    with Journal(state) as journal:
        store = journal.store(job)
        store.claim(job.name, [slot], now=slot, lease=60)
        with store.database.transaction() as connection:
            claim = (job.name, slot, store.owner)
            statements.release(connection, claim, detail=detail, at=unix(slot))
        journal.count_failure(job.name, slot)


def decade(state, job, last, days=3653):
    """Fill the journal at *state* with a rate a day of each pair of *job*, up to the slot *last*."""
    quotes, firings = [], []
    for number in range(days):
        slot = unix(last) - 86_400 * (days - 1 - number)
        firings.append((job.name, slot, slot + 60, slot + 3))
        day = dt.datetime.fromtimestamp(slot, dt.UTC).date().isoformat()
        for place, pair in enumerate(job.pairs):
            rate = f"{90 + place + 5 * math.sin(number / 200 + place) + number % 7 / 10:.4f}"
            quotes.append((job.name, slot, pair.base, pair.quote, rate, day, slot + 3))
    with Journal(state) as journal, journal.database.transaction() as connection:
        connection.executemany(
            "INSERT INTO firings (job, slot, state, owner, lease_until, outcome, at)"
            " VALUES (?, ?, 'settled', 'here/1', ?, 'recorded', ?)",
            firings,
        )
        connection.executemany(
            "INSERT INTO quotes (job, slot, base, quote, rate, rate_date, provider, observed_at, kind)"
            " VALUES (?, ?, ?, ?, ?, ?, 'ecb', ?, 'published')",
            quotes,
        )
