"""Numbers that were recorded and count no more: another took their place, or a person took them back.

They leave ``quotes``, so that nobody who reads the record counts them, and stay here with when and why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ratectl.journal.rows import to_quote, to_recorded_quote, to_retired_quote, unix
from ratectl.journal.statements import add_quotes
from ratectl.model.quote import MANUAL

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from ratectl.journal.rate_store import RateStore
    from ratectl.journal.rows import RecordedQuote, Span
    from ratectl.journal.statements import Statements
    from ratectl.model.job import Pair
    from ratectl.model.quote import Quote

REVISED, VOIDED = "revised", "voided"
"""Why a number counts no more."""
COLUMNS = (
    *("job", "slot", "base", "quote", "rate", "rate_date", "provider", "provider_time"),
    *("observed_at", "kind", "legs", "supersedes"),
)
"""What both tables have."""


class Retirement(NamedTuple):
    """What is to be written about a number that counts no more."""

    state: str
    """revised or voided."""
    reason: str
    at: dt.datetime


def retire(
    connection: Statements,
    job: str,
    slot: dt.datetime,
    pair: Pair,
    why: Retirement,
    *,
    expected: Quote | None = None,
) -> bool:
    """Take the number of *pair* in *slot* out of what counts; False where none stands there (any more), or another than *expected*."""
    key = (job, unix(slot), pair.base, pair.quote)
    where = "job = ? AND slot = ? AND base = ? AND quote = ?"
    row = connection.execute(f"SELECT * FROM quotes WHERE {where}", key).fetchone()  # noqa: S608 - our words
    if row is None or (expected is not None and to_quote(row) != expected):
        return False
    seen = (row["rate"], row["rate_date"], row["observed_at"])  # another host may be quicker
    gone = connection.execute(
        f"DELETE FROM quotes WHERE {where} AND rate = ? AND rate_date = ? AND observed_at = ?",  # noqa: S608
        (*key, *seen),
    ).rowcount
    if not gone:
        return False
    connection.execute(
        f"INSERT INTO revisions ({', '.join(COLUMNS)}, state, reason, at)"  # noqa: S608 - our names
        f" VALUES ({', '.join('?' * len(COLUMNS))}, ?, ?, ?)",
        (*(row[column] for column in COLUMNS), why.state, why.reason, unix(why.at)),
    )
    return True


def replace(
    connection: Statements,
    job: str,
    slot: dt.datetime,
    quote: Quote,
    *,
    before: Quote,
    reason: str,
) -> bool:
    """Put *quote* in the place of *before*, which its pair has in *slot*; False where that does not stand there any more."""
    why = Retirement(state=REVISED, reason=reason, at=quote.observed_at)
    if not retire(connection, job, slot, quote.pair, why, expected=before):
        return False
    add_quotes(connection, job, slot, (quote,))
    return True


def void(connection: Statements, job: str, slot: dt.datetime, pair: Pair, why: Retirement) -> bool:
    """Retire the number of *pair* in *slot*, for which there will be none until somebody asks or enters it again.

    An answer that a person had accepted with it counts as rejected from now on.
    """
    key = (job, unix(slot))
    row = connection.execute(
        "SELECT rate FROM quotes WHERE job = ? AND slot = ? AND base = ? AND quote = ?",
        (*key, pair.base, pair.quote),
    ).fetchone()
    if not retire(connection, job, slot, pair, why):
        return False
    connection.execute(
        "UPDATE quarantine SET state = 'rejected', decided_at = ? WHERE job = ? AND slot = ?"
        " AND base = ? AND quote = ? AND rate = ? AND state = 'accepted'",
        (unix(why.at), *key, pair.base, pair.quote, row["rate"]),
    )
    _close(connection, key, pair, f"{pair} was voided: {why.reason}")
    return True


def _close(connection: Statements, key: tuple[str, int], pair: Pair, detail: str) -> None:
    """Note that *pair* has no rate in a settled slot; one in which no other has one counts as closed."""
    found = connection.execute(
        "SELECT closed_pairs FROM firings WHERE job = ? AND slot = ?", key
    ).fetchone()
    if found is None:
        return
    known = dict.fromkeys((*found["closed_pairs"].split(), str(pair)))
    connection.execute(
        "UPDATE firings SET closed_pairs = ?, detail = ? WHERE job = ? AND slot = ?",
        (" ".join(known), detail, *key),
    )
    connection.execute(
        "UPDATE firings SET outcome = 'closed' WHERE job = ? AND slot = ? AND outcome = 'recorded'"
        " AND NOT EXISTS (SELECT 1 FROM quotes q WHERE q.job = firings.job AND q.slot = firings.slot)",
        key,
    )


def reopen(connection: Statements, job: str, slot: dt.datetime, pair: Pair) -> None:
    """Note that *pair* has a rate in *slot* after all."""
    row = connection.execute(
        "SELECT closed_pairs FROM firings WHERE job = ? AND slot = ?", (job, unix(slot))
    ).fetchone()
    if row is not None:
        others = (name for name in row["closed_pairs"].split() if name != str(pair))
        connection.execute(
            "UPDATE firings SET closed_pairs = ?, outcome = CASE WHEN outcome = 'closed'"
            " THEN 'recorded' ELSE outcome END WHERE job = ? AND slot = ?",
            (" ".join(others), job, unix(slot)),
        )


def retired(
    store: RateStore, job: str, slots: Sequence[dt.datetime]
) -> dict[tuple[dt.datetime, Pair], list[RecordedQuote]]:
    """Return what counts no more in *slots*, oldest first."""
    found: dict[tuple[dt.datetime, Pair], list[RecordedQuote]] = {}
    rows = store.database.rows(
        "SELECT * FROM revisions WHERE job = ? AND slot >= ? AND slot <= ? ORDER BY id",
        (job, unix(min(slots)), unix(max(slots))),
    )
    for row in rows:
        entry = to_retired_quote(row)
        found.setdefault((entry.slot, entry.quote.pair), []).append(entry)
    return found


class TakenBack(NamedTuple):
    """What a person took back: the same of the same provider is recorded for no slot of the job again."""

    pair: Pair
    rate_date: dt.date
    rate: Decimal
    provider: str

    @classmethod
    def of(cls, quote: Quote) -> TakenBack:
        """Return what *quote* is known by."""
        return cls(quote.pair, quote.rate_date, quote.rate, quote.provider)


def taken_back(store: RateStore, job: str) -> frozenset[TakenBack]:
    """Return what was voided for *job*, and not entered by hand since then."""
    rows = store.database.rows(
        "SELECT * FROM revisions r WHERE job = ? AND state = ? AND NOT EXISTS (SELECT 1 FROM quotes q"
        " WHERE q.job = r.job AND q.base = r.base AND q.quote = r.quote AND q.rate = r.rate"
        " AND q.rate_date = r.rate_date AND q.kind = ? AND q.observed_at >= r.at)",
        (job, VOIDED, MANUAL),
    )
    return frozenset(TakenBack.of(to_quote(row)) for row in rows)


def standing(store: RateStore, job: str, number: TakenBack) -> list[RecordedQuote]:
    """Return the slots of *job* that have *number*, each with it."""
    pair = number.pair
    rows = store.database.rows(
        "SELECT * FROM quotes WHERE job = ? AND base = ? AND quote = ? AND rate_date = ?"
        " AND provider = ?",
        (job, pair.base, pair.quote, number.rate_date.isoformat(), number.provider),
    )
    entries = map(to_recorded_quote, rows)
    return [entry for entry in entries if entry.quote.rate == number.rate]


def history(store: RateStore, job: str, span: Span, pair: Pair | None) -> Iterator[RecordedQuote]:
    """Yield all that was ever recorded in *span*, oldest slot first; within a slot what counts comes last."""
    condition, values = span.condition(pair)
    columns = ", ".join(COLUMNS)
    sql = (
        f"SELECT {columns}, state, reason, at, id, 0 AS counts FROM revisions WHERE job = ?{condition}"  # noqa: S608 - no input
        f" UNION ALL SELECT {columns}, '' AS state, '' AS reason, 0 AS at, 0 AS id, 1 AS counts"
        f" FROM quotes WHERE job = ?{condition}"
        " ORDER BY slot, base, quote, counts, id"
    )
    for row in store.database.each(sql, (job, *values, job, *values)):
        yield to_retired_quote(row)
