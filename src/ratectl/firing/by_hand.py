"""What a person writes into the record, and takes back: under the job's lock, in one transaction with its lines.

Both may be repeated after any end: what is written already is found, and nothing is written twice.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ratectl.errors import ConfigError, TryLaterError, UsageError
from ratectl.fetch import measure
from ratectl.firing.due import civil_day
from ratectl.journal import revisions, statements
from ratectl.journal.rate_store import Settlement
from ratectl.journal.revisions import VOIDED, Retirement, TakenBack
from ratectl.journal.rows import Span
from ratectl.model.quote import BY_HAND, MANUAL, Quote, plain
from ratectl.runtime.deadline import Deadline
from ratectl.schedule.occurrences.zones import SECOND
from ratectl.wording import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from ratectl.errors import RatectlError
    from ratectl.fetch.plausibility import Jump
    from ratectl.firing.due import Timetable
    from ratectl.firing.runner import Runner
    from ratectl.journal.rate_store import RateStore
    from ratectl.journal.rows import RecordedQuote
    from ratectl.journal.statements import Statements
    from ratectl.model.job import Pair


def locked(runner: Runner, work: Callable[[], None]) -> None:
    """Do *work* under the job's lock. Raises TryLaterError while a firing is at work."""
    runner.with_job_lock(work)
    if runner.report.note:
        raise TryLaterError(f"{runner.job.name}: {runner.report.note}")


@dataclass(slots=True, kw_only=True)
class Entry:
    """The *rate* of *pair* on *day*, which a person enters; *slot* says for which slot, where the day alone does not."""

    runner: Runner
    pair: Pair
    rate: Decimal
    day: dt.date
    slot: dt.datetime | None = None
    is_known: bool = False
    """It was recorded before, and nothing was done."""
    doubt: Jump | None = None
    """Why the rate is hard to believe."""

    def run(self) -> RatectlError | None:
        """Record it; returns what stood in the way of a delivery, which is then made later.

        Raises UsageError for what is no slot or still to come, ConfigError where another rate stands, TryLaterError while a firing is at work.
        """
        locked(self.runner, self._enter)
        return self.runner.report.error

    def _enter(self) -> None:
        runner = self.runner
        self.slot = self.slot and self.slot.astimezone(dt.UTC)
        runner.report.error = runner.delivery.rest()
        standing = self._standing()
        known = [e for e in standing if e.quote.provider == BY_HAND and e.quote.rate == self.rate]
        if known:
            self.slot, self.is_known = known[0].slot, True  # in UTC, as all that is recorded
            return
        self.slot = slot = self._free_slot({entry.slot for entry in standing}, standing)
        quote = self._quote(slot)
        store, name = runner.store, runner.job.name
        near = store.nearest_quotes(self.pair, self.day, name)
        self.doubt = measure.doubt(store, name, quote, near, runner.timetable.zone)
        settlement = Settlement(slot=slot, quotes=(quote,))
        ledger = Ledger(runner)
        detail = f"{self.pair} was entered by hand"
        error = runner.settler.commit(
            (settlement,),
            Deadline(runner.job.timeout),
            lambda connection: ledger.enter(connection, slot, quote, detail=detail),
        )
        runner.report.error = error or runner.report.error

    def _standing(self) -> list[RecordedQuote]:
        """Return what is recorded of the pair in the slot, or on the day."""
        first, last = civil_day(self.day, self.runner.timetable.zone)
        first, last = (self.slot, self.slot) if self.slot else (first, last)
        span = Span(first, last + SECOND)
        return list(self.runner.store.quotes(self.runner.job.name, span, self.pair))

    def _free_slot(self, taken: set[dt.datetime], standing: Sequence[RecordedQuote]) -> dt.datetime:
        """Return the slot to be filled, in UTC: the one that is named, or the last of the day that lacks the pair."""
        now = self.runner.env.clock().replace(microsecond=0)
        wanted = [self.slot] if self.slot is not None else self._slots_until(now)
        if min(wanted) > now:
            ahead = self.runner.timetable.told(min(wanted))
            raise UsageError(f"record: {ahead} still lies ahead")
        if self.slot is not None and not self._is_known_slot(self.slot):
            self.runner.timetable.check_slot(self.slot, option="--on")
        free = [slot.astimezone(dt.UTC) for slot in wanted if slot.astimezone(dt.UTC) not in taken]
        if not free:
            entry = standing[-1]
            timetable, name = self.runner.timetable, self.runner.job.name
            number = f"{self.pair} {plain(entry.quote.rate)} ({entry.quote.provider})"
            raise ConfigError(
                f"{name}: {timetable.told(entry.slot)} has {number} already; `ratectl review void"
                f" {timetable.typed(entry.slot)} --job {name} --pair {self.pair}` takes it back first"
            )
        return free[-1]

    def _is_known_slot(self, slot: dt.datetime) -> bool:
        """Tell whether the record has *slot*, which may lie outside the schedule."""
        store, name = self.runner.store, self.runner.job.name
        return store.firing(name, slot) is not None or bool(revisions.retired(store, name, [slot]))

    def _slots_until(self, now: dt.datetime) -> list[dt.datetime]:
        """Return the day's slots that are over at *now*; where there are none now, and on a day without slots its first second."""
        first, _ = civil_day(self.day, self.runner.timetable.zone)
        planned = self.runner.timetable.on_day(self.day)
        over = [slot for slot in planned if slot <= now]
        return over or [max(first, now) if planned else first]

    def _quote(self, slot: dt.datetime) -> Quote:
        name, store = self.runner.job.name, self.runner.store
        earlier = revisions.retired(store, name, [slot]).get((slot, self.pair), [])
        now = self.runner.env.clock().replace(microsecond=0)
        after = [entry.quote.observed_at + SECOND for entry in earlier]  # the newer number counts
        return Quote(
            pair=self.pair,
            rate=self.rate,
            rate_date=self.day,
            provider=BY_HAND,
            provider_time=None,
            observed_at=max([now, *after]),
            kind=MANUAL,
        )


class Ledger:
    """Where quotes that no firing asked for are entered; what it has to know is looked up before the transaction."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.owner = runner.store.owner
        self.due_after = runner.watermark()

    def enter(
        self, connection: Statements, slot: dt.datetime, quote: Quote, *, detail: str
    ) -> None:
        """Write *quote*; a slot that is still due is left to its firing, which asks for its other pairs.

        Raises TryLaterError where another host is at work on the slot.
        """
        runner, name = self.runner, self.runner.job.name
        if runner.store.is_busy(connection, name, slot, runner.env.clock()):
            raise TryLaterError(f"{name}: another host is at work on {runner.timetable.told(slot)}")
        if slot > self.due_after and runner.timetable.is_slot(slot):
            statements.add_quotes(connection, name, slot, (quote,))
        else:
            statements.enter(connection, name, slot, quote, owner=self.owner, detail=detail)
        revisions.reopen(connection, name, slot, quote.pair)


@dataclass(slots=True, kw_only=True)
class Voiding:
    """The recorded rates of a slot that a person takes back: that of *pair*, or all."""

    runner: Runner
    slot: dt.datetime
    pair: Pair | None = None
    reason: str = "by hand"
    everywhere: bool = False
    """The same numbers are taken back in every other slot, too."""
    voided: tuple[RecordedQuote, ...] = ()
    """What was taken back."""
    elsewhere: tuple[RecordedQuote, ...] = ()
    """Where the same numbers stand still."""
    was_voided: bool = False
    """Something of the slot was taken back before."""

    def run(self) -> None:
        """Void them. Raises ConfigError where none is recorded, TryLaterError while a firing is at work."""
        self.slot = self.slot.astimezone(dt.UTC)
        locked(self.runner, self._void)

    def _void(self) -> None:
        runner, name = self.runner, self.runner.job.name
        entries = list(runner.store.quotes(name, Span(self.slot, self.slot + SECOND), self.pair))
        before = self._voided_before()
        self.was_voided = bool(before)
        others = self._others([*entries, *before])
        if self.everywhere:
            entries += others
        else:
            self.elsewhere = tuple(others)
        if not entries and self.was_voided:
            return
        if not entries:
            what = f"rate of {self.pair}" if self.pair else "rate"
            raise ConfigError(
                f"{name}: no {what} is recorded for {runner.timetable.told(self.slot)}; "
                f"`ratectl history {name} --revisions` shows what is and was"
            )
        why = Retirement(state=VOIDED, reason=self.reason, at=runner.env.clock())
        with runner.store.database.transaction(durable=True) as connection:
            for entry in entries:
                revisions.void(connection, name, entry.slot, entry.quote.pair, why)
        self.voided = tuple(entries)

    def _voided_before(self) -> list[RecordedQuote]:
        """Return what of the slot was taken back before."""
        before = revisions.retired(self.runner.store, self.runner.job.name, [self.slot])
        return [
            entry
            for (_, pair), retired in before.items()
            for entry in retired
            if entry.state == VOIDED and self.pair in {None, pair}
        ]

    def _others(self, entries: Sequence[RecordedQuote]) -> list[RecordedQuote]:
        """Return the other slots that have one of the numbers of *entries*, each with it."""
        store, name = self.runner.store, self.runner.job.name
        numbers = {TakenBack.of(entry.quote) for entry in entries}
        found = (entry for number in numbers for entry in revisions.standing(store, name, number))
        others = (entry for entry in found if entry.slot != self.slot)
        return sorted(others, key=lambda entry: entry.slot)


def recorded_slot(store: RateStore, job: str, day: dt.date, timetable: Timetable) -> dt.datetime:
    """Return the one slot of a civil *day* that has a rate, or had one that was taken back. Raises UsageError where there are several, ConfigError where there is none."""
    first, last = civil_day(day, timetable.zone)
    span = Span(first, last + SECOND)
    ever = list(revisions.history(store, job, span, None))
    slots = dict.fromkeys(entry.slot for entry in ever if not entry.state)
    if not slots:  # the same again finds what was taken back
        slots = dict.fromkeys(entry.slot for entry in ever if entry.state == VOIDED)
    if not slots:
        raise ConfigError(
            f"{job}: no rate is recorded for a slot of {day}; `ratectl history {job} --revisions` shows what"
            " is and was"
        )
    if len(slots) > 1:
        named = listed(list(map(timetable.typed, slots)))
        one = f"`ratectl review void {timetable.typed(next(iter(slots)))} --job {job}`"
        raise UsageError(
            f"review void: on {day} {len(slots)} slots have a rate, {named}; {one} takes one back"
        )
    return next(iter(slots))
