"""The record: firings, quotes, and what was quarantined, in this machine's file or a shared database.

One row per (job, slot) and per (job, slot, pair), ever. A slot is settled only by the owner of its claim,
so that one whose lease lapsed while it was at work cannot settle what another has taken over.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ratectl.errors import TryLaterError
from ratectl.journal import statements
from ratectl.journal.rows import (
    EVERY_SLOT,
    Firing,
    RecordedQuote,
    aware,
    to_firing,
    to_recorded_quote,
    unix,
)
from ratectl.model.job import Pair

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from ratectl.journal.rows import Row, Span
    from ratectl.journal.statements import Statements
    from ratectl.model.quote import Quote, SuspectQuote


NAMES_AT_ONCE = 500
"""Parameters in one statement; both databases take more."""


class Database(Protocol):
    """What a database under the store can do; errors leave it as RatectlErrors."""

    @property
    def queue_prefix(self) -> str:
        """What goes before the names of this machine's outputs; empty where no other machine writes."""

    def clock(self, now: dt.datetime) -> int:
        """Return the Unix time by which leases are measured."""

    def rows(self, sql: str, values: tuple[object, ...] = ()) -> Sequence[Row]:
        """Return what a query finds; parameters stand as ``?`` in every dialect."""

    def each(self, sql: str, values: tuple[object, ...] = ()) -> Iterator[Row]:
        """Yield what a query finds, in constant memory."""

    def transaction(self, *, durable: bool = False) -> AbstractContextManager[Statements]:
        """Give a connection whose writes happen together or not at all."""

    def close(self) -> None:
        """Close the connection; the next use opens it again."""


class Claim(Enum):
    """What came of asking for a slot."""

    OURS = "ours"
    SETTLED = "settled"
    """Nothing is left to do."""
    ELSEWHERE = "elsewhere"
    """Another host is at work on it."""


class Settlement(NamedTuple):
    """What is to be written about one claimed slot."""

    slot: dt.datetime
    quotes: tuple[Quote, ...] = ()
    outcome: str = ""
    """recorded, closed or missed; empty leaves the slot claimed, since pairs are missing."""
    detail: str = ""
    closed: tuple[Pair, ...] = ()
    """Pairs that will have no rate for this slot."""


class Neighbour(NamedTuple):
    """What a new quote is measured against."""

    quote: Quote
    job: str
    slot: dt.datetime


def _to_neighbour(row: Row) -> Neighbour:
    recorded = to_recorded_quote(row)
    return Neighbour(recorded.quote, row["job"], recorded.slot)


class ClaimLostError(TryLaterError):
    """The lease of a claim lapsed while we were at work, and another host took it over."""


class RateStore:
    """The record in one *database*; *owner* tells who claims slots (``host/installation``) once it is asked."""

    def __init__(self, database: Database, owner: Callable[[], str]) -> None:
        self.database = database
        self._owner = owner

    @cached_property
    def owner(self) -> str:
        """Who claims slots here."""
        return self._owner()

    # What anyone may read

    def last_firing(self, job: str) -> Firing | None:
        """Return the firing of the newest slot of *job*, whatever became of it."""
        rows = self.database.rows(
            "SELECT * FROM firings WHERE job = ? ORDER BY slot DESC LIMIT 1", (job,)
        )
        return to_firing(rows[0]) if rows else None

    def last_firings(self, jobs: Sequence[str]) -> dict[str, Firing]:
        """Return :meth:`last_firing` of each of *jobs* that has one."""
        found: dict[str, Firing] = {}
        for start in range(0, len(jobs), NAMES_AT_ONCE):
            names = tuple(jobs[start : start + NAMES_AT_ONCE])
            rows = self.database.rows(
                f"WITH wanted (job) AS (VALUES {', '.join(['(?)'] * len(names))})"  # noqa: S608 - no input
                " SELECT f.* FROM wanted w JOIN firings f ON f.job = w.job"
                " AND f.slot = (SELECT max(slot) FROM firings WHERE job = w.job)",
                names,
            )
            found |= {row["job"]: to_firing(row) for row in rows}
        return found

    def failures(self, jobs: Sequence[str]) -> dict[str, int]:
        """Return for each of *jobs* how many slots failed since the newest that did not; who fired them does not count."""
        found: dict[str, int] = {}
        for start in range(0, len(jobs), NAMES_AT_ONCE):
            names = tuple(jobs[start : start + NAMES_AT_ONCE])
            rows = self.database.rows(
                f"WITH wanted (job) AS (VALUES {', '.join(['(?)'] * len(names))})"  # noqa: S608 - no input
                " SELECT w.job AS job, count(*) AS number FROM wanted w JOIN firings f ON f.job = w.job"
                " AND f.outcome = 'failed' AND f.slot > COALESCE((SELECT max(slot) FROM firings"
                " WHERE job = w.job AND outcome IN ('recorded', 'closed')), ?) GROUP BY w.job",
                (*names, -(1 << 60)),
            )
            found |= {row["job"]: int(row["number"]) for row in rows}
        return found

    def firings_before(self, job: str, moment: dt.datetime, limit: int) -> list[Firing]:
        """Return the firings of the newest slots before *moment*, newest first, *limit* of them."""
        rows = self.database.rows(
            "SELECT * FROM firings WHERE job = ? AND slot < ? ORDER BY slot DESC LIMIT ?",
            (job, unix(moment), limit),
        )
        return [to_firing(row) for row in rows]

    def firing(self, job: str, slot: dt.datetime) -> Firing | None:
        """Return what became of one slot."""
        rows = self.database.rows(
            "SELECT * FROM firings WHERE job = ? AND slot = ?", (job, unix(slot))
        )
        return to_firing(rows[0]) if rows else None

    def settled(self, job: str, start: dt.datetime, end: dt.datetime) -> frozenset[dt.datetime]:
        """Return the slots from *start* to *end*, both included, that were recorded or closed."""
        rows = self.database.rows(
            "SELECT slot FROM firings WHERE job = ? AND slot >= ? AND slot <= ?"
            " AND state = 'settled' AND outcome IN ('recorded', 'closed')",
            (job, unix(start), unix(end)),
        )
        return frozenset(aware(row["slot"]) for row in rows)

    def quotes(
        self, job: str, span: Span = EVERY_SLOT, pair: Pair | None = None
    ) -> Iterator[RecordedQuote]:
        """Yield the quotes of *job*, of one *pair* or all, oldest slot first, in constant memory."""
        condition, values = span.condition(pair)
        sql = f"SELECT * FROM quotes WHERE job = ?{condition} ORDER BY slot, base, quote"  # noqa: S608 - no input
        for row in self.database.each(sql, (job, *values)):
            yield to_recorded_quote(row)

    def pairs(self, job: str, slots: Sequence[dt.datetime]) -> dict[dt.datetime, set[Pair]]:
        """Return the pairs that have a quote in each of *slots*."""
        found: dict[dt.datetime, set[Pair]] = {slot: set() for slot in slots}
        rows = self.database.rows(
            "SELECT slot, base, quote FROM quotes WHERE job = ? AND slot >= ? AND slot <= ?",
            (job, unix(min(slots)), unix(max(slots))),
        )
        for row in rows:
            if (slot := aware(row["slot"])) in found:
                found[slot].add(Pair(base=row["base"], quote=row["quote"]))
        return found

    def nearest_quote(self, pair: Pair, day: dt.date, job: str) -> Neighbour | None:
        """Return the recorded quote of *pair* with the rate date closest before or at *day*, else after.

        It is one of *job*, or where that has none one of another; of one rate date that of the newest slot.
        """
        return next(self.nearest_quotes(pair, day, job), None)

    def nearest_quotes(self, pair: Pair, day: dt.date, job: str) -> Iterator[Neighbour]:
        """Yield the closest recorded quote of *pair* before or at *day*, and the closest after it; where *job* has none, one of another job."""
        sides = (("<=", "DESC"), (">", "ASC"))
        for whose, values in ((" AND job = ?", (job,)), ("", ())):
            found = False
            for comparison, order in sides:
                if found and not whose:
                    return
                rows = self.database.rows(
                    "SELECT * FROM quotes WHERE base = ? AND quote = ?"  # noqa: S608 - no input
                    f" AND rate_date {comparison} ?{whose}"
                    f" ORDER BY rate_date {order}, slot DESC, observed_at DESC LIMIT 1",
                    (pair.base, pair.quote, day.isoformat(), *values),
                )
                for row in rows:
                    found = True
                    yield _to_neighbour(row)
            if found:
                return

    def beside(self, near: Neighbour) -> Iterator[Neighbour]:
        """Yield what the job of *near* has recorded right before it, and right after; the same number of the same day is passed over."""
        pair, day, rate = near.quote.pair, near.quote.rate_date.isoformat(), str(near.quote.rate)
        for comparison, order in (("<", "DESC"), (">", "ASC")):
            rows = self.database.rows(
                "SELECT * FROM quotes WHERE job = ? AND base = ? AND quote = ?"  # noqa: S608 - no input
                f" AND rate_date {comparison}= ?"
                f" AND (rate_date <> ? OR (slot {comparison} ? AND rate <> ?))"
                f" ORDER BY rate_date {order}, slot {order} LIMIT 1",
                (near.job, pair.base, pair.quote, day, day, unix(near.slot), rate),
            )
            yield from map(_to_neighbour, rows)

    def has_quote(self, pair: Pair, provider: str) -> bool:
        """Tell whether a rate of *pair* by *provider* was ever recorded."""
        return bool(
            self.database.rows(
                "SELECT 1 AS one FROM quotes WHERE base = ? AND quote = ? AND provider = ? LIMIT 1",
                (pair.base, pair.quote, provider),
            )
        )

    def suspect_rates(self, quote: Quote, *, until: dt.datetime, most: int) -> list[Decimal]:
        """Return what of the same pair and provider as *quote* was quarantined last, by *until*: at most so many rates, one for each earlier rate date."""
        day = quote.rate_date.isoformat()
        rows = self.database.rows(
            "SELECT rate, rate_date FROM quarantine WHERE base = ? AND quote = ? AND provider = ?"
            " AND rate <> '' AND rate_date < ? AND at <= ? AND state <> 'rejected'"
            " ORDER BY id DESC LIMIT 100",
            (quote.pair.base, quote.pair.quote, quote.provider, day, unix(until)),
        )
        newest = {row["rate_date"]: Decimal(row["rate"]) for row in reversed(rows)}
        return [newest[day] for day in dict.fromkeys(row["rate_date"] for row in rows)][:most]

    # What a firing writes

    def claim(
        self, job: str, slots: Sequence[dt.datetime], *, now: dt.datetime, lease: int
    ) -> dict[dt.datetime, Claim]:
        """Take *slots* for *lease* seconds, as far as they are to be had.

        A claim of this owner is dead, since the caller holds the job's lock; one of another
        host stands until its lease lapses, by the clock of the store.
        """
        owner, clock = self.owner, self.database.clock(now)
        with self.database.transaction() as connection:
            return {
                slot: _claim(connection, job, slot, owner, clock, at=unix(now), lease=lease)
                for slot in slots
            }

    def settle(
        self, connection: Statements, job: str, settlement: Settlement, now: dt.datetime
    ) -> None:
        """Write quotes and outcome of a slot that is claimed, inside the caller's transaction.

        Raises ClaimLostError when the claim is no longer ours.
        """
        changed = connection.execute(
            "UPDATE firings SET state = ?, outcome = ?, detail = ?, at = ?"
            " WHERE job = ? AND slot = ? AND state = 'claimed' AND owner = ?",
            (
                "settled" if settlement.outcome else "claimed",
                settlement.outcome,
                settlement.detail,
                unix(now),
                job,
                unix(settlement.slot),
                self.owner,
            ),
        ).rowcount
        if changed != 1:
            raise ClaimLostError(
                f"{job}: another host took over the slot of {settlement.slot:%Y-%m-%d %H:%M:%S %Z} meanwhile"
            )
        if settlement.outcome == "closed" or settlement.closed:
            statements.close_pairs(connection, job, settlement.slot, settlement.closed)
        statements.add_quotes(connection, job, settlement.slot, settlement.quotes)

    def give_back(
        self, job: str, start: dt.datetime, end: dt.datetime, *, why: str, now: dt.datetime
    ) -> int:
        """Make the slots from *start* to *end* that this owner has claimed due again; return how many those were."""
        with self.database.transaction() as connection:
            changed: int = connection.execute(
                "UPDATE firings SET state = 'open', outcome = 'failed', detail = ?, at = ?"
                " WHERE job = ? AND slot >= ? AND slot <= ? AND state = 'claimed' AND owner = ?",
                (why, unix(now), job, unix(start), unix(end), self.owner),
            ).rowcount
        return changed

    def reopen(self, job: str, slot: dt.datetime) -> set[str]:
        """Make a settled slot due again for all pairs that it has no rate of; return those that it was closed for."""
        closed = self.closed_pairs(job, [slot])[slot]
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE firings SET state = 'open', closed_pairs = '' WHERE job = ? AND slot = ?"
                " AND state = 'settled'",
                (job, unix(slot)),
            )
        return closed

    def close_again(self, before: Firing, closed: set[str]) -> None:
        """Let a slot that was reopened, and still lacks a rate, be settled as it was *before*, and *closed* for the same pairs."""
        recorded = self.pairs(before.job, [before.slot])[before.slot]
        still = sorted(closed - set(map(str, recorded)))
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE firings SET state = 'settled', outcome = ?, detail = ?, closed_pairs = ?"
                " WHERE job = ? AND slot = ? AND (state = 'open' OR outcome = 'missed')",
                (
                    "recorded" if recorded else before.outcome,
                    before.detail,
                    " ".join(still),
                    before.job,
                    unix(before.slot),
                ),
            )

    def is_busy(
        self, connection: Statements, job: str, slot: dt.datetime, now: dt.datetime
    ) -> bool:
        """Tell, inside the caller's transaction, whether another host has claimed *slot* and its lease stands."""
        row = connection.execute(
            "SELECT lease_until FROM firings WHERE job = ? AND slot = ? AND state = 'claimed'"
            " AND owner <> ?",
            (job, unix(slot), self.owner),
        ).fetchone()
        return row is not None and row["lease_until"] >= self.database.clock(now)

    def add_suspects(
        self, job: str, suspects: Sequence[tuple[dt.datetime, SuspectQuote]], now: dt.datetime
    ) -> None:
        """Write what failed a check, each with its slot."""
        if suspects:
            with self.database.transaction() as connection:
                statements.add_quarantined(connection, job, suspects, now)

    def whole(
        self, job: str, pairs: Sequence[Pair], start: dt.datetime, end: dt.datetime
    ) -> frozenset[dt.datetime]:
        """Return the settled slots from *start* to *end* in which each of *pairs* has a rate, or will have none."""
        rows = self.database.rows(
            "SELECT slot, closed_pairs FROM firings WHERE job = ? AND slot >= ? AND slot <= ?"
            " AND state = 'settled' AND outcome IN ('recorded', 'closed')",
            (job, unix(start), unix(end)),
        )
        closed = {aware(row["slot"]): row["closed_pairs"].split() for row in rows}
        recorded = self.pairs(job, tuple(closed)) if closed else {}
        return frozenset(
            slot
            for slot, without in closed.items()
            if all(pair in recorded[slot] or str(pair) in without for pair in pairs)
        )

    def closed_pairs(self, job: str, slots: Sequence[dt.datetime]) -> dict[dt.datetime, set[str]]:
        """Return the pairs that will have no rate in each of *slots*."""
        rows = self.database.rows(
            "SELECT slot, closed_pairs FROM firings WHERE job = ? AND slot >= ? AND slot <= ?"
            " AND closed_pairs <> ''",
            (job, unix(min(slots)), unix(max(slots))),
        )
        known = {aware(row["slot"]): set(row["closed_pairs"].split()) for row in rows}
        return {slot: known.get(slot, set()) for slot in slots}

    def open_again(self, job: str, slots: Sequence[dt.datetime]) -> dict[dt.datetime, str]:
        """Make settled *slots* due again for pairs that they lack.

        Return the outcome of each that was settled; an empty one for what was not, and nothing where there was no firing.
        """
        with self.database.transaction() as connection:
            before = {}
            for slot in slots:
                row = connection.execute(
                    "SELECT state, outcome FROM firings WHERE job = ? AND slot = ?",
                    (job, unix(slot)),
                ).fetchone()
                if row is not None:
                    before[slot] = str(row["outcome"]) if row["state"] == "settled" else ""
            connection.executemany(
                "UPDATE firings SET state = 'open' WHERE job = ? AND slot = ? AND state = 'settled'",
                [(job, unix(slot)) for slot in before],
            )
        return before

    def leave(
        self,
        job: str,
        slots: Sequence[dt.datetime],
        before: dict[dt.datetime, str],
        until: dt.datetime,
    ) -> None:
        """Put *slots* that were asked for in vain back to what :meth:`open_again` found, as far as they are due no more.

        *until* is up to where none is due. One that got the rate of some of its pairs counts as recorded.
        """
        owner = self.owner
        for slot in slots:
            outcome = before.get(slot)
            if outcome or slot <= until:
                with self.database.transaction() as connection:
                    statements.leave(connection, job, slot, owner, outcome)

    def forget_ahead(self, job: str, now: dt.datetime) -> dt.datetime | None:
        """Undo what this owner gave up after *now*, while its clock stood wrong; return the last settled slot."""
        owner = self.owner
        with self.database.transaction() as connection:
            connection.execute(
                "DELETE FROM firings WHERE job = ? AND at > ? AND owner = ?"
                " AND outcome NOT IN ('recorded', 'closed')",
                (job, unix(now), owner),
            )
            row = connection.execute(
                "SELECT max(slot) AS slot FROM firings WHERE job = ? AND slot <= ?"
                " AND state = 'settled'",
                (job, unix(now)),
            ).fetchone()
        return None if row["slot"] is None else aware(row["slot"])


def _claim(
    connection: Statements,
    job: str,
    slot: dt.datetime,
    owner: str,
    clock: int,
    *,
    at: int,
    lease: int,
) -> Claim:
    got = connection.execute(
        "INSERT INTO firings (job, slot, state, owner, lease_until, at)"
        " VALUES (?, ?, 'claimed', ?, ?, ?) ON CONFLICT (job, slot) DO UPDATE SET"
        " state = 'claimed', owner = excluded.owner, lease_until = excluded.lease_until,"
        " at = excluded.at WHERE firings.state = 'open' OR firings.state = 'claimed'"
        " AND (firings.owner = excluded.owner OR firings.lease_until < ?)",
        (job, unix(slot), owner, clock + lease, at, clock),
    ).rowcount
    if got == 1:
        return Claim.OURS
    row = connection.execute(
        "SELECT state FROM firings WHERE job = ? AND slot = ?", (job, unix(slot))
    ).fetchone()
    return Claim.SETTLED if row and row["state"] == "settled" else Claim.ELSEWHERE
