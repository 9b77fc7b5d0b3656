"""Which rows of a file are hard to believe, by the limits of ``fetch/plausibility.py``: each beside the one before it, the first beside the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.fetch import plausibility
from ratectl.lean_classes import NamedTuple

if TYPE_CHECKING:
    import datetime as dt

    from ratectl.fetch.plausibility import Jump
    from ratectl.journal.rate_store import Neighbour, RateStore
    from ratectl.model.job import Pair
    from ratectl.model.quote import Quote


class Doubtful(NamedTuple):
    """A row that was imported, and is far from the one before it."""

    line: int
    slot: dt.datetime
    pair: Pair
    jump: Jump


class Doubts:
    """The rows of a file, in the order of their days, beside what *job* has recorded in *store*."""

    def __init__(self, store: RateStore, job: str) -> None:
        self._store = store
        self._job = job
        self._first: dict[Pair, Neighbour | None] = {}
        """What the record had for the first row."""
        self._believed: dict[Pair, Quote] = {}
        """The last row that was no suspect."""
        self._suspect: dict[Pair, Quote] = {}
        """The row before, where it was one."""

    def jump(self, quote: Quote) -> Jump | None:
        """Return the jump to *quote*, which is the next of its pair; a move that the next row bears out is where it stands."""
        pair = quote.pair
        found = self._jump(quote)
        before = self._suspect.pop(pair, None)
        stays = before is not None and plausibility.within_fraction(
            quote.rate, before.rate, plausibility.WARN
        )
        if found is None or not found.is_suspect or (stays and not found.is_scale_error):
            self._believed[pair] = quote
        else:
            self._suspect[pair] = quote
        return found

    def _jump(self, quote: Quote) -> Jump | None:
        pair, job = quote.pair, self._job
        if pair in self._believed:
            return plausibility.jump(quote, self._believed[pair])
        if pair not in self._first:
            self._first[pair] = self._store.nearest_quote(pair, quote.rate_date, job)
        near = self._first[pair]
        if near is None:
            return None
        return plausibility.jump(quote, near.quote, of_job=near.job if near.job != job else "")
