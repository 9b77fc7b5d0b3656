"""What is written into the store, inside a transaction of the caller's, whichever database it is."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from ratectl.journal.rows import unix
from ratectl.model.quote import plain

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from ratectl.model.job import Pair
    from ratectl.model.quote import Quote, SuspectQuote


class Statements(Protocol):
    """A connection inside a transaction: SQL with ``?`` for parameters, rows that go by name."""

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Any:
        """Run one statement and return its cursor."""

    def executemany(self, sql: str, values: Iterable[Sequence[Any]], /) -> Any:
        """Run one statement for each of *values*."""


MOST_SLOTS = 1_000
"""The newest slots for which one answer that is held is remembered."""


def add_quotes(
    connection: Statements, job: str, slot: dt.datetime, quotes: Sequence[Quote]
) -> None:
    """Write the quotes of one slot; each names the number that it supersedes, if it does."""
    for quote in quotes:
        connection.execute(
            "INSERT INTO quotes (job, slot, base, quote, rate, rate_date, provider, provider_time,"
            " observed_at, kind, legs, supersedes) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                job,
                unix(slot),
                quote.pair.base,
                quote.pair.quote,
                plain(quote.rate),
                quote.rate_date.isoformat(),
                quote.provider,
                None if quote.provider_time is None else unix(quote.provider_time),
                unix(quote.observed_at),
                quote.kind,
                json.dumps(_legs(quote)),
                _superseded(connection, job, quote),
            ),
        )


def enter(
    connection: Statements, job: str, slot: dt.datetime, quote: Quote, *, owner: str, detail: str
) -> None:
    """Write a quote that no firing asked for, into a *slot* that is due no more: with it, it counts as recorded."""
    add_quotes(connection, job, slot, (quote,))
    connection.execute(
        "INSERT INTO firings (job, slot, state, owner, lease_until, outcome, detail, at)"
        " VALUES (?, ?, 'settled', ?, 0, 'recorded', ?, ?) ON CONFLICT (job, slot) DO UPDATE SET"
        " state = 'settled', outcome = 'recorded', detail = excluded.detail"
        " WHERE firings.state <> 'settled' OR firings.outcome <> 'recorded'",
        (job, unix(slot), owner, detail, unix(quote.observed_at)),
    )


def close_pairs(connection: Statements, job: str, slot: dt.datetime, pairs: Sequence[Pair]) -> None:
    """Note that *pairs* will have no rate for *slot*; one in which others are recorded counts as recorded."""
    key = (job, unix(slot))
    row = connection.execute(
        "SELECT closed_pairs, EXISTS (SELECT 1 FROM quotes q WHERE q.job = f.job AND q.slot = f.slot)"
        " AS rated FROM firings f WHERE job = ? AND slot = ?",
        key,
    ).fetchone()
    known = dict.fromkeys((*row["closed_pairs"].split(), *map(str, pairs)))
    connection.execute(
        "UPDATE firings SET closed_pairs = ? WHERE job = ? AND slot = ?", (" ".join(known), *key)
    )
    if row["rated"]:
        connection.execute(
            "UPDATE firings SET outcome = 'recorded' WHERE job = ? AND slot = ? AND outcome = 'closed'",
            key,
        )


def _legs(quote: Quote) -> list[list[str]]:
    return [[leg.pair.base, leg.pair.quote, plain(leg.rate)] for leg in quote.legs]


def _more(quote: Quote | None) -> dict[str, object]:
    """Return what a quarantined quote has beyond the columns of its row."""
    if quote is None:
        return {}
    return {
        "provider_time": None if quote.provider_time is None else unix(quote.provider_time),
        "observed_at": unix(quote.observed_at),
        "kind": quote.kind,
        "legs": _legs(quote),
    }


def record_decision(connection: Statements, number: int, state: str, at: int) -> None:
    """Note what a person decided about a quarantined answer."""
    connection.execute(
        "UPDATE quarantine SET state = ?, decided_at = ? WHERE id = ?", (state, at, number)
    )


def _superseded(connection: Statements, job: str, quote: Quote) -> str:
    """Return what *job* had last from the provider about the same pair and rate date, if it was another number."""
    what = "job = ? AND base = ? AND quote = ? AND rate_date = ? AND provider = ?"
    row = connection.execute(
        f"SELECT rate, observed_at FROM quotes WHERE {what} UNION ALL"  # noqa: S608 - our words
        f" SELECT rate, observed_at FROM revisions WHERE {what} AND state = 'revised'"
        " ORDER BY observed_at DESC LIMIT 1",
        (job, quote.pair.base, quote.pair.quote, quote.rate_date.isoformat(), quote.provider) * 2,
    ).fetchone()
    if row is None or Decimal(row["rate"]) == quote.rate:
        return ""
    return str(row["rate"])


def release(
    connection: Statements,
    claim: tuple[str, dt.datetime, str],
    *,
    detail: str,
    at: int,
    judged: int = 0,
) -> int:
    """Release *claim* (job, slot, owner) if we still own it; return how many answers for the slot have failed a check, *judged* of them now."""
    job, slot, owner = claim
    connection.execute(
        "UPDATE firings SET state = 'open', outcome = 'failed', detail = ?, at = ?,"
        " attempts = attempts + ? WHERE job = ? AND slot = ? AND state = 'claimed' AND owner = ?",
        (detail, at, judged, job, unix(slot), owner),
    )
    row = connection.execute(
        "SELECT attempts FROM firings WHERE job = ? AND slot = ?", (job, unix(slot))
    ).fetchone()
    return int(row["attempts"]) if row else 0  # purged meanwhile


def mark_missed(
    connection: Statements, claim: tuple[str, dt.datetime, str], *, detail: str, at: int
) -> None:
    """Settle the slot of a *claim* that was given back as missed: nothing will be recorded for it."""
    job, slot, owner = claim
    connection.execute(
        "UPDATE firings SET state = 'settled', outcome = 'missed', detail = ?, at = ?"
        " WHERE job = ? AND slot = ? AND state = 'open' AND owner = ?",
        (detail, at, job, unix(slot), owner),
    )


def leave(
    connection: Statements, job: str, slot: dt.datetime, owner: str, outcome: str | None
) -> None:
    """Let a slot that *owner* asked for in vain stand as it did: settled with *outcome*, open with an empty one, with None not at all."""
    key = (job, unix(slot))
    ours = "(state = 'open' OR state = 'claimed' AND owner = ? OR outcome = 'missed')"
    rated = connection.execute("SELECT 1 FROM quotes WHERE job = ? AND slot = ?", key).fetchone()
    if outcome or rated:
        connection.execute(
            f"UPDATE firings SET state = 'settled', outcome = ? WHERE job = ? AND slot = ? AND {ours}",  # noqa: S608 - our words
            ("recorded" if rated else outcome, *key, owner),
        )
    elif outcome is None:
        connection.execute(
            "DELETE FROM firings WHERE job = ? AND slot = ? AND state <> 'settled'"
            " AND (state = 'open' OR owner = ?)",
            (*key, owner),
        )


def add_quarantined(
    connection: Statements,
    job: str,
    suspects: Sequence[tuple[dt.datetime, SuspectQuote]],
    now: dt.datetime,
) -> None:
    """Write what failed a check; what is quarantined already is only counted, and moves to the newer slot."""
    for slot, item in suspects:
        quote = item.quote
        pair = (quote.pair.base, quote.pair.quote) if quote else ("", "")
        rate = (plain(quote.rate), quote.rate_date.isoformat()) if quote else ("", "")
        digest = hashlib.sha256(item.body).hexdigest()
        values = (job, item.provider, *pair, *rate, item.reason)
        way_out = {"way_out": item.way_out} if item.way_out else {}
        if _is_held_already(connection, slot, values, digest):
            continue
        connection.execute(
            "INSERT INTO bodies (digest, body) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING",
            (digest, item.body),
        )
        connection.execute(
            "INSERT INTO quarantine (job, provider, base, quote, rate, rate_date, reason, slot,"
            " at, digest, facts) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (*values, unix(slot), unix(now), digest, json.dumps(_more(quote) | way_out)),
        )


def _is_held_already(
    connection: Statements, slot: dt.datetime, values: Sequence[str], digest: str
) -> bool:
    """Tell whether the same answer is quarantined; it is then counted once more, and stands for *slot*, too."""
    row = connection.execute(
        "SELECT id, slot, facts FROM quarantine WHERE job = ? AND provider = ? AND base = ?"
        " AND quote = ? AND rate = ? AND rate_date = ? AND reason = ?"
        " AND (rate <> '' OR digest = ?) AND state = 'held' ORDER BY id DESC LIMIT 1",
        (*values, digest),
    ).fetchone()
    if row is None:
        return False
    facts = json.loads(row["facts"])
    slots = sorted({*facts.get("slots", ()), row["slot"], unix(slot)})[-MOST_SLOTS:]
    known: int = connection.execute(
        "UPDATE quarantine SET slot = ?, seen = seen + 1, facts = ? WHERE id = ? AND state = 'held'",
        (unix(slot), json.dumps(facts | {"slots": slots}), row["id"]),
    ).rowcount
    return known > 0
