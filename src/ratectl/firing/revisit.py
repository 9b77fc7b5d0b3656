"""Past days asked for again: a number that is new takes the place of the one that stood in, which is kept as a revision.

Slots stay settled all the while. Killed anywhere, the next visit finds what is recorded already and goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ratectl.errors import TryLaterError
from ratectl.fetch.failures import most_hopeful
from ratectl.firing.report import Settled
from ratectl.firing.settle import taken_back
from ratectl.journal import revisions, statements
from ratectl.journal.rate_store import Settlement
from ratectl.journal.rows import Span
from ratectl.model.quote import MANUAL
from ratectl.schedule.occurrences.zones import SECOND

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from ratectl.errors import RatectlError
    from ratectl.fetch.request import FetchResult, PairDay
    from ratectl.firing.settle import Settler
    from ratectl.journal.rate_store import RateStore
    from ratectl.journal.statements import Statements
    from ratectl.model.job import Job, Pair
    from ratectl.model.quote import Quote
    from ratectl.runtime.deadline import Deadline

Wanted = dict["dt.datetime", tuple["Pair", ...]]
"""The pairs of each slot that are asked for again."""
REASON = "its own day's rate appeared"
CORRECTED = "the provider corrected it"


def marked(store: RateStore, job: Job, start: dt.datetime, end: dt.datetime) -> Wanted:
    """Return the pairs that slots from *start* to *end* have with the rate of an earlier day.

    What was recorded outside the schedule is what was newest then, and stays so.
    """
    found: Wanted = {}
    for entry in store.quotes(job.name, Span(start, end + SECOND)):
        stands_in = entry.quote.rate_date < entry.slot.astimezone(job.zone).date()
        by_hand = entry.quote.kind == MANUAL
        if stands_in and not by_hand and entry.quote.pair in job.pairs:
            found[entry.slot] = (*found.get(entry.slot, ()), entry.quote.pair)
    return found


def lacking(store: RateStore, job: Job, start: dt.datetime, end: dt.datetime) -> Wanted:
    """Return the pairs that settled slots from *start* to *end* have no rate of."""
    slots = sorted(store.settled(job.name, start, end))
    recorded = store.pairs(job.name, slots) if slots else {}
    wanted = {
        slot: tuple(pair for pair in job.pairs if pair not in recorded[slot]) for slot in slots
    }
    return {slot: pairs for slot, pairs in wanted.items() if pairs}


class _Change(NamedTuple):
    """A number that is new in a slot."""

    slot: dt.datetime
    quote: Quote
    before: Quote | None
    """What it takes the place of."""


class Revisit:
    """Slots of past days that *settler* asks for again."""

    def __init__(self, settler: Settler) -> None:
        self.settler = settler
        self.job = settler.job
        self.store = settler.store

    def run(
        self, wanted: Mapping[dt.datetime, tuple[Pair, ...]], deadline: Deadline
    ) -> list[Settled]:
        """Ask for *wanted* and record what is new of it; return what became of each slot.

        Raises TryLaterError where another host changed one of them meanwhile: the next visit sees that.
        """
        zone = self.settler.timetable.zone
        items = {
            slot: tuple((pair, slot.astimezone(zone).date()) for pair in pairs)
            for slot, pairs in wanted.items()
        }
        every = tuple(dict.fromkeys(item for some in items.values() for item in some))
        fetched = self.settler.fetch_past(every, deadline)
        self.settler.quarantine(items, fetched)
        changes = self._changes(wanted, fetched)
        error = self._commit(changes, deadline) if changes else None
        news = {slot: [c for c in changes if c.slot == slot] for slot in {c.slot for c in changes}}
        results = []
        for slot in wanted:
            settled = _settled(slot, news.get(slot, []), self._failure(items[slot], fetched))
            told = taken_back(items[slot], fetched)
            results.append(
                settled._replace(error=settled.error or error, warnings=told, taken_back=told)
            )
        return results

    def _changes(
        self, wanted: Mapping[dt.datetime, tuple[Pair, ...]], fetched: FetchResult
    ) -> list[_Change]:
        slots = sorted(wanted)
        zone = self.settler.timetable.zone
        span = Span(slots[0], slots[-1] + SECOND)
        standing = {(e.slot, e.quote.pair): e.quote for e in self.store.quotes(self.job.name, span)}
        changes = []
        for slot in slots:
            for pair in wanted[slot]:
                quote = fetched.quotes.get((pair, slot.astimezone(zone).date()))
                before = standing.get((slot, pair))
                if quote is not None and _is_news(quote, before):
                    changes.append(_Change(slot, quote, before))
        return changes

    def _commit(self, changes: Sequence[_Change], deadline: Deadline) -> RatectlError | None:
        settlements = [Settlement(slot=c.slot, quotes=(c.quote,)) for c in changes]

        def record(connection: Statements) -> None:
            for change in changes:
                self._write(connection, change)

        return self.settler.commit(settlements, deadline, record)

    def _write(self, connection: Statements, change: _Change) -> None:
        name, (slot, quote, before) = self.job.name, change
        if before is None:
            statements.add_quotes(connection, name, slot, (quote,))
            revisions.reopen(connection, name, slot, quote.pair)
            return
        reason = REASON if quote.rate_date != before.rate_date else CORRECTED
        if not revisions.replace(connection, name, slot, quote, before=before, reason=reason):
            raise TryLaterError(
                f"{name}: {self.settler.timetable.told(slot)} was changed meanwhile; the same command"
                " does it again"
            )

    @staticmethod
    def _failure(items: Sequence[PairDay], fetched: FetchResult) -> RatectlError | None:
        """Return why nothing is known of some of *items*; that a day is closed is no failure."""
        missing = [i for i in items if i not in fetched.quotes and i not in fetched.closed]
        failures = (pair for item in missing for pair in fetched.failures.get(item, {}).items())
        once = {(name, str(failure)): (name, failure) for name, failure in failures}
        return most_hopeful(list(once.values())) if once else None


def _is_news(quote: Quote, before: Quote | None) -> bool:
    """Tell whether *quote* says more than what stands there."""
    if before is None or quote.rate_date > before.rate_date:
        return True
    corrected = (quote.provider, quote.rate_date) == (before.provider, before.rate_date)
    return corrected and quote.rate != before.rate


def _settled(slot: dt.datetime, changes: Sequence[_Change], error: RatectlError | None) -> Settled:
    outcome = "failed" if error is not None else "unchanged"
    if changes:
        outcome = "revised" if any(change.before for change in changes) else "recorded"
    quotes = tuple(change.quote for change in changes)
    return Settled(slot=slot, outcome=outcome, quotes=quotes, error=error)
