"""Slots in, settled slots out: claim them, fetch what is missing, commit once, deliver.

The order is the durability argument: what is fetched is committed together with the lines to be written
and the intent to write them; only then is a file touched.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from ratectl.errors import DataError, RatectlError, TryLaterError
from ratectl.fetch import plausibility
from ratectl.fetch.failures import most_hopeful
from ratectl.fetch.request import FetchRequest, merge
from ratectl.firing.report import Settled
from ratectl.journal import statements
from ratectl.journal.rate_store import Claim, Settlement
from ratectl.journal.rows import unix
from ratectl.model.job import ClosedDays
from ratectl.model.providers import History, traits_of
from ratectl.model.quote import MANUAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ratectl.fetch.fetcher import Fetcher
    from ratectl.fetch.request import FetchResult, PairDay
    from ratectl.firing.due import Timetable
    from ratectl.journal.rate_store import RateStore
    from ratectl.journal.statements import Statements
    from ratectl.model.job import Job
    from ratectl.model.quote import Quote, SuspectQuote
    from ratectl.outputs.delivery import Delivery
    from ratectl.runtime.deadline import Deadline
    from ratectl.runtime.environment import Environment

LEASE_MARGIN = 15
"""Seconds that a claim outlives its firing's deadline: a dead host's slot is taken over after that."""
MOST_ATTEMPTS = 10
"""Answers that failed a check before a past slot is given up."""
DAYS_AT_ONCE = 10
"""Of providers that need a request for each day, so that what is done is committed now and then."""


class Settler:
    """What settles the slots of one job in one firing; what it fetched serves all of them."""

    def __init__(
        self,
        timetable: Timetable,
        store: RateStore,
        delivery: Delivery,
        fetcher: Fetcher,
        env: Environment,
    ) -> None:
        self.timetable = timetable
        self.job: Job = timetable.job
        self.store = store
        self.delivery = delivery
        self.fetcher = fetcher
        self.env = env
        self.live_results: dict[FetchRequest, FetchResult] = {}
        """Answers of this moment, to be cleared when it is over."""
        self.upcoming_days: Sequence[dt.date] = ()
        """Past days that will be asked for in this firing, so that one request may serve them."""
        self._past: dict[PairDay, FetchResult] = {}

    def settle_live(self, slot: dt.datetime, deadline: Deadline) -> Settled:
        """Settle one claimable *slot* with the newest rates."""
        [settled] = self._settle((slot,), deadline, past=False, kind="")
        return settled

    def settle_manual(self, slot: dt.datetime, deadline: Deadline) -> Settled:
        """Record the newest rates under a *slot* that the schedule does not have."""
        [settled] = self._settle((slot,), deadline, past=False, kind=MANUAL)
        return settled

    def settle_past(self, slots: Sequence[dt.datetime], deadline: Deadline) -> list[Settled]:
        """Settle *slots* of past days, oldest first, with the rates of their days."""
        return self._settle(slots, deadline, past=True, kind="")

    def mark_missed(self, slot: dt.datetime, why: str) -> Settled:
        """Settle *slot* as missed."""
        if self.claimed((slot,))[slot] is not Claim.OURS:
            return Settled(slot=slot, outcome="settled")
        now = self.env.clock()
        with self.store.database.transaction() as connection:
            done = Settlement(slot=slot, outcome="missed", detail=why)
            self.store.settle(connection, self.job.name, done, now)
        return Settled(slot=slot, outcome="missed")

    # Claims

    def claimed(
        self, slots: Sequence[dt.datetime], deadline: Deadline | None = None
    ) -> dict[dt.datetime, Claim]:
        """Claim *slots*; those that another host is at work on are waited for until its lease lapses.

        The wait puts *deadline* off, so that there is time for what a dead host left.
        """
        lease = self.job.timeout + LEASE_MARGIN
        claims = self._claim(slots, lease)
        for _ in range(2 * lease):
            busy = [slot for slot, claim in claims.items() if claim is Claim.ELSEWHERE]
            if not busy:
                break
            self.env.sleep(1)
            if deadline is not None:
                deadline.put_off(1)
            claims |= self._claim(busy, lease)
        return claims

    def _claim(self, slots: Sequence[dt.datetime], lease: int) -> dict[dt.datetime, Claim]:
        return self.store.claim(self.job.name, slots, now=self.env.clock(), lease=lease)

    # The way of a batch

    def _settle(
        self, slots: Sequence[dt.datetime], deadline: Deadline, *, past: bool, kind: str
    ) -> list[Settled]:
        claims = self.claimed(slots, deadline)
        ours = [slot for slot in slots if claims[slot] is Claim.OURS]
        results: dict[dt.datetime, Settled] = {}
        if ours:
            wanted = self._items(ours)
            try:
                fetched = self._fetch(wanted, deadline, past=past)
            except KeyboardInterrupt:  # nobody is at work on them any more
                now, first, last = self.env.clock(), min(ours), max(ours)
                self.store.give_back(self.job.name, first, last, why="interrupted", now=now)
                raise
            results = self._record(wanted, fetched, deadline, kind=kind)
        return [results.get(slot) or self._unclaimed(slot, claims[slot]) for slot in slots]

    def _unclaimed(self, slot: dt.datetime, claim: Claim) -> Settled:
        if claim is Claim.SETTLED:
            return Settled(slot=slot, outcome="settled")
        told = self.timetable.told(slot)
        error = TryLaterError(f"{self.job.name}: another host is at work on {told}")
        return Settled(slot=slot, outcome="held", error=error)

    def _items(self, slots: Sequence[dt.datetime]) -> dict[dt.datetime, tuple[PairDay, ...]]:
        """Return what is still missing for each of *slots*."""
        recorded = self.store.pairs(self.job.name, slots)
        closed = self.store.closed_pairs(self.job.name, slots)
        wanted = {}
        for slot in slots:
            day = slot.astimezone(self.timetable.zone).date()
            missing = (
                pair
                for pair in self.job.pairs
                if pair not in recorded[slot] and str(pair) not in closed[slot]
            )
            wanted[slot] = tuple((pair, day) for pair in missing)
        return wanted

    # The fetch

    def _fetch(
        self, wanted: Mapping[dt.datetime, tuple[PairDay, ...]], deadline: Deadline, *, past: bool
    ) -> FetchResult:
        items = tuple(dict.fromkeys(item for some in wanted.values() for item in some))
        if past:
            return self.fetch_past(items, deadline)
        request = FetchRequest(items=items, past=False)
        fetched = self.live_results.get(request)
        if fetched is None:
            fetched = self.fetcher.fetch(request, deadline)
            if len(fetched.quotes) == len(items):
                self.live_results[request] = fetched
        return fetched

    def fetch_past(self, items: tuple[PairDay, ...], deadline: Deadline) -> FetchResult:
        """Return what the providers say of past days; what is asked for at once serves the days to come, too."""
        unasked = [item for item in items if item not in self._past]
        if unasked:
            wider = self._with_expected(unasked)
            fetched = self.fetcher.fetch(FetchRequest(items=wider, past=True), deadline)
            self._past |= dict.fromkeys(wider, fetched)
            self._keep_ahead(fetched, items)
        return merge({item: self._past[item] for item in items})

    def _with_expected(self, items: Sequence[PairDay]) -> tuple[PairDay, ...]:
        """Return *items* and what is expected to be asked for after them, as far as one round should go."""
        able = [traits_of(provider) for provider in self.job.providers]
        able = [traits for traits in able if traits.history]
        first, now = min(day for _, day in items), self.env.clock()
        ahead = [
            day
            for day in self.upcoming_days
            if day >= first and any(plausibility.is_final(day, traits, now) for traits in able)
        ]
        if all(traits.history is History.DAYS for traits in able):
            ahead = ahead[:DAYS_AT_ONCE]
        pairs = dict.fromkeys(pair for pair, _ in items)
        more = ((pair, day) for pair in pairs for day in ahead)
        return tuple(dict.fromkeys((*items, *(item for item in more if item not in self._past))))

    def _keep_ahead(self, fetched: FetchResult, items: Sequence[PairDay]) -> None:
        """Write what failed a check, but for the items at hand, which are committed with their slots."""
        now = self.env.clock()
        suspects = [
            (self._first_slot(item[1] if item else items[0][1]), suspect)
            for item, suspect in fetched.quarantined
            if item not in items
        ]
        self.store.add_suspects(self.job.name, suspects, now)

    def _first_slot(self, day: dt.date) -> dt.datetime:
        midnight = dt.datetime.combine(day, dt.time(), self.timetable.zone)
        return self.timetable.next(midnight - dt.timedelta(seconds=1)) or midnight

    # The commit

    def _record(
        self,
        wanted: Mapping[dt.datetime, tuple[PairDay, ...]],
        fetched: FetchResult,
        deadline: Deadline,
        *,
        kind: str,
    ) -> dict[dt.datetime, Settled]:
        done = {slot: _settlement(slot, items, fetched, kind) for slot, items in wanted.items()}
        failed = {slot for slot, settlement in done.items() if not settlement.outcome}
        useful = [s for s in done.values() if s.outcome or s.quotes]
        suspects = self._quarantined(wanted, fetched, kind)
        error: RatectlError | None = None
        if useful:
            error = self.write(
                useful,
                deadline,
                also=lambda c: statements.add_quarantined(
                    c, self.job.name, suspects, self.env.clock()
                ),
            )
        else:
            self.store.add_suspects(self.job.name, suspects, self.env.clock())
        results = {
            slot: self._settled(settlement, wanted[slot], fetched, error)
            for slot, settlement in done.items()
            if slot not in failed
        }
        return results | {
            slot: self._failed(done[slot], wanted[slot], fetched) for slot in sorted(failed)
        }

    def write(
        self,
        settlements: Sequence[Settlement],
        deadline: Deadline,
        *,
        also: Callable[[Statements], None],
    ) -> RatectlError | None:
        """Commit *settlements* of claimed slots with their lines and what *also* writes, then deliver.

        Returns what stood in the way of a delivery: from the commit on nothing is lost.
        """

        def record(connection: Statements) -> None:
            for settlement in settlements:
                self.store.settle(connection, self.job.name, settlement, self.env.clock())
            also(connection)

        return self.commit(settlements, deadline, record)

    def commit(
        self,
        settlements: Sequence[Settlement],
        deadline: Deadline,
        record: Callable[[Statements], None],
    ) -> RatectlError | None:
        """Commit what *record* writes together with the lines of *settlements*, then deliver.

        Returns what stood in the way of a delivery: from the commit on nothing is lost.
        """
        error: RatectlError | None = None
        slots = [settlement.slot for settlement in settlements]
        with self.delivery.lock_outputs(deadline, slots) as outputs:
            lined = any(settlement.quotes for settlement in settlements)
            planned = [(o, self.delivery.intent(o) if lined else None) for o in outputs]
            with self.store.database.transaction(durable=True) as connection:
                record(connection)
                for output, intent in planned:
                    self.delivery.enqueue(connection, output, intent, settlements)
            for output in outputs:
                error = self.delivery.drain(output) or error
        return error

    def quarantine(
        self, wanted: Mapping[dt.datetime, tuple[PairDay, ...]], fetched: FetchResult
    ) -> None:
        """Write what of *fetched* failed a check, each with its slot of *wanted*."""
        suspects = self._quarantined(wanted, fetched)
        self.store.add_suspects(self.job.name, suspects, self.env.clock())

    def _quarantined(
        self,
        wanted: Mapping[dt.datetime, tuple[PairDay, ...]],
        fetched: FetchResult,
        kind: str = "",
    ) -> list[tuple[dt.datetime, SuspectQuote]]:
        """Return what failed a check with each slot in hand that it was for; it is of the *kind* that it would have been recorded as."""
        slots_of: dict[PairDay | None, list[dt.datetime]] = {None: [next(iter(wanted))]}
        for slot, items in wanted.items():
            for item in items:
                slots_of.setdefault(item, []).append(slot)
        return [
            (slot, _of_kind(suspect, kind))
            for item, suspect in fetched.quarantined
            for slot in slots_of.get(item, ())
        ]

    # What became of each

    def _settled(
        self,
        settlement: Settlement,
        items: Sequence[PairDay],
        fetched: FetchResult,
        error: RatectlError | None,
    ) -> Settled:
        closed = [
            str(item[0]) for item in items if item in fetched.closed - fetched.taken_back.keys()
        ]
        if closed and self.job.closed_days is ClosedDays.FAIL:
            message = f"{self.job.name}: no rate of the day itself for {', '.join(closed)}"
            error = error or DataError(message)
        return Settled(
            slot=settlement.slot,
            outcome=settlement.outcome,
            quotes=settlement.quotes,
            warnings=_warnings(items, fetched),
            taken_back=taken_back(items, fetched),
            error=error,
        )

    def _failed(
        self, settlement: Settlement, items: Sequence[PairDay], fetched: FetchResult
    ) -> Settled:
        slot, now = settlement.slot, self.env.clock()
        failures = (pair for item in items for pair in fetched.failures.get(item, {}).items())
        once = {(name, str(failure)): (name, failure) for name, failure in failures}
        error = _with_way_out(most_hopeful(list(once.values())), items, fetched)
        judged = not isinstance(error, TryLaterError)
        past = (
            slot.astimezone(self.timetable.zone).date() < now.astimezone(self.timetable.zone).date()
        )
        outcome = "failed"
        with self.store.database.transaction() as connection:
            claim = (self.job.name, slot, self.store.owner)
            attempts = statements.release(
                connection, claim, detail=str(error), at=unix(now), judged=int(judged)
            )
            if judged and past and attempts >= MOST_ATTEMPTS:
                outcome = "missed"
                why = f"given up after {attempts} tries: {error}"
                statements.mark_missed(connection, claim, detail=why, at=unix(now))
        return Settled(slot=slot, outcome=outcome, quotes=settlement.quotes, error=error)


def _with_way_out(
    error: RatectlError, items: Sequence[PairDay], fetched: FetchResult
) -> RatectlError:
    """Return *error*, with the command that decides where an answer for one of *items* is held."""
    if not any(item is None or item in items for item, _ in fetched.quarantined):
        return error
    return error.saying(f"{error}; `ratectl review` shows the held answer, and decides")


def _of_kind(suspect: SuspectQuote, kind: str) -> SuspectQuote:
    if not kind or suspect.quote is None:
        return suspect
    return suspect._replace(quote=suspect.quote._replace(kind=kind))


def _settlement(
    slot: dt.datetime, items: Sequence[PairDay], fetched: FetchResult, kind: str
) -> Settlement:
    quotes: tuple[Quote, ...] = tuple(
        fetched.quotes[item] for item in items if item in fetched.quotes
    )
    if kind:
        quotes = tuple(quote._replace(kind=kind) for quote in quotes)
    outcome = ""
    if fetched.complete(items):
        outcome = "recorded" if quotes or not items else "closed"
    return Settlement(
        slot=slot,
        quotes=quotes,
        outcome=outcome,
        detail="; ".join(_warnings(items, fetched)),
        closed=tuple(item[0] for item in items if outcome and item in fetched.closed),
    )


def _warnings(items: Sequence[PairDay], fetched: FetchResult) -> tuple[str, ...]:
    warnings = (fetched.warnings[item] for item in items if item in fetched.warnings)
    return (*warnings, *taken_back(items, fetched))


def taken_back(items: Sequence[PairDay], fetched: FetchResult) -> tuple[str, ...]:
    """Return what to say of those of *items* for which there is only a number that a person took back."""
    return tuple(fetched.taken_back[item] for item in items if item in fetched.taken_back)
