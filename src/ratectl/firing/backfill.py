"""Past slots on request: all those of a range that have no rate yet, in batches, each committed whole.

Killed or stopped anywhere, the same request goes on where it stood; a pair that is recorded or closed in a slot is never
asked for again, and one that was added to the job gets its past.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ratectl.errors import ConfigError, TryLaterError
from ratectl.fetch import plausibility
from ratectl.firing import revisit
from ratectl.firing.due import civil_day
from ratectl.firing.revisit import Revisit
from ratectl.firing.runner import BATCH
from ratectl.model.providers import PROVIDER_KINDS, traits_of
from ratectl.runtime.deadline import Deadline
from ratectl.schedule.occurrences.zones import SECOND

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from ratectl.errors import RatectlError
    from ratectl.firing.report import Settled
    from ratectl.firing.revisit import Wanted
    from ratectl.firing.runner import Runner


@dataclass(slots=True, kw_only=True)
class Filled:
    """What a backfill came to."""

    wanted: int = 0
    """Slots of the range that lacked a rate, or are asked for again."""
    before: int = 0
    """Slots of the range that were settled already and are left alone."""
    waiting: int = 0
    """Slots of days that no provider is done with yet."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """How many slots came to each outcome."""
    requests: int = 0
    taken_back: dict[str, None] = field(default_factory=dict)
    """What to say of numbers that a person took back, each once, in order."""
    error: RatectlError | None = None
    """The first one; one that time may fix ended the backfill."""

    def add(self, settled: Settled) -> None:
        """Count one slot."""
        self.outcomes[settled.outcome] += 1
        self.taken_back |= dict.fromkeys(settled.taken_back)
        self.error = self.error or settled.error


class Backfill:
    """The slots of *runner*'s job from the civil day *since* to *until*, both included.

    With *again* days are asked for again, too, that were closed or are marked with an earlier day's rate.
    """

    def __init__(
        self, runner: Runner, since: dt.date, until: dt.date, *, again: bool = False
    ) -> None:
        self.runner = runner
        self.again = again
        self.timetable = runner.timetable
        self.filled = Filled()
        able = [traits_of(provider) for provider in runner.job.providers]
        self.able = [traits for traits in able if traits.history]
        if not self.able:
            known = ", ".join(kind for kind, traits in PROVIDER_KINDS.items() if traits.history)
            raise ConfigError(
                f"{runner.job.name}: none of its providers has historical rates; add one of {known}"
            )
        zone = self.timetable.zone
        self.start, self.end = civil_day(since, zone)[0], civil_day(until, zone)[1]
        self.whole: set[dt.datetime] = set()
        """Slots of the range that lack nothing."""
        self.slots = self._slots()
        self.revisits = self._revisits() if again else {}
        self.filled.wanted += len(self.revisits.keys() - set(self.slots))
        self.filled.before = len(self.whole - self.revisits.keys())

    def _revisits(self) -> Wanted:
        """Return the pairs of settled slots that are to be asked for again, oldest first."""
        job, store = self.runner.job, self.runner.store
        ends = (self.start, min(self.end, self.runner.env.clock()))
        marked = revisit.marked(store, job, *ends)
        closed = {
            slot: pairs
            for slot, pairs in revisit.lacking(store, job, *ends).items()
            if self.timetable.is_slot(slot)
        }
        known = store.closed_pairs(job.name, tuple(closed)) if closed else {}
        for slot in closed.keys() & set(self.slots):  # whose other pairs are asked for in any case
            closed[slot] = tuple(pair for pair in closed[slot] if str(pair) in known[slot])
        closed = {slot: pairs for slot, pairs in closed.items() if pairs}
        return {
            slot: (*closed.get(slot, ()), *marked.get(slot, ()))
            for slot in sorted(closed.keys() | marked.keys())
            if self._is_final(slot)
        }

    def _is_final(self, slot: dt.datetime) -> bool:
        """Tell whether some provider is done with the civil day of *slot*, which is over."""
        now = self.runner.env.clock()
        day, today = (m.astimezone(self.timetable.zone).date() for m in (slot, now))
        return day < today and any(plausibility.is_final(day, traits, now) for traits in self.able)

    def _slots(self) -> list[dt.datetime]:
        """Return what there is to do, oldest first."""
        job, now = self.runner.job, self.runner.env.clock()
        settled = self.runner.store.whole(job.name, job.pairs, self.start, self.end)
        slots = []
        for slot in self.timetable.between(self.start - SECOND, min(self.end, now)):
            if slot in settled:
                self.whole.add(slot)
            elif self._is_final(slot):
                slots.append(slot)
            else:
                self.filled.waiting += 1
        self.filled.wanted = len(slots)
        return slots

    def run(self, on_progress: Callable[[dt.datetime, int], None]) -> Filled:
        """Fill; after each batch *on_progress* is called with its last slot and how many slots it had.

        Raises TryLaterError when another firing of the job is at work.
        """
        self.runner.with_job_lock(lambda: self.runner.attempt(lambda: self._fill(on_progress)))
        if self.runner.report.note:
            raise TryLaterError(f"{self.runner.job.name}: {self.runner.report.note}")
        self.filled.error = self.runner.report.error or self.filled.error
        self.filled.requests = self.runner.client.requests
        return self.filled

    def _fill(self, on_progress: Callable[[dt.datetime, int], None]) -> None:
        if self._work(self.slots, self._settle, on_progress) and self.again:
            self.runner.client.ask_anew = True  # what was answered a moment ago is no news
            self._work(list(self.revisits), self._revisit, on_progress)

    def _work(
        self,
        slots: list[dt.datetime],
        settle: Callable[[list[dt.datetime]], list[Settled]],
        on_progress: Callable[[dt.datetime, int], None],
    ) -> bool:
        """Let *settle* have *slots* in batches; False where what time may fix ended that."""
        days = (slot.astimezone(self.timetable.zone).date() for slot in slots)
        self.runner.settler.upcoming_days = list(dict.fromkeys(days))
        for first in range(0, len(slots), BATCH):
            batch = slots[first : first + BATCH]
            results = settle(batch)
            for settled in results:
                self.filled.add(settled)
            on_progress(batch[-1], len(batch))
            if any(isinstance(settled.error, TryLaterError) for settled in results):
                return False
        return True

    def _settle(self, batch: list[dt.datetime]) -> list[Settled]:
        """Settle *batch*; what fails and is due no more stands as it did before."""
        job, store = self.runner.job, self.runner.store
        before = store.open_again(job.name, batch)
        left = batch
        try:
            results = self.runner.settler.settle_past(batch, Deadline(job.timeout))
            left = [done.slot for done in results if done.outcome in {"failed", "missed"}]
        finally:
            store.leave(job.name, left, before, self.runner.watermark())
        return results

    def _revisit(self, batch: list[dt.datetime]) -> list[Settled]:
        wanted = {slot: self.revisits[slot] for slot in batch}
        return Revisit(self.runner.settler).run(wanted, Deadline(self.runner.job.timeout))
