"""Files whose lines carry the rate's own day: each pair, day and number stands there once.

Friday's price is not repeated on Saturday, so that a mean over the file is right; a number that changed is a new
line, which counts from there on.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ratectl.journal.rows import unix
from ratectl.model.quote import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.journal.rate_store import Settlement
    from ratectl.journal.statements import Statements
    from ratectl.model.quote import Quote


class Memory:
    """What the file behind the queue *name* got last for each pair and day, inside the caller's transaction."""

    def __init__(
        self, connection: Statements, name: str, job: str, settlements: Sequence[Settlement]
    ) -> None:
        self._connection = connection
        self._name = name
        self._job = job
        self._first = min((unix(done.slot) for done in settlements), default=0)
        self._is_older = self._began_before_this_memory()

    def news(self, quotes: Sequence[Quote]) -> tuple[Quote, ...]:
        """Return those of *quotes* that the file does not end on already, and remember them."""
        return tuple(quote for quote in quotes if self._is_news(quote))

    def _is_news(self, quote: Quote) -> bool:
        key = (quote.pair.base, quote.pair.quote, quote.rate_date.isoformat())
        last = self._last(key)
        if last == quote.rate:
            return False
        self._connection.execute(
            "INSERT INTO written (target, base, quote, rate_date, rate) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (target, base, quote, rate_date) DO UPDATE SET rate = excluded.rate",
            (self._name, *key, plain(quote.rate)),
        )
        return True

    def _last(self, key: tuple[str, str, str]) -> Decimal | None:
        row = self._connection.execute(
            "SELECT rate FROM written WHERE target = ? AND base = ? AND quote = ? AND rate_date = ?",
            (self._name, *key),
        ).fetchone()
        if row is None and self._is_older:
            row = self._connection.execute(
                "SELECT rate FROM quotes WHERE job = ? AND base = ? AND quote = ? AND rate_date = ?"
                " AND slot < ? ORDER BY slot DESC LIMIT 1",
                (self._job, *key, self._first),
            ).fetchone()
        return None if row is None else Decimal(row["rate"])

    def _began_before_this_memory(self) -> bool:
        """Tell whether an earlier version wrote to the file and remembered nothing: the record has to say what."""
        known = self._connection.execute(
            "SELECT 1 FROM written WHERE target = ? LIMIT 1", (self._name,)
        ).fetchone()
        wrote = self._connection.execute(
            "SELECT 1 FROM sinks WHERE target = ? AND position > 0", (self._name,)
        ).fetchone()
        return wrote is not None and known is None
